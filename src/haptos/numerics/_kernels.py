"""Compiled evaluators of tapes (numba).

Import this module only inside functions: it imports numba, which takes half a second.
The chain of comparisons becomes one jump table in machine code.
"""

# ruff: noqa: PLR0912, PLR0913, PLR0915, PLR0917, C901
# Kernels take bare arrays, and the chain of operations is long by nature.

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haptos.numerics.operations import Op

Array = NDArray[np.float64]
Index = NDArray[np.int32]

__all__ = ["derivative", "evaluate_paths", "jacobian_by_columns", "prepare", "run"]

_NEG = int(Op.NEG)
_ADD = int(Op.ADD)
_SUB = int(Op.SUB)
_MUL = int(Op.MUL)
_DIV = int(Op.DIV)
_POW = int(Op.POW)
_EXP = int(Op.EXP)
_LN = int(Op.LN)
_LOG10 = int(Op.LOG10)
_SQRT = int(Op.SQRT)
_ABS = int(Op.ABS)
_FLOOR = int(Op.FLOOR)
_CEIL = int(Op.CEIL)
_MIN = int(Op.MIN)
_MAX = int(Op.MAX)
_SIN = int(Op.SIN)
_COS = int(Op.COS)
_TAN = int(Op.TAN)
_ASIN = int(Op.ASIN)
_ACOS = int(Op.ACOS)
_ATAN = int(Op.ATAN)
_SINH = int(Op.SINH)
_COSH = int(Op.COSH)
_TANH = int(Op.TANH)
_ASINH = int(Op.ASINH)
_ACOSH = int(Op.ACOSH)
_ATANH = int(Op.ATANH)
_LT = int(Op.LT)
_LE = int(Op.LE)
_EQ = int(Op.EQ)
_NE = int(Op.NE)
_AND = int(Op.AND)
_OR = int(Op.OR)
_XOR = int(Op.XOR)
_NOT = int(Op.NOT)
_SELECT = int(Op.SELECT)


@njit(cache=True, nogil=True, error_model="numpy")
def run(
    code: Index,
    first: int,
    work: Array,
) -> None:
    """Run instructions ``code (n, 4)``; result `k` goes to ``work[first + k]``."""
    for k in range(code.shape[0]):
        op = code[k, 0]
        a = work[code[k, 1]]
        b = work[code[k, 2]]
        if op == _MUL:
            r = a * b
        elif op == _ADD:
            r = a + b
        elif op == _SUB:
            r = a - b
        elif op == _DIV:
            r = a / b
        elif op == _POW:
            r = a**b
        elif op == _NEG:
            r = -a
        elif op == _EXP:
            r = np.exp(a)
        elif op == _LN:
            r = np.log(a)
        elif op == _LOG10:
            r = np.log10(a)
        elif op == _SQRT:
            r = np.sqrt(a)
        elif op == _ABS:
            r = abs(a)
        elif op == _FLOOR:
            r = np.floor(a)
        elif op == _CEIL:
            r = np.ceil(a)
        elif op == _MIN:
            r = a if a < b else b
        elif op == _MAX:
            r = a if b < a else b
        elif op == _SIN:
            r = np.sin(a)
        elif op == _COS:
            r = np.cos(a)
        elif op == _TAN:
            r = np.tan(a)
        elif op == _ASIN:
            r = np.arcsin(a)
        elif op == _ACOS:
            r = np.arccos(a)
        elif op == _ATAN:
            r = np.arctan(a)
        elif op == _SINH:
            r = np.sinh(a)
        elif op == _COSH:
            r = np.cosh(a)
        elif op == _TANH:
            r = np.tanh(a)
        elif op == _ASINH:
            r = np.arcsinh(a)
        elif op == _ACOSH:
            r = np.arccosh(a)
        elif op == _ATANH:
            r = np.arctanh(a)
        elif op == _LT:
            r = 1.0 if a < b else 0.0
        elif op == _LE:
            r = 1.0 if a <= b else 0.0
        elif op == _EQ:
            r = 1.0 if a == b else 0.0
        elif op == _NE:
            r = 1.0 if a != b else 0.0
        elif op == _AND:
            r = 1.0 if a != 0.0 and b != 0.0 else 0.0
        elif op == _OR:
            r = 1.0 if a != 0.0 or b != 0.0 else 0.0
        elif op == _XOR:
            r = 1.0 if (a != 0.0) != (b != 0.0) else 0.0
        elif op == _NOT:
            r = 1.0 if a == 0.0 else 0.0
        elif op == _SELECT:
            r = b if a != 0.0 else work[code[k, 3]]
        else:
            r = np.nan
        work[first + k] = r


