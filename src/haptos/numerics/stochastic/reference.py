"""The stochastic engine in plain Python: the readable meaning of the kernels.

Same words, same order of draws, same order of additions: the trajectories are equal bit
for bit (tests hold them against each other), as long as laws on tapes use nothing but the
four operations, whose rounding is fixed. Slower by a factor of some thousands.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from haptos.errors import Status
from haptos.numerics.events import fire
from haptos.numerics.operations import OPERATIONS, Op, apply_operation
from haptos.numerics.stochastic.reference_random import ReferenceStream
from haptos.numerics.stochastic.sampler import change_state, whole
from haptos.numerics.stochastic.system import StochasticSystem
from haptos.numerics.stochastic.task import StochasticTask

__all__ = ["ReferenceRun", "eightfold_sum", "sample_member"]

Array = NDArray[np.float64]

_MOST = 2.0**53


class _FailedError(Exception):
    """A member ended with a status."""


class _EventError(Exception):
    """A trigger turned true; carries the moments at which to examine it."""


@dataclass(slots=True)
class ReferenceRun:
    """One member on its way.

    Attributes
    ----------
    x : ndarray, shape (n_states,)
        State.
    time : float
        Its time.
    rows : list of ndarray
        States at the output times passed so far.
    status : Status
        How it ended.
    n_events, n_steps : int
        Reactions; jumps and leaps.
    """

    x: Array
    time: float = 0.0
    rows: list[Array] = field(default_factory=list)
    status: Status = Status.OK
    n_events: int = 0
    n_steps: int = 0


def eightfold_sum(values: Sequence[float]) -> float:
    """Add up numbers as the search tree does: eight by eight, in pairs.

    Examples
    --------
    >>> eightfold_sum([0.1] * 3)
    0.30000000000000004
    """
    level = list(values) or [0.0]
    while True:
        level += [0.0] * (-len(level) % 8)
        groups = [level[i : i + 8] for i in range(0, len(level), 8)]
        level = [((a + b) + (c + d)) + ((e + f) + (g + h)) for a, b, c, d, e, f, g, h in groups]
        if len(level) == 1:
            return level[0]


def sample_member(task: StochasticTask, b: int) -> ReferenceRun:
    """Sample one member of a task."""
    walker = _Walker(task, b)
    try:
        walker.walk()
    except _FailedError as end:
        walker.run.status = end.args[0]
    return walker.run


class _Walker:
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
                raise _FailedError(Status.NON_FINITE)
            if np.any(self.parameters[self.system.watched] < 0.0):
                raise _FailedError(Status.NEGATIVE)
            just_after = False
            while True:
                try:
                    self._segment(segment.stop, just_after)
                    break
                except _EventError as moments:
                    self._fire(moments.args)
                    just_after = moments.args[0] > self.run.time
            if number == len(self.task.segments) - 1:
                self._record(lambda _: True)

    def _place(self, state: Array, status: Status) -> None:
        self.run.x = state
        if status is not Status.OK:
            raise _FailedError(status)

    def _record(self, passed: Callable[[float], bool]) -> None:
        times = self.task.times
        while len(self.run.rows) < len(times) and passed(float(times[len(self.run.rows)])):
            self.run.rows.append(self.run.x.copy())

    def _segment(self, stop: float, just_after: bool) -> None:
        """Go from break to break; after an event just after the clock, the clock itself is past."""
        run = self.run
        while True:
            if not just_after:
                self._examine(run.time, [run.time, run.time])
            just_after = False
            if run.time >= stop:
                return
            self._record(lambda t: t <= run.time)
            nowhere = np.concatenate([np.zeros(self.system.n_states), self.parameters])
            breaks = self.system.breaks.evaluate(nowhere)
            border = min([stop, *(t for t in breaks.tolist() if run.time < t < stop)])
            moment = run.time + 0.5 * (border - run.time)
            self._examine(moment, [run.time + 4.0 * float(np.spacing(abs(run.time))), moment])
            coefficients = self.system.coefficients.evaluate(np.concatenate([run.x, self.parameters]), moment)
            if not np.all(np.isfinite(coefficients)):
                raise _FailedError(Status.NON_FINITE)
            if np.any(coefficients < 0.0):
                raise _FailedError(Status.NEGATIVE)
            piece = _Piece(self, coefficients.tolist(), moment)
            if self.task.method == "leap":
                piece.leap(border)
            else:
                piece.jump(border, None)
            self._record(lambda t, border=border: t < border)  # type: ignore[misc]

    def _examine(self, time: float, moments: list[float]) -> None:
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
                raise _FailedError(Status.EVENT_STORM)
            if firing.executed:
                self._place(*whole(self.system, firing.state))
                self.truth = firing.truth
                return
        raise _FailedError(Status.EVENT_STORM)


class _Piece:
    """A stretch of time in which laws do not depend on time."""

    def __init__(self, walker: _Walker, coefficients: list[float], moment: float) -> None:
        self.walker, self.run, self.system = walker, walker.run, walker.system
        self.stream, self.coefficients, self.moment = walker.stream, coefficients, moment
        system = self.system
        self.reads = [system.reads.row(r) for r in range(system.n_jumps)]
        starts = system.changes.first
        self.changes = [
            [(i, float(system.change_by[starts[r] + k])) for k, i in enumerate(system.changes.row(r))]
            for r in range(system.n_jumps)
        ]

    def propensities(self) -> list[float]:
        """Evaluate all laws."""
        found = [self._law(r) for r in range(self.system.n_jumps)]
        if any(a < 0.0 for a in found):
            raise _FailedError(Status.NEGATIVE)
        if not math.isfinite(eightfold_sum(found)):
            raise _FailedError(Status.NON_FINITE)
        return found

    def _law(self, r: int) -> float:
        count = int(self.system.n_factors[r])
        if count >= 0:
            a = float(self.coefficients[r])
            for i, offset in self.system.factors[r, :count].tolist():
                a *= float(self.run.x[i]) - offset
            return a
        return _tape_law(self.system, r, self.run.x, self.walker.parameters, self.moment)

    def jump(self, stop: float, budget: int | None) -> None:
        """Jump until `stop` or for a number of jumps."""
        run, task = self.run, self.walker.task
        propensities = self.propensities()
        done = 0
        while True:
            total = eightfold_sum(propensities)
            if total <= 0.0:
                run.time = stop
                return
            if run.n_steps >= task.max_steps:
                raise _FailedError(Status.MAX_STEPS)
            if budget is not None and done >= budget:
                return
            later = run.time + self.stream.exponential() / total
            if later >= stop:
                run.time = stop
                return
            run.time = later
            self.walker._record(lambda t, later=later: t < later)  # type: ignore[misc] # noqa: SLF001
            r = _choose(propensities, self.stream.unit() * total)
            done += 1
            run.n_steps += 1
            run.n_events += 1
            self._add(r, 1.0)
            self._check()
            propensities = self.propensities()
            self.walker._examine(self.moment, [run.time, self.moment])  # noqa: SLF001

    def _add(self, r: int, times: float) -> None:
        for i, by in self.changes[r]:
            self.run.x[i] += times * by

    def _check(self) -> None:
        counts = self.run.x[: self.system.n_counts]
        if np.any(counts < 0.0):
            raise _FailedError(Status.NEGATIVE)
        if np.any(counts > _MOST):
            raise _FailedError(Status.NON_FINITE)

    def leap(self, stop: float) -> None:
        """Leap until `stop`, after Cao, Gillespie and Petzold (2006)."""
        run, task = self.run, self.walker.task
        while run.time < stop:
            self.walker._record(lambda t: t <= run.time)  # noqa: SLF001
            a = self.propensities()
            total = eightfold_sum(a)
            if total <= 0.0:
                run.time = stop
                return
            critical = [a[r] > 0.0 and self._possible(r) < 10.0 for r in range(len(a))]
            risky = sum((a[r] for r in range(len(a)) if critical[r]), 0.0)
            longest = self._longest(a, critical, task.tolerance)
            alone = self.stream.exponential() / risky if risky > 0.0 else math.inf
            before = run.x.copy()
            following = [float(t) for t in task.times[len(run.rows) : len(run.rows) + 1]]
            end = min([stop, *following])
            while True:
                if longest < 10.0 / total:
                    self.jump(stop, 100)
                    break
                if run.n_steps >= task.max_steps:
                    raise _FailedError(Status.MAX_STEPS)
                tau, extra, later = min(longest, alone), None, run.time + min(longest, alone)
                if later >= end:
                    later, tau = end, end - run.time
                elif alone <= longest:
                    extra = _choose_among(a, critical, self.stream.unit() * risky)
                run.n_steps += 1
                numbers = self._numbers(a, critical, tau, extra)
                if np.any(run.x[: self.system.n_counts] < 0.0):
                    run.x = before.copy()
                    longest = 0.5 * tau
                    continue
                self._check()
                run.time = later
                run.n_events += int(sum(numbers))
                self.propensities()
                self.walker._examine(self.moment, [run.time, self.moment])  # noqa: SLF001
                break

    def _possible(self, r: int) -> float:
        """Return how often a jump can happen before a species runs out."""
        found = [math.floor(float(self.run.x[i]) / -by) for i, by in self.changes[r] if by < 0.0]
        return min([math.inf, *found])

    def _longest(self, a: list[float], critical: list[bool], tolerance: float) -> float:
        n = self.system.n_counts
        order, mean, variance, gross = [0.0] * n, [0.0] * n, [0.0] * n, [0.0] * n
        for r in range(len(a)):
            for i in self.reads[r]:
                order[i] = max(order[i], self._order(r))
            if a[r] > 0.0 and not critical[r]:
                for i, by in self.changes[r]:
                    mean[i] += by * a[r]
                    variance[i] += by * by * a[r]
                    gross[i] += abs(by) * a[r]
        longest = math.inf
        for i in range(n):
            if order[i] > 0.0 and variance[i] > 0.0:
                room = max(tolerance * float(self.run.x[i]) / order[i], 1.0)
                longest = min(longest, room * room / variance[i])
                longest = min(longest, room / max(abs(mean[i]), 0.5 * gross[i]))
        return longest

    def _order(self, r: int) -> float:
        count = int(self.system.n_factors[r])
        if count < 0:
            return float(self.system.orders[r])
        g = 0.0
        for i, offset in self.system.factors[r, :count].tolist():
            free = float(self.run.x[i]) - offset
            g += float(self.run.x[i]) / free if free > 0.0 else 1.0
        return g

    def _numbers(self, a: list[float], critical: list[bool], tau: float, extra: int | None) -> list[float]:
        """Draw how often every jump happens and add it to the state."""
        numbers = [1.0 if r == extra else 0.0 for r in range(len(a))]
        for r in range(len(a)):
            if not critical[r] and a[r] > 0.0:
                if a[r] * tau > 1e15:
                    raise _FailedError(Status.NON_FINITE)
                numbers[r] = self.stream.poisson(a[r] * tau)
        for r, times in enumerate(numbers):
            if times > 0.0:
                self._add(r, times)
        return numbers


def _choose(propensities: list[float], mark: float) -> int:
    """Find the jump in whose stretch the mark lies: from the largest groups down."""
    depth = 1
    while 8**depth < len(propensities):
        depth += 1
    padded = propensities + [0.0] * (8**depth - len(propensities))
    start, size = 0, 8**depth
    while size > 1:
        size //= 8
        sums = [_group(padded[start + k * size : start + (k + 1) * size]) for k in range(8)]
        below, chosen = 0.0, 0
        for reached in _partial_sums(sums):
            if mark >= reached:
                below, chosen = reached, chosen + 1
        mark -= below
        while chosen > 0 and sums[chosen] <= 0.0:
            chosen -= 1
        start += chosen * size
    return start


def _partial_sums(s: list[float]) -> list[float]:
    """Return the sums of the first one to seven of eight, added as the kernel does."""
    two = s[0] + s[1]
    four = two + (s[2] + s[3])
    six = four + (s[4] + s[5])
    return [s[0], two, two + s[2], four, four + s[4], six, six + s[6]]


def _group(values: list[float]) -> float:
    return values[0] if len(values) == 1 else eightfold_sum(values)


def _choose_among(a: list[float], critical: list[bool], mark: float) -> int | None:
    """Find the critical jump in whose stretch the mark lies."""
    chosen, below = None, 0.0
    for r in range(len(a)):
        if critical[r]:
            if chosen is not None and mark < below:
                break
            chosen, below = r, below + a[r]
    return chosen


def _tape_law(system: StochasticSystem, r: int, x: Array, parameters: Array, time: float) -> float:
    """Evaluate a law that is not in the table, instruction by instruction."""
    tapes, law = system.tapes, int(system.tapes.law[r])
    work = tapes.work.copy()
    work[tapes.first_variable : tapes.first_variable + len(x)] = x
    work[tapes.first_variable + len(x) : tapes.time_place] = parameters
    work[tapes.time_place] = time
    body = range(int(tapes.start[law]), int(tapes.start[law + 1]))
    steps = [(tapes.first_prologue + k, row) for k, row in enumerate(tapes.prologue.tolist())]
    steps += [(tapes.first_body + k, tapes.body[k].tolist()) for k in body]
    for place, (code, *operands) in steps:
        op = Op(code)
        work[place] = apply_operation(op, *(work[i] for i in operands[: OPERATIONS[op].arity]))
    return float(work[tapes.output[law]])
