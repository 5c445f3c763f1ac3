"""How far parameter vectors are from numbers of the literature that may be fitted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from haptos.lab.simulator import CellSimulator
from haptos.lab.validation.published import Target
from haptos.lab.validation.running import records_to_check, validate
from haptos.lab.validation.specs import Validation, load_validations
from haptos.signalling.condition import Condition, Outcomes, Population

__all__ = ["RecordScorer", "margin_of", "may_be_fitted"]

Array = NDArray[np.float64]


class _OfVectors(CellSimulator):
    """The cells of the library with given parameter vectors in place of the ensemble."""

    def __init__(self, vectors: Array, threads: int) -> None:
        self._vectors, self._threads = vectors, threads

    def ensemble_size(self) -> int:
        """Return how many vectors there are."""
        return len(self._vectors)

    def simulate_batch(
        self, conditions: Sequence[Condition], populations: Sequence[Population], *, seed: int
    ) -> list[Outcomes]:
        """Simulate every vector in every condition, without variation between repeats."""
        from haptos.signalling.cell import simulate_vectors

        rows = [p.member for p in populations if p.member is not None]
        return simulate_vectors(conditions, self._vectors[rows], seed=seed, threads=self._threads)


def may_be_fitted() -> tuple[Validation, ...]:
    """Return the numbers of records with use "calibrate" that the model can express."""
    records = records_to_check()
    return tuple(v for v in load_validations() if v.checks and records[v.record].use == "calibrate")


def margin_of(target: Target, values: Array) -> Array:
    """Return how far inside its range each number is, in natural logarithms; shape as `values`.

    Negative outside; nan where there is no number.

    Examples
    --------
    >>> margin_of(Target("2 to 8", 2.0, 8.0), np.array([4.0, 1.0])).round(2).tolist()
    [0.69, -0.69]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(np.maximum(values, 0.0))
    inside = np.full(logs.shape, np.inf)
    if target.low > 0:
        inside = np.minimum(inside, logs - np.log(target.low))
    if np.isfinite(target.high):
        inside = np.minimum(inside, np.log(target.high) - logs)
    return np.asarray(np.where(np.isnan(values), np.nan, inside))


class RecordScorer:
    """Margins of the numbers that may be fitted.

    Parameters
    ----------
    threads : int
        Threads of the integrator; they change no bit.
    """

    def __init__(self, *, threads: int = 1) -> None:
        self._asked, self._threads = may_be_fitted(), threads
        self.names = tuple(f"{v.record}: {check.name}" for v in self._asked for check in v.checks)

    def margins(self, vectors: Array) -> Array:
        """Return the margin of every number, shape (B, n_names)."""
        cells = _OfVectors(vectors, self._threads)
        rows = [r for r in validate(validations=self._asked, simulator=cells) if r.target is not None]
        failed = np.full(len(vectors), np.nan)
        return np.column_stack([margin_of(r.target, r.values if r.values.size else failed) for r in rows if r.target])
