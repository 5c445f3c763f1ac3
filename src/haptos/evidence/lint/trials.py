"""Rules on the experiments of claims: assay, measure, arms, comparison, level, place in the source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, final

from haptos.conditions.interventions import Scan
from haptos.core.records import Entry
from haptos.errors import Issue
from haptos.evidence import claims as said
from haptos.evidence.claims import Claim
from haptos.evidence.library import Library
from haptos.evidence.lint.rule import Rule

__all__ = ["Comparisons", "LevelFitsRoom", "Located", "MeasureOfAssay", "UsedArms"]

_LEVELS = {"signalling": 0, "mechanics": 1, "tissue": 2, "organism": 3}
_ROOMS = {"library": 0, "signalling": 0, "motility": 1, "tissue": 2, "host": 3}


@final
class MeasureOfAssay(Rule):
    """A readout is a measure of its assay; only checks of the library have none."""

    id = "measure-of-assay"

    def check(self, library: Library) -> Iterator[Issue]:
        """Yield readouts that the assay cannot report, missing readouts and misplaced counts."""
        for entry in library.claim_records().entries:
            trial, expect = entry.record.trial, entry.record.expect
            assay = library.vocabulary.assays.get(trial.assay) if trial is not None else None
            if trial is None or assay is None:
                continue
            name, counted = entry.record.id, isinstance(expect, said.Count)
            if counted != (assay.room == "library"):
                message = f"{name}: a count belongs to a check of the library, and such a check counts"
                yield self.issue(message, entry.where("trial", "assay"))
            elif trial.readout is None and not counted:
                yield self.issue(f"{name}: the trial has no readout", entry.where("trial"))
            elif trial.readout is not None and trial.readout.measure not in {m.id for m in assay.measures}:
                message = f"{name}: {trial.assay} does not report {trial.readout.measure!r}"
                allowed = ", ".join(m.id for m in assay.measures)
                yield self.issue(message, entry.where("trial", "readout", "measure"), allowed=allowed)


@final
class Comparisons(Rule):
    """An expectation can fail: it compares different arms, or has a bound, or scans an amount."""

    id = "comparisons"

    def check(self, library: Library) -> Iterator[Issue]:
        """Yield expectations that compare nothing."""
        for entry in library.claim_records().entries:
            if entry.record.trial is None or entry.record.expect is None:
                continue
            for problem in _empty(entry.record):
                yield self.issue(f"{entry.record.id}: {problem}", entry.where("expect"))


def _empty(claim: Claim) -> Iterator[str]:
    expect: Any = claim.expect
    arms: Any = claim.trial.arms if claim.trial is not None else {}
    match expect:
        case said.Range() | said.Ratio() | said.Count() if expect.low is None and expect.high is None:
            yield f"the {expect.outcome} has neither a lower nor an upper bound"
        case said.Range(low=float(low), high=float(high)) | said.Ratio(low=float(low), high=float(high)) if low > high:
            yield f"the lower bound {low:g} is above the upper bound {high:g}"
        case said.Count(low=float(low), high=float(high)) if low > high:
            yield f"the lower bound {low:g} is above the upper bound {high:g}"
        case said.Biphasic() if len(expect.test) < 3:
            missing = [arm for arm in expect.test if not any(isinstance(step, Scan) for step in arms[arm])]
            if missing:
                yield f"nothing is scanned in {', '.join(missing)}; list three or more arms, or scan an amount in one"
    pairs = list(expect.pairs()) if isinstance(expect, said.Compared) else []
    if isinstance(expect, said.Synergy):
        pairs = [(arm, other) for arm in expect.test for other in (*expect.parts, expect.control)]
    if isinstance(expect, said.Graded | said.Biphasic):
        pairs = list(zip(expect.test[1:], expect.test[:-1], strict=True))
    control = getattr(expect, "control", None)
    if control is not None and isinstance(expect, said.Compared):
        pairs += [(reference, control) for _, reference in expect.pairs()]
    for arm, other in dict.fromkeys(pairs):
        if arm == other:
            yield f"the arm {arm!r} is compared with itself"
        elif arms[arm] == arms[other]:
            yield f"the arms {arm!r} and {other!r} do the same"


@final
class UsedArms(Rule):
    """Every arm of a trial is named by the expectation; others would be simulated for nothing."""

    id = "used-arms"
    severity = "warning"

    def check(self, library: Library) -> Iterator[Issue]:
        """Yield arms that the expectation does not name."""
        for entry in library.claim_records().entries:
            trial, expect = entry.record.trial, entry.record.expect
            if trial is None or expect is None:
                continue
            for arm in trial.arms:
                if arm not in expect.arms():
                    message = f"{entry.record.id}: the expectation does not use the arm {arm!r}"
                    yield self.issue(message, entry.where("trial", "arms", arm))


@final
class LevelFitsRoom(Rule):
    """The level of a claim reaches up to the room of its assay.

    Rooms from small to large: library and signalling, motility, tissue, host. An assay one room
    above the level is a warning (the level of such a claim is a matter of taste), more is an error.
    Claims without a trial have the level ``none``, and only they.
    """

    id = "level-fits-room"

    def check(self, library: Library) -> Iterator[Issue]:
        """Yield claims whose assay needs more than their level."""
        for entry in library.claim_records().entries:
            claim = entry.record
            if (claim.level == "none") != (claim.trial is None):
                there = "no" if claim.trial is None else "a"
                yield self.issue(f"{claim.id}: level {claim.level!r}, but there is {there} trial", entry.where("level"))
            elif claim.trial is not None and claim.trial.assay in library.vocabulary.assays:
                yield from self._compare(entry, library.vocabulary.assays[claim.trial.assay].room)

    def _compare(self, entry: Entry[Claim], room: str) -> Iterator[Issue]:
        claim = entry.record
        gap = _ROOMS[room] - _LEVELS[claim.level]
        if gap > 0 and claim.trial is not None:
            message = f"{claim.id}: level {claim.level}, but {claim.trial.assay} belongs to the room {room}"
            found = self.issue(message, entry.where("level"))
            yield replace(found, severity="error" if gap > 1 else "warning")


@final
class Located(Rule):
    """Line ranges run forwards and lie inside the source."""

    id = "located"

    def check(self, library: Library) -> Iterator[Issue]:
        """Yield line ranges that cannot be."""
        lengths = {e.record.id: e.record.line_count for e in library.source_records.entries}
        for entry in library.claim_records().entries:
            claim = entry.record
            end = lengths.get(claim.source)
            for i, (first, last) in enumerate(claim.lines):
                if not 1 <= first <= last or (end is not None and last > end):
                    allowed = f"1 to {end}" if end is not None else "from 1 upwards"
                    message = f"{claim.id}: lines {first} to {last} are not in {claim.source}"
                    yield self.issue(message, entry.where("lines", i), allowed=allowed)
