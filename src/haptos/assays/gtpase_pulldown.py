"""GTPase pull-down: the GTP-bound form, caught by the binding domain of an effector, over the total."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, override

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from haptos.assays.base import Need, Noise, Picture, Sample, Value, own_protocol
from haptos.assays.blots import Gel, blot, lane_values, relative_volumes
from haptos.assays.endpoint import AbstractEndpoint, TimedProtocol, ends_of
from haptos.assays.masses import band_label
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
from haptos.assays.shares import quotient
from haptos.conditions.experiment import Protocol

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GTPasePulldown", "GTPasePulldownProtocol"]

_CAUGHT, _TOTAL = 0.18, 0.12
_TECHNICAL = combined(_CAUGHT, _TOTAL)
_LOADING = "total GTPase"


class GTPasePulldownProtocol(TimedProtocol):
    """Protocol of a pull-down with blots of the catch and of the lysate."""

    name: Literal["gtpase_pulldown"] = Field("gtpase_pulldown", description="the assay")
    gtpases: Entities = Field(min_length=1, max_length=8, description="GTPases to blot for")
    duration: AssayDuration = hours(1)


class GTPasePulldown(AbstractEndpoint):
    """GTP-bound over total GTPase."""

    name = "gtpase_pulldown"
    label = "GTPase pull-down"
    protocol = GTPasePulldownProtocol
    measures: ClassVar = {"gtp_bound": "a.u."}
    relative = frozenset({"gtp_bound"})
    entities = "gtpases"
    observation = Noise(
        technical=_TECHNICAL,
        biological=BIOLOGICAL_VARIATION,
        smallest_fold=resolvable_fold(_TECHNICAL),
        floor=1e-4,
        source="assumed: 18 % between catches (GTP is hydrolysed while the lysate is handled), 12 % between totals",
    )

    @override
    def needs(self, protocol: Protocol) -> tuple[Need, ...]:
        p = own_protocol(protocol, GTPasePulldownProtocol)
        return tuple(Need(measure, gtpase) for gtpase in p.gtpases for measure in ("gtp", "level"))

    @override
    def ideal(self, sample: Sample, protocol: Protocol) -> tuple[Value, ...]:
        p = own_protocol(protocol, GTPasePulldownProtocol)
        shares = {g: quotient(sample.series(Need("gtp", g)), sample.series(Need("level", g))) for g in p.gtpases}
        return tuple(Value("gtp_bound", g, reading(series, p.every), "a.u.") for g, series in shares.items())

    @override
    def measure(
        self, values: Sequence[Value], protocol: Protocol, rng: np.random.Generator, *, technical: int
    ) -> NDArray[np.float64]:
        """Return catch over total, each with its own scatter."""
        own_protocol(protocol, GTPasePulldownProtocol)
        ideal = ends_of(values)
        caught = lognormal(rng, _CAUGHT, (ideal.size, technical))
        total = lognormal(rng, _TOTAL, (ideal.size, technical), divisor=True)
        measured: NDArray[np.float64] = np.maximum(ideal[:, None] * caught / total, self.observation.floor)
        return measured

    @override
    def pictures(self, table: pd.DataFrame, protocol: Protocol, rng: np.random.Generator) -> tuple[Picture, ...]:
        p = own_protocol(protocol, GTPasePulldownProtocol)

        def targets(gel: Gel) -> Mapping[str, NDArray[np.float64]]:
            return {band_label(g, "GTP"): gel.amounts("gtp_bound", g) for g in p.gtpases}

        return blot(table, "effector pull-down", targets, [_LOADING], rng)

    @override
    def densitometry(self, picture: Picture, protocol: Protocol) -> tuple[tuple[Value, ...], ...]:
        p = own_protocol(protocol, GTPasePulldownProtocol)
        return lane_values(
            {("gtp_bound", g): relative_volumes(picture, band_label(g, "GTP"), _LOADING) for g in p.gtpases}
        )
