"""Which parameters the findings tell something about, and which only the prior holds.

Everything is in standard deviations of the prior, in which the prior is the unit normal
distribution. *Local*: the sensitivities J of the readings at one point, with their noise, give the
Fisher information F = J' W J / noise²; the variance that is left of a parameter is the diagonal of
(1 + F)^-1. *Ensemble*: the spread of the members, and how strongly two parameters go together in them.

A finding that only says 'at least so much' is a bound. It informs while it is not met or hardly met;
once it is well met, moving further inside costs nothing, and it tells nothing more. Its weight W is the
curvature of the logarithm of the normal distribution function at the margin over the noise: 1 far
outside, 0.64 on the bound, about 0 at three times the noise inside. Such information is one-sided and
holds near this point only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from haptos.errors import ParameterError

__all__ = ["Local", "Pair", "Spread", "bound_weights", "chance_correlation", "local_information", "spread_of"]

Array = NDArray[np.float64]

#: Probability that one correlation among all pairs exceeds the threshold by chance.
_CHANCE = 0.01
#: Smallest correlation that is worth telling.
_STRONG = 0.6
#: Margins over the noise beyond these weigh as at these.
_FAR = 30.0


@dataclass(frozen=True)
class Local:
    """What readings tell at one point.

    Attributes
    ----------
    removed : ndarray, shape (p,)
        Share of the prior variance of each parameter that is removed, 0 to 1.
    singular : ndarray, shape (k,)
        Singular values of the weighted sensitivities, falling; above 1, the readings tell more about a
        direction than the prior does.
    directions : ndarray, shape (k, p)
        The directions, as unit vectors.
    unusable : int
        Readings without a finite derivative, which are left out.
    """

    removed: Array
    singular: Array
    directions: Array
    unusable: int

    @property
    def stiff(self) -> int:
        """Number of directions of which the readings tell more than the prior."""
        return int(np.sum(self.singular > 1.0))

    @property
    def learned(self) -> float:
        """Sum of the shares removed: how many parameters' worth of prior variance is gone."""
        return float(self.removed.sum())

    def leading(self, direction: int, most: int = 6) -> list[tuple[int, float]]:
        """Return the parameters with the largest entries of a direction, and these entries."""
        entries = self.directions[direction]
        chosen = np.argsort(-np.abs(entries), kind="stable")[:most]
        sign = math.copysign(1.0, entries[chosen[0]])
        return [(int(i), float(sign * entries[i])) for i in chosen]


def local_information(slopes: Array, noise: Array | float, *, weights: Array | float = 1.0) -> Local:
    """Return what readings tell of parameters at one point.

    Parameters
    ----------
    slopes : ndarray, shape (m, p)
        Derivatives of the readings by the parameters, in standard deviations of the prior. A reading
        with a derivative that is not finite is left out.
    noise : ndarray of shape (m,) or float
        Standard deviation of the readings, above 0.
    weights : ndarray of shape (m,) or float
        Share of its information that a reading gives, 0 to 1; see :func:`bound_weights`.

    Examples
    --------
    >>> local_information(np.array([[1.0, 0.0]]), 1.0).removed
    array([0.5, 0. ])
    """
    m, p = slopes.shape
    noises, shares = (np.broadcast_to(np.asarray(v, dtype=np.float64), (m,)) for v in (noise, weights))
    if not np.all(noises > 0) or not np.all((shares >= 0) & (shares <= 1)):
        raise ParameterError("a noise must be above 0 and a weight within 0 and 1")
    usable = np.all(np.isfinite(slopes), axis=1)
    scaled = slopes[usable] * (np.sqrt(shares) / noises)[usable, None]
    if not scaled.size:
        return Local(np.zeros(p), np.zeros(0), np.zeros((0, p)), int(np.sum(~usable)))
    _, singular, directions = np.linalg.svd(scaled, full_matrices=False)
    gained = singular**2 / (1.0 + singular**2)
    return Local(gained @ directions**2, singular, directions, int(np.sum(~usable)))


