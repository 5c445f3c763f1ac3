"""From simulated cells to what the bench would have read: values, tables, pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from haptos.assays.base import Sample, Value
from haptos.errors import Status
from haptos.lab.plan import Plan, PlannedArm
from haptos.numerics import philox_stream
from haptos.signalling.condition import Outcome

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Failure", "Readings", "arrays_of", "end_value", "fold_table", "read_all"]

#: Quantiles that stand for the uncertainty of the model.
LOW, HIGH = 0.05, 0.95


@dataclass(frozen=True, slots=True)
class Failure:
    """A simulation that did not finish.

    Attributes
    ----------
    arm : str
        Label of the arm.
    member, replicate : int or None
        Parameter vector or biological repeat.
    status : Status
        How the integration ended.
    """

    arm: str
    member: int | None
    replicate: int | None
    status: Status


@dataclass(frozen=True)
class Readings:
    """What the assay makes of the simulated cells.

    Attributes
    ----------
    plan : Plan
        The experiment.
    members : mapping of (arm, member) to values
        Noise-free values over the ensemble; failed members are absent.
    repeats : mapping of (arm, replicate) to values
        Noise-free values of the biological repeats of the reference vector; failed ones are absent.
    failures : tuple of Failure
        Simulations that did not finish.
    """

    plan: Plan
    members: Mapping[tuple[str, int], tuple[Value, ...]]
    repeats: Mapping[tuple[str, int], tuple[Value, ...]]
    failures: tuple[Failure, ...]

    @cached_property
    def ensemble(self) -> pd.DataFrame:
        """Tidy noise-free values over the ensemble: arm, member, measure, of, value, unit (NaN where failed)."""
        import pandas as pd

        shape = self._shape(self.members)
        rows = [
            {"arm": arm.label, "member": m, "measure": s.measure, "of": s.of, "value": value, "unit": s.unit}
            for arm in self.plan.arms
            for m in self.plan.members
            for s, value in zip(shape, _ends(self.members.get((arm.label, m)), len(shape)), strict=True)
        ]
        return pd.DataFrame(rows, columns=["arm", "member", "measure", "of", "value", "unit"])

    @property
    def readouts(self) -> tuple[tuple[str, str], ...]:
        """(measure, of) of everything that was read, in order."""
        found = next(iter(self.members.values()), None) or next(iter(self.repeats.values()), ())
        return tuple(dict.fromkeys((v.measure, v.of) for v in found))

    @property
    def smallest_fold(self) -> float:
        """Smallest fold change (> 1) the assay resolves."""
        return self.plan.smallest_fold

    @cached_property
    def measured(self) -> pd.DataFrame:
        """Tidy measured values: arm, replicate, technical, measure, of, value, unit."""
        import pandas as pd

        rows = [
            row
            for arm in self.plan.arms
            for r in range(self.plan.replicates)
            if (arm.label, r) in self.repeats
            for row in _measure(self.plan, arm, r, self.repeats[arm.label, r])
        ]
        return pd.DataFrame(rows, columns=["arm", "replicate", "technical", "measure", "of", "value", "unit"])

    def _shape(self, found: Mapping[Any, tuple[Value, ...]]) -> tuple[Value, ...]:
        """Return the values of any sample, for their measures and units."""
        return next(iter(found.values()), ())


def read_all(plan: Plan, outcomes: Mapping[str, Outcome]) -> Readings:
    """Apply the assay to every simulated population of a plan.

    Parameters
    ----------
    plan : Plan
        The experiment.
    outcomes : mapping of str to Outcome
        By task key.
    """
    wanted = [(arm, plan.task(arm, replicate=r)) for arm in plan.arms for r in range(plan.replicates)]
    wanted += [(arm, plan.task(arm, member=m)) for arm in plan.arms for m in plan.members]
    failures = tuple(
        Failure(arm.label, task.member, task.replicate, outcomes[task.key].status)
        for arm, task in wanted
        if outcomes[task.key].status is not Status.OK
    )
    sound = [(arm, task) for arm, task in wanted if outcomes[task.key].status is Status.OK]
    samples = [_sample(arm, outcomes[task.key]) for arm, task in sound]
    values = plan.assay.ideal_many(samples, plan.experiment.assay)
    members, repeats = {}, {}
    for (arm, task), found in zip(sound, values, strict=True):
        if task.replicate is not None:
            repeats[arm.label, task.replicate] = found
        elif task.member is not None:
            members[arm.label, task.member] = found
    return Readings(plan, members, repeats, failures)


def _sample(arm: PlannedArm, outcome: Outcome) -> Sample:
    return Sample(np.asarray(arm.condition.times, float), outcome.quantities, outcome.geometry, outcome.parameters)


def end_value(value: Value) -> float:
    """Return a value, or the last of a time course."""
    return float(np.asarray(value.value, float).ravel()[-1])


def _ends(values: Sequence[Value] | None, n: int) -> list[float]:
    return [math.nan] * n if values is None else [end_value(v) for v in values]


def _measure(plan: Plan, arm: PlannedArm, replicate: int, values: Sequence[Value]) -> list[dict[str, object]]:
    """Return the rows of one arm in one repeat; the stream depends on nothing but their names."""
    from haptos.assays.tables import tidy_rows

    technical = plan.experiment.replicates.technical
    stream = philox_stream(plan.experiment.seed, "assay.measure", replicate, arm.label)
    measured = plan.assay.measure(values, plan.experiment.assay, stream, technical=technical)
    return tidy_rows(arm.label, replicate + 1, values, measured)


def fold_table(readings: Readings) -> pd.DataFrame:
    """Return, for each comparison, the fold change over the ensemble.

    Returns
    -------
    DataFrame
        Columns test, against, measure, of, median, low, high (5-95 %), members, raised and
        lowered (shares of the members whose change exceeds what the assay resolves).
    """
    import pandas as pd

    wide = readings.ensemble.pivot_table(
        index=["measure", "of", "member"], columns="arm", values="value", sort=False, dropna=False
    )
    rows = []
    for comparison in readings.plan.experiment.comparisons:
        for (measure, of), group in wide.groupby(["measure", "of"], sort=False):
            folds = _folds(group.get(comparison.test), group.get(comparison.against))
            names = {"test": comparison.test, "against": comparison.against, "measure": measure, "of": of}
            rows.append({**names, **_spread(folds, readings.smallest_fold)})
    columns = ["test", "against", "measure", "of", "median", "low", "high", "members", "raised", "lowered"]
    return pd.DataFrame(rows, columns=columns)


def _folds(test: Any, against: Any) -> NDArray[np.float64]:
    """Return the finite quotients; zero over zero is no change."""
    if test is None or against is None:
        return np.empty(0)
    above, below = np.asarray(test, float), np.asarray(against, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient = np.where((above == 0) & (below == 0), 1.0, above / below)
    return np.asarray(quotient[~np.isnan(quotient)], float)


def _spread(folds: NDArray[np.float64], smallest: float) -> dict[str, float | int]:
    if folds.size == 0:
        return {**dict.fromkeys(("median", "low", "high", "raised", "lowered"), math.nan), "members": 0}
    # between a finite and an infinite fold there is nothing to interpolate
    finite = bool(np.all(np.isfinite(folds)))
    low, median, high = np.quantile(folds, [LOW, 0.5, HIGH], method="linear" if finite else "inverted_cdf")
    return {
        "median": float(median),
        "low": float(low),
        "high": float(high),
        "members": int(folds.size),
        "raised": float(np.mean(folds > smallest)),
        "lowered": float(np.mean(folds < 1.0 / smallest)),
    }


def arrays_of(
    plan: Plan, outcomes: Mapping[str, Outcome], *, prefix: str = ""
) -> tuple[dict[str, NDArray[Any]], dict[str, dict[str, Any]]]:
    """Return the simulated time courses as arrays for the store, and their attributes.

    Each distinct condition is one group ``conditions/<hash>`` with ``ensemble/<quantity>``,
    shape (n_members, n_times), ``repeats/<quantity>``, shape (n_replicates, n_times), their
    ``status``, and ``times`` [min].
    """
    arrays: dict[str, NDArray[Any]] = {}
    attributes: dict[str, dict[str, Any]] = {}
    for arm in {a.key: a for a in plan.arms}.values():
        group = f"{prefix}conditions/{arm.key}"
        arrays[f"{group}/times"] = np.asarray(arm.condition.times, float)
        labels = [a.label for a in plan.arms if a.key == arm.key]
        attributes[group] = {"arms": labels, "condition": arm.condition.canonical(), "time_unit": "min"}
        series = {
            "ensemble": [outcomes[plan.task(arm, member=m).key] for m in plan.members],
            "repeats": [outcomes[plan.task(arm, replicate=r).key] for r in range(plan.replicates)],
        }
        for kind, found in series.items():
            if found:
                arrays |= _stack(f"{group}/{kind}", found, arm)
    return arrays, attributes


def _stack(group: str, outcomes: Sequence[Outcome], arm: PlannedArm) -> dict[str, NDArray[Any]]:
    empty = np.full(len(arm.condition.times), math.nan)
    arrays: dict[str, NDArray[Any]] = {
        f"{group}/{name}": np.stack([np.asarray(o.quantities.get(name, empty), float) for o in outcomes])
        for name in arm.condition.quantities
    }
    return {**arrays, f"{group}/status": np.array([int(o.status) for o in outcomes], dtype=np.int8)}
