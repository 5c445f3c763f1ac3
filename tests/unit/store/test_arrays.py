"""Zarr arrays and Parquet tables: what goes in comes out, with the same bytes each time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from haptos.errors import ParameterError, StoreError
from haptos.store.arrays import read_arrays, read_table, write_arrays, write_tables
from haptos.store.files import checksums

_ARRAYS = {
    "conditions/ab/ensemble/level": np.array([[1.0, np.nan], [np.inf, -0.0]]),
    "conditions/ab/status": np.array([0, 3], dtype=np.int8),
    "scalar": np.asarray(2.5),
    "empty": np.zeros((0, 4)),
}
_TABLE = pd.DataFrame(
    {"arm": ['a, "b"', "µ\n"], "n": [1, 2], "value": [0.1 + 0.2, np.nan], "good": [True, False], "tags": [["x"], []]}
)


def test_arrays_round_trip_with_attributes_and_equal_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_arrays(tmp_path / name, _ARRAYS, {"": {"a": 1}, "conditions/ab": {"arms": ["x"]}})
    found = read_arrays(tmp_path / "one")
    assert found.keys() == _ARRAYS.keys()
    for name, array in _ARRAYS.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype
    assert checksums(tmp_path / "one") == checksums(tmp_path / "two")
    import zarr

    root = zarr.open_group(str(tmp_path / "one"), mode="r")
    assert root.metadata.zarr_format == 3
    assert root.metadata.consolidated_metadata is None
    assert root.attrs["a"] == 1
    assert root["conditions/ab"].attrs["arms"] == ["x"]


def test_arrays_are_never_overwritten(tmp_path: Path) -> None:
    write_arrays(tmp_path / "a", _ARRAYS)
    with pytest.raises(StoreError):
        write_arrays(tmp_path / "a", _ARRAYS)


def test_tables_round_trip_bit_for_bit(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_tables(tmp_path / name, {"values": _TABLE})
    assert checksums(tmp_path / "one") == checksums(tmp_path / "two")
    found = read_table(tmp_path / "one" / "values.parquet")
    assert list(found["arm"]) == list(_TABLE["arm"])
    assert found["value"].to_numpy().tobytes() == _TABLE["value"].to_numpy().tobytes()
    assert list(found["tags"]) == ['["x"]', "[]"]
    csv = pd.read_csv(tmp_path / "one" / "values.csv")
    assert csv["value"][0] == 0.1 + 0.2
    assert list(csv["arm"]) == list(_TABLE["arm"])


def test_a_missing_or_torn_table_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="read the table"):
        read_table(tmp_path / "none.parquet")
    (tmp_path / "torn.parquet").write_bytes(b"PAR1")
    with pytest.raises(StoreError, match="read the table"):
        read_table(tmp_path / "torn.parquet")


def test_the_name_of_a_table_is_plain(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="no name for a table"):
        write_tables(tmp_path, {"../x": _TABLE})
