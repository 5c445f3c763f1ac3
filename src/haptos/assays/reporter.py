"""Luciferase reporter: activity of a promoter, over a second luciferase that nothing regulates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, override

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from haptos.assays.base import Need, Noise, Sample, Value, own_protocol
from haptos.assays.endpoint import AbstractEndpoint, TimedProtocol, ends_of, over_loading
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

__all__ = ["LuciferaseReporter", "LuciferaseReporterProtocol"]

_FIREFLY, _RENILLA = 0.15, 0.10
_TECHNICAL = combined(_FIREFLY, _RENILLA)


class LuciferaseReporterProtocol(TimedProtocol):
    """Protocol of a dual luciferase measurement."""

    name: Literal["reporter"] = Field("reporter", description="the assay")
    reporters: Entities = Field(min_length=1, max_length=8, description="promoters or response elements")
    duration: AssayDuration = hours(24)


class LuciferaseReporter(AbstractEndpoint):
    """Firefly over Renilla luciferase; light in proportion to the enzyme."""

    name = "reporter"
    label = "luciferase reporter"
    protocol = LuciferaseReporterProtocol
    measures: ClassVar = {"luciferase": "a.u."}
    relative = frozenset({"luciferase"})
    entities = "reporters"
    observation = Noise(
        technical=_TECHNICAL,
        biological=BIOLOGICAL_VARIATION,
        smallest_fold=resolvable_fold(_TECHNICAL),
        floor=1e-6,
        source="assumed: 15 % between transfected wells, 10 % in the control luciferase; background of the luminometer",
    )

    @override
    def needs(self, protocol: Protocol) -> tuple[Need, ...]:
        p = own_protocol(protocol, LuciferaseReporterProtocol)
        return tuple(Need("luciferase", name) for name in p.reporters)

    @override
    def ideal(self, sample: Sample, protocol: Protocol) -> tuple[Value, ...]:
        p = own_protocol(protocol, LuciferaseReporterProtocol)
        return tuple(
            Value("luciferase", need.entity, reading(sample.series(need), p.every), "a.u.") for need in self.needs(p)
        )

    @override
    def measure(
        self, values: Sequence[Value], protocol: Protocol, rng: np.random.Generator, *, technical: int
    ) -> NDArray[np.float64]:
        """Return quotients of two luciferases; the reporters of a sample share the control."""
        own_protocol(protocol, LuciferaseReporterProtocol)
        return over_loading(
            ends_of(values),
            rng,
            band=_FIREFLY,
            loading=_RENILLA,
            technical=technical,
            floor=self.observation.floor,
        )
