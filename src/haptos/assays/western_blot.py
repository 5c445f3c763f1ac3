"""Western blot: the amount of a protein, over a loading control."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, override

import numpy as np
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from haptos.assays.base import Need, Noise, Picture, Sample, Value, own_protocol
from haptos.assays.blots import LOADING_VARIATION, blot, lane_values, relative_volumes
from haptos.assays.endpoint import AbstractEndpoint, TimedProtocol
from haptos.assays.masses import band_label
from haptos.assays.observation import (
    BIOLOGICAL_VARIATION,
    Entities,
    combined,
    reading,
    resolvable_fold,
    saturate,
)
from haptos.conditions.experiment import Protocol
from haptos.core.specs import Concentration

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["WesternBlot", "WesternBlotProtocol"]

_BAND = 0.15
_TECHNICAL = combined(_BAND, LOADING_VARIATION)


class WesternBlotProtocol(TimedProtocol):
    """Protocol of a western blot."""

    name: Literal["western_blot"] = Field("western_blot", description="the assay")
    probes: Entities = Field(min_length=1, max_length=12, description="proteins to stain for")
    fraction: Literal["lysate", "conditioned_medium"] = Field(
        "lysate",
        description="what is loaded: the cells, or the medium they conditioned (enzymes with pro and active form)",
    )
    loading_control: Literal["ACTB", "GAPDH", "TUBA1B", "total_protein"] | None = Field(
        None, description="stained for normalisation; left out: ACTB for lysates, total_protein for medium"
    )
    saturation: Concentration | None = Field(
        None, description="concentration at which a band reaches half its greatest signal; left out: linear range"
    )

    @model_validator(mode="after")
    def _control_fits(self) -> WesternBlotProtocol:
        if self.control in self.probes:
            raise PydanticCustomError("control", "{name} is probe and loading control", {"name": self.control})
        if self.fraction == "conditioned_medium" and self.control != "total_protein":
            raise PydanticCustomError("control", "medium holds no {name}; use total_protein", {"name": self.control})
        if self.saturation is not None and self.saturation.value <= 0.0:
            raise PydanticCustomError("saturation", "saturation must be greater than 0")
        return self

    @property
    def control(self) -> str:
        """The loading control in use."""
        return self.loading_control or ("ACTB" if self.fraction == "lysate" else "total_protein")


class WesternBlot(AbstractEndpoint):
    """Bands of a membrane by densitometry, each over the loading control of its lane."""

    name = "western_blot"
    label = "western blot"
    protocol = WesternBlotProtocol
    measures: ClassVar = {"level": "a.u."}
    relative = frozenset({"level"})
    entities = "probes"
    bands = (_BAND, LOADING_VARIATION)
    observation = Noise(
        technical=_TECHNICAL,
        biological=BIOLOGICAL_VARIATION,
        smallest_fold=resolvable_fold(_TECHNICAL),
        floor=0.05,
        source="assumed: 15 % between bands, 10 % between loading controls; detection from 20 pg in 20 µg of lysate",
    )

    @override
    def fresh_medium(self, protocol: Protocol) -> bool:
        return own_protocol(protocol, WesternBlotProtocol).fraction == "conditioned_medium"

    @override
    def needs(self, protocol: Protocol) -> tuple[Need, ...]:
        p = own_protocol(protocol, WesternBlotProtocol)
        measures = ("level",) if p.fraction == "lysate" else ("pro", "active")
        return tuple(Need(measure, probe) for probe in p.probes for measure in measures)

    @override
    def ideal(self, sample: Sample, protocol: Protocol) -> tuple[Value, ...]:
        p = own_protocol(protocol, WesternBlotProtocol)
        needs = self.needs(p)
        per_probe = len(needs) // len(p.probes)
        values = []
        for i, probe in enumerate(p.probes):
            amounts = [sample.series(need) for need in needs[i * per_probe : (i + 1) * per_probe]]
            signal = saturate(np.sum(amounts, axis=0), p.saturation)
            values.append(Value("level", probe, reading(signal, p.every), self.measures["level"]))
        return tuple(values)

    @override
    def pictures(self, table: pd.DataFrame, protocol: Protocol, rng: np.random.Generator) -> tuple[Picture, ...]:
        p = own_protocol(protocol, WesternBlotProtocol)
        title = f"western blot of {'lysate' if p.fraction == 'lysate' else 'conditioned medium'}"
        return blot(
            table,
            title,
            lambda gel: {band_label(probe): gel.amounts("level", probe) for probe in p.probes},
            [band_label(p.control)],
            rng,
        )

    @override
    def densitometry(self, picture: Picture, protocol: Protocol) -> tuple[tuple[Value, ...], ...]:
        p = own_protocol(protocol, WesternBlotProtocol)
        control = band_label(p.control)
        return lane_values(
            {("level", probe): relative_volumes(picture, band_label(probe), control) for probe in p.probes}
        )
