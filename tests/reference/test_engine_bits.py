"""The engine against its readable twin, bit for bit, and against itself in other shapes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from haptos.numerics import (
    Event,
    EventSet,
    GraphBuilder,
    OdeSegment,
    OdeSolution,
    OdeSystem,
    OdeTask,
    Op,
    ScipySolver,
    build_events,
    build_system,
)
from haptos.numerics.engine import EngineSolver
from haptos.numerics.engine.reference import ReferenceEngine


def _everything() -> OdeSystem:
    """Powers, exponentials, logarithms, switches, roots and time; three states, two parameters."""
    b = GraphBuilder()
    y0, y1, y2, k0, k1 = (b.variable(i) for i in range(5))
    one = b.constant(1.0)
    f = b.div(b.mul(k0, b.apply(Op.POW, y0, b.constant(2.3))), b.add(one, b.apply(Op.EXP, b.neg(y1))))
    early = b.apply(Op.LT, b.time(), k0)
    g = b.mul(k1, b.select(early, y1, b.apply(Op.POW, y1, b.constant(3.0))))
    h = b.mul(b.apply(Op.LN, b.add(one, y2)), b.apply(Op.SIN, b.time()))
    root = b.apply(Op.SQRT, y1)
    lost = b.apply(Op.MIN, b.apply(Op.LOG10, b.add(one, y2)), b.apply(Op.POW, y2, k1))
    roots = [b.sub(g, f), b.sub(b.sub(f, g), root), b.add(h, b.sub(root, lost))]
    return build_system(b.freeze(), roots, 2, [True] * 3)


def _everything_task(size: int = 5) -> OdeTask:
    rng = np.random.default_rng(0)
    first = rng.lognormal(0.0, 0.5, (size, 2))
    segments = [
        OdeSegment(0.0, 1.0, first),
        OdeSegment(1.0, 1.0, first, shift=np.ones((size, 3))),
        OdeSegment(1.0, 4.0, 2.0 * first, scale=np.full((size, 3), 0.5)),
    ]
    times = np.array([0.0, 0.3, 1.0, 1.0, 2.2, 4.0])
    return OdeTask(_everything(), rng.uniform(0.0, 2.0, (size, 3)), segments, times, 1e-6, np.full(3, 1e-9))


def _ball() -> tuple[OdeSystem, EventSet]:
    """A bouncing ball that is lifted once, at the time of parameter 0."""
    b = GraphBuilder()
    height, speed, lift = (b.variable(i) for i in range(3))
    gravity = b.constant(-9.81)
    bounce = Event(
        b.apply(Op.LT, height, b.constant(0.0)),
        ((0, b.constant(0.0)), (1, b.mul(b.constant(-0.9), speed))),
        initial=False,
    )
    lifted = Event(b.apply(Op.LE, lift, b.time()), ((0, b.add(height, b.constant(1.0))),))
    events = build_events(b.freeze(), [bounce, lifted], 2, 1)
    return build_system(b.freeze(), [speed, gravity], 1), events


def _ball_task() -> OdeTask:
    system, events = _ball()
    segment = OdeSegment(0.0, 1.4, np.array([[1.0], [0.3], [9.0]]))
    initial = np.array([[1.0, 0.0], [0.5, 1.0], [2.0, -1.0]])
    return OdeTask(system, initial, [segment], np.linspace(0.0, 1.4, 15), 1e-7, np.full(2, 1e-10), events=events)


TASKS = {"everything": _everything_task, "ball": _ball_task}


def _same(a: OdeSolution, b: OdeSolution) -> None:
    for name in ("states", "final", "status", "n_steps", "n_rhs"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


@pytest.mark.parametrize("method", ["Rodas4", "Rodas5P"])
@pytest.mark.parametrize("name", TASKS)
def test_engine_equals_its_readable_twin(name: str, method: str) -> None:
    """Same bits from one member in plain Python and from 1, 2, 4 and 8 lanes."""
    task = TASKS[name]()
    expected = ReferenceEngine(method).solve(task)
    assert not expected.status.any()
    for width in (1, 2, 4, 8):
        _same(EngineSolver(method=method, width=width, keep=False).solve(task), expected)


@pytest.mark.parametrize("name", TASKS)
def test_engine_agrees_with_scipy(name: str) -> None:
    """Another method finds the same solution."""
    task = TASKS[name]()
    mine, other = EngineSolver().solve(task), ScipySolver().solve(task)
    np.testing.assert_allclose(mine.states, other.states, rtol=2e-5, atol=2e-6)


def test_large_systems_with_tables_and_parts_give_the_same_bits() -> None:
    """A dense system goes the way of the tables; its twin eliminates the same products."""
    n = 30
    rng = np.random.default_rng(3)
    b = GraphBuilder()
    y = [b.variable(i) for i in range(n)]
    roots = []
    for i in range(n):
        terms = [b.mul(b.constant(rng.uniform(0.0, 0.1)), b.mul(y[j], y[(j + i) % n])) for j in range(n)]
        roots.append(b.sub(b.total([b.constant(1.0), *terms]), b.mul(b.constant(10.0 ** rng.uniform(0, 3)), y[i])))
    system = build_system(b.freeze(), roots, 0, [True] * n)
    from haptos.numerics.engine.emit_linear import UNROLLED
    from haptos.numerics.engine.program import build_program

    program = build_program(system)
    assert program.elimination.n_products > UNROLLED
    assert len(program.jacobian.order) > 1200
    segment = OdeSegment(0.0, 0.05, np.zeros((1, 0)))
    task = OdeTask(system, np.ones((1, n)), [segment], np.array([0.05]), 1e-3, np.full(n, 1e-6))
    expected = ReferenceEngine("Rodas4").solve(task)
    for width in (2, 8):
        _same(EngineSolver(method="Rodas4", width=width, keep=False).solve(task), expected)


def _chain(n: int = 60) -> OdeSystem:
    """Conversions between neighbours and saturable turnover, n states."""
    b = GraphBuilder()
    y = [b.variable(i) for i in range(n)]
    roots = []
    for i in range(n):
        terms = [b.mul(b.mul(b.variable(n), y[j]), y[(3 * i + j) % n]) for j in range(0, n, 4)]
        loss = b.div(b.mul(b.constant(5.0), y[i]), b.add(b.constant(0.5), y[i]))
        roots.append(b.sub(b.total(terms), loss))
    return build_system(b.freeze(), roots, 1, [True] * n)


def test_quickly_compiled_kernels_give_the_same_bits() -> None:
    """The first members of a large system are integrated by other code than the later ones."""
    from haptos.numerics.engine.compiled import LARGE, compile_system, kernels_for, n_operations, prepare

    system = _chain()
    n, size = system.n_states, 70
    rates = np.linspace(0.005, 0.02, size)[:, None]
    task = OdeTask(
        system, np.ones((size, n)), [OdeSegment(0.0, 2.0, rates)], np.linspace(0, 2, 5), 1e-5, np.full(n, 1e-8)
    )
    few, solver = _chosen(task, np.arange(3)), EngineSolver(width=4, keep=False)
    quick = compile_system(system, "Rodas5P", 4, None, quick=True)
    assert n_operations(prepare(system, "Rodas5P")[0]) > LARGE
    first = solver.solve(few)
    assert kernels_for(system, "Rodas5P", 4, None, 0) is quick
    later = solver.solve(task)
    assert kernels_for(system, "Rodas5P", 4, None, 0) is compile_system(system, "Rodas5P", 4, None)
    assert not later.status.any()
    for part in ("states", "final", "n_steps"):
        np.testing.assert_array_equal(getattr(later, part)[:3], getattr(first, part))


def _driven(speed: float, rtol: float) -> OdeTask:
    """A fast variable that follows a sine, asked for at many times."""
    b = GraphBuilder()
    y, t = b.variable(0), b.time()
    root = b.add(b.mul(b.constant(-speed), b.sub(y, b.apply(Op.SIN, t))), b.apply(Op.COS, t))
    system, segment = build_system(b.freeze(), [root], 0), OdeSegment(0.0, 10.0, np.zeros((1, 0)))
    return OdeTask(system, np.zeros((1, 1)), [segment], np.linspace(0.0, 10.0, 201), rtol, np.full(1, rtol))


@pytest.mark.parametrize("method", ["Rodas4", "Rodas5P"])
@pytest.mark.parametrize("speed", [1e2, 1e4, 1e6])
@pytest.mark.parametrize("rtol", [1e-3, 1e-4, 1e-6])
def test_outputs_between_the_ends_of_steps_follow_a_fast_drive(method: str, speed: float, rtol: float) -> None:
    """The ends of steps follow the drive at any step size; the dense output needs its own control."""
    task = _driven(speed, rtol)
    solution = EngineSolver(method=method, keep=False).solve(task)
    assert np.max(np.abs(solution.states[0, :, 0] - np.sin(task.times))) < 40.0 * rtol
    assert solution.n_steps[0] < 500


@pytest.mark.parametrize("limit", [1, 4, 8])
def test_the_limit_of_steps_is_that_of_the_twin(limit: int) -> None:
    """Members that need more attempts stop at the same count, the others are not touched."""
    for make in TASKS.values():
        task = dataclasses.replace(make(), max_steps=limit)
        expected = ReferenceEngine().solve(task)
        assert expected.status.any()
        _same(EngineSolver(keep=False).solve(task), expected)


@pytest.mark.parametrize("name", TASKS)
def test_bits_do_not_depend_on_batch_or_threads(name: str) -> None:
    """Order, company and threads change nothing."""
    task = TASKS[name]()
    size = task.n_members
    whole = EngineSolver().solve(task)
    rng = np.random.default_rng(1)
    order = rng.integers(0, size, 41)
    many = _chosen(task, order)
    for threads in (1, 2, 3):
        found = EngineSolver(threads=threads).solve(many)
        for part in ("states", "final", "status", "n_steps"):
            np.testing.assert_array_equal(getattr(found, part), getattr(whole, part)[order])


def _chosen(task: OdeTask, members: np.ndarray) -> OdeTask:
    segments = [
        OdeSegment(
            s.start,
            s.stop,
            s.parameters[members],
            None if s.scale is None else s.scale[members],
            None if s.shift is None else s.shift[members],
        )
        for s in task.segments
    ]
    return OdeTask(task.system, task.initial[members], segments, task.times, task.rtol, task.atol, events=task.events)
