"""Errors of simulations, and work compared at equal error."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["error_of", "frontier", "time_at"]

Array = NDArray[np.float64]


def error_of(values: Array, reference: Array) -> float:
    """Return the median over the members of each member's largest relative error.

    Parameters
    ----------
    values, reference : ndarray, shape (B, T, n)
        States; nan where a member failed, which counts as an infinite error.

    Notes
    -----
    The error of a value is ``|y - ref| / (|ref| + 1e-3 max_t |ref|)``, with at least 1e-9
    of the member's largest state as denominator.

    Examples
    --------
    >>> truth = np.ones((1, 2, 1))
    >>> round(error_of(truth * 1.001, truth), 6)
    0.000999
    """
    largest = np.max(np.abs(reference), axis=1, keepdims=True)
    size = np.abs(reference) + 1e-3 * largest
    size = np.maximum(size, 1e-9 * np.max(largest, axis=2, keepdims=True))
    errors = np.abs(values - reference) / np.where(size > 0.0, size, 1.0)
    worst = np.max(np.where(np.isfinite(errors), errors, np.inf), axis=(1, 2))
    return float(np.median(worst))


def frontier(errors: Sequence[float], times: Sequence[float]) -> tuple[Array, Array]:
    """Return errors, ascending, and times of the points that no other point beats in both.

    Examples
    --------
    >>> [a.tolist() for a in frontier([1e-3, 1e-2, 1e-4], [3.0, 4.0, 5.0])]
    [[0.0001, 0.001], [5.0, 3.0]]
    """
    kept: list[tuple[float, float]] = []
    for error, time in sorted(zip(errors, times, strict=True)):
        if np.isfinite(error) and error > 0.0 and (not kept or time < kept[-1][1]):
            kept.append((error, time))
    table = np.array(kept, dtype=np.float64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def time_at(target: float, errors: Sequence[float], times: Sequence[float]) -> float:
    """Return the time at which an error is reached, interpolated in logarithms.

    An error looser than all measured ones costs the time of the loosest (no gain is made
    up); one tighter than all measured ones was not reached: nan.

    Examples
    --------
    >>> round(time_at(1e-3, [1e-2, 1e-4], [1.0, 4.0]), 6)
    2.0
    >>> time_at(1e-5, [1e-2, 1e-4], [1.0, 4.0])
    nan
    """
    at, cost = frontier(errors, times)
    if not at.size or not np.isfinite(target) or target < at[0]:
        return float("nan")
    return float(np.exp(np.interp(np.log(target), np.log(at), np.log(cost))))
