"""The operations an expression may use, and what each of them means.

One table gives arity, infix or function symbol and the readable NumPy meaning of every
operation. Constant folding and the reference evaluator read it; the compiled evaluator
in :mod:`haptos.numerics._kernels` is compared with it in the tests.

Truth values are the numbers 0 and 1; any number but zero is true. Arithmetic follows
IEEE 754: a division by zero is infinite and the logarithm of a negative number is not a
number, neither raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["OPERATIONS", "Op", "Operation", "apply_operation"]


class Op(IntEnum):
    """Code of an operation. The numbers are part of the pickled form: never reuse one."""

    CONSTANT = 0
    VARIABLE = 1
    TIME = 2
    NEG = 10
    ADD = 11
    SUB = 12
    MUL = 13
    DIV = 14
    POW = 15
    EXP = 16
    LN = 17
    LOG10 = 18
    SQRT = 19
    ABS = 20
    FLOOR = 21
    CEIL = 22
    MIN = 23
    MAX = 24
    SIN = 25
    COS = 26
    TAN = 27
    ASIN = 28
    ACOS = 29
    ATAN = 30
    SINH = 31
    COSH = 32
    TANH = 33
    ASINH = 34
    ACOSH = 35
    ATANH = 36
    LT = 37
    LE = 38
    EQ = 39
    NE = 40
    AND = 41
    OR = 42
    XOR = 43
    NOT = 44
    SELECT = 45


class Operation(NamedTuple):
    """Arity, symbol and meaning of an operation."""

    arity: int
    symbol: str
    function: Callable[..., Any]


def _truth(value: Any) -> NDArray[np.bool_]:
    return np.asarray(np.asarray(value) != 0.0, dtype=np.bool_)


OPERATIONS: Mapping[Op, Operation] = MappingProxyType(
    {
        Op.NEG: Operation(1, "-", np.negative),
        Op.ADD: Operation(2, "+", np.add),
        Op.SUB: Operation(2, "-", np.subtract),
        Op.MUL: Operation(2, "*", np.multiply),
        Op.DIV: Operation(2, "/", np.divide),
        Op.POW: Operation(2, "^", np.power),
        Op.EXP: Operation(1, "exp", np.exp),
        Op.LN: Operation(1, "ln", np.log),
        Op.LOG10: Operation(1, "log10", np.log10),
        Op.SQRT: Operation(1, "sqrt", np.sqrt),
        Op.ABS: Operation(1, "abs", np.abs),
        Op.FLOOR: Operation(1, "floor", np.floor),
        Op.CEIL: Operation(1, "ceil", np.ceil),
        Op.MIN: Operation(2, "min", lambda a, b: np.where(np.less(a, b), a, b)),
        Op.MAX: Operation(2, "max", lambda a, b: np.where(np.less(b, a), a, b)),
        Op.SIN: Operation(1, "sin", np.sin),
        Op.COS: Operation(1, "cos", np.cos),
        Op.TAN: Operation(1, "tan", np.tan),
        Op.ASIN: Operation(1, "asin", np.arcsin),
        Op.ACOS: Operation(1, "acos", np.arccos),
        Op.ATAN: Operation(1, "atan", np.arctan),
        Op.SINH: Operation(1, "sinh", np.sinh),
        Op.COSH: Operation(1, "cosh", np.cosh),
        Op.TANH: Operation(1, "tanh", np.tanh),
        Op.ASINH: Operation(1, "asinh", np.arcsinh),
        Op.ACOSH: Operation(1, "acosh", np.arccosh),
        Op.ATANH: Operation(1, "atanh", np.arctanh),
        Op.LT: Operation(2, "<", np.less),
        Op.LE: Operation(2, "<=", np.less_equal),
        Op.EQ: Operation(2, "==", np.equal),
        Op.NE: Operation(2, "!=", np.not_equal),
        Op.AND: Operation(2, "&&", lambda a, b: _truth(a) & _truth(b)),
        Op.OR: Operation(2, "||", lambda a, b: _truth(a) | _truth(b)),
        Op.XOR: Operation(2, "xor", lambda a, b: _truth(a) ^ _truth(b)),
        Op.NOT: Operation(1, "!", lambda a: ~_truth(a)),
        Op.SELECT: Operation(3, "select", lambda c, a, b: np.where(_truth(c), a, b)),
    }
)


def apply_operation(op: Op, *operands: Any) -> NDArray[np.float64]:
    """Apply an operation element by element.

    Parameters
    ----------
    op : Op
        Any operation but ``CONSTANT``, ``VARIABLE`` and ``TIME``.
    *operands : array_like
        As many as the arity, broadcast against each other.

    Returns
    -------
    ndarray of float64
        The result; non-finite values are returned, never raised.

    Examples
    --------
    >>> float(apply_operation(Op.DIV, 1.0, 0.0))
    inf
    >>> apply_operation(Op.SELECT, [0.0, 1.0], 5.0, 7.0).tolist()
    [7.0, 5.0]
    """
    arrays = [np.asarray(operand, dtype=np.float64) for operand in operands]
    with np.errstate(all="ignore"):
        return np.asarray(OPERATIONS[op].function(*arrays), dtype=np.float64)