@njit(cache=True, nogil=True, error_model="numpy")
def prepare(
    prologue: Index,
    first: int,
    work: Array,
    place: int,
    values: Array,
) -> None:
    """Put fixed variables at ``work[place:]`` and run the prologue."""
    for i in range(values.shape[0]):
        work[place + i] = values[i]
    run(prologue, first, work)


@njit(cache=True, nogil=True, error_model="numpy")
def _run_at(
    code: Index,
    first: int,
    work: Array,
    place: int,
    time_place: int,
    time: float,
    state: Array,
    floor: Array,
) -> None:
    """Run a tape at a time and a state, whose entries are raised to their floor first."""
    for i in range(state.shape[0]):
        work[place + i] = floor[i] if state[i] < floor[i] else state[i]
    work[time_place] = time
    run(code, first, work)


@njit(cache=True, nogil=True, error_model="numpy")
def derivative(
    code: Index,
    first: int,
    work: Array,
    place: int,
    time_place: int,
    time: float,
    state: Array,
    floor: Array,
    outputs: Index,
    result: Array,
) -> bool:
    """Evaluate dy/dt. Returns whether all is finite.

    ``place`` is that of state 0, ``floor`` is 0 for species and minus infinity for
    quantities of any sign.
    """
    _run_at(code, first, work, place, time_place, time, state, floor)
    finite = True
    for i in range(outputs.shape[0]):
        value = work[outputs[i]]
        result[i] = value
        finite = finite and np.isfinite(value)
    return bool(finite)


@njit(cache=True, nogil=True, error_model="numpy")
def jacobian_by_columns(
    code: Index,
    first: int,
    work: Array,
    place: int,
    time_place: int,
    time: float,
    state: Array,
    floor: Array,
    outputs: Index,
    rows: Index,
    columns: Index,
    result: Array,
) -> None:
    """Evaluate the sparse Jacobian into ``result[column, row]``; the rest must be zero.

    Entries that are not finite are stored as zero: the matrix only steers an iteration.
    """
    _run_at(code, first, work, place, time_place, time, state, floor)
    for i in range(outputs.shape[0]):
        value = work[outputs[i]]
        result[columns[i], rows[i]] = value if np.isfinite(value) else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def evaluate_paths(
    prologue: Index,
    first_prologue: int,
    body: Index,
    first_body: int,
    work: Array,
    place: int,
    states: Array,
    fixed: Array,
    times: Array,
    outputs: Index,
    result: Array,
) -> None:
    """Evaluate along paths: ``states (B, T, n)``, ``fixed (B, p)``, ``times (T,)``.

    States stand at ``work[place:]``, fixed variables after them, then time.
    """
    n = states.shape[2]
    time_place = place + n + fixed.shape[1]
    for b in range(states.shape[0]):
        for i in range(fixed.shape[1]):
            work[place + n + i] = fixed[b, i]
        run(prologue, first_prologue, work)
        for t in range(times.shape[0]):
            for i in range(n):
                work[place + i] = states[b, t, i]
            work[time_place] = times[t]
            run(body, first_body, work)
            for i in range(outputs.shape[0]):
                result[b, t, i] = work[outputs[i]]
