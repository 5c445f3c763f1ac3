"""The simulations of an audit: each supported claim with its mechanism cut."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from haptos.evidence.claims import Compared, NoChange
from haptos.lab.audit.mechanism import Mechanism, mechanism_of
from haptos.lab.plan import PlannedArm, condition_of

if TYPE_CHECKING:
    from haptos.conditions.catalogue import Vocabulary
    from haptos.evidence.claims import Claim
    from haptos.lab.audit.anatomy import Anatomy
    from haptos.lab.plan import Plan
    from haptos.signalling.steps import Step

__all__ = ["Prepared", "prepare", "references_of"]

#: Members for what is only looked at, not judged.
LOOK = 16


@dataclass(frozen=True)
class Prepared:
    """One claim, ready for its audit.

    Attributes
    ----------
    claim : Claim
        The claim.
    mechanism : Mechanism
        What carries it.
    intact : Plan
        Its trial: over all members where `absence`, else over a few.
    cut : Plan or None
        Its trial with the mechanism cut, over all members; None if nothing can be cut.
        For absence the arms of reference only, with everything cut that acts on the readout.
    absence : bool
        Whether the claim is that nothing changes.
    looked : Plan or None
        For absence: the trial with everything read, over a few members.
    home : Plan or None
        For absence in another culture than the cells' own: the trial in that, over a few members.
    """

    claim: Claim
    mechanism: Mechanism
    intact: Plan
    cut: Plan | None
    absence: bool = False
    looked: Plan | None = None
    home: Plan | None = None

    @property
    def plans(self) -> Iterator[Plan]:
        """What is simulated."""
        if self.cut is not None:
            yield from (plan for plan in (self.intact, self.cut, self.looked, self.home) if plan is not None)


def prepare(
    claims: Sequence[Claim], plans: Mapping[str, Plan], anatomy: Anatomy, vocabulary: Vocabulary
) -> tuple[Prepared, ...]:
    """Return the audits of the claims that have a plan."""
    return tuple(_prepared(claim, plans[claim.id], anatomy, vocabulary) for claim in claims if claim.id in plans)


def references_of(claim: Claim) -> tuple[str, ...]:
    """Return the arms that a claim compares with; without any, those it tests."""
    expect = claim.expect
    if isinstance(expect, Compared):
        return tuple(dict.fromkeys(reference for _, reference in expect.pairs()))
    return () if expect is None or expect.outcome == "count" else (getattr(expect, "control", None) or expect.test[0],)


def _prepared(claim: Claim, plan: Plan, anatomy: Anatomy, vocabulary: Vocabulary) -> Prepared:
    steps: dict[str, Step] = {}
    readouts: dict[str, Step] = {}
    for arm in plan.arms:
        for step in anatomy.steps(arm.condition).values():
            steps[step.id] = _joined(steps.get(step.id), step)
        readouts |= anatomy.readouts(condition_of(plan.experiment, arm.label, plan.assay))
    mechanism = mechanism_of(claim, steps, vocabulary, readouts)
    few = replace(plan, members=plan.members[:LOOK])
    if isinstance(claim.expect, NoChange):
        cut = _without_inputs(claim, plan, anatomy)
        looked, home = _reading_all(few, anatomy), _at_home(few, anatomy)
        return Prepared(claim, mechanism, plan, cut, absence=True, looked=looked, home=home)
    if not mechanism.cuts:
        return Prepared(claim, mechanism, few, None)
    return Prepared(claim, mechanism, few, _with_cuts(plan, mechanism.cuts))


def _joined(known: Step | None, step: Step) -> Step:
    """Return a reaction with all that acts on it in any arm: cells differ in what they hold."""
    if known is None:
        return step
    acting = {
        name: known.acting.get(name, frozenset()) | step.acting.get(name, frozenset())
        for name in (*known.acting, *step.acting)
    }
    return replace(step, acting=acting, turned=tuple(dict.fromkeys((*known.turned, *step.turned))))


def _with_cuts(plan: Plan, cuts: tuple[str, ...]) -> Plan:
    arms = tuple(PlannedArm(a.label, a.condition.with_changes(cuts=cuts)) for a in plan.arms)
    return replace(plan, arms=arms)


def _without_inputs(claim: Claim, plan: Plan, anatomy: Anatomy) -> Plan:
    """Return the arms of reference with everything cut that acts on what their assay reads."""
    arms = []
    for arm in plan.arms:
        if arm.label in references_of(claim):
            own = condition_of(plan.experiment, arm.label, plan.assay, plan.contexts).quantities
            cuts = anatomy.inputs(arm.condition.with_changes(quantities=own))
            arms.append(PlannedArm(arm.label, arm.condition.with_changes(cuts=cuts)))
    return replace(plan, arms=tuple(arms))


def _reading_all(plan: Plan, anatomy: Anatomy) -> Plan:
    return replace(
        plan,
        arms=tuple(
            PlannedArm(a.label, a.condition.with_changes(quantities=anatomy.quantities(a.condition))) for a in plan.arms
        ),
    )


def _at_home(plan: Plan, anatomy: Anatomy) -> Plan | None:
    arms = tuple(PlannedArm(a.label, anatomy.at_home(a.condition)) for a in plan.arms)
    return None if arms == plan.arms else replace(plan, arms=arms)
