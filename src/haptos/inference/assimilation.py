"""Moving parameter vectors towards bounds they do not meet yet.

Results are *margins*: how far a vector is inside (positive) or outside (negative) the bound of a
term. Each member of an ensemble starts from its own draw of the prior and is corrected by
Gauss-Newton steps on what it lacks, penalised by the distance it moves (the randomised maximum
likelihood of Oliver, He & Reynolds 1996, with inequalities in place of data). The sensitivities
are those at one point, shared by all members; each step uses the exact margins of the member.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from haptos.errors import ParameterError

__all__ = ["correct", "shortfall"]

Array = NDArray[np.float64]

#: Margins beyond this (in natural logarithms or shares) say no more than that a term is far off.
_FAR = 2.0


def shortfall(margins: Array, slack: float) -> Array:
    """Return how much each member lacks of each term, 0 where it has enough; shape of `margins`.

    Parameters
    ----------
    margins : ndarray, shape (N, m)
        Nan (a simulation that failed) counts as far off.
    slack : float
        Margin that is enough, at least 0: a member on the very bound is not safe.
    """
    bounded = np.clip(np.nan_to_num(margins, nan=-_FAR, posinf=_FAR, neginf=-_FAR), -_FAR, _FAR)
    return np.asarray(np.maximum(slack - bounded, 0.0))


def correct(
    deviations: Array,
    margins: Array,
    sensitivities: Array,
    *,
    noise: float = 0.1,
    slack: float = 0.1,
    longest: float = 4.0,
    limit: float = 3.0,
    passes: int = 8,
) -> Array:
    """Return the members after one correction.

    For every member the step d minimises ``|d|^2 + sum((lacking)^2) / noise^2``, where what is
    lacking is predicted with the sensitivities for the terms it does not meet now and for those
    that the step would break; these are found in a few passes.

    Parameters
    ----------
    deviations : ndarray, shape (N, p)
        Members, in standard deviations of the prior.
    margins : ndarray, shape (N, m)
        What each of them does.
    sensitivities : ndarray, shape (m, p)
        Derivatives of the margins; nan counts as 0.
    noise : float
        Shortfall that weighs as much as one standard deviation of movement, above 0.
    slack : float
        See :func:`shortfall`.
    longest : float
        Longest step of a member.
    limit : float
        Largest deviation; members are held inside.
    passes : int
        Passes to find the terms that matter.

    Raises
    ------
    ParameterError
        If shapes do not fit.
    """
    n, m = margins.shape
    if deviations.shape[0] != n or sensitivities.shape != (m, deviations.shape[1]):
        raise ParameterError(
            f"{n} members with {m} terms need {n} deviations and sensitivities of ({m}, {deviations.shape[1]})"
        )
    slopes = np.nan_to_num(sensitivities, nan=0.0, posinf=0.0, neginf=0.0)
    products = slopes @ slopes.T
    moved = np.array(deviations, dtype=np.float64)
    for b in range(n):
        step = _step(shortfall(margins[b], slack), margins[b], slopes, products, noise, slack, passes)
        size = float(np.linalg.norm(step))
        moved[b] += step * min(1.0, longest / size) if size > 0 else 0.0
    return np.asarray(np.clip(moved, -limit, limit))


def _step(
    lacking: Array, margins: Array, slopes: Array, products: Array, noise: float, slack: float, passes: int
) -> Array:
    """Return the step of one member."""
    active = lacking > 0
    step = np.zeros(slopes.shape[1])
    for _ in range(passes):
        if not active.any():
            return step
        wanted = slack - np.clip(np.nan_to_num(margins, nan=-_FAR), -_FAR, _FAR)
        within = products[np.ix_(active, active)] + noise**2 * np.eye(int(active.sum()))
        step = slopes[active].T @ np.linalg.solve(within, wanted[active])
        broken = ~active & (np.nan_to_num(margins, nan=-_FAR) + slopes @ step < slack)
        if not broken.any():
            return step
        active |= broken
    return step
