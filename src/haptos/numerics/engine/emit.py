"""Write the kernels of a model as LLVM text.

Entry points, each taking the working memory of W lanes (see
:class:`haptos.numerics.engine.layout.Layout`):

``hoist``
    From parameters, everything that depends on them alone.
``slope``
    f, df/dt and -df/dy at the state: for the choice of the first step.
``attempt``
    One step of the method: increments, result (in ``stage``) and its error.
``dense``
    Coefficients of the dense output of the step just attempted.
``look``
    The dense output at one ``share`` of the step per lane; where it is ``wanted`` its
    lowest values are noted.
``accept``
    Take over the result in lanes whose ``accepted`` is 1.

What each of them computes stands readably in :mod:`haptos.numerics.engine.reference`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from haptos.numerics.engine.emit_linear import emit_factor, emit_solve
from haptos.numerics.engine.layout import Layout
from haptos.numerics.engine.program import Block, Program, finite_or_zero, operate
from haptos.numerics.engine.tableau import Tableau
from haptos.numerics.engine.vectors import Function, Module, Value
from haptos.numerics.operations import Op

__all__ = ["ENTRIES", "Kernels", "write_kernels"]

ENTRIES: Final = ("hoist", "slope", "attempt", "dense", "look", "accept")

_PART: Final = 1200
"""Operations per function: LLVM's time grows faster than the length of a function."""


@dataclass(frozen=True, slots=True)
class Kernels:
    """Text of a module and what the driver must know about its memory.

    Attributes
    ----------
    text : str
        LLVM text.
    width : int
        Lanes.
    n_rows : int
        Rows of the working memory.
    """

    text: str
    width: int
    n_rows: int


def write_kernels(program: Program, layout: Layout, method: Tableau, width: int) -> Kernels:
    """Write all kernels of a system for one method and one number of lanes."""
    module = Module(width)
    writer = _Writer(module, program, layout, method)
    writer.write()
    return Kernels(module.text(), width, layout.spilled + writer.n_spilled)


