"""The integrator of SciPy behind the interface, the reference of the tests: LSODA.

LSODA switches between Adams and BDF formulas by itself [Petzold1983]_. The whole loop
over steps runs in compiled code and calls the compiled tapes. On 70 species and 100 reactions
over 72 h that took 3.3 ms; :func:`scipy.integrate.solve_ivp` with the same callbacks took 7.7
(LSODA), 20 (BDF) and 28 ms (Radau).
"""

from __future__ import annotations

import contextlib
import itertools
import time as clock
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from haptos.errors import Status
from haptos.numerics._blas import one_blas_thread
from haptos.numerics.evaluator import (
    NonFiniteError,
    SystemEvaluator,
    WorkLimitError,
    evaluate_tape,
)
from haptos.numerics.events_reference import solve_with_events
from haptos.numerics.ode import OdeSegment, OdeSolution, OdeTask

__all__ = ["ScipySolver"]

Array = NDArray[np.float64]

_STEP_CAPS: Final = (1.0 / 256.0, 1.0 / 16384.0)
"""Largest step as a share of the interval, tried in turn after a failure without limit."""


@dataclass(frozen=True, slots=True)
class ScipySolver:
    """LSODA, one member after the other.

    Notes
    -----
    The steps depend neither on the output times nor on other members. BLAS is held to
    one thread meanwhile: its threaded factorisation rounds differently from about 100
    states on.

    References
    ----------
    .. [Petzold1983] L. Petzold, SIAM J. Sci. Stat. Comput. 4, 136-148 (1983).
    """

    method: ClassVar[str] = "LSODA"

    def solve(self, task: OdeTask) -> OdeSolution:
        """Integrate all members of a task, see :class:`haptos.numerics.ode.OdeSolver`."""
        if task.events is not None:
            return solve_with_events(task, self)
        size, n = task.initial.shape
        states = np.full((size, len(task.times), n), np.nan)
        final = np.full((size, n), np.nan)
        status, n_steps, n_rhs = (np.zeros(size, dtype=np.int64) for _ in range(3))
        seconds = np.zeros(size)
        evaluator = SystemEvaluator(task.system)
        with one_blas_thread(), _quiet():
            for b in range(size):
                began = clock.perf_counter()
                member = _Member(task, evaluator, b)
                status[b] = member.run()
                if status[b] == Status.OK:
                    states[b], final[b] = member.rows[member.back], member.state
                n_steps[b], n_rhs[b] = member.n_steps, evaluator.n_rhs
                seconds[b] = clock.perf_counter() - began
        return OdeSolution(states, final, status, n_steps, n_rhs, seconds)


