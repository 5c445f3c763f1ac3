"""Jumps in plain Python: propensities, sums, search; see :mod:`haptos.numerics.stochastic.reference`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from haptos.errors import Status
from haptos.numerics.operations import OPERATIONS, Op, apply_operation
from haptos.numerics.stochastic.reference_random import ReferenceStream
from haptos.numerics.stochastic.system import StochasticSystem
from haptos.numerics.stochastic.task import StochasticTask

__all__ = ["FailedError", "Piece", "ReferenceRun", "eightfold_sum"]

Array = NDArray[np.float64]

_MOST = 2.0**53


class FailedError(Exception):
    """A member ended with a status."""


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


class Surroundings(Protocol):
    """What a piece needs of the walk it belongs to."""

    task: StochasticTask
    system: StochasticSystem
    stream: ReferenceStream
    run: ReferenceRun
    parameters: Array

    def record(self, passed: Callable[[float], bool]) -> None:
        """Note the state at the output times that have passed."""

    def examine(self, time: float, moments: list[float]) -> None:
        """Look whether a trigger turned true."""


class Piece:
    """A stretch of time in which laws do not depend on time."""

    def __init__(self, walker: Surroundings, coefficients: list[float], moment: float) -> None:
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
            raise FailedError(Status.NEGATIVE)
        if not math.isfinite(eightfold_sum(found)):
            raise FailedError(Status.NON_FINITE)
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
                raise FailedError(Status.MAX_STEPS)
            if budget is not None and done >= budget:
                return
            later = run.time + self.stream.exponential() / total
            mark = self.stream.unit() * total
            if later >= stop:
                run.time = stop
                return
            run.time = later
            self.walker.record(lambda t, later=later: t < later)  # type: ignore[misc]
            r = _choose(propensities, mark)
            done += 1
            run.n_steps += 1
            run.n_events += 1
            self.add(r, 1.0)
            self.check()
            propensities = self.propensities()
            self.walker.examine(self.moment, [run.time, self.moment])

    def add(self, r: int, times: float) -> None:
        """Let a jump happen a number of times."""
        for i, by in self.changes[r]:
            self.run.x[i] += times * by

    def check(self) -> None:
        """End the member if a count is not admissible."""
        counts = self.run.x[: self.system.n_counts]
        if np.any(counts < 0.0):
            raise FailedError(Status.NEGATIVE)
        if np.any(counts > _MOST):
            raise FailedError(Status.NON_FINITE)


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