class _Writer:
    """Writes the kernels into a module."""

    def __init__(self, module: Module, program: Program, layout: Layout, method: Tableau) -> None:
        self.module, self.program, self.layout, self.method = module, program, layout, method
        self.n = program.n_states
        self.n_spilled = 1

    def write(self) -> None:
        """Write the parts, then the entry points that call them."""
        program, layout = self.program, self.layout
        hoist = self._block("hoisted", program.hoisted, layout.hoisted)
        rates = self._block("rates", program.rhs, layout.rates)
        slopes = self._block("slopes", program.time_slope, layout.time_slope)
        matrix = self._block("matrix", program.jacobian, layout.matrix, program.entry_slots)
        factor = emit_factor(self.module, program.elimination, layout)
        solve = emit_solve(self.module, program.elimination, layout)
        self._entry("hoist", hoist)
        self._entry("slope", [*rates, *slopes, *matrix], at_state=True)
        self._attempt(rates, slopes, [*matrix, *factor], solve)
        self._dense()
        self._look()
        self._accept()

    def _entry(self, name: str, calls: Sequence[str], at_state: bool = False) -> None:
        f = Function(self.module)
        if at_state:
            self._start(f)
        _call(f, calls)
        f.line("ret void")
        self.module.add(f.text(f"void @{name}(ptr noalias %w)"))

    def _block(self, name: str, block: Block, place: int, slots: Sequence[int] | None = None) -> list[str]:
        """Write a block as functions of limited length; returns their names.

        Results go to ``place + slot``; those of the Jacobian, which have `slots`, negated.
        """
        targets: dict[int, list[int]] = {}
        for number, root in enumerate(block.roots):
            targets.setdefault(root, []).append(place + (number if slots is None else slots[number]))
        parts = [block.order[i : i + _PART] for i in range(0, len(block.order), _PART)]
        if not parts and (block.roots or slots is not None):
            parts = [()]
        reader = _Reader(self, block, parts)
        names = []
        for number, part in enumerate(parts):
            f = Function(self.module)
            reader.begin(f, number)
            leaves = [r for r in targets if r not in reader.part_of] if number == 0 else []
            for position in (*leaves, *part):
                value = reader.value(position) if position in leaves else reader.compute(position)
                if position in targets and position in self.program.guarded and block is not self.program.rhs:
                    value = finite_or_zero(f, value)
                for row in targets.get(position, ()):
                    f.store(value if slots is None else f.rounded("fneg", value), row)
            if slots is not None and number == 0:
                filled = set(range(self.program.elimination.n_slots)) - set(slots)
                for slot in sorted(filled):
                    f.store(f.number(0.0), place + slot)
            f.line("ret void")
            names.append(f"{name}{number}")
            self.module.add(f.text(f"internal void @{names[-1]}(ptr noalias %w)"))
        return names

    def _start(self, f: Function) -> None:
        """Set the stage to the state, at the time of the step."""
        with f.loop("0", str(self.n)) as turn:
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

    def _attempt(
        self, rates: Sequence[str], slopes: Sequence[str], matrix: Sequence[str], solve: Sequence[str]
    ) -> None:
        f, layout, n = Function(self.module), self.layout, self.n
        one, h = f.number(1.0), f.load(layout.step)
        f.store(f.arithmetic("div", one, f.arithmetic("mul", f.number(self.method.gamma), h)), layout.shift)
        inverse = f.arithmetic("div", one, h)
        self._start(f)
        _call(f, [*slopes, *matrix, *rates])
        with f.loop("0", str(n)) as turn:
            extra = self._time_term(f, 0, turn.index, h)
            f.store(extra or f.number(0.0), f.plus(turn.index, layout.carried))
        self._solve(f, solve, 0)
        for stage in range(1, self.method.stages):
            self._combine(f, stage, h, inverse)
            self._stage_time(f, self.method.nodes[stage])
            _call(f, rates)
            self._solve(f, solve, stage)
        self._finish(f)
        f.line("ret void")
        self.module.add(f.text("void @attempt(ptr noalias %w)"))

    def _solve(self, f: Function, names: Sequence[str], stage: int) -> None:
        place = f.address(self.layout.increments + stage * self.n)
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
        layout, n = self.layout, self.n
        a, c = self.method.a[stage - 1], self.method.c_matrix[stage - 1]
        with f.loop("0", str(n)) as turn:
            increments = [f.load(f.plus(turn.index, layout.increments + j * n)) for j in range(stage)]
            if a is None:
                state = f.arithmetic("add", f.load(f.plus(turn.index, layout.stage)), increments[-1])
            else:
                state = f.arithmetic("add", f.load(f.plus(turn.index, layout.state)), _weighted(f, a, increments))
            f.store(state, f.plus(turn.index, layout.stage))
            carried = f.arithmetic("mul", _weighted(f, c, increments), inverse)
            extra = self._time_term(f, stage, turn.index, h)
            carried = carried if extra is None else f.arithmetic("add", carried, extra)
            f.store(carried, f.plus(turn.index, layout.carried))

    def _finish(self, f: Function) -> None:
        """Add the last increment to the result and measure it."""
        layout, n = self.layout, self.n
        rtol, last = f.load(layout.rtol), layout.increments + (self.method.stages - 1) * n
        with f.loop("0", str(n), [f.number(0.0)]) as turn:
            increment = f.load(f.plus(turn.index, last))
            result = f.arithmetic("add", f.load(f.plus(turn.index, layout.stage)), increment)
            f.store(result, f.plus(turn.index, layout.stage))
            before = f.rounded("fabs", f.load(f.plus(turn.index, layout.state)))
            size = f.maximum(before, f.rounded("fabs", result))
            atol = f.load(f.plus(turn.index, layout.atol))
            weight = f.arithmetic("add", atol, f.arithmetic("mul", rtol, size))
            error = f.arithmetic("div", f.rounded("fabs", increment), weight)
            turn.next = [f.maximum(turn.values[0], error)]
        f.store(turn.next[0], layout.error)

    def _dense(self) -> None:
        f, layout, n = Function(self.module), self.layout, self.n
        with f.loop("0", str(n)) as turn:
            stages = range(self.method.stages)
            increments = [f.load(f.plus(turn.index, layout.increments + j * n)) for j in stages]
            for number, row in enumerate(self.method.dense):
                f.store(_weighted(f, row, increments), f.plus(turn.index, layout.dense + number * n))
        f.line("ret void")
        self.module.add(f.text("void @dense(ptr noalias %w)"))

    def _look(self) -> None:
        f, layout, n = Function(self.module), self.layout, self.n
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
        f.line("ret void")
        self.module.add(f.text("void @look(ptr noalias %w)"))

    def _accept(self) -> None:
        f, layout, n = Function(self.module), self.layout, self.n
        mask = f.compare("ne", f.load(layout.accepted), f.number(0.0))
        with f.loop("0", str(n)) as turn:
            result = f.load(f.plus(turn.index, layout.stage))
            largest, lowest = (f.load(f.plus(turn.index, row)) for row in (layout.largest, layout.lowest))
            old = f.load(f.plus(turn.index, layout.state))
            for row, before, after in (
                (layout.state, old, result),
                (layout.largest, largest, f.maximum(largest, f.rounded("fabs", result))),
                (layout.lowest, lowest, f.select(f.compare("lt", result, lowest), result, lowest)),
            ):
                f.store(f.select(mask, after, before), f.plus(turn.index, row))
        f.line("ret void")
        self.module.add(f.text("void @accept(ptr noalias %w)"))


