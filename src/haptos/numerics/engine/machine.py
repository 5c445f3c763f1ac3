"""The few operations that lane programs are made of, and their readable NumPy meaning.

A lane program is written once, against :class:`Machine`, and runs on two of them: on
:class:`NumpyMachine`, where a value is an array, and on the vector machine of
:mod:`haptos.numerics.engine.vectors`, where it is a register of W lanes in LLVM's text
form. Every operation is exact or rounded as IEEE 754 demands, without contraction, so
both give the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, Protocol

import numpy as np

from haptos.numerics.operations import Op

__all__ = ["LIBRARY_FUNCTIONS", "Machine", "NumpyMachine"]

LIBRARY_FUNCTIONS: Final = {
    Op.SIN: "sin",
    Op.COS: "cos",
    Op.TAN: "tan",
    Op.ASIN: "asin",
    Op.ACOS: "acos",
    Op.ATAN: "atan",
    Op.SINH: "sinh",
    Op.COSH: "cosh",
    Op.TANH: "tanh",
    Op.ASINH: "asinh",
    Op.ACOSH: "acosh",
    Op.ATANH: "atanh",
}
"""Functions taken lane by lane from the C library: same bits on one machine only."""


class Machine(Protocol):
    """What a lane program may do. Values are opaque: numbers, whole numbers, masks."""

    def number(self, value: float) -> Any:
        """Return the same number in all lanes."""

    def whole(self, value: int) -> Any:
        """Return the same 64-bit whole number in all lanes."""

    def arithmetic(self, name: str, a: Any, b: Any) -> Any:
        """Return ``a name b``; name is add, sub, mul or div."""

    def compare(self, name: str, a: Any, b: Any) -> Any:
        """Return the mask of an ordered comparison: lt, le, eq; or ne, true for nan."""

    def rounded(self, name: str, a: Any) -> Any:
        """Return sqrt, floor, ceil, fabs or fneg of a number."""

    def logic(self, name: str, a: Any, b: Any) -> Any:
        """Combine masks: and, or, xor."""

    def select(self, mask: Any, yes: Any, no: Any) -> Any:
        """Return `yes` where the mask holds, else `no`."""

    def integer(self, name: str, a: Any, b: Any) -> Any:
        """Combine whole numbers: add, sub, and, shl, ashr."""

    def bits(self, a: Any) -> Any:
        """Return the bits of a number as a whole number."""

    def from_bits(self, a: Any) -> Any:
        """Return the number with these bits."""

    def library(self, name: str, a: Any) -> Any:
        """Return a function of the C library."""

    def call(self, name: str, *operands: Any) -> Any:
        """Return exp, log, log10 or power, see :mod:`haptos.numerics.engine.elementary`."""


_ARITHMETIC: Final = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide}
_COMPARE: Final = {"lt": np.less, "le": np.less_equal, "eq": np.equal, "ne": np.not_equal}
_ROUNDED: Final = {"sqrt": np.sqrt, "floor": np.floor, "ceil": np.ceil, "fabs": np.abs, "fneg": np.negative}
_LOGIC: Final = {"and": np.logical_and, "or": np.logical_or, "xor": np.logical_xor}
_INTEGER: Final = {
    "add": np.add,
    "sub": np.subtract,
    "and": np.bitwise_and,
    "shl": np.left_shift,
    "ashr": np.right_shift,
}


class NumpyMachine:
    """Arrays of any shape; the caller silences the warnings of NumPy."""

    def number(self, value: float) -> Any:
        """Return the same number in all lanes."""
        return np.float64(value)

    def whole(self, value: int) -> Any:
        """Return the same 64-bit whole number in all lanes."""
        return np.int64(value)

    def arithmetic(self, name: str, a: Any, b: Any) -> Any:
        """Return ``a name b``."""
        return _ARITHMETIC[name](a, b)

    def compare(self, name: str, a: Any, b: Any) -> Any:
        """Return a mask."""
        return _COMPARE[name](a, b)

    def rounded(self, name: str, a: Any) -> Any:
        """Return an exactly rounded function."""
        return _ROUNDED[name](a)

    def logic(self, name: str, a: Any, b: Any) -> Any:
        """Combine masks."""
        return _LOGIC[name](a, b)

    def select(self, mask: Any, yes: Any, no: Any) -> Any:
        """Return `yes` where the mask holds, else `no`."""
        return np.where(mask, yes, no)

    def integer(self, name: str, a: Any, b: Any) -> Any:
        """Combine whole numbers."""
        return _INTEGER[name](a, b)

    def bits(self, a: Any) -> Any:
        """Return the bits of a number as a whole number."""
        return np.asarray(a, dtype=np.float64).view(np.int64)

    def from_bits(self, a: Any) -> Any:
        """Return the number with these bits."""
        return np.asarray(a, dtype=np.int64).view(np.float64)

    def library(self, name: str, a: Any) -> Any:
        """Return a function of the C library, element by element."""
        function: Callable[[float], float] = getattr(math, name)
        values = np.asarray(a, dtype=np.float64)
        results = [_guarded(function, name, float(x)) for x in values.ravel()]
        return np.array(results, dtype=np.float64).reshape(values.shape)

    def call(self, name: str, *operands: Any) -> Any:
        """Return exp, log, log10 or power."""
        from haptos.numerics.engine import elementary

        return elementary.FUNCTIONS[name](self, *operands)


def _guarded(function: Callable[[float], float], name: str, x: float) -> float:
    """Return what C returns where Python raises."""
    try:
        return function(x)
    except OverflowError:
        return math.copysign(math.inf, x) if name == "sinh" else math.inf
    except ValueError:
        return math.copysign(math.inf, x) if name == "atanh" and abs(x) == 1.0 else math.nan
