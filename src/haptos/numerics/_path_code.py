"""Machine code for tapes along the paths of a batch, see :mod:`haptos.numerics.paths`."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from haptos.errors import ParameterError
from haptos.numerics.engine.jit import Machinery, compile_kernels
from haptos.numerics.engine.program import operate
from haptos.numerics.engine.vectors import Function, Module, table
from haptos.numerics.expression import Node
from haptos.numerics.operations import OPERATIONS, Op
from haptos.numerics.tape import Tape

__all__ = ["PathCode", "path_code", "tape_operations", "tape_variables"]

Array = NDArray[np.float64]

_PART: Final = 1000
"""Operations per function: LLVM's time grows faster than the length of a function."""


@functools.lru_cache(maxsize=256)
def tape_operations(tape: Tape) -> list[tuple[Node, list[int], float | None]]:
    """Return every instruction as a node, the places of its operands and its constant exponent."""
    return [_operation(tape, code) for code in [*tape.prologue.tolist(), *tape.body.tolist()]]


@functools.lru_cache(maxsize=256)
def tape_variables(tape: Tape) -> list[int]:
    """Return the variables that a tape reads."""
    return tape.reads()


def _operation(tape: Tape, code: Sequence[int]) -> tuple[Node, list[int], float | None]:
    """Return an instruction as a node, the places of its operands and its constant exponent."""
    op = Op(code[0])
    places = list(code[1 : 1 + OPERATIONS[op].arity])
    constant = op is Op.POW and places[1] < tape.first_variable
    return Node(op, tuple(places)), places, float(tape.constants[places[1]]) if constant else None


@dataclass(frozen=True, slots=True, eq=False)
class PathCode:
    """Machine code of a tape.

    Attributes
    ----------
    machinery : Machinery
        The function ``paths``.
    n_places, width : int
        Rows and lanes of its working memory.
    """

    machinery: Machinery
    n_places: int
    width: int

    def run(self, states: Array, fixed: Array, times: Array, result: Array) -> None:
        """Evaluate all points into `result`."""
        x, p, out = _rows(states), _rows(fixed), result
        if out.strides[-1] != 8:
            raise ParameterError("the last axis of the results must be contiguous")
        grid = np.ascontiguousarray(times, dtype=np.float64)
        memory = np.empty((self.n_places * self.width) + 8)
        first = -(memory.ctypes.data // 8) % 8
        words = (out.shape[0], out.shape[1], *_steps(x, 2), *_steps(p, 1), *_steps(out, 2))
        pointers = (x.ctypes.data, p.ctypes.data, grid.ctypes.data, out.ctypes.data, memory.ctypes.data + 8 * first)
        kind = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 5, *[ctypes.c_int64] * 7)
        kind(self.machinery.addresses["paths"])(*pointers, *words)


def _rows(array: Array) -> Array:
    """Return an array whose last axis is contiguous."""
    plain = np.asarray(array, dtype=np.float64)
    return plain if plain.strides[-1] == 8 or plain.shape[-1] <= 1 else np.ascontiguousarray(plain)


