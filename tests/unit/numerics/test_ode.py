"""The interface to integrators and its SciPy implementation."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from haptos.errors import ModelError, ParameterError, Status
from haptos.numerics import (
    GraphBuilder,
    OdeSegment,
    OdeSolver,
    OdeSystem,
    OdeTask,
    Op,
    ScipySolver,
    SteadyTask,
    build_system,
    find_steady_state,
)


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
    return OdeTask(system, start, more.pop("segments", segments), grid, 1e-8, np.full(system.n_states, 1e-12), **more)


def test_scipy_solver_fulfils_the_interface() -> None:
    """The implementation is a solver, and frozen data."""
    assert isinstance(ScipySolver(), OdeSolver)
    assert pickle.loads(pickle.dumps(ScipySolver())) == ScipySolver()


def test_shapes_at_the_limits() -> None:
    """No members, no times, one time, repeated times, only the start."""
    system = _decay()
    nobody = _task(system, np.zeros((0, 2)), np.zeros((0, 2)), [1.0, 2.0])
    assert ScipySolver().solve(nobody).states.shape == (0, 2, 2)
    assert ScipySolver().solve(_task(system, [1, 0], [1, 1], [])).states.shape == (1, 0, 2)
    once = ScipySolver().solve(_task(system, [1, 0], [1, 2], [3.0]))
    np.testing.assert_allclose(once.states[0, 0, 0], np.exp(-3.0), rtol=1e-6)
    twice = ScipySolver().solve(_task(system, [1, 0], [1, 2], [0.0, 0.0, 3.0, 3.0]))
    assert np.array_equal(twice.states[0, [0, 3]], [[1.0, 0.0], once.states[0, 0]])
    still = ScipySolver().solve(_task(system, [1, 0], [1, 2], [0.0]))
    assert still.states.tolist() == [[[1.0, 0.0]]]


def test_no_states_at_all() -> None:
    """A system without states still runs."""
    system = build_system(GraphBuilder().freeze(), [], 1)
    solution = ScipySolver().solve(_task(system, np.zeros((2, 0)), [[1.0], [2.0]], [0.0, 5.0]))
    assert solution.states.shape == (2, 2, 0)
    assert solution.status.tolist() == [0, 0]


def test_bits_do_not_depend_on_the_batch_or_the_output_times() -> None:
    """A member alone, in any order and on any output grid gives the same bits."""
    system = _decay()
    rng = np.random.default_rng(4)
    initial, parameters = rng.uniform(0, 5, (6, 2)), rng.lognormal(0.0, 2.0, (6, 2))
    times = np.linspace(0.0, 7.0, 15)
    whole = ScipySolver().solve(_task(system, initial, parameters, times))
    order = rng.permutation(6)
    shuffled = ScipySolver().solve(_task(system, initial[order], parameters[order], times))
    assert np.array_equal(shuffled.states, whole.states[order])
    coarse = ScipySolver().solve(_task(system, initial, parameters, times[::7]))
    assert np.array_equal(coarse.states, whole.states[:, ::7])
    for b in range(6):
        alone = ScipySolver().solve(_task(system, initial[b], parameters[b], times))
        assert np.array_equal(alone.states[0], whole.states[b])


def test_bits_do_not_depend_on_threads_and_processes() -> None:
    """Concurrent threads and a fresh process with another number of BLAS threads agree."""
    from concurrent.futures import ThreadPoolExecutor

    system = _decay()
    tasks = [_task(system, [1.0, k], [k, 0.3], [1.0, 9.0]) for k in (0.1, 1.0, 10.0, 100.0)]
    expected = [ScipySolver().solve(task).states for task in tasks]
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(lambda task: ScipySolver().solve(task).states, tasks * 5))
    assert all(np.array_equal(a, b) for a, b in zip(got, expected * 5, strict=True))
    code = (
        "import pickle, sys; from haptos.numerics import ScipySolver;"
        "task = pickle.load(sys.stdin.buffer);"
        "sys.stdout.buffer.write(pickle.dumps(ScipySolver().solve(task).states))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        input=pickle.dumps(tasks[2]),
        capture_output=True,
        check=True,
        env={"OPENBLAS_NUM_THREADS": "1"},
    )
    assert np.array_equal(pickle.loads(ran.stdout), expected[2])


def test_many_states_do_not_feel_the_number_of_blas_threads() -> None:
    """160 stiff, coupled states: the factorisation is held to one thread."""
    n = 160
    rng = np.random.default_rng(8)
    b = GraphBuilder()
    y = [b.variable(i) for i in range(n)]
    roots = []
    for i in range(n):
        rate = 10.0 ** rng.uniform(-3, 3)
        others = [b.mul(b.constant(rate * rng.uniform(0, 0.1)), y[j]) for j in rng.integers(0, n, 9)]
        roots.append(b.sub(b.total([b.constant(1.0), *others]), b.mul(b.constant(rate), y[i])))
    task = _task(build_system(b.freeze(), roots, 0), np.ones(n), np.zeros((1, 0)), [1.0, 100.0])
    code = (
        "import pickle, sys; from haptos.numerics import ScipySolver;"
        "task = pickle.load(sys.stdin.buffer);"
        "sys.stdout.buffer.write(ScipySolver().solve(task).states.tobytes())"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            input=pickle.dumps(task),
            capture_output=True,
            check=True,
            env={"OPENBLAS_NUM_THREADS": threads},
        ).stdout
        for threads in ("1", "2")
    ]
    assert runs[0] == runs[1] == ScipySolver().solve(task).states.tobytes()


def test_one_bad_member_does_not_harm_the_others() -> None:
    """Not a number, infinity and negative numbers stay with their member."""
    initial = [[1.0, 0.0], [np.nan, 0.0], [1.0, 0.0], [1.0, -3.0], [2.0, 0.0]]
    parameters = [[1.0, 1.0], [1.0, 1.0], [np.inf, 1.0], [1.0, 1.0], [1.0, 1.0]]
    solution = ScipySolver().solve(_task(_decay(), initial, parameters, [1.0]))
    expected = [Status.OK, Status.NON_FINITE, Status.NON_FINITE, Status.NEGATIVE, Status.OK]
    assert solution.status.tolist() == expected
    assert np.isnan(solution.states[1:4]).all()
    np.testing.assert_allclose(solution.states[[0, 4], 0, 0], np.exp(-1.0) * np.array([1, 2]), rtol=1e-6)


@pytest.mark.parametrize("op", [Op.LE, Op.LT])
def test_jump_exactly_at_a_border_stays_outside(op: Op) -> None:
    """Within [0, 1) a switch at 1 is not seen; within [1, 2) it is on from the start."""
    b = GraphBuilder()
    late = b.apply(op, b.variable(1), b.time())
    rate = b.mul(b.constant(1e6), late)
    system = build_system(b.freeze(), [rate], 1)
    task = _task(system, [0.0], [1.0], [1.0, 2.0])
    solution = ScipySolver().solve(task)
    np.testing.assert_allclose(solution.states[0, :, 0], [0.0, 1e6], rtol=1e-12)
    assert solution.n_rhs[0] < 60, "a jump within a step costs hundreds of evaluations"


def test_condition_on_time_that_cannot_be_located_is_refused() -> None:
    """A switch by sin(time) or floor(time) is named."""
    for op in (Op.SIN, Op.FLOOR):
        b = GraphBuilder()
        on = b.apply(Op.LT, b.constant(0.5), b.apply(op, b.time()))
        with pytest.raises(ModelError, match="time"):
            build_system(b.freeze(), [on], 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"times": [2.0, 1.0]}, "ascending"),
        ({"times": [9.0]}, "leave"),
        ({"rtol": 0.0}, "rtol"),
        ({"atol": np.zeros(2)}, "above zero"),
        ({"max_steps": 0}, "max_steps"),
        ({"initial": np.zeros((1, 3))}, "initial"),
        ({"gap": True}, "start exactly"),
    ],
)
def test_misuse_is_refused(change: dict[str, Any], message: str) -> None:
    """Shapes, ranges and times are checked before anything runs."""
    p = np.ones((1, 2))
    middle = 1.5 if change.pop("gap", False) else 1.0
    given: dict[str, Any] = {
        "system": _decay(),
        "initial": np.ones((1, 2)),
        "segments": [OdeSegment(0.0, 1.0, p), OdeSegment(middle, 2.0, p)],
        "times": [0.5],
        "rtol": 1e-6,
        "atol": np.full(2, 1e-9),
        **change,
    }
    given["times"] = np.array(given["times"])
    with pytest.raises(ParameterError, match=message):
        OdeTask(**given)


def _steady(roots: Any, b: GraphBuilder, initial: Any, **more: Any) -> Any:
    system = build_system(b.freeze(), roots, 0, more.pop("nonnegative", None))
    start = np.atleast_2d(np.array(initial, dtype=np.float64))
    task = SteadyTask(system, start, np.zeros((len(start), 0)), np.ones_like(start), 1e4, **more)
    return find_steady_state(task, ScipySolver())


def test_steady_state_keeps_conserved_totals() -> None:
    """A <-> B rests at the ratio of the rates within each member's own total."""
    b = GraphBuilder()
    flow = b.sub(b.mul(b.constant(3.0), b.variable(0)), b.variable(1))
    found = _steady([b.neg(flow), flow], b, [[4.0, 0.0], [1.0, 7.0]])
    assert found.converged.all()
    np.testing.assert_allclose(found.states, [[1.0, 3.0], [2.0, 6.0]], rtol=1e-9)
    assert found.residual.max() < 1e-9


