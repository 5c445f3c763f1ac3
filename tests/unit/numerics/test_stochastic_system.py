"""Jump processes as tables: products, signs, dependencies, refusals, limits."""

from __future__ import annotations

import numpy as np
import pytest

from haptos.errors import ModelError, ParameterError, Status
from haptos.numerics import GraphBuilder, OdeSegment, Op, stream_key
from haptos.numerics.stochastic import (
    Jump,
    StochasticTask,
    build_stochastic_system,
    factors_of,
    falling,
    order_of,
    sample,
    sign_bearers,
    split_signs,
    vanishes_without,
)


@pytest.fixture
def b():
    return GraphBuilder()


def task_of(system, initial, parameters, times=(1.0,), **fields):
    size = len(initial)
    keys = np.array([stream_key(1, "test.system", 0, i) for i in range(size)], dtype=np.uint64).reshape(-1, 2)
    plan = [OdeSegment(0.0, max(times), np.asarray(parameters, dtype=float))]
    return StochasticTask(system, np.asarray(initial, dtype=float), plan, np.asarray(times), keys, **fields)


def test_signs_are_split_and_add_up(b):
    x, y, k = (b.variable(i) for i in range(3))
    law = b.div(b.mul(k, b.sub(b.mul(x, y), b.mul(b.constant(2.0), b.sub(y, x)))), b.add(k, x))
    parts = split_signs(b, law)
    assert parts.proven
    values = [3.0, 5.0, 0.7]
    whole, plus, minus = b.freeze().evaluate([law, parts.plus, parts.minus], values)
    assert plus > 0
    assert minus > 0
    assert float(plus - minus) == pytest.approx(float(whole))
    assert sign_bearers(b, law) == {0, 1, 2}


def test_what_has_no_sign_is_not_proven(b):
    x, k = b.variable(0), b.variable(1)
    assert not split_signs(b, b.mul(k, b.apply(Op.SIN, x))).proven
    assert not split_signs(b, b.apply(Op.POW, b.sub(x, k), b.constant(2.5))).proven
    exponent = b.apply(Op.POW, x, b.sub(k, b.constant(3.0)))
    assert split_signs(b, exponent).proven
    assert sign_bearers(b, exponent) == {0}
    assert split_signs(b, b.apply(Op.EXP, b.sub(x, k))).proven


def test_pairs_are_counted_once_and_only_where_they_are_taken(b):
    x, k = b.variable(0), b.variable(1)
    square = b.mul(k, b.apply(Op.POW, x, b.constant(2.0)))
    product = factors_of(b, square, lambda i: i == 0)
    assert product.species == {(0, 0): 2}
    assert falling(product, {0: 2}).species == {(0, 0): 1, (0, 1): 1}
    assert falling(product, {0: 1}).species == {(0, 0): 2}
    assert falling(product, {0: 3}).species == {(0, 0): 2}
    written = factors_of(b, b.mul(k, b.mul(x, b.sub(x, b.constant(1.0)))), lambda i: i == 0)
    assert falling(written, {0: 2}).species == {(0, 0): 1, (0, 1): 1}


def test_vanishing_and_order_follow_the_structure(b):
    x, y, k = (b.variable(i) for i in range(3))
    law = b.div(b.mul(k, b.mul(x, y)), b.add(k, y))
    assert vanishes_without(b, law, 0)
    assert not vanishes_without(b, b.add(law, k), 0)
    assert not vanishes_without(b, b.apply(Op.POW, x, b.constant(-1.0)), 0)
    assert order_of(b, law, [0, 1]) == 3.0
    assert order_of(b, b.apply(Op.POW, x, b.constant(2.5)), [0]) == 2.5
    assert order_of(b, b.apply(Op.EXP, x), [0]) == float("inf")
    assert order_of(b, b.apply(Op.EXP, k), [0]) == 0.0


def test_dependencies_are_exact(b):
    x, y, z, k = (b.variable(i) for i in range(4))
    jumps = [
        Jump("a", ((0, -1), (1, 1)), b.mul(k, x)),
        Jump("b", ((1, -1),), b.mul(k, b.mul(y, z))),
        Jump("c", ((2, 1),), k),
    ]
    system = build_stochastic_system(b.freeze(), jumps, 3, 1)
    assert [system.depends.row(r) for r in range(3)] == [[0, 1], [1], [1]]
    assert [system.reads.row(r) for r in range(3)] == [[0], [1, 2], []]


