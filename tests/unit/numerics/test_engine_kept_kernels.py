"""Kernels found by their equations: the same numbers, and never those of other equations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from haptos.numerics import EngineSolver, GraphBuilder, OdeSegment, OdeSystem, OdeTask, build_system
from haptos.numerics.engine import compiled as compiling


def saturable(most: float = 2.0) -> OdeSystem:
    b = GraphBuilder()
    y, k = b.variable(0), b.variable(1)
    rate = b.div(b.mul(b.constant(most), y), b.add(k, y))
    fall = b.neg(rate)
    return build_system(b.freeze(), [fall], 1, [True])


def solved(system: OdeSystem) -> np.ndarray:
    times = np.linspace(0.0, 2.0, 9)
    task = OdeTask(system, np.ones((1, 1)), [OdeSegment(0.0, 2.0, np.ones((1, 1)))], times, 1e-6, np.array([1e-9]))
    return EngineSolver(width=2).solve(task).states


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HAPTOS_CACHE", str(tmp_path))
    return tmp_path / "kernels"


def test_kept_kernels_are_not_written_again_and_give_the_same_bits(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = solved(saturable())
    assert len(list(cache.glob("*.o"))) == 1
    monkeypatch.setattr(compiling, "write_kernels", None)  # nothing may ask for it
    monkeypatch.setattr(compiling, "build_program", None)
    np.testing.assert_array_equal(solved(saturable()), first)
    with pytest.raises(TypeError):
        solved(saturable(3.0))


def test_a_damaged_file_is_made_anew(cache: Path) -> None:
    first = solved(saturable())
    [file] = cache.glob("*.o")
    file.write_bytes(file.read_bytes()[:-1])
    np.testing.assert_array_equal(solved(saturable()), first)
    assert compiling.load_kernels(cache, file.stem) is not None


def test_everything_that_shapes_kernels_changes_their_key(monkeypatch: pytest.MonkeyPatch) -> None:
    b = GraphBuilder()
    rate = b.neg(b.mul(b.variable(1), b.variable(0)))
    without_floor, with_floor = (build_system(b.freeze(), [rate], 1, flag) for flag in (None, [True]))
    keys = {
        compiling.kernel_key(saturable(), "Rodas5P", 2, False),
        compiling.kernel_key(saturable(), "Rodas4", 2, False),
        compiling.kernel_key(saturable(), "Rodas5P", 4, False),
        compiling.kernel_key(saturable(), "Rodas5P", 2, True),
        compiling.kernel_key(saturable(2.5), "Rodas5P", 2, False),
        compiling.kernel_key(without_floor, "Rodas5P", 2, False),
        compiling.kernel_key(with_floor, "Rodas5P", 2, False),
    }
    assert len(keys) == 7
    assert compiling.kernel_key(saturable(), "Rodas5P", 2, False) in keys
    monkeypatch.setattr(compiling, "_code", lambda: "another version")
    assert compiling.kernel_key(saturable(), "Rodas5P", 2, False) not in keys
