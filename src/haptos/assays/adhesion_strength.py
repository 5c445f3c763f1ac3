"""Adhesion assay: which share of the cells stays when loose ones are washed away.

A reduced form until the cell mechanics gives bond forces: a cell stays with a probability
that rises with its clustered, ligand-bound integrins.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, override

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
from haptos.assays.shares import scattered
from haptos.conditions.experiment import Protocol
from haptos.core.specs import QuantityOf
from haptos.core.units import Quantity

__all__ = ["AdhesionAssay", "AdhesionProtocol"]

_WELL = 0.15
_HELD = Need("attached", "cells")


class AdhesionProtocol(TimedProtocol):
    """Protocol of an attachment assay with washing."""

    name: Literal["adhesion_strength"] = Field("adhesion_strength", description="the assay")
    duration: AssayDuration = hours(1)
    half_attached: Annotated[Quantity, QuantityOf("concentration", minimum=1e-3, maximum=1e4)] = Field(
        Quantity(20.0, "concentration", "20 nM"),
        description="clustered integrins per cell volume with which half of the cells withstand the washing; "
        "harder washing is a higher number",
    )
    steepness: float = Field(2.0, ge=1.0, le=8.0, description="how sharply the share rises (Hill exponent)")
    cells: int = Field(500, ge=20, le=1_000_000, description="cells counted per well")


class AdhesionAssay(AbstractEndpoint):
    """Cells that stay over cells that were plated.

    Both numbers of the washing are assumed: 20 nM are about 30,000 clustered integrins per
    cell. Only the order of arms rests on the model.
    """

    name = "adhesion_strength"
    label = "adhesion assay"
    protocol = AdhesionProtocol
    measures: ClassVar = {"attached_fraction": "1"}
    observation = Noise(
        technical=_WELL,
        biological=BIOLOGICAL_VARIATION,
        smallest_fold=resolvable_fold(_WELL),
        floor=0.0,
        source="assumed: 15 % between wells; cells counted are binomial",
    )

    @override
    def needs(self, protocol: Protocol) -> tuple[Need, ...]:
        own_protocol(protocol, AdhesionProtocol)
        return (_HELD,)

    @override
    def ideal(self, sample: Sample, protocol: Protocol) -> tuple[Value, ...]:
        p = own_protocol(protocol, AdhesionProtocol)
        strength = (np.maximum(sample.series(_HELD), 0.0) / p.half_attached.value) ** p.steepness
        return (Value("attached_fraction", "", reading(strength / (1.0 + strength), p.every), "1"),)

    @override
    def protocol_for(self, measure: str, of: Sequence[str], *, duration: float | None = None) -> Protocol:
        self.require(measure)
        return build_protocol(AdhesionProtocol, duration)

    @override
    def measure(
        self, values: Sequence[Value], protocol: Protocol, rng: np.random.Generator, *, technical: int
    ) -> NDArray[np.float64]:
        """Return counted shares of wells that differ in their washing."""
        cells = own_protocol(protocol, AdhesionProtocol).cells
        return scattered(ends_of(values), rng, variation=_WELL, cells=cells, technical=technical)
