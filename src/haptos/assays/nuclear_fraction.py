"""Nuclear fractionation: how much of a protein is in the nucleus.

Fractions are never clean: a share of the cytoplasm sticks to the nuclei and some nuclei
leak. Both shares enter the ideal reading at their usual size and vary between preparations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, override

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from haptos.assays.base import Need, Noise, Picture, Sample, Value, own_protocol
from haptos.assays.blots import LOADING_VARIATION, Gel, blot, lane_values, relative_volumes
from haptos.assays.endpoint import AbstractEndpoint, TimedProtocol
from haptos.assays.masses import band_label
from haptos.assays.observation import (
    BIOLOGICAL_VARIATION,
    Entities,
    combined,
    lognormal,
    reading,
    resolvable_fold,
)
from haptos.conditions.experiment import Protocol
from haptos.core.specs import QuantityOf
from haptos.core.units import Quantity

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NuclearFraction", "NuclearFractionProtocol"]

Array = NDArray[np.float64]
_BAND, _IMPURITY = 0.12, 0.40
_MARKERS = {"nuclear": "LMNB1", "cytoplasmic": "TUBA1B"}
_TECHNICAL = combined(_BAND, LOADING_VARIATION)
_Impurity = Annotated[Quantity, QuantityOf("fraction", minimum=0.0, maximum=0.3)]


class NuclearFractionProtocol(TimedProtocol):
    """Protocol of a fractionation with blots of both fractions."""

    name: Literal["nuclear_fraction"] = Field("nuclear_fraction", description="the assay")
    proteins: Entities = Field(min_length=1, max_length=12, description="proteins to stain for")
    cytoplasm_in_nuclei: _Impurity = Field(
        Quantity(0.05, "fraction", "5 %"), description="share of the cytoplasm that stays with the nuclei"
    )
    nuclei_in_cytoplasm: _Impurity = Field(
        Quantity(0.05, "fraction", "5 %"), description="share of the nuclear content that leaks out"
    )


class NuclearFraction(AbstractEndpoint):
    """Nuclear and cytoplasmic fraction of the same cells, each over its marker protein."""

    name = "nuclear_fraction"
    label = "nuclear fractionation"
    protocol = NuclearFractionProtocol
    measures: ClassVar = {
        "nuclear": "a.u.",
        "cytoplasmic": "a.u.",
        "nuclear_to_cytoplasmic": "1",
        "nuclear_share": "1",
    }
    relative = frozenset({"nuclear", "cytoplasmic"})
    entities = "proteins"
    observation = Noise(
        technical=_TECHNICAL,
        biological=BIOLOGICAL_VARIATION,
        smallest_fold=resolvable_fold(_TECHNICAL),
        floor=0.01,
        source="assumed: 12 % between bands, 10 % between markers, impurities vary by 40 % between preparations",
    )

    @override
    def needs(self, protocol: Protocol) -> tuple[Need, ...]:
        p = own_protocol(protocol, NuclearFractionProtocol)
        return tuple(Need(place, protein) for protein in p.proteins for place in _MARKERS)

    @override
    def ideal(self, sample: Sample, protocol: Protocol) -> tuple[Value, ...]:
        p = own_protocol(protocol, NuclearFractionProtocol)
        stuck, leaked = np.array([p.cytoplasm_in_nuclei.value]), np.array([p.nuclei_in_cytoplasm.value])
        values: list[Value] = []
        for protein in p.proteins:
            nuclear, cytoplasmic = (sample.series(Need(place, protein)) for place in _MARKERS)
            series = _derived(*_mixed(nuclear, cytoplasmic, stuck, leaked))
            values += [Value(m, protein, reading(series[m], p.every), unit) for m, unit in self.measures.items()]
        return tuple(values)

    @override
    def measure(
        self, values: Sequence[Value], protocol: Protocol, rng: np.random.Generator, *, technical: int
    ) -> Array:
        """Return both fractions from preparations of varying purity, and what follows from them."""
        p = own_protocol(protocol, NuclearFractionProtocol)
        ideal = {(v.measure, v.of): float(np.ravel(v.value)[-1]) for v in values}
        stuck, leaked = p.cytoplasm_in_nuclei.value, p.nuclei_in_cytoplasm.value
        impure = np.minimum(lognormal(rng, _IMPURITY, (2, technical)), 3.0)
        markers = lognormal(rng, LOADING_VARIATION, (2, technical), divisor=True)
        read: dict[str, Mapping[str, Array]] = {}
        for protein in p.proteins:
            clean = np.linalg.solve(
                [[1.0 - leaked, stuck], [leaked, 1.0 - stuck]],
                [ideal["nuclear", protein], ideal["cytoplasmic", protein]],
            )
            fractions = _mixed(clean[0], clean[1], stuck * impure[0], leaked * impure[1])
            bands = lognormal(rng, _BAND, (2, technical)) / markers
            read[protein] = _derived(*np.maximum(np.stack(fractions) * bands, self.observation.floor))
        return np.array([read[v.of][v.measure] for v in values])

    @override
    def pictures(self, table: pd.DataFrame, protocol: Protocol, rng: np.random.Generator) -> tuple[Picture, ...]:
        p = own_protocol(protocol, NuclearFractionProtocol)
        pictures: tuple[Picture, ...] = ()
        for place, marker in _MARKERS.items():

            def targets(gel: Gel, place: str = place) -> Mapping[str, Array]:
                return {band_label(protein, place): gel.amounts(place, protein) for protein in p.proteins}

            pictures += blot(table, f"{place} fraction", targets, [band_label(marker)], rng)
        return pictures

    @override
    def densitometry(self, picture: Picture, protocol: Protocol) -> tuple[tuple[Value, ...], ...]:
        """Read one fraction; each picture shows the nuclear or the cytoplasmic one."""
        p = own_protocol(protocol, NuclearFractionProtocol)
        columns = {
            (place, protein): relative_volumes(picture, band_label(protein, place), band_label(marker))
            for place, marker in _MARKERS.items()
            for protein in p.proteins
            if band_label(protein, place) in picture.bands
        }
        return lane_values(columns)


def _mixed(nuclear: Array, cytoplasmic: Array, stuck: Array, leaked: Array) -> tuple[Array, Array]:
    """Return the nuclear and the cytoplasmic fraction as prepared; their sum is that of the cells."""
    return (
        (1.0 - leaked) * nuclear + stuck * cytoplasmic,
        leaked * nuclear + (1.0 - stuck) * cytoplasmic,
    )


def _derived(nuclear: Array, cytoplasmic: Array) -> dict[str, Array]:
    total = nuclear + cytoplasmic
    return {
        "nuclear": nuclear,
        "cytoplasmic": cytoplasmic,
        "nuclear_to_cytoplasmic": np.divide(nuclear, cytoplasmic, out=np.zeros_like(total), where=cytoplasmic > 0.0),
        "nuclear_share": np.divide(nuclear, total, out=np.zeros_like(total), where=total > 0.0),
    }
