"""What the literature says about the comparisons of an experiment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from haptos.assays.masses import protein_of
from haptos.core.units import Quantity
from haptos.evidence.claims import Claim, Compared, Count, Varies
from haptos.lab.judging import is_quotient, judge_readings, latest_time, reason_of
from haptos.lab.trials import Match, experiment_of, match_arms, same_culture

if TYPE_CHECKING:
    from haptos.evidence.claims import AnyExpectation as Simulated
    from haptos.evidence.claims import Readout, Trial
    from haptos.evidence.library import Library
    from haptos.lab.outcome import Readings

__all__ = ["Finding", "look_up"]


@dataclass(frozen=True)
class Finding:
    """One claim that an experiment also tests, and whether the simulation agrees.

    Attributes
    ----------
    claim : str
        Identifier.
    test, against : str
        Arms of the experiment that stand for those of the claim.
    measure, of : str
        What was read.
    outcome : str
        Kind of outcome published: ``increase``, ``decrease``, ...
    published : str
        The claim in a sentence.
    source, doi : str
        Citation.
    verdict : str
        ``supported``, ``contradicted`` or ``undecided``.
    fraction : float or None
        Share of the ensemble members in which the published outcome holds.
    reason : str
        Why, in a few words.
    caveats : tuple of str
        In what the experiment differs from that of the claim.
    conflicts : tuple of str
        Conflict groups of the claim.
    """

    claim: str
    test: str
    against: str
    measure: str
    of: str
    outcome: str
    published: str
    source: str
    doi: str
    verdict: str
    fraction: float | None
    reason: str
    caveats: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()

    def row(self) -> dict[str, Any]:
        """Return the finding as a row of a table."""
        from dataclasses import asdict

        return {**asdict(self), "caveats": "; ".join(self.caveats), "conflicts": ", ".join(self.conflicts)}


def look_up(readings: Readings, library: Library | None = None) -> tuple[Finding, ...]:
    """Find the claims whose trial an experiment repeats, and judge them by it.

    Parameters
    ----------
    readings : Readings
        The experiment as simulated over the ensemble.
    library : Library, optional
        The claims; the default is the shipped library.
    """
    from haptos.evidence.library import load_library

    known = library or load_library()
    return tuple(_findings(readings, known))


def _findings(readings: Readings, library: Library) -> Iterator[Finding]:
    from haptos.evidence.wording import sentence

    sources = {s.id: s for s in library.sources}
    for claim in _candidates(readings, library):
        found = _restricted(claim, readings)
        if found is None:
            continue
        readout, expect, match = found
        judgement = judge_readings(readings, expect, readout, match.arms)
        test, against = _pair(expect, match)
        source = sources.get(claim.source)
        yield Finding(
            claim=claim.id,
            test=test,
            against=against,
            measure=readout.measure,
            of=", ".join(readout.of),
            outcome=expect.outcome,
            published=sentence(claim, library.vocabulary),
            source=source.cite() if source is not None else claim.source,
            doi=(source.doi or "") if source is not None else "",
            verdict=judgement.verdict,
            fraction=judgement.fraction,
            reason=reason_of(judgement, readings.smallest_fold),
            caveats=_caveats(claim, match, readings, whole=expect == claim.expect),
            conflicts=claim.conflicts,
        )


def _candidates(readings: Readings, library: Library) -> Iterator[Claim]:
    """Return the claims that read what the experiment reads, in the same surroundings."""
    offered: dict[str, set[str]] = {}
    for measure, of in readings.readouts:
        offered.setdefault(measure, set()).update({of, protein_of(of)})
    for measure, entities in offered.items():
        for entry in library.claim_records(f"measure: {measure}").entries:
            claim = entry.record
            if claim.trial is None or claim.trial.readout is None or isinstance(claim.expect, Count):
                continue
            readout = claim.trial.readout
            same_assay = claim.trial.assay == readings.plan.assay.name
            reads_same = readout.measure == measure and (set(readout.of) <= entities if readout.of else same_assay)
            if (
                reads_same
                and _reads_enough(claim, readout, readings)
                and same_culture(readings.plan.experiment.culture, claim.trial.culture)
            ):
                yield claim


def _reads_enough(claim: Claim, readout: Readout, readings: Readings) -> bool:
    """Tell whether an experiment also reads what a claim divides by, and over time where the claim does."""
    plan = readings.plan
    if is_quotient(readout) and not set(readout.over) <= {of for _, of in readings.readouts}:
        return False
    asked = latest_time(claim.expect)
    course = readout.summary == "endpoint" or getattr(plan.experiment.assay, "every", None) is not None
    return course and (asked is None or asked.value <= plan.arms[0].condition.times[-1])


def _restricted(claim: Claim, readings: Readings) -> tuple[Readout, Simulated, Match] | None:
    """Return readout and expectation narrowed to the arms at hand, or None if no part can be tested."""
    trial, expect = claim.trial, claim.expect
    if trial is None or trial.readout is None or expect is None or isinstance(expect, Count):
        return None
    match = match_arms(readings.plan.experiment, trial, expect.arms())
    missing = [arm for arm in expect.arms() if arm not in match.arms]
    if not missing:
        return trial.readout, expect, match
    if not isinstance(expect, Compared) or isinstance(expect, Varies):
        return None
    pairs = [(t, r) for t, r in expect.pairs() if t in match.arms and r in match.arms]
    if not pairs or any(arm not in {a for pair in expect.pairs() for a in pair} for arm in missing):
        return None
    changes: dict[str, Any] = {"test": tuple(t for t, _ in pairs)}
    if expect.references:
        changes["references"] = tuple(r for _, r in pairs)
    return trial.readout, expect.with_changes(**changes), match


def _pair(expect: Simulated, match: Match) -> tuple[str, str]:
    """Return the first tested arm and what it is held against, in the words of the experiment."""
    if isinstance(expect, Compared):
        test, reference = expect.pairs()[0]
        return match.arms[test], match.arms[reference]
    names = [match.arms[arm] for arm in expect.arms()]
    return names[0], names[-1] if len(names) > 1 else ""


def _caveats(claim: Claim, match: Match, readings: Readings, *, whole: bool) -> tuple[str, ...]:
    """Say in what the experiment differs from that of the claim."""
    found = []
    if not match.same_cells and claim.trial is not None:
        found.append(f"the source used {claim.trial.cells}")
    if not match.same_amounts:
        found.append("amounts or times differ from the claim's")
    if claim.trial is not None:
        found += _protocol_caveats(claim.trial, readings)
    if not whole:
        found.append("only part of the claim's arms are here")
    return tuple(found)


def _protocol_caveats(trial: Trial, readings: Readings) -> list[str]:
    """Say in what the protocol differs from the one the claim's own trial is run with."""
    plan = readings.plan
    if trial.assay != plan.assay.name:
        return [f"the source used {trial.assay.replace('_', ' ')}"]
    ours, theirs = plan.experiment.assay, experiment_of(trial, {plan.assay.name: plan.assay}).assay
    return [
        f"{name.replace('_', ' ')} {getattr(ours, name)} here, {getattr(theirs, name)} in the claim's own trial"
        for name in type(ours).model_fields
        if isinstance(getattr(ours, name), Quantity) and getattr(ours, name) != getattr(theirs, name)
    ]
