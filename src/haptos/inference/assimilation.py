"""Moving parameter vectors towards bounds they do not meet yet.

Results are *margins*: how far a vector is inside (positive) or outside (negative) the bound of a
term. Each member of an ensemble starts from its own draw of the prior, its *anchor*, and is corrected
by Gauss-Newton steps on what it lacks, penalised by its distance from the anchor (the randomised
maximum likelihood of Oliver, He & Reynolds 1996, with inequalities in place of data). The
sensitivities are those at one point, shared by all members; each step uses the exact margins of the
member, and a step that makes a member worse is taken back and tried again at half its length.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from haptos.errors import ParameterError

__all__ = ["approach", "correct", "informed", "loss", "met", "shortfall"]

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


def met(margins: Array) -> NDArray[np.bool_]:
    """Tell which terms members meet, shape as `margins`; nan (a simulation that failed) does not."""
    return np.asarray(np.nan_to_num(margins, nan=-1.0) >= 0.0)


def loss(margins: Array, *, slack: float = 0.1, pull: float = 0.6) -> Array:
    """Return the sum of squared shortfalls of each member, each counted up to `pull`; shape (N,)."""
    return np.asarray(np.sum(np.minimum(shortfall(margins, slack), pull) ** 2, axis=-1))


def informed(drawn: Array, sensitivities: Array, *, noise: float) -> Array:
    """Return draws of the prior shrunk along what the terms tell: draws of the linearised posterior.

    A direction in which the margins change by s per standard deviation keeps ``(1 + s^2 / noise^2)^-1/2`` of its
    spread; one that no term sees keeps all of it.

    Parameters
    ----------
    drawn : ndarray, shape (N, p)
        Standard normal deviations.
    sensitivities : ndarray, shape (m, p)
        Derivatives of the margins that matter.
    noise : float
        Standard deviation that a margin may have, above 0.
    """
    strengths, directions = np.linalg.svd(sensitivities, full_matrices=False)[1:]
    kept = 1.0 / np.sqrt(1.0 + (strengths / noise) ** 2)
    return np.asarray(drawn - ((drawn @ directions.T) * (1.0 - kept)) @ directions)


def approach(
    start: Array,
    margins: Array,
    sensitivities: Array,
    evaluate: Callable[[Array], Array],
    *,
    noises: tuple[float, ...] = (0.05, 0.1, 0.2, 0.4),
    lengths: tuple[float, ...] = (0.25, 0.5, 1.0),
    noise: float = 0.1,
    slack: float = 0.25,
    pull: float = 0.6,
) -> tuple[Array, Array]:
    """Return the best of several corrections of one vector, and its margins; the start if none is better.

    Best is what has the least ``loss + noise^2 |z|^2``: the origin, the centre of the prior, is the anchor.

    Parameters
    ----------
    start : ndarray, shape (p,)
        Where the sensitivities hold, in standard deviations of the prior.
    margins : ndarray, shape (m,)
        What it does.
    sensitivities : ndarray, shape (m, p)
        Derivatives of the margins there.
    evaluate : callable
        Returns the exact margins of vectors, shape (K, p) -> (K, m).
    noises, lengths : tuple of float
        Penalties and shares of the step that are tried, in every combination.
    noise, slack, pull : float
        See :func:`correct`.
    """
    anchor = np.zeros((1, len(start)))
    ends = [
        correct(
            start[None], margins[None], sensitivities, anchors=anchor, noise=n, slack=slack, pull=pull, longest=np.inf
        )[0]
        for n in noises
    ]
    steps = [end - start for end in ends]
    tried = np.array([start + length * step for step in steps for length in lengths])
    exact = evaluate(tried)

    def cost(points: Array, found: Array) -> Array:
        return np.asarray(loss(found, slack=slack, pull=pull) + noise**2 * np.sum(points**2, axis=1))

    costs = cost(tried, exact)
    chosen = int(np.argmin(costs))
    if costs[chosen] >= cost(start[None], margins[None])[0]:
        return start, margins
    return tried[chosen], exact[chosen]


def correct(
    deviations: Array,
    margins: Array,
    sensitivities: Array,
    *,
    anchors: Array | None = None,
    noise: float = 0.1,
    slack: float = 0.1,
    pull: float = _FAR,
    longest: float | Array = 4.0,
    limit: float = 3.0,
    passes: int = 20,
) -> Array:
    """Return the members after one correction.

    Every member moves to where ``|z - anchor|^2 + sum(lacking^2) / noise^2`` is least, with what is lacking
    predicted from its margins and the sensitivities. Without anchors that are kept between corrections, members
    would drift: what can not be met would push all of them the same way in every round.

    Parameters
    ----------
    deviations : ndarray, shape (N, p)
        Members, in standard deviations of the prior.
    margins : ndarray, shape (N, m)
        What each of them does.
    sensitivities : ndarray, shape (m, p)
        Derivatives of the margins; nan counts as 0.
    anchors : ndarray, shape (N, p), optional
        Where the members were drawn; unless given, where they are.
    noise : float
        Shortfall that weighs as much as one standard deviation of movement, above 0.
    slack : float
        See :func:`shortfall`.
    pull : float
        Most that a term may ask of one step: what is far off must not drag everything else along.
    longest : float or ndarray of shape (N,)
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
    if anchors is not None and anchors.shape != deviations.shape:
        raise ParameterError(f"anchors of shape {anchors.shape} do not fit members of shape {deviations.shape}")
    away = np.zeros_like(deviations) if anchors is None else deviations - anchors
    slopes = np.nan_to_num(sensitivities, nan=0.0, posinf=0.0, neginf=0.0)
    products = slopes @ slopes.T
    moved = np.array(deviations, dtype=np.float64)
    bounded = np.clip(np.nan_to_num(margins, nan=-_FAR), slack - pull, _FAR)
    at_anchor = bounded - away @ slopes.T
    for b, most in enumerate(np.broadcast_to(longest, (n,))):
        step = _least(at_anchor[b], slopes, products, noise, slack, passes) - away[b]
        size = float(np.linalg.norm(step))
        moved[b] += step * min(1.0, most / size) if size > 0 else 0.0
    return np.asarray(np.clip(moved, -limit, limit))


def _least(margins: Array, slopes: Array, products: Array, noise: float, slack: float, passes: int) -> Array:
    """Return how far to go from an anchor, which has `margins`, for distance and shortfall to weigh least.

    Newton's method on the terms that lack something: solved for those, looked up again, until the same terms lack
    something as before. The best of the passes is returned should they not settle.
    """
    best, least = np.zeros(slopes.shape[1]), np.inf
    active = margins < slack
    for _ in range(passes):
        within = products[np.ix_(active, active)] + noise**2 * np.eye(int(active.sum()))
        step = slopes[active].T @ np.linalg.solve(within, slack - margins[active])
        there = margins + slopes @ step
        weight = float(step @ step + np.sum(np.maximum(slack - there, 0.0) ** 2) / noise**2)
        if weight < least:
            best, least = step, weight
        lacking = there < slack
        if np.array_equal(lacking, active):
            break
        active = lacking
    return best
