"""How far parameter vectors are from meeting claims: what calibration and cross-validation need.

A claim is scored exactly as it is judged: its trial becomes an experiment, the experiment is
planned, simulated and read by its assay, and the expectation is held against the readings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from haptos.assays.base import Sample
from haptos.evidence.judge import member_finding, widest_margin
from haptos.lab.judging import reading_of
from haptos.lab.reproduce import Reproduction
from haptos.signalling.cell import simulate_vectors
from haptos.signalling.condition import Condition, Outcomes

if TYPE_CHECKING:
    from haptos.evidence.claims import AnyExpectation, Readout
    from haptos.lab.plan import Plan

__all__ = ["ClaimScorer"]

Array = NDArray[np.float64]

#: Vectors simulated at once: bounds the memory.
_AT_ONCE = 256


class ClaimScorer:
    """Scores parameter vectors by the margins of claims.

    Parameters
    ----------
    whole : Reproduction
        The planned trials; claims without a plan are not scored.
    threads : int
        Threads of the integrator; they change no bit.
    note : callable, optional
        Told of every group of conditions that was simulated (done, all).
    """

    def __init__(
        self, whole: Reproduction, *, threads: int = 1, note: Callable[[int, int], None] | None = None
    ) -> None:
        claims = {claim.id: claim for claim in whole.claims}
        self.plans = whole.plans
        self.names = tuple(whole.plans)
        self._asked = {name: (claims[name].expect, claims[name].trial) for name in self.names}
        self._conditions = {key: c for plan in whole.plans.values() for key, c in plan.conditions.items()}
        self._threads, self._note = threads, note

    @property
    def n_conditions(self) -> int:
        """Number of distinct conditions, each simulated once for a vector."""
        return len(self._conditions)

    @property
    def rooms(self) -> Array:
        """The largest margin that every claim has room for, shape (n_claims,); inf without a limit."""
        asked = ((self.plans[name].smallest_fold, expect) for name, (expect, _) in self._asked.items())
        return np.array([widest_margin(expect, fold) if expect else np.inf for fold, expect in asked])

    def margins(self, vectors: Array) -> Array:
        """Return the margin of every claim, shape (B, n_claims); nan where a simulation failed.

        Parameters
        ----------
        vectors : ndarray, shape (B, n_parameters)
            In the order and units of the parameter table.
        """
        parts = [self._score(vectors[i : i + _AT_ONCE]) for i in range(0, len(vectors), _AT_ONCE)]
        return np.concatenate(parts) if parts else np.zeros((0, len(self.names)))

    def _score(self, vectors: Array) -> Array:
        outcomes = self._simulate(vectors)
        columns = []
        for name in self.names:
            expect, trial = self._asked[name]
            if expect is None or trial is None or trial.readout is None or expect.outcome == "count":
                raise ValueError(f"{name} has a plan but nothing to judge")
            columns.append(_margins(self.plans[name], expect, trial.readout, outcomes, len(vectors)))
        return np.column_stack(columns) if columns else np.zeros((len(vectors), 0))

    def _simulate(self, vectors: Array) -> dict[str, Outcomes]:
        """Simulate all conditions, some cells at a time."""
        by_cells: dict[str, list[str]] = {}
        for key, condition in self._conditions.items():
            by_cells.setdefault(_group(condition), []).append(key)
        found: dict[str, Outcomes] = {}
        for keys in by_cells.values():
            conditions = [self._conditions[key] for key in keys]
            found |= zip(keys, simulate_vectors(conditions, vectors, threads=self._threads), strict=True)
            if self._note is not None:
                self._note(len(found), len(self._conditions))
        return found


def _group(condition: Condition) -> str:
    return f"{condition.cells} {condition.culture.geometry} {condition.culture.coating}"


def _margins(
    plan: Plan, expect: AnyExpectation, readout: Readout, outcomes: dict[str, Outcomes], size: int
) -> NDArray[np.float64]:
    """Return the margin of one claim for every vector."""
    times = {arm.label: np.asarray(arm.condition.times, float) for arm in plan.arms}
    samples = [_sample(times[arm.label], outcomes[arm.key], b) for arm in plan.arms for b in range(size)]
    values = plan.assay.ideal_many(samples, plan.experiment.assay)
    fold = plan.smallest_fold
    margins = np.full(size, np.nan)
    for b in range(size):
        if any(outcomes[arm.key].status[b] != 0 for arm in plan.arms):
            continue
        readings = {
            arm.label: reading_of(values[i * size + b], readout, times[arm.label]) for i, arm in enumerate(plan.arms)
        }
        if all(np.all(np.isfinite(r.values)) for r in readings.values()):
            margins[b] = member_finding(expect, readings, smallest_fold=fold).margin
    return margins


def _sample(times: Array, outcomes: Outcomes, b: int) -> Sample:
    outcome = outcomes[b]
    return Sample(times, outcome.quantities, outcome.geometry, outcome.parameters)
