"""The terms of the calibration: what a parameter vector must reproduce."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from haptos.assays.base import Sample
from haptos.assays.registry import find_assay
from haptos.conditions.experiment import Culture
from haptos.conditions.interventions import AnyIntervention
from haptos.core.located import parse_yaml
from haptos.core.specs import CellDensity, Quantity, Spec, read_spec
from haptos.errors import Status
from haptos.evidence.claims import AnyExpectation
from haptos.evidence.judge import Reading, member_finding
from haptos.signalling.condition import Condition, Outcome

__all__ = ["Term", "calibrated_claims", "load_terms"]

_TIMES = (0.0, 180.0, 360.0, 540.0, 720.0, 1440.0)


class Term(Spec):
    """One term.

    Attributes
    ----------
    record : str
        The record of the quantities it rests on (``rest`` is the requirement that
        unstimulated cells do not change).
    shared_with : tuple of str
        Claims that rest on the same finding: for them the verdict is a fit, not a prediction.
    cells, density, arms
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
    arms: dict[str, tuple[AnyIntervention, ...]] = Field(min_length=1)
    read: tuple[str, ...] = ()
    assays: tuple[str, ...] = ()
    expect: AnyExpectation | None = None
    smallest_fold: float = Field(1.3, gt=1)
    steady_within: Annotated[float, Field(gt=1)] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Term:
        if (self.expect is None) == (self.steady_within is None):
            raise PydanticCustomError("term", "give either 'expect' or 'steady_within'")
        if bool(self.read) == bool(self.assays):
            raise PydanticCustomError("term", "give either 'read' or 'assays'")
        return self

    def met(self, simulated: Callable[[Condition], Outcome]) -> bool:
        """Tell whether the term is met; failed simulations do not meet it.

        Parameters
        ----------
        simulated : callable
            Returns the outcome of a condition.
        """
        if not self.assays:
            readings = {arm: _read(self.read, simulated(self._condition(arm, _TIMES, self.read))) for arm in self.arms}
            return self._met(readings)
        return all(self._met({arm: self._assayed(name, arm, simulated) for arm in self.arms}) for name in self.assays)

    def _met(self, readings: Mapping[str, Reading]) -> bool:
        if not all(np.all(np.isfinite(r.values)) for r in readings.values()):
            return False
        if self.expect is not None:
            return member_finding(self.expect, readings, smallest_fold=self.smallest_fold).holds
        values = np.concatenate([r.values.ravel() for r in readings.values()])
        return bool(values.max() <= (self.steady_within or 1.0) * values.min())

    def _condition(self, arm: str, times: tuple[float, ...], quantities: tuple[str, ...]) -> Condition:
        return Condition(
            cells=self.cells,
            culture=Culture(density=self.density),
            interventions=self.arms[arm],
            fresh_medium=True,
            times=times,
            quantities=quantities,
        )

    def _assayed(self, name: str, arm: str, simulated: Callable[[Condition], Outcome]) -> Reading:
        assay = find_assay(name)
        protocol = assay.protocol(name=name)
        times = tuple(float(t) for t in assay.times(protocol))
        outcome = simulated(self._condition(arm, times, tuple(n.name for n in assay.needs(protocol))))
        if outcome.status is not Status.OK:
            return Reading(np.array(times[-1:]), np.full((1, 1), np.nan))
        sample = Sample(np.array(times), outcome.quantities, outcome.geometry, outcome.parameters)
        values = [float(np.ravel(v.value)[-1]) for v in assay.ideal(sample, protocol)]
        return Reading(np.array(times[-1:]), np.array(values)[:, None])


def _read(names: tuple[str, ...], outcome: Outcome) -> Reading:
    return Reading(np.array(_TIMES), np.array([outcome.quantities[q] for q in names]))


class _File(Spec):
    version: Literal[1]
    terms: tuple[Term, ...]


@cache
def load_terms() -> tuple[Term, ...]:
    """Return the terms of the library.

    Raises
    ------
    SpecError
        If the file is malformed.
    """
    file = resources.files("haptos.library") / "calibration" / "terms.yaml"
    return read_spec(_File, parse_yaml(file.read_text(encoding="utf-8"), name="calibration/terms.yaml")).terms


def calibrated_claims() -> frozenset[str]:
    """Return the claims whose finding entered the calibration."""
    return frozenset(claim for term in load_terms() for claim in term.shared_with)
