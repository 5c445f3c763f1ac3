"""The experiment of one record: its conditions, simulated when first asked for, and the numbers read from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from haptos.assays.base import AbstractAssay, Sample
from haptos.assays.registry import find_assay
from haptos.conditions.interventions import SwapCells
from haptos.core.hashing import content_hash
from haptos.core.units import MOLECULES
from haptos.lab.simulator import Simulator
from haptos.lab.validation.courses import number_of, threshold
from haptos.lab.validation.specs import Check, Series, Validation, arms_of
from haptos.signalling.condition import Condition, Outcomes, Population

__all__ = ["RecordBench", "assay_of"]

Array = NDArray[np.float64]


class RecordBench:
    """The experiment of one record.

    Parameters
    ----------
    validation : Validation
        How the record is checked.
    population : sequence of Population
        Members of the ensemble.
    simulator : Simulator
        Simulates the cells.
    kept : dict
        Outcomes by the hash of their condition; shared between records and added to.
    """

    def __init__(
        self, validation: Validation, population: Sequence[Population], simulator: Simulator, kept: dict[str, Outcomes]
    ) -> None:
        self._validation = validation
        self._population = population
        self._simulator = simulator
        self._kept = kept

    def cells(self, check: Check) -> str:
        """Return the cells of a check: those of its record, or the last that its arm swaps in."""
        arm = self._validation.arms[needed_arms(check, self._validation)[0]]
        swaps = [i.swap_cells for i in arm if isinstance(i, SwapCells)]
        return [self._validation.cells or "", *swaps][-1]

    def reasons(self, check: Check) -> list[str]:
        """Return why the model at hand cannot give a number."""
        arms = needed_arms(check, self._validation)
        found = [r for arm in arms for r in self._simulator.expressibility(self._condition(check, arm))]
        return list(dict.fromkeys(found))

    def numbers(self, check: Check) -> Array:
        """Return the number of every member, shape (n_members,)."""
        self._simulate(check)
        if check.series is not None:
            above = self._thresholds(check, check.series)
            below = self._thresholds(check, check.against_series) if check.against_series else 1.0
        else:
            above = self._summaries(check, needed_arms(check, self._validation)[0])
            below = self._summaries(check, check.against) if check.against else 1.0
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(above / below, dtype=np.float64)

    def _condition(self, check: Check, arm: str) -> Condition:
        validation, assay = self._validation, assay_of(check)
        if assay is None or check.assay is None:
            step, end = validation.sampling.every.value, validation.sampling.until.value
            times = tuple(float(t) for t in np.linspace(0.0, end, round(end / step) + 1))
            fresh = False
        else:
            times, fresh = tuple(float(t) for t in assay.times(check.assay)), assay.fresh_medium(check.assay)
        return Condition(
            cells=validation.cells or "",
            culture=validation.culture,
            interventions=validation.arms[arm],
            fresh_medium=fresh,
            times=times,
            quantities=self._read(check),
        )

    def _read(self, check: Check) -> tuple[str, ...]:
        """Return what all checks of this sampling read, so that one simulation serves them."""
        assay = assay_of(check)
        if assay is not None and check.assay is not None:
            return tuple(sorted({need.name for need in assay.needs(check.assay)}))
        plain = [c for c in self._validation.checks if c.assay is None]
        chains = [s for c in plain for s in (c.series, c.against_series) if s is not None]
        names = [n for c in plain for n in (c.read, c.over)] + [n for s in chains for n in (s.along, s.along_over)]
        return tuple(sorted({n for n in names if n is not None}))

    def _simulate(self, check: Check) -> None:
        conditions = [self._condition(check, arm) for arm in needed_arms(check, self._validation)]
        missing = {k: c for c in conditions if (k := content_hash(c.canonical())) not in self._kept}
        found = self._simulator.simulate_batch(list(missing.values()), self._population, seed=0)
        self._kept.update(zip(missing, found, strict=True))

    def _courses(self, check: Check, arm: str) -> tuple[Array, list[Array]]:
        """Return times and one course for every member."""
        condition = self._condition(check, arm)
        outcomes = self._kept[content_hash(condition.canonical())]
        times = np.asarray(condition.times)
        if check.assay is not None:
            return times, self._by_assay(check, times, outcomes)
        values = outcomes.quantities[check.read]
        if check.over is not None:
            with np.errstate(divide="ignore", invalid="ignore"):
                values = values / outcomes.quantities[check.over]
        if check.per_cell:
            values = values * outcomes.geometry["cell_volume"] * MOLECULES
        return times, list(values)

    def _by_assay(self, check: Check, times: Array, outcomes: Outcomes) -> list[Array]:
        assay, protocol = assay_of(check), check.assay
        if assay is None or protocol is None:
            return []
        samples = [
            Sample(times, o.quantities, o.geometry, o.parameters) for o in (outcomes[b] for b in range(len(outcomes)))
        ]
        assay.require(check.read)
        read = assay.ideal_many(samples, protocol)
        return [
            np.atleast_1d(np.asarray(next(v.value for v in values if v.measure == check.read), float))
            for values in read
        ]

    def _summaries(self, check: Check, arm: str) -> Array:
        times, courses = self._courses(check, arm)
        return np.array([_number(check, times, course) for course in courses])

    def _thresholds(self, check: Check, series: Series) -> Array:
        read = np.array([self._summaries(check, arm) for arm in series.arms])
        along = np.array([self._axis(check, series, arm, i) for i, arm in enumerate(series.arms)])
        return np.array([threshold(along[:, b], read[:, b], level=series.level) for b in range(read.shape[1])])

    def _axis(self, check: Check, series: Series, arm: str, place: int) -> Array:
        """Return where an arm stands in its series, for every member."""
        if series.along is None:
            return np.full(len(self._population), series.doses[place].value)
        found: Mapping[str, Array] = self._kept[content_hash(self._condition(check, arm).canonical())].quantities
        below = found[series.along_over][:, -1] if series.along_over else 1.0
        return np.asarray(found[series.along][:, -1] / below)


def _number(check: Check, times: Array, course: Array) -> float:
    if course.size == 1:  # an assay that reads once
        return float(course[0])
    at, since = check.at.value, check.since.value
    return number_of(check.how, times, course, at=at, since=since, place=check.place, share=check.share)


def assay_of(check: Check) -> AbstractAssay | None:
    """Return the assay that reads; None if the model quantity itself is read."""
    return None if check.assay is None else find_assay(check.assay.name)


def needed_arms(check: Check, validation: Validation) -> tuple[str, ...]:
    """Return the arms a check needs, its own first."""
    first = check.arm or (check.series.arms[0] if check.series else next(iter(validation.arms)))
    return tuple(dict.fromkeys([first, *arms_of(check)]))
