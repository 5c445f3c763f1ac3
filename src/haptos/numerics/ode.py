"""The interface to integrators: a task in, a solution out, a batch at a time.

A task integrates B members of one system. All members share the segments' times; each
has its own initial state and, in every segment, its own parameters and its own change of
state at the start of the segment. Failure is data: a status per member and rows of nan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from haptos.errors import ParameterError
from haptos.numerics.events import EventSet
from haptos.numerics.system import OdeSystem

__all__ = ["OdeSegment", "OdeSolution", "OdeSolver", "OdeTask"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class OdeSegment:
    """One stretch of time with constant parameters.

    Attributes
    ----------
    start, stop : float
        The half-open interval [start, stop), in the time unit of the system. The last
        segment of a task includes its stop. A segment of length zero only changes the
        state.
    parameters : ndarray, shape (B, n_parameters)
        Parameters of every member during the segment.
    scale, shift : ndarray, shape (B, n_states), optional
        At the start the state becomes ``scale * state + shift``: 0 and v to set a
        value, 1 and v to add, 0.5 and 0 to halve.
    """

    start: float
    stop: float
    parameters: Array
    scale: Array | None = None
    shift: Array | None = None


@dataclass(frozen=True, slots=True, eq=False)
class OdeTask:
    """What is to be integrated.

    Attributes
    ----------
    system : OdeSystem
        The equations.
    initial : ndarray, shape (B, n_states)
        State at the start of the first segment, before its change of state.
    segments : sequence of OdeSegment
        Contiguous, in order; at least one.
    times : ndarray, shape (T,)
        Output times, not descending, within the segments. At the border of two segments
        the output is that of the later one, after its change of state.
    rtol : float
        Relative tolerance per step, in [1e-13, 0.1].
    atol : ndarray, shape (n_states,) or (B, n_states)
        Absolute tolerance per step, > 0, in the units of the states.
    max_steps : int
        Limit of internal steps of one member over the whole task.
    events : EventSet, optional
        What sets states anew when a condition turns true.
    """

    system: OdeSystem
    initial: Array
    segments: Sequence[OdeSegment]
    times: Array
    rtol: float
    atol: Array
    max_steps: int = 100_000
    events: EventSet | None = None

    def __post_init__(self) -> None:
        """Check shapes and ranges."""
        _check(self)

    @property
    def n_members(self) -> int:
        """B, the number of members."""
        return len(self.initial)


@dataclass(frozen=True, slots=True, eq=False)
class OdeSolution:
    """What came out.

    Attributes
    ----------
    states : ndarray, shape (B, T, n_states)
        States at the output times; nan for members that failed.
    final : ndarray, shape (B, n_states)
        States at the stop of the last segment; nan for members that failed.
    status : ndarray of int, shape (B,)
        :class:`haptos.errors.Status` of every member.
    n_steps : ndarray of int, shape (B,)
        Internal steps taken.
    n_rhs : ndarray of int, shape (B,)
        Evaluations of the right-hand side.
    seconds : ndarray, shape (B,)
        Wall time of every member [s]; not part of the reproducible result.
    """

    states: Array
    final: Array
    status: NDArray[np.int64]
    n_steps: NDArray[np.int64]
    n_rhs: NDArray[np.int64]
    seconds: Array


@runtime_checkable
class OdeSolver(Protocol):
    """Anything that integrates a task.

    The row of a member must be a pure function of that member's own inputs: the same
    bits whatever else is in the batch, in whatever order, on any number of threads.
    """

    def solve(self, task: OdeTask) -> OdeSolution:
        """Integrate all members; numerical failure is a status, never an exception."""
        ...


def _check(task: OdeTask) -> None:
    n, p = task.system.n_states, task.system.n_parameters
    size = len(task.initial)
    _shape("initial", task.initial, (size, n))
    if task.atol.shape not in ((n,), (size, n)):
        raise ParameterError(f"atol must have shape {(n,)} or {(size, n)}, not {task.atol.shape}")
    if not np.all(task.atol > 0.0):
        raise ParameterError("every absolute tolerance must be above zero")
    if not 1e-13 <= task.rtol <= 0.1:
        raise ParameterError(f"rtol must be in [1e-13, 0.1], not {task.rtol}")
    if task.max_steps < 1:
        raise ParameterError(f"max_steps must be at least 1, not {task.max_steps}")
    for segment in task.segments:
        _shape("the parameters of a segment", segment.parameters, (size, p))
        for change in (segment.scale, segment.shift):
            if change is not None:
                _shape("the change of state of a segment", change, (size, n))
    if task.events is not None and (task.events.n_states, task.events.n_parameters) != (n, p):
        raise ParameterError("the events were built for another number of states or parameters")
    _check_times(task.segments, task.times)


def _check_times(segments: Sequence[OdeSegment], times: ArrayLike) -> None:
    if not segments:
        raise ParameterError("a task needs at least one segment")
    ends = np.array([(s.start, s.stop) for s in segments], dtype=np.float64)
    if not np.all(np.isfinite(ends)) or np.any(ends[:, 1] < ends[:, 0]):
        raise ParameterError("segments must have finite times and must not stop before they start")
    if np.any(ends[1:, 0] != ends[:-1, 1]):
        raise ParameterError("each segment must start exactly where the one before it stops")
    grid = np.asarray(times, dtype=np.float64)
    if grid.ndim != 1 or np.any(np.diff(grid) < 0.0) or not np.all(np.isfinite(grid)):
        raise ParameterError("times must be a row of finite numbers in ascending order")
    if grid.size and (grid[0] < ends[0, 0] or grid[-1] > ends[-1, 1]):
        raise ParameterError(
            f"output times {grid[0]:g} to {grid[-1]:g} leave the simulated interval {ends[0, 0]:g} to {ends[-1, 1]:g}"
        )


def _shape(name: str, array: Array, shape: tuple[int, int]) -> None:
    if array.shape != shape:
        raise ParameterError(f"{name} must have shape {shape}, not {array.shape}")
