"""Gelatin zymography: latent and activated gelatinases of conditioned medium.

Detergent parts the enzymes from their inhibitors and unfolds the latent form, so both
forms digest the gel after renaturation, inhibited or not in the medium.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, override

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from haptos.assays.base import Need, Noise, Picture, Sample, Value, own_protocol
from haptos.assays.blots import gels
from haptos.assays.densitometry import band_volumes
from haptos.assays.endpoint import AbstractEndpoint, TimedProtocol
from haptos.assays.gel_image import ZYMOGRAM, Band, Strip, draw
from haptos.assays.masses import gelatinase_masses, gelatinases
from haptos.assays.observation import (
    BIOLOGICAL_VARIATION,
    Entities,
    combined,
    lognormal,
    reading,
    resolvable_fold,
    saturate,
)
from haptos.conditions.experiment import Protocol
from haptos.core.specs import Concentration

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Zymography", "ZymographyProtocol"]

Array = NDArray[np.float64]
_BAND, _VOLUME = 0.12, 0.10
_FORMS = ("pro", "active")
_TECHNICAL = combined(_BAND, _VOLUME)
#: Rows of the drawn piece of gel, and the masses at its first and last row [kDa].
_HEIGHT, _TOP, _BOTTOM = 400, 120.0, 54.0


class ZymographyProtocol(TimedProtocol):
    """Protocol of a gelatin zymogram of medium conditioned without serum."""

    name: Literal["zymography"] = Field("zymography", description="the assay")
    enzymes: Entities = Field(("MMP9",), min_length=1, description="gelatinases to read: MMP9, MMP2")
    saturation: Concentration | None = Field(
        None, description="enzyme at which half the gelatin of a band is digested; left out: linear range"
    )

    @model_validator(mode="after")
    def _admissible(self) -> ZymographyProtocol:
        wrong = [enzyme for enzyme in self.enzymes if enzyme not in gelatinases()]
        if wrong:
            raise PydanticCustomError(
                "gelatinase",
                "{wrong} cannot be seen on a gelatin zymogram",
                {"wrong": ", ".join(wrong), "allowed": ", ".join(gelatinases())},
            )
        if self.saturation is not None and self.saturation.value <= 0.0:
            raise PydanticCustomError("saturation", "saturation must be greater than 0")
        return self


class Zymography(AbstractEndpoint):
    """Clear bands of digested gelatin on a stained gel."""

    name = "zymography"
    label = "gelatin zymography"
    protocol = ZymographyProtocol
    measures: ClassVar = {"active": "a.u.", "pro": "a.u.", "total": "a.u.", "active_fraction": "1"}
    relative = frozenset({"active", "pro", "total"})
    entities = "enzymes"
    observation = Noise(
        technical=_TECHNICAL,
        biological=BIOLOGICAL_VARIATION,
        smallest_fold=resolvable_fold(_TECHNICAL),
        floor=1e-3,
        source="assumed: 12 % between bands, 10 % between loaded volumes; detection from about 2 pg in 20 µL",
    )

    @override
    def fresh_medium(self, protocol: Protocol) -> bool:
        own_protocol(protocol, ZymographyProtocol)
        return True

    @override
    def needs(self, protocol: Protocol) -> tuple[Need, ...]:
        p = own_protocol(protocol, ZymographyProtocol)
        return tuple(Need(form, enzyme) for enzyme in p.enzymes for form in _FORMS)

    @override
    def ideal(self, sample: Sample, protocol: Protocol) -> tuple[Value, ...]:
        p = own_protocol(protocol, ZymographyProtocol)
        values: list[Value] = []
        for enzyme in p.enzymes:
            pro, active = (saturate(sample.series(Need(form, enzyme)), p.saturation) for form in _FORMS)
            series = _derived(pro, active)
            values += [Value(m, enzyme, reading(series[m], p.every), unit) for m, unit in self.measures.items()]
        return tuple(values)

    @override
    def measure(
        self, values: Sequence[Value], protocol: Protocol, rng: np.random.Generator, *, technical: int
    ) -> Array:
        """Return bands with the noise of the band and of the lane; sums and shares follow from them."""
        floor = self.noise(protocol).floor
        ideal = {(v.measure, v.of): float(np.ravel(v.value)[-1]) for v in values}
        lane = lognormal(rng, _VOLUME, (technical,))
        read: dict[str, Mapping[str, Array]] = {}
        for enzyme in own_protocol(protocol, ZymographyProtocol).enzymes:
            pro, active = (
                np.maximum(ideal[form, enzyme] * lane * lognormal(rng, _BAND, (technical,)), floor) for form in _FORMS
            )
            read[enzyme] = _derived(pro, active)
        return np.array([read[v.of][v.measure] for v in values])

    @override
    def pictures(self, table: pd.DataFrame, protocol: Protocol, rng: np.random.Generator) -> tuple[Picture, ...]:
        p = own_protocol(protocol, ZymographyProtocol)
        pictures = []
        for gel in gels(table):
            bands = tuple(
                Band(_label(mass), _row(mass), gel.amounts(form, enzyme))
                for enzyme in p.enzymes
                for form, mass in gelatinase_masses(enzyme).items()
            )
            title = f"gelatin zymogram, repeat {gel.replicate}" + (f", gel {gel.technical}" if gel.technical else "")
            pictures.append(draw([Strip(_HEIGHT, bands)], gel.lanes, ZYMOGRAM, title, rng))
        return tuple(pictures)

    @override
    def densitometry(self, picture: Picture, protocol: Protocol) -> tuple[tuple[Value, ...], ...]:
        p = own_protocol(protocol, ZymographyProtocol)
        series: dict[tuple[str, str], Array] = {}
        for enzyme in p.enzymes:
            masses = gelatinase_masses(enzyme)
            pro, active = (np.maximum(band_volumes(picture, _label(masses[form])), 0.0) for form in _FORMS)
            series.update({(m, enzyme): column for m, column in _derived(pro, active).items()})
        return tuple(
            tuple(Value(m, enzyme, float(column[lane]), self.measures[m]) for (m, enzyme), column in series.items())
            for lane in range(len(picture.lanes))
        )


def _derived(pro: Array, active: Array) -> dict[str, Array]:
    """Return all measures from the two bands."""
    total = pro + active
    share = np.divide(active, total, out=np.zeros_like(total), where=total > 0.0)
    return {"active": active, "pro": pro, "total": total, "active_fraction": share}


def _label(mass: float) -> str:
    return f"{mass:g} kDa"


def _row(mass: float) -> float:
    """Return the row at which a mass runs: the logarithm of the mass falls evenly down the gel."""
    return _HEIGHT * math.log(_TOP / mass) / math.log(_TOP / _BOTTOM)
