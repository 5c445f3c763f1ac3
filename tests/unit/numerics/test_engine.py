"""The engine behind the interface of solvers: shapes, failures, order, cache, stepping."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from haptos.errors import ParameterError, Status
from haptos.numerics import (
    Event,
    GraphBuilder,
    OdeSegment,
    OdeSolver,
    OdeSystem,
    OdeTask,
    Op,
    ScipySolver,
    SteadyTask,
    build_events,
    build_system,
    find_steady_state,
)
from haptos.numerics.engine import EngineSolver, Stepper, forward_sensitivities
from haptos.numerics.engine.jit import compile_kernels
from haptos.numerics.engine.structure import plan_elimination
from haptos.numerics.engine.tableau import RODAS4, RODAS5P, Tableau
from haptos.numerics.engine.vectors import Function, Module


def _decay() -> OdeSystem:
    """dy0/dt = -p0 y0, dy1/dt = p0 y0 - p1 y1."""
    b = GraphBuilder()
    y0, y1, p0, p1 = (b.variable(i) for i in range(4))
    flow = b.mul(p0, y0)
    roots = [b.neg(flow), b.sub(flow, b.mul(p1, y1))]
    return build_system(b.freeze(), roots, 2, [True, True])


def _task(system: OdeSystem, initial: Any, parameters: Any, times: Any, **more: Any) -> OdeTask:
    start = np.atleast_2d(np.asarray(initial, dtype=np.float64))
    values = np.atleast_2d(np.asarray(parameters, dtype=np.float64))
    grid = np.asarray(times, dtype=np.float64)
    segments = [OdeSegment(0.0, float(grid.max(initial=0.0)), values)]
    rtol = more.pop("rtol", 1e-8)
    return OdeTask(
        system, start, more.pop("segments", segments), grid, rtol, np.full(system.n_states, 1e-4 * rtol), **more
    )


def _one(build: Any, n: int = 1, **more: Any) -> OdeSystem:
    """A system of `n` states and no parameters from a function of the builder and states."""
    b = GraphBuilder()
    roots = build(b, [b.variable(i) for i in range(n)])
    return build_system(b.freeze(), roots, 0, **more)


def test_engine_fulfils_the_interface() -> None:
    assert isinstance(EngineSolver(), OdeSolver)
    assert pickle.loads(pickle.dumps(EngineSolver(threads=2))) == EngineSolver(threads=2)


@pytest.mark.parametrize("wrong", [{"method": "Rodas9"}, {"threads": 0}, {"width": 3}])
def test_wrong_choices_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        EngineSolver(**wrong)


def test_shapes_at_the_limits() -> None:
    """No members, no times, one time, repeated times, only the start, no states."""
    system, solver = _decay(), EngineSolver()
    assert solver.solve(_task(system, np.zeros((0, 2)), np.zeros((0, 2)), [1.0, 2.0])).states.shape == (0, 2, 2)
    assert solver.solve(_task(system, [1, 0], [1, 1], [])).states.shape == (1, 0, 2)
    once = solver.solve(_task(system, [1, 0], [1, 2], [3.0]))
    np.testing.assert_allclose(once.states[0, 0, 0], np.exp(-3.0), rtol=1e-6)
    twice = solver.solve(_task(system, [1, 0], [1, 2], [0.0, 0.0, 3.0, 3.0]))
    assert np.array_equal(twice.states[0, [0, 3]], [[1.0, 0.0], once.states[0, 0]])
    assert solver.solve(_task(system, [1, 0], [1, 2], [0.0])).states.tolist() == [[[1.0, 0.0]]]
    empty = build_system(GraphBuilder().freeze(), [], 1)
    nothing = solver.solve(_task(empty, np.zeros((2, 0)), [[1.0], [np.nan]], [0.0, 5.0]))
    assert nothing.status.tolist() == [Status.OK, Status.NON_FINITE]


def test_output_times_do_not_change_the_steps() -> None:
    system = _decay()
    fine = EngineSolver().solve(_task(system, [1, 0], [1, 2], np.linspace(0, 7, 57)))
    coarse = EngineSolver().solve(_task(system, [1, 0], [1, 2], np.linspace(0, 7, 8)))
    assert np.array_equal(fine.states[:, ::8], coarse.states)


def test_failures_stay_with_their_member() -> None:
    initial = [[1.0, 0.0], [np.nan, 0.0], [1.0, 0.0], [1.0, -3.0], [2.0, 0.0]]
    parameters = [[1.0, 1.0], [1.0, 1.0], [np.inf, 1.0], [1.0, 1.0], [1.0, 1.0]]
    solution = EngineSolver().solve(_task(_decay(), initial, parameters, [1.0]))
    expected = [Status.OK, Status.NON_FINITE, Status.NON_FINITE, Status.NEGATIVE, Status.OK]
    assert solution.status.tolist() == expected
    assert np.isnan(solution.states[1:4]).all()
    np.testing.assert_allclose(solution.states[[0, 4], 0, 0], np.exp(-1.0) * np.array([1, 2]), rtol=1e-6)


def test_explosion_singularity_and_step_limit_are_statuses() -> None:
    explodes = _one(lambda b, y: [b.mul(y[0], y[0])])
    status = EngineSolver().solve(_task(explodes, [1.0], np.zeros((1, 0)), [2.0])).status[0]
    assert status in (Status.STEP_TOO_SMALL, Status.NON_FINITE)
    singular = _one(lambda b, y: [b.neg(b.div(b.constant(1.0), b.apply(Op.SQRT, y[0])))])
    status = EngineSolver().solve(_task(singular, [1.0], np.zeros((1, 0)), [2.0])).status[0]
    assert status in (Status.STEP_TOO_SMALL, Status.NON_FINITE)
    swings = _one(lambda b, y: [b.mul(b.constant(100.0), y[1]), b.mul(b.constant(-100.0), y[0])], 2)
    limited = EngineSolver().solve(_task(swings, [1.0, 0.0], np.zeros((1, 0)), [10.0], max_steps=200))
    assert limited.status.tolist() == [Status.MAX_STEPS]
    assert limited.n_steps.tolist() == [200]


def test_infinite_slope_at_zero_does_not_stop_the_engine() -> None:
    """dy/dt = sqrt(y) + 1 from 0: its Jacobian is infinite there."""
    system = _one(lambda b, y: [b.add(b.apply(Op.SQRT, y[0]), b.constant(1.0))], nonnegative=[True])
    solution = EngineSolver().solve(_task(system, [0.0], np.zeros((1, 0)), [1.0]))
    expected = ScipySolver().solve(_task(system, [0.0], np.zeros((1, 0)), [1.0], rtol=1e-10))
    np.testing.assert_allclose(solution.final, expected.final, rtol=1e-6)


@pytest.mark.parametrize("op", [Op.LE, Op.LT])
def test_jump_exactly_at_a_border_stays_outside(op: Op) -> None:
    b = GraphBuilder()
    late = b.apply(op, b.variable(1), b.time())
    rate = b.mul(b.constant(1e6), late)
    solution = EngineSolver().solve(_task(build_system(b.freeze(), [rate], 1), [0.0], [1.0], [1.0, 2.0]))
    np.testing.assert_allclose(solution.states[0, :, 0], [0.0, 1e6], rtol=1e-12)
    assert solution.n_steps[0] < 10


@pytest.mark.parametrize("method", [RODAS4, RODAS5P], ids=lambda m: m.name)
def test_order_conditions(method: Tableau) -> None:
    """Result, embedded result and dense output converge with their orders."""
    results = [_fixed_steps(method, h) for h in (1 / 64, 1 / 128)]
    orders = [np.log2(a / b) for a, b in zip(*results, strict=True)]
    assert orders[0] > method.order - 0.25
    assert orders[1] > method.order - 1.25
    assert orders[2] > method.order - 0.35


def _fixed_steps(method: Tableau, h: float) -> tuple[float, float, float]:
    """Errors of result, embedded result and dense output on y' = y cos t - y^2 sin t + z, z' = -y."""

    def f(t: float, y: np.ndarray) -> np.ndarray:
        return np.array([y[0] * np.cos(t) - y[0] ** 2 * np.sin(t) + y[1], -y[0]])

    def jacobian(t: float, y: np.ndarray) -> np.ndarray:
        return np.array([[np.cos(t) - 2 * y[0] * np.sin(t), 1.0], [-1.0, 0.0]])

    def slope(t: float, y: np.ndarray) -> np.ndarray:
        return np.array([-y[0] * np.sin(t) - y[0] ** 2 * np.cos(t), 0.0])

    from scipy.integrate import solve_ivp

    def exact(points: Any) -> np.ndarray:
        return solve_ivp(f, (0.0, 1.0), [1.0, 0.5], method="DOP853", rtol=1e-13, atol=1e-14, t_eval=points).y.T

    steps = round(1.0 / h)
    y, errors = np.array([1.0, 0.5]), [0.0, 0.0, 0.0]
    truth = exact(np.linspace(0.0, 1.0, 4 * steps + 1))
    for number in range(steps):
        t, u = number * h, []
        matrix = np.eye(2) / (method.gamma * h) - jacobian(t, y)
        stage = y
        for s in range(method.stages):
            if s:
                a = method.a[s - 1]
                stage = stage + u[-1] if a is None else y + sum(w * x for w, x in zip(a, u, strict=True))
            right = f(t + method.nodes[s] * h, stage) + method.slopes[s] * h * slope(t, y)
            if s:
                right = right + sum(w * x for w, x in zip(method.c_matrix[s - 1], u, strict=True)) / h
            u.append(np.linalg.solve(matrix, right))
        new = stage + u[-1]
        k = [sum(w * x for w, x in zip(row, u, strict=True)) for row in method.dense]
        for quarter in (1, 2, 3):
            share = quarter / 4
            inner = k[-1]
            for row in reversed(k[:-1]):
                inner = row + share * inner
            between = (1 - share) * y + share * (new + (1 - share) * inner)
            errors[2] = max(errors[2], np.max(np.abs(between - truth[4 * number + quarter])))
        errors[1] = max(errors[1], np.max(np.abs(u[-1])) / h)
        y = new
    errors[0] = np.max(np.abs(y - truth[-1]))
    return errors[0], errors[1], errors[2]


def test_error_follows_the_tolerance() -> None:
    """A stiff relaxation onto a moving target is met within a few tolerances."""
    system = _one(
        lambda b, y: [b.mul(b.constant(-1e4), b.sub(y[0], b.apply(Op.COS, b.time())))],
    )
    rate, times = 1e4, np.linspace(0.0, 3.0, 31)
    exact = (rate**2 * np.cos(times) + rate * np.sin(times)) / (1 + rate**2)
    exact = exact + np.exp(-rate * times) * (2.0 - rate**2 / (1 + rate**2))
    for rtol in (1e-3, 1e-5, 1e-7, 1e-9):
        task = _task(system, [2.0], np.zeros((1, 0)), times, rtol=rtol)
        found = EngineSolver().solve(task)
        assert np.max(np.abs(found.states[0, :, 0] - exact)) < 100 * rtol
        for method in ("Rodas4", "Rodas5P"):
            assert abs(EngineSolver(method=method).solve(task).final[0, 0] - exact[-1]) < rtol


def test_damaged_and_foreign_cache_entries_are_compiled_again(tmp_path: Path) -> None:
    module = Module(2)
    f = Function(module)
    f.line("ret void")
    module.add(f.text("void @nothing(ptr %w)"))
    compile_kernels(module.text(), ["nothing"], tmp_path)
    [kept] = tmp_path.glob("*.o")
    whole = kept.read_bytes()
    for damaged in (b"", whole[:-7], whole[:60] + b"x" + whole[61:]):
        kept.write_bytes(damaged)
        compile_kernels(module.text(), ["nothing"], tmp_path)
        assert kept.read_bytes() == whole
    file = tmp_path / "not a folder"
    file.write_text("")
    assert compile_kernels(module.text(), ["nothing"], file / "x").addresses["nothing"]


def test_elimination_order_keeps_an_arrow_sparse_and_solves() -> None:
    """The plan eliminates any pattern: compared with a dense solution."""
    rng = np.random.default_rng(2)
    n = 12
    entries = {(int(i), int(j)) for i, j in rng.integers(0, n, (30, 2))}
    plan = plan_elimination(n, entries)
    dense = np.diag(rng.uniform(5, 9, n))
    for i, j in entries:
        dense[i, j] += rng.uniform(-1, 1)
    m = np.zeros(plan.n_slots)
    for (i, j), slot in plan.slots.items():
        m[slot] = dense[i, j]
    right = rng.uniform(-1, 1, n)
    x = right.copy()
    for row in plan.rows:
        for (_, slot), pivot, updates in zip(row.lower, row.pivots, row.updates, strict=True):
            m[slot] *= m[pivot]
            for target, source in updates:
                m[target] -= m[slot] * m[source]
        m[row.diagonal] = 1.0 / m[row.diagonal]
        for other, slot in row.lower:
            x[row.row] -= m[slot] * x[other]
    for row in reversed(plan.rows):
        for other, slot in row.upper:
            x[row.row] -= m[slot] * x[other]
        x[row.row] *= m[row.diagonal]
    np.testing.assert_allclose(x, np.linalg.solve(dense, right), rtol=1e-12)


def test_stepping_equals_one_run_and_carries_the_step() -> None:
    """Intervals joined give the solution; the second interval needs fewer attempts."""
    system = _decay()
    stepper = Stepper(system, np.full(2, 1e-10), rtol=1e-6)
    rng = np.random.default_rng(6)
    states, values = rng.uniform(0, 2, (50, 2)), rng.uniform(0.5, 2, (50, 2))
    sizes, now = np.zeros(50), states
    for number in range(4):
        done = stepper.step(now, values, sizes, 0.5 * number, 0.5)
        assert not done.status.any()
        now, sizes = done.states, done.step_sizes
    expected = ScipySolver().solve(_task(system, states, values, [2.0])).final
    np.testing.assert_allclose(now, expected, rtol=1e-4)
    alone = stepper.step(states[7:8], values[7:8], np.zeros(1), 0.0, 0.5)
    together = stepper.step(states, values, np.zeros(50), 0.0, 0.5)
    assert np.array_equal(alone.states[0], together.states[7])
    assert np.array_equal(alone.step_sizes[0], together.step_sizes[7])


def test_sensitivities_meet_the_closed_form_on_any_width() -> None:
    times = np.linspace(0.0, 4.0, 9)
    task = _task(_decay(), [[1.0, 0.0], [3.0, 0.5]], [[1.0, 0.5], [2.0, 0.0]], times)
    found = [forward_sensitivities(task, [0, 1], solver=EngineSolver(width=w)) for w in (1, 8)]
    assert np.array_equal(found[0].derivatives, found[1].derivatives)
    np.testing.assert_allclose(found[0].derivatives[0, 0, :, 0], -times * np.exp(-times), atol=2e-6)
    first = 3.0 * (1 - np.exp(-2 * times)) + 0.5
    by_p1 = -(3.5 * times - 1.5 * (1 - np.exp(-2 * times)))
    np.testing.assert_allclose(found[0].solution.states[1, :, 1], first, rtol=1e-6)
    np.testing.assert_allclose(found[0].derivatives[1, 1, :, 1], by_p1, rtol=1e-4, atol=1e-5)


def test_sensitivities_refuse_what_they_cannot_do() -> None:
    task = _task(_decay(), [1, 0], [1, 1], [1.0])
    with pytest.raises(ParameterError, match="no parameters"):
        forward_sensitivities(task, [2])
    with pytest.raises(ParameterError, match="disturbance"):
        forward_sensitivities(task, [0], disturbance=0.0)


def test_steady_state_by_the_engine() -> None:
    b = GraphBuilder()
    flow = b.sub(b.mul(b.constant(3.0), b.variable(0)), b.variable(1))
    roots = [b.neg(flow), flow]
    system = build_system(b.freeze(), roots, 0)
    start = np.array([[4.0, 0.0], [1.0, 7.0]])
    found = find_steady_state(SteadyTask(system, start, np.zeros((2, 0)), np.ones_like(start), 1e4), EngineSolver())
    assert found.converged.all()
    np.testing.assert_allclose(found.states, [[1.0, 3.0], [2.0, 6.0]], rtol=1e-9)


def _counter(period: float) -> Any:
    """State 0 rises and is reset at 1; state 1 counts."""
    b = GraphBuilder()
    y0, y1 = b.variable(0), b.variable(1)
    high = b.apply(Op.LE, b.constant(1.0), y0)
    events = [Event(high, ((0, b.constant(0.0)), (1, b.add(y1, b.constant(1.0)))), initial=False)]
    rate = b.constant(1.0 / period)
    return build_system(b.freeze(), [rate, b.constant(0.0)], 0), build_events(b.freeze(), events, 2, 0)


@pytest.mark.parametrize("solver", [ScipySolver(), EngineSolver()], ids=["scipy", "engine"])
def test_sawtooth_resets_at_the_exact_moments(solver: OdeSolver) -> None:
    system, events = _counter(0.3)
    solution = solver.solve(_task(system, [0.0, 0.0], np.zeros((1, 0)), [0.1, 0.5, 0.95, 1.0], events=events))
    assert solution.status[0] == Status.OK
    np.testing.assert_allclose(solution.states[0, :, 1], [0, 1, 3, 3])
    np.testing.assert_allclose(solution.states[0, :, 0], [1 / 3, 2 / 3, 1 / 6, 1 / 3], atol=1e-9)


@pytest.mark.parametrize("solver", [ScipySolver(), EngineSolver()], ids=["scipy", "engine"])
def test_events_without_end_are_a_storm(solver: OdeSolver) -> None:
    """Two events undo each other for ever; the other member is not harmed."""
    b = GraphBuilder()
    y, k = b.variable(0), b.variable(1)
    above, below = b.apply(Op.LT, k, y), b.apply(Op.LT, y, k)
    events = [
        Event(above, ((0, b.sub(k, b.constant(1.0))),)),
        Event(below, ((0, b.add(k, b.constant(1.0))),)),
    ]
    rate = b.constant(1.0)
    system, chosen = build_system(b.freeze(), [rate], 1), build_events(b.freeze(), events, 1, 1)
    solution = solver.solve(_task(system, [[0.0], [9.5]], [[0.5], [9.0]], [1.0], events=chosen))
    assert solution.status.tolist() == [Status.EVENT_STORM, Status.OK]
    np.testing.assert_allclose(solution.final[1], 10.5)


@pytest.mark.parametrize("solver", [ScipySolver(), EngineSolver()], ids=["scipy", "engine"])
@pytest.mark.parametrize(
    ("at_trigger", "persistent", "expected"),
    [
        (True, True, [1.0, 5.0, 2.0]),
        (False, True, [1.0, 5.0, 10.0]),
        (True, False, [1.0, 0.0, 0.0]),
    ],
)
def test_simultaneous_events(solver: OdeSolver, at_trigger: bool, persistent: bool, expected: list[float]) -> None:
    """The first of two events of one moment moves what the second reads, and its trigger."""
    b = GraphBuilder()
    y0 = b.variable(0)
    late = b.apply(Op.LE, b.constant(1.0), b.time())
    both = b.apply(Op.AND, late, b.apply(Op.LT, y0, b.constant(0.5)))
    events = [
        Event(late, ((0, b.constant(1.0)),), initial=False),
        Event(
            both,
            ((1, b.constant(5.0)), (2, b.add(b.constant(2.0), b.mul(b.constant(8.0), y0)))),
            initial=False,
            persistent=persistent,
            at_trigger=at_trigger,
        ),
    ]
    zero = b.constant(0.0)
    system, chosen = build_system(b.freeze(), [zero] * 3, 0), build_events(b.freeze(), events, 3, 0)
    solution = solver.solve(_task(system, np.zeros(3), np.zeros((1, 0)), [0.5, 2.0], events=chosen))
    assert solution.states[0].tolist() == [[0.0, 0.0, 0.0], expected]


@pytest.mark.parametrize("solver", [ScipySolver(), EngineSolver()], ids=["scipy", "engine"])
@pytest.mark.parametrize(("initial", "fired"), [(True, 0.0), (False, 1.0)])
def test_trigger_true_at_the_start(solver: OdeSolver, initial: bool, fired: float) -> None:
    b = GraphBuilder()
    always = b.apply(Op.LT, b.constant(-1.0), b.variable(0))
    events = [Event(always, ((0, b.add(b.variable(0), b.constant(1.0))),), initial=initial)]
    zero = b.constant(0.0)
    system, chosen = build_system(b.freeze(), [zero], 0), build_events(b.freeze(), events, 1, 0)
    solution = solver.solve(_task(system, [0.0], np.zeros((1, 0)), [0.0, 1.0], events=chosen))
    assert solution.states[0, :, 0].tolist() == [fired, fired]


def test_importing_the_engine_is_light() -> None:
    code = (
        "import sys, haptos.numerics.engine;"
        "print([m for m in ('numba', 'llvmlite', 'scipy.integrate') if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
