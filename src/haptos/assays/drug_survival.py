"""Drug survival: which share of the cells lives on under a drug, or forms colonies after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, override

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from haptos.assays.base import Need, Noise, Sample, Value, own_protocol
from haptos.assays.endpoint import AbstractEndpoint, TimedProtocol, ends_of
from haptos.assays.observation import (
    BIOLOGICAL_VARIATION,
    AssayDuration,
    build_protocol,
    hours,
    reading,
    resolvable_fold,
)
from haptos.assays.shares import happened, scattered
from haptos.conditions.experiment import Protocol

__all__ = ["DrugSurvival", "DrugSurvivalProtocol"]

_WELL = 0.14
_DEATH, _ENTRY = Need("count", "death"), Need("count", "S_entry")


class DrugSurvivalProtocol(TimedProtocol):
    """Protocol of a survival assay; the drug is given by the arms."""

    name: Literal["drug_survival"] = Field("drug_survival", description="the assay")
    duration: AssayDuration = hours(24)
    method: Literal["viability", "clonogenic"] = Field(
        "viability", description="count living cells, or those that live and have entered S phase and can form colonies"
    )
    cells: int = Field(1000, ge=50, le=1_000_000, description="cells scored per well")


class DrugSurvival(AbstractEndpoint):
    """Living cells over those at the start; division does not enter viability.

    The clonogenic share takes death and entry into S phase to be independent of each other.
    """

    name = "drug_survival"
    label = "drug survival"
    protocol = DrugSurvivalProtocol
    measures: ClassVar = {"survival": "1"}
    observation = Noise(
        technical=_WELL,
        biological=BIOLOGICAL_VARIATION,
        smallest_fold=resolvable_fold(_WELL),
        floor=0.0,
        source="assumed: 14 % between wells; cells scored are binomial",
    )

    @override
    def needs(self, protocol: Protocol) -> tuple[Need, ...]:
        p = own_protocol(protocol, DrugSurvivalProtocol)
        return (_DEATH,) if p.method == "viability" else (_DEATH, _ENTRY)

    @override
    def ideal(self, sample: Sample, protocol: Protocol) -> tuple[Value, ...]:
        p = own_protocol(protocol, DrugSurvivalProtocol)
        left = 1.0 - happened(sample.series(_DEATH))
        if p.method == "clonogenic":
            left = left * happened(sample.series(_ENTRY))
        return (Value("survival", "", reading(left, p.every), "1"),)

    @override
    def protocol_for(self, measure: str, of: Sequence[str], *, duration: float | None = None) -> Protocol:
        self.require(measure)
        return build_protocol(DrugSurvivalProtocol, duration)

    @override
    def measure(
        self, values: Sequence[Value], protocol: Protocol, rng: np.random.Generator, *, technical: int
    ) -> NDArray[np.float64]:
        """Return counted shares of wells that differ."""
        cells = own_protocol(protocol, DrugSurvivalProtocol).cells
        return scattered(ends_of(values), rng, variation=_WELL, cells=cells, technical=technical)
