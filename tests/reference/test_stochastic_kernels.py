"""The compiled stochastic engine against its readable twin: equal bit for bit."""

from __future__ import annotations

import numpy as np
import pytest

from haptos.errors import Status
from haptos.numerics import Event, GraphBuilder, OdeSegment, Op, stream_key
from haptos.numerics.stochastic import Jump, StochasticTask, build_stochastic_system, sample
from haptos.numerics.stochastic.reference import sample_member


def keys(size, purpose="test.kernels"):
    return np.array([stream_key(3, purpose, 0, b) for b in range(size)], dtype=np.uint64)


def cascade(n_pairs):
    """Jumps of all kinds: zero, first, second order, pairs, triples, tapes; more than one search level."""
    b = GraphBuilder()
    x = [b.variable(i) for i in range(n_pairs + 2)]
    k = [b.variable(n_pairs + 2 + i) for i in range(4)]
    one, two = b.constant(1.0), b.constant(2.0)
    jumps = [Jump("in", ((0, 3),), k[0])]
    for i in range(n_pairs):
        jumps.append(Jump(f"step {i}", ((i, -1), (i + 1, 1)), b.mul(k[1], x[i])))
        jumps.append(Jump(f"back {i}", ((i, 1), (i + 1, -1)), b.mul(b.mul(k[2], x[i]), x[i + 1])))
    pair = b.mul(x[0], b.sub(x[0], one))
    jumps.append(Jump("pair", ((0, -2), (n_pairs + 1, 1)), b.mul(k[2], pair)))
    jumps.append(Jump("triple", ((0, -3),), b.mul(b.mul(k[3], pair), b.sub(x[0], two))))
    hill = b.div(b.mul(k[0], x[n_pairs]), b.add(b.constant(7.0), x[n_pairs + 1]))
    jumps.append(Jump("hill", ((n_pairs, -1),), hill))
    jumps.append(Jump("out", ((n_pairs + 1, -1),), b.mul(k[1], x[n_pairs + 1])))
    return build_stochastic_system(b.freeze(), jumps, n_pairs + 2, 4)


def assert_equal_bits(task, rows=None):
    solution = sample(task)
    for b in range(task.n_members) if rows is None else rows:
        run = sample_member(task, b)
        assert run.status == solution.status[b]
        assert (run.n_events, run.n_steps) == (solution.n_events[b], solution.n_steps[b])
        if run.status == Status.OK:
            n = task.system.n_counts
            expected = np.array(run.rows)
            np.testing.assert_array_equal(solution.counts[b], expected[:, :n])
            np.testing.assert_array_equal(solution.levels[b], expected[:, n:])
        else:
            assert (solution.counts[b] == -1).all()
    return solution


@pytest.mark.parametrize("method", ["exact", "leap"])
@pytest.mark.parametrize("n_pairs", [1, 3, 12])
def test_kernels_and_reference_agree_bit_for_bit(method, n_pairs):
    system = cascade(n_pairs)
    assert (system.n_factors == -1).sum() == 1
    size, rng = 4, np.random.Generator(np.random.Philox(key=n_pairs))
    parameters = rng.uniform([5.0, 0.5, 0.001, 1e-4], [40.0, 2.0, 0.01, 1e-3], (size, 4))
    initial = np.zeros((size, system.n_counts))
    initial[:, 0] = [0, 10, 300, 2000] if method == "leap" else [0, 3, 10, 100]
    shift = np.zeros((size, system.n_counts))
    shift[:, 1] = 4.5
    plan = [
        OdeSegment(0.0, 1.0, parameters),
        OdeSegment(1.0, 1.0, parameters, shift=shift),
        OdeSegment(1.0, 2.5, 1.5 * parameters, scale=np.full((size, system.n_counts), 0.5)),
    ]
    times = np.array([0.0, 0.0, 0.3, 1.0, 1.7, 2.5, 2.5])
    task = StochasticTask(system, initial, plan, times, keys(size), method=method, tolerance=0.1)
    solution = assert_equal_bits(task)
    assert (solution.status == 0).all()
    assert solution.n_events.sum() > 100
    if method == "leap":
        assert solution.n_steps[3] < solution.n_events[3]


