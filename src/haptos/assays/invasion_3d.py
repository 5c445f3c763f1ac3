"""3D invasion: how deep the leading cells come into a thick gel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, override

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from haptos.assays.base import AbstractAssay, Need, Noise, Sample, Value, own_protocol
from haptos.assays.observation import (
    BIOLOGICAL_VARIATION,
    AssayDuration,
    Interval,
    build_protocol,
    grid,
    hours,
    reading,
    resolvable_fold,
)
from haptos.assays.transwell import AT_ONCE, DRIVE_NEEDS, drives_of
from haptos.conditions.experiment import Protocol
from haptos.core.specs import QuantityOf
from haptos.core.units import Quantity
from haptos.motility.barriers import Barrier, Layer
from haptos.motility.crossing import cross
from haptos.motility.parameters import crossing_parameters

__all__ = ["Invasion3D", "Invasion3DProtocol"]

_GEL_DEPTH = 2000.0
_TECHNICAL = 0.15
_EVERY = 60.0


class Invasion3DProtocol(Protocol):
    """Protocol of an invasion from a layer of cells into a gel."""

    name: Literal["3d_invasion"] = Field("3d_invasion", description="the assay")
    duration: AssayDuration = hours(72)
    every: Interval = None
    gel: Literal["matrigel", "collagen_I"] = Field("collagen_I", description="gel that the cells invade")
    gel_density: Annotated[Quantity, QuantityOf("mass concentration", above=0.0, maximum=2e7)] = Field(
        Quantity(2e6, "mass concentration", "2 mg/mL"), description="protein concentration of the set gel"
    )
    leading: Annotated[Quantity, QuantityOf("fraction", above=0.0, maximum=0.5)] = Field(
        Quantity(0.1, "fraction", "10 %"), description="share of the cells that counts as leading"
    )


class Invasion3D(AbstractAssay):
    """Depth that the leading share of the cells has reached.

    The reduced model of the crossing room moves the cells: no division, no cell contacts, no
    shape of a spheroid. The tissue room replaces it behind the same contract.
    """

    name = "3d_invasion"
    label = "3D invasion"
    protocol = Invasion3DProtocol
    measures: ClassVar = {"depth": "µm"}

    @override
    def noise(self, protocol: Protocol) -> Noise:
        own_protocol(protocol, Invasion3DProtocol)
        return Noise(
            technical=_TECHNICAL,
            biological=BIOLOGICAL_VARIATION,
            smallest_fold=resolvable_fold(_TECHNICAL),
            floor=1.0,
            source="assumed: 15 % between gels; depth is read to about a micrometre",
        )

    @override
    def times(self, protocol: Protocol) -> NDArray[np.float64]:
        p = own_protocol(protocol, Invasion3DProtocol)
        return grid(p.duration.value, p.every, _EVERY)

    @override
    def fresh_medium(self, protocol: Protocol) -> bool:
        own_protocol(protocol, Invasion3DProtocol)
        return True

    @override
    def needs(self, protocol: Protocol) -> tuple[Need, ...]:
        own_protocol(protocol, Invasion3DProtocol)
        return DRIVE_NEEDS

    @override
    def ideal(self, sample: Sample, protocol: Protocol) -> tuple[Value, ...]:
        """Let the cells of a sample invade, with the crossing parameters of its vector.

        Raises
        ------
        ParameterError
            If the sample lacks a quantity or the nucleus area.
        """
        return self.ideal_many([sample], protocol)[0]

    @override
    def ideal_many(self, samples: Sequence[Sample], protocol: Protocol) -> tuple[tuple[Value, ...], ...]:
        """Let the cells of all samples invade at once; a row depends on its own sample only."""
        p = own_protocol(protocol, Invasion3DProtocol)
        depths: list[NDArray[np.float64]] = []
        for first in range(0, len(samples), AT_ONCE):
            some = samples[first : first + AT_ONCE]
            parameters = [crossing_parameters(sample.parameters) for sample in some]
            meshes = (numbers.mesh(p.gel) for numbers in parameters)
            gels = [Barrier((Layer("gel", _GEL_DEPTH, math.inf, p.gel_density.value, mesh),)) for mesh in meshes]
            found = cross(drives_of(*some), gels, parameters)
            depths += [_at_score(found.scores, rows, _upper_score(p.leading.value)) for rows in found.positions]
        return tuple((Value("depth", "", reading(depth, p.every), "µm"),) for depth in depths)

    @override
    def protocol_for(self, measure: str, of: Sequence[str], *, duration: float | None = None) -> Protocol:
        self.require(measure)
        return build_protocol(self.protocol, duration)


def _upper_score(share: float) -> float:
    """Return the standard normal score that `share` of the cells exceed."""
    from statistics import NormalDist

    return NormalDist().inv_cdf(1.0 - share)


def _at_score(scores: NDArray[np.float64], positions: NDArray[np.float64], score: float) -> NDArray[np.float64]:
    """Return positions at one score over time, shape (n_times,); linear between followed cells."""
    return np.array([np.interp(score, scores, row) for row in positions])
