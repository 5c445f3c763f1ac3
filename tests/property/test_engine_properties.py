"""The engine on generated expressions, networks and batches."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from haptos.numerics import GraphBuilder, OdeSegment, OdeTask, Op, build_system
from haptos.numerics.engine import EngineSolver
from haptos.numerics.engine.reference import ReferenceEngine
from haptos.numerics.operations import OPERATIONS


@st.composite
def systems(draw: st.DrawFn) -> Any:
    """Draw a system of two states and two parameters from all operations."""
    b = GraphBuilder()
    pool = [*(b.variable(i) for i in range(4)), b.constant(0.5), b.constant(-1.5)]
    allowed = [op for op in OPERATIONS if op not in (Op.FLOOR, Op.CEIL, Op.EQ, Op.NE)]
    for _ in range(draw(st.integers(1, 10))):
        op = draw(st.sampled_from(allowed))
        operands = [pool[-draw(st.integers(1, min(len(pool), 8)))] for _ in range(OPERATIONS[op].arity)]
        pool.append(b.apply(op, *operands))
    roots = [pool[-1], b.sub(pool[-min(2, len(pool))], b.variable(1))]
    return build_system(b.freeze(), roots, 2, [draw(st.booleans()), False])


numbers = st.floats(-2.0, 2.0).map(lambda x: round(x, 3))


@settings(max_examples=40, deadline=None)
@given(systems(), st.lists(st.tuples(numbers, numbers, numbers, numbers), min_size=1, max_size=3), st.data())
def test_any_system_has_the_bits_of_the_twin_on_any_width(system: Any, rows: Any, data: st.DataObject) -> None:
    """Results, statuses and counts agree with the readable twin, failures included."""
    table = np.array(rows)
    segment = OdeSegment(0.0, 0.5, table[:, 2:].copy())
    times = np.array([0.0, 0.2, 0.5])
    task = OdeTask(system, table[:, :2].copy(), [segment], times, 1e-4, np.full(2, 1e-7), max_steps=40)
    expected = ReferenceEngine("Rodas4").solve(task)
    width = data.draw(st.sampled_from([1, 2, 4, 8]))
    found = EngineSolver(method="Rodas4", width=width, keep=False).solve(task)
    for name in ("states", "final", "status", "n_steps", "n_rhs"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_closed_linear_networks_keep_their_total(data: st.DataObject) -> None:
    """First-order conversions among n pools: the total is kept and nothing is negative."""
    n = data.draw(st.integers(2, 6))
    b = GraphBuilder()
    flows: list[list[int]] = [[] for _ in range(n)]
    for _ in range(data.draw(st.integers(1, 8))):
        source, target = data.draw(st.integers(0, n - 1)), data.draw(st.integers(0, n - 1))
        rate = b.mul(b.constant(10.0 ** data.draw(st.integers(-3, 3))), b.variable(source))
        flows[source].append(b.neg(rate))
        flows[target].append(rate)
    roots = [b.total(f) for f in flows]
    system = build_system(b.freeze(), roots, 0, [True] * n)
    start = np.array([[data.draw(st.integers(0, 9)) for _ in range(n)]], dtype=np.float64)
    task = OdeTask(
        system, start, [OdeSegment(0.0, 5.0, np.zeros((1, 0)))], np.linspace(0, 5, 6), 1e-6, np.full(n, 1e-9)
    )
    solution = EngineSolver(keep=False).solve(task)
    assert solution.status.tolist() == [0]
    assert solution.states.min() >= 0.0
    np.testing.assert_allclose(solution.states.sum(axis=2), start.sum(), rtol=1e-5, atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.floats(allow_nan=True), st.floats(allow_nan=True)), min_size=2, max_size=12))
def test_wild_members_do_not_touch_a_tame_one(wild: list[tuple[float, float]]) -> None:
    """Not a number, infinities and huge numbers stay with their member."""
    b = GraphBuilder()
    y, k = b.variable(0), b.variable(1)
    root = b.sub(k, b.mul(k, b.apply(Op.POW, y, b.constant(1.5))))
    system = build_system(b.freeze(), [root], 1, [True])
    rows = np.array([(0.3, 1.1), *wild])
    alone = EngineSolver(keep=False).solve(_plain(system, rows[:1]))
    together = EngineSolver(keep=False).solve(_plain(system, rows))
    assert alone.status.tolist() == [0]
    assert np.array_equal(together.states[0], alone.states[0])
    bad = ~np.isfinite(rows).all(axis=1)
    assert np.all(together.status[bad] != 0)


def _plain(system: Any, rows: np.ndarray) -> OdeTask:
    segment = OdeSegment(0.0, 2.0, rows[:, 1:].copy())
    return OdeTask(system, rows[:, :1].copy(), [segment], np.array([1.0, 2.0]), 1e-5, np.full(1, 1e-9), max_steps=500)
