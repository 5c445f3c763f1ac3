"""Events on top of any solver: slow, readable, the meaning of events along a solution.

The solver integrates from one event to the next on a grid; where a trigger turns true
between two points the grid is refined again and again, until the moment is known to a
few roundings of time.
"""

from __future__ import annotations

import itertools
import time as clock
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haptos.errors import Status
from haptos.numerics.evaluator import evaluate_tape
from haptos.numerics.events import EventSet, fire
from haptos.numerics.ode import OdeSegment, OdeSolution, OdeSolver, OdeTask

__all__ = ["solve_with_events"]

Array = NDArray[np.float64]

_COARSE: Final = 129
_FINE: Final = 17
_NEARNESS: Final = 1e-13


def solve_with_events(task: OdeTask, solver: OdeSolver) -> OdeSolution:
    """Integrate a task with events by a solver that knows none.

    Parameters
    ----------
    task : OdeTask
        With `events`.
    solver : OdeSolver
        Integrates the stretches between events; called with tasks without events.

    Notes
    -----
    A trigger that turns true and false again between two points of the grid (1/128 of
    the time left in a stretch) is not seen.
    """
    size, n = task.initial.shape
    states = np.full((size, len(task.times), n), np.nan)
    final = np.full((size, n), np.nan)
    status, n_steps, n_rhs = (np.zeros(size, dtype=np.int64) for _ in range(3))
    seconds = np.zeros(size)
    for b in range(size):
        began = clock.perf_counter()
        member = _Member(task, solver, b)
        status[b] = member.run()
        if status[b] == Status.OK:
            states[b], final[b] = member.rows, member.state
        n_steps[b], n_rhs[b] = member.n_steps, member.n_rhs
        seconds[b] = clock.perf_counter() - began
    return OdeSolution(states, final, status, n_steps, n_rhs, seconds)


class _Member:
    """The integration of one member."""

    def __init__(self, task: OdeTask, solver: OdeSolver, index: int) -> None:
        if task.events is None:
            raise TypeError("the task has no events")
        self.task, self.solver, self.index = task, solver, index
        self.events: EventSet = task.events
        self.truth = self.events.initial
        self.state = np.array(task.initial[index], dtype=np.float64)
        self.parameters = np.zeros(task.system.n_parameters)
        self.atol = task.atol if task.atol.ndim == 1 else task.atol[index]
        self.rows = np.full((len(task.times), len(self.state)), np.nan)
        self.n_steps = self.n_rhs = 0

    def run(self) -> Status:
        """Go through all segments, then through the events of the last moment."""
        for segment in self.task.segments:
            self._change(segment)
            for start, stop in self._stretches(segment):
                status = self._stretch(start, stop)
                if status is not Status.OK:
                    return status
        end = self.task.segments[-1].stop
        status = self._fire(end)
        self.rows[self.task.times >= end] = self.state
        return status

    def _change(self, segment: OdeSegment) -> None:
        self.parameters = segment.parameters[self.index]
        if segment.scale is not None:
            self.state = self.state * segment.scale[self.index]
        if segment.shift is not None:
            self.state = self.state + segment.shift[self.index]

    def _stretches(self, segment: OdeSegment) -> list[tuple[float, float]]:
        """Cut a segment at the times at which a trigger turns by time alone."""
        nowhere = np.zeros((1, 1, len(self.state)))
        found = evaluate_tape(self.events.breaks, nowhere, self.parameters[None], np.zeros(1))
        inner = np.unique(found[(found > segment.start) & (found < segment.stop)])
        borders = np.unique([segment.start, *inner.tolist(), segment.stop]).tolist()
        return list(itertools.pairwise(borders)) or [(segment.start, segment.stop)]

    def _stretch(self, start: float, stop: float) -> Status:
        """Integrate to the next event, execute it, go on; fills the rows in [start, stop)."""
        status = self._fire(start)
        while status is Status.OK and start < stop:
            outputs = self.task.times[(self.task.times >= start) & (self.task.times < stop)]
            grid = np.unique(np.concatenate([np.linspace(start, stop, _COARSE), outputs]))
            status, path = self._integrate(self.state, grid)
            if status is not Status.OK:
                return status
            truths = self._truths(path, grid)
            turned = self._first_turn(truths)
            moment, state = grid[-1], path[-1]
            if turned is not None:
                moment, state = self._refine(grid[turned - 1], grid[turned], path[turned - 1])
            self._note(grid, path, start, moment)
            self.truth = truths[-1] if turned is None else truths[turned - 1]
            self.state, start = state, moment
            status = self._fire(moment) if turned is not None else Status.OK
        return status

    def _note(self, grid: Array, path: Array, start: float, moment: float) -> None:
        """Fill the rows in [start, moment)."""
        times = self.task.times
        here = np.flatnonzero((times >= start) & (times < moment))
        self.rows[here] = path[np.searchsorted(grid, times[here])]

    def _refine(self, low: float, high: float, state: Array) -> tuple[float, Array]:
        """Return the moment at which a trigger first turns true in (low, high] and the state."""
        while True:
            grid = np.linspace(low, high, _FINE)
            status, path = self._integrate(state, grid)
            if status is not Status.OK or high - low <= _NEARNESS * max(abs(low), abs(high)):
                return high, path[-1]
            turned = self._first_turn(self._truths(path, grid)) or len(grid) - 1
            low, high, state = float(grid[turned - 1]), float(grid[turned]), path[turned - 1]

    def _integrate(self, state: Array, grid: Array) -> tuple[Status, Array]:
        """Integrate along a grid without events."""
        task = OdeTask(
            system=self.task.system,
            initial=state[None],
            segments=[OdeSegment(float(grid[0]), float(grid[-1]), self.parameters[None])],
            times=grid,
            rtol=self.task.rtol,
            atol=self.atol,
            max_steps=self.task.max_steps,
        )
        solution = self.solver.solve(task)
        self.n_steps += int(solution.n_steps[0])
        self.n_rhs += int(solution.n_rhs[0])
        status = Status(int(solution.status[0]))
        return (Status.MAX_STEPS if self.n_steps > 20 * self.task.max_steps else status), solution.states[0]

    def _truths(self, path: Array, grid: Array) -> NDArray[np.bool_]:
        values = evaluate_tape(self.events.triggers, path[None], self.parameters[None], grid)
        return np.asarray(values[0] != 0.0)

    @staticmethod
    def _first_turn(truths: NDArray[np.bool_]) -> int | None:
        """Return the first point at which a trigger is true that was false one point before."""
        turned = np.flatnonzero(np.any(truths[1:] & ~truths[:-1], axis=1))
        return int(turned[0]) + 1 if turned.size else None

    def _fire(self, moment: float) -> Status:
        firing = fire(self.events, moment, self.state, self.parameters, self.truth)
        self.state, self.truth = firing.state, firing.truth
        if firing.storm:
            return Status.EVENT_STORM
        return Status.OK if np.all(np.isfinite(self.state)) else Status.NON_FINITE