def _steps(array: Array, count: int) -> tuple[int, ...]:
    """Return the distances, in numbers, between rows along the first axes."""
    return tuple(s // 8 for s in array.strides[:count])


@functools.lru_cache(maxsize=256)
def path_code(tape: Tape, n_states: int, width: int, cache: Path | None) -> PathCode:
    """Compile a tape, or return what was compiled for this very object before."""
    text = _Writer(tape, n_states, width).text()
    return PathCode(compile_kernels(text, ["paths"], cache), tape.n_places, width)


class _Writer:
    """Writes the code of a tape: parts of it, and the loops over members and times."""

    def __init__(self, tape: Tape, n_states: int, width: int) -> None:
        self.tape, self.n_states, self.width = tape, n_states, width
        self.module = Module(width)
        self.moving = [i for i in tape_variables(tape) if i < n_states]
        self.fixed = [i - n_states for i in tape_variables(tape) if i >= n_states]

    def text(self) -> str:
        """Return the whole module."""
        tape = self.tape
        self.module.add(table("moving", self.moving))
        self.module.add(table("fixed", self.fixed))
        self.module.add(table("outputs", tape.outputs.tolist()))
        prologue = self._parts("prologue", tape.prologue.tolist(), tape.first_prologue)
        body = self._parts("body", tape.body.tolist(), tape.first_body)
        self._loops(prologue, body)
        return self.module.text()

    def _parts(self, name: str, codes: list[list[int]], first: int) -> list[str]:
        """Write instructions as functions of limited length on the working memory."""
        names: list[str] = []
        for start in range(0, len(codes), _PART):
            f = Function(self.module)
            known: dict[int, Any] = {}
            for place, code in enumerate(codes[start : start + _PART], start=first + start):
                node, operands, exponent = _operation(self.tape, code)
                for i in operands:
                    if i not in known:
                        known[i] = self._fetch(f, i)
                known[place] = operate(f, node, [known[i] for i in operands], exponent)
                f.store(known[place], place)
            f.line("ret void")
            names.append(f"{name}{len(names)}")
            self.module.add(f.text(f"internal void @{names[-1]}(ptr noalias %w)"))
        return names

    def _fetch(self, f: Function, place: int) -> Any:
        inside = place < self.tape.first_variable
        return f.number(float(self.tape.constants[place])) if inside else f.load(place)

    def _loops(self, prologue: list[str], body: list[str]) -> None:
        """Write the loops: groups of members, then times."""
        f, tape = Function(self.module), self.tape
        for place in range(tape.first_variable):
            f.store(f.number(float(tape.constants[place])), place)
        groups = f.fresh("g")
        f.line(f"{groups}r = add i64 %size, {self.width - 1}")
        f.line(f"{groups} = sdiv i64 {groups}r, {self.width}")
        with f.loop("0", groups) as group:
            members = self._members(f, group.index)
            states = [self._row(f, "%states", m, "%sb") for m in members]
            results = [self._row(f, "%result", m, "%rb") for m in members]
            self._gather(f, "fixed", self.fixed, [self._row(f, "%given", m, "%gb") for m in members], self.n_states)
            _call(f, prologue)
            with f.loop("0", "%count") as turn:
                now = [self._row(f, s, turn.index, "%st") for s in states]
                self._gather(f, "moving", self.moving, now, 0)
                self._time(f, turn.index)
                _call(f, body)
                self._scatter(f, [self._row(f, r, turn.index, "%rt") for r in results])
        f.line("ret void")
        pointers = "ptr noalias %states, ptr noalias %given, ptr noalias %times, ptr noalias %result, ptr noalias %w"
        words = ", ".join(f"i64 %{name}" for name in ("size", "count", "sb", "st", "gb", "rb", "rt"))
        self.module.add(f.text(f"void @paths({pointers}, {words})"))

    def _members(self, f: Function, group: str) -> list[str]:
        """Return the member of every lane; the last member fills the lanes left over."""
        first, last = f.fresh("m"), f.fresh("m")
        f.line(f"{first} = mul i64 {group}, {self.width}")
        f.line(f"{last} = sub i64 %size, 1")
        f.module.need("@llvm.smin.i64", "declare i64 @llvm.smin.i64(i64, i64)")
        members = []
        for lane in range(self.width):
            plain, held = f.plus(first, lane), f.fresh("m")
            f.line(f"{held} = call i64 @llvm.smin.i64(i64 {plain}, i64 {last})")
            members.append(held)
        return members

    @staticmethod
    def _row(f: Function, base: str, index: str, step: str) -> str:
        """Return the address of a row."""
        offset, place = f.fresh("o"), f.fresh("p")
        f.line(f"{offset} = mul i64 {index}, {step}")
        f.line(f"{place} = getelementptr double, ptr {base}, i64 {offset}")
        return place

    def _gather(self, f: Function, name: str, numbers: list[int], rows: list[str], offset: int) -> None:
        """Bring the variables of a table from the rows of the lanes into the working memory."""
        if not numbers:
            return
        vector = f"<{self.width} x double>"
        with f.loop("0", str(len(numbers))) as turn:
            column, held = _entry(f, name, len(numbers), turn.index), "poison"
            for lane, row in enumerate(rows):
                place, number, wider = f.fresh("p"), f.fresh("x"), f.fresh("x")
                f.line(f"{place} = getelementptr double, ptr {row}, i64 {column}")
                f.line(f"{number} = load double, ptr {place}, align 8")
                f.line(f"{wider} = insertelement {vector} {held}, double {number}, i32 {lane}")
                held = wider
            target = f.address(f.plus(column, self.tape.first_variable + offset))
            f.line(f"store {vector} {held}, ptr {target}, align {8 * self.width}")

    def _time(self, f: Function, index: str) -> None:
        """Put the time into all lanes."""
        vector, place = f"<{self.width} x double>", f.fresh("p")
        number, one, all_lanes = f.fresh("x"), f.fresh("x"), f.fresh("x")
        f.line(f"{place} = getelementptr double, ptr %times, i64 {index}")
        f.line(f"{number} = load double, ptr {place}, align 8")
        f.line(f"{one} = insertelement {vector} poison, double {number}, i32 0")
        f.line(f"{all_lanes} = shufflevector {vector} {one}, {vector} poison, <{self.width} x i32> zeroinitializer")
        f.line(f"store {vector} {all_lanes}, ptr {f.address(self.tape.time_place)}, align {8 * self.width}")

    def _scatter(self, f: Function, rows: list[str]) -> None:
        """Write the results of all lanes to their rows."""
        vector, outputs = f"<{self.width} x double>", len(self.tape.outputs)
        with f.loop("0", str(outputs)) as turn:
            values = f.load(_entry(f, "outputs", outputs, turn.index))
            for lane, row in enumerate(rows):
                number, place = f.fresh("x"), f.fresh("p")
                f.line(f"{number} = extractelement {vector} {values.text}, i32 {lane}")
                f.line(f"{place} = getelementptr double, ptr {row}, i64 {turn.index}")
                f.line(f"store double {number}, ptr {place}, align 8")


def _entry(f: Function, name: str, length: int, index: str) -> str:
    """Return an entry of a table as an i64 register."""
    place, short, number = f.fresh("p"), f.fresh("n"), f.fresh("n")
    f.line(f"{place} = getelementptr [{length} x i32], ptr @{name}, i64 0, i64 {index}")
    f.line(f"{short} = load i32, ptr {place}, align 4")
    f.line(f"{number} = sext i32 {short} to i64")
    return number


def _call(f: Function, names: Sequence[str]) -> None:
    for name in names:
        f.line(f"call void @{name}(ptr %w)")
