"""Flow cytometry: receptors at the surface, and epitopes that only active receptors show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, override

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from haptos.assays.base import Need, Noise, Picture, Sample, Value, own_protocol
from haptos.assays.blots import gels
from haptos.assays.endpoint import AbstractEndpoint, TimedProtocol, ends_of
from haptos.assays.histogram_image import channel_centres, distributions, draw_histograms, normal_peak
from haptos.assays.observation import (
    BIOLOGICAL_VARIATION,
    AssayDuration,
    Entities,
    build_protocol,
    hours,
    lognormal,
    reading,
    resolvable_fold,
)
from haptos.conditions.experiment import Protocol

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["FlowCytometry", "FlowCytometryProtocol"]

_STAINING = 0.10
#: Spread of the logarithm (base 10) of the fluorescence of single cells, and decades of a histogram (assumed).
_CELLS, _DECADES, _BRIGHTEST = 0.18, 4.0, 3.2
_CENTRES = channel_centres(0.0, _DECADES)
_DYES = {"surface": "antibody", "active_epitope": "active epitope"}


class FlowCytometryProtocol(TimedProtocol):
    """Protocol of a staining of living cells, read by flow cytometry."""

    name: Literal["flow_surface_expression"] = Field("flow_surface_expression", description="the assay")
    antigens: Entities = Field((), max_length=12, description="receptors stained by an antibody to any state")
    epitopes: Entities = Field(
        (),
        max_length=12,
        description="receptors stained by an activation-reporting antibody, and beside it by one to any state",
    )
    duration: AssayDuration = hours(24)

    @model_validator(mode="after")
    def _something(self) -> FlowCytometryProtocol:
        if not (self.antigens or self.epitopes):
            raise PydanticCustomError("empty", "name at least one of 'antigens' and 'epitopes'")
        return self


class FlowCytometry(AbstractEndpoint):
    """Geometric mean fluorescence without that of the unstained cells."""

    name = "flow_surface_expression"
    label = "flow cytometry"
    protocol = FlowCytometryProtocol
    measures: ClassVar = {"surface": "a.u.", "active_epitope": "a.u."}
    relative = frozenset({"surface", "active_epitope"})
    observation = Noise(
        technical=_STAINING,
        biological=BIOLOGICAL_VARIATION,
        smallest_fold=resolvable_fold(_STAINING),
        floor=1e-3,
        source="assumed: 10 % between stainings; unstained cells hide about a thousandth of a bright stain",
    )

    @override
    def needs(self, protocol: Protocol) -> tuple[Need, ...]:
        p = own_protocol(protocol, FlowCytometryProtocol)
        receptors = dict.fromkeys((*p.antigens, *p.epitopes))
        return (*(Need("surface", r) for r in receptors), *(Need("active_epitope", r) for r in p.epitopes))

    @override
    def ideal(self, sample: Sample, protocol: Protocol) -> tuple[Value, ...]:
        p = own_protocol(protocol, FlowCytometryProtocol)
        return tuple(
            Value(need.measure, need.entity, reading(sample.series(need), p.every), "a.u.") for need in self.needs(p)
        )

    @override
    def protocol_for(self, measure: str, of: Sequence[str], *, duration: float | None = None) -> Protocol:
        self.require(measure)
        field = {"surface": "antigens", "active_epitope": "epitopes"}[measure]
        return build_protocol(FlowCytometryProtocol, duration, **{field: tuple(of)})

    @override
    def measure(
        self, values: Sequence[Value], protocol: Protocol, rng: np.random.Generator, *, technical: int
    ) -> NDArray[np.float64]:
        """Return mean fluorescences; each dye scatters by itself."""
        own_protocol(protocol, FlowCytometryProtocol)
        ideal = ends_of(values)
        stained = ideal[:, None] * lognormal(rng, _STAINING, (ideal.size, technical))
        measured: NDArray[np.float64] = np.maximum(stained, self.observation.floor)
        return measured

    @override
    def pictures(self, table: pd.DataFrame, protocol: Protocol, rng: np.random.Generator) -> tuple[Picture, ...]:
        """Draw the histogram of each stain over four decades, scaled so that the brightest arm stays on it."""
        p = own_protocol(protocol, FlowCytometryProtocol)
        pictures = []
        for gel in gels(table):
            for need in self.needs(p):
                means = gel.amounts(need.measure, need.entity)
                decades = np.log10(means / means.max()) + _BRIGHTEST
                shapes = np.array([normal_peak(_CENTRES, middle, _CELLS) for middle in np.maximum(decades, 0.0)])
                title = f"flow cytometry, repeat {gel.replicate}" + (f", run {gel.technical}" if gel.technical else "")
                pictures.append(draw_histograms(shapes, gel.lanes, _axis(need), title, rng))
        return tuple(pictures)

    @override
    def densitometry(self, picture: Picture, protocol: Protocol) -> tuple[tuple[Value, ...], ...]:
        """Read the geometric mean fluorescence from the one stain a picture shows."""
        p = own_protocol(protocol, FlowCytometryProtocol)
        shown = next(need for need in self.needs(p) if _axis(need) in picture.bands)
        means = 10.0 ** (distributions(picture, _axis(shown)) @ _CENTRES - _BRIGHTEST)
        return tuple((Value(shown.measure, shown.entity, float(mean), "a.u."),) for mean in means)


def _axis(need: Need) -> str:
    return f"{need.entity} {_DYES[need.measure]} (log)"
