"""Transwell invasion: cells that crossed a gel and the filter below it."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, override

from pydantic import Field

from haptos.assays.base import own_protocol
from haptos.assays.observation import AssayDuration, hours
from haptos.assays.transwell import AbstractTranswell, TranswellProtocol, bare_filter
from haptos.conditions.experiment import Protocol
from haptos.core.specs import QuantityOf
from haptos.core.units import Quantity
from haptos.motility.barriers import Barrier, coated_filter
from haptos.motility.parameters import CrossingParameters

__all__ = ["TranswellInvasion", "TranswellInvasionProtocol"]


class TranswellInvasionProtocol(TranswellProtocol):
    """Protocol of an invasion through a gel on a filter."""

    name: Literal["transwell_invasion"] = Field("transwell_invasion", description="the assay")
    duration: AssayDuration = hours(48)
    gel: Literal["matrigel", "collagen_I"] = Field("matrigel", description="what the filter is coated with")
    gel_density: Annotated[Quantity, QuantityOf("mass concentration", above=0.0, maximum=2e7)] = Field(
        Quantity(5e5, "mass concentration", "0.5 mg/mL"),
        description="protein concentration of the set gel; thin enough for some control cells to come through",
    )
    gel_thickness: Annotated[Quantity, QuantityOf("length", minimum=1.0, maximum=2000.0)] = Field(
        Quantity(20.0, "length", "20 µm"), description="thickness of the set gel; thin coats are usual"
    )


class TranswellInvasion(AbstractTranswell):
    """Cells per field below a filter with a gel on it."""

    name = "transwell_invasion"
    label = "transwell invasion"
    protocol = TranswellInvasionProtocol
    counted = "invaded"
    measures: ClassVar = {"invaded": "1/field"}

    @override
    def barrier(self, protocol: Protocol, parameters: CrossingParameters) -> Barrier:
        """Return the gel on the filter."""
        p = own_protocol(protocol, TranswellInvasionProtocol)
        return coated_filter(bare_filter(p, parameters), p.gel, p.gel_density.value, p.gel_thickness.value, parameters)
