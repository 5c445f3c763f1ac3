"""What is simulated for a claim depends on its trial alone: not on its name, nor on what it expects."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

from haptos.evidence.claims import AnyExpectation, Claim, Decrease, Increase, Range
from haptos.evidence.library import load_library
from haptos.lab.reproduce import Reproduction, plan_reproduction
from haptos.lab.run import Bench
from haptos.signalling.condition import Condition
from haptos.store.runs import RunStore


class Willing:
    """Takes every condition and simulates none."""

    def expressibility(self, condition: Condition) -> list[str]:
        return []

    def ensemble_size(self) -> int:
        return 4

    def fingerprint(self) -> str:
        return "willing"

    def preculture(self, condition: Condition) -> str:
        return condition.cells


@cache
def with_trials() -> tuple[Claim, ...]:
    claims = load_library().claims(level="signalling")
    return tuple(c for c in claims if c.expect is not None and c.expect.outcome != "count")


def disguised(claim: Claim, number: int) -> Claim:
    """Return the same trial under another name, with another outcome to expect."""
    assert claim.trial is not None
    first, *others = claim.trial.arms
    other: AnyExpectation = Range(test=(first,), low=1e6)
    if others:
        kind = Decrease if claim.expect is not None and claim.expect.outcome == "increase" else Increase
        other = kind(test=(others[0],), reference=first)
    return claim.model_copy(
        update={"id": f"ZZZ-{number % 100:02d}", "expect": other, "kind": "negative", "source": "own", "note": ""}
    )


def planned(claim: Claim) -> Reproduction:
    return plan_reproduction("x", [claim], Bench(RunStore(Path("unused")), simulator=Willing()), members=2)


def simulated(found: Reproduction) -> list[object]:
    """Return all that decides what is computed, and the reasons where nothing is."""
    plans = [(p.experiment.canonical(), p.tasks, sorted(p.conditions)) for p in found.plans.values()]
    return [plans, list(found.reasons.values())]


def test_name_and_expectation_change_nothing_that_is_simulated() -> None:
    ran: Counter[bool] = Counter()
    for number, claim in enumerate(with_trials()):
        own, other = planned(claim), planned(disguised(claim, number))
        assert simulated(own) == simulated(other), claim.id
        ran[bool(own.plans)] += 1
    assert ran[True] > 150


def test_the_comparison_can_fail() -> None:
    claim = next(c for c in with_trials() if c.trial is not None and planned(c).plans and len(c.trial.arms) > 1)
    assert claim.trial is not None
    fewer = dict(list(claim.trial.arms.items())[:1])
    changed = claim.model_copy(update={"trial": claim.trial.model_copy(update={"arms": fewer})})
    assert simulated(planned(changed)) != simulated(planned(claim))
