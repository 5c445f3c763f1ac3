"""Finished tasks survive, torn ones do not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from haptos.errors import ParameterError, StoreError
from haptos.store.checkpoints import Checkpoints

_ARRAYS = {"quantity/a": np.array([1.0, np.nan, -0.0]), "status": np.asarray(3), "none": np.zeros((0, 2))}


def test_arrays_come_back_bit_for_bit(tmp_path: Path) -> None:
    Checkpoints(tmp_path / "t").save("k1", _ARRAYS)
    found = Checkpoints(tmp_path / "t").load("k1")
    assert found.keys() == _ARRAYS.keys()
    for name, array in _ARRAYS.items():
        assert found[name].tobytes() == array.tobytes()
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)


def test_the_same_task_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        order = dict(reversed(_ARRAYS.items())) if name == "b" else _ARRAYS
        Checkpoints(tmp_path / name).save("k", order)
    assert (tmp_path / "a" / "k.task").read_bytes() == (tmp_path / "b" / "k.task").read_bytes()


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "longer"])
def test_a_torn_file_is_discarded(tmp_path: Path, damage: str) -> None:
    kept = Checkpoints(tmp_path)
    kept.save("good", _ARRAYS)
    kept.save("bad", _ARRAYS)
    path = tmp_path / "bad.task"
    data = path.read_bytes()
    torn = {
        "cut": data[:-7],
        "flip": data[:40] + bytes([data[40] ^ 1]) + data[41:],
        "empty": b"",
        "longer": data + b"x",
    }
    path.write_bytes(torn[damage])
    with pytest.raises(StoreError, match="damaged"):
        kept.load("bad")
    assert kept.sift() == ({"good"}, ["bad.task"])
    assert not path.exists()


def test_an_unfinished_write_is_swept_away(tmp_path: Path) -> None:
    (tmp_path / ".x.task.123.part").write_bytes(b"half")
    assert Checkpoints(tmp_path).sift() == (set(), [])
    assert not list(tmp_path.iterdir())


def test_sifting_nothing_makes_nothing(tmp_path: Path) -> None:
    assert Checkpoints(tmp_path / "none").sift() == (set(), [])
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("key", ["", "../x", "a/b", ".hidden", "A"])
def test_a_key_is_a_plain_file_name(tmp_path: Path, key: str) -> None:
    with pytest.raises(ParameterError, match="no key"):
        Checkpoints(tmp_path).save(key, _ARRAYS)


def test_python_objects_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="Python objects"):
        Checkpoints(tmp_path).save("k", {"a": np.array([object()])})
