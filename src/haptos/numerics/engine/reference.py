"""The engine for one member at a time in plain Python: slow, readable, the same bits.

Everything the kernels and the driver do is here once more, on arrays of shape (n,) and
with ordinary loops. The tests hold the engine against it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haptos.errors import Status
from haptos.numerics.engine.control import Attempt, end_of_step, judge, start_step
from haptos.numerics.engine.machine import weighted
from haptos.numerics.engine.program import Program, build_program
from haptos.numerics.engine.reference_equations import Equations
from haptos.numerics.engine.solver import pieces_of
from haptos.numerics.engine.tableau import BETWEEN, INSIDE, Tableau, dense_inside, tableau
from haptos.numerics.events import fire
from haptos.numerics.ode import OdeSolution, OdeTask

__all__ = ["ReferenceEngine"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ReferenceEngine:
    """A solver that shows what :class:`haptos.numerics.engine.EngineSolver` computes.

    Parameters
    ----------
    method : str
        Rodas5P or Rodas4.
    """

    method: str = "Rodas5P"

    def solve(self, task: OdeTask) -> OdeSolution:
        """Integrate all members of a task, one after the other."""
        size, n = task.initial.shape
        states, final = np.full((size, len(task.times), n), np.nan), np.full((size, n), np.nan)
        status, n_steps, n_rhs = (np.zeros(size, dtype=np.int64) for _ in range(3))
        program, method = build_program(task.system), tableau(self.method)
        bounds, spans, segments = pieces_of(task)
        with np.errstate(all="ignore"):
            for b in range(size):
                own = slice(bounds[b, 0], bounds[b, 1])
                member = _Member(task, program, method, b)
                status[b] = member.run(spans[own], segments[own])
                if status[b] == Status.OK:
                    states[b], final[b] = member.rows, member.state
                n_steps[b], n_rhs[b] = member.attempts, method.stages * member.attempts + member.starts
        return OdeSolution(states, final, status, n_steps, n_rhs, np.zeros(size))


class _Member:
    """The integration of one member."""

    def __init__(self, task: OdeTask, program: Program, method: Tableau, index: int) -> None:
        self.task, self.method, self.index = task, method, index
        self.equations = Equations(program)
        self.state = np.array(task.initial[index], dtype=np.float64)
        self.atol = task.atol if task.atol.ndim == 1 else task.atol[index]
        self.rows = np.full((len(task.times), len(self.state)), np.nan)
        self.output = self.attempts = self.starts = 0
        self.largest, self.lowest = np.abs(self.state), self.state.copy()
        self.truth = task.events.initial if task.events is not None else np.zeros(0, dtype=bool)
        self.early = self.late = 0.0

    def run(self, spans: Array, segments: NDArray[np.int64]) -> Status:
        """Go through all pieces."""
        for (start, stop), (segment, opens) in zip(spans.tolist(), segments.tolist(), strict=True):
            if opens and not self._open(segment):
                return Status.NON_FINITE
            if not self._fire(start):
                return Status.EVENT_STORM
            spacing = np.spacing(max(abs(start), abs(stop)))
            if stop - start > 16.0 * spacing:
                self.early, self.late = start + 4.0 * spacing, stop - 4.0 * spacing
                status = self._integrate(start, stop)
                if status is not Status.OK:
                    return status
            else:
                self._keep(stop)
        if not self._fire(spans[-1, 1]):
            return Status.EVENT_STORM
        self._keep(np.inf)
        return self._verdict()

    def _open(self, number: int) -> bool:
        segment, b = self.task.segments[number], self.index
        if segment.scale is not None:
            self.state = self.state * segment.scale[b]
        if segment.shift is not None:
            self.state = self.state + segment.shift[b]
        self._note()
        self.equations.parameters = segment.parameters[b]
        return bool(np.all(np.isfinite(self.state)) and np.all(np.isfinite(segment.parameters[b])))

    def _note(self) -> None:
        self.largest = np.maximum(self.largest, np.abs(self.state))
        self.lowest = np.minimum(self.lowest, self.state)

    def _fire(self, time: float) -> bool:
        if self.task.events is None:
            return True
        firing = fire(self.task.events, time, self.state, self.equations.parameters, self.truth)
        self.state, self.truth = firing.state, firing.truth
        self._note()
        return not firing.storm

    def _keep(self, stop: float) -> None:
        """Fill the rows before `stop` with the state as it is."""
        while self.output < len(self.task.times) and self.task.times[self.output] < stop:
            self.rows[self.output] = self.state
            self.output += 1

    def _verdict(self) -> Status:
        floor = self.task.system.floor
        allowed = 1e4 * self.atol + 100.0 * self.task.rtol * self.largest
        if np.any(self.lowest < floor - allowed):
            return Status.NEGATIVE
        self.state, self.rows = np.maximum(self.state, floor), np.maximum(self.rows, floor)
        return Status.OK

    def _clamped(self, time: float) -> float:
        return min(max(time, self.early), self.late)

    def _first_step(self, now: float, stop: float) -> float:
        """Choose the first step from f and J f + df/dt."""
        eq, time = self.equations, self._clamped(now)
        self.starts += 1
        rates, bend = eq.rates(self.state, time), eq.time_slope(self.state, time)
        eq.set_matrix(self.state, time)
        for row, column, slot in eq.program.entries:
            bend[row] = eq.machine.fused(-eq.matrix[slot], rates[column], bend[row])
        weight = eq.machine.fused(self.task.rtol, np.abs(self.state), self.atol)
        steepest = np.max(np.abs(rates) / weight), np.max(np.abs(bend) / weight)
        return float(start_step(eq.machine, *steepest, np.float64(stop - now), self.method.order))

    def _attempt(self, now: float, h: float) -> tuple[Array, Array, float]:
        """Return the increments, the result and its error in units of the tolerance."""
        eq, method, inverse = self.equations, self.method, 1.0 / h
        m = eq.machine
        time = self._clamped(now)
        slope = eq.time_slope(self.state, time)
        eq.set_matrix(self.state, time)
        eq.factor(1.0 / (method.gamma * h))
        increments: list[Array] = []
        stage = self.state
        for s in range(method.stages):
            carried = np.zeros(len(stage))
            if s > 0:
                a, c = method.a[s - 1], method.c_matrix[s - 1]
                stage = stage + increments[-1] if a is None else weighted(m, a, increments, self.state)
                carried = weighted(m, c, increments)
            if eq.program.timed and method.slopes[s] != 0.0:
                term = (method.slopes[s] * h) * slope
                carried = term if s == 0 else m.fused(carried, inverse, term)
            elif s > 0:
                carried = carried * inverse
            rates = eq.rates(stage, self._clamped(now + method.nodes[s] * h))
            increments.append(eq.solve(rates + carried))
        result = stage + increments[-1]
        weight = m.fused(self.task.rtol, np.maximum(np.abs(self.state), np.abs(result)), self.atol)
        error = np.abs(increments[-1])
        if eq.program.timed:
            error = np.maximum(error, BETWEEN * np.abs(self._missed(increments, result, now, h)))
        return np.array(increments), result, float(np.max(error / weight))

    def _missed(self, increments: list[Array], result: Array, now: float, h: float) -> Array:
        """Estimate the error of the dense output inside a step."""
        eq = self.equations
        rows = [weighted(eq.machine, row, increments) for row in self.method.dense]
        state, slope = dense_inside(eq.machine, self.state, result, rows)
        return eq.solve(eq.rates(state, self._clamped(now + INSIDE * h)) - slope * (1.0 / h))

    def _between(self, increments: Array, result: Array, s: float) -> Array:
        """Return the dense output at the share `s` of a step."""
        rows = [weighted(self.equations.machine, row, list(increments)) for row in self.method.dense]
        inner = rows[-1]
        for row in reversed(rows[:-1]):
            inner = row + s * inner
        r = 1.0 - s
        return np.asarray(r * self.state + s * (result + r * inner))

    def _integrate(self, now: float, stop: float) -> Status:
        """Step from one jump to the next."""
        m, order = self.equations.machine, self.method.order
        proposed, memory, rejected = np.float64(0.0), np.float64(0.0), False
        while now < stop:
            if self.attempts >= self.task.max_steps:
                return Status.MAX_STEPS
            if not proposed > 0.0:
                proposed = np.float64(self._first_step(now, stop))
            after = float(end_of_step(m, np.float64(now), proposed, np.float64(stop)))
            h = after - now
            increments, result, error = self._attempt(now, h)
            self.attempts += 1
            tried = Attempt(np.float64(now), np.float64(h), np.float64(error), proposed, memory, rejected, forced=False)
            accepted, lost, proposed, memory = judge(m, tried, order)
            rejected = not accepted
            if lost:
                return Status.STEP_TOO_SMALL if np.isfinite(error) else Status.NON_FINITE
            if rejected:
                continue
            moment = self._event(increments, result, now, after)
            until = min(after, moment)
            self._write(increments, result, now, h, until)
            if moment <= after:
                result = self._between(increments, result, (until - now) / h)
            self.state, now = result, until
            self._note()
            if moment <= after:
                proposed = memory = np.float64(0.0)
                if not self._fire(now):
                    return Status.EVENT_STORM
        return Status.OK

    def _write(self, increments: Array, result: Array, now: float, h: float, until: float) -> None:
        """Fill the rows before `until` by the dense output."""
        times = self.task.times
        while self.output < len(times) and times[self.output] < until:
            row = self._between(increments, result, (times[self.output] - now) / h)
            self.rows[self.output] = row
            self.lowest = np.minimum(self.lowest, row)
            self.output += 1

    def _event(self, increments: Array, result: Array, now: float, after: float) -> float:
        """Return when a trigger first turns true in a step; infinity if none does."""
        events = self.task.events
        if events is None:
            return np.inf
        length = after - now

        def seen(time: float) -> NDArray[np.bool_]:
            from haptos.numerics.evaluator import evaluate_tape

            state = self._between(increments, result, (time - now) / length)
            fixed, clock = self.equations.parameters[None], np.array([self._clamped(time)])
            return np.asarray(evaluate_tape(events.triggers, state[None, None], fixed, clock)[0, 0] != 0.0)

        low = now
        for look in (now + length * 1 / 4, now + length * 2 / 4, now + length * 3 / 4, after):
            high = look
            truth = seen(high)
            if not np.any(truth & ~self.truth):
                self.truth, low = truth, high
                continue
            while low < (middle := low + 0.5 * (high - low)) < high:
                truth = seen(middle)
                if np.any(truth & ~self.truth):
                    high = middle
                else:
                    self.truth, low = truth, middle
            return high
        return np.inf