class _Reader:
    """Finds the value of an expression wherever it is kept."""

    def __init__(self, writer: _Writer, block: Block, parts: Sequence[Sequence[int]]) -> None:
        self.writer, self.block = writer, block
        self.part_of = {position: number for number, part in enumerate(parts) for position in part}
        self.spill_row: dict[int, int] = {}
        for position in block.order:
            for operand in block.nodes[position].operands:
                if self.part_of.get(operand, self.part_of[position]) != self.part_of[position]:
                    self.spill_row.setdefault(operand, writer.layout.spilled + len(self.spill_row))
        writer.n_spilled = max(writer.n_spilled, len(self.spill_row))

    def begin(self, f: Function, number: int) -> None:
        """Start a function: nothing is in a register yet."""
        self.f, self.number = f, number
        self.known: dict[int, Value] = {}

    def compute(self, position: int) -> Value:
        """Write one operation; keep its value for later functions that need it."""
        node = self.block.nodes[position]
        exponent = None
        if node.op is Op.POW and self.block.nodes[node.operands[1]].op is Op.CONSTANT:
            exponent = self.block.nodes[node.operands[1]].value
        value: Value = operate(self.f, node, [self.value(i) for i in node.operands], exponent)
        self.known[position] = value
        if position in self.spill_row:
            self.f.store(value, self.spill_row[position])
        return value

    def value(self, position: int) -> Value:
        """Return a register or constant with the value of an expression."""
        if position not in self.known:
            self.known[position] = self._fetch(position)
        return self.known[position]

    def _fetch(self, position: int) -> Value:
        f, program, layout = self.f, self.writer.program, self.writer.layout
        node = self.block.nodes[position]
        if node.op is Op.CONSTANT:
            return f.number(node.value)
        if node.op is Op.TIME:
            return f.load(layout.stage_time)
        if node.op is Op.VARIABLE:
            index = int(node.value)
            if index >= program.n_states:
                return f.load(layout.parameters + index - program.n_states)
            value = f.load(layout.stage + index)
            zero = f.number(0.0)
            return f.select(f.compare("lt", value, zero), zero, value) if program.floored[index] else value
        if position in self.spill_row:
            return f.load(self.spill_row[position])
        return f.load(layout.hoisted + program.hoisted_slots[position])


def _call(f: Function, names: Sequence[str]) -> None:
    for name in names:
        f.line(f"call void @{name}(ptr %w)")


def _weighted(f: Function, weights: Sequence[float], values: Sequence[Value]) -> Value:
    """Return the weighted sum, added from the left; zero weights are left out."""
    total: Value | None = None
    for weight, value in zip(weights, values, strict=True):
        if weight == 0.0:
            continue
        term = f.arithmetic("mul", f.number(weight), value)
        total = term if total is None else f.arithmetic("add", total, term)
    return f.number(0.0) if total is None else total
