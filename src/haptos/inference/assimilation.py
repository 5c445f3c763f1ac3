"""Moving parameter vectors towards bounds they do not meet yet.

Results are *margins*: how far a vector is inside (positive) or outside (negative) the bound of a
term. Each member of an ensemble starts from its own draw of the prior, its *anchor*, and is corrected
by Gauss-Newton steps on what it lacks, penalised by its distance from the anchor (the randomised
maximum likelihood of Oliver, He & Reynolds 1996, with inequalities in place of data). The
sensitivities are those at one point, shared by all members; each step uses the exact margins of the
member, and a step that makes a member worse is taken back and tried again at half its length. What moves
have shown so far corrects the sensitivities by the least change that explains it (secants, Broyden 1965).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from haptos.errors import ParameterError

__all__ = ["approach", "correct", "enough", "informed", "learned", "loss", "met", "shortfall"]

Array = NDArray[np.float64]

#: Margins beyond this (in natural logarithms or shares) say no more than that a term is far off.
_FAR = 2.0
#: Square of the length from which on what was tried is believed; a member's own moves are few, and near.
_RIDGE_TRIED = 10.0
_RIDGE_OWN = 0.3
#: Passes to find the terms that matter.
_PASSES = 20


def shortfall(margins: Array, slack: float | Array) -> Array:
    """Return how much each member lacks of each term, 0 where it has enough; shape of `margins`.

    Parameters
    ----------
    margins : ndarray, shape (N, m)
        Nan (a simulation that failed) counts as far off.
    slack : float or ndarray of shape (m,)
        Margin that is enough, at least 0, for every term or for each: a member on the very bound is not safe, but who
        wants more than a narrow window has room for is driven out of it on the other side (:func:`enough`).
    """
    return np.asarray(np.maximum(slack - _bounded(margins), 0.0))


def enough(slack: float, rooms: Array) -> Array:
    """Return the margin that is enough for each term: `slack`, or half the largest one that it has room for.

    Parameters
    ----------
    slack : float
        What is wanted where there is room, at least 0.
    rooms : ndarray, shape (m,)
        The largest margin of each term; inf without a limit.

    Examples
    --------
    >>> enough(0.25, np.array([np.inf, 0.2])).tolist()
    [0.25, 0.1]
    """
    return np.asarray(np.minimum(slack, 0.5 * rooms))


def _bounded(margins: Array) -> Array:
    return np.asarray(np.clip(np.nan_to_num(margins, nan=-_FAR, posinf=_FAR, neginf=-_FAR), -_FAR, _FAR))


def _finite(sensitivities: Array) -> Array:
    return np.asarray(np.nan_to_num(sensitivities, nan=0.0, posinf=0.0, neginf=0.0))


def met(margins: Array) -> NDArray[np.bool_]:
    """Tell which terms members meet, shape as `margins`; nan (a simulation that failed) does not."""
    return np.asarray(np.nan_to_num(margins, nan=-1.0) >= 0.0)


def loss(margins: Array, *, slack: float | Array = 0.1, pull: float = 0.6) -> Array:
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


def learned(sensitivities: Array, moves: Array, before: Array, after: Array, *, ridge: float) -> Array:
    """Return the sensitivities with the least change that explains what moves did, shape (m, p).

    The change D has the least ``ridge |D|^2 + sum |found - (sensitivities + D) move|^2`` (Frobenius). Broyden's rule
    (Mathematics of Computation 19:577, 1965) is one move and a ridge of 0.

    Parameters
    ----------
    sensitivities : ndarray, shape (m, p)
        Derivatives of the margins; nan counts as 0.
    moves : ndarray, shape (K, p)
        Differences of vectors, in standard deviations of the prior.
    before, after : ndarray, shape (K, m)
        Margins at both ends. Those far off at both ends say nothing.
    ridge : float
        Square of the length of a move from which on it is believed, above 0.

    Raises
    ------
    ParameterError
        If shapes do not fit.
    """
    if moves.shape[1:] != sensitivities.shape[1:] or not before.shape == after.shape == (
        len(moves),
        len(sensitivities),
    ):
        raise ParameterError(
            f"{len(moves)} moves of {moves.shape[1:]} with margins of {before.shape} and {after.shape} do not fit "
            f"sensitivities of {sensitivities.shape}"
        )
    slopes = _finite(sensitivities)
    ends = _bounded(before), _bounded(after)
    silent = (ends[0] == ends[1]) & (np.abs(ends[0]) == _FAR)
    surprise = np.where(silent, 0.0, ends[1] - ends[0] - moves @ slopes.T)
    weights = np.linalg.solve(moves @ moves.T + ridge * np.eye(len(moves)), surprise)
    return np.asarray(slopes + weights.T @ moves)


def approach(
    start: Array,
    margins: Array,
    sensitivities: Array,
    evaluate: Callable[[int, Array], Array],
    *,
    corrections: int = 1,
    noises: tuple[float, ...] = (0.05, 0.1, 0.2, 0.4),
    lengths: tuple[float, ...] = (0.25, 0.5, 1.0),
    noise: float = 0.1,
    slack: float | Array = 0.25,
    pull: float = 0.6,
) -> tuple[Array, Array]:
    """Return the best vector that corrections lead to, and its margins; the start if none is better.

    Every correction tries several steps and takes the one with the least ``loss + noise^2 |z|^2``: the origin, the
    centre of the prior, is the anchor. All that was tried corrects the sensitivities of the next one.

    Parameters
    ----------
    start : ndarray, shape (p,)
        Where the sensitivities hold, in standard deviations of the prior.
    margins : ndarray, shape (m,)
        What it does.
    sensitivities : ndarray, shape (m, p)
        Derivatives of the margins there.
    evaluate : callable
        Returns the exact margins of the vectors of a correction, (number from 0, shape (K, p)) -> shape (K, m).
    corrections : int
        How many at most; they end when twice in a row nothing that was tried is better.
    noises, lengths : tuple of float
        Penalties and shares of the step that are tried, in every combination.
    noise, slack, pull : float
        See :func:`correct`.
    """
    anchor = np.zeros((1, len(start)))
    point, at_point = start, margins
    seen, found = start[None], margins[None]
    failed = 0
    for number in range(corrections):
        slopes = learned(sensitivities, seen - point, np.tile(at_point, (len(seen), 1)), found, ridge=_RIDGE_TRIED)
        ends = [
            correct(
                point[None], at_point[None], slopes, anchors=anchor, noise=n, slack=slack, pull=pull, longest=np.inf
            )[0]
            for n in noises
        ]
        tried = np.array([point + length * (end - point) for end in ends for length in lengths])
        exact = evaluate(number, tried)
        seen, found = np.vstack([seen, tried]), np.vstack([found, exact])
        costs = loss(found, slack=slack, pull=pull) + noise**2 * np.sum(seen**2, axis=1)
        best = int(np.argmin(costs))
        failed = failed + 1 if np.array_equal(seen[best], point) else 0
        if failed == 2:
            break
        point, at_point = seen[best], found[best]
    return point, at_point


def correct(
    deviations: Array,
    margins: Array,
    sensitivities: Array,
    *,
    anchors: Array | None = None,
    own: Sequence[tuple[Array, Array, Array]] = (),
    noise: float = 0.1,
    slack: float | Array = 0.1,
    pull: float = _FAR,
    longest: float | Array = 4.0,
    limit: float = 3.0,
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
    own : sequence of tuple of ndarray
        Steps tried before, each as the moves of all members, shape (N, p), and their margins before and after,
        shape (N, m): the sensitivities of a member are corrected by what its own moves did.
    noise : float
        Shortfall that weighs as much as one standard deviation of movement, above 0.
    slack : float or ndarray of shape (m,)
        See :func:`shortfall`.
    pull : float
        Most that a term may ask of one step: what is far off must not drag everything else along.
    longest : float or ndarray of shape (N,)
        Longest step of a member.
    limit : float
        Largest deviation; members are held inside.

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
    shared = _finite(sensitivities)
    moved = np.array(deviations, dtype=np.float64)
    wanted = np.broadcast_to(np.asarray(slack, dtype=np.float64), (m,))
    bounded = np.clip(np.nan_to_num(margins, nan=-_FAR), wanted - pull, _FAR)
    products = shared @ shared.T
    for b, most in enumerate(np.broadcast_to(longest, (n,))):
        slopes = shared
        if own:
            slopes = learned(shared, *(np.array([step[i][b] for step in own]) for i in range(3)), ridge=_RIDGE_OWN)
            products = slopes @ slopes.T
        step = _least(bounded[b] - slopes @ away[b], slopes, products, noise, wanted) - away[b]
        size = float(np.linalg.norm(step))
        moved[b] += step * min(1.0, most / size) if size > 0 else 0.0
    return np.asarray(np.clip(moved, -limit, limit))


def _least(margins: Array, slopes: Array, products: Array, noise: float, slack: Array) -> Array:
    """Return how far to go from an anchor, which has `margins`, for distance and shortfall to weigh least.

    Newton's method on the terms that lack something: solved for those, looked up again, until the same terms lack
    something as before. The best of the passes is returned should they not settle.
    """
    best, least = np.zeros(slopes.shape[1]), np.inf
    active = margins < slack
    for _ in range(_PASSES):
        within = products[np.ix_(active, active)] + noise**2 * np.eye(int(active.sum()))
        step = slopes[active].T @ np.linalg.solve(within, (slack - margins)[active])
        there = margins + slopes @ step
        weight = float(step @ step + np.sum(np.maximum(slack - there, 0.0) ** 2) / noise**2)
        if weight < least:
            best, least = step, weight
        lacking = there < slack
        if np.array_equal(lacking, active):
            break
        active = lacking
    return best
