"""Hold an expectation against what an experiment read over the parameter ensemble."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from haptos.assays.base import Value
from haptos.assays.masses import protein_of
from haptos.evidence.claims import Sustained, Transient
from haptos.evidence.judge import MEASURES, Judgement, Reading, judge
from haptos.lab.summaries import TWO_COURSES, delays, relative_to, summarised

if TYPE_CHECKING:
    from haptos.core.units import Quantity
    from haptos.evidence.claims import AnyExpectation, Count, Readout
    from haptos.lab.outcome import Readings

__all__ = ["is_quotient", "judge_readings", "latest_time", "reading_of", "reason_of"]

Array = NDArray[np.float64]


def judge_readings(
    readings: Readings, expectation: AnyExpectation, readout: Readout, arms: Mapping[str, str]
) -> Judgement:
    """Judge an expectation on the noise-free values of the ensemble.

    Parameters
    ----------
    readings : Readings
        The experiment.
    expectation : expectation
        In terms of the arms of a trial.
    readout : Readout
        What the trial reads.
    arms : mapping of str to str
        Arm of the trial to arm of the experiment.
    """
    plan = readings.plan
    times = {arm.label: np.asarray(arm.condition.times, float) for arm in plan.arms}
    members = [
        {
            theirs: reading_of(readings.members.get((ours, member)), readout, times[ours])
            for theirs, ours in arms.items()
        }
        for member in plan.members
    ]
    return judge(expectation, members, smallest_fold=readings.smallest_fold)


def reason_of(judgement: Judgement, smallest_fold: float) -> str:
    """Return why the verdict is what it is, in a few words."""
    from haptos.lab.words import number

    spread = f"{number(judgement.low)} to {number(judgement.high)}"
    text = f"{judgement.measure} {number(judgement.effect)} ({spread})"
    if judgement.measure == "fold change":
        text += f"; resolved from {number(smallest_fold)}"
    if judgement.n_without:
        what = "no gap to close" if judgement.measure == MEASURES["restored"] else "nothing induced to abolish"
        text += f"; {what} (resolved from {number(smallest_fold)}) in {judgement.n_without} members"
    if judgement.n_failed:
        text += f"; {judgement.n_failed} of {judgement.n_members + judgement.n_failed} members failed"
    return text


def reading_of(values: Sequence[Value] | None, readout: Readout, times: Array) -> Reading:
    """Return what one arm reads in one member; NaN where it could not be simulated."""
    names = readout.of or ("",)
    if values is None:
        return Reading(times[-1:], np.full((len(names), 1), np.nan))
    rows = np.array([_series(values, readout.measure, name) for name in names])
    if readout.summary == TWO_COURSES:
        rows = delays(rows, np.sum([_below(values, readout, name) for name in readout.over], axis=0), times)
    elif is_quotient(readout):
        below = np.sum([_below(values, readout, name) for name in readout.over], axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            rows = rows / below
    if readout.since is not None:
        rows = relative_to(rows, readout.since.value, times)
    rows = summarised(rows, readout.summary, times)
    return Reading(times if rows.shape[1] > 1 else times[-1:], rows)


def latest_time(expectation: AnyExpectation | Count | None) -> Quantity | None:
    """Return the time after the start of the assay that an expectation speaks of; None if of none."""
    if isinstance(expectation, Transient):
        return expectation.back_by
    return expectation.until if isinstance(expectation, Sustained) else None


def is_quotient(readout: Readout) -> bool:
    """Tell whether the readout is divided by another; phosphorylation over its own protein is one by itself."""
    own = readout.measure == "phosphorylation" and set(readout.over) <= {protein_of(name) for name in readout.of}
    return bool(readout.over) and not own


def _series(values: Sequence[Value], measure: str, of: str) -> Array:
    """Return the values of one entity over time, shape (n_times,) or (1,)."""
    exact = [v for v in values if v.measure == measure and v.of == of]
    near = [v for v in values if v.measure == measure and (not of or protein_of(v.of) == of)]
    for value in (*exact, *near):
        return np.atleast_1d(np.asarray(value.value, float))
    return np.full(1, np.nan)


def _below(values: Sequence[Value], readout: Readout, name: str) -> Array:
    """Return what a readout is divided by: in the same measure, or in the other one that was read of it.

    The second is for what is read beside it: an active epitope over all receptors.
    """
    same = any(v.measure == readout.measure and v.of == name for v in values) and name not in readout.of
    others = [v.measure for v in values if v.of == name and v.measure != readout.measure]
    return _series(values, readout.measure if same or not others else others[0], name)
