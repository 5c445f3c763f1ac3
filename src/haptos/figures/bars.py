"""Bars with every repeat as a point, its interval, the model's uncertainty and tested comparisons."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from haptos.figures.data import Bar, Bracket, Panel
from haptos.figures.lettering import Labels, fold_text, p_text
from haptos.figures.style import FAINT, INK, MEASURED, MODEL, REFERENCE, VERDICTS, tint

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ARROWS", "BarLayout", "bracket_levels", "draw_bars", "head_room"]

#: Signs of published directions.
ARROWS = MappingProxyType(
    {"increase": "↑", "decrease": "↓", "no_change": "=", "abolished": "↓", "restored": "↑", "other": "≠"}
)

_LEVEL = 0.17
_MANY = 4
_LEVEL_P = 0.52


@dataclass(frozen=True, slots=True)
class BarLayout:
    """Where the bars of a panel stand.

    Attributes
    ----------
    positions : tuple of float
        Centre of each slot on an axis from 0 to 1.
    slot : float
        Width of a slot on the same axis.
    inches : float
        Width of the axes [inch].
    height : float
        Height of the axes [inch], head room included.
    """

    positions: tuple[float, ...]
    slot: float
    inches: float
    height: float


def head_room(panel: Panel, slot: float) -> float:
    """Return the room [inch] that the comparisons need above bars in slots of the given width [inch]."""
    if not panel.brackets:
        return 0.06
    if _above_bars(panel):
        return 0.2 if slot >= _LEVEL_P else 0.55
    return 0.1 + _LEVEL * (1 + max(bracket_levels(panel.brackets, panel.arms)))


def bracket_levels(brackets: Sequence[Bracket], arms: Sequence[str]) -> list[int]:
    """Return a level for each bracket such that no two on one level touch; short ones lie low."""
    spans = [sorted((arms.index(b.test), arms.index(b.against))) for b in brackets]
    levels = [-1] * len(spans)
    for i in sorted(range(len(spans)), key=lambda i: (spans[i][1] - spans[i][0], spans[i][0])):
        level = 0
        while any(
            levels[j] == level and spans[j][0] < spans[i][1] and spans[i][0] < spans[j][1] for j in range(len(spans))
        ):
            level += 1
        levels[i] = level
    return levels


def draw_bars(axes: Axes, panel: Panel, layout: BarLayout, labels: Labels | None) -> None:
    """Draw one panel: bars, points, intervals, model ranges, comparisons, published directions."""
    logarithmic = _spans_decades(panel)
    top = _data_top(panel)
    bottom = _data_bottom(panel) if logarithmic else 0.0
    head = head_room(panel, layout.slot * layout.inches) / layout.height
    _scale_axis(axes, bottom, top, head, logarithmic=logarithmic)
    for i, position in enumerate(layout.positions):
        _draw_arm(axes, panel, i, position, layout, logarithmic=logarithmic)
    if panel.relative_to:
        axes.axhline(1.0, color=FAINT, linewidth=0.5, linestyle=(0, (2, 2)), zorder=0.5)
    _draw_brackets(axes, panel, layout)
    _draw_published(axes, panel, layout)
    _draw_labels(axes, layout, labels, below=0.17 if panel.published else 0.05)


def _spans_decades(panel: Panel) -> bool:
    """Tell whether the arms differ so much (30 times) that only a logarithmic axis shows them all."""
    points = [p for bar in panel.bars for p in bar.points]
    means = [bar.mean for bar in panel.bars if math.isfinite(bar.mean)]
    return bool(points) and min(points) > 0 and max(means) > 30 * min(means)


def _data_top(panel: Panel) -> float:
    points = [p for bar in panel.bars for p in bar.points]
    limit = 1.6 * max(points)
    measured = [*points, *(min(bar.high, limit) for bar in panel.bars if math.isfinite(bar.high))]
    highest = max([*measured, *(bar.model[1] for bar in panel.bars if bar.model)], default=1.0)
    models = [bar.model[2] for bar in panel.bars if bar.model]
    top = max(highest, min(max(models, default=0.0), 1.3 * highest))
    return float(1.04 * top) or 1.0


def _data_bottom(panel: Panel) -> float:
    lows = [v for bar in panel.bars for v in (*bar.points, bar.low, *(bar.model or ())) if math.isfinite(v) and v > 0]
    highest = max(bar.mean for bar in panel.bars)
    return float(max(min(lows) / 1.5, highest / 1e4))


def _scale_axis(axes: Axes, bottom: float, top: float, head: float, *, logarithmic: bool) -> None:
    """Set limits with `head` (a share of the height) free above `top`; the axis line ends at the data."""
    axes.set_xlim(0, 1)
    axes.set_xticks([])
    if logarithmic:
        axes.set_yscale("log")
        axes.set_ylim(bottom, bottom * (top / bottom) ** (1 / (1 - head)))
    else:
        from matplotlib.ticker import MaxNLocator

        axes.set_ylim(0, top / (1 - head))
        ticks = MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]).tick_values(0, top)
        axes.set_yticks([t for t in ticks if 0 <= t <= top])
    if logarithmic:
        axes.set_yticks([t for t in axes.get_yticks() if bottom <= t <= top])
        from matplotlib.ticker import FuncFormatter

        axes.minorticks_off()
        axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    axes.spines["left"].set_bounds(bottom, top)


def _draw_arm(axes: Axes, panel: Panel, i: int, position: float, layout: BarLayout, *, logarithmic: bool) -> None:
    bar = panel.bars[i]
    colour = REFERENCE if i == 0 else MEASURED
    width = min(0.56 * layout.slot, 0.34 / layout.inches)
    x = position
    if logarithmic:
        axes.plot([x - width / 2, x + width / 2], [bar.mean] * 2, color=colour, linewidth=1.4, zorder=2)
    else:
        axes.bar(x, bar.mean, width, color=tint(colour, 0.28), edgecolor=colour, linewidth=0.7, zorder=1)
    if math.isfinite(bar.low):
        _draw_interval(axes, bar, x, 0.16 * width)
    n = len(bar.points)
    spread = [0.0] if n == 1 else [(-0.3 + 0.6 * k / (n - 1)) * width for k in range(n)]
    axes.plot(
        [x + s for s in spread],
        bar.points,
        linestyle="none",
        marker="o",
        markersize=2.6 if n <= 8 else 1.8,
        markerfacecolor="white",
        markeredgecolor=colour,
        markeredgewidth=0.7,
        zorder=4,
        clip_on=False,
    )
    if bar.model and bar.model[0] < bar.model[2]:
        _draw_model(axes, bar.model, x + 0.5 * width + 0.055 / layout.inches)


def _draw_interval(axes: Axes, bar: Bar, x: float, cap: float) -> None:
    """Draw the interval of the mean; an end beyond the axis has no cap."""
    floor, ceiling = axes.get_ylim()[0], float(axes.spines["left"].get_bounds()[1])
    low, high = max(bar.low, floor), min(bar.high, ceiling)
    axes.plot([x, x], [low, high], color=INK, linewidth=0.7, zorder=3)
    for end in (bar.low, bar.high):
        if floor <= end <= ceiling:
            axes.plot([x - cap, x + cap], [end, end], color=INK, linewidth=0.7, zorder=3)


def _draw_model(axes: Axes, model: tuple[float, float, float], x: float) -> None:
    low, median, high = model
    floor, ceiling = axes.get_ylim()[0], float(axes.spines["left"].get_bounds()[1])
    axes.plot([x, x], [max(low, floor), min(high, ceiling)], color=MODEL, linewidth=1.6, alpha=0.55, zorder=2)
    axes.plot([x], [max(median, floor)], marker="D", markersize=2.6, color=MODEL, zorder=3, clip_on=False)
    if high > ceiling:
        axes.plot([x], [ceiling], marker="^", markersize=3, color=MODEL, linestyle="none", zorder=3, clip_on=False)
        axes.annotate(
            f"to {fold_text(high)}",
            (x, ceiling),
            (2.5, -1),
            textcoords="offset points",
            fontsize=5,
            color=MODEL,
            va="top",
            ha="left",
        )


def _above_bars(panel: Panel) -> bool:
    """Tell whether so many arms are compared with one reference that brackets would only stack up."""
    return len(panel.brackets) > _MANY and len({b.against for b in panel.brackets}) == 1


def _draw_brackets(axes: Axes, panel: Panel, layout: BarLayout) -> None:
    top = float(axes.spines["left"].get_bounds()[1])
    base = axes.transAxes.inverted().transform(axes.transData.transform((0, top)))[1]
    unit = 1 / layout.height
    if _above_bars(panel):
        turned = layout.slot * layout.inches < _LEVEL_P
        for bracket in panel.brackets:
            x = layout.positions[panel.arms.index(bracket.test)]
            axes.text(
                x,
                base + 0.05 * unit,
                p_text(bracket.p),
                transform=axes.transAxes,
                fontsize=5.8,
                ha="center",
                va="bottom",
                rotation=90 if turned else 0,
            )
        return
    for bracket, level in zip(panel.brackets, bracket_levels(panel.brackets, panel.arms), strict=True):
        ends = sorted(layout.positions[panel.arms.index(arm)] for arm in (bracket.test, bracket.against))
        y = base + (0.08 + _LEVEL * level) * unit
        inset, tick = 0.03 / layout.inches, 0.025 * unit
        left, right = ends[0] + inset, ends[1] - inset
        axes.plot(
            [left, left, right, right],
            [y - tick, y, y, y - tick],
            transform=axes.transAxes,
            color=INK,
            linewidth=0.6,
            clip_on=False,
        )
        axes.text(
            (left + right) / 2,
            y + 0.008 * unit,
            p_text(bracket.p),
            transform=axes.transAxes,
            fontsize=5.8,
            ha="center",
            va="bottom",
        )


def _draw_published(axes: Axes, panel: Panel, layout: BarLayout) -> None:
    if not panel.published:
        return
    y = -0.09 / layout.height
    axes.text(-0.05 / layout.inches, y, "published", transform=axes.transAxes, fontsize=5.8, ha="right", va="center")
    for arm in panel.arms:
        found = dict.fromkeys((ARROWS[p.direction], p.agrees) for p in panel.published if p.test == arm)
        for i, (arrow, agrees) in enumerate(found):
            x = layout.positions[panel.arms.index(arm)] + (i - (len(found) - 1) / 2) * 0.24 / layout.inches
            _draw_outcome(axes, x, y, arrow, agrees, 0.05 / layout.inches)


def _draw_outcome(axes: Axes, x: float, y: float, arrow: str, agrees: bool | None, shift: float) -> None:
    """Write an arrow and, where it is decided, whether the simulation agrees."""
    if agrees is None:
        axes.text(x, y, arrow, transform=axes.transAxes, fontsize=7.5, ha="center", va="center")
        return
    sign, colour = ("✓", VERDICTS["supported"]) if agrees else ("✗", VERDICTS["contradicted"])
    axes.text(x - shift, y, arrow, transform=axes.transAxes, fontsize=7.5, ha="center", va="center")
    axes.text(x + shift, y, sign, transform=axes.transAxes, fontsize=6.5, ha="center", va="center", color=colour)


def _draw_labels(axes: Axes, layout: BarLayout, labels: Labels | None, *, below: float) -> None:
    if labels is None:
        return
    if not labels.turned:
        for x, text in zip(layout.positions, labels.texts, strict=True):
            _write_lines(axes, x, below, text.split("\n"), layout)
        return
    for x, text in zip(layout.positions, labels.texts, strict=True):
        axes.text(
            x + 0.04 / layout.inches,
            -below / layout.height,
            text,
            transform=axes.transAxes,
            fontsize=6.5,
            rotation=labels.angle,
            rotation_mode="anchor",
            ha="right",
            va="top",
            linespacing=1.1,
            multialignment="right",
        )


def _write_lines(axes: Axes, x: float, below: float, lines: Sequence[str], layout: BarLayout) -> None:
    """Write centred lines, each on its own baseline, so that neighbours stand at one height."""
    for i, line in enumerate(lines):
        y = -(below + 0.075 + 0.108 * i) / layout.height
        axes.text(x, y, line, transform=axes.transAxes, fontsize=6.5, ha="center", va="baseline")
