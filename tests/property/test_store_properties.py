"""Whatever is kept comes back, and whatever is torn is noticed."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from haptos.errors import StoreError
from haptos.store.checkpoints import Checkpoints
from haptos.store.manifest import RunKey, slug

_NAMES = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=8)
_ARRAYS = st.dictionaries(
    _NAMES,
    arrays.arrays(st.sampled_from([np.float64, np.int8]), arrays.array_shapes(min_dims=0, max_dims=2)),
    max_size=4,
)
_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(_ARRAYS)
def test_arrays_come_back_bit_for_bit(kept: dict[str, np.ndarray]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Checkpoints(Path(folder)).save("k", kept)
        found = Checkpoints(Path(folder)).load("k")
        assert found.keys() == kept.keys()
        assert all(found[name].tobytes() == array.tobytes() for name, array in kept.items())
        assert all(found[name].shape == array.shape for name, array in kept.items())


@given(_ARRAYS, st.data())
def test_every_single_bit_matters(kept: dict[str, np.ndarray], data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Checkpoints(Path(folder)).save("k", kept)
        path = Path(folder) / "k.task"
        content = bytearray(path.read_bytes())
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] ^= 1 << data.draw(st.integers(0, 7))
        path.write_bytes(bytes(content))
        try:
            Checkpoints(Path(folder)).load("k")
        except StoreError:
            return
        raise AssertionError("a flipped bit went unnoticed")


@given(st.dictionaries(st.text(max_size=4), _PLAIN, max_size=4), st.text(max_size=80))
def test_a_run_is_named_by_what_it_is(specification: dict[str, object], title: str) -> None:
    key = RunKey("experiment", title, specification)
    turned = RunKey("experiment", title, dict(reversed(specification.items())))
    assert key.name == turned.name
    assert RunKey("reproduction", title, specification).digest != key.digest
    assert RunKey("experiment", title, {**specification, "one more": 1}).digest != key.digest
    assert key.name == f"{slug(title) or 'experiment'}-{key.digest}"


@given(st.text(max_size=200))
def test_a_slug_is_a_plain_short_file_name(text: str) -> None:
    found = slug(text)
    assert len(found) <= 40
    assert all(c in "abcdefghijklmnopqrstuvwxyz0123456789-" for c in found)
    assert not found.startswith("-")
    assert not found.endswith("-")
    assert slug(found) == found
