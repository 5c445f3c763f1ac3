"""Gel shift: how much of a labelled DNA probe a transcription factor of nuclear extract holds back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, override

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from haptos.assays.base import Need, Noise, Picture, Sample, Value, own_protocol
from haptos.assays.blots import LOADING_VARIATION, gels
from haptos.assays.densitometry import band_volumes
from haptos.assays.endpoint import AbstractEndpoint, TimedProtocol, ends_of, over_loading
from haptos.assays.gel_image import BLOT, Band, Strip, draw
from haptos.assays.observation import (
    BIOLOGICAL_VARIATION,
    AssayDuration,
    Entities,
    combined,
    hours,
    lognormal,
    reading,
    resolvable_fold,
)
from haptos.conditions.experiment import Protocol

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GelShift", "GelShiftProtocol"]

_BAND, _FREE = 0.18, "free probe"
_TECHNICAL = combined(_BAND, LOADING_VARIATION)
_HEIGHT = 76


class GelShiftProtocol(TimedProtocol):
    """Protocol of a gel shift with nuclear extract; the probe is in excess."""

    name: Literal["emsa"] = Field("emsa", description="the assay")
    complexes: Entities = Field(min_length=1, max_length=4, description="factors that shift the probe")
    duration: AssayDuration = hours(24)


class GelShift(AbstractEndpoint):
    """Probe in the shifted band, for equal amounts of nuclear extract."""

    name = "emsa"
    label = "gel shift"
    protocol = GelShiftProtocol
    measures: ClassVar = {"shifted": "a.u."}
    relative = frozenset({"shifted"})
    entities = "complexes"
    observation = Noise(
        technical=_TECHNICAL,
        biological=BIOLOGICAL_VARIATION,
        smallest_fold=resolvable_fold(_TECHNICAL),
        floor=1e-4,
        source="assumed: 18 % between shifted bands, 10 % between nuclear extracts",
    )

    @override
    def needs(self, protocol: Protocol) -> tuple[Need, ...]:
        return tuple(Need("shifted", name) for name in own_protocol(protocol, GelShiftProtocol).complexes)

    @override
    def ideal(self, sample: Sample, protocol: Protocol) -> tuple[Value, ...]:
        p = own_protocol(protocol, GelShiftProtocol)
        return tuple(
            Value("shifted", need.entity, reading(sample.series(need), p.every), "a.u.") for need in self.needs(p)
        )

    @override
    def measure(
        self, values: Sequence[Value], protocol: Protocol, rng: np.random.Generator, *, technical: int
    ) -> NDArray[np.float64]:
        """Return shifted bands; those of a lane share the extract."""
        own_protocol(protocol, GelShiftProtocol)
        return over_loading(
            ends_of(values),
            rng,
            band=_BAND,
            loading=LOADING_VARIATION,
            technical=technical,
            floor=self.observation.floor,
        )

    @override
    def pictures(self, table: pd.DataFrame, protocol: Protocol, rng: np.random.Generator) -> tuple[Picture, ...]:
        """Draw the autoradiograph: shifted bands above, the free probe in excess below."""
        p = own_protocol(protocol, GelShiftProtocol)
        pictures = []
        for gel in gels(table):
            shifted = [
                Strip(_HEIGHT, (Band(name, 0.5 * _HEIGHT, gel.amounts("shifted", name)),)) for name in p.complexes
            ]
            free = lognormal(rng, 0.05, (len(gel.lanes),))
            title = f"gel shift, repeat {gel.replicate}" + (f", gel {gel.technical}" if gel.technical else "")
            strips = [*shifted, Strip(_HEIGHT, (Band(_FREE, 0.5 * _HEIGHT, free),))]
            pictures.append(draw(strips, gel.lanes, BLOT, title, rng))
        return tuple(pictures)

    @override
    def densitometry(self, picture: Picture, protocol: Protocol) -> tuple[tuple[Value, ...], ...]:
        p = own_protocol(protocol, GelShiftProtocol)
        volumes = {name: np.maximum(band_volumes(picture, name), 0.0) for name in p.complexes}
        return tuple(
            tuple(Value("shifted", name, float(volumes[name][lane]), "a.u.") for name in p.complexes)
            for lane in range(len(picture.lanes))
        )
