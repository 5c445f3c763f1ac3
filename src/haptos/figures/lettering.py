"""Text that fits: measured widths, wrapped lines, turned labels, numbers in words."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["Labels", "fit_labels", "fold_text", "p_text", "text_width", "wrap"]

_LINE = 1.2
_TURN = 40.0
_COLUMNS = (0.7, 0.85, 1.0, 1.2, 1.4, 1.6, 1.9, 2.3, 2.8)


@lru_cache(maxsize=4096)
def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width of one line [inch] in the font of the style; `size` in points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    if not text.strip():
        return 0.0
    font = FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal", size=size)
    return float(text_to_path.get_text_width_height_descent(text, font, ismath=False)[0]) / 72.0


def wrap(text: str, width: float, size: float, *, bold: bool = False) -> tuple[str, ...]:
    """Break `text` at spaces, and after underscores and slashes, into lines of at most `width` [inch].

    A piece that is wider than a line on its own is cut between two letters, so nothing is lost.
    """
    lines = [""]
    for piece in _pieces(text):
        if text_width((lines[-1] + piece).rstrip(), size, bold=bold) <= width or not lines[-1]:
            lines[-1] += piece
        else:
            lines.append(piece)
        while text_width(lines[-1].rstrip(), size, bold=bold) > width and len(lines[-1]) > 1:
            kept = _longest_start(lines[-1], width, size, bold=bold)
            lines[-1:] = [lines[-1][:kept], lines[-1][kept:]]
    return tuple(line.rstrip() for line in lines if line.strip())


def _pieces(text: str) -> list[str]:
    """Split where a line may break; a number stays with its unit."""
    joined = re.sub(r"(?<!\S)(\d+(?:[.,]\d+)?) ", "\\1\u00a0", " ".join(text.split()))
    return re.findall(r"[^ _/]*[_/]|[^ _/]+ ?| ", joined)


def _longest_start(text: str, width: float, size: float, *, bold: bool) -> int:
    low, high = 1, len(text) - 1
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if text_width(text[:middle], size, bold=bold) <= width else (low, middle - 1)
    return low


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels below a row of slots, laid out so that they do not touch.

    Attributes
    ----------
    texts : tuple of str
        With line breaks.
    turned : bool
        True if they are written at an angle, ending at their slot.
    height : float
        Room they need below the axis [inch].
    overhang : float
        How far they reach to the left of the centre of the first slot [inch].
    lean : float
        How far they reach to the right of the centre of the last slot if they lean that way [inch].
    """

    texts: tuple[str, ...]
    turned: bool
    height: float
    overhang: float
    lean: float = 0.0

    @property
    def angle(self) -> float:
        """Rotation [degree]."""
        return _TURN if self.turned else 0.0


def fit_labels(labels: tuple[str, ...], slot: float, size: float = 6.5) -> Labels:
    """Lay out `labels` for slots of the given width [inch]: level if three lines do, else turned."""
    room = slot - 0.06
    words = [piece.rstrip() for label in labels for piece in _pieces(label)]
    level = [wrap(label, room, size) for label in labels]
    line = size * _LINE / 72.0
    if all(text_width(w, size) <= room for w in words) and all(len(t) <= 3 for t in level):
        widest = max((text_width(part, size) for part in level[0]), default=0.0)
        height = max(map(len, level)) * line + 0.05
        return Labels(tuple(map("\n".join, level)), turned=False, height=height, overhang=widest / 2)
    most_lines = max(1, int(slot * math.sin(math.radians(_TURN)) / line + 0.05))
    turned = [_balanced(label, most_lines, size) for label in labels]
    lengths = [max((text_width(part, size) for part in t), default=0.0) for t in turned]
    angle = math.radians(_TURN)
    sizes = zip(lengths, map(len, turned), strict=True)
    height = max(length * math.sin(angle) + n * line * math.cos(angle) for length, n in sizes) + 0.05
    reach = max(length * math.cos(angle) - i * slot for i, length in enumerate(lengths))
    last = len(turned) - 1
    lean = max(
        length * math.cos(angle) + len(t) * line * math.sin(angle) - (last - i) * slot
        for i, (length, t) in enumerate(zip(lengths, turned, strict=True))
    )
    return Labels(tuple(map("\n".join, turned)), turned=True, height=height, overhang=max(reach, 0.0), lean=lean)


def _balanced(label: str, most_lines: int, size: float) -> tuple[str, ...]:
    """Wrap to the narrowest column that needs no more than `most_lines` lines."""
    for width in _COLUMNS:
        lines = wrap(label, width, size)
        if len(lines) <= most_lines and all(text_width(piece.rstrip(), size) <= width for piece in _pieces(label)):
            return lines
    return wrap(label, _COLUMNS[-1], size)


def p_text(p: float) -> str:
    """Return a p-value as a figure prints it.

    Examples
    --------
    >>> p_text(0.0002), p_text(0.0123), p_text(0.41)
    ('p < 0.001', 'p = 0.012', 'p = 0.41')
    """
    if not math.isfinite(p):
        return "no p"
    if p < 0.001:
        return "p < 0.001"
    if p > 0.995:
        return "p > 0.99"
    return f"p = {p:.3f}" if p < 0.0995 else f"p = {p:.2f}"


def fold_text(fold: float) -> str:
    """Return a fold change with three digits at most.

    Examples
    --------
    >>> fold_text(0.0521), fold_text(3.14159), fold_text(41.6), fold_text(1234.0)
    ('0.052', '3.1', '42', '1200')
    """
    if not math.isfinite(fold):
        return "–"
    if fold == 0:
        return "0"
    digits = 2 - 1 - math.floor(math.log10(abs(fold)))
    return f"{round(fold, digits):.{max(digits, 0)}f}"
