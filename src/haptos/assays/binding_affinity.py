"""Ligand binding: affinity of receptors for a soluble monovalent ligand, which sees no clustering."""

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
    lognormal,
    reading,
    resolvable_fold,
)
from haptos.assays.shares import quotient, scattered
from haptos.conditions.experiment import Protocol

__all__ = ["BindingAffinity", "BindingAffinityProtocol"]

_TITRATION = 0.15
_READ = ("bound", "high_affinity", "surface", "affinity")


class BindingAffinityProtocol(TimedProtocol):
    """Protocol of a titration with a soluble monovalent ligand."""

    name: Literal["binding_affinity"] = Field("binding_affinity", description="the assay")
    receptors: Entities = Field(min_length=1, max_length=12, description="receptors, single or a class")
    duration: AssayDuration = hours(1)
    cells: int = Field(10_000, ge=100, le=1_000_000, description="cells per titration, read by flow cytometry")


class BindingAffinity(AbstractEndpoint):
    """Share of the surface receptors in the high-affinity state or with ligand, and mean association constant."""

    name = "binding_affinity"
    label = "ligand binding"
    protocol = BindingAffinityProtocol
    measures: ClassVar = {"high_affinity": "1", "affinity": "1/nM", "bound": "1"}
    entities = "receptors"
    observation = Noise(
        technical=_TITRATION,
        biological=BIOLOGICAL_VARIATION,
        smallest_fold=resolvable_fold(_TITRATION),
        floor=0.0,
        source="assumed: 15 % between titrations; cells by flow cytometry",
    )

    @override
    def needs(self, protocol: Protocol) -> tuple[Need, ...]:
        p = own_protocol(protocol, BindingAffinityProtocol)
        return tuple(Need(measure, receptor) for receptor in p.receptors for measure in _READ)

    @override
    def ideal(self, sample: Sample, protocol: Protocol) -> tuple[Value, ...]:
        p = own_protocol(protocol, BindingAffinityProtocol)
        values: list[Value] = []
        for receptor in p.receptors:
            bound, high, surface, affinity = (sample.series(Need(measure, receptor)) for measure in _READ)
            series = {"high_affinity": quotient(high, surface), "affinity": affinity, "bound": quotient(bound, surface)}
            values += [Value(m, receptor, reading(series[m], p.every), unit) for m, unit in self.measures.items()]
        return tuple(values)

    @override
    def measure(
        self, values: Sequence[Value], protocol: Protocol, rng: np.random.Generator, *, technical: int
    ) -> NDArray[np.float64]:
        """Return shares within 0 and 1, and association constants with log-normal scatter."""
        cells = own_protocol(protocol, BindingAffinityProtocol).cells
        ideal = ends_of(values)
        measured = ideal[:, None] * lognormal(rng, _TITRATION, (ideal.size, technical))
        for i, value in enumerate(values):
            if value.unit == "1":
                share = np.clip(ideal[i : i + 1], 0.0, 1.0)
                measured[i] = scattered(share, rng, variation=_TITRATION, cells=cells, technical=technical)[0]
        return measured
