"""Step size control and the operation that is rounded once."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from haptos.numerics.engine.arrays import NumpyMachine
from haptos.numerics.engine.control import Attempt, end_of_step, inverse_root, judge, start_step
from haptos.numerics.engine.jit import call, compile_kernels
from haptos.numerics.engine.vectors import Function, Module

MACHINE = NumpyMachine()


def _fused_in_vectors(a: np.ndarray, b: np.ndarray, c: np.ndarray, width: int) -> np.ndarray:
    module = Module(width)
    f = Function(module)
    f.store(f.fused(f.load(0), f.load(1), f.load(2)), 3)
    f.line("ret void")
    module.add(f.text("void @fuse(ptr %w)"))
    machinery = compile_kernels(module.text(), ["fuse"], None)
    results = []
    for first in range(0, len(a), width):
        raw = np.zeros(4 * width + 8)
        start = -(raw.ctypes.data // 8) % 8
        memory = raw[start : start + 4 * width].reshape(4, width)
        memory[:3] = [x[first : first + width] for x in (a, b, c)]
        call(machinery.addresses["fuse"], memory.ctypes.data)
        results.append(memory[3].copy())
    return np.concatenate(results)


def _triples() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(8)
    special = [0.0, -0.0, 1.0, -1.5, np.inf, -np.inf, np.nan, 1e308, -1e308, 5e-324, 1e-200, 3e-160]
    grid = np.array(np.meshgrid(special, special, special)).reshape(3, -1)
    a, b = rng.standard_normal((2, 320))
    near = -a * b * (1.0 + rng.integers(-2, 3, 320) * 2.0**-52)
    return tuple(np.concatenate([g, x]) for g, x in zip(grid, (a, b, near), strict=True))  # type: ignore[return-value]


@pytest.mark.parametrize("width", [1, 4, 8])
def test_fused_is_rounded_once_and_the_same_in_vectors(width: int) -> None:
    a, b, c = _triples()
    with np.errstate(all="ignore"):
        plain = a * b + c
        mine = MACHINE.fused(a, b, c)
    found = _fused_in_vectors(a, b, c, width)
    np.testing.assert_array_equal(found, mine)
    np.testing.assert_array_equal(np.signbit(found[~np.isnan(found)]), np.signbit(mine[~np.isnan(found)]))
    assert np.sum(mine != plain) > 100
    exact = [Fraction(x) * Fraction(y) + Fraction(z) for x, y, z in zip(a[-320:], b[-320:], c[-320:], strict=True)]
    assert [float(x) for x in exact] == mine[-320:].tolist()


@pytest.mark.parametrize("order", [4, 5])
def test_inverse_root_is_close_and_bounded(order: int) -> None:
    x = 10.0 ** np.linspace(-299, 299, 5001)
    assert np.max(np.abs(inverse_root(MACHINE, x, order) * x ** (1.0 / order) - 1.0)) < 1e-3
    ends = inverse_root(MACHINE, np.array([0.0, np.inf]), order)
    assert np.all(np.isfinite(ends))
    assert ends[0] > 1e50
    assert ends[1] < 1e-50


def _judged(error: float, *, memory: float = 0.0, rejected: bool = False, forced: bool = False, now: float = 1.0):
    values = [np.float64(x) for x in (now, 0.1, error, 0.1, memory)]
    with np.errstate(all="ignore"):
        return judge(MACHINE, Attempt(*values, rejected, forced), 5)


def test_accepted_steps_grow_within_bounds() -> None:
    assert _judged(0.0).accepted
    assert _judged(0.0).proposed == pytest.approx(0.6)
    assert _judged(1.0).accepted
    assert _judged(1.0).proposed == pytest.approx(0.09, rel=1e-3)
    assert _judged(1e-3, rejected=True).proposed <= 0.1


def test_the_prediction_holds_back_when_the_error_grows() -> None:
    calm = _judged(0.01).memory
    free, held = _judged(0.5).proposed, _judged(0.5, memory=calm).proposed
    assert held < free


@pytest.mark.parametrize("error", [1.0000001, 50.0, math.inf, math.nan])
def test_rejected_steps_shrink(error: float) -> None:
    verdict = _judged(error, memory=0.1)
    assert not verdict.accepted
    assert not verdict.lost
    assert 0.0099 < verdict.proposed < 0.0901
    assert _judged(error).proposed == pytest.approx(0.01)


def test_steps_that_vanish_in_the_rounding_of_time_are_lost() -> None:
    assert _judged(5.0, now=1e14).lost
    assert not _judged(0.5, now=1e14).lost
    assert _judged(math.nan, forced=True).lost
    assert _judged(5.0, forced=True).accepted


def test_a_step_that_all_but_reaches_the_stop_ends_there() -> None:
    assert end_of_step(MACHINE, np.float64(0.0), np.float64(1.0), np.float64(1.00005)) == 1.00005
    assert end_of_step(MACHINE, np.float64(0.0), np.float64(1.0), np.float64(1.1)) == 1.0


@pytest.mark.parametrize(
    ("slope", "bend", "expected"),
    [(0.0, 0.0, 8.0), (1.0, 0.0, 8.0), (0.0, 4.0, 0.5), (np.inf, 1.0, 8e-6), (np.nan, np.nan, 8.0), (1.0, 1.0, 1.0)],
)
def test_first_steps(slope: float, bend: float, expected: float) -> None:
    with np.errstate(all="ignore"):
        step = start_step(MACHINE, np.float64(slope), np.float64(bend), np.float64(8.0), 5)
    assert step == pytest.approx(expected, rel=1e-3)
