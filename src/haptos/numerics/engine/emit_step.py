"""Write one step of the method: stages, error, dense output and its acceptance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from haptos.numerics.engine.layout import Layout
from haptos.numerics.engine.machine import weighted
from haptos.numerics.engine.program import Program
from haptos.numerics.engine.tableau import BETWEEN, INSIDE, Tableau, dense_inside
from haptos.numerics.engine.vectors import Function, Module, Value

__all__ = ["StepWriter", "call_each"]


def call_each(f: Function, names: Sequence[str]) -> None:
    """Call functions that take the working memory, in turn."""
    for name in names:
        f.line(f"call void @{name}(ptr %w)")


@dataclass(frozen=True, slots=True)
class StepWriter:
    """Writes the kernels of a method into a module.

    Parameters
    ----------
    module : Module
        Where to.
    program : Program
        The system.
    layout : Layout
        Its memory.
    method : Tableau
        The method.
    """

    module: Module
    program: Program
    layout: Layout
    method: Tableau

    def finish(self, f: Function, name: str) -> None:
        """Close an entry point and add it to the module."""
        f.line("ret void")
        self.module.add(f.text(f"void @{name}(ptr noalias %w)"))

    def start(self, f: Function) -> None:
        """Set the stage to the state, at the time of the step."""
        with f.loop("0", str(self.program.n_states)) as turn:
            f.store(f.load(f.plus(turn.index, self.layout.state)), f.plus(turn.index, self.layout.stage))
        self._stage_time(f, 0.0)

    def _stage_time(self, f: Function, node: float) -> None:
        """Set the time of a stage, held inside the stretch without jumps."""
        if not self.program.timed:
            return
        layout = self.layout
        time = f.arithmetic("add", f.load(layout.time), f.arithmetic("mul", f.number(node), f.load(layout.step)))
        early, late = f.load(layout.earliest), f.load(layout.latest)
        time = f.select(f.compare("lt", time, early), early, time)
        time = f.select(f.compare("lt", late, time), late, time)
        f.store(time, layout.stage_time)

    def attempt(self, rates: Sequence[str], matrix: Sequence[str], solve: Sequence[str]) -> None:
        """Write ``attempt``: the increments, the result and its error."""
        f, layout, n = Function(self.module), self.layout, self.program.n_states
        one, h = f.number(1.0), f.load(layout.step)
        f.store(f.arithmetic("div", one, f.arithmetic("mul", f.number(self.method.gamma), h)), layout.shift)
        inverse = f.arithmetic("div", one, h)
        self.start(f)
        call_each(f, [*rates, *matrix])
        with f.loop("0", str(n)) as turn:
            extra = self._time_term(f, 0, turn.index, h)
            f.store(extra or f.number(0.0), f.plus(turn.index, layout.carried))
        self._solve(f, solve, 0)
        for stage in range(1, self.method.stages):
            self._combine(f, stage, h, inverse)
            self._stage_time(f, self.method.nodes[stage])
            call_each(f, rates)
            self._solve(f, solve, stage)
        last = layout.increments + (self.method.stages - 1) * n
        with f.loop("0", str(n)) as turn:
            result = f.arithmetic("add", f.load(f.plus(turn.index, layout.stage)), f.load(f.plus(turn.index, last)))
            f.store(result, f.plus(turn.index, layout.between if self.program.timed else layout.stage))
            if self.program.timed:
                self._look_inside(f, turn.index, result, inverse)
        if self.program.timed:
            self._stage_time(f, INSIDE)
            call_each(f, rates)
            self._solve_into(f, solve, layout.dense)
        self._measure(f, last)
        self.finish(f, "attempt")

    def _solve(self, f: Function, names: Sequence[str], stage: int) -> None:
        self._solve_into(f, names, self.layout.increments + stage * self.program.n_states)

    def _solve_into(self, f: Function, names: Sequence[str], row: int) -> None:
        place = f.address(row)
        for name in names:
            f.line(f"call void @{name}(ptr %w, ptr {place})")

    def _time_term(self, f: Function, stage: int, index: str, h: Value) -> Value | None:
        """Return ``d h df/dt`` of a stage, or None if it is zero."""
        slope = self.method.slopes[stage]
        if not self.program.timed or slope == 0.0:
            return None
        scaled = f.arithmetic("mul", f.number(slope), h)
        return f.arithmetic("mul", scaled, f.load(f.plus(index, self.layout.time_slope)))

    def _combine(self, f: Function, stage: int, h: Value, inverse: Value) -> None:
        """Set the state of a stage and what is carried over from the stages before."""
        layout, n = self.layout, self.program.n_states
        a, c = self.method.a[stage - 1], self.method.c_matrix[stage - 1]
        with f.loop("0", str(n)) as turn:
            increments = [f.load(f.plus(turn.index, layout.increments + j * n)) for j in range(stage)]
            if a is None:
                state = f.arithmetic("add", f.load(f.plus(turn.index, layout.stage)), increments[-1])
            else:
                state = weighted(f, a, increments, f.load(f.plus(turn.index, layout.state)))
            f.store(state, f.plus(turn.index, layout.stage))
            carried, extra = weighted(f, c, increments), self._time_term(f, stage, turn.index, h)
            carried = f.arithmetic("mul", carried, inverse) if extra is None else f.fused(carried, inverse, extra)
            f.store(carried, f.plus(turn.index, layout.carried))

    def _look_inside(self, f: Function, index: str, result: Value, inverse: Value) -> None:
        """Set a state of the dense output inside the step, and what its slope carries over."""
        layout, n = self.layout, self.program.n_states
        increments = [f.load(f.plus(index, layout.increments + j * n)) for j in range(self.method.stages)]
        rows = [weighted(f, row, increments) for row in self.method.dense]
        state, slope = dense_inside(f, f.load(f.plus(index, layout.state)), result, rows)
        f.store(state, f.plus(index, layout.stage))
        f.store(f.rounded("fneg", f.arithmetic("mul", slope, inverse)), f.plus(index, layout.carried))

    def _measure(self, f: Function, last: int) -> None:
        """Measure the last increment, and by how much the dense output misses the equations.

        Where time matters, the result waits in ``between`` and the miss stands in ``dense``,
        which is written anew when it is needed.
        """
        layout, timed = self.layout, self.program.timed
        with f.loop("0", str(self.program.n_states), [f.number(0.0)]) as turn:
            result = f.load(f.plus(turn.index, layout.between if timed else layout.stage))
            error = f.rounded("fabs", f.load(f.plus(turn.index, last)))
            if timed:
                f.store(result, f.plus(turn.index, layout.stage))
                missed = f.rounded("fabs", f.load(f.plus(turn.index, layout.dense)))
                error = f.maximum(error, f.arithmetic("mul", f.number(BETWEEN), missed))
            before = f.rounded("fabs", f.load(f.plus(turn.index, layout.state)))
            size = f.maximum(before, f.rounded("fabs", result))
            weight = f.fused(f.load(layout.rtol), size, f.load(f.plus(turn.index, layout.atol)))
            turn.next = [f.maximum(turn.values[0], f.arithmetic("div", error, weight))]
        f.store(turn.next[0], layout.error)

    def dense(self) -> None:
        """Write ``dense``: the coefficients of the dense output."""
        f, layout, n = Function(self.module), self.layout, self.program.n_states
        with f.loop("0", str(n)) as turn:
            stages = range(self.method.stages)
            increments = [f.load(f.plus(turn.index, layout.increments + j * n)) for j in stages]
            for number, row in enumerate(self.method.dense):
                f.store(weighted(f, row, increments), f.plus(turn.index, layout.dense + number * n))
        self.finish(f, "dense")

    def look(self) -> None:
        """Write ``look``: the dense output at one share of the step per lane."""
        f, layout, n = Function(self.module), self.layout, self.program.n_states
        wanted = f.compare("ne", f.load(layout.wanted), f.number(0.0))
        share = f.load(layout.share)
        rest = f.arithmetic("sub", f.number(1.0), share)
        with f.loop("0", str(n)) as turn:
            rows = [f.load(f.plus(turn.index, layout.dense + d * n)) for d in range(len(self.method.dense))]
            inner = rows[-1]
            for row in reversed(rows[:-1]):
                inner = f.arithmetic("add", row, f.arithmetic("mul", share, inner))
            start, result = (f.load(f.plus(turn.index, row)) for row in (layout.state, layout.stage))
            end = f.arithmetic("add", result, f.arithmetic("mul", rest, inner))
            value = f.arithmetic("add", f.arithmetic("mul", rest, start), f.arithmetic("mul", share, end))
            f.store(value, f.plus(turn.index, layout.between))
            lowest = f.load(f.plus(turn.index, layout.lowest))
            lower = f.logic("and", wanted, f.compare("lt", value, lowest))
            f.store(f.select(lower, value, lowest), f.plus(turn.index, layout.lowest))
        self.finish(f, "look")

    def accept(self) -> None:
        """Write ``accept``: take over result and time in lanes that accept."""
        f, layout, n = Function(self.module), self.layout, self.program.n_states
        mask = f.compare("ne", f.load(layout.accepted), f.number(0.0))
        f.store(f.select(mask, f.load(layout.after), f.load(layout.time)), layout.time)
        with f.loop("0", str(n)) as turn:
            result = f.load(f.plus(turn.index, layout.stage))
            largest, lowest = (f.load(f.plus(turn.index, row)) for row in (layout.largest, layout.lowest))
            old, size = f.load(f.plus(turn.index, layout.state)), f.rounded("fabs", result)
            for row, before, after in (
                (layout.state, old, result),
                (layout.largest, largest, f.select(f.compare("lt", largest, size), size, largest)),
                (layout.lowest, lowest, f.select(f.compare("lt", result, lowest), result, lowest)),
            ):
                f.store(f.select(mask, after, before), f.plus(turn.index, row))
        self.finish(f, "accept")
