"""Forward sensitivities by members that share their steps.

The copies of a member, each with one parameter disturbed, follow the very steps that were
chosen for the member itself, so that the error of the steps cancels in
the difference. What remains is the error of the difference itself, of the order of the
relative disturbance, and rounding divided by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haptos.errors import ParameterError, Status
from haptos.numerics.engine._lane_data import RECORD, REPLAY
from haptos.numerics.engine.solver import EngineSolver, Script, integrate
from haptos.numerics.ode import OdeSegment, OdeSolution, OdeTask

__all__ = ["Sensitivities", "forward_sensitivities"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Sensitivities:
    """States and their derivatives by parameters.

    Attributes
    ----------
    solution : OdeSolution
        The undisturbed members.
    derivatives : ndarray, shape (B, K, T, n_states)
        ``d state / d parameter`` at the output times; nan where a member failed.
    status : ndarray of int, shape (B, K)
        :class:`haptos.errors.Status` of every derivative.
    """

    solution: OdeSolution
    derivatives: Array
    status: NDArray[np.int64]


def forward_sensitivities(
    task: OdeTask,
    parameters: Sequence[int],
    *,
    solver: EngineSolver | None = None,
    disturbance: float = 1e-6,
) -> Sensitivities:
    """Differentiate the solution of a task by parameters.

    Parameters
    ----------
    task : OdeTask
        Without events: their moments would shift between the copies. The initial states
        are taken as they are, not as functions of the parameters.
    parameters : sequence of int
        Positions of the K parameters; each is disturbed in all segments.
    solver : EngineSolver, optional
        How to integrate.
    disturbance : float
        Relative disturbance in (0, 0.01]; a parameter of zero is disturbed by it absolutely.

    Raises
    ------
    ParameterError
        If a position does not exist, or the task has events or jumps whose times depend
        on a parameter.
    """
    _check(task, parameters, disturbance)
    chosen = solver or EngineSolver()
    fresh, size, count = np.zeros(task.n_members), task.n_members, len(parameters)
    solution, _ = integrate(chosen, task, fresh)
    first = np.concatenate([[0], np.cumsum(solution.n_steps)])
    ends = np.zeros(int(first[-1]) + 1)
    integrate(chosen, task, fresh, Script(RECORD, ends, first[:-1].copy()))
    members, copies = np.repeat(np.arange(size), count), np.tile(np.arange(count), size)
    segments, moved = _disturbed(task, members, np.asarray(parameters, dtype=np.int64)[copies], disturbance)
    copied = OdeTask(
        system=task.system,
        initial=task.initial[members],
        segments=segments,
        times=task.times,
        rtol=task.rtol,
        atol=task.atol if task.atol.ndim == 1 else task.atol[members],
        max_steps=task.max_steps,
    )
    follow = Script(REPLAY, ends, np.ascontiguousarray(first[:-1][members]))
    usable = solution.status[members] == Status.OK
    found, _ = integrate(chosen, copied, np.zeros(len(members)), follow)
    shape = (size, count, len(task.times), task.system.n_states)
    derivatives = (found.states.reshape(shape) - solution.states[:, None]) / moved.reshape(size, count, 1, 1)
    status = np.where(usable, found.status, solution.status[members]).reshape(size, count)
    derivatives[status != Status.OK] = np.nan
    return Sensitivities(solution, derivatives, status)


def _disturbed(
    task: OdeTask, members: NDArray[np.intp], positions: NDArray[np.int64], disturbance: float
) -> tuple[list[OdeSegment], Array]:
    """Return the segments of the copies and by how much each parameter was moved.

    The move is the same in all segments, in absolute terms that of the first: what is
    differentiated by is a shift of the parameter at all times.
    """
    rows = np.arange(len(members))
    own = task.segments[0].parameters[members, positions]
    moved = np.where(own == 0.0, disturbance, own * disturbance)
    segments = []
    for segment in task.segments:
        values = np.array(segment.parameters[members])
        values[rows, positions] += moved
        changes = (None if c is None else c[members] for c in (segment.scale, segment.shift))
        segments.append(OdeSegment(segment.start, segment.stop, values, *changes))
    exact = segments[0].parameters[rows, positions] - own
    return segments, exact


def _check(task: OdeTask, parameters: Sequence[int], disturbance: float) -> None:
    beyond = [i for i in parameters if not 0 <= i < task.system.n_parameters]
    if beyond:
        raise ParameterError(f"there are no parameters {beyond}; the system has {task.system.n_parameters}")
    if not 0.0 < disturbance <= 0.01:
        raise ParameterError(f"the disturbance must be in (0, 0.01], not {disturbance}")
    if task.events is not None:
        raise ParameterError("sensitivities of a task with events are not supported")
    if task.system.breaks.n_outputs:
        raise ParameterError(
            "the right-hand side jumps at times that depend on parameters; give the schedule as segments"
        )
