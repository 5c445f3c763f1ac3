"""The index of runs: a DuckDB table rebuilt from the manifests whenever they changed."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haptos.errors import StoreError
from haptos.store.files import told
from haptos.store.manifest import MANIFEST, Manifest
from haptos.store.runs import RunStore

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

__all__ = ["INDEX", "RunEntry", "list_runs", "rebuild_index"]

#: File name of the index.
INDEX = "index.duckdb"
_COLUMNS = "name, kind, title, assay, cells, arms, members, verdict, finished, stamp"
_TYPES = (
    "name VARCHAR, kind VARCHAR, title VARCHAR, assay VARCHAR, cells VARCHAR, "
    "arms INTEGER, members INTEGER, verdict VARCHAR, finished VARCHAR, stamp BIGINT"
)


@dataclass(frozen=True, slots=True)
class RunEntry:
    """One line of the list of runs.

    Attributes
    ----------
    name, kind, title, assay, cells : str
        As in the manifest.
    arms, members : int
        How many arms and ensemble members.
    verdict : str
        One line about the outcome.
    finished : str
        When, ISO 8601, UTC.
    stamp : int
        Modification time of the manifest [ns], by which a change is noticed.
    """

    name: str
    kind: str
    title: str
    assay: str
    cells: str
    arms: int
    members: int
    verdict: str
    finished: str
    stamp: int


def list_runs(
    store: RunStore, *, text: str = "", assay: str = "", cells: str = "", kind: str = ""
) -> tuple[list[RunEntry], list[str]]:
    """Return the runs that fit the filters, newest first, and what could not be read.

    Parameters
    ----------
    store : RunStore
        The runs.
    text : str
        Part of the name, title or verdict, in any case.
    assay, cells, kind : str
        Exact values; empty means any.
    """
    conditions, values = ["1 = 1"], list[str]()
    for column, wanted in (("assay", assay), ("cells", cells), ("kind", kind)):
        if wanted:
            conditions.append(f"{column} = ?")
            values.append(wanted)
    if text:
        conditions.append("contains(lower(name || ' ' || title || ' ' || verdict), lower(?))")
        values.append(text)
    query = f"SELECT {_COLUMNS} FROM runs WHERE {' AND '.join(conditions)} ORDER BY finished DESC, name"
    connection, problems = _open(store)
    with connection:
        return [RunEntry(*row) for row in connection.execute(query, values).fetchall()], problems


def rebuild_index(store: RunStore) -> list[str]:
    """Write the index anew from the manifests; return what could not be read.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    entries, problems = _entries(store)
    _write(store.root / INDEX, entries)
    return problems


def _open(store: RunStore) -> tuple[DuckDBPyConnection, list[str]]:
    """Open the index, rebuilt if a manifest is new, gone or changed; in memory where it cannot be written."""
    import duckdb

    stamps = {name: (store.root / name / MANIFEST).stat().st_mtime_ns for name in store.names()}
    path = store.root / INDEX
    if not stamps and not path.exists():
        return _fill(duckdb.connect(":memory:"), []), []
    problems: list[str] = []
    if stamps != _indexed(path):
        entries, problems = _entries(store)
        try:
            _write(path, entries)
        except StoreError as error:
            return _fill(duckdb.connect(":memory:"), entries), [*problems, str(error)]
    return duckdb.connect(str(path), read_only=True), problems


def _entries(store: RunStore) -> tuple[list[RunEntry], list[str]]:
    entries, problems = [], []
    for name in store.names():
        try:
            entries.append(_entry(store.root / name, store.read(name)))
        except StoreError as error:
            problems.append(str(error))
    return entries, problems


def _indexed(path: Path) -> dict[str, int] | None:
    import duckdb

    if not path.exists():
        return None
    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            return dict(connection.execute("SELECT name, stamp FROM runs").fetchall())
    except duckdb.Error:  # torn, foreign or of another version: it is rebuilt
        return None


def _write(path: Path, entries: Sequence[RunEntry]) -> None:
    import duckdb

    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    with told("write the index", path):
        part.unlink(missing_ok=True)
        try:
            _fill(duckdb.connect(str(part)), entries).close()
            part.replace(path)
        except duckdb.Error as error:
            raise OSError(str(error)) from error
        finally:
            part.unlink(missing_ok=True)


def _fill(connection: DuckDBPyConnection, entries: Sequence[RunEntry]) -> DuckDBPyConnection:
    connection.execute(f"CREATE TABLE runs ({_TYPES})")
    rows = [[getattr(e, c) for c in _COLUMNS.split(", ")] for e in entries]
    if rows:
        connection.executemany(f"INSERT INTO runs VALUES ({', '.join('?' * len(rows[0]))})", rows)
    return connection


def _entry(folder: Path, manifest: Manifest) -> RunEntry:
    head = manifest.headline
    return RunEntry(
        name=folder.name,
        kind=manifest.kind,
        title=str(head.get("title", "")),
        assay=str(head.get("assay", "")),
        cells=_text(head.get("cells", "")),
        arms=int(head.get("arms", 0)),
        members=int(head.get("members", 0)),
        verdict=str(head.get("verdict", "")),
        finished=manifest.finished,
        stamp=(folder / MANIFEST).stat().st_mtime_ns,
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
