"""Moving an ensemble of parameter vectors towards bounds it does not meet yet.

The smoother of Emerick & Reynolds (2013, doi:10.1016/j.cageo.2012.03.011): a few rounds, each
with the noise inflated, in which all members are shifted along the covariance between
parameters and results. Here the results are *margins*: how far a member is inside (positive)
or outside (negative) the bound of a term. Only what is outside pulls; a term that a member
meets is held where it is. Covariances too small to be told from chance are set to zero
(correlation-based localisation, Luo & Bhakta 2020, doi:10.1016/j.petrol.2019.106559).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from haptos.errors import ParameterError

__all__ = ["assimilate", "localisation", "shortfall"]

Array = NDArray[np.float64]

#: Margins beyond this (in natural logarithms or shares) say no more than that a term is far off.
_FAR = 2.0


def shortfall(margins: Array, slack: float) -> Array:
    """Return how much each member lacks of each term, shape (N, m), 0 where it has enough.

    Parameters
    ----------
    margins : ndarray, shape (N, m)
        Nan (a simulation that failed) counts as far off.
    slack : float
        Margin that is enough, at least 0: a member on the very bound is not safe.
    """
    return np.maximum(slack - _bounded(margins), 0.0)


def localisation(deviations: Array, margins: Array) -> Array:
    """Return which covariances are kept, shape (p, m), between 0 and 1.

    A sample correlation of N independent members has a standard error of 1 / sqrt(N); below
    twice that nothing is kept, above three times all.
    """
    n = len(deviations)
    z, g = _standard(deviations), _standard(_bounded(margins))
    size = np.abs(z.T @ g) / n * np.sqrt(n)
    return np.clip(size - 2.0, 0.0, 1.0)


def assimilate(
    deviations: Array,
    margins: Array,
    *,
    noise: Array,
    inflation: float,
    draws: Array,
    slack: float = 0.1,
    limit: float = 3.0,
) -> Array:
    """Return the members after one round.

    Parameters
    ----------
    deviations : ndarray, shape (N, p)
        Members, in standard deviations of the prior; N at least 4.
    margins : ndarray, shape (N, m)
        What each of them does.
    noise : ndarray, shape (m,)
        Standard deviation of each term, above 0, in the unit of its margin.
    inflation : float
        Factor of the variance of the noise in this round; its inverses should sum to 1 over
        the rounds.
    draws : ndarray, shape (N, m)
        Standard normal numbers.
    slack : float
        See :func:`shortfall`.
    limit : float
        Largest deviation; members are held inside.

    Raises
    ------
    ParameterError
        If shapes do not fit.
    """
    n, m = margins.shape
    if len(deviations) != n or draws.shape != (n, m) or noise.shape != (m,) or n < 4:
        raise ParameterError(f"{n} members with {m} terms need {n} deviations, draws of ({n}, {m}) and {m} noises")
    lacking = shortfall(margins, slack)
    wanted = lacking + np.where(lacking > 0, np.sqrt(inflation) * noise * draws, 0.0)
    z = deviations - deviations.mean(axis=0)
    bounded = _bounded(margins)
    g = bounded - bounded.mean(axis=0)
    across = localisation(deviations, margins) * (z.T @ g) / (n - 1)
    within = g.T @ g / (n - 1) + inflation * np.diag(noise**2)
    moved = deviations + np.linalg.solve(within, wanted.T).T @ across.T
    return np.asarray(np.clip(moved, -limit, limit))


def _bounded(margins: Array) -> Array:
    return np.clip(np.nan_to_num(margins, nan=-_FAR, posinf=_FAR, neginf=-_FAR), -_FAR, _FAR)


def _standard(values: Array) -> Array:
    centred = values - values.mean(axis=0)
    spread = centred.std(axis=0)
    return np.asarray(centred / np.where(spread > 0, spread, 1.0))
