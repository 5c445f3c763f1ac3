"""Certified rest against a plain version: one member at a time, singular values, all eigenvalues."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.linalg
from numpy.typing import NDArray

from haptos.numerics import EngineSolver, GraphBuilder, OdeSystem, SteadyTask, build_system, find_steady_state
from haptos.numerics._dense import conserved_directions, solve_all
from haptos.numerics.evaluator import SystemEvaluator

Array = NDArray[np.float64]


def _network(seed: int, n: int = 14) -> OdeSystem:
    """Random conversions, bindings and an open part; several conserved totals."""
    rng = np.random.default_rng(seed)
    b = GraphBuilder()
    flows: list[list[int]] = [[] for _ in range(n)]
    parameter = iter(range(n, n + 60))

    def move(rate: int, sources: list[int], sinks: list[int]) -> None:
        for i in sources:
            flows[i].append(b.neg(rate))
        for i in sinks:
            flows[i].append(rate)

    for i in range(0, n - 4, 2):
        move(b.mul(b.variable(next(parameter)), b.variable(i)), [i], [i + 1])
        move(b.mul(b.variable(next(parameter)), b.variable(i + 1)), [i + 1], [i])
    for _ in range(3):
        i, j = rng.choice(n - 4, 2, replace=False).tolist()
        k = int(rng.integers(n - 4, n - 2))
        move(b.mul(b.variable(next(parameter)), b.mul(b.variable(i), b.variable(j))), [i, j], [k])
        move(b.mul(b.variable(next(parameter)), b.variable(k)), [k], [i, j])
    for i in (n - 2, n - 1):
        flows[i] += [b.variable(next(parameter)), b.neg(b.mul(b.variable(next(parameter)), b.variable(i)))]
    used = next(parameter) - n
    roots = [b.total(f) for f in flows]
    return build_system(b.freeze(), roots, used, [True] * n)


def _plain_rest(task: SteadyTask, member: int, near: Array) -> tuple[Array, float]:
    """Newton's method by least squares along the directions that keep totals; the fastest growth."""
    system, scale = task.system, task.scale[member]
    evaluator = SystemEvaluator(system)
    evaluator.set_parameters(task.parameters[member])

    def relative(state: Array) -> tuple[Array, Array]:
        weight = np.abs(state) + scale
        matrix = evaluator.jacobian_by_columns(0.0, state).T * weight / weight[:, None]
        return matrix, evaluator.rhs(0.0, state) / weight

    state = near.copy()
    left, values, _ = scipy.linalg.svd(relative(state)[0])
    kept = left[:, values <= 1e-14 * len(values) * values[0]]
    begun = np.abs(state) + scale
    for _ in range(12):
        now = np.abs(state) + scale
        matrix, slope = relative(state)
        totals = values[0] * (kept / begun[:, None]).T * now
        step = scipy.linalg.lstsq(np.vstack([matrix, totals]), np.concatenate([-slope, np.zeros(kept.shape[1])]))[0]
        state += step * now
    return state, float(np.max(scipy.linalg.eigvals(relative(state)[0]).real))


@pytest.mark.parametrize("seed", range(6))
def test_certified_rest_is_that_of_the_plain_version(seed: int) -> None:
    """Same roots, totals and growth, also where rate constants of zero keep further totals."""
    rng = np.random.default_rng(100 + seed)
    system = _network(seed)
    initial = rng.lognormal(0, 1, (9, system.n_states))
    values = rng.lognormal(0, 1, (9, system.n_parameters))
    values[4, :2] = 0.0
    task = SteadyTask(system, initial, values, np.ones_like(initial), 1e5)
    found = find_steady_state(task, EngineSolver())
    assert found.converged.all(), [found.explanation(b) for b in range(9)]
    for b in range(9):
        state, growth = _plain_rest(task, b, found.states[b])
        np.testing.assert_allclose(found.states[b], state, rtol=1e-9, atol=1e-12)
        assert found.growth[b] == pytest.approx(growth, rel=1e-6, abs=1e-10)
    assert found.residual.max() < 1e-11


def test_conserved_directions_are_the_left_null_space() -> None:
    """The projector has the rank and the span that singular values show."""
    rng = np.random.default_rng(3)
    for rank in (0, 1, 4, 7):
        m = rng.normal(size=(7, rank)) @ rng.normal(size=(rank, 7)) * 10.0 ** rng.uniform(-3, 3)
        found = conserved_directions(m[None].copy(), 1e-13)[0]
        left, values, _ = scipy.linalg.svd(m)
        null = left[:, values <= 1e-12 * max(values[0], 1e-300)]
        assert np.linalg.matrix_rank(found, tol=1e-9) == 7 - rank
        np.testing.assert_allclose(null @ null.T @ found, found, atol=1e-9)


def test_solutions_of_small_systems_and_singular_ones() -> None:
    rng = np.random.default_rng(4)
    matrices, right = rng.normal(size=(5, 6, 6)), rng.normal(size=(5, 6))
    matrices[2, 3] = 0.0
    solutions = right.copy()
    regular = solve_all(matrices.copy(), solutions)
    assert regular.tolist() == [True, True, False, True, True]
    np.testing.assert_allclose(solutions[0], np.linalg.solve(matrices[0], right[0]), rtol=1e-9)


def _steady(roots: Any, b: GraphBuilder, initial: Any, **more: Any) -> Any:
    system = build_system(b.freeze(), roots, 0)
    start = np.atleast_2d(np.array(initial, dtype=np.float64))
    return find_steady_state(
        SteadyTask(system, start, np.zeros((len(start), 0)), np.ones_like(start), 1e4, **more), EngineSolver()
    )


def test_what_is_not_at_rest_is_not_certified_by_the_engine() -> None:
    """A limit cycle, a constant growth, an unstable rest; nothing moves at all is rest."""
    b = GraphBuilder()
    x, y = b.variable(0), b.variable(1)
    radius = b.sub(b.constant(1.0), b.add(b.mul(x, x), b.mul(y, y)))
    assert not _steady([b.sub(b.mul(radius, x), y), b.add(b.mul(radius, y), x)], b, [0.5, 0.1]).converged[0]
    b = GraphBuilder()
    assert not _steady([b.constant(1.0)], b, [0.0]).converged[0]
    b = GraphBuilder()
    x = b.variable(0)
    found = _steady([b.mul(x, b.sub(b.constant(1.0), x))], b, [[1e-12], [0.0], [0.2]])
    assert found.converged.tolist() == [True, False, True]
    assert found.growth[1] == pytest.approx(1.0, rel=1e-6)
    b = GraphBuilder()
    assert _steady([b.constant(0.0)], b, [3.0]).states.tolist() == [[3.0]]


def test_failures_stay_with_their_member() -> None:
    """A member that blows up is a status; the others are certified."""
    b = GraphBuilder()
    x = b.variable(0)
    found = _steady([b.sub(b.mul(x, x), x)], b, [[0.5], [2.0], [np.nan], [0.25]])
    assert found.converged.tolist() == [True, False, False, True]
    assert found.status[1] != 0
    assert found.status[2] != 0
    assert np.isnan(found.states[[1, 2]]).all()
