"""The machine of the kernels: registers of W lanes, as LLVM's text form.

A :class:`Function` collects the instructions of one function. No flag allows LLVM to
change a rounding, and W appears in nothing but the type, so every lane computes what
:class:`haptos.numerics.engine.arrays.NumpyMachine` does.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from haptos.numerics.engine import elementary

__all__ = ["ATTRIBUTES", "Function", "Module", "Value", "entry_of", "table"]

ATTRIBUTES: Final = '"min-legal-vector-width"="512" "prefer-vector-width"="512" nounwind'

_ARITHMETIC: Final = {"add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv"}
_COMPARE: Final = {"lt": "olt", "le": "ole", "eq": "oeq", "ne": "une"}


class Value(NamedTuple):
    """A register or constant and what it holds: double, i64 or i1."""

    text: str
    kind: str


class Module:
    """Functions of one width.

    Parameters
    ----------
    width : int
        Lanes of a vector.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self.vector = f"<{width} x double>"
        self._parts: list[str] = []
        self._needed: set[str] = set()

    def add(self, text: str) -> None:
        """Append a finished function or constant."""
        self._parts.append(text)

    def need(self, name: str, declaration: str) -> None:
        """Make sure a function from outside is declared, or one of ours is defined."""
        if name not in self._needed:
            self._needed.add(name)
            self._parts.append(declaration)

    def elementary(self, name: str) -> str:
        """Return the name of exp, log, log10 or power, defined on first use."""
        symbol = f"haptos_{name}"
        if symbol not in self._needed:
            self._needed.add(symbol)
            count = 2 if name == "power" else 1
            f = Function(self)
            arguments = [Value(f"%a{i}", "double") for i in range(count)]
            result = elementary.FUNCTIONS[name](f, *arguments)
            signature = ", ".join(f"{self.vector} %a{i}" for i in range(count))
            f.line(f"ret {self.vector} {result.text}")
            self._parts.append(f.text(f"internal {self.vector} @{symbol}({signature})"))
        return symbol

    def text(self) -> str:
        """Return the whole module."""
        return "\n".join([*self._parts, f"attributes #0 = {{ {ATTRIBUTES} }}", ""])


