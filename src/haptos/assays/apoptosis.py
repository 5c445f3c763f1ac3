"""Apoptosis: dead cells by annexin V, caspase activity, cytochrome c outside the mitochondria."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, override

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from haptos.assays.base import Need, Noise, Picture, Sample, Value, own_protocol
from haptos.assays.blots import gels
from haptos.assays.endpoint import AbstractEndpoint, TimedProtocol, ends_of
from haptos.assays.histogram_image import channel_centres, distributions, draw_histograms, normal_peak, unmixed
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
from haptos.assays.shares import happened, quotient, scattered
from haptos.conditions.experiment import Protocol

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ApoptosisAssay", "ApoptosisProtocol"]

Array = NDArray[np.float64]
_CULTURE, _SUBSTRATE = 0.16, 0.12
_DEATH = Need("count", "death")
_AXIS = "annexin V (log)"
_CENTRES = channel_centres(0.0, 4.0)
#: Middles (decades) and width of the stain of living and of dead cells (assumed).
_ALIVE, _DEAD, _SPREAD = 1.1, 2.9, 0.24
_CASPASE, _CASPASES = "CASP", "caspases"
#: Caspase whose substrate the usual kits hold.
_USUAL = "CASP3"


class ApoptosisProtocol(TimedProtocol):
    """Protocol of an annexin V count, with kinetic assays beside it on request."""

    name: Literal["apoptosis"] = Field("apoptosis", description="the assay")
    caspases: Entities = Field((), max_length=6, description="caspases whose substrate is added")
    freed: Entities = Field(
        (), max_length=6, description="proteins whose release from the cytoskeleton is followed, for instance BMF"
    )
    cytochrome_c: bool = Field(default=False, description="fractionate and blot for cytochrome c")
    duration: AssayDuration = hours(24)
    cells: int = Field(10_000, ge=100, le=1_000_000, description="cells counted by flow cytometry")


class ApoptosisAssay(AbstractEndpoint):
    """Share of cells that died since the start, and what their caspases and mitochondria do."""

    name = "apoptosis"
    label = "apoptosis assay"
    protocol = ApoptosisProtocol
    measures: ClassVar = {
        "apoptotic_fraction": "1",
        "caspase_activity": "a.u.",
        "unbound": "1",
        "cytochrome_c_release": "1",
    }
    relative = frozenset({"caspase_activity"})
    observation = Noise(
        technical=_CULTURE,
        biological=BIOLOGICAL_VARIATION,
        smallest_fold=resolvable_fold(_CULTURE),
        floor=0.0,
        source="assumed: 16 % between cultures and fractionations, 12 % between caspase substrates; cells are binomial",
    )

    @override
    def needs(self, protocol: Protocol) -> tuple[Need, ...]:
        p = own_protocol(protocol, ApoptosisProtocol)
        needs = [_DEATH, *(Need("caspase", name) for name in p.caspases)]
        needs += [Need(measure, name) for name in p.freed for measure in ("unbound", "level")]
        needs += [Need(measure, "CYCS") for measure in ("released", "level")] if p.cytochrome_c else []
        return tuple(dict.fromkeys(needs))

    @override
    def ideal(self, sample: Sample, protocol: Protocol) -> tuple[Value, ...]:
        p = own_protocol(protocol, ApoptosisProtocol)
        series = [("apoptotic_fraction", "", happened(sample.series(_DEATH)))]
        series += [("caspase_activity", name, sample.series(Need("caspase", name))) for name in p.caspases]
        series += [("unbound", name, _share(sample, "unbound", name)) for name in p.freed]
        series += [("cytochrome_c_release", "", _share(sample, "released", "CYCS"))] if p.cytochrome_c else []
        return tuple(Value(m, of, reading(course, p.every), self.measures[m]) for m, of, course in series)

    @override
    def protocol_for(self, measure: str, of: Sequence[str], *, duration: float | None = None) -> Protocol:
        """Return the protocol; among `of`, what is no caspase is followed by its release; none means caspase-3."""
        self.require(measure)
        enzymes = tuple(n for n in of or (_USUAL,) if n.startswith(_CASPASE) or n == _CASPASES)
        others = tuple(n for n in of if n not in enzymes)
        choices: Mapping[str, Mapping[str, Any]] = {
            "caspase_activity": {"caspases": enzymes, "freed": others},
            "unbound": {"freed": tuple(of)},
            "cytochrome_c_release": {"cytochrome_c": True},
        }
        return build_protocol(ApoptosisProtocol, duration, **choices.get(measure, {}))

    @override
    def measure(
        self, values: Sequence[Value], protocol: Protocol, rng: np.random.Generator, *, technical: int
    ) -> Array:
        """Return counted shares, and caspase activities with the scatter of their substrates."""
        cells = own_protocol(protocol, ApoptosisProtocol).cells
        ideal = ends_of(values)
        measured = ideal[:, None] * lognormal(rng, _SUBSTRATE, (ideal.size, technical))
        for i, value in enumerate(values):
            if value.unit == "1":
                share = np.clip(ideal[i : i + 1], 0.0, 1.0)
                measured[i] = scattered(share, rng, variation=_CULTURE, cells=cells, technical=technical)[0]
        return measured

    @override
    def pictures(self, table: pd.DataFrame, protocol: Protocol, rng: np.random.Generator) -> tuple[Picture, ...]:
        own_protocol(protocol, ApoptosisProtocol)
        pictures = []
        for gel in gels(table):
            dead = np.clip(gel.amounts("apoptotic_fraction", ""), 0.0, 1.0)
            shapes = np.stack([1.0 - dead, dead], axis=1) @ _peaks()
            title = f"annexin V, repeat {gel.replicate}" + (f", run {gel.technical}" if gel.technical else "")
            pictures.append(draw_histograms(shapes, gel.lanes, _AXIS, title, rng))
        return tuple(pictures)

    @override
    def densitometry(self, picture: Picture, protocol: Protocol) -> tuple[tuple[Value, ...], ...]:
        """Resolve each histogram into living and dead cells."""
        own_protocol(protocol, ApoptosisProtocol)
        parts = [unmixed(shares, _peaks()) for shares in distributions(picture, _AXIS)]
        return tuple((Value("apoptotic_fraction", "", float(part[1]), "1"),) for part in parts)


def _share(sample: Sample, measure: str, protein: str) -> Array:
    return quotient(sample.series(Need(measure, protein)), sample.series(Need("level", protein)))


def _peaks() -> Array:
    """Return the histograms of living and of dead cells, shape (2, CHANNELS)."""
    return np.stack([normal_peak(_CENTRES, middle, _SPREAD) for middle in (_ALIVE, _DEAD)])
