"""Shares of cells or molecules: quotients, what happened since the start, and how shares scatter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["happened", "quotient", "scattered", "scattered_parts"]

Array = NDArray[np.float64]

#: Unit of the counters of the model: a hazard of 1 adds 1 nM to them [nM].
_COUNTED = 1.0
#: Least parameter of a gamma variate that stands for a share of 0.
_NEVER = 1e-12


def quotient(above: Array, below: Array) -> Array:
    """Return a quotient, 0 where nothing is below the line.

    Examples
    --------
    >>> quotient(np.array([1.0, 2.0]), np.array([4.0, 0.0])).tolist()
    [0.25, 0.0]
    """
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0.0)


def happened(counter: Array) -> Array:
    """Return the share of cells to which an event happened since the first time.

    Parameters
    ----------
    counter : ndarray, shape (n_times,)
        Integral of the hazard of the event [nM, 1 nM for an expected event per cell].

    Examples
    --------
    >>> happened(np.array([3.0, 3.0 + np.log(2.0)])).round(6).tolist()
    [0.0, 0.5]
    """
    shares: Array = -np.expm1(-np.maximum(counter - counter[0], 0.0) / _COUNTED)
    return shares


def scattered(ideal: Array, rng: np.random.Generator, *, variation: float, cells: int, technical: int) -> Array:
    """Return shares as counted in cultures that differ, shape (n_values, technical).

    Cultures follow a beta distribution with the ideal share as its mean and the standard
    deviation ``variation · share · (1 − share)``; the cells counted are binomial.

    Parameters
    ----------
    ideal : ndarray, shape (n_values,)
        Noise-free shares in [0, 1].
    rng : Generator
        Random stream.
    variation : float
        Coefficient of variation of a small share between cultures.
    cells : int
        Cells counted in each culture.
    technical : int
        Cultures.
    """
    both = np.stack([ideal, 1.0 - ideal], axis=-1)
    shares: Array = np.stack(
        [scattered_parts(row, rng, variation=variation, cells=cells, technical=technical)[0] for row in both]
    )
    return shares


def scattered_parts(ideal: Array, rng: np.random.Generator, *, variation: float, cells: int, technical: int) -> Array:
    """Return the parts of a whole as counted, shape (n_parts, technical); see :func:`scattered`."""
    parts = np.clip(ideal, 0.0, None) / np.sum(np.clip(ideal, 0.0, None))
    spread = float(parts[0] * (1.0 - parts[0]))
    if spread <= _NEVER:
        return np.repeat(parts[:, None], technical, axis=1)
    weight = 1.0 / (variation**2 * spread) - 1.0
    drawn = rng.standard_gamma(np.maximum(parts * weight, _NEVER), (technical, parts.size))
    cultures = drawn / drawn.sum(axis=1, keepdims=True)
    counted: Array = rng.multinomial(cells, cultures).T / cells
    return counted
