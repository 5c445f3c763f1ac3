"""What decides a simulation of one cell population, and what it returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from haptos.conditions.experiment import Culture
from haptos.conditions.interventions import AnyIntervention
from haptos.core.specs import Spec
from haptos.errors import Status

__all__ = ["Condition", "Outcome"]


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
    """

    cells: str
    culture: Culture
    interventions: tuple[AnyIntervention, ...] = ()
    fresh_medium: bool = False
    times: tuple[float, ...]
    quantities: tuple[str, ...]


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
