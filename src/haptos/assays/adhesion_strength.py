"""Adhesion assay: which share of the cells stays when loose ones are washed away, and what force takes a cell off.

A reduced form until the cell mechanics gives bond forces: a cell stays with a probability
that rises with its clustered, ligand-bound integrins; the force that takes it off rises with
those of them that actin and vinculin hold.
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
    lognormal,
    reading,
    resolvable_fold,
)
from haptos.assays.shares import scattered
from haptos.conditions.experiment import Protocol
from haptos.core.specs import QuantityOf
from haptos.core.units import MOLECULES, Quantity
from haptos.errors import ParameterError

__all__ = ["AdhesionAssay", "AdhesionProtocol"]

_WELL = 0.15
_HELD = Need("attached", "cells")
_COUPLED = Need("coupled", "cells")
#: Force that the bonds at the rim of a cell bear, over all its bonds [nN]: a tenth of them, 20 pN each.
_FORCE = 0.1 * 0.02


class AdhesionProtocol(TimedProtocol):
    """Protocol of an attachment assay with washing."""

    name: Literal["adhesion_strength"] = Field("adhesion_strength", description="the assay")
    duration: AssayDuration = hours(1)
    bonds: float = Field(
        5000.0,
        ge=1.0,
        le=1e6,
        description="clustered integrins per cell with which half of the cells withstand the washing; "
        "the default is rinsing, 10 nN on a tenth of the bonds (those at the rim) at 20 pN each",
    )
    nonspecific: Annotated[Quantity, QuantityOf("fraction", minimum=1e-4, maximum=0.5)] = Field(
        Quantity(0.02, "fraction", "2 %"), description="share of the cells that stays without integrins"
    )
    steepness: float = Field(2.0, ge=1.0, le=8.0, description="how sharply the share rises (Hill exponent)")
    cells: int = Field(500, ge=20, le=1_000_000, description="cells counted per well")


class AdhesionAssay(AbstractEndpoint):
    """Cells that stay over cells that were plated.

    The numbers of the washing are assumed; the order of arms rests on the model.
    """

    name = "adhesion_strength"
    label = "adhesion assay"
    protocol = AdhesionProtocol
    measures: ClassVar = {"attached_fraction": "1", "adhesion": "nN"}
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
        return (_HELD, _COUPLED)

    @override
    def ideal(self, sample: Sample, protocol: Protocol) -> tuple[Value, ...]:
        """Return the share of cells that stay and the force that takes one off [nN].

        Raises
        ------
        ParameterError
            If the sample lacks the integrins or the volume of the cell.
        """
        p = own_protocol(protocol, AdhesionProtocol)
        if "cell_volume" not in sample.geometry:
            raise ParameterError("the sample gives no 'cell_volume' [µm³] in its geometry")
        per_nM = MOLECULES * sample.geometry["cell_volume"]
        held, coupled = (np.maximum(sample.series(need), 0.0) * per_nM for need in self.needs(p))
        strength = (held / p.bonds) ** p.steepness
        stays = p.nonspecific.value + (1.0 - p.nonspecific.value) * strength / (1.0 + strength)
        return (
            Value("attached_fraction", "", reading(stays, p.every), "1"),
            Value("adhesion", "", reading(_FORCE * coupled, p.every), "nN"),
        )

    @override
    def protocol_for(self, measure: str, of: Sequence[str], *, duration: float | None = None) -> Protocol:
        self.require(measure)
        return build_protocol(AdhesionProtocol, duration)

    @override
    def measure(
        self, values: Sequence[Value], protocol: Protocol, rng: np.random.Generator, *, technical: int
    ) -> NDArray[np.float64]:
        """Return counted shares of wells that differ in their washing, and forces that differ between wells."""
        cells = own_protocol(protocol, AdhesionProtocol).cells
        ends = ends_of(values)
        shares = np.array([value.measure == "attached_fraction" for value in values])
        counted = scattered(np.where(shares, ends, 0.0), rng, variation=_WELL, cells=cells, technical=technical)
        forces = ends[:, None] * lognormal(rng, _WELL, (ends.size, technical))
        return np.where(shares[:, None], counted, forces)
