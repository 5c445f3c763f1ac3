"""How a time course becomes one number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

__all__ = ["SUMMARIES", "TWO_COURSES", "delays", "relative_to", "summarised"]

Array = NDArray[np.float64]

#: Summary that compares two courses instead of dividing them.
TWO_COURSES = "delay"
#: Time over which the rate of change at the end is taken [min].
_WINDOW = 60.0
#: Least rise of a course, relative to its greatest value, that counts as one.
_RISE = 0.05


def summarised(rows: Array, summary: str, times: Array) -> Array:
    """Return the number of each course, shape (n_entities, 1), or the courses themselves.

    Parameters
    ----------
    rows : ndarray, shape (n_entities, n_times) or (n_entities, 1)
        Courses; single values stay as they are.
    summary : str
        One of :data:`SUMMARIES`.
    times : ndarray, shape (n_times,)
        After the start of the assay [min].
    """
    if rows.shape[1] == 1 or summary == "time_course":
        return rows
    return np.array([[_NUMBERS[summary](row, times)] for row in rows], dtype=np.float64)


def relative_to(rows: Array, since: float, times: Array) -> Array:
    """Return courses over their own reading at a time [min], NaN where that is nothing; shape (n_entities, n_times)."""
    before = np.array([[np.interp(since, times, row)] for row in rows])
    relative: Array = np.divide(rows, before, out=np.full_like(rows, np.nan), where=before > 0.0)
    return relative


def delays(rows: Array, first: Array, times: Array) -> Array:
    """Return how long after `first` each course comes to half its rise [min], shape (n_entities, 1).

    NaN where one of the two does not rise by a twentieth of its greatest value.
    """
    return np.array([[_half_rise(row, times) - _half_rise(first, times)] for row in rows], dtype=np.float64)


def _half_rise(course: Array, times: Array) -> float:
    """Return when a course first comes half-way from its start to its greatest value [min]."""
    rise = float(np.max(course) - course[0])
    if not rise > _RISE * float(np.max(course)):
        return float("nan")
    return _crossing(course - (course[0] + 0.5 * rise), times)


def _crossing(above: Array, times: Array) -> float:
    """Return when a course that starts below zero first reaches it, between samples linearly."""
    after = int(np.argmax(above >= 0.0))
    if after == 0:
        return float(times[0])
    share = -above[after - 1] / (above[after] - above[after - 1])
    return float(times[after - 1] + share * (times[after] - times[after - 1]))


def _half_life(course: Array, times: Array) -> float:
    """Return when a course first falls to half of its start [min]; NaN if it never does."""
    below = 0.5 * course[0] - course
    return _crossing(below, times) if course[0] > 0.0 and np.any(below >= 0.0) else float("nan")


def _rate_of_change(course: Array, times: Array) -> float:
    """Return the relative rate of change over the last hour [1/h]; NaN where there is nothing."""
    before = max(float(times[0]), float(times[-1]) - _WINDOW)
    last, earlier = float(course[-1]), float(np.interp(before, times, course))
    if last <= 0.0 or earlier <= 0.0:
        return float("nan")
    return float(60.0 * np.log(last / earlier) / (times[-1] - before))


_NUMBERS: Mapping[str, Callable[[Array, Array], float]] = MappingProxyType(
    {
        "endpoint": lambda course, _: float(course[-1]),
        "integral": lambda course, times: float(np.trapezoid(course, times)),
        "peak": lambda course, _: float(np.max(course)),
        "rate_of_change": _rate_of_change,
        "half_life": _half_life,
    }
)

#: Ways of turning a time course into a number that are built.
SUMMARIES = ("time_course", *_NUMBERS, TWO_COURSES)
