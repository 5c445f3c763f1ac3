"""The machine of the readable twin: lane programs on NumPy arrays."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Final

import numpy as np

from haptos.numerics.engine.elementary import FUNCTIONS

__all__ = ["NumpyMachine"]

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

    def fused(self, a: Any, b: Any, c: Any) -> Any:
        """Return ``a b + c``, rounded once: computed exactly, element by element."""
        operands = np.broadcast_arrays(*(np.asarray(x, dtype=np.float64) for x in (a, b, c)))
        rows = zip(*(x.ravel().tolist() for x in operands), strict=True)
        return np.array([_fused(*row) for row in rows], dtype=np.float64).reshape(operands[0].shape)[()]

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
        return FUNCTIONS[name](self, *operands)


def _guarded(function: Callable[[float], float], name: str, x: float) -> float:
    """Return what C returns where Python raises."""
    try:
        return function(x)
    except OverflowError:
        return math.copysign(math.inf, x) if name == "sinh" else math.inf
    except ValueError:
        return math.copysign(math.inf, x) if name == "atanh" and abs(x) == 1.0 else math.nan


def _fused(a: float, b: float, c: float) -> float:
    plain = a * b + c
    if not (math.isfinite(a) and math.isfinite(b)):
        return plain
    if not math.isfinite(c):
        return c  # though the product may be beyond the largest number
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    if exact == 0:
        return plain  # no rounding took place, and the sign of the zero is right
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf
