"""The effect that is explained: one reading of one arm over that of another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from haptos.assays.base import Sample
from haptos.errors import ParameterError, Status
from haptos.evidence.claims import Compared, Readout
from haptos.lab.judging import reading_of

if TYPE_CHECKING:
    from haptos.evidence.claims import Claim
    from haptos.lab.plan import Plan
    from haptos.signalling.condition import Condition, Outcomes

__all__ = [
    "Contrast",
    "Effects",
    "Simulate",
    "contrast_of_claim",
    "contrast_of_plan",
    "effects",
    "induced",
    "logarithms",
    "readings",
]

Array = NDArray[np.float64]

#: Simulates conditions with parameter vectors, some values of which are changed.
Simulate = Callable[["Sequence[Condition]", Array, "Mapping[str, Array] | None"], "list[Outcomes]"]


@dataclass(frozen=True)
class Contrast:
    """Two arms and what is read of them.

    Attributes
    ----------
    title : str
        What it is about.
    plan : Plan
        The experiment.
    readout : Readout
        What is read; the mean of the logarithms, where it is several things.
    test, reference : Condition
        The arms.
    test_label, reference_label : str
        Their names.
    """

    title: str
    plan: Plan
    readout: Readout
    test: Condition
    reference: Condition
    test_label: str
    reference_label: str

    @property
    def words(self) -> str:
        """What is compared, in words."""
        from haptos.lab.words import readout_text

        what = " and ".join(readout_text(self.readout.measure, of) for of in self.readout.of or ("",))
        return f"{what}: {self.test_label} over {self.reference_label}"


@dataclass(frozen=True)
class Effects:
    """The contrast under several parameter vectors or cuts.

    Attributes
    ----------
    logs : ndarray, shape (B,)
        Logarithm of the quotient of the readings; NaN where it cannot be told.
    below : ndarray, shape (B,)
        Reading of the arm of reference.
    gap : ndarray, shape (B,)
        Reading of the arm tested minus that of reference.
    """

    logs: Array
    below: Array
    gap: Array


def contrast_of_claim(claim: Claim, plan: Plan) -> Contrast:
    """Return the first comparison that a claim makes.

    Raises
    ------
    ParameterError
        If its trial compares no arms.
    """
    expect, trial = claim.expect, claim.trial
    if trial is None or trial.readout is None or expect is None or expect.outcome == "count":
        raise ParameterError(f"{claim.id} has no experiment that could be explained")
    if isinstance(expect, Compared):
        test, reference = expect.pairs()[0]
    else:
        others = [arm for arm in expect.arms() if arm != expect.test[0]] or list(expect.test[1:])
        if not others:
            raise ParameterError(f"{claim.id} compares no arms; there is no effect to explain")
        test, reference = expect.test[0], getattr(expect, "control", others[-1])
    return _contrast(claim.id, plan, trial.readout, test, reference)


def contrast_of_plan(plan: Plan, simulate: Simulate, vector: Array) -> Contrast:
    """Return the first comparison of an experiment, in the first thing that its assay reads.

    Raises
    ------
    ParameterError
        If the experiment has one arm only.
    """
    comparisons = plan.experiment.comparisons
    if not comparisons:
        raise ParameterError("the experiment has one arm only; there is no effect to explain")
    outcome = simulate([plan.arms[0].condition], vector[None], None)[0][0]
    times = np.asarray(plan.arms[0].condition.times, float)
    sample = Sample(times, outcome.quantities, outcome.geometry, outcome.parameters)
    first = plan.assay.ideal(sample, plan.experiment.assay)[0]
    readout = Readout(measure=first.measure, of=(first.of,) if first.of else ())
    title = plan.experiment.title or plan.assay.label
    return _contrast(title, plan, readout, comparisons[0].test, comparisons[0].against)


def induced(contrast: Contrast, claim: Claim) -> Contrast:
    """Return what a claim says is taken away or brought back: its arm of reference over its control."""
    control = getattr(claim.expect, "control", None)
    if control is None or not isinstance(claim.expect, Compared):
        return contrast
    return _contrast(contrast.title, contrast.plan, contrast.readout, claim.expect.pairs()[0][1], control)


def _contrast(title: str, plan: Plan, readout: Readout, test: str, reference: str) -> Contrast:
    conditions = {arm.label: arm.condition for arm in plan.arms}
    return Contrast(title, plan, readout, conditions[test], conditions[reference], test, reference)


def effects(
    contrast: Contrast, simulate: Simulate, vectors: Array, changed: Mapping[str, Array] | None = None
) -> Effects:
    """Return a contrast under parameter vectors.

    Parameters
    ----------
    contrast : Contrast
        The arms.
    simulate : callable
        The cells.
    vectors : ndarray, shape (B, n_parameters)
        Parameter vectors.
    changed : mapping of str to ndarray of shape (B,), optional
        Values that replace those of the vectors, cuts among them.
    """
    test, reference = simulate([contrast.test, contrast.reference], vectors, changed)
    above, below = readings(contrast, contrast.test, test), readings(contrast, contrast.reference, reference)
    with np.errstate(divide="ignore", invalid="ignore"):
        return Effects(logarithms(above, below), below.mean(axis=1), (above - below).mean(axis=1))


def logarithms(above: Array, below: Array) -> Array:
    """Return the mean logarithm of quotients over the entities, shape (B,); nothing over nothing is no change.

    Examples
    --------
    >>> logarithms(np.array([[1.0, 1.0], [0.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 1.0], [0.0, 0.0], [1.0, 1.0]]))
    array([ 0.,  0., nan])
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where((above == 0) & (below == 0), 0.0, np.log(above / below)).mean(axis=1)
    return np.where(np.isfinite(logs), logs, np.nan)


def readings(contrast: Contrast, condition: Condition, outcomes: Outcomes) -> Array:
    """Return what is read, mean over a course, shape (B, n_entities); NaN where the simulation failed."""
    times = np.asarray(condition.times, float)
    sound = [b for b in range(len(outcomes)) if outcomes.status[b] == Status.OK]
    samples = [Sample(times, o.quantities, o.geometry, o.parameters) for o in (outcomes[b] for b in sound)]
    values = contrast.plan.assay.ideal_many(samples, contrast.plan.experiment.assay) if samples else ()
    found = np.full((len(outcomes), max(len(contrast.readout.of), 1)), np.nan)
    for b, read in zip(sound, values, strict=True):
        found[b] = reading_of(read, contrast.readout, times).values.mean(axis=1)
    return found
