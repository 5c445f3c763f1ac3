"""Members in the lanes of a vector against the kernel of single members and the readable twin: equal bits."""

from __future__ import annotations

import numpy as np
import pytest

from haptos.numerics import GraphBuilder, OdeSegment, Op, stream_key
from haptos.numerics.stochastic import Jump, StochasticTask, build_stochastic_system, sample, sampler
from haptos.numerics.stochastic.lane_layout import MOST_JUMPS, runs_in_lanes
from haptos.numerics.stochastic.lanes import lane_kernel
from haptos.numerics.stochastic.reference import sample_member


def keys(size):
    return np.array([stream_key(9, "test.lanes", 0, b) for b in range(size)], dtype=np.uint64)


def chain(n):
    """Conversions in a row, there and back, pairs, a saturated law on a tape, a rate that jumps in time."""
    b = GraphBuilder()
    x = [b.variable(i) for i in range(n)]
    k = [b.variable(n + i) for i in range(3)]
    feed = b.select(b.apply(Op.LT, b.time(), b.constant(0.7)), k[0], b.mul(k[0], b.constant(2.0)))
    jumps = [Jump("feed", ((0, 2),), feed)]
    for i in range(n - 1):
        jumps.append(Jump(f"on {i}", ((i, -1), (i + 1, 1)), b.mul(k[1], x[i])))
        jumps.append(Jump(f"off {i}", ((i, 1), (i + 1, -1)), b.mul(b.mul(k[2], x[i + 1]), x[i])))
    pair = b.mul(x[0], b.sub(x[0], b.constant(1.0)))
    jumps.append(Jump("pair", ((0, -2),), b.mul(k[2], pair)))
    jumps.append(Jump("out", ((n - 1, -1),), b.div(b.mul(k[0], x[n - 1]), b.add(b.constant(3.0), x[n - 1]))))
    return build_stochastic_system(b.freeze(), jumps, n, 3)


def task_of(system, size, times, stop=1.5, **more):
    spread = np.linspace(0.5, 1.5, size)[:, None]
    parameters = np.array([[12.0, 1.0, 0.01]]) * spread
    initial = np.zeros((size, system.n_counts))
    initial[:, 0] = 3 * np.arange(size)
    halfway = OdeSegment(0.0, 0.5, parameters)
    return StochasticTask(
        system, initial, [halfway, OdeSegment(0.5, stop, parameters)], np.array(times), keys(size), **more
    )


def assert_same(found, expected):
    for name in ("counts", "levels", "final", "status", "n_events", "n_steps"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)


@pytest.mark.parametrize("n", [2, 4, 5, 20, 40])
def test_lanes_and_single_members_have_the_same_bits(n):
    system = chain(n)
    assert runs_in_lanes(system)
    times = [0.0, 0.1, 0.1, 0.5, 0.8, 1.5, 1.5]
    task = task_of(system, 19, times)
    alone = sample(task, lanes=False)
    assert (alone.status == 0).all()
    assert alone.n_events.sum() > 300
    assert_same(sample(task, lanes=True), alone)
    assert_same(sample(task, threads=3, lanes=True), alone)
    assert_same(sample(task), alone)
    run = sample_member(task, 7)
    np.testing.assert_array_equal(np.array(run.rows), alone.counts[7])


@pytest.mark.parametrize("width", [2, 4, 8, 16])
def test_the_number_of_lanes_changes_no_bit(width, monkeypatch):
    task = task_of(chain(6), 21, np.linspace(0.0, 1.5, 40))
    alone = sample(task, lanes=False)
    monkeypatch.setattr(sampler, "lane_kernel", lambda system: lane_kernel(system, width))
    assert_same(sample(task, lanes=True), alone)


def test_limits_of_steps_and_short_pieces_agree():
    task = task_of(chain(3), 9, [0.2], stop=50.0, max_steps=200)
    alone = sample(task, lanes=False)
    assert len(set(alone.status.tolist())) > 1 or (alone.status != 0).all()
    assert_same(sample(task, lanes=True), alone)


def test_failures_stay_with_their_member():
    """Counts beyond 2**52, a negative law, too few molecules, overflow, nan."""
    b = GraphBuilder()
    _x, y, k, c = (b.variable(i) for i in range(4))
    jumps = [Jump("drain", ((0, -1),), k), Jump("grow", ((1, 1),), b.mul(b.mul(y, y), c))]
    jumps.append(Jump("net", ((0, 1),), b.mul(c, b.sub(y, b.constant(3.0))), proven=False))
    system = build_stochastic_system(b.freeze(), jumps, 2, 2)
    assert runs_in_lanes(system)
    initial = np.array([[5.0, 9.0], [5.0, 1.0], [2.0**52 + 4, 9.0], [5.0, 2.0**52], [1.0, 4.0], [900.0, 3.0]])
    rates = np.array([[1.0, 0.0], [1.0, 1.0], [3.0, 0.1], [1.0, 1e290], [50.0, 1e-3], [1.0, 0.01]])
    task = StochasticTask(system, initial, [OdeSegment(0.0, 2.0, rates)], np.array([1.0, 2.0]), keys(6), max_steps=5000)
    alone = sample(task, lanes=False)
    assert len(set(alone.status.tolist())) >= 3
    assert_same(sample(task, lanes=True), alone)


def test_an_awkward_search_is_left_to_the_kernel_of_single_members(monkeypatch):
    """A mark that rounding puts at the end of its stretch: forced here by marks of one."""
    from haptos.numerics.stochastic import lane_draws

    system = chain(2)
    task = task_of(system, 8, [1.0])
    alone = sample(task, lanes=False)
    monkeypatch.setattr(lane_draws, "_unit", lambda f, word: f.number(1.0))
    forced = task_of(chain(2), 8, [1.0])
    assert_same(sample(forced, lanes=True), alone)


def test_systems_that_do_not_fit_run_all_the_same():
    b = GraphBuilder()
    x = b.variable(0)
    many = [Jump(f"j{i}", ((0, 1),), b.constant(0.01)) for i in range(MOST_JUMPS + 1)]
    hill = Jump("hill", ((0, 1),), b.apply(Op.EXP, b.neg(x)))
    for jumps in (many, [hill]):
        system = build_stochastic_system(b.freeze(), jumps, 1, 0)
        assert not runs_in_lanes(system)
        plan = [OdeSegment(0.0, 1.0, np.zeros((5, 0)))]
        task = StochasticTask(system, np.zeros((5, 1)), plan, np.array([1.0]), keys(5))
        assert_same(sample(task, lanes=True), sample(task, lanes=False))
