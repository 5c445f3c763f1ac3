"""How a time course becomes the number that a record gives."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from haptos.signalling.courses import half_time, landmarks

__all__ = ["SUMMARIES", "number_of", "threshold"]

Array = NDArray[np.float64]
_NONE = float("nan")

#: Ways to read a course. Times are in minutes after the start, NaN if what they mark does not occur;
#: ``fall_time`` and ``settle_time`` of a course that does not fall are its end.
SUMMARIES = (
    "end",  # last value
    "at",  # value at a time
    "fold",  # value at `at` over that at `since`
    "count_peaks",  # number of inner maxima
    "peak_time", "peak_value", "trough_time",  # of the maximum or minimum number `place`
    "peak_fold",  # maximum number `place` over the first one
    "spacing",  # from maximum number `place` to the next
    "period",  # mean spacing of the maxima after the first
    "window_fold",  # greatest rise after `at` over the greatest after `since`
    "maximum_time", "minimum_time", "maximum_fold", "minimum_share",  # of the whole course; relative to the start
    "half_time",  # first time at half of the start
    "loss_time",  # first time at `share` of the start
    "return_time",  # after the minimum, first time back at `share` of the start
    "fall_time",  # after the maximum, first time at `share` of it
    "settle_time",  # after the maximum, first time with `share` of the rise over the start
)  # fmt: skip


def number_of(how: str, times: Array, values: Array, *, at: float, since: float, place: int, share: float) -> float:
    """Return the number a course gives, NaN if it gives none.

    Parameters
    ----------
    how : str
        One of :data:`SUMMARIES`.
    times, values : ndarray, shape (n_times,)
        The course [min]; a failed one holds NaN.
    at, since : float
        Times [min].
    place : int
        Which maximum or minimum, from 1.
    share : float
        Level in (0, 1).

    Examples
    --------
    >>> t = np.linspace(0.0, 300.0, 301)
    >>> number_of("peak_time", t, np.sin(2 * np.pi * t / 100), at=0, since=0, place=2, share=0.5)
    125.0
    """
    if not np.all(np.isfinite(values)):
        return _NONE
    if how.startswith(("peak", "trough", "count", "spacing", "period")):
        return _of_waves(how, times, values, place)
    return _of_course(how, times, values, at=at, since=since, share=share)


def _of_waves(how: str, times: Array, values: Array, place: int) -> float:
    waves = landmarks(times, values)
    match how:
        case "count_peaks":
            return float(len(waves.peaks))
        case "peak_time":
            return _nth(waves.peaks, place)
        case "peak_value":
            return _nth(waves.peak_values, place)
        case "peak_fold":
            return _nth(waves.peak_values, place) / _nth(waves.peak_values, 1)
        case "trough_time":
            return _nth(waves.troughs[waves.troughs > _nth(waves.peaks, 1)], place)
        case "spacing":
            return _nth(waves.peaks, place + 1) - _nth(waves.peaks, place)
        case _:
            return waves.period


def _nth(values: Array, place: int) -> float:
    return float(values[place - 1]) if len(values) >= place else _NONE


def _of_course(how: str, times: Array, values: Array, *, at: float, since: float, share: float) -> float:
    match how:
        case "end":
            return float(values[-1])
        case "at":
            return float(np.interp(at, times, values))
        case "fold":
            return _ratio(np.interp(at, times, values), np.interp(since, times, values))
        case "window_fold":
            return _ratio(_rise(times, values, at), _rise(times, values, since))
        case "maximum_fold":
            return _ratio(values.max(), values[0])
        case "minimum_share":
            return _ratio(values.min(), values[0])
        case _:
            return _when(how, times, values, share)


def _when(how: str, times: Array, values: Array, share: float) -> float:
    """Return the time of an event of the whole course."""
    top, bottom = int(np.argmax(values)), int(np.argmin(values))
    match how:
        case "maximum_time":
            return float(times[top])
        case "minimum_time":
            return float(times[bottom])
        case "half_time":
            return half_time(times, values)
        case "loss_time":
            return _first(times, values <= share * values[0])
        case "return_time":
            return _first(times[bottom:], values[bottom:] >= share * values[0])
        case _:
            floor = values[0] if how == "settle_time" else 0.0
            fallen = _first(times[top:], values[top:] - floor <= share * (values[top] - floor))
            return float(times[-1]) if np.isnan(fallen) else fallen


def _ratio(above: Any, below: Any) -> float:
    return float(above / below) if below > 0 else _NONE


def _rise(times: Array, values: Array, begin: float) -> float:
    """Return how far a course rises within an hour of a time over what it is then."""
    inside = (times >= begin) & (times <= begin + 60.0)
    return float(values[inside].max() - values[inside][0])


def _first(times: Array, true: NDArray[np.bool_]) -> float:
    return float(times[int(np.argmax(true))]) if true.any() else _NONE


def threshold(along: Array, values: Array, *, level: str) -> float:
    """Return where a series first crosses half of its first or of its greatest value, between points log-linearly.

    Parameters
    ----------
    along, values : ndarray, shape (n_arms,)
        The axis, increasing and above 0 from the second arm on, and what was read.
    level : str
        ``half_of_first`` (falling) or ``half_of_greatest`` (rising).

    Examples
    --------
    >>> threshold(np.array([0.0, 1.0, 10.0]), np.array([1.0, 0.75, 0.25]), level="half_of_first").__round__(2)
    3.16
    """
    if not (np.all(np.isfinite(values)) and np.all(np.isfinite(along))):
        return _NONE
    mark = 0.5 * (values[0] if level == "half_of_first" else values.max())
    beyond = (values <= mark) if level == "half_of_first" else (values >= mark)
    i = int(np.argmax(beyond))
    if not beyond.any() or i == 0 or along[i] <= 0:
        return _NONE
    if along[i - 1] <= 0:
        return float(along[i])
    share = (mark - values[i - 1]) / (values[i] - values[i - 1])
    return float(along[i - 1] * (along[i] / along[i - 1]) ** share)
