"""Arrays of a run as Zarr v3 and its tables as Parquet and CSV."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from haptos.errors import ParameterError
from haptos.store.files import told

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_arrays", "read_table", "write_arrays", "write_tables"]


def write_arrays(
    path: Path, arrays: Mapping[str, NDArray[Any]], attributes: Mapping[str, Mapping[str, Any]] | None = None
) -> None:
    """Write arrays into a new Zarr v3 group, one chunk each, without consolidated metadata.

    Parameters
    ----------
    path : Path
        Folder to make.
    arrays : mapping of str to ndarray
        By path within the group, for instance ``arms/0/ensemble/level__ILK``.
    attributes : mapping, optional
        Attributes by the path of their array or group; ``""`` is the root.
    """
    import zarr

    notes = dict(attributes or {})
    with told("write the arrays", path):
        root = zarr.open_group(store=str(path), mode="w-", zarr_format=3, attributes=dict(notes.pop("", {})))
        for name in sorted(arrays):
            array = np.ascontiguousarray(arrays[name])
            shape = array.shape or None
            chunks = tuple(max(1, n) for n in array.shape) if shape else None
            made = root.create_array(name, shape=array.shape, dtype=array.dtype, chunks=chunks or "auto")
            made[...] = array
            made.attrs.update(dict(notes.pop(name, {})))
        for name, attrs in notes.items():
            root.require_group(name).attrs.update(dict(attrs))


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read every array of a Zarr group by its path."""
    import zarr

    with told("read the arrays", path):
        root = zarr.open_group(store=str(path), mode="r", zarr_format=3)
        return {
            name: np.asarray(member[...])
            for name, member in sorted(root.members(max_depth=None))
            if isinstance(member, zarr.Array)
        }


def write_tables(folder: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    """Write each table as ``<name>.parquet`` (by duckdb) and as tidy ``<name>.csv``.

    The bytes depend on nothing but the table. Cells that hold a list or mapping are written
    as JSON text.
    """
    import duckdb

    with told("write the tables", folder):
        folder.mkdir(parents=True, exist_ok=True)
        with duckdb.connect(":memory:", config={"threads": 1}) as connection:
            for name, table in tables.items():
                _write_table(connection, folder, name, _flat(table))


def _write_table(connection: Any, folder: Path, name: str, table: pd.DataFrame) -> None:
    import duckdb

    if not name.isidentifier():
        raise ParameterError(f"{name!r} is no name for a table; use letters, digits and '_'")
    table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    target = str(folder / f"{name}.parquet").replace("'", "''")
    connection.register("written", table)
    try:
        connection.execute(f"COPY (SELECT * FROM written) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
    except duckdb.IOException as error:
        raise OSError(str(error)) from error
    finally:
        connection.unregister("written")


def read_table(path: Path) -> pd.DataFrame:
    """Read a Parquet table."""
    import duckdb

    source = str(path).replace("'", "''")
    with told("read the table", path), duckdb.connect(":memory:", config={"threads": 1}) as connection:
        try:
            return connection.execute(f"SELECT * FROM read_parquet('{source}')").df()
        except duckdb.Error as error:
            raise OSError(str(error)) from error


def _flat(table: pd.DataFrame) -> pd.DataFrame:
    """Write lists and mappings in cells as JSON text."""
    flat = table.reset_index(drop=True).copy()
    for column in flat.columns[[dtype.kind == "O" for dtype in flat.dtypes]]:
        cells = list(flat[column])
        if any(isinstance(cell, (list, tuple, dict)) for cell in cells):
            flat[column] = [json.dumps(cell, sort_keys=True) for cell in cells]
    return flat
