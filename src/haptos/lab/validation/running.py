"""Simulate what the records need over the ensemble, and set the numbers beside what was published."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haptos.assays.base import AbstractAssay, Sample
from haptos.assays.registry import find_assay
from haptos.core.hashing import content_hash
from haptos.evidence.library import load_library
from haptos.evidence.quantities import QuantityRecord
from haptos.lab.plan import ensemble_members
from haptos.lab.simulator import CellSimulator, Simulator
from haptos.lab.validation.courses import number_of, threshold
from haptos.lab.validation.published import Target, target_of
from haptos.lab.validation.specs import Check, Series, Validation, load_validations
from haptos.signalling.condition import Condition, Outcomes, Population

__all__ = ["Row", "informed_by", "records_to_check", "validate"]

Array = NDArray[np.float64]
#: Molecules in 1 µm³ at 1 nM.
_MOLECULES = 0.6022


@dataclass(frozen=True)
class Row:
    """One number of a record beside what was published, or why there is none.

    Attributes
    ----------
    record, use, informs : str, str, tuple of str
        The record, what it may be used for, and the parameters that were set from it.
    name, cells : str
        What the number is, and of which cells.
    target : Target or None
        What was published; None if the record is not expressed.
    values : ndarray, shape (n_members,)
        One number for every member; NaN where there is none.
    reason : str
        Why the record, or this number, cannot be had.
    assumed : str
        What was added to the record.
    """

    record: str
    use: str
    informs: tuple[str, ...]
    name: str = ""
    cells: str = ""
    target: Target | None = None
    values: Array = np.empty(0)  # noqa: RUF009 - never written to
    reason: str = ""
    assumed: str = ""

    @property
    def quantiles(self) -> tuple[float, float, float]:
        """5 %, median and 95 % of the members that give a number; NaN if most give none."""
        known = self.values[np.isfinite(self.values)]
        if not known.size or 2 * known.size < self.values.size:
            return (float("nan"),) * 3
        low, middle, high = np.quantile(known, (0.05, 0.5, 0.95))
        return float(low), float(middle), float(high)

    @property
    def inside(self) -> bool | None:
        """Whether the median agrees; None if it was not simulated."""
        return None if self.target is None or not self.values.size else self.target.holds(self.quantiles[1])

    @property
    def share_inside(self) -> float:
        """Share of all members whose number agrees."""
        if self.target is None or not self.values.size:
            return float("nan")
        return float(np.mean([self.target.holds(v) for v in self.values]))


def records_to_check() -> dict[str, QuantityRecord]:
    """Return the records of the library by identifier."""
    return {record.id: record for record in load_library().quantities()}


def informed_by(record: str) -> tuple[str, ...]:
    """Return the parameters whose values were set from a record: for them it is no check."""
    from haptos.signalling.building.parameters import load_parameters

    return tuple(name for name, p in load_parameters().items() if record in p.records)


def validate(
    chosen: Sequence[str] = (),
    *,
    members: int | None = None,
    simulator: Simulator | None = None,
    validations: Sequence[Validation] | None = None,
    note: Callable[[int, int], None] | None = None,
) -> tuple[Row, ...]:
    """Check the numbers of the literature against the ensemble. Nothing is written or fitted.

    Parameters
    ----------
    chosen : sequence of str
        Records; all by default.
    members : int, optional
        How many members of the ensemble; all by default.
    simulator : Simulator, optional
        The signalling model by default.
    validations : sequence of Validation, optional
        Those of the library by default.
    note : callable, optional
        Told of every record that was simulated (done, all).

    Returns
    -------
    tuple of Row
        In the order of the files.

    Raises
    ------
    ParameterError
        If the ensemble does not hold so many members.
    """
    cells = simulator or CellSimulator()
    population = [Population(m) for m in ensemble_members(cells, members)]
    records = records_to_check()
    wanted = [v for v in validations or load_validations() if not chosen or v.record in chosen]
    rows: list[Row] = []
    kept: dict[str, Outcomes] = {}
    for done, validation in enumerate(wanted, 1):
        rows += _rows(validation, records[validation.record], _Bench(validation, population, cells, kept))
        if note is not None:
            note(done, len(wanted))
    return tuple(rows)


def _rows(validation: Validation, record: QuantityRecord, bench: _Bench) -> list[Row]:
    common = (record.id, record.use, informed_by(record.id))
    rows = []
    for check in validation.checks:
        assay = _assay(check)
        resolved = assay.noise(check.assay).smallest_fold if assay and check.assay else None
        target = target_of(record, check, resolved=resolved)
        reasons = bench.reasons(check)
        values = np.empty(0) if reasons else bench.numbers(check)
        found = "; ".join(reasons)
        rows.append(
            Row(*common, check.name, validation.cells or "", target, values, found, validation.assumed)
        )
    return rows + ([Row(*common, reason=validation.reason)] if validation.reason else [])


def _assay(check: Check) -> AbstractAssay | None:
    return None if check.assay is None else find_assay(check.assay.name)


class _Bench:
    """The experiment of one record: its conditions, simulated when first asked for."""

    def __init__(
        self, validation: Validation, population: Sequence[Population], simulator: Simulator, kept: dict[str, Outcomes]
    ) -> None:
        self._validation = validation
        self._population = population
        self._simulator = simulator
        self._kept = kept

    def reasons(self, check: Check) -> list[str]:
        """Return why the model at hand cannot give a number."""
        arms = _arms(check, self._validation)
        found = [r for arm in arms for r in self._simulator.expressibility(self._condition(check, arm))]
        return list(dict.fromkeys(found))

    def numbers(self, check: Check) -> Array:
        """Return the number of every member, shape (n_members,)."""
        self._simulate(check)
        if check.series is not None:
            above = self._thresholds(check, check.series)
            below = self._thresholds(check, check.against_series) if check.against_series else 1.0
        else:
            above = self._summaries(check, _arms(check, self._validation)[0])
            below = self._summaries(check, check.against) if check.against else 1.0
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.asarray(above / below, dtype=np.float64)
        return 1.0 - values if check.complement else values

    def _condition(self, check: Check, arm: str) -> Condition:
        validation, assay = self._validation, _assay(check)
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
            quantities=self._read(check, times),
        )

    def _read(self, check: Check, times: tuple[float, ...]) -> tuple[str, ...]:
        """Return what all checks of this sampling read, so that one simulation serves them."""
        assay = _assay(check)
        if assay is not None and check.assay is not None:
            return tuple(sorted({need.name for need in assay.needs(check.assay)}))
        plain = [c for c in self._validation.checks if c.assay is None]
        chains = [s for c in plain for s in (c.series, c.against_series) if s is not None]
        names = [n for c in plain for n in (c.read, c.over)] + [n for s in chains for n in (s.along, s.along_over)]
        return tuple(sorted({n for n in names if n is not None}))

    def _simulate(self, check: Check) -> None:
        conditions = [self._condition(check, arm) for arm in _arms(check, self._validation)]
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
            values = values * outcomes.geometry["cell_volume"] * _MOLECULES
        return times, list(values)

    def _by_assay(self, check: Check, times: Array, outcomes: Outcomes) -> list[Array]:
        assay, protocol = _assay(check), check.assay
        if assay is None or protocol is None:
            return []
        samples = [
            Sample(times, o.quantities, o.geometry, o.parameters) for o in (outcomes[b] for b in range(len(outcomes)))
        ]
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


def _arms(check: Check, validation: Validation) -> tuple[str, ...]:
    from haptos.lab.validation.specs import arms_of

    named = arms_of(check)
    first = check.arm or (check.series.arms[0] if check.series else next(iter(validation.arms)))
    return tuple(dict.fromkeys([first, *named]))
