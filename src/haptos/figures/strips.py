"""Blots and zymograms as a figure shows them: the image, its lanes, its molecular masses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from haptos.figures.lettering import Labels, fit_labels, text_width
from haptos.figures.style import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from haptos.assays.base import Picture

__all__ = [
    "Placed",
    "band_label_width",
    "draw_strip",
    "fit_lane_labels",
    "lane_groups",
    "place_above_bars",
    "place_freely",
    "strip_height",
]


def lane_groups(picture: Picture) -> tuple[tuple[str, float, float], ...]:
    """Return (label, left, right) of each run of equally labelled lanes, as fractions of the width."""
    width = picture.pixels.shape[1]
    lanes = list(zip(picture.lanes, picture.lane_edges, strict=True))
    runs = [list(run) for _, run in groupby(lanes, key=lambda lane: lane[0])]
    return tuple((run[0][0], run[0][1][0] / width, run[-1][1][1] / width) for run in runs)


def strip_height(picture: Picture, width: float) -> float:
    """Return the height of a strip [inch] of the given width, close to the proportions of the image."""
    rows, columns = picture.pixels.shape
    return float(min(max(width * rows / columns, 0.3), 1.8))


def band_label_width(picture: Picture, size: float = 6.0) -> float:
    """Return the room the labels of the bands need to the left of the image [inch]."""
    return max((text_width(label, size) for label in picture.bands), default=0.0) + 0.1


@dataclass(frozen=True, slots=True)
class Placed:
    """A picture with its place on the sheet; inches from the top left corner of the block.

    Attributes
    ----------
    picture : Picture
        What is shown.
    left, top, width, height : float
        The image itself, without labels and title.
    heading : float
        Height at which the title stands.
    labelled : bool
        Whether lane labels are written above it.
    """

    picture: Picture
    left: float
    top: float
    width: float
    height: float
    heading: float
    labelled: bool


def place_above_bars(pictures: Sequence[Picture], left: float, width: float) -> tuple[tuple[Placed, ...], float]:
    """Stack pictures over the bars whose arms are their lanes; return them and the height they take."""
    placed, y = [], 0.0
    for picture in pictures:
        height = strip_height(picture, width)
        placed.append(Placed(picture, left, y + 0.2, width, height, y + 0.1, labelled=False))
        y += 0.2 + height + 0.06
    return tuple(placed), y


def place_freely(pictures: Sequence[Picture], sheet: float) -> tuple[tuple[Placed, ...], float]:
    """Set pictures side by side as far as the sheet reaches, row by row; return them and the height."""
    placed: list[Placed] = []
    x, y, lowest = 0.0, 0.0, 0.0
    for picture in pictures:
        side = band_label_width(picture) + 0.14
        width = min(sheet - side - 0.12, _free_width(picture))
        for _ in range(3):  # narrower lanes may need longer labels
            width -= max(0.0, side + width + _beyond(picture, width) + 0.05 - sheet)
        if placed and x + side + width + max(_beyond(picture, width), 0.12) > sheet:
            x, y = 0.0, lowest
        above = 0.24 + fit_lane_labels(picture, width).height
        height = strip_height(picture, width)
        placed.append(Placed(picture, x + side, y + above, width, height, y + 0.1, labelled=True))
        x += side + width + max(_beyond(picture, width), 0.0) + 0.3
        lowest = max(lowest, y + above + height + 0.1)
    return tuple(placed), lowest


def _beyond(picture: Picture, width: float) -> float:
    """Return how far the lane labels lean out to the right of the picture [inch]."""
    _, left, right = lane_groups(picture)[-1]
    return fit_lane_labels(picture, width).lean - (1 - (left + right) / 2) * width


def _free_width(picture: Picture) -> float:
    """Return the least comfortable width [inch] at which lane labels stand level, or the usual width."""
    usual = max(0.62 * len(picture.lanes), 1.2)
    wider = [usual * share for share in (1.0, 1.2, 1.45)]
    return next((width for width in wider if not fit_lane_labels(picture, width).turned), usual)


def fit_lane_labels(picture: Picture, width: float, size: float = 6.5) -> Labels:
    """Lay out the labels of the lanes of a picture of the given width [inch]."""
    groups = lane_groups(picture)
    middles = [(left + right) / 2 for _, left, right in groups]
    slot = min((b - a for a, b in pairwise(middles)), default=groups[0][2] - groups[0][1]) * width
    return fit_labels(tuple(label for label, _, _ in groups), slot, size)


def draw_strip(axes: Axes, picture: Picture, *, label_lanes: bool, size: float = 6.5) -> None:
    """Draw one picture into `axes`: dark bands on light for blots, clear bands on dark for zymograms.

    Parameters
    ----------
    axes : Axes
        Of the size the strip shall have.
    picture : Picture
        Image with its lanes and bands; large values are light.
    label_lanes : bool
        Write the labels above the lanes (not needed where bars below carry them).
    size : float
        Size of the lettering [pt].
    """
    rows, columns = picture.pixels.shape
    low, high = int(picture.pixels.min()), int(picture.pixels.max())
    axes.imshow(
        picture.pixels,
        cmap="gray",
        vmin=low,
        vmax=max(high, low + 1),
        aspect="auto",
        interpolation="bilinear",
        extent=(0, columns, rows, 0),
    )
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_linewidth(0.5)
    axes.set_xticks([])
    middles = [(top + bottom) / 2 for top, bottom in picture.bands.values()]
    axes.set_yticks(middles, list(picture.bands), fontsize=size - 0.5)
    axes.tick_params(axis="y", length=2, pad=2)
    if label_lanes:
        _label_lanes(axes, picture, size)


def _label_lanes(axes: Axes, picture: Picture, size: float) -> None:
    columns = picture.pixels.shape[1]
    inches = axes.get_position().width * axes.get_figure(root=True).get_figwidth()  # type: ignore[union-attr]
    groups = lane_groups(picture)
    labels = fit_lane_labels(picture, inches, size)
    per_point = picture.pixels.shape[0] / (_height(axes) * 72)
    for text, (_, left, right) in zip(labels.texts, groups, strict=True):
        grouped = right - left > 1.5 * min(b - a for a, b in picture.lane_edges) / columns
        if grouped:
            y = -3 * per_point
            axes.plot([left * columns, right * columns], [y, y], color=INK, linewidth=0.6, clip_on=False)
        axes.text(
            (left + right) / 2 * columns,
            -(5 if grouped else 3) * per_point,
            text,
            fontsize=size,
            rotation=labels.angle,
            rotation_mode="anchor",
            ha="left" if labels.turned else "center",
            va="bottom",
            linespacing=1.1,
        )


def _height(axes: Axes) -> float:
    return float(axes.get_position().height * axes.get_figure(root=True).get_figheight())  # type: ignore[union-attr]
