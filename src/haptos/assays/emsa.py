"""Gel shift: how much of a labelled DNA probe a transcription factor of nuclear extract holds back."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, override

import numpy as np
from pydantic import Field

from haptos.assays.base import Noise, Picture, Value, own_protocol
from haptos.assays.blots import LOADING_VARIATION, gels, lane_values
from haptos.assays.densitometry import band_volumes
from haptos.assays.endpoint import AbstractEndpoint, TimedProtocol
from haptos.assays.gel_image import BLOT, Band, Strip, draw
from haptos.assays.observation import (
    BIOLOGICAL_VARIATION,
    AssayDuration,
    Entities,
    combined,
    hours,
    lognormal,
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
    read = "shifted"
    bands = (_BAND, LOADING_VARIATION)
    observation = Noise(
        technical=_TECHNICAL,
        biological=BIOLOGICAL_VARIATION,
        smallest_fold=resolvable_fold(_TECHNICAL),
        floor=1e-4,
        source="assumed: 18 % between shifted bands, 10 % between nuclear extracts",
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
        return lane_values({("shifted", name): np.maximum(band_volumes(picture, name), 0.0) for name in p.complexes})
