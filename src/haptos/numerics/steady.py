"""Find steady states and certify them.

Integration brings every member near its steady state; Newton's method with the analytic
Jacobian then finds the exact root next to it, within the same conserved totals. A member
is *converged* only if all of this holds: the state hardly changed over a stretch three
times as long as everything before, a root lies within the tolerance of the integrated
state, and no small disturbance of the root grows. An oscillation fails the first or the
second, a saddle or an unstable rest the third.

All members of a batch are certified together, each as a pure function of its own row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haptos.errors import ParameterError, Status
from haptos.numerics.certificate import Certifier
from haptos.numerics.ode import OdeSegment, OdeSolver, OdeTask
from haptos.numerics.system import OdeSystem

__all__ = ["SteadyState", "SteadyTask", "find_steady_state"]

Array = NDArray[np.float64]

_STRETCHES: Final = 7


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
    n_steps, n_rhs : ndarray of int, shape (B,)
        Internal steps and evaluations of the right-hand side of the integration.
    """

    states: Array
    converged: NDArray[np.bool_]
    status: NDArray[np.int64]
    residual: Array
    growth: Array
    time: Array
    n_steps: NDArray[np.int64]
    n_rhs: NDArray[np.int64]

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
    counts = np.zeros((3, size), dtype=np.int64)
    result = SteadyState(
        states=np.array(task.initial, dtype=np.float64),
        converged=np.zeros(size, dtype=bool),
        status=counts[0],
        residual=unknown.copy(),
        growth=unknown.copy(),
        time=np.zeros(size),
        n_steps=counts[1],
        n_rhs=counts[2],
    )
    certifier = Certifier.of(task.system, task.who)
    ends = task.max_time * 4.0 ** -np.arange(_STRETCHES - 1, -1, -1.0)
    for start, stop in zip([0.0, *ends[:-1]], ends, strict=True):
        moving = np.flatnonzero(~result.converged & (result.status == Status.OK))
        if moving.size == 0:
            break
        _advance(task, solver, certifier, result, moving, (start, stop))
    return result


def _advance(
    task: SteadyTask,
    solver: OdeSolver,
    certifier: Certifier,
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
            times=np.zeros(0),
            rtol=task.rtol,
            atol=1e-3 * task.rtol * task.scale[members],
            max_steps=task.max_steps,
        )
    )
    result.status[members] = solution.status
    result.states[members] = solution.final
    result.time[members] = stretch[1]
    result.n_steps[members] += solution.n_steps
    result.n_rhs[members] += solution.n_rhs
    well = solution.status == Status.OK
    good = members[well]
    candidates = certifier.candidates(task.parameters[good], task.scale[good], solution.final[well])
    calm = candidates.distance(before[well]) <= task.tolerance if stretch[0] > 0.0 else np.zeros(len(good), dtype=bool)
    certificate = candidates.certify(np.flatnonzero(calm), stretch[1], task.tolerance)
    result.converged[good] = certificate.certified
    result.states[good] = certificate.states
    result.growth[good] = certificate.growth
    result.residual[good] = certificate.residual
