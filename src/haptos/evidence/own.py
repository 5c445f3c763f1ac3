"""A user's own claims, in the format of the library; what only a library needs may be left out."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from haptos.conditions.catalogue import CellTerm, library_folder
from haptos.core.located import Document, load_yaml
from haptos.errors import Issue, SpecError
from haptos.evidence.claims import OWN, Claim
from haptos.evidence.library import Library, load_library
from haptos.evidence.lint import RULES, lint
from haptos.evidence.lint.numbers import Retractions
from haptos.evidence.lint.reading import ClaimPrefix, KnownNames, Readable, UniqueIds
from haptos.evidence.lint.trials import Comparisons, LevelFitsRoom, Located, MeasureOfAssay, UsedArms

__all__ = ["DEFAULTS", "OWN", "check_claims", "completed", "read_claims", "sound_claims"]

#: What a claim that leaves it out is taken to say.
DEFAULTS: dict[str, Any] = {"source": OWN, "lines": [[1, 1]], "system": OWN, "kind": "hypothesis", "priority": 2}
_LEVELS = {"motility": "mechanics", "tissue": "tissue", "host": "organism"}
_PREFIX = re.compile(r"^([A-Z][A-Z0-9]*)-[0-9]{2}$")

_ON_CLAIMS = (
    Readable, KnownNames, UniqueIds, ClaimPrefix, Located, LevelFitsRoom, MeasureOfAssay, Comparisons, UsedArms,
    Retractions,
)  # fmt: skip


def check_claims(
    file: Path | str, cells: Sequence[CellTerm] = (), *, names_only: bool = False
) -> tuple[Library, tuple[Issue, ...]]:
    """Read a user's claims and apply the rules of the linter that concern claims.

    Parameters
    ----------
    file : Path
        YAML with a list ``claims:`` and optionally ``sources:``; sources of the library are known besides.
        A claim needs ``id``, ``relation``, ``trial`` and ``expect``; the rest has defaults, see :func:`completed`.
    cells : sequence of CellTerm
        Cells of the user that the claims may name besides those of the library.
    names_only : bool
        Whether to look at nothing but the names, as after a check of the whole.

    Returns
    -------
    library : Library
        The shipped evidence with the claims of the file in place of its own.
    issues : tuple of Issue
        Errors and warnings of the file, by line.

    Raises
    ------
    SpecError
        If the file is missing or no YAML.
    """
    vocabulary = load_library().vocabulary.with_cells(cells)
    rooms = {name: assay.room for name, assay in vocabulary.assays.items()}
    library = Library(library_folder(), own=completed(load_yaml(file), rooms), vocabulary=vocabulary)
    rules = [rule for rule in RULES if isinstance(rule, KnownNames if names_only else _ON_CLAIMS)]
    found = (issue for issue in lint(library, rules) if issue.where.startswith(str(file)))
    return library, tuple(_mild(issue) for issue in found)


def _mild(issue: Issue) -> Issue:
    """Return a problem; an unknown name in the relation is none for the verdict, which does not look at it."""
    if issue.rule != KnownNames.id or "(relation." not in issue.where or "(relation.predicate" in issue.where:
        return issue
    return replace(issue, severity="warning")


def read_claims(file: Path | str, cells: Sequence[CellTerm] = ()) -> tuple[Claim, ...]:
    """Return a user's claims; see :func:`check_claims`.

    Raises
    ------
    SpecError
        With every problem of the file and its line, if one of them is an error; warnings alone are let pass.
    """
    library, issues = check_claims(file, cells)
    if any(issue.severity == "error" for issue in issues):
        raise SpecError(issues)
    return tuple(entry.record for entry in library.claim_records().entries)


def sound_claims(
    file: Path | str, cells: Sequence[CellTerm] = ()
) -> tuple[tuple[Claim, ...], dict[str, tuple[Issue, ...]]]:
    """Return the claims of a file that have no error, and the errors of the others by identifier.

    Raises
    ------
    SpecError
        If something outside of the claims is wrong.
    """
    library, issues = check_claims(file, cells)
    document = load_yaml(file)
    whole = document.data.get("claims") if isinstance(document.data, dict) else None
    starts = [document.lines["claims", i] for i in range(len(whole))] if isinstance(whole, list) else []
    faults: dict[int, list[Issue]] = {}
    for issue in (issue for issue in issues if issue.severity == "error"):
        faults.setdefault(bisect_right(starts, _line(issue)) - 1, []).append(issue)
    if -1 in faults:
        raise SpecError(faults[-1])
    good = [e for e in library.claim_records().entries if bisect_right(starts, e.place.lines[()]) - 1 not in faults]
    names = {i: str((whole or [])[i].get("id", f"claim {i + 1}")) for i in faults}
    return tuple(entry.record for entry in good), {names[i]: tuple(found) for i, found in faults.items()}


def _line(issue: Issue) -> int:
    digits = issue.where.rpartition(":")[2].split(" ")[0]
    return int(digits) if digits.isdigit() else 0


def completed(document: Document, rooms: Mapping[str, str]) -> Document:
    """Return a file of claims with defaults for what only a library needs.

    Parameters
    ----------
    document : Document
        The file as written.
    rooms : mapping of str to str
        Room of each assay, which gives the level.

    Notes
    -----
    Source and system become ``own``, kind ``hypothesis``, priority 2.
    """
    data = document.data
    if not isinstance(data, dict) or not isinstance(data.get("claims"), list):
        return document
    claims = [_complete(claim, rooms) if isinstance(claim, dict) else claim for claim in data["claims"]]
    mine = [claim for claim in claims if isinstance(claim, dict) and claim.get("source") == OWN]
    sources = data.get("sources", [])
    if mine and isinstance(sources, list) and not any(isinstance(s, dict) and s.get("id") == OWN for s in sources):
        prefixes = sorted({m[1] for claim in mine if (m := _PREFIX.match(str(claim.get("id"))))}) or ["OWN"]
        sources = [*sources, {"id": OWN, "prefixes": prefixes, "title": "own", "text": "own_data", "line_count": 1}]
    return Document({**data, "claims": claims, "sources": sources}, document.lines, document.name)


def _complete(claim: dict[Any, Any], rooms: Mapping[str, str]) -> dict[Any, Any]:
    trial = claim.get("trial")
    room = rooms.get(str(trial.get("assay")), "") if isinstance(trial, dict) else ""
    level = _LEVELS.get(room, "signalling") if trial is not None else "none"
    return {**DEFAULTS, "level": level, **claim}
