"""What cells have to cross: layers with a rigid opening and a digestible matrix in it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from haptos.errors import ParameterError
from haptos.motility.parameters import CrossingParameters

__all__ = ["Barrier", "Layer", "coated_filter", "uncoated_filter"]


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a barrier.

    Attributes
    ----------
    name : str
        ``gel``, ``surface`` or ``pore``.
    thickness : float
        Way through the layer [µm].
    opening : float
        Cross-section that the rigid part leaves open [µm²]; infinite where nothing is rigid.
    density : float
        Matrix in the layer before the cells come [ng/mL].
    mesh : float
        Pore area times density of that matrix [µm²·ng/mL]; infinite where it does not confine.
    """

    name: str
    thickness: float
    opening: float
    density: float
    mesh: float

    def __post_init__(self) -> None:
        wrong = [
            f"{field} must be {allowed}, not {value:g}"
            for field, value, allowed, good in (
                ("thickness", self.thickness, "a finite length above 0", 0 < self.thickness < math.inf),
                ("opening", self.opening, "an area above 0", self.opening > 0),
                ("density", self.density, "a finite density from 0 on", 0 <= self.density < math.inf),
                ("mesh", self.mesh, "greater than 0", self.mesh > 0),
            )
            if not good
        ]
        if wrong:
            raise ParameterError(f"layer {self.name!r}: " + "; ".join(wrong))

    def pore_area(self, left: float) -> float:
        """Return the open cross-section [µm²] when the share `left` of the matrix is left.

        The resistances of the rigid opening and of the matrix add up, so the smaller of the
        two areas rules: without a rigid part the area is ``mesh / density`` and inversely
        proportional to the density; without matrix it is the opening.

        Examples
        --------
        >>> Layer("gel", 20.0, math.inf, 2e6, 9e6).pore_area(0.5)
        9.0
        """
        tightness = 1.0 / self.opening + left * self.density / self.mesh
        return 1.0 / tightness if tightness > 0.0 else math.inf


@dataclass(frozen=True, slots=True)
class Barrier:
    """Layers in the order in which cells meet them."""

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        if not self.layers:
            raise ParameterError("a barrier needs at least one layer")

    @property
    def length(self) -> float:
        """Way through all layers [µm]."""
        return math.fsum(layer.thickness for layer in self.layers)


def uncoated_filter(
    pore_diameter: float, pore_density: float, thickness: float, parameters: CrossingParameters
) -> Barrier:
    """Return a filter without gel: the way to the next pore, then the pore with its film.

    Parameters
    ----------
    pore_diameter : float
        Diameter of the pores [µm].
    pore_density : float
        Pores per area [1/µm²]; the mean way to the nearest is ``1 / (2 √density)``.
    thickness : float
        Thickness of the membrane [µm].
    parameters : CrossingParameters
        Numbers of the model.
    """
    if not (pore_diameter > 0 and pore_density > 0):
        raise ParameterError("pore_diameter and pore_density must be greater than 0")
    area = math.pi * (0.5 * pore_diameter) ** 2
    search = Layer("surface", 0.5 / math.sqrt(pore_density), math.inf, 0.0, math.inf)
    pore = Layer("pore", thickness, area, parameters.film_density, parameters.mesh("matrigel"))
    return Barrier((search, pore))


def coated_filter(bare: Barrier, gel: str, density: float, thickness: float, parameters: CrossingParameters) -> Barrier:
    """Return a filter with a gel of `density` [ng/mL] and `thickness` [µm] on it.

    Parameters
    ----------
    bare : Barrier
        The filter without the gel.
    gel : str
        ``matrigel`` or ``collagen_I``.
    density, thickness : float
        Of the gel.
    parameters : CrossingParameters
        Numbers of the model.
    """
    if gel not in {"matrigel", "collagen_I"}:
        raise ParameterError(f"unknown gel {gel!r}; allowed: matrigel, collagen_I")
    return Barrier((Layer("gel", thickness, math.inf, density, parameters.mesh(gel)), *bare.layers))
