"""Drawing of flow-cytometry histograms: one panel for each arm, as 16-bit intensities.

Columns are channels, the filled height of a column is the share of events in its channel,
each panel scaled to its own maximum. Reading the heights back gives the distribution.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from haptos.assays.base import Picture
from haptos.errors import ParameterError, nearest

__all__ = ["CHANNELS", "channel_centres", "distributions", "draw_histograms", "normal_peak", "unmixed"]

Array = NDArray[np.float64]

#: Channels of a histogram, and cells counted for one.
CHANNELS = 160
_EVENTS = 50_000
_FULL, _PAPER, _INK, _LINE, _GRAIN = 65535.0, 62000.0, 27000.0, 9000.0, 120.0
_HEIGHT, _HEADROOM, _BASE = 112, 12, 3
_GAP, _MARGIN = 10, 10
#: Share of a channel below which the grain of the picture exceeds the scatter of the counts.
_FAINT = 1e-5


def channel_centres(low: float, high: float) -> Array:
    """Return the middles of the channels of an axis, shape (CHANNELS,)."""
    return low + (np.arange(CHANNELS) + 0.5) * (high - low) / CHANNELS


def normal_peak(centres: Array, middle: float, width: float) -> Array:
    """Return the share of a normal peak in each channel; what lies beyond the axis falls in the last channel."""
    from scipy.special import ndtr

    step = centres[1] - centres[0]
    edges = np.append(centres - 0.5 * step, centres[-1] + 0.5 * step)
    edges[0], edges[-1] = -np.inf, np.inf
    shares: Array = np.diff(ndtr((edges - middle) / width))
    return shares


def draw_histograms(shapes: Array, lanes: Sequence[str], label: str, title: str, rng: np.random.Generator) -> Picture:
    """Draw one panel per lane.

    Parameters
    ----------
    shapes : ndarray, shape (n_lanes, CHANNELS)
        Probability of each channel; rows sum to 1.
    lanes : sequence of str
        Labels of the panels.
    label, title : str
        What the axis shows, and the whole.
    rng : Generator
        Random stream of the events and the grain.

    Raises
    ------
    ParameterError
        If a row is no distribution.
    """
    good = shapes.shape == (len(lanes), CHANNELS) and np.all(shapes >= 0) and np.allclose(shapes.sum(axis=1), 1.0)
    if not good:
        raise ParameterError(f"the histogram {label!r} needs one distribution over {CHANNELS} channels for each lane")
    lefts = [_MARGIN + i * (CHANNELS + _GAP) for i in range(len(lanes))]
    pixels = np.full((_HEIGHT, lefts[-1] + CHANNELS + _MARGIN), _PAPER)
    floor = _HEIGHT - _BASE
    for left, shape in zip(lefts, shapes, strict=True):
        counts = rng.multinomial(_EVENTS, shape).astype(np.float64)
        heights = (floor - _HEADROOM) * counts / counts.max()
        filled = np.clip(heights - np.arange(floor)[::-1, None], 0.0, 1.0)
        pixels[:floor, left : left + CHANNELS] += filled * (_INK - _PAPER)
        pixels[floor:, left : left + CHANNELS] = _LINE
    pixels += rng.normal(0.0, _GRAIN, pixels.shape)
    edges = tuple((left, left + CHANNELS) for left in lefts)
    clipped = np.clip(np.rint(pixels), 0, _FULL).astype(np.uint16)
    return Picture(clipped, tuple(lanes), {label: (0, floor)}, edges, dark_on_light=True, title=title)


def distributions(picture: Picture, label: str) -> Array:
    """Return the shares of the channels in each lane, shape (n_lanes, CHANNELS).

    The paper above the highest peak is the background; the grain leaves small errors of either sign.

    Raises
    ------
    ParameterError
        If the picture has no such axis.
    """
    if label not in picture.bands:
        near = ", ".join(nearest(label, list(picture.bands)) or picture.bands)
        raise ParameterError(f"the picture has no axis {label!r}; it has {near}")
    top, bottom = picture.bands[label]
    rows = []
    for left, right in picture.lane_edges:
        panel = picture.pixels[top:bottom, left:right].astype(np.float64)
        paper = panel[: _HEADROOM - 2].mean()
        heights = np.sum(paper - panel, axis=0)
        rows.append(heights / heights.sum())
    return np.array(rows)


def unmixed(shares: Array, peaks: Array) -> Array:
    """Return how much of each peak makes up a histogram, shape (n_peaks,), summing to 1.

    Parameters
    ----------
    shares : ndarray, shape (CHANNELS,)
        Shares of the channels.
    peaks : ndarray, shape (n_peaks, CHANNELS)
        Known shapes.
    """
    from scipy.optimize import nnls

    parts, _ = nnls(peaks.T, shares)
    scatter = np.sqrt(parts @ peaks + _FAINT)  # counts scatter with the root of what is expected
    parts, _ = nnls((peaks / scatter).T, shares / scatter)
    total: Array = parts / parts.sum()
    return total
