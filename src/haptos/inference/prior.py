"""The prior of the free parameters: where members of an ensemble come from, and how far apart they are."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haptos.numerics import philox_stream
from haptos.signalling.building.parameters import free_parameters, load_parameters
from haptos.signalling.ensemble import LIMIT

__all__ = ["LIMIT", "Prior", "diversity", "draws"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Prior:
    """The log-normal prior of the free parameters.

    Attributes
    ----------
    centre, spread, ceiling : ndarray, shape (n_parameters,)
        In the order of the table; spread 0 fixes a parameter.
    """

    centre: Array
    spread: Array
    ceiling: Array

    @classmethod
    def of_table(cls) -> Prior:
        """Return the prior of the library's table; what only reads is fixed."""
        table, free = list(load_parameters().values()), set(free_parameters())
        return cls(
            np.array([p.value for p in table]),
            np.array([p.spread if p.id in free else 0.0 for p in table]),
            np.array([np.inf if p.upper is None else p.upper for p in table]),
        )

    @property
    def n_free(self) -> int:
        """Number of free parameters."""
        return int(np.sum(self.spread > 0))

    def sample(self, n: int, *, seed: int) -> Array:
        """Return parameter vectors drawn from the prior, shape (n, n_parameters); see :func:`draws`."""
        return self.vector(draws(n, self.n_free, seed=seed))

    def vector(self, deviations: Array) -> Array:
        """Return parameter values of standard deviations, shape (..., n_free) -> (..., n_parameters)."""
        z = np.asarray(deviations, dtype=np.float64)
        values = np.tile(self.centre, (*z.shape[:-1], 1))
        free = self.spread > 0
        values[..., free] = self.centre[free] * np.exp(self.spread[free] * z)
        return np.minimum(values, self.ceiling)


def draws(n: int, n_free: int, *, seed: int, purpose: str = "calibration") -> Array:
    """Return independent standard normal deviations within the limit, shape (n, n_free).

    Parameters
    ----------
    n, n_free : int
        Number of members and of free parameters.
    seed : int
        Root seed.
    purpose : str
        Name of the stream. Member i is a function of (seed, purpose, i): more members change no earlier one.

    Examples
    --------
    >>> bool((draws(3, 4, seed=1)[:2] == draws(2, 4, seed=1)).all())
    True
    """
    return np.array([_inside(philox_stream(seed, purpose, 0, i), n_free) for i in range(n)]).reshape(n, n_free)


def _inside(rng: np.random.Generator, n: int) -> Array:
    """Draw standard normal deviations within the limit."""
    draw = rng.standard_normal(n)
    while np.any(outside := np.abs(draw) > LIMIT):
        draw[outside] = rng.standard_normal(int(np.sum(outside)))
    return draw


def diversity(deviations: Array) -> float:
    """Return the mean distance between members over that expected of prior draws.

    Parameters
    ----------
    deviations : ndarray, shape (n_members, n_free)
        At least two members.

    Returns
    -------
    float
        0 if all members are equal, about 1 if they are as spread out as the prior.
    """
    n, n_free = deviations.shape
    squares = np.sum(deviations**2, axis=1)
    gaps = squares[:, None] + squares[None] - 2.0 * deviations @ deviations.T
    distance = np.sqrt(np.maximum(gaps - np.diag(np.diag(gaps)), 0.0))
    expected = 2.0 * math.exp(math.lgamma((n_free + 1) / 2) - math.lgamma(n_free / 2))
    return float(distance.sum() / (n * (n - 1)) / expected)