@pytest.mark.parametrize("method", ["exact", "leap"])
def test_events_and_breaks_agree_bit_for_bit(method):
    """Timed and state-triggered events, a level that they change, a rate that jumps in time."""
    b = GraphBuilder()
    x, y, level, on, k = (b.variable(i) for i in range(5))
    late = b.apply(Op.LE, on, b.time())
    feed = b.select(late, b.mul(k, b.constant(3.0)), k)
    jumps = [Jump("feed", ((0, 1),), b.mul(feed, level)), Jump("turn", ((0, -1), (1, 1)), x)]
    jumps.append(Jump("loss", ((1, -1),), b.mul(b.constant(0.1), y)))
    full = Event(b.apply(Op.LT, b.constant(30.0), y), ((1, b.constant(2.0)), (2, b.mul(level, b.constant(0.5)))))
    reset = Event(b.apply(Op.LT, b.constant(2.0), b.time()), ((0, b.add(x, b.time())),))
    at_start = Event(b.apply(Op.LE, b.constant(0.0), x), ((1, b.constant(7.0)),), initial=False)
    system = build_stochastic_system(b.freeze(), jumps, 2, 2, n_levels=1, events=[full, reset, at_start])
    size = 5
    parameters = np.column_stack([np.linspace(0.5, 3.0, size), np.full(size, 20.0)])
    initial = np.tile([5.0, 0.0, 1.0], (size, 1))
    times = np.array([0.0, 1.0, 2.0, 2.0000001, 4.0])
    task = StochasticTask(system, initial, [OdeSegment(0.0, 4.0, parameters)], times, keys(size), method=method)
    solution = assert_equal_bits(task)
    assert (solution.status == 0).all()
    assert (solution.counts[:, 0, 1] == 7).all()
    assert (solution.levels[:, -1, 0] < 1.0).all()


def test_every_status_agrees():
    """Running short, negative rates, overflow, too many steps, not a number."""
    b = GraphBuilder()
    x, k, c = b.variable(0), b.variable(1), b.variable(2)
    drain = Jump("drain", ((0, -1),), k)
    net = Jump("net", ((0, 1),), b.mul(c, b.sub(x, b.constant(3.0))), proven=False)
    system = build_stochastic_system(b.freeze(), [drain, net], 1, 2, watched=[True, False])
    parameters = np.array([[5.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [np.nan, 0.0], [0.1, 0.0], [0.0, 10.0], [0.0, 1e300]])
    initial = np.array([[3.0], [5.0], [1.0], [5.0], [1000.0], [6.0], [2.0**52]])
    task = StochasticTask(
        system, initial, [OdeSegment(0.0, 10.0, parameters)], np.array([10.0]), keys(7), max_steps=300
    )
    solution = assert_equal_bits(task)
    expected = [Status.NEGATIVE] * 3 + [Status.NON_FINITE, Status.OK, Status.MAX_STEPS, Status.NON_FINITE]
    assert solution.status.tolist() == [int(s) for s in expected]


def test_bits_depend_on_nothing_but_the_member():
    """Order, batch size, threads and repetition change nothing."""
    system = cascade(3)
    size = 40
    parameters = np.tile([20.0, 1.0, 0.004, 3e-4], (size, 1)) * np.linspace(0.5, 1.5, size)[:, None]
    initial = np.zeros((size, system.n_counts))
    times, rows = np.linspace(0.0, 3.0, 7), np.random.Generator(np.random.Philox(key=1)).permutation(size)

    def run(chosen, threads, method):
        plan = [OdeSegment(0.0, 3.0, parameters[chosen])]
        task = StochasticTask(system, initial[chosen], plan, times, keys(size)[chosen], method=method)
        return sample(task, threads)

    for method in ("exact", "leap"):
        whole = run(np.arange(size), 1, method)
        for chosen, threads in ((rows, 1), (rows[:7], 2), (np.arange(size), 3)):
            part = run(chosen, threads, method)
            np.testing.assert_array_equal(part.counts, whole.counts[chosen])
            np.testing.assert_array_equal(part.n_events, whole.n_events[chosen])
