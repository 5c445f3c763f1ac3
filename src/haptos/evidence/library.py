"""The evidence of a library folder: claims, conflicts, misprints, sources, quantities.

Files are read when first asked for, and only those that can hold what is asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache, cached_property
from importlib.resources.abc import Traversable
from typing import cast

from haptos.conditions.catalogue import (
    Vocabulary,
    catalogue_of,
    library_folder,
    read_file,
    read_vocabulary,
    yaml_files,
)
from haptos.conditions.interventions import Intervention, SwapCells
from haptos.core.located import Document
from haptos.core.records import Records, read_records
from haptos.core.specs import Catalogue
from haptos.errors import EvidenceError, nearest
from haptos.evidence.claims import Claim, Conflict, TextError
from haptos.evidence.quantities import QuantityRecord
from haptos.evidence.sources import Reference, Source, parse_bibliography

__all__ = ["Library", "cells_of", "load_library"]

#: Files of ``library/claims`` that hold no claims, and the key of their list.
CONFLICTS = "conflicts.yaml"
TEXT_ERRORS = "text_errors.yaml"


class Library:
    """The evidence kept in a folder.

    Parameters
    ----------
    root : Traversable
        Folder with ``vocabulary``, ``claims``, ``sources`` and ``quantities``.
    name : str
        How messages call the folder.
    own : Document, optional
        A user's file with ``claims:`` and optionally ``sources:``. Its claims replace those of the
        folder, its sources are added; conflicts, misprints and quantities are left out.
    vocabulary : Vocabulary, optional
        The vocabulary, if it was read before.

    Notes
    -----
    The plain accessors (:meth:`claims`, :attr:`conflicts`, ...) raise ``SpecError`` with all
    problems of the files they touch; the ``*_records`` keep the problems as data, for the linter.
    """

    def __init__(
        self,
        root: Traversable,
        *,
        name: str = "library",
        own: Document | None = None,
        vocabulary: Vocabulary | None = None,
    ) -> None:
        self.root = root
        self.name = name
        self.own = own
        self._vocabulary = vocabulary
        self._read: dict[str, Records[Claim]] = {}

    # --- files ---------------------------------------------------------------------------

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The controlled vocabulary, with the problems of its files."""
        return read_vocabulary(self.root, name=self.name) if self._vocabulary is None else self._vocabulary

    @cached_property
    def catalogue(self) -> Catalogue:
        """The names that records may use."""
        own = [entry.record.id for entry in self._own_sources.entries]
        return replace(catalogue_of(self.vocabulary, self.root, sources=own), free=self.own is not None)

    @cached_property
    def _own_sources(self) -> Records[Source]:
        data = self.own.data if self.own is not None else None
        if self.own is None or not isinstance(data, dict) or "sources" not in data:
            return Records()
        return read_records(Source, self.own, "sources", others=("claims",))

    @cached_property
    def _texts(self) -> dict[str, str]:
        """Raw texts of the claim files by file name."""
        return {
            file.name: file.read_bytes().decode("utf-8", "replace")
            for file in yaml_files(self.root / "claims")
            if file.name not in (CONFLICTS, TEXT_ERRORS)
        }

    def claim_records(self, *mentioning: str) -> Records[Claim]:
        """Return the records of all claim files whose text holds every one of the words given."""
        if self.own is not None:
            if "" not in self._read:
                catalogue = self.catalogue
                self._read[""] = read_records(Claim, self.own, "claims", catalogue=catalogue, others=("sources",))
            return self._read[""]
        found: Records[Claim] = Records()
        for file, text in self._texts.items():
            if all(word in text for word in mentioning):
                found += self._claim_file(file)
        return found

    def _claim_file(self, file: str) -> Records[Claim]:
        if file not in self._read:
            path = self.root / "claims" / file
            self._read[file] = read_file(Claim, path, "claims", f"{self.name}/claims", catalogue=self.catalogue)
        return self._read[file]

    @cached_property
    def conflict_records(self) -> Records[Conflict]:
        """Conflict groups with the problems of their file."""
        file = self.root / "claims" / CONFLICTS
        place = f"{self.name}/claims"
        if self.own is not None or not file.is_file():
            return Records()
        return read_file(Conflict, file, "conflicts", place, catalogue=self.catalogue)

    @cached_property
    def text_error_records(self) -> Records[TextError]:
        """Misprints with the problems of their file."""
        file = self.root / "claims" / TEXT_ERRORS
        place = f"{self.name}/claims"
        if self.own is not None or not file.is_file():
            return Records()
        return read_file(TextError, file, "text_errors", place, catalogue=self.catalogue)

    @cached_property
    def source_records(self) -> Records[Source]:
        """Sources with the problems of their file."""
        found: Records[Source] = Records()
        for file in yaml_files(self.root / "sources"):
            found += read_file(Source, file, "sources", f"{self.name}/sources")
        return found + self._own_sources

    @cached_property
    def quantity_records(self) -> Records[QuantityRecord]:
        """Quantities with the problems of their files."""
        found: Records[QuantityRecord] = Records()
        for file in yaml_files(self.root / "quantities") if self.own is None else ():
            found += read_file(QuantityRecord, file, "quantities", f"{self.name}/quantities")
        return found

    @cached_property
    def bibliography(self) -> tuple[Reference, ...]:
        """Entries of ``references.bib`` in file order."""
        file = self.root / "references.bib"
        return parse_bibliography(file.read_text(encoding="utf-8")) if file.is_file() else ()

    # --- queries -------------------------------------------------------------------------

    def claims(
        self,
        *,
        source: str | None = None,
        system: str | None = None,
        level: str | None = None,
        priority: int | None = None,
        assay: str | None = None,
        cells: str | None = None,
    ) -> tuple[Claim, ...]:
        """Return the claims that meet every condition given, in file order.

        Raises
        ------
        SpecError
            With every problem of the files read.
        """
        words = [w for w in (source, system, level, assay, cells) if w is not None]
        found = self.claim_records(*words).checked()
        return tuple(
            c
            for c in found
            if (source is None or c.source == source)
            and (system is None or c.system == system)
            and (level is None or c.level == level)
            and (priority is None or c.priority == priority)
            and (assay is None or (c.trial is not None and c.trial.assay == assay))
            and (cells is None or cells in cells_of(c))
        )

    def claim(self, identifier: str) -> Claim:
        """Return one claim.

        Raises
        ------
        EvidenceError
            If there is none, with the nearest identifiers.
        """
        for claim in self.claim_records(identifier).checked():
            if claim.id == identifier:
                return claim
        raise EvidenceError(unknown("claim", identifier, self.claim_ids()))

    def claim_ids(self) -> tuple[str, ...]:
        """Return the identifiers of all claims without reading the claims."""
        pattern = re.compile(r"(?m)^\s*- \{?id: *['\"]?([^\s,'\"}]+)")
        return tuple(name for text in self._texts.values() for name in pattern.findall(text))

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """All conflict groups."""
        return self.conflict_records.checked()

    @property
    def text_errors(self) -> tuple[TextError, ...]:
        """All misprints and imprecisions of the sources."""
        return self.text_error_records.checked()

    @property
    def sources(self) -> tuple[Source, ...]:
        """All sources of claims."""
        return self.source_records.checked()

    def quantities(self, *, use: str | None = None) -> tuple[QuantityRecord, ...]:
        """Return the quantities, or those that may be used for `use`."""
        return tuple(q for q in self.quantity_records.checked() if use is None or q.use == use)

    def quantity(self, identifier: str) -> QuantityRecord:
        """Return one quantity.

        Raises
        ------
        EvidenceError
            If there is none, with the nearest identifiers.
        """
        by_id = {q.id: q for q in self.quantities()}
        if identifier not in by_id:
            raise EvidenceError(unknown("quantity", identifier, tuple(by_id)))
        return by_id[identifier]


def unknown(what: str, name: str, known: tuple[str, ...]) -> str:
    """Return the message for a name that does not exist, with the nearest ones.

    Examples
    --------
    >>> unknown("claim", "ZHAO-1", ("ZHAO-11", "MMP-01"))
    "there is no claim 'ZHAO-1'; did you mean 'ZHAO-11'?"
    """
    near = nearest(name, known)
    ask = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
    return f"there is no {what} {name!r}{ask}"


def cells_of(claim: Claim) -> tuple[str, ...]:
    """Return every cell context a claim uses: that of the trial and those its arms swap in."""
    if claim.trial is None:
        return ()
    arms = cast("Mapping[str, tuple[Intervention, ...]]", claim.trial.arms)
    swapped = (step.swap_cells for arm in arms.values() for step in arm if isinstance(step, SwapCells))
    return tuple(dict.fromkeys((claim.trial.cells, *swapped)))


@cache
def load_library() -> Library:
    """Return the evidence shipped with haptos (nothing is read yet)."""
    return Library(library_folder())
