"""Parameters of the crossing model, read from the library with unit, source and confidence."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from haptos.core.located import Document, parse_yaml
from haptos.core.specs import Fraction, QuantityOf, Spec, read_spec
from haptos.core.units import Quantity

__all__ = ["CrossingFile", "CrossingParameters", "Sourced", "load_crossing_parameters", "read_crossing_parameters"]

_FILE = "library/parameters/crossing.yaml"
_Share = Annotated[Quantity, QuantityOf("fraction", above=0.0, maximum=1.0)]
_Area = Annotated[Quantity, QuantityOf("area", above=0.0)]
_Density = Annotated[Quantity, QuantityOf("mass concentration", above=0.0)]


@dataclass(frozen=True, slots=True)
class CrossingParameters:
    """Numbers of the crossing model in internal units.

    Attributes
    ----------
    speed_full_drive : float
        Mean speed on a plane when both drives are 1 [µm/min].
    directed_share : float
        Net advance over path length, 0..1.
    speed_without_contraction : float
        Share of the speed left without contraction, 0..1.
    arrest_share, full_speed_share : float
        Pore area over nuclear cross-section at which passage stops, and from which it is free.
    speed_variation : float
        Coefficient of variation of speed between cells.
    degradation : float
        Second-order rate of matrix loss [1/(nM·min)].
    reach : float
        Depth of matrix digested at a time [µm].
    collagen_I_pore_area, matrigel_pore_area : float
        Pore area [µm²] of each gel at its reference density.
    collagen_I_density, matrigel_density : float
        Reference densities [ng/mL].
    film_density : float
        Matrix in and around the pores of an uncoated filter [ng/mL].
    """

    speed_full_drive: float
    directed_share: float
    speed_without_contraction: float
    arrest_share: float
    full_speed_share: float
    speed_variation: float
    degradation: float
    reach: float
    collagen_I_pore_area: float
    collagen_I_density: float
    matrigel_pore_area: float
    matrigel_density: float
    film_density: float

    def mesh(self, gel: str) -> float:
        """Return pore area times density of a gel [µm²·ng/mL], a constant of the gel.

        Taking the product as constant is an assumption: a network of thin fibres, whose
        length per volume, and so the number of strands through a cross-section, grows with
        its density.
        """
        if gel == "collagen_I":
            return self.collagen_I_pore_area * self.collagen_I_density
        return self.matrigel_pore_area * self.matrigel_density


class Sourced[Q](Spec):
    """A number with its unit, where it comes from and how sure it is."""

    value: Q = Field(description="the number with its unit")
    source: str = Field("", description="id of the quantity record; empty where there is none")
    confidence: Literal["measured", "fitted", "assumed"] = Field(description="how the number is known")
    note: str = Field("", description="what is meant")

    @model_validator(mode="after")
    def _measured_has_source(self) -> Sourced[Q]:
        if self.confidence == "measured" and not self.source:
            raise PydanticCustomError("source", "a measured number needs its source")
        return self


class _Parameters(Spec):
    speed_full_drive: Sourced[Annotated[Quantity, QuantityOf("speed", above=0.0)]]
    directed_share: Sourced[_Share]
    speed_without_contraction: Sourced[Fraction]
    arrest_share: Sourced[_Share]
    full_speed_share: Sourced[Annotated[Quantity, QuantityOf("number", above=0.0)]]
    speed_variation: Sourced[Annotated[Quantity, QuantityOf("number", above=0.0)]]
    degradation: Sourced[Annotated[Quantity, QuantityOf("association rate", minimum=0.0)]]
    reach: Sourced[Annotated[Quantity, QuantityOf("length", above=0.0)]]
    collagen_I_pore_area: Sourced[_Area]
    collagen_I_density: Sourced[_Density]
    matrigel_pore_area: Sourced[_Area]
    matrigel_density: Sourced[_Density]
    film_density: Sourced[Annotated[Quantity, QuantityOf("mass concentration", minimum=0.0)]]

    @model_validator(mode="after")
    def _ordered(self) -> _Parameters:
        if self.full_speed_share.value.value <= self.arrest_share.value.value:
            raise PydanticCustomError("order", "full_speed_share must be greater than arrest_share")
        return self


class CrossingFile(Spec):
    """The file of crossing parameters."""

    version: Literal[1] = Field(description="version of the format")
    parameters: _Parameters = Field(description="the parameters by name")


def read_crossing_parameters(document: Document) -> CrossingParameters:
    """Check a document of crossing parameters and convert it to internal units.

    Raises
    ------
    SpecError
        With every wrong unit, missing source or unknown name, each with its line.
    """
    table = read_spec(CrossingFile, document).parameters
    return CrossingParameters(**{f.name: getattr(table, f.name).value.value for f in fields(CrossingParameters)})


@cache
def load_crossing_parameters() -> CrossingParameters:
    """Return the shipped parameters.

    Examples
    --------
    >>> load_crossing_parameters().arrest_share
    0.1
    """
    text = files("haptos").joinpath(_FILE).read_text(encoding="utf-8")
    return read_crossing_parameters(parse_yaml(text, name=_FILE))
