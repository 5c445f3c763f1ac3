"""Time courses of model quantities with their uncertainty and what was measured elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from haptos.errors import ParameterError
from haptos.figures.lettering import text_width, wrap
from haptos.figures.style import COURSES, INK, SINGLE_COLUMN, journal_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Mark", "highest_peak", "time_course_figure"]

Band = tuple[ArrayLike, ArrayLike]
_NO_BANDS: Mapping[str, Band] = MappingProxyType({})
_ROW = 0.14


@dataclass(frozen=True, slots=True)
class Mark:
    """A time, or a span of time, found in an experiment.

    Attributes
    ----------
    label : str
        What happens then, for instance ``first nuclear peak``.
    low, high : float
        The span [min]; equal for a single time.
    source : str
        Short citation.
    """

    label: str
    low: float
    high: float
    source: str = ""


def time_course_figure(
    times: ArrayLike,
    series: Mapping[str, ArrayLike],
    bands: Mapping[str, Band] = _NO_BANDS,
    *,
    marks: Sequence[Mark] = (),
    title: str = "",
    value_label: str = "",
    peaks: bool = True,
) -> Figure:
    """Draw model quantities over time, their ensemble bands, their peaks and published times.

    Parameters
    ----------
    times : array_like, shape (n_times,)
        Times [min], increasing; shown in hours if they exceed 10 h.
    series : mapping of str to array_like, shape (n_times,)
        Curves by label.
    bands : mapping of str to (low, high), each of shape (n_times,)
        5 % and 95 % of the ensemble, for any of the curves.
    marks : sequence of Mark
        Published times, drawn above the curves.
    title, value_label : str
        Heading, and the quantity with its unit.
    peaks : bool
        Mark the highest inner maximum of each curve.

    Returns
    -------
    Figure
        One journal column wide.

    Raises
    ------
    ParameterError
        If there is no curve, or a shape does not fit.
    """
    grid = np.asarray(times, dtype=np.float64)
    _check(grid, series, bands)
    hours = bool(grid[-1] > 600)
    scale, unit = (60.0, "h") if hours else (1.0, "min")
    heading = wrap(title, SINGLE_COLUMN - 0.2, 8, bold=True) if title.strip() else ()
    with journal_style():
        right = max(text_width(label, 6.5) for label in series) + 0.2
        top = 0.15 * len(heading) + 0.14 + _ROW * len(marks)
        figure = new_figure(SINGLE_COLUMN if right < 1.1 else SINGLE_COLUMN + right - 1.1, 1.7 + top + 0.42)
        width, height = figure.get_size_inches()
        axes = figure.add_axes((0.55 / width, 0.42 / height, (width - 0.55 - right) / width, 1.7 / height))
        for i, line in enumerate(heading):
            figure.text(0.08 / width, 1 - (0.08 + 0.15 * i) / height, line, fontsize=8, fontweight="bold", va="top")
        _draw_curves(axes, grid / scale, series, bands)
        axes.set_xlabel(f"time ({unit})")
        axes.set_ylabel("\n".join(wrap(value_label, 1.6, 7)))
        if peaks:
            _draw_peaks(axes, grid / scale, series, unit)
        _label_curves(axes, series)
        _draw_marks(axes, marks, scale)
    return figure


def _check(times: NDArray[np.float64], series: Mapping[str, ArrayLike], bands: Mapping[str, Band]) -> None:
    if times.ndim != 1 or times.size < 2 or not np.all(np.diff(times) > 0):
        raise ParameterError("the times of a course must be at least two increasing numbers")
    if not series:
        raise ParameterError("there is no curve to draw")
    unknown = [label for label in bands if label not in series]
    wrong = [label for label, values in series.items() if np.shape(values) != times.shape]
    wrong += [label for label, band in bands.items() if any(np.shape(edge) != times.shape for edge in band)]
    if unknown or wrong:
        raise ParameterError(
            f"these do not fit the {times.size} times or name no curve: {', '.join(dict.fromkeys(wrong + unknown))}"
        )


def highest_peak(values: ArrayLike) -> int | None:
    """Return the index of the highest inner maximum, or None if the curve has none.

    Examples
    --------
    >>> highest_peak([0.0, 2.0, 1.0, 1.5, 0.0]), highest_peak([0.0, 1.0, 2.0])
    (1, None)
    """
    y = np.asarray(values, dtype=np.float64)
    inner = [i for i in range(1, y.size - 1) if y[i] >= y[i - 1] and y[i] > y[i + 1]]
    return max(inner, key=lambda i: float(y[i]), default=None)


def _draw_curves(
    axes: Axes, times: NDArray[np.float64], series: Mapping[str, ArrayLike], bands: Mapping[str, Band]
) -> None:
    for i, (label, values) in enumerate(series.items()):
        colour = COURSES[i % len(COURSES)]
        if label in bands:
            low, high = (np.asarray(edge, dtype=np.float64) for edge in bands[label])
            axes.fill_between(times, low, high, color=colour, alpha=0.18, linewidth=0)
        line = "-" if i < len(COURSES) else "--"
        axes.plot(times, np.asarray(values, dtype=np.float64), color=colour, linestyle=line)
    axes.set_xlim(times[0], times[-1])
    drawn = [*series.values(), *(edge for band in bands.values() for edge in band)]
    if min(float(np.nanmin(np.asarray(values))) for values in drawn) >= 0:
        axes.set_ylim(bottom=0)


def _draw_peaks(axes: Axes, times: NDArray[np.float64], series: Mapping[str, ArrayLike], unit: str) -> None:
    for i, values in enumerate(series.values()):
        peak = highest_peak(values)
        if peak is None:
            continue
        x, y = float(times[peak]), float(np.asarray(values)[peak])
        colour = COURSES[i % len(COURSES)]
        axes.plot([x], [y], marker="o", markersize=3, color=colour, markerfacecolor="white", zorder=4)
        axes.annotate(
            f"{x:.3g} {unit}", (x, y), (3, 3), textcoords="offset points", fontsize=6, color=colour, va="bottom"
        )


def _label_curves(axes: Axes, series: Mapping[str, ArrayLike]) -> None:
    """Write each label at the end of its curve, moved apart where they would touch."""
    low, high = axes.get_ylim()
    step = (high - low) * 0.075
    ends = sorted((float(np.asarray(v)[-1]), i, label) for i, (label, v) in enumerate(series.items()))
    level = low - step
    for place, i, label in ends:
        level = max(place, level + step)
        axes.annotate(
            label,
            (1.0, level),
            (4, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            fontsize=6.5,
            color=COURSES[i % len(COURSES)],
            va="center",
            annotation_clip=False,
        )


def _draw_marks(axes: Axes, marks: Sequence[Mark], scale: float) -> None:
    """Draw each published span as a line above the curves, with its label and source."""
    height = 1.7
    transform = axes.get_xaxis_transform()
    left, right = axes.get_xlim()
    for i, mark in enumerate(marks):
        y = 1 + (0.1 + _ROW * i) / height
        low, high = mark.low / scale, mark.high / scale
        if high > low:
            axes.plot([low, high], [y, y], transform=transform, color=INK, linewidth=2.2, clip_on=False)
        else:
            axes.plot([low], [y], transform=transform, marker="|", markersize=6, color=INK, clip_on=False)
        axes.axvspan(low, high, color="#000000", alpha=0.05, linewidth=0, zorder=0)
        beyond = (high - left) / (right - left) > 0.55
        axes.annotate(
            f"{mark.label} ({mark.source})" if mark.source else mark.label,
            (low if beyond else high, y),
            (-4 if beyond else 4, 0),
            xycoords=transform,
            textcoords="offset points",
            fontsize=6,
            ha="right" if beyond else "left",
            va="center",
            annotation_clip=False,
        )
