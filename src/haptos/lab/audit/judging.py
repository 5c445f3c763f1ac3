"""What an audit finds about one claim."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from haptos.errors import Status
from haptos.evidence.claims import NoChange
from haptos.evidence.judge import Judgement, Reading, judge
from haptos.lab.audit.mechanism import Mechanism, names_mechanism
from haptos.lab.audit.preparing import Prepared, references_of
from haptos.lab.judging import judge_readings, reading_of
from haptos.lab.outcome import Readings, read_all

if TYPE_CHECKING:
    from haptos.evidence.claims import Claim, Readout
    from haptos.lab.plan import Plan
    from haptos.signalling.condition import Outcome

__all__ = ["FINDINGS", "Audited", "audit_one"]

#: What an audit may find, and what it means.
FINDINGS: Mapping[str, str] = {
    "earned": "the verdict turns when the mechanism is cut",
    "vacuous": "the verdict stands without the mechanism",
    "no mechanism": "the claim says what something is or goes with; it names no act that could be cut",
    "no carrier": "no reaction is annotated with the claim, and what it names acts not on the readout: nothing was cut",
    "inconclusive": "most members could not be simulated with the mechanism cut",
    "not audited": "only supported claims with a simulated trial are audited",
}

#: Other reactions that are named.
_TOLD = 4
#: A readout of which less than this is left was cut itself.
_GONE = 0.05
#: A cut that leaves this much of what the lowest arm of the trial leaves took no more than the trial does.
_ALIKE = 0.5


@dataclass(frozen=True)
class Audited:
    """The audit of one claim.

    Attributes
    ----------
    claim : Claim
        The claim.
    finding : str
        One of :data:`FINDINGS`.
    mechanism : Mechanism
        What carries it.
    reason : str
        In words.
    fraction : float
        Share of the members in which the expectation still holds with the cut; NaN without one.
    readout_left : float
        What is left of the readout in the reference arm, median over members; NaN if unknown.
    readout_lowest : float
        What the trial itself leaves of it in its lowest arm, with nothing cut.
    """

    claim: Claim
    finding: str
    mechanism: Mechanism
    reason: str
    fraction: float = math.nan
    readout_left: float = math.nan
    readout_lowest: float = math.nan

    @property
    def coarse(self) -> bool:
        """Whether the cut took the readout itself, which turns nearly any verdict.

        A cut that leaves about as much as what is done to the cells in the trial took no more than that. Claims
        that nothing changes are asked another question: there the readout is meant to go.
        """
        absence = isinstance(self.claim.expect, NoChange)
        more = not self.readout_left >= _ALIKE * self.readout_lowest
        return self.finding == "earned" and not absence and self.readout_left < _GONE and more


def audit_one(prepared: Prepared, outcomes: Mapping[str, Outcome]) -> Audited:
    """Judge one claim with its mechanism cut."""
    claim, mechanism = prepared.claim, prepared.mechanism
    trial, expect = claim.trial, claim.expect
    if prepared.cut is None:
        finding = "no carrier" if names_mechanism(claim) else "no mechanism"
        return Audited(claim, finding, mechanism, FINDINGS[finding])
    if trial is None or trial.readout is None or expect is None or expect.outcome == "count":
        raise ValueError(f"{claim.id} was prepared for an audit but has nothing to judge")
    intact, cut = read_all(prepared.intact, outcomes), read_all(prepared.cut, outcomes)
    left = _left(claim, trial.readout, intact, cut)
    if prepared.absence:
        judgement = _moved(claim, trial.readout, intact, cut)
    else:
        judgement = judge_readings(cut, expect, trial.readout, {label: label for label in prepared.cut.experiment.arms})
    lowest = _lowest(claim, trial.readout, intact)
    if judgement.n_failed > judgement.n_members:
        if len(cut.failures) > len(cut.members):
            return Audited(claim, "inconclusive", mechanism, FINDINGS["inconclusive"], math.nan, left, lowest)
        reason = "without the mechanism there is nothing to read"
        return Audited(claim, "earned", mechanism, reason, 0.0, 0.0, lowest)
    if prepared.looked is not None and not _acts(prepared.looked, outcomes, intact.smallest_fold):
        reason = "what is done to the cells changes nothing in the model that the assay's resolution could show"
        return Audited(claim, "vacuous", mechanism, reason, judgement.fraction, left, lowest)
    if (
        prepared.home is not None
        and judgement.verdict == "supported"
        and _changes_there(prepared.home, claim, outcomes)
    ):
        reason = "in the normal culture of the cells, what is done to them does change the readout"
        return Audited(claim, "earned", mechanism, reason, judgement.fraction, left, lowest)
    finding = "vacuous" if judgement.verdict == "supported" else "earned"
    return Audited(claim, finding, mechanism, _reason(prepared, judgement, left), judgement.fraction, left, lowest)


def _changes_there(home: Plan, claim: Claim, outcomes: Mapping[str, Outcome]) -> bool:
    """Tell whether a claim that nothing changes is contradicted in another culture."""
    if claim.expect is None or claim.trial is None or claim.trial.readout is None or claim.expect.outcome == "count":
        return False
    labels = {label: label for label in home.experiment.arms}
    return judge_readings(read_all(home, outcomes), claim.expect, claim.trial.readout, labels).verdict == "contradicted"


def _reason(prepared: Prepared, judgement: Judgement, left: float) -> str:
    share = f"{100 * judgement.fraction:.0f} %"
    if prepared.absence:
        what = "the readout is unchanged without all that acts on it in"
        return f"{what} {share} of the members; what is done to the cells does reach the model"
    text = f"without the mechanism the expectation holds in {share} of the members"
    if left < _GONE:
        return f"{text}; the cut takes the readout itself"
    others = prepared.mechanism.elsewhere
    if judgement.verdict != "supported" or not others:
        return text
    more = f" and on {len(others) - _TOLD} more" if len(others) > _TOLD else ""
    return f"{text}; the same acts on {', '.join(others[:_TOLD])}{more}, not annotated with the claim"


def _moved(claim: Claim, readout: Readout, intact: Readings, cut: Readings) -> Judgement:
    """Judge whether the readout stays where it is when all that acts on it is cut."""
    references = references_of(claim)
    members = []
    for member in intact.plan.members:
        found: dict[str, Reading] = {}
        for name, readings in (("with", intact), ("without", cut)):
            for arm in (a for a in readings.plan.arms if a.label in references):
                times = np.asarray(arm.condition.times, float)
                found[f"{arm.label} {name}"] = reading_of(readings.members.get((arm.label, member)), readout, times)
        members.append(found)
    unmoved = NoChange(
        test=tuple(f"{r} without" for r in references), references=tuple(f"{r} with" for r in references)
    )
    return judge(unmoved, members, smallest_fold=intact.smallest_fold)


def _left(claim: Claim, readout: Readout, intact: Readings, cut: Readings) -> float:
    """Return the median share of the readout that is left in the first arm of reference."""
    label = references_of(claim)[0]
    pairs = [(_most(intact, label, m, readout), _most(cut, label, m, readout)) for m in intact.plan.members]
    return _median_share(pairs)


def _lowest(claim: Claim, readout: Readout, intact: Readings) -> float:
    """Return the median share of the first arm of reference that is left in the lowest arm, with nothing cut."""
    label = references_of(claim)[0]
    pairs = []
    for member in intact.plan.members:
        arms = [_most(intact, arm.label, member, readout) for arm in intact.plan.arms]
        pairs.append((_most(intact, label, member, readout), min(arms)))
    return _median_share(pairs)


def _most(readings: Readings, label: str, member: int, readout: Readout) -> float:
    """Return the largest value of the readout in an arm; NaN if it was not simulated."""
    arm = next((a for a in readings.plan.arms if a.label == label), None)
    values = readings.members.get((label, member))
    if arm is None or values is None:
        return math.nan
    return float(np.max(reading_of(values, readout, np.asarray(arm.condition.times, float)).values))


def _median_share(pairs: Sequence[tuple[float, float]]) -> float:
    shares = [after / before for before, after in pairs if before > 0 and math.isfinite(after)]
    return float(np.median(shares)) if shares else math.nan


def _acts(plan: Plan, outcomes: Mapping[str, Outcome], fold: float) -> bool:
    """Tell whether the arms differ in any quantity of the model, in most members."""
    changed = []
    for member in plan.members:
        found = [outcomes[plan.task(arm, member=member).key] for arm in plan.arms]
        if all(o.status is Status.OK for o in found):
            changed.append(any(_differ(found[0], other, fold) for other in found[1:]))
    return bool(changed) and float(np.mean(changed)) > 0.5


def _differ(ours: Outcome, theirs: Outcome, fold: float) -> bool:
    for name in set(ours.quantities) & set(theirs.quantities):
        a, b = np.asarray(ours.quantities[name], float), np.asarray(theirs.quantities[name], float)
        if a.shape == b.shape and np.any((a > fold * b) | (b > fold * a)):
            return True
    return False
