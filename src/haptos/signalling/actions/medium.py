"""Interventions on medium and surroundings: ligands, coatings, flow, wounds."""

from __future__ import annotations

from collections.abc import Mapping

from haptos.conditions.experiment import Culture
from haptos.conditions.interventions import (
    Add,
    Detach,
    EmbedIn,
    Injure,
    PlateOn,
    RestrictSpreading,
    SetDensity,
    Shear,
    Timed,
    Withdraw,
)
from haptos.signalling.actions.change import Change, Found, Offer, Refusal, window_of
from haptos.signalling.agents import Ligand, coatings, ligands, molar, surface_ligands, surroundings

__all__ = [
    "add",
    "detach",
    "embed_in",
    "injure",
    "plate_on",
    "restrict_spreading",
    "set_density",
    "shear",
    "surroundings_of",
    "withdraw",
]

_LIMIT = "input__spreading_limit"


def surroundings_of(culture: Culture) -> dict[str, float]:
    """Return the input parameters that the culture sets.

    Mitogens follow the serum (10 % is 1, saturating at 20 %), ligands of the surface the coating
    (all 0 in suspension), the room to spread the geometry. An unknown coating holds no ligand;
    :func:`haptos.signalling.cell.expressibility` reports it.
    """
    return {
        "growth_factor": _strength(culture.serum.value),
        **_surface("" if culture.geometry == "suspension" else culture.coating),
        _LIMIT: surroundings().spreading_limit_3D if culture.geometry == "3D" else 0.0,
    }


def _strength(serum: float) -> float:
    """Return the growth factors of a share of serum, relative to a tenth."""
    return min(serum / 0.1, 2.0)


def plate_on(intervention: PlateOn, offer: Offer) -> Found:
    """Change the surface, in two dimensions."""
    if intervention.stiffness is not None:
        return Refusal("the stiffness of the substrate needs the motility room: the network does not feel it")
    coating = coatings().get(intervention.plate_on)
    if coating is None:
        return Refusal(f"the coating {intervention.plate_on!r} is not in the library yet")
    density = 1.0
    if intervention.density is not None:
        density = intervention.density.value / surroundings().coating.value
    return _inputs(intervention, {**_surface(coating.id, density), _LIMIT: 0.0}, offer)


def embed_in(intervention: EmbedIn, offer: Offer) -> Found:
    """Put a gel around the cells: its ligands, and less room to spread."""
    coating = coatings().get(intervention.embed_in)
    if coating is None:
        return Refusal(f"the gel {intervention.embed_in!r} is not in the library yet")
    density = 1.0
    if intervention.density is not None:
        density = intervention.density.value / surroundings().gel.value
    limit = surroundings().spreading_limit_3D
    return _inputs(intervention, {**_surface(coating.id, density), _LIMIT: limit}, offer)


def detach(intervention: Detach, offer: Offer) -> Found:
    """Take the surface away."""
    return _inputs(intervention, _surface(""), offer)


def set_density(intervention: SetDensity, offer: Offer) -> Found:
    """Scale the ligands of a coating; other ligands stay."""
    coating = coatings().get(intervention.set_density)
    if coating is None:
        return Refusal(f"the coating {intervention.set_density!r} is not in the library yet")
    density = surroundings().densities[intervention.level]
    values = {f"coat__{ligand}": density * value for ligand, value in coating.ligands.items()}
    return _inputs(intervention, values, offer)


def restrict_spreading(intervention: RestrictSpreading, offer: Offer) -> Found:
    """Confine cells to an island: a share of the free spread area is lost."""
    share = (intervention.diameter.value / surroundings().spread_diameter.value) ** 2
    return _inputs(intervention, {_LIMIT: max(0.0, 1.0 - share)}, offer)


def shear(intervention: Shear, offer: Offer) -> Found:
    """Turn flow on, relative to arterial shear stress, or off."""
    value = 0.0 if intervention.shear == "stop" else intervention.stress.value / surroundings().shear.value
    return _inputs(intervention, {"input__shear": value}, offer)


def injure(intervention: Injure, offer: Offer) -> Found:
    """Make a free edge; in skin, bring cells onto dermal collagen as well."""
    values = {"input__injury": 1.0}
    if intervention.injure == "skin":
        values["coat__collagen"] = 1.0
    return _inputs(intervention, values, offer)


def add(intervention: Add, offer: Offer) -> Found:
    """Add a soluble ligand."""
    ligand = ligands().get(intervention.add)
    if ligand is None:
        return Refusal(f"the ligand {intervention.add!r} is not in the library yet")
    if intervention.gradient:
        return Refusal("a gradient needs an assay with two chambers (transwell_migration, transwell_invasion)")
    if ligand.parameter is not None:
        share = intervention.dose is not None and intervention.dose.dimension == "fraction"
        level = _strength(intervention.dose.value) if share and intervention.dose is not None else ligand.level
        return _inputs(intervention, {ligand.parameter: level}, offer)
    return _dosed(intervention, ligand, offer)


def _dosed(intervention: Add, ligand: Ligand, offer: Offer) -> Found:
    """Put the dose of a ligand into the medium."""
    dose = intervention.dose or ligand.default_dose
    if dose is None or ligand.species is None:
        return Refusal(f"the medium of the model holds no {intervention.add}")
    if ligand.species not in offer.names:
        return Refusal(f"the modules at hand offer no way to add {intervention.add} (no species {ligand.species})")
    if dose.dimension == "enzyme activity" and ligand.per_unit is None:
        return Refusal(f"how much a unit of {intervention.add} is, is not known here; write a concentration")
    amount = ligand.potency * molar(dose, ligand.molar_mass, ligand.per_unit)
    return [Change("dose", ligand.species, amount, *window_of(intervention))]


def withdraw(intervention: Withdraw, offer: Offer) -> Found:
    """Take serum, growth factors or zinc away."""
    ligand = ligands().get(intervention.withdraw)
    if ligand is None or ligand.parameter is None:
        hint = "; end its addition with 'until' instead" if ligand is not None else ""
        return Refusal(f"{intervention.withdraw!r} cannot be withdrawn: the medium of the model holds none{hint}")
    return _inputs(intervention, {ligand.parameter: 0.0}, offer)


def _surface(coating: str, density: float = 1.0) -> dict[str, float]:
    """Return the densities of all surface ligands; 0 for those a coating does not hold."""
    held = coatings()[coating].ligands if coating in coatings() else {}
    return {f"coat__{ligand}": density * held.get(ligand, 0.0) for ligand in surface_ligands()}


def _inputs(intervention: Timed, values: Mapping[str, float], offer: Offer) -> Found:
    """Set the inputs that the model has; those that no receptor of the cells reads are left out."""
    window = window_of(intervention)
    found = [Change("set", name, value, *window) for name, value in values.items() if name in offer.names]
    if found:
        return found
    what = f"{intervention.verb.replace('_', ' ')} {intervention.target}"
    return Refusal(f"the modules at hand offer no way to {what} (no {' or '.join(values)})")
