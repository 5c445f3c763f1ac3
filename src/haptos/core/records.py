"""Files that hold a list of records: each record checked by itself, every problem located.

A library file is a mapping with one list, for instance ``claims:``. Records are checked
one by one, so that one bad record hides nothing in its neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from haptos.core.located import Document, Path
from haptos.core.specs import Catalogue, Spec, causes_of, issues_of
from haptos.errors import Issue, SpecError, nearest

__all__ = ["Entry", "Records", "parts", "read_records"]


@dataclass(frozen=True)
class Entry[R: Spec]:
    """One record and its place.

    Attributes
    ----------
    record : Spec
        The checked record.
    place : Document
        The part of the file that holds it; paths count from the record.
    """

    record: R
    place: Document

    def where(self, *path: str | int) -> str:
        """Return ``file:line (field)`` of a field of the record, or of the record itself."""
        return self.place.where(path)


@dataclass(frozen=True)
class Records[R: Spec]:
    """All usable records of some files, and everything that was wrong.

    Attributes
    ----------
    entries : tuple of Entry
        Records in file order. A record whose only fault is an unknown name is kept.
    issues : tuple of Issue
        All problems, each with ``rule`` set (``unknown_name`` for names, else the fault).
    """

    entries: tuple[Entry[R], ...] = ()
    issues: tuple[Issue, ...] = ()

    def checked(self) -> tuple[R, ...]:
        """Return the records.

        Raises
        ------
        SpecError
            With every problem, if there is any.
        """
        if self.issues:
            raise SpecError(self.issues)
        return tuple(entry.record for entry in self.entries)

    def __add__(self, other: Records[R]) -> Records[R]:
        return Records(self.entries + other.entries, self.issues + other.issues)


def read_records[R: Spec](
    cls: type[R],
    document: Document,
    key: str,
    *,
    catalogue: Catalogue | None = None,
    others: tuple[str, ...] = (),
) -> Records[R]:
    """Check the records under `key`, one by one.

    Parameters
    ----------
    cls : type
        Specification of a record.
    document : Document
        The file.
    key : str
        Key of the list of records.
    catalogue : Catalogue, optional
        Names the records may use; names of absent kinds are not checked.
    others : tuple of str
        Further keys the file may hold, besides ``version``; they are left alone.

    Returns
    -------
    Records
        What could be read, and the issues; nothing is raised.

    Examples
    --------
    >>> from haptos.core.located import parse_yaml
    >>> class Site(Spec):
    ...     id: str
    >>> found = read_records(Site, parse_yaml("sites: [{id: a}, {name: b}]", name="x.yaml"), "sites")
    >>> [entry.record.id for entry in found.entries], len(found.issues)
    (['a'], 2)
    """
    issues = _frame_issues(document, key, others)
    if issues and not isinstance(document.data, dict):
        return Records((), tuple(issues))
    raw = document.data.get(key)
    if not isinstance(raw, list):
        return Records((), tuple(issues))
    entries: list[Entry[R]] = []
    for place in parts(document, key):
        record, found = _read(cls, place, catalogue)
        issues += found
        if record is not None:
            entries.append(Entry(record, place))
    return Records(tuple(entries), tuple(issues))


def parts(document: Document, key: str) -> list[Document]:
    """Split the list under `key` into one document per element, with the lines of its parts."""
    raw = document.data[key]
    lines: list[dict[Path, int]] = [{} for _ in raw]
    for path, line in document.lines.items():
        if len(path) > 1 and path[0] == key and isinstance(path[1], int):
            lines[path[1]][path[2:]] = line
    return [Document(data, found, document.name) for data, found in zip(raw, lines, strict=True)]


def _frame_issues(document: Document, key: str, others: tuple[str, ...]) -> list[Issue]:
    """Check the outer mapping: the version, the list, and no other key."""
    data = document.data
    if not isinstance(data, dict):
        return [Issue(f"the file holds no list '{key}:'", document.where(()), rule="frame")]
    issues = []
    known = ("version", key, *others)
    for name in data:
        if name not in known:
            near = nearest(str(name), known)
            hint = f"did you mean {near[0]!r}?" if near else ""
            issues.append(Issue(f"unknown key {name!r}", document.where((name,)), ", ".join(known), hint, "frame"))
    if data.get("version", 1) != 1 or isinstance(data.get("version"), bool):
        issues.append(Issue("unknown version of the format", document.where(("version",)), "1", rule="frame"))
    if key not in data:
        issues.append(Issue(f"the key '{key}' is missing", document.where(()), rule="frame"))
    elif not isinstance(data[key], list):
        hint = "start each record with '- '"
        issues.append(Issue(f"'{key}' is not a list", document.where((key,)), hint=hint, rule="frame"))
    return issues


def _read[R: Spec](cls: type[R], place: Document, catalogue: Catalogue | None) -> tuple[R | None, list[Issue]]:
    from pydantic import ValidationError

    try:
        return cls.model_validate(place.data, context=catalogue), []
    except ValidationError as error:
        issues = [_named(issue, place.data) for issue in issues_of(error, place)]
        names_only = all(e["type"] == "unknown_name" for e in causes_of(error))
    if not names_only:
        return None, issues
    known = replace(catalogue, lenient=True) if catalogue is not None else None
    return cls.model_validate(place.data, context=known), issues


def _named(issue: Issue, data: Any) -> Issue:
    """Put the identifier of the record before the message."""
    name = data.get("id") if isinstance(data, Mapping) else None
    return replace(issue, message=f"{name}: {issue.message}") if isinstance(name, str) else issue
