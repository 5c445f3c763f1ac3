"""Plain densitometry: what a band sums to over the background beside it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from haptos.assays.base import Picture
from haptos.errors import ParameterError, nearest

__all__ = ["band_volumes"]

#: Rows above and below a band from which its background is taken.
_GUARD = 7


def band_volumes(picture: Picture, band: str) -> NDArray[np.float64]:
    """Return the background-subtracted volume of a band in each lane [counts], shape (n_lanes,).

    The background of each column is the mean of the medians of seven rows above and seven
    rows below the box of the band, so streaks and a background that rises evenly down the
    lane cancel, and specks of dust hardly count.

    Raises
    ------
    ParameterError
        If the picture has no such band.
    """
    if band not in picture.bands:
        near = ", ".join(nearest(band, list(picture.bands)) or picture.bands)
        raise ParameterError(f"the picture has no band {band!r}; it has {near}")
    top, bottom = picture.bands[band]
    volumes = np.empty(len(picture.lanes))
    for i, (left, right) in enumerate(picture.lane_edges):
        lane = picture.pixels[:, left:right].astype(np.float64)
        above, below = lane[top - _GUARD : top], lane[bottom : bottom + _GUARD]
        background = 0.5 * (np.median(above, axis=0) + np.median(below, axis=0))
        total = np.sum(lane[top:bottom] - background)
        volumes[i] = -total if picture.dark_on_light else total
    return volumes
