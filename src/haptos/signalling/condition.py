"""What decides a simulation of one cell population, and what it returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from haptos.conditions.experiment import Culture
from haptos.conditions.interventions import AnyIntervention
from haptos.core.specs import Spec
from haptos.errors import Status
from haptos.signalling.cells import CellLine

__all__ = ["Condition", "Outcome", "Outcomes", "Population"]


class Condition(Spec):
    """Everything but parameters and repeat that decides a simulation.

    Attributes
    ----------
    cells : str
        Cell line or context of the library.
    culture : Culture
        Surroundings.
    interventions : tuple of intervention
        What is done to the cells; times count from the start of the assay.
    fresh_medium : bool
        Whether the medium is replaced at time 0 (secreted proteins start from zero).
    times : tuple of float
        Sampling times after the start of the assay [min], increasing.
    quantities : tuple of str
        Model quantities to return, named ``measure__entity``.
    cuts : tuple of str
        What is cut at any time (:mod:`haptos.signalling.cuts`); only audits and explanations do so.
    contexts : tuple of CellLine
        The user's own among the cells named, complete; the others are those of the library.
    """

    cells: str
    culture: Culture
    interventions: tuple[AnyIntervention, ...] = ()
    fresh_medium: bool = False
    times: tuple[float, ...]
    quantities: tuple[str, ...]
    cuts: tuple[str, ...] = ()
    contexts: tuple[CellLine, ...] = ()

    def canonical(self) -> dict[str, Any]:
        """Return plain data for hashing: contexts of the user with all they hold, those of the library by name."""
        data = super().canonical()
        return data if self.contexts else {name: value for name, value in data.items() if name != "contexts"}


@dataclass(frozen=True)
class Outcome:
    """The simulated cells of one condition, one parameter vector and one repeat.

    Attributes
    ----------
    quantities : mapping of str to ndarray, shape (n_times,)
        By name; NaN where the simulation failed.
    geometry : mapping of str to float
        See :class:`haptos.assays.base.Sample`.
    status : Status
        How the integration ended.
    parameters : mapping of str to float
        Parameters of the vector that the network does not use, for the rooms that read its output.
    """

    quantities: Mapping[str, NDArray[np.float64]]
    geometry: Mapping[str, float] = field(default_factory=dict)
    status: Status = Status.OK
    parameters: Mapping[str, float] = field(default_factory=dict)


class Population(NamedTuple):
    """Which cells are simulated in a condition.

    Attributes
    ----------
    member : int or None
        Parameter vector of the ensemble; None is the reference vector.
    replicate : int or None
        Biological repeat (protein amounts vary between repeats, alike in all conditions of
        one repeat); None is without variation.
    """

    member: int | None = None
    replicate: int | None = None


@dataclass(frozen=True)
class Outcomes:
    """The outcomes of many populations in one condition.

    Attributes
    ----------
    quantities : mapping of str to ndarray, shape (B, n_times)
        By name; NaN where the simulation failed.
    geometry : mapping of str to float
        Alike for all.
    status : ndarray of int, shape (B,)
        :class:`haptos.errors.Status` of every population.
    parameters : mapping of str to ndarray, shape (B,)
        See :class:`Outcome`.
    """

    quantities: Mapping[str, NDArray[np.float64]]
    geometry: Mapping[str, float]
    status: NDArray[np.int64]
    parameters: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    @classmethod
    def stacked(cls, outcomes: Sequence[Outcome]) -> Outcomes:
        """Return single outcomes of one condition as a batch; at least one."""
        first = outcomes[0]
        return cls(
            {name: np.stack([o.quantities[name] for o in outcomes]) for name in first.quantities},
            first.geometry,
            np.array([int(o.status) for o in outcomes], dtype=np.int64),
            {name: np.array([o.parameters[name] for o in outcomes]) for name in first.parameters},
        )

    def __len__(self) -> int:
        return len(self.status)

    def __getitem__(self, index: int) -> Outcome:
        return Outcome(
            {name: rows[index] for name, rows in self.quantities.items()},
            self.geometry,
            Status(int(self.status[index])),
            {name: float(values[index]) for name, values in self.parameters.items()},
        )
