"""Write the kernels of a model as LLVM text.

Entry points, each taking the working memory of W lanes (see
:class:`haptos.numerics.engine.layout.Layout`):

``hoist``
    From parameters, everything that depends on them alone.
``start``
    The first step, in lanes that are ``choosing`` it.
``advance``
    Step after step, until a lane needs the driver. Calls ``attempt``: one step of the
    method, its increments, result (in ``stage``) and error.
``dense``
    Coefficients of the dense output of the step just attempted.
``look``
    The dense output at one ``share`` of the step per lane; where it is ``wanted`` its
    lowest values are noted.
``accept``
    Take over result and time in lanes whose ``accepted`` is 1.

What each of them computes stands readably in :mod:`haptos.numerics.engine.reference`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from haptos.numerics.engine.emit_control import emit_advance, emit_start
from haptos.numerics.engine.emit_linear import UNROLLED, emit_factor, emit_solve
from haptos.numerics.engine.emit_step import StepWriter, call_each
from haptos.numerics.engine.layout import Layout
from haptos.numerics.engine.program import Block, Program, finite_or_zero, operate
from haptos.numerics.engine.tableau import Tableau
from haptos.numerics.engine.vectors import Function, Module, Value
from haptos.numerics.operations import Op

__all__ = ["ENTRIES", "Kernels", "write_kernels"]

ENTRIES: Final = ("hoist", "start", "advance", "dense", "look", "accept")

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


def write_kernels(program: Program, layout: Layout, method: Tableau, width: int, unrolled: int = UNROLLED) -> Kernels:
    """Write all kernels of a system for one method and one number of lanes.

    Factorisations of more than `unrolled` products read their plan from tables.
    """
    module = Module(width)
    writer = _Writer(module, program, layout)
    writer.write(method, unrolled)
    return Kernels(module.text(), width, layout.spilled + writer.n_spilled)


class _Writer:
    """Writes blocks of operations, and the kernels that use them, into a module."""

    def __init__(self, module: Module, program: Program, layout: Layout) -> None:
        self.module, self.program, self.layout = module, program, layout
        self.n_spilled = 1

    def write(self, method: Tableau, unrolled: int) -> None:
        """Write the parts, then the entry points that call them."""
        program, module, layout = self.program, self.module, self.layout
        hoist = self._block("hoisted", program.hoisted, self._hoist_targets())
        rates = self._block("rates", program.rhs, self._rate_targets())
        slopes = self._block("slopes", program.time_slope, self._slope_targets())
        slopes += self._block("matrix", program.jacobian, self._matrix_targets())
        factor = emit_factor(module, program.elimination, layout, unrolled)
        solve = emit_solve(module, program.elimination, layout)
        step = StepWriter(module, program, layout, method)
        f = Function(module)
        call_each(f, hoist)
        step.finish(f, "hoist")
        emit_start(step, rates, slopes, program.entries)
        step.attempt(rates, [*slopes, *factor], solve)
        step.dense()
        step.look()
        step.accept()
        emit_advance(step)

    def _hoist_targets(self) -> list[_Target]:
        return [_Target(root, self.layout.hoisted + i) for i, root in enumerate(self.program.hoisted.roots)]

    def _rate_targets(self) -> list[_Target]:
        return [_Target(root, self.layout.rates + i) for i, root in enumerate(self.program.rhs.roots)]

    def _slope_targets(self) -> list[_Target]:
        guarded, roots = self.program.guarded, self.program.time_slope.roots
        return [_Target(root, self.layout.time_slope + i, guarded=root in guarded) for i, root in enumerate(roots)]

    def _matrix_targets(self) -> list[_Target]:
        program, place = self.program, self.layout.matrix
        pairs = zip(program.jacobian.roots, program.entry_slots, strict=True)
        return [_Target(r, place + slot, guarded=r in program.guarded, negated=True) for r, slot in pairs]

    def _block(self, name: str, block: Block, targets: Sequence[_Target]) -> list[str]:
        """Write a block as functions of limited length; returns their names."""
        wanted: dict[int, list[_Target]] = {}
        for target in targets:
            wanted.setdefault(target.root, []).append(target)
        parts = [block.order[i : i + _PART] for i in range(0, len(block.order), _PART)]
        parts = parts or [()]
        reader = _Reader(self, block, parts)
        names = []
        for number, part in enumerate(parts):
            f = Function(self.module)
            reader.begin(f, number)
            if number == 0:
                for root in (r for r in wanted if r not in reader.part_of):
                    _store(f, reader.value(root), wanted[root])
                if block is self.program.jacobian:
                    self._clear_fill(f)
            for position in part:
                _store(f, reader.compute(position), wanted.get(position, ()))
            f.line("ret void")
            names.append(f"{name}{number}")
            self.module.add(f.text(f"internal void @{names[-1]}(ptr noalias %w)"))
        return names

    def _clear_fill(self, f: Function) -> None:
        """Set entries of the factorisation that are not entries of the matrix to zero."""
        for slot in sorted(set(range(self.program.elimination.n_slots)) - set(self.program.entry_slots)):
            f.store(f.number(0.0), self.layout.matrix + slot)


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
        program = self.writer.program
        if self.block is program.rhs and position in program.shared_slots:
            self.f.store(value, self.writer.layout.shared + program.shared_slots[position])
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
        if position in program.shared_slots:
            return f.load(layout.shared + program.shared_slots[position])
        return f.load(layout.hoisted + program.hoisted_slots[position])


class _Target(NamedTuple):
    """Where the value of an expression goes, and what is done to it on the way."""

    root: int
    row: int
    guarded: bool = False
    negated: bool = False


def _store(f: Function, value: Value, targets: Iterable[_Target]) -> None:
    """Store a value in its places."""
    for target in targets:
        stored: Value = finite_or_zero(f, value) if target.guarded else value
        f.store(f.rounded("fneg", stored) if target.negated else stored, target.row)
