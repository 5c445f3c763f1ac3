"""Find steady states and certify them.

Integration brings every member near its steady state; Newton's method with the analytic
Jacobian then finds the exact root next to it, within the same conserved totals. A member
is *converged* only if all of this holds: the state hardly changed over a stretch three
times as long as everything before, a root lies within the tolerance of the integrated
state, and no small disturbance of the root grows. An oscillation fails the first or the
second, a saddle or an unstable rest the third.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haptos.errors import ParameterError, Status
from haptos.numerics._blas import one_blas_thread
from haptos.numerics.evaluator import NonFiniteError, SystemEvaluator
from haptos.numerics.ode import OdeSegment, OdeSolver, OdeTask
from haptos.numerics.system import OdeSystem

__all__ = ["SteadyState", "SteadyTask", "find_steady_state"]

Array = NDArray[np.float64]

_STRETCHES: Final = 7
_NEWTON_LIMIT: Final = 12


@dataclass(frozen=True, slots=True, eq=False)
class SteadyTask:
    """What is to be brought to rest.

    Attributes
    ----------
    system : OdeSystem
        Equations without explicit time.
    initial : ndarray, shape (B, n_states)
        Where the search starts; it also sets the conserved totals.
    parameters : ndarray, shape (B, n_parameters)
        Parameters of every member.
    scale : ndarray, shape (B, n_states)
        Magnitude below which a state counts as zero, > 0.
    max_time : float
        Time after which a member that still moves is given up.
    tolerance : float
        Largest relative distance between the integrated state and the certified root.
    judged : ndarray of bool, shape (n_states,), optional
        States that must come to rest; the others (sinks that fill for ever) may move
        but must not act on the judged ones. All by default.
    rtol : float
        Relative tolerance of the integration.
    max_steps : int
        Limit of internal steps per member and stretch.
    """

    system: OdeSystem
    initial: Array
    parameters: Array
    scale: Array
    max_time: float
    tolerance: float = 1e-4
    judged: NDArray[np.bool_] | None = None
    rtol: float = 1e-6
    max_steps: int = 100_000

    def __post_init__(self) -> None:
        """Check shapes and ranges."""
        if not self.system.autonomous:
            raise ParameterError(
                "the rates depend on time explicitly, so there is no steady state; replace the "
                "time course by a parameter for the equilibration"
            )
        if not self.max_time > 0.0 or not self.tolerance > 0.0:
            raise ParameterError("max_time and tolerance must be above zero")
        if self.scale.shape != self.initial.shape or not np.all(self.scale > 0.0):
            raise ParameterError("scale must be above zero and have the shape of initial")
        if self._acted_on():
            raise ParameterError(f"states {self._acted_on()} are to be judged but depend on states that are not")

    @property
    def who(self) -> NDArray[np.intp]:
        """Positions of the judged states."""
        everyone = np.ones(self.system.n_states, dtype=bool)
        return np.flatnonzero(everyone if self.judged is None else self.judged)

    def _acted_on(self) -> list[int]:
        """Judged states whose rates depend on states that are not judged."""
        judged = np.isin(np.arange(self.system.n_states), self.who)
        crossing = judged[self.system.rows] & ~judged[self.system.columns]
        return sorted({int(i) for i in self.system.rows[crossing]})


@dataclass(frozen=True, slots=True, eq=False)
class SteadyState:
    """Where the members came to rest.

    Attributes
    ----------
    states : ndarray, shape (B, n_states)
        The certified root of converged members; the last integrated state of members
        that did not converge; nan if the integration failed.
    converged : ndarray of bool, shape (B,)
        Whether the rest is certified.
    status : ndarray of int, shape (B,)
        :class:`haptos.errors.Status` of the integration.
    residual : ndarray, shape (B,)
        Largest ``|dy/dt| / (|y| + scale)`` of the judged states at `states` [1/time].
    growth : ndarray, shape (B,)
        Fastest growth rate of a small disturbance [1/time]; near zero where a quantity
        is conserved; nan if not computed.
    time : ndarray, shape (B,)
        Simulated time.
    """

    states: Array
    converged: NDArray[np.bool_]
    status: NDArray[np.int64]
    residual: Array
    growth: Array
    time: Array

    def explanation(self, member: int) -> str:
        """Say in one sentence how the search ended for a member."""
        if self.status[member] != Status.OK:
            return Status(int(self.status[member])).explanation
        if self.converged[member]:
            return f"at rest after {self.time[member]:g} time units"
        return (
            f"still moving after {self.time[member]:g} time units (relative rate "
            f"{self.residual[member]:.2g} per time unit, growth {self.growth[member]:.2g}): "
            "it oscillates, drifts, or needs a longer max_time"
        )


def find_steady_state(task: SteadyTask, solver: OdeSolver) -> SteadyState:
    """Integrate in stretches of growing length until every member is certified.

    Parameters
    ----------
    task : SteadyTask
        Members to bring to rest.
    solver : OdeSolver
        Any integrator.

    Returns
    -------
    SteadyState
        One row per member, each a pure function of that member's inputs.
    """
    size = len(task.initial)
    unknown = np.full(size, np.nan)
    result = SteadyState(
        states=np.array(task.initial, dtype=np.float64),
        converged=np.zeros(size, dtype=bool),
        status=np.zeros(size, dtype=np.int64),
        residual=unknown.copy(),
        growth=unknown.copy(),
        time=np.zeros(size),
    )
    evaluator = SystemEvaluator(task.system)
    ends = task.max_time * 4.0 ** -np.arange(_STRETCHES - 1, -1, -1.0)
    for start, stop in zip([0.0, *ends[:-1]], ends, strict=True):
        moving = np.flatnonzero(~result.converged & (result.status == Status.OK))
        if moving.size == 0:
            break
        _advance(task, solver, evaluator, result, moving, (start, stop))
    return result


def _advance(
    task: SteadyTask,
    solver: OdeSolver,
    evaluator: SystemEvaluator,
    result: SteadyState,
    members: NDArray[np.intp],
    stretch: tuple[float, float],
) -> None:
    """Integrate some members over one stretch and try to certify them."""
    before = result.states[members]
    solution = solver.solve(
        OdeTask(
            system=task.system,
            initial=before,
            segments=[OdeSegment(*stretch, task.parameters[members])],
            times=np.array(stretch[1:]),
            rtol=task.rtol,
            atol=1e-3 * task.rtol * task.scale[members],
            max_steps=task.max_steps,
        )
    )
    for row, member in enumerate(members):
        result.status[member] = solution.status[row]
        result.states[member] = solution.final[row]
        result.time[member] = stretch[1]
        if solution.status[row] != Status.OK:
            continue
        evaluator.set_parameters(task.parameters[member])
        with one_blas_thread():
            rest = _Rest(evaluator, task.scale[member], task.who, solution.final[row])
            if stretch[0] > 0.0 and rest.distance(before[row]) <= task.tolerance:
                result.converged[member] = rest.certify(stretch[1], task.tolerance)
            result.states[member] = rest.state
            result.growth[member] = rest.growth
            result.residual[member] = rest.residual()


class _Rest:
    """A candidate for the steady state of one member; parameters are already set.

    The linear algebra is done on ``y / (|y| + scale)``, a similarity, so eigenvalues
    keep their meaning and small species their weight.
    """

    def __init__(self, evaluator: SystemEvaluator, scale: Array, who: NDArray[np.intp], state: Array) -> None:
        self.evaluator = evaluator
        self.scale = scale
        self.who = who
        self.state = np.array(state)
        self.growth = np.nan

    def _slope(self, state: Array) -> Array:
        """Relative rate of change of the judged states [1/time]; nan where not finite."""
        try:
            slope = self.evaluator.rhs(0.0, state)
        except NonFiniteError:
            return np.full(len(self.who), np.nan)
        return np.asarray((slope / (np.abs(state) + self.scale))[self.who])

    def _jacobian(self, state: Array) -> Array:
        """Jacobian of the judged states, in relative units [1/time]."""
        weight = np.abs(state) + self.scale
        full = self.evaluator.jacobian_by_columns(0.0, state).T * weight / weight[:, None]
        return np.asarray(full[np.ix_(self.who, self.who)])

    def distance(self, other: Array) -> float:
        """Largest relative difference of the judged states from another state."""
        weight = np.abs(self.state) + self.scale
        return float(np.max((np.abs(self.state - other) / weight)[self.who], initial=0.0))

    def residual(self) -> float:
        """Largest relative rate of change [1/time]; nan if not finite."""
        return float(np.max(np.abs(self._slope(self.state)), initial=0.0))

    def certify(self, elapsed: float, tolerance: float) -> bool:
        """Move to the root nearby if it is near, stable and not negative; say whether."""
        import scipy.linalg

        root = self._root(tolerance)
        if root is None or self.distance(root) > tolerance:
            return False
        matrix = self._jacobian(root)
        self.growth = float(np.max(scipy.linalg.eigvals(matrix).real, initial=-np.inf))
        rounding = 1e-9 * float(np.max(np.abs(matrix), initial=0.0))
        if self.growth > max(1.0 / elapsed, rounding):
            return False
        self.state = root
        return True

    def _root(self, tolerance: float) -> Array | None:
        """Newton's method along the directions that leave conserved totals alone."""
        import scipy.linalg

        state = self.state.copy()
        left, values, _ = scipy.linalg.svd(self._jacobian(state))
        largest = float(np.max(values, initial=0.0))
        kept = left[:, values <= 1e-14 * len(values) * largest]
        weight = (np.abs(state) + self.scale)[self.who]
        for _ in range(_NEWTON_LIMIT):
            now = (np.abs(state) + self.scale)[self.who]
            totals = largest * (kept / weight[:, None]).T * now
            system = np.vstack([self._jacobian(state), totals])
            target = np.concatenate([-self._slope(state), np.zeros(kept.shape[1])])
            if not (np.all(np.isfinite(system)) and np.all(np.isfinite(target))):
                return None
            step = scipy.linalg.lstsq(system, target)[0]
            state[self.who] += step * now
            if float(np.max(np.abs(step), initial=0.0)) <= 1e-4 * tolerance:
                return self._not_negative(state, tolerance)
        return None

    def _not_negative(self, state: Array, tolerance: float) -> Array | None:
        floor = self.evaluator.floor
        if np.any(state < floor - tolerance * self.scale):
            return None
        return np.asarray(np.maximum(state, floor))
