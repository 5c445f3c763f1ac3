"""Phospho blot: phosphorylation of a site over total protein or over loading, and activity of kinases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, override

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from haptos.assays.base import Need, Noise, Picture, Sample, Value, own_protocol
from haptos.assays.blots import LOADING_VARIATION, Gel, blot, lane_values, relative_volumes
from haptos.assays.endpoint import AbstractEndpoint, TimedProtocol
from haptos.assays.masses import band_label, protein_of
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
from haptos.conditions.experiment import Protocol

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PhosphoBlot", "PhosphoBlotProtocol"]

_SITE, _TOTAL, _ACTIVITY = 0.18, 0.12, 0.18
_CONTROL = "ACTB"
_TECHNICAL = combined(_SITE, _TOTAL)


class PhosphoBlotProtocol(TimedProtocol):
    """Protocol of a phospho blot."""

    name: Literal["phospho_blot"] = Field("phospho_blot", description="the assay")
    sites: Entities = Field((), max_length=8, description="phosphorylated sites, for instance RELA_pS536")
    activities: Entities = Field((), max_length=8, description="kinases whose activity is measured")
    totals: Entities = Field((), max_length=8, description="further proteins whose total is stained")
    over: Literal["total", "loading"] = Field(
        "total", description="what a phospho band is divided by; 'loading' where arms differ in the protein itself"
    )
    duration: AssayDuration = hours(1)

    @model_validator(mode="after")
    def _something(self) -> PhosphoBlotProtocol:
        if not (self.sites or self.activities or self.totals):
            raise PydanticCustomError("empty", "name at least one of 'sites', 'activities' and 'totals'")
        return self

    @property
    def proteins(self) -> tuple[str, ...]:
        """The proteins stained for their total."""
        return tuple(dict.fromkeys([*(protein_of(site) for site in self.sites), *self.totals]))


class PhosphoBlot(AbstractEndpoint):
    """Phospho band over total band, total band over loading control, kinase assay over loading."""

    name = "phospho_blot"
    label = "phospho blot"
    protocol = PhosphoBlotProtocol
    measures: ClassVar = {"phosphorylation": "a.u.", "activity": "a.u.", "level": "a.u."}
    relative = frozenset({"phosphorylation", "activity", "level"})
    observation = Noise(
        technical=_TECHNICAL,
        biological=BIOLOGICAL_VARIATION,
        smallest_fold=resolvable_fold(_TECHNICAL),
        floor=1e-4,
        source="assumed: 18 % between phospho bands and kinase assays, 12 % between totals, 10 % between controls",
    )

    @override
    def needs(self, protocol: Protocol) -> tuple[Need, ...]:
        p = own_protocol(protocol, PhosphoBlotProtocol)
        sites = [Need("phosphorylation", site) for site in p.sites]
        kinases = [Need("activity", kinase) for kinase in p.activities]
        return (*sites, *(Need("level", protein) for protein in p.proteins), *kinases)

    @override
    def ideal(self, sample: Sample, protocol: Protocol) -> tuple[Value, ...]:
        p = own_protocol(protocol, PhosphoBlotProtocol)
        values = []
        for need in self.needs(p):
            series = sample.series(need)
            if need.measure == "phosphorylation" and p.over == "total":
                total = sample.series(Need("level", protein_of(need.entity)))
                series = np.divide(series, total, out=np.zeros_like(series), where=total > 0.0)
            values.append(Value(need.measure, need.entity, reading(series, p.every), self.measures[need.measure]))
        return tuple(values)

    @override
    def protocol_for(self, measure: str, of: Sequence[str], *, duration: float | None = None) -> Protocol:
        self.require(measure)
        field = {"phosphorylation": "sites", "activity": "activities", "level": "totals"}[measure]
        return build_protocol(PhosphoBlotProtocol, duration, **{field: tuple(of)})

    @override
    def measure(
        self, values: Sequence[Value], protocol: Protocol, rng: np.random.Generator, *, technical: int
    ) -> NDArray[np.float64]:
        """Return noisy quotients; a site and its total share the total band, all share the loading."""
        own = own_protocol(protocol, PhosphoBlotProtocol)
        proteins = own.proteins
        floor = self.noise(protocol).floor
        totals = dict(zip(proteins, lognormal(rng, _TOTAL, (len(proteins), technical)), strict=True))
        control = lognormal(rng, LOADING_VARIATION, (technical,), divisor=True)
        measured = np.empty((len(values), technical))
        for i, value in enumerate(values):
            ideal = float(np.ravel(value.value)[-1])
            if value.measure == "phosphorylation":
                below = totals[protein_of(value.of)] if own.over == "total" else control
                measured[i] = ideal * lognormal(rng, _SITE, (technical,)) / below
            elif value.measure == "level":
                measured[i] = ideal * totals[value.of] / control
            else:
                measured[i] = ideal * lognormal(rng, _ACTIVITY, (technical,)) / control
        return np.maximum(measured, floor)

    @override
    def pictures(self, table: pd.DataFrame, protocol: Protocol, rng: np.random.Generator) -> tuple[Picture, ...]:
        p = own_protocol(protocol, PhosphoBlotProtocol)

        def targets(gel: Gel) -> Mapping[str, NDArray[np.float64]]:
            bands: dict[str, NDArray[np.float64]] = {}
            for protein in p.proteins:
                total = gel.amounts("level", protein)
                for site in p.sites:
                    if protein_of(site) == protein:
                        share = total if p.over == "total" else np.ones_like(total)
                        bands[_site_label(site)] = gel.amounts("phosphorylation", site) * share
                bands[band_label(protein, "total")] = total
            bands.update({_kinase_label(k): gel.amounts("activity", k) for k in p.activities})
            return bands

        return blot(table, "phospho blot", targets, [band_label(_CONTROL)], rng)

    @override
    def densitometry(self, picture: Picture, protocol: Protocol) -> tuple[tuple[Value, ...], ...]:
        p = own_protocol(protocol, PhosphoBlotProtocol)
        control = band_label(_CONTROL)
        columns = {}
        for need in self.needs(p):
            band, over = band_label(need.entity, "total"), control
            if need.measure == "phosphorylation":
                band = _site_label(need.entity)
                over = band_label(protein_of(need.entity), "total") if p.over == "total" else control
            elif need.measure == "activity":
                band = _kinase_label(need.entity)
            columns[need.measure, need.entity] = relative_volumes(picture, band, over)
        return lane_values(columns)


def _site_label(site: str) -> str:
    return band_label(site, "" if site != protein_of(site) else "phospho")


def _kinase_label(kinase: str) -> str:
    return f"{kinase} kinase assay"
