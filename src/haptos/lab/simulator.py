"""What the lab asks of a simulator of cells, and the one that ships."""

from __future__ import annotations

from typing import Protocol

from haptos.signalling.condition import Condition, Outcome

__all__ = ["CellSimulator", "Simulator"]


class Simulator(Protocol):
    """A pure simulator of one cell population; its objects travel to worker processes."""

    def expressibility(self, condition: Condition) -> list[str]:
        """Return why a condition cannot be simulated; empty if it can."""

    def simulate(self, condition: Condition, *, member: int | None, seed: int, replicate: int | None) -> Outcome:
        """Simulate; the same arguments give the same bits in any process.

        Parameters
        ----------
        condition : Condition
            What is simulated.
        member : int or None
            Parameter vector of the ensemble; None is the reference vector.
        seed : int
            Root seed of the experiment.
        replicate : int or None
            Biological repeat; None is a population without biological variation.
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

    def simulate(self, condition: Condition, *, member: int | None, seed: int, replicate: int | None) -> Outcome:
        """Simulate one condition, see :class:`Simulator`."""
        from haptos.signalling import cell

        return cell.simulate(condition, member=member, seed=seed, replicate=replicate)

    def ensemble_size(self) -> int:
        """Return how many parameter vectors the ensemble holds."""
        from haptos.signalling import cell

        return cell.ensemble_size()

    def fingerprint(self) -> str:
        """Return a checksum of model, parameters and ensemble."""
        from haptos.signalling import cell

        return cell.fingerprint()
