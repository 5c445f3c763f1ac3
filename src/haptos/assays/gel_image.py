"""Drawing of gels and membranes: lanes and bands as 16-bit intensities.

A band is a flat stroke with rounded ends, sharp at its leading and smeared at its trailing
edge, slightly bent and displaced, on an uneven and noisy background. The sum of its
intensities over the background is exactly the amount it stands for, so that plain
densitometry reads it back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haptos.assays.base import Picture
from haptos.errors import ParameterError

__all__ = ["BLOT", "ZYMOGRAM", "Band", "Strip", "Style", "draw"]

Array = NDArray[np.float64]
_FULL = 65535.0


@dataclass(frozen=True, slots=True)
class Style:
    """How a kind of gel looks; lengths in pixels, intensities in counts of 65,535.

    Attributes
    ----------
    dark_on_light : bool
        Sign of the bands.
    background : float
        Intensity without any band.
    peak : float
        Height of the strongest band over the background.
    unevenness, grain : float
        Amplitude of the slow variation of the background, standard deviation of the noise.
    lane, gap, margin : int
        Width of a lane, space between lanes and at the sides.
    window : int
        Half the height of the box in which a band is summed.
    sharp, smear : float
        Width of the leading and of the trailing edge of a band.
    smile : float
        How much further the outer lanes have run than the middle ones.
    specks : int
        Specks of dust per strip.
    """

    dark_on_light: bool
    background: float
    peak: float
    unevenness: float
    grain: float
    lane: int = 84
    gap: int = 12
    margin: int = 14
    window: int = 17
    sharp: float = 2.4
    smear: float = 3.4
    smile: float = 3.0
    specks: int = 4


BLOT = Style(dark_on_light=True, background=58500.0, peak=50500.0, unevenness=1500.0, grain=420.0)
ZYMOGRAM = Style(
    dark_on_light=False, background=17000.0, peak=38000.0, unevenness=2400.0, grain=420.0,
    lane=78, gap=8, window=18, sharp=3.2, smear=4.2, smile=2.0, specks=6,
)  # fmt: skip


@dataclass(frozen=True)
class Band:
    """One band in every lane.

    Attributes
    ----------
    label : str
        Key of the band in the picture.
    row : float
        Row of its middle within the strip.
    amounts : ndarray, shape (n_lanes,)
        Amount in each lane, any unit, from 0 on.
    """

    label: str
    row: float
    amounts: Array


@dataclass(frozen=True)
class Strip:
    """A piece of membrane or gel, exposed as a whole: its strongest band sets the exposure."""

    height: int
    bands: tuple[Band, ...]


def draw(strips: Sequence[Strip], lanes: Sequence[str], style: Style, title: str, rng: np.random.Generator) -> Picture:
    """Draw strips one below the other.

    Raises
    ------
    ParameterError
        If amounts are missing, negative or not finite, or a band lies too near the edge.
    """
    edges = tuple(
        (left, left + style.lane) for left in (style.margin + i * (style.lane + style.gap) for i in range(len(lanes)))
    )
    width = edges[-1][1] + style.margin
    parts: list[Array] = []
    bands: dict[str, tuple[int, int]] = {}
    top = 0
    for strip in strips:
        if parts:
            parts.append(np.full((8, width), _FULL))
            top += 8
        _check(strip, len(lanes), style)
        parts.append(_strip(strip, edges, width, style, rng))
        for band in strip.bands:
            middle = top + round(band.row)
            bands[band.label] = (middle - style.window, middle + style.window + 1)
        top += strip.height
    pixels = np.clip(np.rint(np.concatenate(parts)), 0, _FULL).astype(np.uint16)
    return Picture(pixels, tuple(lanes), bands, edges, style.dark_on_light, title)


def _check(strip: Strip, lanes: int, style: Style) -> None:
    for band in strip.bands:
        good = band.amounts.shape == (lanes,) and np.all(np.isfinite(band.amounts)) and np.all(band.amounts >= 0)
        if not good:
            raise ParameterError(f"the band {band.label!r} needs one finite amount from 0 on for each of {lanes} lanes")
        if not style.window + 8 <= band.row <= strip.height - style.window - 8:
            raise ParameterError(f"the band {band.label!r} lies too near the edge of its strip")


def _strip(strip: Strip, edges: Sequence[tuple[int, int]], width: int, style: Style, rng: np.random.Generator) -> Array:
    signal = np.zeros((strip.height, width))
    strongest = max((float(band.amounts.max()) for band in strip.bands), default=0.0)
    tilt = rng.normal(0.0, 0.8)
    for band in strip.bands:
        for i, (left, right) in enumerate(edges):
            share = band.amounts[i] / strongest if strongest > 0.0 else 0.0
            across = 2.0 * (0.5 * (left + right)) / width - 1.0
            row = band.row + tilt * across - style.smile * (across**2 - 0.3) + rng.normal(0.0, 0.4)
            shape = _stroke(strip.height, right - left, row, share, style, rng)
            signal[:, left:right] += share * shape
    peak = signal.max()
    if peak > 0.0:
        signal *= style.peak / peak
    sign = -1.0 if style.dark_on_light else 1.0
    haze = _haze(signal.shape, edges, style, rng)
    return style.background + sign * signal + haze + rng.normal(0.0, style.grain, signal.shape)


def _stroke(height: int, width: int, row: float, share: float, style: Style, rng: np.random.Generator) -> Array:
    """Return the shape of a band, shape (height, width), with the sum 1.

    Strong bands are wider and thicker than weak ones.
    """
    x = np.linspace(-1.0, 1.0, width)
    y = np.arange(height)[:, None]
    reach = 0.66 + 0.16 * share**0.4 + rng.normal(0.0, 0.015)
    along = np.exp(-(np.abs(x / reach) ** 7)) * (1.0 + 0.22 * (x / reach) ** 2 + rng.normal(0.0, 0.06) * x)
    bent = row - rng.normal(1.0, 0.35) * (np.abs(x) ** 2.5) + rng.normal(0.0, 0.5) * x
    wavy = 0.35 * np.sin(2.0 * np.pi * (x * rng.uniform(0.4, 0.9) + rng.uniform()))
    thick = (0.85 + 0.3 * share**0.5) * (1.0 + 0.06 * rng.normal())
    away = y - bent - wavy
    scale = np.where(away > 0.0, style.sharp * thick, style.smear * thick * (1.0 + 0.12 * np.abs(x)))
    shape = along * np.exp(-0.5 * np.abs(away / scale) ** 2.3)
    total: Array = shape / shape.sum()
    return total


def _haze(shape: tuple[int, int], edges: Sequence[tuple[int, int]], style: Style, rng: np.random.Generator) -> Array:
    """Return the uneven background: slow waves along the gel, streaks down the lanes, dust."""
    height, width = shape
    x = np.arange(width) / width
    y = np.arange(height)[:, None] / height
    waves = sum(
        np.cos(2.0 * np.pi * (rng.uniform(0.3, 1.6) * x + rng.uniform())) * rng.uniform(0.2, 0.6) for _ in range(3)
    )
    field: Array = style.unevenness * (0.7 * waves + rng.normal(0.0, 0.35) * (y - 0.5)) * np.ones((height, 1))
    sign = -1.0 if style.dark_on_light else 1.0
    for left, right in edges:
        streak = rng.uniform(0.1, 0.5) * style.unevenness * (1.0 + rng.normal(0.0, 0.3) * (y - 0.5))
        field[:, left:right] += sign * streak * np.exp(-(np.abs(np.linspace(-1.1, 1.1, right - left)) ** 6))
    for _ in range(style.specks):
        row, column = rng.uniform(0, height), rng.uniform(0, width)
        spot = np.exp(-((np.arange(height)[:, None] - row) ** 2 + (np.arange(width) - column) ** 2) / 1.6)
        field -= rng.uniform(0.5, 2.5) * style.unevenness * spot
    return field
