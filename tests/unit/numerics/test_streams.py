"""Random streams: known answers and addressing."""

from __future__ import annotations

import numpy as np
import pytest

from haptos.errors import ParameterError
from haptos.numerics import philox_stream, stream_key

_MASK = (1 << 64) - 1


def _philox4x64(counter: list[int], key: list[int]) -> list[int]:
    """Philox4x64-10 [Salmon 2011], readable."""
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = c[0] * 0xD2E7470EE14C6C93, c[2] * 0xCA5A826395121157
        c = [(p1 >> 64) ^ c[1] ^ k[0], p1 & _MASK, (p0 >> 64) ^ c[3] ^ k[1], p0 & _MASK]
        k = [(k[0] + 0x9E3779B97F4A7C15) & _MASK, (k[1] + 0xBB67AE8584CAA73B) & _MASK]
    return c


def test_readable_philox_meets_published_vector() -> None:
    """The known-answer vector of Random123 for counter and key zero."""
    assert [f"{w:016x}" for w in _philox4x64([0, 0, 0, 0], [0, 0])] == [
        "16554d9eca36314c",
        "db20fe9d672d0fdc",
        "d7e772cee186176b",
        "7e68b68aec7ba23b",
    ]


@pytest.mark.parametrize("step", [0, 5, 2**40])
def test_stream_is_philox_with_the_derived_key(step: int) -> None:
    """NumPy raises the counter before the first block."""
    key = stream_key(11, "clutch.binding", 3, 17)
    stream = philox_stream(11, "clutch.binding", 3, 17, step=step)
    drawn = stream.bit_generator.random_raw(8).tolist()
    assert drawn == _philox4x64([1, 0, 0, step], list(key)) + _philox4x64([2, 0, 0, step], list(key))


def test_known_answers() -> None:
    """The keys are part of the format: stored results depend on them."""
    assert stream_key(0, "noise", 0, 0) == (0x4F97407F65751505, 0xA57881931CD5EDB5)
    assert stream_key(2**70, "clutch.binding", 4, "cell-7") == (0xB88449BAEC89929C, 0xF94913DABE51B7DE)


def test_streams_differ_in_every_field() -> None:
    """No two of these streams coincide."""
    names: list[tuple[int, str, int, int | str]] = [
        (1, "a", 0, 0),
        (2, "a", 0, 0),
        (1, "b", 0, 0),
        (1, "a", 1, 0),
        (1, "a", 0, 1),
    ]
    names += [(1, "a", 0, "0"), (1, "a0", 0, 0), (10, "a", 0, 0)]
    first = {philox_stream(*name).random() for name in names}
    assert len(first) == len(names)
    steps = {philox_stream(1, "a", step=s).random() for s in range(50)}
    assert len(steps) == 50


@pytest.mark.parametrize("name", [(-1, "a", 0, 0), (1, "", 0, 0), (1, "a", 0.5, 0), (1, "a", 0, True)])
def test_misuse_is_refused(name: tuple[int, str, int, int]) -> None:
    """Negative or fractional addresses and empty purposes are errors."""
    with pytest.raises(ParameterError):
        philox_stream(*name)


def test_numpy_integers_are_integers() -> None:
    """An index taken from an array names the same stream."""
    assert stream_key(1, "a", np.int64(2), np.int32(3)) == stream_key(1, "a", 2, 3)
