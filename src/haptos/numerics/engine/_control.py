"""Step size control (numba): plain arithmetic and square roots, so equal bits everywhere.

Import only inside functions: it imports numba.
"""

from __future__ import annotations

import numpy as np
from numba import njit

__all__ = ["end_of_step", "fraction_root", "next_step", "rejected_step", "start_step", "too_small"]


@njit(cache=True, nogil=True, error_model="numpy")
def fraction_root(x: float, order: int) -> float:
    """Return about ``x ** (1 / order)`` for order 4 or 5 and x >= 0.

    The fifth root is ``x^(1/4 - 1/16 + 1/64 - 1/256)`` by square roots, then one step of
    Newton's method: within 1e-3 for any x that occurs.
    """
    fourth = np.sqrt(np.sqrt(x))
    if order == 4 or fourth == 0.0 or not np.isfinite(fourth):
        return float(fourth)
    second = np.sqrt(np.sqrt(fourth))
    third = np.sqrt(np.sqrt(second))
    last = np.sqrt(np.sqrt(third))
    guess = fourth / second * (third / last)
    return float(0.8 * guess + 0.2 * (x / (guess * guess * guess * guess)))


@njit(cache=True, nogil=True, error_model="numpy")
def end_of_step(now: float, step: float, stop: float) -> float:
    """Return where a step ends: the stop if it is all but reached."""
    return stop if now + 1.0001 * step >= stop else now + step


@njit(cache=True, nogil=True, error_model="numpy")
def next_step(step: float, error: float, last_step: float, last_error: float, order: int) -> float:
    """Return the step after an accepted one, by Gustafsson's predictive controller.

    ``last_error`` is 0 if there is no accepted step before.
    """
    shrink = fraction_root(error, order) / 0.9
    if last_error > 0.0:
        predicted = step / last_step
        predicted = fraction_root(error * error / last_error, order) / (0.9 * predicted)
        shrink = max(shrink, predicted)
    return step / max(1.0 / 6.0, min(5.0, shrink))


@njit(cache=True, nogil=True, error_model="numpy")
def rejected_step(step: float, error: float, first: bool, order: int) -> float:
    """Return the step after a rejected one; the first step of a stretch shrinks tenfold."""
    if first or not np.isfinite(error):
        return 0.1 * step
    return step / min(5.0, fraction_root(error, order) / 0.9)


@njit(cache=True, nogil=True, error_model="numpy")
def start_step(slope: float, bend: float, length: float, order: int) -> float:
    """Return the first step of a stretch of some length.

    Parameters
    ----------
    slope, bend : float
        Largest dy/dt and d²y/dt² in units of the tolerance [1/time, 1/time²].
    length : float
        Length of the stretch [time].
    order : int
        Order of the method.

    Notes
    -----
    With the time scale ``slope / bend`` the error of a step h is taken as
    ``(h / scale)^order * slope * scale``, which is to be 1.
    """
    if not bend > 0.0:
        return length
    if not slope > 0.0:
        return float(min(length, np.sqrt(1.0 / bend)))
    scale = slope / bend
    change = slope * scale
    if not (np.isfinite(change) and change > 0.0):
        return 1e-6 * length
    return min(length, scale / fraction_root(change, order))


@njit(cache=True, nogil=True, error_model="numpy")
def too_small(now: float, step: float) -> bool:
    """Whether a step is lost in the rounding of time."""
    return bool(step <= 16.0 * np.spacing(abs(now)) or step < 1e-290)
