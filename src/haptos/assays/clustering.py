"""Integrin clustering: share of the surface receptors that stand close together, by energy transfer or imaging."""

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
    Entities,
    hours,
    reading,
    resolvable_fold,
)
from haptos.assays.shares import quotient, scattered
from haptos.conditions.experiment import Protocol

__all__ = ["Clustering", "ClusteringProtocol"]

_SAMPLES = 0.15


class ClusteringProtocol(TimedProtocol):
    """Protocol of a clustering measurement."""

    name: Literal["clustering"] = Field("clustering", description="the assay")
    receptors: Entities = Field(min_length=1, max_length=12, description="receptors, single or a class")
    duration: AssayDuration = hours(1)
    cells: int = Field(200, ge=10, le=100_000, description="cells imaged per sample")


class Clustering(AbstractEndpoint):
    """Clustered receptors over all at the surface; affinity does not enter."""

    name = "clustering"
    label = "integrin clustering"
    protocol = ClusteringProtocol
    measures: ClassVar = {"clustered": "1"}
    entities = "receptors"
    observation = Noise(
        technical=_SAMPLES,
        biological=BIOLOGICAL_VARIATION,
        smallest_fold=resolvable_fold(_SAMPLES),
        floor=0.0,
        source="assumed: 15 % between stained samples; 200 cells imaged",
    )

    @override
    def needs(self, protocol: Protocol) -> tuple[Need, ...]:
        p = own_protocol(protocol, ClusteringProtocol)
        return tuple(Need(measure, receptor) for receptor in p.receptors for measure in ("clustered", "surface"))

    @override
    def ideal(self, sample: Sample, protocol: Protocol) -> tuple[Value, ...]:
        p = own_protocol(protocol, ClusteringProtocol)
        return tuple(
            Value("clustered", receptor, reading(self._share(sample, receptor), p.every), "1")
            for receptor in p.receptors
        )

    @staticmethod
    def _share(sample: Sample, receptor: str) -> NDArray[np.float64]:
        return quotient(sample.series(Need("clustered", receptor)), sample.series(Need("surface", receptor)))

    @override
    def measure(
        self, values: Sequence[Value], protocol: Protocol, rng: np.random.Generator, *, technical: int
    ) -> NDArray[np.float64]:
        """Return shares of samples that differ in their staining."""
        cells = own_protocol(protocol, ClusteringProtocol).cells
        shares = np.clip(ends_of(values), 0.0, 1.0)
        return scattered(shares, rng, variation=_SAMPLES, cells=cells, technical=technical)
