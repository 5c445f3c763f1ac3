"""Use case: a cell context from a table of transcripts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from haptos.errors import Issue, SpecError, nearest

if TYPE_CHECKING:
    from haptos.signalling.contexts.transcripts import Imported, Scale

__all__ = ["ImportedFile", "import_cells"]


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """The file written and what became of the table."""

    file: Path
    imported: Imported


def import_cells(
    table: Path,
    *,
    reference: str,
    line: str,
    name: str | None = None,
    like: str | None = None,
    scale: Scale = "log2",
    out: Path | None = None,
) -> ImportedFile:
    """Write a context for a user's line next to the table, or to `out`; nothing is overwritten.

    Parameters
    ----------
    table : Path
        Table of transcripts; see :func:`haptos.signalling.contexts.transcripts.read_transcripts`.
    reference, line : str
        Columns of the reference line and of the user's line.
    name : str, optional
        Identifier of the context; that of the column if it is not given.
    like : str, optional
        Cell of the library that the reference line is; that of its column if it is not given.
    scale : str
        ``log2`` or ``linear``.
    out : Path, optional
        File to write.

    Raises
    ------
    SpecError
        With every problem of the request and of the table.
    """
    from haptos.signalling.cells import cell_lines
    from haptos.signalling.contexts.transcripts import context_from, context_text, read_transcripts

    known, name, like = cell_lines(), name or line, like or reference
    file = out or table.with_name(f"{name}.yaml")
    issues = _wrong_names(name, like, file, tuple(known))
    found = None
    try:
        found = read_transcripts(table, line, reference, scale=scale)
    except SpecError as error:
        issues += error.issues
    if issues or found is None:
        raise SpecError(issues)
    imported = context_from(found, known[like], name)
    file.write_text(context_text(imported), encoding="utf-8")
    return ImportedFile(file, imported)


def _wrong_names(name: str, like: str, file: Path, known: tuple[str, ...]) -> list[Issue]:
    from haptos.signalling.contexts.own import is_name

    issues = []
    if like not in known:
        near = ", ".join(nearest(like, known))
        issues.append(Issue(f"no cell {like!r} in the library", "--like", hint=f"name the library's cell, e.g. {near}"))
    if name in known:
        issues.append(Issue(f"the library has a cell {name!r} already", "--name", hint="choose another name"))
    if not is_name(name):
        issues.append(
            Issue(f"{name!r} is no name", "--name", allowed="a name without spaces, slashes, colons and quotes")
        )
    if file.exists():
        issues.append(Issue(f"{file} exists", "--out", hint="choose another file; nothing is overwritten"))
    return issues
