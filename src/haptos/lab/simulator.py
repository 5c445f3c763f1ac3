"""What the lab asks of a simulator of cells, and the one that ships."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from haptos.signalling.condition import Condition, Outcomes, Population

__all__ = ["CellSimulator", "Simulator"]


class Simulator(Protocol):
    """A pure simulator of cell populations; several threads may ask it at once."""

    def expressibility(self, condition: Condition) -> list[str]:
        """Return why a condition cannot be simulated; empty if it can."""

    def preculture(self, condition: Condition) -> str:
        """Return a key: conditions of equal key are best simulated together."""

    def simulate_batch(
        self, conditions: Sequence[Condition], populations: Sequence[Population], *, seed: int
    ) -> list[Outcomes]:
        """Simulate every population in every condition.

        A row depends on its own condition, population and the seed only: the same bits in any
        batch, thread or process.

        Parameters
        ----------
        conditions : sequence of Condition
            What is simulated.
        populations : sequence of Population
            Members of the ensemble and biological repeats.
        seed : int
            Root seed of the experiment.

        Returns
        -------
        list of Outcomes
            One per condition, with one row per population.
        """

    def ensemble_size(self) -> int:
        """Return how many parameter vectors the ensemble holds."""

    def fingerprint(self) -> str:
        """Return a checksum of model, parameters and ensemble."""


class CellSimulator:
    """The signalling model of the library; loaded at the first question."""

    def expressibility(self, condition: Condition) -> list[str]:
        """Return why a condition cannot be simulated; empty if it can."""
        from haptos.signalling import cell

        return cell.expressibility(condition)

    def preculture(self, condition: Condition) -> str:
        """Return a key: conditions of equal key share their settled state."""
        from haptos.signalling import cell

        return cell.preculture(condition)

    def simulate_batch(
        self, conditions: Sequence[Condition], populations: Sequence[Population], *, seed: int
    ) -> list[Outcomes]:
        """Simulate every population in every condition, see :class:`Simulator`."""
        from haptos.signalling import cell

        return cell.simulate_batch(conditions, populations, seed=seed)

    def ensemble_size(self) -> int:
        """Return how many parameter vectors the ensemble holds."""
        from haptos.signalling import cell

        return cell.ensemble_size()

    def fingerprint(self) -> str:
        """Return a checksum of model, parameters and ensemble."""
        from haptos.signalling import cell

        return cell.fingerprint()
