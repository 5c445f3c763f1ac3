"""What an audit asks of the model besides simulations: which reactions there are, and what acts on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from haptos.signalling.condition import Condition
from haptos.signalling.steps import Step

__all__ = ["Anatomy", "CellAnatomy"]


class Anatomy(Protocol):
    """The parts of the network that a condition needs."""

    def steps(self, condition: Condition) -> Mapping[str, Step]:
        """Return the reactions by identifier."""

    def readouts(self, condition: Condition) -> Mapping[str, Step]:
        """Return the rules by which the condition is read, with what acts on them."""

    def inputs(self, condition: Condition) -> tuple[str, ...]:
        """Return the cuts of all arrows onto the reactions that turn over what the condition reads."""

    def quantities(self, condition: Condition) -> tuple[str, ...]:
        """Return everything that could be read."""

    def at_home(self, condition: Condition) -> Condition:
        """Return the condition in the normal culture of its cells."""


class CellAnatomy:
    """The composed model that ships."""

    def steps(self, condition: Condition) -> Mapping[str, Step]:
        """Return the reactions, see :class:`Anatomy`."""
        from haptos.signalling.steps import steps_in

        return steps_in(condition)

    def readouts(self, condition: Condition) -> Mapping[str, Step]:
        """Return the rules of the readout, see :class:`Anatomy`."""
        from haptos.signalling.steps import readouts_of

        return readouts_of(condition)

    def inputs(self, condition: Condition) -> tuple[str, ...]:
        """Return the arrows onto the readout, see :class:`Anatomy`."""
        from haptos.signalling.steps import inputs_of

        return inputs_of(condition)

    def quantities(self, condition: Condition) -> tuple[str, ...]:
        """Return everything that could be read, see :class:`Anatomy`."""
        from haptos.signalling.steps import quantities_in

        return quantities_in(condition)

    def at_home(self, condition: Condition) -> Condition:
        """Return the condition in normal culture, see :class:`Anatomy`."""
        from haptos.signalling.schedule import cell_of

        return condition.with_changes(culture=cell_of(condition).normal or condition.culture)
