"""One style for every figure: sizes of a journal, few colours with fixed meanings, thin lines."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "COURSES",
    "DOUBLE_COLUMN",
    "FAINT",
    "INK",
    "MEASURED",
    "MODEL",
    "REFERENCE",
    "RULES",
    "SINGLE_COLUMN",
    "VERDICTS",
    "journal_style",
    "new_figure",
    "tint",
]

#: Widths of a journal page [inch]: 89 mm and 183 mm.
SINGLE_COLUMN = 3.5
DOUBLE_COLUMN = 7.2

#: Colours with a meaning (Okabe and Ito: distinct for all common kinds of colour vision).
INK = "#1a1a1a"
FAINT = "#8a8a8a"
REFERENCE = "#7d7d7d"
MEASURED = "#0072b2"
MODEL = "#d55e00"

#: Colours of curves, in the order of use.
COURSES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#1a1a1a")

#: Colour of each verdict.
VERDICTS = MappingProxyType(
    {
        "supported": "#0b7a53",
        "contradicted": "#b3261e",
        "undecided": "#b07400",
        "vacuous": "#7b4fa3",
        "not expressible": "#6b6b6b",
        "untestable": "#6b6b6b",
    }
)

#: What matplotlib is told. DejaVu Sans ships with it, so a figure is the same everywhere.
RULES = MappingProxyType(
    {
        "font.family": "DejaVu Sans",
        "font.size": 7.0,
        "axes.titlesize": 7.0,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.titlepad": 4.0,
        "axes.labelsize": 7.0,
        "axes.labelpad": 3.0,
        "axes.linewidth": 0.6,
        "axes.edgecolor": INK,
        "axes.labelcolor": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.facecolor": "white",
        "axes.unicode_minus": True,
        "axes.axisbelow": True,
        "text.color": INK,
        "text.usetex": False,
        "text.parse_math": False,
        "xtick.color": INK,
        "ytick.color": INK,
        "xtick.labelsize": 6.5,
        "ytick.labelsize": 6.5,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "xtick.major.size": 2.5,
        "ytick.major.size": 2.5,
        "xtick.minor.width": 0.4,
        "ytick.minor.width": 0.4,
        "xtick.minor.size": 1.5,
        "ytick.minor.size": 1.5,
        "lines.linewidth": 1.0,
        "lines.solid_capstyle": "butt",
        "legend.frameon": False,
        "legend.fontsize": 6.5,
        "legend.handlelength": 1.4,
        "figure.facecolor": "white",
        "figure.dpi": 100.0,
        "savefig.facecolor": "white",
        "savefig.dpi": 300.0,
        "svg.fonttype": "path",
        "svg.hashsalt": "haptos",
        "image.composite_image": False,
    }
)


@contextmanager
def journal_style() -> Iterator[None]:
    """Apply the style while drawing or saving, and restore the user's settings afterwards.

    A letter that the font lacks is drawn as a box, without a warning on the terminal.
    """
    import matplotlib as mpl

    rules: dict[Any, Any] = dict(RULES)
    with mpl.rc_context(rc=rules), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        yield


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of the given size [inch] that can be drawn without a display."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure


def tint(colour: str, share: float) -> str:
    """Return `colour` mixed with white; `share` in [0, 1] is the part of the colour.

    Examples
    --------
    >>> tint("#000000", 0.5)
    '#808080'
    """
    parts = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(255 - share * (255 - part)):02x}" for part in parts)
