"""t-tests and intervals on logarithms, and Holm's adjustment, on bare arrays.

The last axis holds the repeats, so many experiments can be tested at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["LogTest", "holm", "interval_of_mean", "paired_test", "welch_test"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class LogTest:
    """Outcome of a two-sided t-test of a difference of means.

    Attributes
    ----------
    effect, low, high : ndarray
        Difference of the means with its interval.
    t, dof, p : ndarray
        Statistic, degrees of freedom, probability; NaN where there is no spread or fewer than
        two repeats.
    """

    effect: Array
    low: Array
    high: Array
    t: Array
    dof: Array
    p: Array


def paired_test(test: Array, against: Array, confidence: float = 0.95) -> LogTest:
    """Test the mean of the differences between pairs, shape (..., n).

    Examples
    --------
    >>> result = paired_test(np.array([1.0, 1.4, 1.5]), np.array([0.2, 0.3, 0.4]))
    >>> round(float(result.effect), 3), round(float(result.p), 4)
    (1.0, 0.0099)
    """
    difference = np.asarray(test, dtype=np.float64) - np.asarray(against, dtype=np.float64)
    n = difference.shape[-1]
    if n < 2:
        return _untested(difference)
    effect = difference.mean(axis=-1)
    variance = _variance(difference) / n
    return _result(effect, variance, np.full(effect.shape, float(n - 1)), confidence)


def welch_test(test: Array, against: Array, confidence: float = 0.95) -> LogTest:
    """Test the difference of two means of unequal variance, shapes (..., n) and (..., m)."""
    a, b = np.asarray(test, dtype=np.float64), np.asarray(against, dtype=np.float64)
    if min(a.shape[-1], b.shape[-1]) < 2:
        return _untested(_mean(a)[..., None] - _mean(b)[..., None])
    share_a, share_b = _variance(a) / a.shape[-1], _variance(b) / b.shape[-1]
    variance = share_a + share_b
    below = share_a**2 / (a.shape[-1] - 1) + share_b**2 / (b.shape[-1] - 1)
    dof = np.divide(variance**2, below, out=np.full(variance.shape, np.nan), where=below > 0)
    return _result(a.mean(axis=-1) - b.mean(axis=-1), variance, dof, confidence)


def interval_of_mean(values: Array, confidence: float = 0.95) -> tuple[Array, Array, Array]:
    """Return the mean over the last axis with its t interval (NaN for one repeat)."""
    values = np.asarray(values, dtype=np.float64)
    result = paired_test(values, np.zeros_like(values), confidence)
    return result.effect, result.low, result.high


def holm(p: Array) -> Array:
    """Adjust p values by Holm's step-down; NaN stay NaN and do not count.

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03, np.nan])).tolist()
    [0.03, 0.06, 0.06, nan]
    """
    p = np.asarray(p, dtype=np.float64)
    adjusted = np.full(p.shape, np.nan)
    tested = np.flatnonzero(np.isfinite(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    steps = p[order] * np.arange(order.size, 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted


def _mean(values: Array) -> Array:
    nothing: Array = np.full(values.shape[:-1], np.nan)
    return values.mean(axis=-1) if values.shape[-1] else nothing


def _variance(values: Array) -> Array:
    """Return the sample variance, 0 where the spread is rounding noise only."""
    variance: Array = values.var(axis=-1, ddof=1)
    noise = (1e-13 * np.maximum(1.0, np.abs(values).max(axis=-1))) ** 2
    return np.where(variance > noise, variance, 0.0)


def _result(effect: Array, variance: Array, dof: Array, confidence: float) -> LogTest:
    from scipy.special import stdtr, stdtrit

    spread = variance > 0.0
    error = np.sqrt(np.where(spread, variance, np.nan))
    t = effect / error
    half = stdtrit(dof, 0.5 + 0.5 * confidence) * error
    p = 2.0 * stdtr(dof, -np.abs(t))
    return LogTest(effect, effect - half, effect + half, t, dof, p)


def _untested(difference: Array) -> LogTest:
    effect = _mean(difference)
    nothing = np.full(effect.shape, np.nan)
    return LogTest(effect, nothing, nothing, nothing, nothing, nothing)
