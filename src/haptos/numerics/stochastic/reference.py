"""The stochastic engine in plain Python: the readable meaning of the kernels.

Same words, same order of draws, same order of additions: the trajectories are equal bit
for bit (tests hold them against each other), as long as laws on tapes use nothing but the
four operations, whose rounding is fixed. Slower by a factor of some thousands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from haptos.errors import Status
from haptos.numerics.events import fire
from haptos.numerics.stochastic.reference_leap import leap
from haptos.numerics.stochastic.reference_piece import FailedError, Piece, ReferenceRun
from haptos.numerics.stochastic.reference_random import ReferenceStream
from haptos.numerics.stochastic.sampler import change_state, whole
from haptos.numerics.stochastic.task import StochasticTask

__all__ = ["ReferenceRun", "sample_member"]

Array = NDArray[np.float64]


class _EventError(Exception):
    """A trigger turned true; carries the moments at which to examine it."""


def sample_member(task: StochasticTask, b: int) -> ReferenceRun:
    """Sample one member of a task."""
    walker = Walker(task, b)
    try:
        walker.walk()
    except FailedError as end:
        walker.run.status = end.args[0]
    return walker.run


class Walker:
    """The loop over segments, breaks, events and jumps."""

    def __init__(self, task: StochasticTask, b: int) -> None:
        self.task, self.b, self.system = task, b, task.system
        first, second = (int(k) for k in task.keys[b])
        self.stream = ReferenceStream((first, second))
        self.run = ReferenceRun(np.zeros(0))
        events = self.system.events
        self.truth = np.zeros(0, dtype=bool) if events is None else events.initial.copy()
        self.parameters: Array = np.zeros(0)

    def walk(self) -> None:
        """Go through all segments."""
        self._place(*whole(self.system, np.array(self.task.initial[self.b], dtype=np.float64)))
        for number, segment in enumerate(self.task.segments):
            self.run.time = segment.start
            if segment.scale is not None or segment.shift is not None:
                self._place(*change_state(self.system, self.run.x, segment, self.b))
            self.parameters = segment.parameters[self.b]
            if not np.all(np.isfinite(self.parameters)):
                raise FailedError(Status.NON_FINITE)
            if np.any(self.parameters[self.system.watched] < 0.0):
                raise FailedError(Status.NEGATIVE)
            just_after = False
            while True:
                try:
                    self._segment(segment.stop, just_after)
                    break
                except _EventError as moments:
                    self._fire(moments.args)
                    just_after = moments.args[0] > self.run.time
            if number == len(self.task.segments) - 1:
                self.record(lambda _: True)

    def _place(self, state: Array, status: Status) -> None:
        self.run.x = state
        if status is not Status.OK:
            raise FailedError(status)

    def record(self, passed: Callable[[float], bool]) -> None:
        times = self.task.times
        while len(self.run.rows) < len(times) and passed(float(times[len(self.run.rows)])):
            self.run.rows.append(self.run.x.copy())

    def _segment(self, stop: float, just_after: bool) -> None:
        """Go from break to break; after an event just after the clock, the clock itself is past."""
        run = self.run
        while True:
            if not just_after:
                self.examine(run.time, [run.time, run.time])
            just_after = False
            if run.time >= stop:
                return
            self.record(lambda t: t <= run.time)
            nowhere = np.concatenate([np.zeros(self.system.n_states), self.parameters])
            breaks = self.system.breaks.evaluate(nowhere)
            border = min([stop, *(t for t in breaks.tolist() if run.time < t < stop)])
            moment = run.time + 0.5 * (border - run.time)
            self.examine(moment, [run.time + 4.0 * float(np.spacing(abs(run.time))), moment])
            coefficients = self.system.coefficients.evaluate(np.concatenate([run.x, self.parameters]), moment)
            if not np.all(np.isfinite(coefficients)):
                raise FailedError(Status.NON_FINITE)
            if np.any(coefficients < 0.0):
                raise FailedError(Status.NEGATIVE)
            piece = Piece(self, coefficients.tolist(), moment)
            if self.task.method == "leap":
                leap(piece, border)
            else:
                piece.jump(border, None)
            self.record(lambda t, border=border: t < border)  # type: ignore[misc]

    def examine(self, time: float, moments: list[float]) -> None:
        """Raise if a trigger turned true; otherwise remember the triggers."""
        events = self.system.events
        if events is None:
            return
        now = events.triggers.evaluate(np.concatenate([self.run.x, self.parameters]), time) != 0.0
        if np.any(now & ~self.truth):
            raise _EventError(*moments)
        self.truth = now

    def _fire(self, moments: Sequence[float]) -> None:
        events = self.system.events
        assert events is not None
        for moment in moments:
            firing = fire(events, moment, self.run.x, self.parameters, self.truth)
            if firing.storm:
                raise FailedError(Status.EVENT_STORM)
            if firing.executed:
                self._place(*whole(self.system, firing.state))
                self.truth = firing.truth
                return
        raise FailedError(Status.EVENT_STORM)