def test_oscillator_and_drift_are_not_called_steady() -> None:
    """A limit cycle and a constant growth are reported as such."""
    b = GraphBuilder()
    x, y = b.variable(0), b.variable(1)
    radius = b.sub(b.constant(1.0), b.add(b.mul(x, x), b.mul(y, y)))
    circle = [b.sub(b.mul(radius, x), y), b.add(b.mul(radius, y), x)]
    found = _steady(circle, b, [0.5, 0.1])
    assert not found.converged[0]
    assert "still moving" in found.explanation(0)
    b = GraphBuilder()
    assert not _steady([b.constant(1.0)], b, [0.0]).converged[0]


def test_unstable_rest_is_left() -> None:
    """Logistic growth from a trace ends at capacity, from nothing it is not certified."""
    b = GraphBuilder()
    x = b.variable(0)
    found = _steady([b.mul(x, b.sub(b.constant(1.0), x))], b, [[1e-12], [0.0], [0.2]])
    assert found.converged.tolist() == [True, False, True]
    np.testing.assert_allclose(found.states[[0, 2]], 1.0, rtol=1e-9)
    assert found.growth[1] == pytest.approx(1.0, rel=1e-6)


def test_sinks_can_be_left_out() -> None:
    """A product that piles up does not keep the rest from being certified."""
    b = GraphBuilder()
    x = b.variable(0)
    roots = [b.sub(b.constant(2.0), x), x]
    assert not _steady(roots, b, [0.0, 0.0]).converged[0]
    found = _steady(roots, b, [0.0, 0.0], judged=np.array([True, False]))
    assert found.converged[0]
    assert found.states[0, 0] == pytest.approx(2.0)
    with pytest.raises(ParameterError, match="depend on states"):
        _steady(roots, b, [0.0, 0.0], judged=np.array([False, True]))


def test_importing_numerics_is_light() -> None:
    """SciPy's integrators and numba are imported only when used."""
    code = "import sys, haptos.numerics; print([m for m in ('numba', 'scipy.integrate', 'pandas') if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
