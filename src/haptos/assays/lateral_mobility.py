"""Lateral mobility of receptors, by tracking of single particles or recovery after bleaching."""

from __future__ import annotations

from typing import ClassVar, Literal, override

from pydantic import Field

from haptos.assays.base import Noise, Sample, Value, own_protocol
from haptos.assays.endpoint import AbstractEndpoint, TimedProtocol
from haptos.assays.observation import (
    BIOLOGICAL_VARIATION,
    AssayDuration,
    Entities,
    combined,
    hours,
    reading,
    resolvable_fold,
)
from haptos.conditions.experiment import Protocol

__all__ = ["LateralMobility", "LateralMobilityProtocol"]

_SAMPLES, _TRACKS = 0.15, 0.10
#: Diffusion coefficient of an integrin that nothing holds [µm²/s]; assumed, as integrins without cytoskeleton show.
_FREE = 0.1
#: Diffusion coefficient below which a receptor does not move for the microscope [µm²/s].
_LIMIT = 1e-4


class LateralMobilityProtocol(TimedProtocol):
    """Protocol of a measurement of lateral mobility."""

    name: Literal["lateral_mobility"] = Field("lateral_mobility", description="the assay")
    receptors: Entities = Field(min_length=1, max_length=12, description="receptors, single or a class")
    duration: AssayDuration = hours(1 / 6)


class LateralMobility(AbstractEndpoint):
    """Mean diffusion coefficient of the receptors at the surface, held ones included."""

    name = "lateral_mobility"
    label = "lateral mobility"
    protocol = LateralMobilityProtocol
    measures: ClassVar = {"diffusion": "µm²/s"}
    entities = "receptors"
    read = "diffusion"
    observation = Noise(
        technical=combined(_SAMPLES, _TRACKS),
        biological=BIOLOGICAL_VARIATION,
        smallest_fold=resolvable_fold(combined(_SAMPLES, _TRACKS)),
        floor=_LIMIT,
        source="assumed: 15 % between samples, 10 % from some hundred tracks; 1e-4 µm²/s is the resolution of tracking",
    )

    @override
    def ideal(self, sample: Sample, protocol: Protocol) -> tuple[Value, ...]:
        p = own_protocol(protocol, LateralMobilityProtocol)
        return tuple(
            Value("diffusion", need.entity, reading(_FREE * sample.series(need), p.every), self.measures["diffusion"])
            for need in self.needs(p)
        )
