"""Contexts of a user's own: read from cell files, held to the rule of the library's, complete.

A cell says what it contains and where it is kept, and nothing else: amounts, integrins, working
copies, mutations, sizes, surroundings. Every name must be one on which the modules act.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from haptos.conditions.catalogue import load_catalogue
from haptos.conditions.experiment import Culture
from haptos.core.located import Document, Path
from haptos.core.specs import read_spec
from haptos.errors import Issue, SpecError, nearest
from haptos.signalling.agents import coatings
from haptos.signalling.building.instances import integrin_module
from haptos.signalling.building.integrins import heterodimers
from haptos.signalling.building.modules import library_text, module_names
from haptos.signalling.cells import CellFile, CellLine, Profile, complete, library_files
from haptos.signalling.contexts.transcripts import pool_of

__all__ = ["cell_text", "is_cell_file", "is_name", "read_contexts"]

#: Blocks of a cell, and what a name in each of them stands for.
_BLOCKS = {
    "integrins": "integrin",
    "expression": "amount",
    "endogenous": "regulated gene",
    "constitutive": "tonic input",
    "mutations": "activating mutation",
}
_KINDS = {
    "expression": "expression",
    "endogenous": "endogenous",
    "constitutive": "constitutive",
    "mutations": "forced",
}


def is_cell_file(document: Document) -> bool:
    """Tell whether a document is meant as a file of cells: it holds a list ``cells:``."""
    return isinstance(document.data, dict) and isinstance(document.data.get("cells"), list)


def is_name(text: str) -> bool:
    """Tell whether a text can name a context.

    Examples
    --------
    >>> is_name("PC9-GR4"), is_name("my line"), is_name("a/b")
    (True, False, False)
    """
    return bool(text) and not any(c.isspace() or c in "/\\:#'\"" for c in text)


def read_contexts(documents: Iterable[Document]) -> dict[str, CellLine]:
    """Return the contexts of a user's cell files by identifier, each complete in itself.

    Parameters
    ----------
    documents : iterable of Document
        Cell files, located. Their cells may build on each other and on those of the library
        (``like``, ``profile``); what they inherit is filled in and the reference is dropped.

    Raises
    ------
    SpecError
        With every problem of all files, each with its line and the nearest names.
    """
    found = _Found()
    for document in documents:
        try:
            found.add(document, read_spec(CellFile, document, catalogue=load_catalogue()))
        except SpecError as error:
            found.issues += error.issues
    found.check_references()
    if found.issues:
        raise SpecError(sorted(found.issues, key=_place))
    library, profiles = library_files()
    written, shared = {**library, **found.cells}, {**profiles, **found.profiles}
    own = (complete(cell, written, shared) for cell in found.cells.values())
    return {cell.id: cell.model_copy(update={"like": None, "profile": None}) for cell in own}


@dataclass
class _Found:
    """What several files hold, and what is wrong with it."""

    cells: dict[str, CellLine] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)
    places: dict[tuple[str, str], tuple[Document, Path]] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)

    def add(self, document: Document, content: CellFile) -> None:
        """Take in one file."""
        library, profiles = library_files()
        for i, profile in enumerate(content.profiles):
            if self._is_new("profile", profile.id, profiles, document, ("profiles", i)):
                self.profiles[profile.id] = profile
            self._check_contents(profile, document, ("profiles", i))
        for i, cell in enumerate(content.cells):
            if self._is_new("cell", cell.id, library, document, ("cells", i)):
                self.cells[cell.id] = cell
            self._check_contents(cell, document, ("cells", i))

    def _is_new(self, kind: str, name: str, library: Mapping[str, object], document: Document, path: Path) -> bool:
        where = document.where((*path, "id"))
        if not is_name(name):
            self._tell(f"{name!r} is no name", where, "a name without spaces, slashes, colons and quotes")
            return False
        if name in library:
            self._tell(f"the library has a {kind} {name!r} already", where, hint="choose another id")
            return False
        if (kind, name) in self.places:
            other, place = self.places[kind, name]
            self._tell(f"the {kind} {name!r} stands twice, first at {other.where((*place, 'id'))}", where)
            return False
        self.places[kind, name] = (document, path)
        return True

    def _check_contents(self, cell: CellLine | Profile, document: Document, path: Path) -> None:
        """Check the names of all blocks, and where the cells are kept."""
        for block, what in _BLOCKS.items():
            for name in getattr(cell, block, ()):
                if name not in _names(block):
                    self._unknown(what, name, _names(block), document.where((*path, block, name)))
        normal: Culture | None = cell.normal
        if normal is not None and normal.coating not in coatings():
            self._unknown("coating", normal.coating, tuple(coatings()), document.where((*path, "normal", "coating")))

    def check_references(self) -> None:
        """Check what the cells build on."""
        library, profiles = library_files()
        written, shared = {**library, **self.cells}, {**profiles, **self.profiles}
        for cell in self.cells.values():
            document, path = self.places["cell", cell.id]
            if cell.profile is not None and cell.profile not in shared:
                self._unknown("profile", cell.profile, tuple(shared), document.where((*path, "profile")))
            if cell.like is not None and cell.like not in written:
                self._unknown("cell", cell.like, tuple(written), document.where((*path, "like")))
            elif cell.id in _ancestors(cell, written):
                self._tell(f"the cell {cell.id!r} is like itself", document.where((*path, "like")))

    def _unknown(self, what: str, name: str, known: Sequence[str], where: str) -> None:
        near = nearest(name, known)
        pool = pool_of(name)
        if pool in known:
            self._tell(f"unknown {what} {name!r}", where, hint=f"in the model it is part of {pool!r}")
            return
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else ""
        self._tell(f"unknown {what} {name!r}", where, ", ".join(known) if len(known) <= 12 else "", hint)

    def _tell(self, message: str, where: str, allowed: str = "", hint: str = "") -> None:
        self.issues.append(Issue(message, where, allowed, hint))


def _place(issue: Issue | str) -> tuple[str, int]:
    """Return file and line of an issue, to sort by."""
    file, _, line = getattr(issue, "where", "").split(" ")[0].rpartition(":")
    return file, int(line) if line.isdigit() else 0


def _ancestors(cell: CellLine, written: Mapping[str, CellLine]) -> list[str]:
    """Return what a cell is like, as far as that is known."""
    found: list[str] = []
    other = cell.like
    while other is not None and other in written and other not in found:
        found.append(other)
        other = written[other].like
    return found


@cache
def _names(block: str) -> tuple[str, ...]:
    """Return the names that a block may hold: those on which the modules act."""
    ids = {name.replace(":", "_"): name for name in heterodimers()}
    if block == "integrins":
        return tuple(ids.values())
    found = {name for text in _texts() for name in re.findall(rf"\b{_KINDS[block]}__(\w+)", text)}
    if block == "expression":  # amounts of heterodimers stand under "integrins"
        return tuple(sorted(found - set(ids)))
    return tuple(sorted(ids.get(name, name) for name in found))


@cache
def _texts() -> tuple[str, ...]:
    """Return all modules as texts without remarks, the one of the integrins with every heterodimer."""
    plain = [library_text(f"{name}.ant") for name in module_names()]
    return tuple(re.sub(r"//.*", "", text) for text in (*plain, integrin_module(heterodimers()).body))


def cell_text(cell: CellLine) -> str:
    """Return a complete context as a cell file that reads back to an equal context."""
    import io

    from ruamel.yaml import YAML

    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    writer.width = 100
    writer.allow_unicode = True
    data = cell.model_dump(mode="json", exclude_none=True)
    stream = io.StringIO()
    writer.dump({"version": 1, "cells": [{key: value for key, value in data.items() if value != {}}]}, stream)
    return f"# As it was simulated; what it inherits is filled in.\n{stream.getvalue()}"
