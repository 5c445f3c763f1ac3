"""Live imaging: where a labelled protein is in the cell."""

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
    build_protocol,
    combined,
    hours,
    lognormal,
    reading,
    resolvable_fold,
)
from haptos.assays.shares import quotient, scattered
from haptos.conditions.experiment import Protocol

__all__ = ["LiveImaging", "LiveImagingProtocol"]

_SESSION, _CELL = 0.12, 0.40
_USUAL_CELLS = 30
_NEEDS = {
    "at_membrane": ("at_membrane",),
    "at_focal_adhesions": ("at_adhesions",),
    "unbound": ("unbound", "level"),
}


class LiveImagingProtocol(TimedProtocol):
    """Protocol of the imaging of labelled proteins in living cells."""

    name: Literal["live_imaging_localization"] = Field("live_imaging_localization", description="the assay")
    proteins: Entities = Field(min_length=1, max_length=8, description="labelled proteins")
    place: Literal["at_membrane", "at_focal_adhesions", "unbound"] = Field(
        "at_membrane",
        description="plasma membrane, focal adhesions, or the share that is not bound to the cytoskeleton",
    )
    duration: AssayDuration = hours(1)
    cells: int = Field(_USUAL_CELLS, ge=5, le=10_000, description="cells imaged per arm")


class LiveImaging(AbstractEndpoint):
    """Mean over cells of the label at one place; the cell is not drawn.

    Front, rear, trail and vesicles of a moving cell need the cell mechanics, which adds its
    measures to this assay.
    """

    name = "live_imaging_localization"
    label = "live imaging"
    protocol = LiveImagingProtocol
    measures: ClassVar = {"at_membrane": "a.u.", "at_focal_adhesions": "a.u.", "unbound": "1"}
    relative = frozenset({"at_membrane", "at_focal_adhesions"})
    entities = "proteins"

    @override
    def noise(self, protocol: Protocol) -> Noise:
        spread = _spread(own_protocol(protocol, LiveImagingProtocol))
        return Noise(
            technical=spread,
            biological=BIOLOGICAL_VARIATION,
            smallest_fold=resolvable_fold(spread),
            floor=1e-4,
            source="assumed: 12 % between sessions, 40 % between cells",
        )

    @override
    def needs(self, protocol: Protocol) -> tuple[Need, ...]:
        p = own_protocol(protocol, LiveImagingProtocol)
        return tuple(Need(measure, protein) for protein in p.proteins for measure in _NEEDS[p.place])

    @override
    def ideal(self, sample: Sample, protocol: Protocol) -> tuple[Value, ...]:
        p = own_protocol(protocol, LiveImagingProtocol)
        values = []
        for protein in p.proteins:
            series = [sample.series(Need(measure, protein)) for measure in _NEEDS[p.place]]
            seen = quotient(*series) if len(series) == 2 else series[0]
            values.append(Value(p.place, protein, reading(seen, p.every), self.measures[p.place]))
        return tuple(values)

    @override
    def protocol_for(self, measure: str, of: Sequence[str], *, duration: float | None = None) -> Protocol:
        self.require(measure)
        return build_protocol(LiveImagingProtocol, duration, proteins=tuple(of), place=measure)

    @override
    def measure(
        self, values: Sequence[Value], protocol: Protocol, rng: np.random.Generator, *, technical: int
    ) -> NDArray[np.float64]:
        """Return means over the cells of a session; shares stay within 0 and 1."""
        p = own_protocol(protocol, LiveImagingProtocol)
        ideal = ends_of(values)
        if p.place == "unbound":
            share = np.clip(ideal, 0.0, 1.0)
            return scattered(share, rng, variation=_spread(p), cells=1_000_000, technical=technical)
        return np.maximum(ideal[:, None] * lognormal(rng, _spread(p), (ideal.size, technical)), self.noise(p).floor)


def _spread(protocol: LiveImagingProtocol) -> float:
    """Return the coefficient of variation of the mean of a session."""
    return combined(_SESSION, _CELL / protocol.cells**0.5)