def test_smooth_time_is_refused_and_steps_are_not(b):
    k, now = b.variable(1), b.time()
    wave = b.add(k, b.apply(Op.SIN, now))
    with pytest.raises(ModelError, match="rate of wave"):
        build_stochastic_system(b.freeze(), [Jump("wave", ((0, 1),), wave)], 1, 1)
    mixed = b.select(b.apply(Op.LT, b.variable(0), now), k, b.constant(0.0))
    with pytest.raises(ModelError, match="rate of mixed"):
        build_stochastic_system(b.freeze(), [Jump("mixed", ((0, 1),), mixed)], 1, 1)
    step = b.select(b.apply(Op.LT, k, now), k, b.constant(0.0))
    assert build_stochastic_system(b.freeze(), [Jump("step", ((0, 1),), step)], 1, 1).breaks.n_outputs == 1


def test_misuse_is_refused(b):
    x, k = b.variable(0), b.variable(1)
    wild = Jump("wild", ((0, 1),), b.mul(k, b.apply(Op.EXP, x)))
    with pytest.raises(ParameterError, match="not be zero"):
        build_stochastic_system(b.freeze(), [Jump("nothing", ((0, 0),), k)], 1, 1)
    system = build_stochastic_system(b.freeze(), [wild], 1, 1)
    with pytest.raises(ParameterError, match="wild"):
        task_of(system, [[1.0]], [[1.0]], method="leap")
    with pytest.raises(ParameterError, match="'exact' or 'leap'"):
        task_of(system, [[1.0]], [[1.0]], method="tau")
    with pytest.raises(ParameterError, match="parameters of segment 0"):
        task_of(system, [[1.0]], [[1.0, 2.0]])
    with pytest.raises(ParameterError, match="threads"):
        sample(task_of(system, [[1.0]], [[0.0]]), threads=0)


def test_nothing_happens_where_nothing_can(b):
    """No jumps at all, propensities of zero, a process that dies out, no members, no times."""
    x, k = b.variable(0), b.variable(1)
    empty = build_stochastic_system(b.freeze(), [], 1, 1)
    assert sample(task_of(empty, [[4.0]], [[1.0]])).counts.tolist() == [[[4]]]
    dying = Jump("death", ((0, -1),), b.mul(k, x))
    death = build_stochastic_system(b.freeze(), [dying], 1, 1)
    solution = sample(task_of(death, [[5.0], [5.0], [0.0]], [[0.0], [50.0], [1.0]], times=(0.0, 9.0)))
    assert solution.counts[:, :, 0].tolist() == [[5, 5], [5, 0], [0, 0]]
    assert solution.n_events.tolist() == [0, 5, 0]
    assert sample(task_of(death, np.zeros((0, 1)), np.zeros((0, 1)))).counts.shape == (0, 1, 1)


@pytest.mark.parametrize("method", ["exact", "leap"])
def test_huge_counts_stay_exact_or_are_a_status(b, method):
    """Up to 2**53 counts are exact; beyond, and where propensities overflow, members fail alone."""
    x, k = b.variable(0), b.variable(2)
    jumps = [Jump("turn", ((0, -1), (1, 1)), b.mul(k, x)), Jump("burst", ((1, 2**52),), b.mul(b.constant(1e-9), k))]
    system = build_stochastic_system(b.freeze(), jumps[:1], 2, 1)
    total = 9.0e15
    one = sample(task_of(system, [[total, 0.0], [2.0**54, 0.0]], [[1e-14], [1.0]], method=method))
    assert one.status.tolist() == [Status.OK, Status.NON_FINITE]
    assert one.counts[0].sum() == int(total)
    assert one.counts[0, 0, 1] == one.n_events[0] > 0
    both = build_stochastic_system(b.freeze(), jumps, 2, 1)
    grown = sample(task_of(both, [[0.0, 0.0], [0.0, 0.0]], [[1e11], [0.0]], times=(1.0,), method=method))
    assert grown.status.tolist() == [Status.NON_FINITE, Status.OK]
    assert (grown.counts[0] == -1).all()


def test_rounding_is_to_the_nearest_and_halves_to_even(b):
    never = Jump("never", ((0, 1),), b.constant(0.0))
    system = build_stochastic_system(b.freeze(), [never], 1, 0)
    solution = sample(task_of(system, [[0.4], [0.5], [1.5], [2.6], [-0.2], [-0.7]], np.zeros((6, 0))))
    assert solution.counts[:, 0, 0].tolist() == [0, 0, 2, 3, 0, -1]
    assert solution.status[5] == Status.NEGATIVE


def test_many_jumps_need_more_levels_of_the_tree(b):
    """600 jumps, of which one can happen: it is found, whatever the level."""
    for alive in (0, 7, 8, 63, 64, 511, 512, 599):
        jumps = [Jump(f"j{r}", ((0, r + 1),), b.constant(1.0 if r == alive else 0.0)) for r in range(600)]
        system = build_stochastic_system(b.freeze(), jumps, 1, 0)
        solution = sample(task_of(system, [[0.0]], np.zeros((1, 0)), times=(5.0,)))
        assert solution.counts[0, 0, 0] == (alive + 1) * solution.n_events[0]
