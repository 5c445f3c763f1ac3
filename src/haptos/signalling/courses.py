"""Landmarks of time courses: peaks, troughs, half-times, periods."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haptos.errors import ParameterError

__all__ = ["Landmarks", "half_time", "landmarks"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Landmarks:
    """Extrema of an oscillating or transient course.

    Attributes
    ----------
    peaks, troughs : ndarray
        Times of the inner maxima and minima, in the unit of the times given.
    peak_values, trough_values : ndarray
        Values there.
    """

    peaks: Array
    troughs: Array
    peak_values: Array
    trough_values: Array

    @property
    def period(self) -> float:
        """Mean spacing of the maxima after the first; NaN with fewer than three maxima."""
        return float(np.mean(np.diff(self.peaks[1:]))) if len(self.peaks) > 2 else float("nan")


def landmarks(times: Array, values: Array, *, prominence: float = 0.01) -> Landmarks:
    """Find the inner extrema of a course.

    Parameters
    ----------
    times, values : ndarray, shape (n_times,)
        The course; times increasing.
    prominence : float
        Smallest prominence of an extremum, as a share of the range of the values.

    Raises
    ------
    ParameterError
        If the shapes differ or there are fewer than three points.

    Examples
    --------
    >>> t = np.linspace(0, 300, 301)
    >>> landmarks(t, np.sin(2 * np.pi * t / 100)).peaks.tolist()
    [25.0, 125.0, 225.0]
    """
    from scipy.signal import find_peaks

    if times.shape != values.shape or len(times) < 3:
        raise ParameterError("times and values must have the same shape and at least three points")
    least = prominence * float(np.ptp(values))
    high = find_peaks(values, prominence=max(least, 1e-300))[0]
    low = find_peaks(-values, prominence=max(least, 1e-300))[0]
    return Landmarks(times[high], times[low], values[high], values[low])


def half_time(times: Array, values: Array) -> float:
    """Return when a falling course first reaches half its start, linearly interpolated; NaN if never.

    Examples
    --------
    >>> half_time(np.array([0.0, 10.0, 20.0]), np.array([4.0, 3.0, 1.0]))
    15.0
    """
    below = np.flatnonzero(values <= 0.5 * values[0])
    if not below.size:
        return float("nan")
    i = int(below[0])
    if i == 0:
        return float(times[0])
    share = (values[i - 1] - 0.5 * values[0]) / (values[i - 1] - values[i])
    return float(times[i - 1] + share * (times[i] - times[i - 1]))
