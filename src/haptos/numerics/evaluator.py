"""Compiled evaluation of tapes and systems, bound to working arrays of their own.

An evaluator is not shared between threads; the tapes it reads may be.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

from haptos.errors import ParameterError
from haptos.numerics.system import OdeSystem
from haptos.numerics.tape import Tape

__all__ = ["NonFiniteError", "SystemEvaluator", "WorkLimitError", "evaluate_tape"]

Array = NDArray[np.float64]


class NonFiniteError(ArithmeticError):
    """A derivative became infinite or not a number; caught by the solvers."""


class WorkLimitError(ArithmeticError):
    """More evaluations than allowed; caught by the solvers."""


def evaluate_tape(tape: Tape, states: Array, fixed: Array, times: Array) -> Array:
    """Evaluate a tape along the paths of a batch.

    Parameters
    ----------
    tape : Tape
        What to evaluate; its variables are the states, then the fixed ones.
    states : ndarray, shape (B, T, n_states)
        Values that change with time.
    fixed : ndarray, shape (B, n_fixed)
        Values that do not.
    times : ndarray, shape (T,)
        Times.

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
    from haptos.numerics import _kernels

    size, count, n = states.shape
    if fixed.shape != (size, tape.n_variables - n) or times.shape != (count,):
        raise ParameterError(
            f"a tape of {tape.n_variables} variables cannot be evaluated on arrays of shape "
            f"{states.shape}, {fixed.shape} and {times.shape}"
        )
    result = np.empty((size, count, tape.n_outputs))
    _kernels.evaluate_paths(
        _locked(tape.prologue),
        tape.first_prologue,
        _locked(tape.body),
        tape.first_body,
        tape.workspace(),
        tape.first_variable,
        np.array(states, dtype=np.float64, order="C"),
        np.array(fixed, dtype=np.float64, order="C"),
        np.array(times, dtype=np.float64),
        _locked(tape.outputs),
        result,
    )
    return result


class SystemEvaluator:
    """Right-hand side and Jacobian of a system for one set of parameters at a time.

    Parameters
    ----------
    system : OdeSystem
        The equations.

    Attributes
    ----------
    n_rhs : int
        Evaluations of the right-hand side so far; may be reset.
    max_rhs : int
        Evaluations allowed.
    """

    def __init__(self, system: OdeSystem) -> None:
        from haptos.numerics import _kernels

        n = system.n_states
        self._system = system
        self._prepare = _kernels.prepare
        self._rhs = _kernels.derivative
        self._jac = _kernels.jacobian_by_columns
        self._rhs_args = _arguments(system.rhs)
        self._jac_args = _arguments(system.jacobian)
        floor = _locked(system.floor)
        places = (_locked(system.rows), _locked(system.columns))
        self._rhs_out = (floor, _locked(system.rhs.outputs), np.empty(n))
        self._jac_out = (floor, _locked(system.jacobian.outputs), *places, np.zeros((n, n)))
        self._timed = system.rhs.uses_time
        self._earliest, self._latest = -np.inf, np.inf
        self.n_rhs, self.max_rhs = 0, sys.maxsize

    @property
    def floor(self) -> Array:
        """Lowest admissible value of every state, shape (n_states,)."""
        return self._system.floor

    def set_parameters(self, parameters: Array) -> None:
        """Take new parameters, shape (n_parameters,), and run the prologues."""
        values = np.array(parameters, dtype=np.float64)
        for tape, arguments in (
            (self._system.rhs, self._rhs_args),
            (self._system.jacobian, self._jac_args),
        ):
            first = tape.first_variable + self._system.n_states
            self._prepare(_locked(tape.prologue), tape.first_prologue, arguments[2], first, values)

    def set_interval(self, start: float, stop: float) -> None:
        """Clamp time to the inside of an interval, so that jumps at its ends stay outside."""
        margin = 4.0 * np.spacing(max(abs(start), abs(stop)))
        self._earliest, self._latest = start + margin, stop - margin

    def rhs(self, time: float, state: Array) -> Array:
        """Return dy/dt, shape (n_states,); the array is reused by the next call.

        Raises
        ------
        NonFiniteError
            If any derivative is not finite.
        WorkLimitError
            If there were more evaluations than allowed.
        """
        self.n_rhs += 1
        if self.n_rhs > self.max_rhs:
            raise WorkLimitError
        if self._timed:
            time = min(max(time, self._earliest), self._latest)
        out = self._rhs_out
        if not self._rhs(*self._rhs_args, time, state, *out):
            raise NonFiniteError
        return out[2]

    def jacobian_by_columns(self, time: float, state: Array) -> Array:
        """Return the transposed Jacobian, ``[j, i] = df_i/dy_j``; the array is reused."""
        if self._timed:
            time = min(max(time, self._earliest), self._latest)
        out = self._jac_out
        self._jac(*self._jac_args, time, state, *out)
        return out[4]


def _arguments(tape: Tape) -> tuple[NDArray[np.int32], int, Array, int, int]:
    return (
        _locked(tape.body),
        tape.first_body,
        tape.workspace(),
        tape.first_variable,
        tape.time_place,
    )


def _locked[A: np.ndarray](array: A) -> A:
    """Return a read-only view: one compiled version serves fresh and unpickled tapes."""
    view = array.view()
    view.flags.writeable = False
    return view
