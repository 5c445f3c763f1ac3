"""The few operations that lane programs are made of.

A lane program is written once, against :class:`Machine`, and runs on two of them: on
:class:`haptos.numerics.engine.arrays.NumpyMachine`, where a value is an array, and on the vector machine of
:mod:`haptos.numerics.engine.vectors`, where it is a register of W lanes in LLVM's text
form. Every operation is exact or rounded as IEEE 754 demands; nothing is contracted but
what is written as :meth:`Machine.fused`, so both give the same bits.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Protocol

from haptos.numerics.operations import Op

__all__ = ["LIBRARY_FUNCTIONS", "Machine", "weighted"]

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

    def fused(self, a: Any, b: Any, c: Any) -> Any:
        """Return ``a b + c``, rounded once."""

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


def weighted(m: Machine, weights: Iterable[float], values: Iterable[Any], total: Any = None) -> Any:
    """Return `total` plus the weighted sum, added from the left; zero weights are left out."""
    for weight, value in zip(weights, values, strict=True):
        if weight != 0.0:
            factor = m.number(weight)
            total = m.arithmetic("mul", factor, value) if total is None else m.fused(factor, value, total)
    return m.number(0.0) if total is None else total
