"""ELISA: concentration of a secreted protein in conditioned medium."""

from __future__ import annotations

from typing import ClassVar, Literal, override

from pydantic import Field

from haptos.assays.base import Noise, Sample, Value, own_protocol
from haptos.assays.endpoint import AbstractEndpoint, TimedProtocol
from haptos.assays.masses import mass_of
from haptos.assays.observation import (
    BIOLOGICAL_VARIATION,
    AssayDuration,
    Entities,
    hours,
    reading,
    resolvable_fold,
)
from haptos.conditions.experiment import Protocol

__all__ = ["Elisa", "ElisaProtocol"]

_PLATE = 0.10


class ElisaProtocol(TimedProtocol):
    """Protocol of an ELISA of medium that the cells conditioned from the start of the assay."""

    name: Literal["elisa"] = Field("elisa", description="the assay")
    analytes: Entities = Field(min_length=1, max_length=12, description="secreted proteins")
    duration: AssayDuration = hours(24)


class Elisa(AbstractEndpoint):
    """Concentration by a standard curve, pro- and active forms together."""

    name = "elisa"
    label = "ELISA"
    protocol = ElisaProtocol
    measures: ClassVar = {"concentration": "ng/mL"}
    entities = "analytes"
    read = "secreted"
    observation = Noise(
        technical=_PLATE,
        biological=BIOLOGICAL_VARIATION,
        smallest_fold=resolvable_fold(_PLATE),
        floor=0.005,
        source="assumed: 10 % between wells and plates; detection from 5 pg/mL",
    )

    @override
    def fresh_medium(self, protocol: Protocol) -> bool:
        own_protocol(protocol, ElisaProtocol)
        return True

    @override
    def ideal(self, sample: Sample, protocol: Protocol) -> tuple[Value, ...]:
        """Return concentrations; 1 nM of a protein of 1 kDa is 1 ng/mL.

        Raises
        ------
        ParameterError
            If the sample lacks an analyte, or its mass is not known.
        """
        p = own_protocol(protocol, ElisaProtocol)
        return tuple(
            Value("concentration", need.entity, reading(sample.series(need) * mass_of(need.entity), p.every), "ng/mL")
            for need in self.needs(p)
        )
