"""Many claims at a glance: one small panel per system, one labelled cell per claim."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from haptos.errors import ParameterError
from haptos.figures.data import BoardRow
from haptos.figures.lettering import text_width
from haptos.figures.style import DOUBLE_COLUMN, FAINT, INK, VERDICTS, journal_style, new_figure, tint

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["VERDICT_ORDER", "by_system", "overview_figure"]

#: Verdicts, best first.
VERDICT_ORDER = ("supported", "undecided", "contradicted", "vacuous", "not expressible", "untestable")

_EDGE, _WIDTH, _HEIGHT, _GAP = 0.1, 0.84, 0.17, 0.03  # of cells [inch]
_HEAD, _BETWEEN, _TOP, _BOTTOM = 0.2, 0.1, 0.32, 0.3
#: Signs of the verdicts that are coloured, for readers who see no colours.
_SIGNS = MappingProxyType({"supported": "", "undecided": "?", "contradicted": "✗", "vacuous": "○"})


def by_system(rows: Sequence[BoardRow]) -> dict[str, list[BoardRow]]:
    """Return the rows by system, S2 before S10, rows without one last; their order is kept.

    Examples
    --------
    >>> rows = [BoardRow("a", "", "", "supported", system=s) for s in ("S10", "", "S2")]
    >>> list(by_system(rows))
    ['S2', 'S10', '']
    """
    groups: dict[str, list[BoardRow]] = {}
    for row in rows:
        groups.setdefault(row.system, []).append(row)
    return dict(sorted(groups.items(), key=lambda item: _rank(item[0])))


def _rank(system: str) -> tuple[int, int, str]:
    number = system[1:]
    return (0, int(number), "") if number.isdigit() else (1 + (not system), 0, system)


def overview_figure(rows: Sequence[BoardRow], *, title: str = "", names: Mapping[str, str] | None = None) -> Figure:
    """Draw one cell per claim, coloured by its verdict, in panels by system.

    Parameters
    ----------
    rows : sequence of BoardRow
        In the order shown within their systems.
    title : str
        Heading.
    names : mapping of str to str, optional
        What the systems are called.

    Returns
    -------
    Figure
        Two journal columns wide, as high as the panels need.

    Raises
    ------
    ParameterError
        If there are no rows.
    """
    if not rows:
        raise ParameterError("the board has no rows; nothing can be drawn")
    groups = by_system(rows)
    across = int((DOUBLE_COLUMN - 2 * _EDGE + _GAP) // (_WIDTH + _GAP))
    heights = {name: _HEAD + -(-len(group) // across) * (_HEIGHT + _GAP) + _BETWEEN for name, group in groups.items()}
    head = _TOP if title else 0.08
    with journal_style():
        figure = new_figure(DOUBLE_COLUMN, head + sum(heights.values()) + _BOTTOM)
        if title:
            _text(figure, _EDGE, 0.15, title, size=8, weight="bold")
        y = head
        for name, group in groups.items():
            _panel(figure, group, (names or {}).get(name, ""), y, across)
            y += heights[name]
        _legend(figure, rows, y + 0.1)
    return figure


def _panel(figure: Figure, group: Sequence[BoardRow], name: str, top: float, across: int) -> None:
    label = " ".join(part for part in (group[0].system, name) if part) or "Claims"
    counts = Counter(row.verdict for row in group)
    tally = ", ".join(f"{counts[v]} {v}" for v in VERDICT_ORDER if counts[v])
    _text(figure, _EDGE, top + 0.09, label, size=7, weight="bold")
    _text(figure, _EDGE + text_width(label, 7, bold=True) + 0.12, top + 0.09, tally, size=6, colour="#555555")
    for i, row in enumerate(group):
        left = _EDGE + (i % across) * (_WIDTH + _GAP)
        _cell(figure, row, left, top + _HEAD + (i // across) * (_HEIGHT + _GAP))


def _cell(figure: Figure, row: BoardRow, left: float, top: float) -> None:
    from matplotlib.patches import Rectangle

    colour, filled = VERDICTS.get(row.verdict, FAINT), row.verdict in _SIGNS
    full = figure.get_figheight()
    place = (left / DOUBLE_COLUMN, 1 - (top + _HEIGHT) / full)
    face = tint(colour, 0.85) if filled else "white"
    edge = colour if filled else "#c4c4c4"
    figure.add_artist(
        Rectangle(
            place, _WIDTH / DOUBLE_COLUMN, _HEIGHT / full, transform=figure.transFigure, facecolor=face,
            edgecolor=edge, linewidth=0.5,
        )
    )  # fmt: skip
    size = 5.2 if text_width(row.claim, 5.2) <= _WIDTH - 0.16 else 4.2
    ink = "white" if filled else "#6b6b6b"
    _text(figure, left + 0.03, top + _HEIGHT / 2, row.claim, size=size, colour=ink)
    mark = " ".join(part for part in ("c" if row.basis == "calibrated" else "", _SIGNS.get(row.verdict, "")) if part)
    if mark:
        _text(figure, left + _WIDTH - 0.03, top + _HEIGHT / 2, mark, size=5.2, colour=ink, align="right")


def _legend(figure: Figure, rows: Sequence[BoardRow], y: float) -> None:
    counts = Counter(row.verdict for row in rows)
    x = _EDGE
    for verdict in (v for v in VERDICT_ORDER if counts[v]):
        _text(figure, x, y, "■" if verdict in _SIGNS else "□", size=7, colour=VERDICTS.get(verdict, FAINT))
        words = " ".join(part for part in (_SIGNS.get(verdict, ""), verdict, str(counts[verdict])) if part)
        _text(figure, x + 0.11, y, words, size=6)
        x += 0.11 + text_width(words, 6) + 0.18
    if any(row.basis == "calibrated" for row in rows):
        _text(figure, x, y, "c: entered the calibration", size=6, colour="#555555")


def _text(
    figure: Figure, x: float, y: float, text: str, *, size: float, weight: str = "normal", colour: str = INK,
    align: str = "left",
) -> None:  # fmt: skip
    """Write at inches from the top left corner."""
    place = (x / DOUBLE_COLUMN, 1 - y / figure.get_figheight())
    figure.text(*place, text, fontsize=size, fontweight=weight, color=colour, ha=align, va="center")