class _Member:
    """The integration of one member."""

    def __init__(self, task: OdeTask, evaluator: SystemEvaluator, index: int) -> None:
        self.task = task
        self.evaluator = evaluator
        self.index = index
        self.state = np.array(task.initial[index], dtype=np.float64)
        self.atol = np.array(task.atol if task.atol.ndim == 1 else task.atol[index])
        self.times, self.back = np.unique(task.times, return_inverse=True)
        self.rows = np.full((len(self.times), len(self.state)), np.nan)
        self.largest = np.abs(self.state)
        self.n_steps = 0
        evaluator.n_rhs, evaluator.max_rhs = 0, 20 * task.max_steps

    def run(self) -> Status:
        """Go through all segments; stop at the first failure."""
        for number, segment in enumerate(self.task.segments):
            last = number == len(self.task.segments) - 1
            status = self._segment(segment, last)
            if status is not Status.OK:
                return status
        return self._clip()

    def _segment(self, segment: OdeSegment, last: bool) -> Status:
        parameters = segment.parameters[self.index]
        if segment.scale is not None:
            self.state = self.state * segment.scale[self.index]
        if segment.shift is not None:
            self.state = self.state + segment.shift[self.index]
        if not (np.all(np.isfinite(self.state)) and np.all(np.isfinite(parameters))):
            return Status.NON_FINITE
        self.evaluator.set_parameters(parameters)
        borders = self._borders(segment, parameters)
        for start, stop in itertools.pairwise(borders):
            first = int(np.searchsorted(self.times, start))
            end = int(np.searchsorted(self.times, stop))
            status = self._stretch(start, stop, first, end)
            if status is not Status.OK:
                return status
        if last:
            self.rows[int(np.searchsorted(self.times, segment.stop)) :] = self.state
            self._note(self.state[None])
        return Status.OK

    def _borders(self, segment: OdeSegment, parameters: Array) -> list[float]:
        """Return the ends of the segment and the jumps of the right-hand side between them."""
        tape = self.task.system.breaks
        if segment.stop == segment.start:
            return []
        inner: list[float] = []
        if tape.n_outputs:
            nowhere = np.zeros((1, 1, len(self.state)))
            found = np.unique(evaluate_tape(tape, nowhere, parameters[None], np.zeros(1)))
            inner = found[(found > segment.start) & (found < segment.stop)].tolist()
        return [segment.start, *inner, segment.stop]

    def _stretch(self, start: float, stop: float, first: int, end: int) -> Status:
        """Integrate without a jump, filling the output rows in [first, end)."""
        inside = self.times[first:end]
        if len(self.state) == 0:
            return Status.OK
        if stop - start <= 16.0 * np.spacing(max(abs(start), abs(stop))):
            self.rows[first:end] = self.state
            return Status.OK
        self.evaluator.set_interval(start, stop)
        grid = np.concatenate([[start], inside[inside > start], [stop]])
        status, path = self._lsoda(grid, 0.0)
        for cap in _STEP_CAPS:
            if status not in (Status.NON_FINITE, Status.STEP_TOO_SMALL):
                break
            status, path = self._lsoda(grid, cap * (stop - start))
        if status is Status.OK:
            with_start = len(inside) - (len(grid) - 2)
            self.rows[first:end] = path[1 - with_start : -1]
            self.state = path[-1].copy()
            self._note(path)
        return status

    def _lsoda(self, grid: Array, largest_step: float) -> tuple[Status, Array]:
        from scipy.integrate import odeint

        evaluator, budget = self.evaluator, self.task.max_steps - self.n_steps
        try:
            path, info = odeint(
                evaluator.rhs,
                self.state,
                grid,
                Dfun=evaluator.jacobian_by_columns,
                col_deriv=True,
                tfirst=True,
                full_output=True,
                rtol=self.task.rtol,
                atol=self.atol,
                tcrit=grid[-1:],
                h0=self._first_step(grid[0], grid[-1]),
                hmax=largest_step,
                mxstep=max(budget, 1),
            )
        except NonFiniteError:
            return Status.NON_FINITE, grid
        except WorkLimitError:
            return Status.MAX_STEPS, grid
        return self._verdict(str(info["message"]), info["nst"], path), path

    def _verdict(self, message: str, steps: NDArray[np.int32], path: Array) -> Status:
        """Read how LSODA ended; the step counts are valid only after success."""
        if message.startswith("Excess work"):
            self.n_steps = self.task.max_steps
            return Status.MAX_STEPS
        if not message.startswith("Integration successful"):
            return Status.STEP_TOO_SMALL
        self.n_steps += int(steps[-1])
        if not np.all(np.isfinite(path)):
            return Status.NON_FINITE
        return Status.OK if self.n_steps <= self.task.max_steps else Status.MAX_STEPS

    def _first_step(self, start: float, stop: float) -> float:
        """Choose the first step by LSODA's rule, but from the interval, not the output grid."""
        slope = self.evaluator.rhs(start, self.state)
        weights = self.task.rtol * np.abs(self.state) + self.atol
        tolerance = min(max(self.task.rtol, 2.3e-14), 1e-3)
        size = max(abs(start), abs(stop))
        with np.errstate(over="ignore"):
            steepest = np.max(np.abs(slope) / weights)
            step = 1.0 / np.sqrt(1.0 / (tolerance * size**2) + tolerance * steepest**2)
        return float(min(step, stop - start))

    def _note(self, path: Array) -> None:
        np.maximum(self.largest, np.max(np.abs(path), axis=0), out=self.largest)

    def _clip(self) -> Status:
        """Lift small negative values to the floor; report larger ones."""
        floor = self.task.system.floor
        allowed = 1e4 * self.atol + 100.0 * self.task.rtol * self.largest
        lowest = np.min(np.vstack([self.rows, self.state]), axis=0, initial=np.inf)
        if np.any(lowest < floor - allowed):
            return Status.NEGATIVE
        np.maximum(self.rows, floor, out=self.rows)
        np.maximum(self.state, floor, out=self.state)
        return Status.OK


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the warning that SciPy adds to a failure; the status says it.

    Filters belong to the process: enter only inside :func:`one_blas_thread`.
    """
    from scipy.integrate import ODEintWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ODEintWarning)
        yield
