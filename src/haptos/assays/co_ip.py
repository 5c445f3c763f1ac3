"""Co-immunoprecipitation: how much of a complex comes down with its bait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal, override

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from haptos.assays.base import Noise, Picture, Value, own_protocol
from haptos.assays.blots import LOADING_VARIATION, Gel, blot, lane_values, relative_volumes
from haptos.assays.endpoint import AbstractEndpoint, TimedProtocol
from haptos.assays.observation import (
    BIOLOGICAL_VARIATION,
    AssayDuration,
    Entities,
    combined,
    hours,
    resolvable_fold,
)
from haptos.conditions.experiment import Protocol

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CoImmunoprecipitation", "CoImmunoprecipitationProtocol"]

_PRECIPITATE, _INPUT = 0.18, "ACTB (input)"
_TECHNICAL = combined(_PRECIPITATE, LOADING_VARIATION)


class CoImmunoprecipitationProtocol(TimedProtocol):
    """Protocol of a co-immunoprecipitation with blots of the precipitate and of the input."""

    name: Literal["co_ip"] = Field("co_ip", description="the assay")
    complexes: Entities = Field(
        min_length=1, max_length=8, description="complexes, for instance PTK2:SRC; the first member is the bait"
    )
    duration: AssayDuration = hours(1)


class CoImmunoprecipitation(AbstractEndpoint):
    """Partner that comes down with the bait, for equal amounts of lysate."""

    name = "co_ip"
    label = "co-immunoprecipitation"
    protocol = CoImmunoprecipitationProtocol
    measures: ClassVar = {"complex": "a.u."}
    relative = frozenset({"complex"})
    entities = "complexes"
    read = "complex"
    bands = (_PRECIPITATE, LOADING_VARIATION)
    observation = Noise(
        technical=_TECHNICAL,
        biological=BIOLOGICAL_VARIATION,
        smallest_fold=resolvable_fold(_TECHNICAL),
        floor=1e-4,
        source="assumed: 18 % between precipitates, 10 % between inputs; detection as in western blots",
    )

    @override
    def pictures(self, table: pd.DataFrame, protocol: Protocol, rng: np.random.Generator) -> tuple[Picture, ...]:
        p = own_protocol(protocol, CoImmunoprecipitationProtocol)

        def targets(gel: Gel) -> Mapping[str, NDArray[np.float64]]:
            return {_label(name): gel.amounts("complex", name) for name in p.complexes}

        return blot(table, "co-immunoprecipitation", targets, [_INPUT], rng)

    @override
    def densitometry(self, picture: Picture, protocol: Protocol) -> tuple[tuple[Value, ...], ...]:
        p = own_protocol(protocol, CoImmunoprecipitationProtocol)
        return lane_values({("complex", name): relative_volumes(picture, _label(name), _INPUT) for name in p.complexes})


def _label(name: str) -> str:
    """Return what is precipitated and what is stained.

    Examples
    --------
    >>> _label("PTK2:SRC")
    'IP PTK2, blot SRC'
    """
    bait, _, partner = name.partition(":")
    return f"IP {bait}, blot {partner}" if partner else f"IP {bait}"
