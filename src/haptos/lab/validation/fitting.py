"""How far parameter vectors are from numbers of the literature that may be fitted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from haptos.evidence.judge import room_inside, widest_room
from haptos.lab.simulator import CellSimulator
from haptos.lab.validation.running import records_to_check, target_in, validate
from haptos.lab.validation.specs import Validation, load_validations
from haptos.signalling.condition import Condition, Outcomes, Population

__all__ = ["RecordScorer", "may_be_fitted"]

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

    @property
    def rooms(self) -> Array:
        """The largest room that every number has, shape (n_names,); inf without a limit."""
        records = records_to_check()
        targets = (target_in(records[v.record], check) for v in self._asked for check in v.checks)
        return np.array([widest_room(t.low, t.high) for t in targets])

    def margins(self, vectors: Array) -> Array:
        """Return how far inside its range every number is, in natural logarithms, shape (B, n_names)."""
        cells = _OfVectors(vectors, self._threads)
        rows = [r for r in validate(validations=self._asked, simulator=cells) if r.target is not None]
        failed = np.full(len(vectors), np.nan)
        return np.column_stack(
            [room_inside(r.values if r.values.size else failed, r.target.low, r.target.high) for r in rows if r.target]
        )
