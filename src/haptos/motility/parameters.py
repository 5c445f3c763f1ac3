"""Parameters of the crossing model, read from the library with unit, source and confidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from haptos.core.parameters import load_table
from haptos.errors import ParameterError, nearest

__all__ = ["CrossingParameters", "crossing_parameters"]

_UNITS = {
    "speed_full_drive": "um_per_min",
    "speed_amoeboid": "um_per_min",
    "degradation": "per_nM_min",
    "reach": "um",
    "collagen_I_pore_area": "um2",
    "matrigel_pore_area": "um2",
    "collagen_I_density": "ng_per_mL",
    "matrigel_density": "ng_per_mL",
    "film_density": "ng_per_mL",
}


@dataclass(frozen=True, slots=True)
class CrossingParameters:
    """Numbers of the crossing model in internal units.

    Attributes
    ----------
    speed_full_drive : float
        Mean speed on a plane when both drives are 1 [µm/min].
    speed_amoeboid : float
        What cells with an amoeboid gait add to it [µm/min].
    directed_share : float
        Net advance over path length, 0..1.
    speed_without_contraction : float
        Share of the speed left without contraction, 0..1.
    arrest_share, full_speed_share : float
        Pore area over nuclear cross-section at which passage stops, and from which it is free.
    speed_variation : float
        Coefficient of variation of speed between cells.
    nucleus_variation : float
        Coefficient of variation of the cross-section of the nucleus between cells.
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
    speed_amoeboid: float
    directed_share: float
    speed_without_contraction: float
    arrest_share: float
    full_speed_share: float
    speed_variation: float
    nucleus_variation: float
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


def crossing_parameters(values: Mapping[str, float] | None = None) -> CrossingParameters:
    """Return the parameters: the central values, some or all replaced by `values`.

    Parameters
    ----------
    values : mapping of str to float, optional
        A member of the ensemble, or part of one, in internal units; names of other rooms
        are ignored only if they belong to no parameter of this table.

    Raises
    ------
    ParameterError
        If the table and the model do not name the same parameters, a unit is not the one
        the model expects, or the arrest area is not below that of free passage.
    """
    table = load_table("crossing")
    names = [f.name for f in fields(CrossingParameters)]
    for name in names:
        if name not in table:
            near = ", ".join(nearest(name, list(table)))
            raise ParameterError(f"parameters/crossing.yaml: {name} is missing" + (f" ({near}?)" if near else ""))
        expected = _UNITS.get(name, "dimensionless")
        if table[name].unit != expected:
            raise ParameterError(f"parameters/crossing.yaml: {name} has unit {table[name].unit}, expected {expected}")
    given = values or {}
    found = CrossingParameters(**{name: given.get(name, table[name].value) for name in names})
    if found.full_speed_share <= found.arrest_share:
        raise ParameterError("full_speed_share must be greater than arrest_share")
    return found