class Function:
    """One function being written; a :class:`haptos.numerics.engine.machine.Machine`.

    Parameters
    ----------
    module : Module
        Where it will stand. Kernels take the working memory as ``ptr %w``.
    """

    def __init__(self, module: Module) -> None:
        self.module = module
        self._lines: list[str] = []
        self._count = 0
        self._width = module.width

    def line(self, text: str) -> None:
        """Append an instruction."""
        self._lines.append(text)

    def text(self, signature: str) -> str:
        """Return the finished function."""
        return "\n".join([f"define {signature} #0 {{", "entry:", *self._lines, "}"])

    def fresh(self, prefix: str = "v") -> str:
        """Return an unused register name."""
        self._count += 1
        return f"%{prefix}{self._count}"

    def _emit(self, kind: str, text: str) -> Value:
        name = self.fresh()
        self._lines.append(f"{name} = {text}")
        return Value(name, kind)

    def _type(self, kind: str) -> str:
        return f"<{self._width} x {kind}>"

    # --- machine ---------------------------------------------------------------------------

    def number(self, value: float) -> Value:
        """Return the same number in all lanes."""
        [raw] = struct.unpack("<Q", struct.pack("<d", value))
        return Value(f"splat (double 0x{raw:016X})", "double")

    def whole(self, value: int) -> Value:
        """Return the same 64-bit whole number in all lanes."""
        return Value(f"splat (i64 {value})", "i64")

    def arithmetic(self, name: str, a: Value, b: Value) -> Value:
        """Return ``a name b``."""
        return self._emit("double", f"{_ARITHMETIC[name]} {self._type('double')} {a.text}, {b.text}")

    def fused(self, a: Value, b: Value, c: Value) -> Value:
        """Return ``a b + c``, rounded once."""
        vector = self._type("double")
        symbol = f"@llvm.fma.v{self._width}f64"
        self.module.need(symbol, f"declare {vector} {symbol}({vector}, {vector}, {vector})")
        given = ", ".join(f"{vector} {x.text}" for x in (a, b, c))
        return self._emit("double", f"call {vector} {symbol}({given})")

    def compare(self, name: str, a: Value, b: Value) -> Value:
        """Return a mask."""
        return self._emit("i1", f"fcmp {_COMPARE[name]} {self._type('double')} {a.text}, {b.text}")

    def rounded(self, name: str, a: Value) -> Value:
        """Return an exactly rounded function."""
        vector = self._type("double")
        if name == "fneg":
            return self._emit("double", f"fneg {vector} {a.text}")
        symbol = f"@llvm.{name}.v{self._width}f64"
        self.module.need(symbol, f"declare {vector} {symbol}({vector})")
        return self._emit("double", f"call {vector} {symbol}({vector} {a.text})")

    def maximum(self, a: Value, b: Value) -> Value:
        """Return the larger number, nan if one is."""
        vector = self._type("double")
        symbol = f"@llvm.maximum.v{self._width}f64"
        self.module.need(symbol, f"declare {vector} {symbol}({vector}, {vector})")
        return self._emit("double", f"call {vector} {symbol}({vector} {a.text}, {vector} {b.text})")

    def logic(self, name: str, a: Value, b: Value) -> Value:
        """Combine masks."""
        return self._emit("i1", f"{name} {self._type('i1')} {a.text}, {b.text}")

    def any(self, mask: Value) -> str:
        """Return an i1 register: whether the mask holds in any lane."""
        bits, some = self.fresh("m"), self.fresh("s")
        self.line(f"{bits} = bitcast {self._type('i1')} {mask.text} to i{self._width}")
        self.line(f"{some} = icmp ne i{self._width} {bits}, 0")
        return some

    def select(self, mask: Value, yes: Value, no: Value) -> Value:
        """Return `yes` where the mask holds, else `no`."""
        kind = self._type(yes.kind)
        return self._emit(yes.kind, f"select {self._type('i1')} {mask.text}, {kind} {yes.text}, {kind} {no.text}")

    def integer(self, name: str, a: Value, b: Value) -> Value:
        """Combine whole numbers."""
        return self._emit("i64", f"{name} {self._type('i64')} {a.text}, {b.text}")

    def bits(self, a: Value) -> Value:
        """Return the bits of a number as a whole number."""
        return self._emit("i64", f"bitcast {self._type('double')} {a.text} to {self._type('i64')}")

    def from_bits(self, a: Value) -> Value:
        """Return the number with these bits."""
        return self._emit("double", f"bitcast {self._type('i64')} {a.text} to {self._type('double')}")

    def library(self, name: str, a: Value) -> Value:
        """Call a function of the C library for each lane."""
        self.module.need(f"@{name}", f"declare double @{name}(double)")
        vector = self._type("double")
        result = Value("poison", "double")
        for lane in range(self._width):
            one = self.fresh()
            self.line(f"{one} = extractelement {vector} {a.text}, i32 {lane}")
            out = self.fresh()
            self.line(f"{out} = call double @{name}(double {one})")
            result = self._emit("double", f"insertelement {vector} {result.text}, double {out}, i32 {lane}")
        return result

    def call(self, name: str, *operands: Value) -> Value:
        """Call exp, log, log10 or power."""
        symbol = self.module.elementary(name)
        vector = self._type("double")
        given = ", ".join(f"{vector} {operand.text}" for operand in operands)
        return self._emit("double", f"call {vector} @{symbol}({given})")

    # --- memory and control ------------------------------------------------------------------

    def address(self, row: int | str, base: str = "%w") -> str:
        """Return the address of a row: a number or an i64 register."""
        name = self.fresh("p")
        self.line(f"{name} = getelementptr {self._type('double')}, ptr {base}, i64 {row}")
        return name

    def load(self, row: int | str, base: str = "%w") -> Value:
        """Return a row of the working memory."""
        place = self.address(row, base)
        return self._emit("double", f"load {self._type('double')}, ptr {place}, align {8 * self._width}")

    def store(self, value: Value, row: int | str, base: str = "%w") -> None:
        """Put a value into a row of the working memory."""
        place = self.address(row, base)
        self.line(f"store {self._type('double')} {value.text}, ptr {place}, align {8 * self._width}")

    def plus(self, register: str, number: int | str) -> str:
        """Return the sum of two i64."""
        name = self.fresh("i")
        self.line(f"{name} = add i64 {register}, {number}")
        return name

    @contextmanager
    def loop(self, start: str, stop: str, carried: Sequence[Value] = ()) -> Iterator[_Loop]:
        """Write a loop over an i64 in [start, stop), which must not be empty.

        Values `carried` from turn to turn are set anew in the body by ``loop.next``.
        """
        label = self.fresh("L")[1:]
        before = self.fresh("B")[1:]
        self.line(f"br label %{before}")
        self.line(f"{before}:")
        self.line(f"br label %{label}")
        self.line(f"{label}:")
        head = len(self._lines)
        turn = _Loop(f"%{label}i", tuple(Value(f"%{label}c{i}", v.kind) for i, v in enumerate(carried)))
        yield turn
        tail = self.fresh("T")[1:]
        self.line(f"br label %{tail}")
        self.line(f"{tail}:")
        phis = [f"{turn.index} = phi i64 [ {start}, %{before} ], [ %{label}n, %{tail} ]"]
        for value, first, last in zip(turn.values, carried, turn.next, strict=True):
            phis.append(
                f"{value.text} = phi {self._type(value.kind)} [ {first.text}, %{before} ], [ {last.text}, %{tail} ]"
            )
        self._lines[head:head] = phis
        self.line(f"%{label}n = add i64 {turn.index}, 1")
        self.line(f"%{label}d = icmp slt i64 %{label}n, {stop}")
        after = self.fresh("A")[1:]
        self.line(f"br i1 %{label}d, label %{label}, label %{after}")
        self.line(f"{after}:")


class _Loop:
    """A loop being written: its index, the carried values and what they become."""

    def __init__(self, index: str, values: tuple[Value, ...]) -> None:
        self.index = index
        self.values = values
        self.next: Sequence[Value] = ()


def table(name: str, numbers: Iterable[int]) -> str:
    """Return a constant table of 32-bit whole numbers."""
    items = list(numbers) or [0]
    return f"@{name} = internal constant [{len(items)} x i32] [{', '.join(f'i32 {i}' for i in items)}]"


def entry_of(f: Function, name: str, index: str) -> str:
    """Return an entry of a table as an i64 register."""
    place, small, wide = f.fresh("p"), f.fresh("t"), f.fresh("t")
    f.line(f"{place} = getelementptr i32, ptr @{name}, i64 {index}")
    f.line(f"{small} = load i32, ptr {place}, align 4")
    f.line(f"{wide} = sext i32 {small} to i64")
    return wide
