"""Quantitative PCR: mRNA by the comparative threshold-cycle method."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, override

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from haptos.assays.base import Noise, Sample, Value, own_protocol
from haptos.assays.endpoint import AbstractEndpoint, TimedProtocol, ends_of
from haptos.assays.observation import (
    BIOLOGICAL_VARIATION,
    Entities,
    reading,
    resolvable_fold,
)
from haptos.conditions.experiment import Protocol
from haptos.core.specs import QuantityOf
from haptos.core.units import Quantity

__all__ = ["QuantitativePCR", "QuantitativePCRProtocol"]

#: Standard deviation of a threshold cycle between wells, and of one cDNA preparation [cycles].
_WELL, _PREPARATION = 0.20, 0.10
_UNDETECTED = 1e-6


class QuantitativePCRProtocol(TimedProtocol):
    """Protocol of a quantitative PCR."""

    name: Literal["qpcr"] = Field("qpcr", description="the assay")
    genes: Entities = Field(min_length=1, max_length=24, description="genes whose mRNA is measured")
    wells: int = Field(3, ge=1, le=12, description="wells per gene and sample, averaged before the quotient")
    efficiency: Annotated[Quantity, QuantityOf("fraction", minimum=0.7, maximum=1.0)] = Field(
        Quantity(1.0, "fraction", "100 %"),
        description="amplification of the target per cycle; the calculation assumes doubling, so less compresses folds",
    )


class QuantitativePCR(AbstractEndpoint):
    """``2^−ΔΔCt``: target over reference gene, each doubling per cycle by assumption."""

    name = "qpcr"
    label = "quantitative PCR"
    protocol = QuantitativePCRProtocol
    measures: ClassVar = {"mrna": "a.u."}
    relative = frozenset({"mrna"})
    entities = "genes"
    read = "mrna"

    @override
    def noise(self, protocol: Protocol) -> Noise:
        sigma = math.log(2.0) * _cycle_error(own_protocol(protocol, QuantitativePCRProtocol).wells)
        variation = math.sqrt(math.expm1(sigma**2))
        return Noise(
            technical=variation,
            biological=BIOLOGICAL_VARIATION,
            smallest_fold=resolvable_fold(variation),
            floor=_UNDETECTED,
            source="assumed: 0.2 cycles between wells, 0.1 between cDNAs; undetected below about 0.001 copies per cell",
        )

    @override
    def ideal(self, sample: Sample, protocol: Protocol) -> tuple[Value, ...]:
        p = own_protocol(protocol, QuantitativePCRProtocol)
        cycles_per_doubling = math.log(2.0) / math.log1p(p.efficiency.value)
        return tuple(
            Value("mrna", need.entity, reading(sample.series(need) ** cycles_per_doubling, p.every), "a.u.")
            for need in self.needs(p)
        )

    @override
    def measure(
        self, values: Sequence[Value], protocol: Protocol, rng: np.random.Generator, *, technical: int
    ) -> NDArray[np.float64]:
        """Return folds from noisy cycles; the genes of a sample share its reference gene.

        Errors are symmetric in cycles, so the median, not the mean, is the ideal value.
        """
        p = own_protocol(protocol, QuantitativePCRProtocol)
        ideal = ends_of(values)
        shape = (ideal.size, technical, p.wells)
        target = rng.normal(0.0, _WELL, shape).mean(axis=2) + rng.normal(0.0, _PREPARATION, shape[:2])
        reference = rng.normal(0.0, _WELL, shape[1:]).mean(axis=1)
        measured: NDArray[np.float64] = ideal[:, None] * np.exp2(reference - target)
        return np.maximum(measured, _UNDETECTED)


def _cycle_error(wells: int) -> float:
    """Return the standard deviation of ΔCt [cycles]."""
    return math.sqrt(2.0 * _WELL**2 / wells + _PREPARATION**2)
