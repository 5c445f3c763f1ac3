"""Luciferase reporter: activity of a promoter, over a second luciferase that nothing regulates."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from haptos.assays.base import Noise
from haptos.assays.endpoint import AbstractEndpoint, TimedProtocol
from haptos.assays.observation import (
    BIOLOGICAL_VARIATION,
    AssayDuration,
    Entities,
    combined,
    hours,
    resolvable_fold,
)

__all__ = ["LuciferaseReporter", "LuciferaseReporterProtocol"]

_FIREFLY, _RENILLA = 0.15, 0.10
_TECHNICAL = combined(_FIREFLY, _RENILLA)


class LuciferaseReporterProtocol(TimedProtocol):
    """Protocol of a dual luciferase measurement."""

    name: Literal["reporter"] = Field("reporter", description="the assay")
    reporters: Entities = Field(min_length=1, max_length=8, description="promoters or response elements")
    duration: AssayDuration = hours(24)


class LuciferaseReporter(AbstractEndpoint):
    """Firefly over Renilla luciferase; light in proportion to the enzyme.

    The reporters of a sample share the control.
    """

    name = "reporter"
    label = "luciferase reporter"
    protocol = LuciferaseReporterProtocol
    measures: ClassVar = {"luciferase": "a.u."}
    relative = frozenset({"luciferase"})
    entities = "reporters"
    read = "luciferase"
    bands = (_FIREFLY, _RENILLA)
    observation = Noise(
        technical=_TECHNICAL,
        biological=BIOLOGICAL_VARIATION,
        smallest_fold=resolvable_fold(_TECHNICAL),
        floor=1e-6,
        source="assumed: 15 % between transfected wells, 10 % in the control luciferase; background of the luminometer",
    )
