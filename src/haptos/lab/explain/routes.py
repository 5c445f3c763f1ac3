"""Where sources disagree on the route: which route each member takes, and what would decide."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from haptos.conditions.interventions import Intervention
from haptos.lab.audit.mechanism import mechanism_of
from haptos.lab.explain.contrast import Contrast, Simulate, effects, logarithms, readings

if TYPE_CHECKING:
    from haptos.conditions.catalogue import Vocabulary
    from haptos.evidence.claims import Claim, Conflict
    from haptos.evidence.library import Library
    from haptos.signalling.condition import Condition
    from haptos.signalling.steps import Step

__all__ = ["Decider", "Routes", "candidates", "deciders", "routes", "side_cuts"]

Array = NDArray[np.float64]

#: Share of the effect from which a member is said to take a route.
_MAIN = 0.5
#: Difference of the shares from which the ensemble counts as split.
_SPLIT = 0.1
#: Interventions that may decide.
_VERBS = ("inhibit", "knockdown", "knockout", "treat", "neutralise", "block", "overexpress")


@dataclass(frozen=True)
class Routes:
    """How the members of the ensemble divide between two routes.

    Attributes
    ----------
    conflict : Conflict
        The claims that disagree.
    contrast : Contrast
        The effect whose route is asked for.
    cuts : tuple of tuples of str
        What was cut on each side.
    lost : ndarray, shape (M, 2)
        Share of the induced amount (reading of the arm tested minus that of reference) that goes with
        each side, by member.
    shares : mapping of str to float
        Share of the members by route: ``a``, ``b``, ``both`` (either cut takes most), ``either``
        (neither cut alone does).
    """

    conflict: Conflict
    contrast: Contrast
    cuts: tuple[tuple[str, ...], tuple[str, ...]]
    lost: Array
    shares: Mapping[str, float]

    def groups(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the members that lean most to either side; both empty if the ensemble is not split."""
        lean = self.lost[:, 0] - self.lost[:, 1]
        sound = np.flatnonzero(np.isfinite(lean))
        if len(sound) < 4 or float(np.ptp(lean[sound])) < _SPLIT:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        order = sound[np.argsort(-lean[sound], kind="stable")]
        half = max(2, len(order) // 3)
        return order[:half], order[-half:]


@dataclass(frozen=True)
class Decider:
    """An intervention that tells two routes apart.

    Attributes
    ----------
    intervention : Intervention
        What to do, in addition to the arm that shows the effect.
    fold_a, fold_b : float
        What it does to the readout in members that lean to side a and to side b (medians).
    apart : float
        Share of pairs of members, one of each group, that it orders like the medians.
    """

    intervention: Intervention
    fold_a: float
    fold_b: float
    apart: float


def side_cuts(
    conflict: Conflict, claims: Mapping[str, Claim], steps: Mapping[str, Step], vocabulary: Vocabulary
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what belongs to either side alone: the cuts of its mechanisms without those of the other."""
    sides = []
    for names in (conflict.side_a, conflict.side_b):
        found = (mechanism_of(claims[name], steps, vocabulary).cuts for name in names if name in claims)
        sides.append({cut for cuts in found for cut in cuts})
    a, b = sides
    return tuple(sorted(a - b)), tuple(sorted(b - a))


def routes(
    conflict: Conflict,
    contrast: Contrast,
    cuts: tuple[tuple[str, ...], tuple[str, ...]],
    simulate: Simulate,
    members: Array,
) -> Routes:
    """Cut either side in every member and see how much of the effect goes.

    Parameters
    ----------
    conflict : Conflict
        Two sides.
    contrast : Contrast
        The effect whose route is asked for.
    cuts : tuple
        See :func:`side_cuts`.
    simulate : callable
        The cells.
    members : ndarray, shape (M, n_parameters)
        Parameter vectors.
    """
    vectors = np.repeat(members, 3, axis=0)
    changed: dict[str, Array] = {}
    for side, names in enumerate(cuts):
        row = np.ones(3)
        row[1 + side] = 0.0
        changed |= {name: np.tile(row, len(members)) for name in names}
    gap = effects(contrast, simulate, vectors, changed).gap.reshape(len(members), 3)
    with np.errstate(divide="ignore", invalid="ignore"):
        lost = 1.0 - gap[:, 1:] / gap[:, :1]
    kinds = [_kind(a, b) for a, b in lost]
    shares = {kind: kinds.count(kind) / len(kinds) for kind in ("a", "b", "both", "either", "unknown")}
    return Routes(conflict, contrast, cuts, lost, shares)


def _kind(a: float, b: float) -> str:
    if not (np.isfinite(a) and np.isfinite(b)):
        return "unknown"
    if a >= _MAIN and b >= _MAIN:
        return "both"
    return "a" if a >= _MAIN else "b" if b >= _MAIN else "either"


def candidates(library: Library) -> Iterator[Intervention]:
    """Yield the interventions of the library's claims that hit one target, each verb and target once."""
    seen: set[tuple[str, str]] = set()
    for claim in library.claims():
        arms: Iterable[Sequence[Intervention]] = claim.trial.arms.values() if claim.trial is not None else ()
        for step in (step for arm in arms for step in arm if step.verb in _VERBS):
            key = (step.verb, step.target)
            if key not in seen:
                seen.add(key)
                yield step


def deciders(
    found: Routes,
    interventions: Iterable[Intervention],
    expressible: Callable[[Condition], bool],
    simulate: Simulate,
    members: Array,
    *,
    most: int = 3,
) -> tuple[Decider, ...]:
    """Return the interventions whose effect differs most between the two groups of members.

    Parameters
    ----------
    found : Routes
        The groups.
    interventions : iterable of Intervention
        To choose from; each is added to the arm that shows the effect.
    expressible : callable
        Whether a condition can be simulated.
    simulate : callable
        The cells.
    members : ndarray, shape (M, n_parameters)
        Those of :func:`routes`.
    most : int
        How many to return.
    """
    a, b = found.groups()
    if not len(a):
        return ()
    arm, both = found.contrast.test, np.concatenate([a, b])
    steps = [step for step in interventions if step not in arm.interventions]
    tried = [(step, arm.with_changes(interventions=(*arm.interventions, step))) for step in steps]
    tried = [(step, condition) for step, condition in tried if expressible(condition)]
    outcomes = simulate([arm, *(condition for _, condition in tried)], members[both], None)
    below = readings(found.contrast, arm, outcomes[0])
    rows = []
    for (step, condition), outcome in zip(tried, outcomes[1:], strict=True):
        logs = logarithms(readings(found.contrast, condition, outcome), below)
        rows.append(_decider(step, logs[: len(a)], logs[len(a) :]))
    sound = [d for d in rows if np.isfinite(d.fold_a) and np.isfinite(d.fold_b)]
    return tuple(sorted(sound, key=lambda d: -abs(np.log(d.fold_a / d.fold_b)))[:most])


def _decider(step: Intervention, a: Array, b: Array) -> Decider:
    a, b = a[np.isfinite(a)], b[np.isfinite(b)]
    if not len(a) or not len(b):
        return Decider(step, float("nan"), float("nan"), 0.0)
    way = 1.0 if np.median(a) >= np.median(b) else -1.0
    pairs = np.sign(way * (a[:, None] - b[None]))
    apart = float(np.mean(0.5 * (1.0 + pairs)))
    return Decider(step, float(np.exp(np.median(a))), float(np.exp(np.median(b))), apart)
