"""Simulate what the records need over the ensemble, and set the numbers beside what was published."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from haptos.evidence.library import load_library
from haptos.evidence.quantities import QuantityRecord
from haptos.lab.plan import ensemble_members
from haptos.lab.simulator import CellSimulator, Simulator
from haptos.lab.validation.bench import RecordBench, assay_of
from haptos.lab.validation.published import Target, target_of
from haptos.lab.validation.specs import Check, Validation, load_validations
from haptos.signalling.building.parameters import load_parameters
from haptos.signalling.condition import Outcomes, Population

__all__ = ["Row", "informed_by", "kin_of", "records_to_check", "target_in", "validate"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """One number of a record beside what was published, or why there is none.

    Attributes
    ----------
    record, use, informs : str, str, tuple of str
        The record, what it may be used for, and the parameters that were set from it.
    kin : tuple of str
        Parameters that come from the same publication: agreement is then no independent evidence.
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
    in_view : str
        What was chosen while the record was on the screen.
    """

    record: str
    use: str
    informs: tuple[str, ...]
    kin: tuple[str, ...] = ()
    name: str = ""
    cells: str = ""
    target: Target | None = None
    values: Array = field(default_factory=lambda: np.empty(0))
    reason: str = ""
    assumed: str = ""
    in_view: str = ""

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
    return tuple(name for name, p in load_parameters().items() if record in p.records)


def kin_of(record: QuantityRecord) -> tuple[str, ...]:
    """Return the parameters whose values come from the publications of a record."""
    return tuple(name for name, p in load_parameters().items() if p.source in record.sources)


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
        rows += _rows(validation, records[validation.record], RecordBench(validation, population, cells, kept))
        if note is not None:
            note(done, len(wanted))
    return tuple(rows)


def target_in(record: QuantityRecord, check: Check) -> Target:
    """Return what a check is held against, with the resolution of its assay."""
    assay = assay_of(check)
    resolved = assay.noise(check.assay).smallest_fold if assay and check.assay else None
    return target_of(record, check, resolved=resolved)


def _rows(validation: Validation, record: QuantityRecord, bench: RecordBench) -> list[Row]:
    common = (record.id, record.use, informed_by(record.id), kin_of(record))
    rows = []
    for check in validation.checks:
        target = target_in(record, check)
        reasons = bench.reasons(check)
        values = np.empty(0) if reasons else bench.numbers(check)
        found = "; ".join(reasons)
        rows.append(
            Row(*common, check.name, bench.cells(check), target, values, found, validation.assumed, validation.in_view)
        )
    return rows + ([Row(*common, reason=validation.reason, in_view=validation.in_view)] if validation.reason else [])