def bound_weights(margins: Array, noise: Array | float) -> Array:
    """Return the share of its information that each bound gives, shape (m,).

    Parameters
    ----------
    margins : ndarray, shape (m,)
        How far inside its bound each reading is; nan counts as far outside.
    noise : ndarray of shape (m,) or float
        Standard deviation of the readings.

    Examples
    --------
    >>> bound_weights(np.array([-np.inf, 0.0, 3.0, np.inf]), 1.0).round(2)
    array([1.  , 0.64, 0.01, 0.  ])
    """
    inside = np.nan_to_num(margins / np.asarray(noise), nan=-_FAR, posinf=_FAR, neginf=-_FAR)
    return np.array([_curvature(float(u)) for u in np.clip(inside, -_FAR, _FAR)])


def _curvature(u: float) -> float:
    """Return minus the second derivative of the logarithm of the normal distribution function."""
    if u < -8.0:  # asymptotic: 1 - 1/u² + ...
        return 1.0 - 1.0 / u**2 + 6.0 / u**4
    ratio = math.exp(-0.5 * u * u) / math.sqrt(2.0 * math.pi) / (0.5 * math.erfc(-u / math.sqrt(2.0)))
    return min(max(ratio * (ratio + u), 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two parameters that go together in the ensemble, and their correlation."""

    first: int
    second: int
    correlation: float


@dataclass(frozen=True)
class Spread:
    """How the members lie.

    Attributes
    ----------
    narrowed : ndarray, shape (p,)
        Standard deviation of the members over that of the draws from which they started.
    error : float
        Relative standard error of these, from the number of members.
    pairs : tuple of Pair
        Strongly correlated pairs, the strongest first.
    threshold : float
        Correlation from which a pair counts.
    """

    narrowed: Array
    error: float
    pairs: tuple[Pair, ...]
    threshold: float

    def resolved(self, ratio: float) -> NDArray[np.bool_]:
        """Tell which parameters are narrower than `ratio` by more than two standard errors."""
        return np.asarray(self.narrowed * (1.0 + 2.0 * self.error) < ratio)


def spread_of(deviations: Array, *, start: float = 1.0) -> Spread:
    """Return how the members of an ensemble lie, compared with their start.

    Parameters
    ----------
    deviations : ndarray, shape (n, p)
        At least four members, in standard deviations of the prior.
    start : float
        Standard deviation of the draws from which they started, relative to the prior.
    """
    n = len(deviations)
    if n < 4 or start <= 0:
        raise ParameterError("the spread of an ensemble needs at least four members and a start above 0")
    widths = deviations.std(axis=0, ddof=1)
    threshold = max(_STRONG, chance_correlation(n, deviations.shape[1]))
    return Spread(widths / start, 1.0 / math.sqrt(2.0 * (n - 1)), _pairs(deviations, widths, threshold), threshold)


def _pairs(deviations: Array, widths: Array, threshold: float) -> tuple[Pair, ...]:
    moving = np.flatnonzero(widths > 0)
    scaled = (deviations[:, moving] - deviations[:, moving].mean(axis=0)) / widths[moving]
    correlations = np.triu(scaled.T @ scaled / (len(deviations) - 1), k=1)
    rows, columns = np.nonzero(np.abs(correlations) >= threshold)
    found = [
        Pair(int(moving[i]), int(moving[j]), float(correlations[i, j])) for i, j in zip(rows, columns, strict=True)
    ]
    return tuple(sorted(found, key=lambda pair: (-abs(pair.correlation), pair.first, pair.second)))


def chance_correlation(n: int, p: int) -> float:
    """Return the correlation that none of the pairs of `p` independent parameters exceeds in 99 of 100 ensembles.

    Examples
    --------
    >>> round(chance_correlation(64, 858), 2), round(chance_correlation(256, 858), 2)
    (0.61, 0.34)
    """
    pairs = max(p * (p - 1) / 2.0, 1.0)
    quantile = NormalDist().inv_cdf(1.0 - _CHANCE / (2.0 * pairs))
    return math.tanh(quantile / math.sqrt(max(n - 3, 1)))
