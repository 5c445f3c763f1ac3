"""The floor: what members drawn from the prior reach with no calibration, and what signs alone reach."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from haptos.evidence.judge import verdict_of
from haptos.lab.audit.baseline import METHODS, predict_claim

if TYPE_CHECKING:
    from haptos.evidence.claims import Claim
    from haptos.lab.plan import Plan
    from haptos.lab.reproduce import Reproduction
    from haptos.signalling.condition import Outcome

__all__ = ["Floor", "Score", "floor_of", "predicted_by_signs", "prior_fractions", "prior_vectors", "score_margins"]

Array = NDArray[np.float64]

#: Scores vectors: the margin of every planned claim, shape (B, n_claims).
Score = Callable[["Reproduction", Array], Array]


@dataclass(frozen=True)
class Floor:
    """How many claims hold, by what they are held against.

    Attributes
    ----------
    name : str
        ``ensemble``, ``prior``, ``signs, shortest paths`` or ``signs, all walks``.
    claims : int
        Claims with a simulated trial.
    supported : int
        Claims that hold in at least 90 % of the members; for signs: that are predicted.
    rate : float
        Mean share of members in which a claim holds.
    """

    name: str
    claims: int
    supported: int
    rate: float


def prior_vectors(count: int, *, seed: int = 1) -> Array:
    """Return draws of the prior, shape (count, n_parameters): nothing but the table of parameters decides them."""
    from haptos.inference.prior import Prior

    return Prior.of_table().sample(count, seed=seed)


def prior_fractions(whole: Reproduction, count: int, score: Score) -> dict[str, float]:
    """Return for each planned claim the share of prior draws in which it holds; failures do not."""
    if not count:
        return {}
    from haptos.inference.assimilation import met

    held = np.mean(met(score(whole, prior_vectors(count))), axis=0)
    return dict(zip(whole.plans, held.tolist(), strict=True))


def score_margins(threads: int) -> Score:
    """Return the scorer of the model that ships."""
    from haptos.lab.scoring import ClaimScorer

    return lambda whole, vectors: ClaimScorer(whole, threads=threads).margins(vectors)


def floor_of(
    own: Mapping[str, float], prior: Mapping[str, float], signs: Mapping[str, Mapping[str, bool]]
) -> list[Floor]:
    """Return the ensemble beside everything it must beat, over the same claims.

    Parameters
    ----------
    own : mapping of str to float
        Share of the members of the ensemble in which each simulated claim holds.
    prior : mapping of str to float
        Share of prior draws by claim; empty if none were made.
    signs : mapping of str to mapping
        By claim and method, whether signs predict it; empty if they were not asked.
    """
    if not prior and not signs:
        return []
    rows = [_row("ensemble", own)] if own else []
    rows += [_row("prior", {name: prior[name] for name in own if name in prior})] if prior else []
    for method, words in zip(METHODS, ("signs, shortest paths", "signs, all walks"), strict=True):
        if signs:
            rows.append(_row(words, {name: float(signs[name][method]) for name in own if name in signs}))
    return rows


def _row(name: str, held: Mapping[str, float]) -> Floor:
    supported = sum(verdict_of(share) == "supported" for share in held.values())
    return Floor(name, len(held), supported, float(np.mean(list(held.values()))) if held else 0.0)


def predicted_by_signs(
    claims: Sequence[Claim], plans: Mapping[str, Plan], outcomes: Mapping[str, Outcome]
) -> dict[str, Mapping[str, bool]]:
    """Return what signs predict of the claims that have a plan and a simulation that did not fail."""
    from haptos.errors import Status

    found: dict[str, Mapping[str, bool]] = {}
    for claim in claims:
        if claim.id in plans:
            plan = plans[claim.id]
            tried = (outcomes.get(plan.task(arm, member=m).key) for m in plan.members for arm in plan.arms)
            outcome = next((o for o in tried if o is not None and o.status is Status.OK), None)
            found[claim.id] = (
                dict.fromkeys(METHODS, False) if outcome is None else predict_claim(claim, plan, outcome).right
            )
    return found
