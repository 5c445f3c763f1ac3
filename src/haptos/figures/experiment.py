"""The figure of an experiment, laid out like a panel of a paper: bands above bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from haptos.figures.bars import BarLayout, draw_bars, head_room
from haptos.figures.data import Panel, Published, panels_of, records
from haptos.figures.lettering import Labels, fit_labels, wrap
from haptos.figures.strips import (
    Placed,
    band_label_width,
    draw_strip,
    lane_groups,
    place_above_bars,
    place_freely,
)
from haptos.figures.style import DOUBLE_COLUMN, INK, SINGLE_COLUMN, journal_style, new_figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from haptos.assays.base import Picture

__all__ = ["experiment_figure"]

_NONE: Mapping[str, str] = MappingProxyType({})
_WORDS: Mapping[str, str] = MappingProxyType({"mrna": "mRNA"})
_BARS = 1.35
_GAP = 0.16
_RIGHT = 0.12


def experiment_figure(
    title: str,
    assay_label: str,
    table: pd.DataFrame,
    summary: pd.DataFrame | None = None,
    comparisons: Any = None,
    pictures: Sequence[Picture] = (),
    ensemble: Any = None,
    *,
    published: Sequence[Published] = (),
    measure_labels: Mapping[str, str] = _NONE,
    note: str = "",
) -> Figure:
    """Draw an experiment: bands, bars with points and intervals, p-values, model uncertainty, literature.

    Parameters
    ----------
    title, assay_label : str
        Headings; any text.
    table : DataFrame
        Measured values: columns ``arm, replicate, technical, measure, of, value, unit``. Values in
        ``a.u.`` are shown as folds of the first arm.
    summary : DataFrame, optional
        From :func:`haptos.assays.statistics.summarise`; computed from `table` if left out.
    comparisons : DataFrame, optional
        From :func:`haptos.assays.statistics.compare`: columns ``test, against, measure, of, p`` and,
        if there, ``p_adjusted`` and ``words``.
    pictures : sequence of Picture
        Blots and zymograms, usually those of one repeat.
    ensemble : DataFrame, optional
        Noise-free values of the parameter ensemble: ``arm, member, measure, of, value`` (preferred:
        folds are then formed within each member), or quantiles ``arm, measure, of, low, median, high``
        in the unit shown.
    published : sequence of Published
        Outcomes of publications, shown below the bars.
    measure_labels : mapping of str to str
        Words for the measures; without one the identifier is used.
    note : str
        Further text for the caption; without one, the test in words if all comparisons share it.

    Returns
    -------
    Figure
        One or two journal columns wide; save it with :func:`haptos.figures.save`.

    Raises
    ------
    SpecError
        If `table` is empty or malformed.
    """
    panels = panels_of(table, summary, comparisons, ensemble, published)
    with journal_style():
        sheet = _Sheet.plan(panels, tuple(pictures))
        caption = _caption(panels, note or _test_in_words(comparisons))
        return _draw(sheet, title, assay_label, measure_labels, caption)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The layout: what stands in which row, all lengths in inches."""

    panels: tuple[Panel, ...]
    pictures: tuple[Picture, ...]
    width: float
    left: float
    columns: int
    aligned: bool
    labels: Labels

    @classmethod
    def plan(cls, panels: tuple[Panel, ...], pictures: tuple[Picture, ...]) -> _Sheet:
        """Choose width, columns and label layout for these panels."""
        arms = max((p.arms for p in panels), key=len)
        aligned = len(panels) == 1 and bool(pictures) and all(_fits(p, arms) for p in pictures)
        need = 0.42 * len(arms) + 0.55
        narrow = len(panels) * need <= SINGLE_COLUMN or (len(panels) == 1 and len(arms) <= 5)
        width = SINGLE_COLUMN if narrow else DOUBLE_COLUMN
        columns = max(1, min(len(panels), int((width - 0.1) / max(need, 1.6)))) if len(panels) > 1 else 1
        left = max([0.62, *(band_label_width(p) + 0.12 for p in pictures)]) if aligned else 0.62
        if any(p.published for p in panels):
            left = max(left, 0.66)
        slot = (width / columns - left - _RIGHT) / len(arms)
        labels = fit_labels(arms, slot)
        short = labels.overhang - (left + slot / 2)
        if short > 0:
            left += short + 0.04
            labels = fit_labels(arms, (width / columns - left - _RIGHT) / len(arms))
        return cls(panels, pictures, width, left, columns, aligned, labels)

    @property
    def axes_width(self) -> float:
        """Width of one pair of axes."""
        return self.width / self.columns - self.left - _RIGHT

    def slot(self, panel: Panel) -> float:
        """Width of the place of one arm."""
        return self.axes_width / len(panel.arms)

    def rows(self) -> list[tuple[Panel, ...]]:
        """Panels row by row."""
        return [self.panels[i : i + self.columns] for i in range(0, len(self.panels), self.columns)]


def _fits(picture: Picture, arms: tuple[str, ...]) -> bool:
    """Tell whether the lanes of a picture stand over the bars of `arms`, evenly spaced."""
    groups = lane_groups(picture)
    if tuple(label for label, _, _ in groups) != arms:
        return False
    widths = [right - left for _, left, right in groups]
    return max(widths) < 1.25 * min(widths)


