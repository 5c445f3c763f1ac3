"""The verdict board: what was claimed, what the model does, and what follows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from haptos.errors import ParameterError
from haptos.figures.data import BoardRow
from haptos.figures.lettering import wrap
from haptos.figures.style import DOUBLE_COLUMN, FAINT, INK, VERDICTS, journal_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["EXPECTATIONS", "board_figure"]

#: Sign and words of each kind of expectation.
EXPECTATIONS = MappingProxyType(
    {
        "increase": ("↑", "increase"),
        "decrease": ("↓", "decrease"),
        "no_change": ("=", "no change"),
        "abolished": ("⊘", "abolished"),
        "restored": ("↺", "restored"),
        "transient": ("∧", "transient"),
        "sustained": ("→", "sustained"),
        "biphasic": ("∩", "biphasic"),
        "rising": ("↗", "rising"),
        "falling": ("↘", "falling"),
        "range": ("↔", "in a range"),
        "ratio": ("÷", "ratio"),
        "synergy": ("Σ", "synergy"),
        "varies": ("≠", "varies"),
        "count": ("#", "count"),
    }
)

# columns [inch from the left]
_CLAIM, _SENTENCE, _EXPECT, _EFFECT, _SHARE, _VERDICT = 0.1, 0.78, 3.1, 3.94, 5.44, 6.2
_EFFECT_END, _SHARE_END = 5.28, 5.92
_TOP, _BOTTOM = 0.32, 0.52
_WIDEST = 100.0


def board_figure(rows: Sequence[BoardRow], *, title: str = "") -> Figure:
    """Draw one row per claim: expectation, effect over the ensemble, share of members, verdict.

    Parameters
    ----------
    rows : sequence of BoardRow
        In the order shown.
    title : str
        Heading; any text.

    Returns
    -------
    Figure
        Two journal columns wide, as high as the rows need.

    Raises
    ------
    ParameterError
        If there are no rows.
    """
    if not rows:
        raise ParameterError("the board has no rows; nothing can be drawn")
    with journal_style():
        sentences = [wrap(row.sentence, _EXPECT - _SENTENCE - 0.1, 6) for row in rows]
        reasons = [_reason(row) for row in rows]
        counts = [max(map(len, pair)) for pair in zip(sentences, reasons, strict=True)]
        heights = [max(0.26, 0.105 * count + 0.09) for count in counts]
        head = _TOP + (0.2 if title else 0.0)
        figure = new_figure(DOUBLE_COLUMN, head + sum(heights) + _BOTTOM)
        if title:
            _text(figure, 0.1, 0.13, title, size=8, weight="bold")
        _headings(figure, head - 0.12)
        centres = _centres(heights)
        effect = _column(figure, _EFFECT, _EFFECT_END, head, sum(heights))
        share = _column(figure, _SHARE, _SHARE_END, head, sum(heights))
        _draw_effects(effect, rows, centres, heights)
        _draw_shares(share, rows, centres)
        y = head
        for row, lines, reason, height in zip(rows, sentences, reasons, heights, strict=True):
            _draw_words(figure, row, lines, y + height / 2)
            _text(figure, _EFFECT, y + height / 2, "\n".join(reason), size=5.8, colour=FAINT)
            y += height
            _rule(figure, y)
        _legend(figure, y + 0.33)
    return figure


def _reason(row: BoardRow) -> tuple[str, ...]:
    """Return what stands in place of an effect: at most four lines."""
    if row.effect is not None:
        return ()
    judged = row.fraction is not None
    text = row.reason or ("no single fold" if judged else "not simulated")
    lines = wrap(text, (_EFFECT_END if judged else _SHARE_END) - _EFFECT, 5.8)
    return lines if len(lines) <= 4 else (*lines[:3], f"{lines[3]} …")


def _centres(heights: Sequence[float]) -> list[float]:
    return [sum(heights[:i]) + height / 2 for i, height in enumerate(heights)]


def _column(figure: Figure, left: float, right: float, top: float, height: float) -> Axes:
    """Add axes between two columns; its vertical unit is the inch, downwards."""
    full = figure.get_figheight()
    width = (right - left) / DOUBLE_COLUMN
    axes = figure.add_axes((left / DOUBLE_COLUMN, (full - top - height) / full, width, height / full))
    axes.set_ylim(height, 0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.patch.set_alpha(0)
    return axes


def _text(
    figure: Figure,
    x: float,
    y: float,
    text: str,
    *,
    size: float,
    weight: str = "normal",
    colour: str = INK,
    align: str = "left",
) -> None:
    """Write at inches from the top left corner."""
    place = (x / DOUBLE_COLUMN, 1 - y / figure.get_figheight())
    figure.text(*place, text, fontsize=size, fontweight=weight, color=colour, ha=align, va="center", linespacing=1.15)


def _rule(figure: Figure, y: float, *, strong: bool = False) -> None:
    from matplotlib.lines import Line2D

    level = 1 - y / figure.get_figheight()
    ends = [0.1 / DOUBLE_COLUMN, 1 - 0.1 / DOUBLE_COLUMN]
    line = Line2D(ends, [level, level], transform=figure.transFigure, color=INK if strong else "#d9d9d9")
    line.set_linewidth(0.6 if strong else 0.4)
    line.set_zorder(0)
    figure.add_artist(line)


def _headings(figure: Figure, y: float) -> None:
    words = (
        (_CLAIM, "Claim"),
        (_SENTENCE, "Statement tested"),
        (_EXPECT, "Expected"),
        (_EFFECT, "Simulated effect"),
        (_SHARE, "Members"),
        (_VERDICT, "Verdict"),
    )
    for x, word in words:
        place = (x / DOUBLE_COLUMN, 1 - (y + 0.04) / figure.get_figheight())
        figure.text(*place, word, fontsize=6.5, fontweight="bold", va="baseline")
    _rule(figure, y + 0.1, strong=True)


def _draw_words(figure: Figure, row: BoardRow, lines: Sequence[str], y: float) -> None:
    _text(figure, _CLAIM, y - (0.05 if row.basis else 0.0), row.claim, size=6)
    if row.basis:
        _text(figure, _CLAIM, y + 0.05, row.basis, size=5, colour=FAINT)
    _text(figure, _SENTENCE, y, "\n".join(lines), size=6)
    sign, word = EXPECTATIONS.get(row.expectation, ("·", row.expectation.replace("_", " ")))
    _text(figure, _EXPECT + 0.06, y, sign, size=8, align="center")
    _text(figure, _EXPECT + 0.19, y, word, size=6)
    colour = VERDICTS.get(row.verdict, FAINT)
    _text(figure, _VERDICT, y, "●", size=7, colour=colour)
    _text(figure, _VERDICT + 0.12, y, row.verdict, size=6, colour=colour, weight="bold")


def _range_of(rows: Sequence[BoardRow]) -> tuple[float, float]:
    """Return the ends of the fold axis: whole decades or half decades around everything finite."""
    found = [v for r in rows for v in (r.effect, r.low, r.high) if v is not None and math.isfinite(v) and v > 0]
    low = max(min([0.5, *found]), 1 / _WIDEST)
    high = min(max([2.0, *found]), _WIDEST)
    return low / 1.25, high * 1.25


def _draw_effects(axes: Axes, rows: Sequence[BoardRow], centres: Sequence[float], heights: Sequence[float]) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator

    low, high = _range_of(rows)
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    for row, y, height in zip(rows, centres, heights, strict=True):
        if row.effect is None:
            continue
        if row.smallest_fold:
            zone = (1 / row.smallest_fold, row.smallest_fold)
            axes.fill_betweenx([y - height / 2, y + height / 2], *zone, color="#ececec", linewidth=0, zorder=0)
        axes.plot([1.0, 1.0], [y - height / 2, y + height / 2], color=FAINT, linewidth=0.6, zorder=1)
        _draw_effect(axes, row, y, (low, high))
    axes.set_xlabel("fold of the reference arm", fontsize=6, labelpad=2)
    subs = (1.0,) if high / low > 30 else (1.0, 2.0, 5.0)
    axes.xaxis.set_major_locator(LogLocator(subs=subs))
    axes.xaxis.set_minor_locator(LogLocator(subs="auto" if len(subs) > 1 else (2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:g}"))
    axes.xaxis.set_minor_formatter(FuncFormatter(lambda _v, _: ""))
    axes.tick_params(axis="x", labelsize=6)


def _draw_effect(axes: Axes, row: BoardRow, y: float, limits: tuple[float, float]) -> None:
    colour = VERDICTS.get(row.verdict, FAINT)
    left, right = limits
    effect = float(row.effect if row.effect is not None else math.nan)
    ends = [effect if e is None else e for e in (row.low, row.high)]
    inside = [min(max(e, left), right) for e in ends]
    axes.plot(inside, [y, y], color=colour, linewidth=1.6, alpha=0.5, zorder=2)
    for end, limit, marker in ((ends[0], left, "<"), (ends[1], right, ">")):
        if (end < limit) if marker == "<" else (end > limit):
            axes.plot([limit], [y], marker=marker, markersize=3, color=colour, clip_on=False, zorder=3)
    if left <= effect <= right:
        axes.plot([effect], [y], marker="o", markersize=3.6, color=colour, zorder=4, clip_on=False)


def _draw_shares(axes: Axes, rows: Sequence[BoardRow], centres: Sequence[float]) -> None:
    axes.set_xlim(0, 1)
    for row, y in zip(rows, centres, strict=True):
        if row.fraction is None:
            continue
        colour = VERDICTS.get(row.verdict, FAINT)
        axes.barh(y, 1.0, 0.1, color="#ececec", linewidth=0, zorder=1)
        axes.barh(y, row.fraction, 0.1, color=colour, alpha=0.75, linewidth=0, zorder=2)
        for threshold in (0.1, 0.9):
            axes.plot([threshold] * 2, [y - 0.075, y + 0.075], color=INK, linewidth=0.4, zorder=3)
        axes.annotate(
            f"{100 * row.fraction:.0f}", (1.0, y), (3, 0), textcoords="offset points", fontsize=5.8, va="center"
        )
    axes.set_xticks([0, 0.5, 1], ["0", "50", "100 %"])
    axes.tick_params(axis="x", labelsize=6)


def _legend(figure: Figure, y: float) -> None:
    words = (
        "Point and line: median and 5-95 % of the parameter ensemble. Grey zone: smaller than the assay resolves. "
        "Members: share of the ensemble in which the statement holds "
        "(at least 90 %: supported; at most 10 %: contradicted). "
        "Calibrated: the finding entered the calibration; the other verdicts are predictions."
    )
    for i, line in enumerate(wrap(words, _EFFECT - 0.3, 5.8)):
        _text(figure, 0.1, y - 0.22 + 0.1 * i, line, size=5.8, colour="#555555")
