"""Tapes along the paths of a batch, members in the lanes of vectors.

A tape is run on the same machine as the right-hand side of the engine: in NumPy where
there is little to do, else in machine code made for it and kept on disk. Both give the
same bits, so which of them ran is never seen; the tests hold them against each other.
"""

from __future__ import annotations

import functools
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from haptos.errors import ParameterError
from haptos.numerics._path_code import path_code, tape_operations, tape_variables
from haptos.numerics.engine.arrays import NumpyMachine
from haptos.numerics.engine.jit import default_cache, native_width
from haptos.numerics.engine.machine import Machine
from haptos.numerics.engine.program import operate
from haptos.numerics.operations import Op
from haptos.numerics.tape import Tape

__all__ = ["evaluate_paths"]

Array = NDArray[np.float64]

_LITTLE: Final = 20_000
"""Operations times points below which NumPy is as quick as loading machine code."""
_COSTLY: Final = {Op.EXP: 20, Op.LN: 40, Op.LOG10: 40, Op.POW: 80}


def evaluate_paths(
    tape: Tape, states: Array, fixed: Array, times: Array, *, out: Array | None = None, compiled: bool | None = None
) -> Array:
    """Evaluate a tape along the paths of a batch.

    Parameters
    ----------
    tape : Tape
        What to evaluate; its variables are the states, then the fixed ones.
    states : ndarray, shape (B, T, n_states)
        Values that change with time; the last axis contiguous.
    fixed : ndarray, shape (B, n_fixed)
        Values that do not.
    times : ndarray, shape (T,)
        Times.
    out : ndarray, shape (B, T, n_outputs), optional
        Where the results go; the last axis contiguous.
    compiled : bool, optional
        Whether to use machine code; chosen by the amount of work by default. No bit
        depends on it.

    Returns
    -------
    ndarray, shape (B, T, n_outputs)
        Results; non-finite values are returned as such. Every point is evaluated on its
        own, so its bits do not depend on the others.

    Raises
    ------
    ParameterError
        If the shapes do not fit the tape or each other.
    """
    size, count, n = states.shape
    if fixed.shape != (size, tape.n_variables - n) or times.shape != (count,):
        raise ParameterError(
            f"a tape of {tape.n_variables} variables cannot be evaluated on arrays of shape "
            f"{states.shape}, {fixed.shape} and {times.shape}"
        )
    result = np.empty((size, count, tape.n_outputs)) if out is None else out
    if result.size == 0:
        return result
    use = _effort(tape) * size * count > _LITTLE if compiled is None else compiled
    if use:
        path_code(tape, n, _width(), default_cache()).run(states, fixed, times, result)
    else:
        _interpret(tape, states, fixed, times, result)
    return result


@functools.cache
def _width() -> int:
    return native_width()


@functools.lru_cache(maxsize=256)
def _effort(tape: Tape) -> int:
    """Return the work of a point: operations, costly ones counted several times, and copies."""
    codes = np.concatenate([tape.prologue[:, 0], tape.body[:, 0]]).tolist()
    return sum(_COSTLY.get(Op(code), 1) for code in codes) + tape.n_outputs // 4


def _interpret(tape: Tape, states: Array, fixed: Array, times: Array, result: Array) -> None:
    """Run a tape in NumPy, all points at once: the readable meaning of the machine code."""
    machine: Machine = NumpyMachine()
    n, places = states.shape[2], dict[int, Any](enumerate(np.float64(c) for c in tape.constants))
    for i in tape_variables(tape):
        places[tape.first_variable + i] = states[:, :, i] if i < n else fixed[:, i - n, None]
    places[tape.time_place] = times[None, :]
    with np.errstate(all="ignore"):
        for place, (node, operands, exponent) in enumerate(tape_operations(tape), start=tape.first_prologue):
            places[place] = operate(machine, node, [places[i] for i in operands], exponent)
    for column, place in enumerate(tape.outputs.tolist()):
        result[:, :, column] = places[place]
