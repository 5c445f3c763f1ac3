"""Cell cycle analysis: who entered S phase, by a label of new DNA, and the phases, by DNA content."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, override

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
    build_protocol,
    grid,
    hours,
    reading,
    resolvable_fold,
)
from haptos.assays.shares import happened, scattered, scattered_parts
from haptos.conditions.experiment import Protocol
from haptos.core.units import Quantity

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CellCycleAnalysis", "CellCycleProtocol"]

Array = NDArray[np.float64]
_CULTURE = 0.14
_EVERY = 30.0
_ENTRY, _DIVISION = Need("count", "S_entry"), Need("drive", "division")
_AXIS = "DNA content (2N to 4N)"
_CENTRES = channel_centres(1.4, 4.9)
#: Relative width of a peak of DNA content (assumed).
_WIDTH = 0.04
_PHASES = ("s_phase_fraction", "g2m_fraction")


class CellCycleProtocol(TimedProtocol):
    """Protocol of labelling new DNA over the whole assay, with a DNA stain at its end."""

    name: Literal["cell_cycle"] = Field("cell_cycle", description="the assay")
    duration: AssayDuration = hours(24)
    s_phase: AssayDuration = Field(hours(8), description="length of S phase, to tell S from later phases")
    g2_and_mitosis: AssayDuration = Field(hours(4), description="length of G2 and mitosis")
    cells: int = Field(10_000, ge=100, le=1_000_000, description="cells read by flow cytometry")


class CellCycleAnalysis(AbstractEndpoint):
    """Share of cells that entered S phase since the start of the assay, and phases at its end.

    Cells are taken to be in G1 at the start, and to enter S phase once. The lengths of the
    later phases come from the protocol; the network says how far what holds cells in G2 or
    mitosis slows the last of them.
    """

    name = "cell_cycle"
    label = "cell cycle analysis"
    protocol = CellCycleProtocol
    measures: ClassVar = {"s_phase_entry": "1", "s_phase_fraction": "1", "g2m_fraction": "1"}
    observation = Noise(
        technical=_CULTURE,
        biological=BIOLOGICAL_VARIATION,
        smallest_fold=resolvable_fold(_CULTURE),
        floor=0.0,
        source="assumed: 14 % between cultures; 10,000 cells by flow cytometry",
    )

    @override
    def times(self, protocol: Protocol) -> Array:
        p = own_protocol(protocol, CellCycleProtocol)
        return grid(p.duration.value, p.every, _EVERY)

    @override
    def needs(self, protocol: Protocol) -> tuple[Need, ...]:
        own_protocol(protocol, CellCycleProtocol)
        return (_ENTRY, _DIVISION)

    @override
    def ideal(self, sample: Sample, protocol: Protocol) -> tuple[Value, ...]:
        p = own_protocol(protocol, CellCycleProtocol)
        entered = happened(sample.series(_ENTRY))
        through_s = _left(sample.times, entered, np.ones_like(entered), p.s_phase)
        divided = _left(sample.times, through_s, sample.series(_DIVISION), p.g2_and_mitosis)
        series = {
            "s_phase_entry": entered,
            "s_phase_fraction": entered - through_s,
            "g2m_fraction": through_s - divided,
        }
        return tuple(Value(m, "", reading(series[m], p.every), "1") for m in self.measures)

    @override
    def protocol_for(self, measure: str, of: Sequence[str], *, duration: float | None = None) -> Protocol:
        self.require(measure)
        return build_protocol(CellCycleProtocol, duration)

    @override
    def measure(
        self, values: Sequence[Value], protocol: Protocol, rng: np.random.Generator, *, technical: int
    ) -> Array:
        """Return counted shares; the phases of one culture come from one histogram."""
        p = own_protocol(protocol, CellCycleProtocol)
        ideal = ends_of(values)
        entered = scattered(ideal[:1], rng, variation=_CULTURE, cells=p.cells, technical=technical)
        phases = np.append(ideal[1:], max(0.0, 1.0 - float(ideal[1:].sum())))
        counted = scattered_parts(phases, rng, variation=_CULTURE, cells=p.cells, technical=technical)
        return np.concatenate([entered, counted[:2]])

    @override
    def pictures(self, table: pd.DataFrame, protocol: Protocol, rng: np.random.Generator) -> tuple[Picture, ...]:
        own_protocol(protocol, CellCycleProtocol)
        peaks = _peaks()
        pictures = []
        for gel in gels(table):
            s, g2m = (np.clip(gel.amounts(measure, ""), 0.0, 1.0) for measure in _PHASES)
            parts = np.stack([np.maximum(1.0 - s - g2m, 0.0), s, g2m], axis=1)
            parts /= parts.sum(axis=1, keepdims=True)
            title = f"DNA histogram, repeat {gel.replicate}" + (f", run {gel.technical}" if gel.technical else "")
            pictures.append(draw_histograms(parts @ peaks, gel.lanes, _AXIS, title, rng))
        return tuple(pictures)

    @override
    def densitometry(self, picture: Picture, protocol: Protocol) -> tuple[tuple[Value, ...], ...]:
        """Resolve each histogram into the peaks of G1 and G2/M and what lies between."""
        own_protocol(protocol, CellCycleProtocol)
        parts = [unmixed(shares, _peaks()) for shares in distributions(picture, _AXIS)]
        return tuple(
            tuple(Value(measure, "", float(part[1 + i]), "1") for i, measure in enumerate(_PHASES)) for part in parts
        )


def _left(times: Array, arrived: Array, pace: Array, length: Quantity) -> Array:
    """Return who left a phase of a length at full pace; the clock of the cells in it runs at the pace (0..1).

    Examples
    --------
    >>> from haptos.core.units import Quantity
    >>> t, arrived = np.array([0.0, 60.0, 120.0]), np.array([0.2, 0.4, 0.6])
    >>> _left(t, arrived, np.array([1.0, 1.0, 1.0]), Quantity(60.0, "time", "1 h")).round(3).tolist()
    [0.0, 0.2, 0.4]
    >>> _left(t, arrived, np.array([0.5, 0.5, 0.5]), Quantity(60.0, "time", "1 h")).round(3).tolist()
    [0.0, 0.0, 0.2]
    """
    clock = np.concatenate([[0.0], np.cumsum(0.5 * (pace[1:] + pace[:-1]) * np.diff(times))])
    return np.interp(clock - length.value, clock, arrived, left=0.0)


def _peaks() -> Array:
    """Return the histograms of pure G1, S and G2/M cells, shape (3, CHANNELS)."""
    contents = np.linspace(2.0, 4.0, 42)[1:-1]
    s = np.mean([normal_peak(_CENTRES, c, _WIDTH * c) for c in contents], axis=0)
    return np.stack([normal_peak(_CENTRES, 2.0, 2.0 * _WIDTH), s, normal_peak(_CENTRES, 4.0, 4.0 * _WIDTH)])
