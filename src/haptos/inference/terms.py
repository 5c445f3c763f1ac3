"""The terms of the calibration: what a parameter vector must reproduce."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property
from importlib import resources
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from haptos.assays.base import AbstractAssay, Sample
from haptos.assays.registry import find_assay
from haptos.conditions.experiment import Culture
from haptos.conditions.interventions import AnyIntervention
from haptos.core.located import parse_yaml
from haptos.core.specs import CellDensity, Quantity, Spec, read_spec
from haptos.errors import Status
from haptos.evidence.claims import AnyExpectation
from haptos.evidence.judge import Finding, Reading, member_finding, widest_margin
from haptos.signalling.condition import Condition, Outcome, Outcomes

__all__ = ["Term", "calibrated_claims", "load_terms"]

_TIMES = (0.0, 180.0, 360.0, 540.0, 720.0, 1440.0)


class Term(Spec):
    """One term.

    Attributes
    ----------
    record : str
        The record of the quantities it rests on (``rest``, ``viability``, ``etoposide`` and ``message`` are the
        requirements that unstimulated cells do not change, that few of them die, that a drug kills some in a day and
        leaves some, and that the mRNA of cyclin D1 stays without Rac1).
    shared_with : tuple of str
        Claims that rest on the same finding: for them the verdict is a fit, not a prediction.
    cells, density, coating, arms
        The condition; sampled over 24 h in fresh medium.
    read : tuple of str
        Model quantities; all must meet the expectation.
    assays : tuple of str
        Assays with their default protocols, instead of `read`; each must meet the expectation.
    expect : expectation or None
        As in claims.
    smallest_fold : float
        Smallest fold change that counts.
    steady_within : float or None
        Largest ratio of maximum to minimum over the time course.
    """

    record: str
    shared_with: tuple[str, ...] = ()
    cells: str
    density: CellDensity = Quantity(5e-7, "cell density", "5e5 / mL")
    coating: str = Culture().coating
    arms: dict[str, tuple[AnyIntervention, ...]] = Field(min_length=1)
    read: tuple[str, ...] = ()
    assays: tuple[str, ...] = ()
    expect: AnyExpectation | None = None
    smallest_fold: float = Field(1.3, gt=1)
    steady_within: Annotated[float, Field(gt=1)] | None = None

    @property
    def name(self) -> str:
        """What tells the term from the others: its record and its cells."""
        return f"{self.record} of {self.cells}"

    @model_validator(mode="after")
    def _one_kind(self) -> Term:
        if (self.expect is None) == (self.steady_within is None):
            raise PydanticCustomError("term", "give either 'expect' or 'steady_within'")
        if bool(self.read) == bool(self.assays):
            raise PydanticCustomError("term", "give either 'read' or 'assays'")
        return self

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """What is simulated: every arm, once for each assay."""
        if self.read:
            return tuple(self._condition(arm, _TIMES, self.read) for arm in self.arms)
        return tuple(
            self._condition(arm, _times(assay), tuple(n.name for n in assay.needs(assay.protocol(name=assay.name))))
            for assay in map(find_assay, self.assays)
            for arm in self.arms
        )

    def met(self, simulated: Callable[[Condition], Outcome]) -> bool:
        """Tell whether the term is met; failed simulations do not meet it.

        Parameters
        ----------
        simulated : callable
            Returns the outcome of a condition.
        """
        return bool(self.met_each([Outcomes.stacked([simulated(c)]) for c in self.conditions])[0])

    def met_each(self, outcomes: Sequence[Outcomes]) -> NDArray[np.bool_]:
        """Tell for every parameter vector whether the term is met, shape (B,).

        Parameters
        ----------
        outcomes : sequence of Outcomes
            In the order of :attr:`conditions`.
        """
        return np.array([f.holds for f in self._findings(outcomes)], dtype=bool)

    def margins_each(self, outcomes: Sequence[Outcomes]) -> NDArray[np.float64]:
        """Return for every parameter vector how far inside its bound the term is, shape (B,).

        As :attr:`haptos.evidence.judge.Finding.margin`; nan where a simulation failed.
        """
        return np.array([f.margin for f in self._findings(outcomes)])

    @property
    def room(self) -> float:
        """The largest margin that the term has room for; inf without a limit."""
        if self.expect is not None:
            return widest_margin(self.expect, self.smallest_fold)
        return math.log(self.steady_within or 1.0)

    def _findings(self, outcomes: Sequence[Outcomes]) -> list[Finding]:
        """Return the least favourable finding of every vector over the assays of the term."""
        worst: list[Finding] = [Finding(holds=True, effect=math.nan, margin=math.inf)] * len(outcomes[0])
        for group, assay in enumerate(self.assays or (None,)):
            own = outcomes[group * len(self.arms) : (group + 1) * len(self.arms)]
            times = np.array(_TIMES) if assay is None else np.array(_times(find_assay(assay))[-1:])
            courses = [self._courses(found, assay) for found in own]
            for b, before in enumerate(worst):
                readings = {arm: Reading(times, c[b]) for arm, c in zip(self.arms, courses, strict=True)}
                found = self._finding(readings)
                if not (found.margin >= before.margin and found.holds >= before.holds):
                    worst[b] = found
        return worst

    def _finding(self, readings: Mapping[str, Reading]) -> Finding:
        if not all(np.all(np.isfinite(r.values)) for r in readings.values()):
            return Finding(holds=False, effect=math.nan)
        if self.expect is not None:
            return member_finding(self.expect, readings, smallest_fold=self.smallest_fold)
        values = np.concatenate([r.values.ravel() for r in readings.values()])
        low, high = float(values.min()), float(values.max())
        limit = self.steady_within or 1.0
        margin = math.log(limit) - math.log(high / low) if low > 0 else -math.inf
        return Finding(high <= limit * low, high / low if low > 0 else math.inf, margin)

    def _condition(self, arm: str, times: tuple[float, ...], quantities: tuple[str, ...]) -> Condition:
        return Condition(
            cells=self.cells,
            culture=Culture(density=self.density, coating=self.coating),
            interventions=self.arms[arm],
            fresh_medium=True,
            times=times,
            quantities=quantities,
        )

    def _courses(self, outcomes: Outcomes, assay: str | None) -> NDArray[np.float64]:
        """Return what is read of one arm, shape (B, n_read, n_times); NaN where the simulation failed."""
        if assay is None:
            return np.stack([outcomes.quantities[q] for q in self.read], axis=1)
        found = find_assay(assay)
        protocol = found.protocol(name=assay)
        times = np.array(_times(found))
        sound = [b for b in range(len(outcomes)) if outcomes.status[b] == Status.OK]
        single = (outcomes[b] for b in sound)
        samples = [Sample(times, o.quantities, o.geometry, o.parameters) for o in single]
        values = found.ideal_many(samples, protocol) if samples else []
        rows = np.full((len(outcomes), len(values[0]) if samples else 1, 1), np.nan)
        for b, read in zip(sound, values, strict=True):
            rows[b, :, 0] = [float(np.ravel(v.value)[-1]) for v in read]
        return rows


def _times(assay: AbstractAssay) -> tuple[float, ...]:
    """Return when an assay with its default protocol samples [min]."""
    return tuple(float(t) for t in assay.times(assay.protocol(name=assay.name)))


class _File(Spec):
    version: Literal[1]
    terms: tuple[Term, ...]

    @model_validator(mode="after")
    def _unique(self) -> _File:
        names = [term.name for term in self.terms]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise PydanticCustomError("term", "stands twice: {names}", {"names": ", ".join(twice)})
        return self


@cache
def load_terms() -> tuple[Term, ...]:
    """Return the terms of the library.

    Raises
    ------
    SpecError
        If the file is malformed.
    """
    file = resources.files("haptos.library") / "calibration" / "terms.yaml"
    return read_spec(
        _File, parse_yaml(file.read_text(encoding="utf-8"), name="calibration/terms.yaml", keep=True)
    ).terms


def calibrated_claims() -> frozenset[str]:
    """Return the claims whose finding entered the calibration: of its terms, and those its outcome lists."""
    outcome = resources.files("haptos.library") / "ensemble" / "calibration.json"
    listed = json.loads(outcome.read_text(encoding="utf-8")).get("calibrated_claims", ())
    return frozenset([*listed, *(claim for term in load_terms() for claim in term.shared_with)])