def _draw(sheet: _Sheet, title: str, assay_label: str, names: Mapping[str, str], caption: str) -> Figure:
    heading = wrap(title, sheet.width - 0.16, 8, bold=True) if title.strip() else ()
    foot = wrap(caption, sheet.width - 0.16, 5.8)
    placed, block = _place_pictures(sheet)
    rows = [max(head_room(panel, sheet.slot(panel)) for panel in row) + _BARS for row in sheet.rows()]
    below = sheet.labels.height + (0.22 if any(p.published for p in sheet.panels) else 0.06)
    head = 0.12 + 0.15 * len(heading) + (0.16 if assay_label else 0.0) + 0.06
    height = head + block + sum(rows) + len(rows) * below + (len(rows) - 1) * _GAP + 0.1 * len(foot) + 0.22
    figure = new_figure(sheet.width, height)
    _head(figure, heading, assay_label)
    _draw_pictures(figure, placed, head)
    _draw_panels(figure, sheet, rows, below, head + block, names)
    for i, line in enumerate(reversed(foot)):
        figure.text(0.08 / sheet.width, (0.06 + 0.1 * i) / height, line, fontsize=5.8, color="#555555", va="bottom")
    return figure


def _head(figure: Figure, heading: Sequence[str], assay_label: str) -> None:
    width, height = figure.get_size_inches()
    y = 0.09
    for line in heading:
        figure.text(0.08 / width, 1 - y / height, line, fontsize=8, fontweight="bold", va="top")
        y += 0.15
    if assay_label:
        figure.text(0.08 / width, 1 - y / height, assay_label, fontsize=6.8, color="#555555", va="top")


def _place_pictures(sheet: _Sheet) -> tuple[tuple[Placed, ...], float]:
    if not sheet.pictures:
        return (), 0.0
    if sheet.aligned:
        placed, height = place_above_bars(sheet.pictures, sheet.left, sheet.axes_width)
    else:
        placed, height = place_freely(sheet.pictures, sheet.width)
    return placed, height + 0.1


def _draw_pictures(figure: Figure, placed: Sequence[Placed], y: float) -> None:
    """Draw the pictures in a block that begins at `y` [inch below the top]."""
    for i, place in enumerate(placed):
        axes = _axes(figure, place.left, y + place.top, place.width, place.height)
        draw_strip(axes, place.picture, label_lanes=place.labelled)
        _text(figure, place.left, y + place.heading, place.picture.title, size=6.8, bold=True)
        if i == 0:
            _text(figure, 0.08, y + place.heading, "a", size=9, bold=True)


def _draw_panels(
    figure: Figure, sheet: _Sheet, heights: Sequence[float], below: float, y: float, names: Mapping[str, str]
) -> None:
    letters = iter("bcdefghijklmnopqrstuvwxyz" if sheet.pictures else "abcdefghijklmnopqrstuvwxyz")
    lettered = len(sheet.panels) > 1 or bool(sheet.pictures)
    for row, height in zip(sheet.rows(), heights, strict=True):
        for column, panel in enumerate(row):
            x = column * sheet.width / sheet.columns
            axes = _axes(figure, x + sheet.left, y, sheet.axes_width, height)
            layout = _bar_layout(sheet, panel, height)
            draw_bars(axes, panel, layout, sheet.labels if len(panel.arms) == len(sheet.labels.texts) else None)
            _label_value_axis(axes, panel, height - head_room(panel, sheet.slot(panel)), height, names)
            if lettered:
                _text(figure, x + 0.08, y + 0.02, next(letters, ""), size=9, bold=True)
        y += height + below + _GAP


def _bar_layout(sheet: _Sheet, panel: Panel, height: float) -> BarLayout:
    n = len(panel.arms)
    positions = tuple((i + 0.5) / n for i in range(n))
    if sheet.aligned:
        positions = tuple((left + right) / 2 for _, left, right in lane_groups(sheet.pictures[0]))
    return BarLayout(positions, 1.0 / n, sheet.axes_width, height)


def _label_value_axis(axes: Axes, panel: Panel, data: float, height: float, names: Mapping[str, str]) -> None:
    """Write what was measured, and its unit, along the data part of the axis."""
    usual = _WORDS.get(panel.measure, panel.measure.replace("_", " "))
    what = f"{panel.of.replace('_', ' ')} {names.get(panel.measure, usual)}".strip()
    unit = f"fold of {panel.relative_to}" if panel.relative_to else panel.unit
    lines = [*wrap(what, data, 7), *(wrap(f"({unit})", data, 7) if unit not in {"", "1"} else ())]
    axes.set_ylabel("\n".join(lines), y=data / height / 2, linespacing=1.1)


def _axes(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Add axes placed in inches from the top left corner."""
    full_width, full_height = figure.get_size_inches()
    bottom = full_height - top - height
    return figure.add_axes((left / full_width, bottom / full_height, width / full_width, height / full_height))


def _text(figure: Figure, x: float, y: float, text: str, *, size: float, bold: bool = False) -> None:
    width, height = figure.get_size_inches()
    figure.text(
        x / width, 1 - y / height, text, fontsize=size, fontweight="bold" if bold else "normal", va="center", color=INK
    )


def _caption(panels: Sequence[Panel], note: str) -> str:
    """Say what bars, points, lines and arrows mean, from what is there."""
    counts = sorted({len(bar.points) for panel in panels for bar in panel.bars})
    n = str(counts[0]) if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    parts = [f"Bars: geometric mean of n = {n} independent repeats (points); black line: 95 % interval."]
    if any(bar.model for panel in panels for bar in panel.bars):
        parts.append("Orange: model uncertainty, 5-95 % and median (diamond) of the parameter ensemble.")
    if any(panel.published for panel in panels):
        sources = dict.fromkeys(p.source for panel in panels for p in panel.published)
        parts.append(f"Arrows: published direction ({'; '.join(sources)}); ✓ simulated alike, ✗ not.")
    if note.strip():
        parts.append(note.strip())
    return " ".join(parts)


def _test_in_words(comparisons: Any) -> str:
    """Return the words of the test if every comparison was tested in the same way."""
    words = {str(row.get("words", "")) for row in records(comparisons)} - {""}
    return f"p: {words.pop()}." if len(words) == 1 else ""
