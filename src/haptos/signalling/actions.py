"""From interventions to changes of the model: which handle, which species, when.

An intervention acts only through handles (parameters ``<handle>__<target>``), input
parameters of the surroundings and species of the medium. What the composed model does not
offer is reported as a reason, never ignored.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from haptos.conditions.experiment import Culture
from haptos.conditions.interventions import (
    Activate,
    Add,
    AnyIntervention,
    Detach,
    Inhibit,
    Intervention,
    Knockdown,
    Knockout,
    Mutate,
    Neutralise,
    Overexpress,
    PlateOn,
    Rescue,
    SetExpression,
    SwapCells,
    Treat,
    Withdraw,
)
from haptos.signalling.agents import antibodies, coatings, compounds, ligands, molar

__all__ = ["Change", "Refusal", "changes_of", "surroundings_of"]

#: Strength of constitutive activation, relative to the full constitutive form.
_STRENGTH = {"weak": 0.2, "strong": 1.0}
_LONG_AGO = float("-inf")


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the model.

    Attributes
    ----------
    how : str
        ``multiply`` or ``set`` a parameter, or ``dose`` a species of the medium.
    name : str
        Parameter or species.
    value : float
        Factor, value or concentration [nM].
    start, stop : float
        Times after the start of the assay [min]; minus infinity is long before.
    """

    how: Literal["multiply", "set", "dose"]
    name: str
    value: float
    start: float = _LONG_AGO
    stop: float = float("inf")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an intervention cannot be carried out by the model as it is."""

    reason: str


def surroundings_of(culture: Culture) -> dict[str, float]:
    """Return the input parameters that the culture sets.

    Mitogens follow the serum (10 % is 1, saturating at 20 %); ligation follows the coating,
    none in suspension.
    """
    coating = coatings().get(culture.coating)
    ligation = 0.0 if culture.geometry == "suspension" or coating is None else coating.ligation
    return {"growth_factor": min(culture.serum.value / 0.1, 2.0), "ligation": ligation}


def changes_of(intervention: AnyIntervention, offered: Collection[str]) -> list[Change] | Refusal:
    """Translate one intervention.

    Parameters
    ----------
    intervention : intervention
        What is done.
    offered : collection of str
        Parameters and species of the composed model.

    Returns
    -------
    list of Change or Refusal
        What to change, or the reason why the model cannot express it.
    """
    found = _translate(intervention)
    if isinstance(found, Refusal):
        return found
    chosen = [c for c in found if c.name in offered]
    if not chosen:
        wanted = " or ".join(dict.fromkeys(c.name for c in found))
        return Refusal(f"the modules at hand offer no way to {_phrase(intervention)} (no {wanted})")
    alternatives = _first_kind(intervention, chosen)
    return alternatives


def _first_kind(intervention: Intervention, chosen: list[Change]) -> list[Change]:
    """Keep all changes of a knock-out; of alternatives (transgene before expression) the first."""
    return chosen if isinstance(intervention, Knockout | Mutate) else chosen[:1]


def _phrase(intervention: Intervention) -> str:
    return f"{intervention.verb.replace('_', ' ')} {intervention.target}"


def _id(name: str) -> str:
    return name.replace(":", "_").replace("-", "_")


def _translate(intervention: Intervention) -> list[Change] | Refusal:
    name = _id(intervention.target)
    match intervention:
        case Overexpress():
            fold = intervention.fold.value
            return [Change("set", f"transgene__{name}", fold - 1.0), Change("multiply", f"expression__{name}", fold)]
        case SetExpression():
            return [Change("multiply", f"expression__{name}", intervention.fold.value)]
        case Knockdown():
            left = max(intervention.remaining.value, 1e-3)
            start = intervention.at.value
            return [Change("set", f"silencing__{name}", 1.0 / left - 1.0, start), Change("multiply", f"expression__{name}", left)]
        case Knockout():
            return [Change("set", f"expression__{name}", 0.0), Change("set", f"endogenous__{name}", 0.0)]
        case Rescue() if intervention.variant == "wild-type":
            fold = intervention.fold.value
            return [Change("set", f"transgene__{name}", fold), Change("set", f"expression__{name}", fold)]
        case Mutate():
            return _site(intervention)
        case Treat() | Add() | Withdraw() | Neutralise():
            return _medium(intervention)
        case Inhibit():
            left = 1.0 - intervention.by.value
            return [Change("multiply", f"activity_factor__{name}", left, *_window(intervention))]
        case Activate() if not intervention.variant:
            return [Change("set", f"forced__{name}", _STRENGTH[intervention.strength], *_window(intervention))]
        case PlateOn() if intervention.target in coatings():
            return [Change("set", "ligation", coatings()[intervention.target].ligation, *_window(intervention))]
        case Detach():
            return [Change("set", "ligation", 0.0, *_window(intervention))]
        case SwapCells():
            return []
        case _:
            return Refusal(f"'{_phrase(intervention)}' needs modules or rooms that are not built yet")


def _window(intervention: Inhibit | Activate | PlateOn | Detach | Treat | Add | Withdraw | Neutralise) -> tuple[float, float]:
    return intervention.at.value, float("inf") if intervention.until is None else intervention.until.value


def _site(intervention: Mutate) -> list[Change] | Refusal:
    """Return the site handles of names such as ``MMP9_promoter_kB_site``."""
    gene, _, site = _id(intervention.mutate).partition("_promoter_")
    kinds = {"kB_site": "kb_site", "AP1_site": "ap1_site", "AP_1_site": "ap1_site"}
    if site not in kinds:
        return Refusal(f"the promoter site {intervention.mutate!r} is not in the modules")
    return [Change("set", f"{kinds[site]}__{gene}", 0.0)]


def _medium(intervention: Treat | Add | Withdraw | Neutralise) -> list[Change] | Refusal:
    start, stop = _window(intervention)
    if isinstance(intervention, Treat):
        compound = compounds().get(intervention.treat)
        if compound is None:
            return Refusal(f"the compound {intervention.treat!r} is not in the library yet")
        dose = intervention.dose or compound.default_dose
        return [Change("dose", compound.species, molar(dose, compound.molar_mass), start, stop)]
    if isinstance(intervention, Neutralise):
        antibody = antibodies().get(intervention.neutralise)
        if antibody is None:
            return Refusal(f"no neutralising antibody against {intervention.neutralise!r} in the library yet")
        return [Change("dose", antibody.species, molar(intervention.dose, antibody.molar_mass), start, stop)]
    ligand = ligands().get(intervention.target)
    if ligand is None:
        return Refusal(f"the ligand {intervention.target!r} is not in the library yet")
    if ligand.parameter is not None:
        level = ligand.level if isinstance(intervention, Add) else 0.0
        return [Change("set", ligand.parameter, level, start, stop)]
    if isinstance(intervention, Withdraw) or ligand.species is None:
        return Refusal(f"{intervention.target!r} cannot be withdrawn: the medium holds none")
    if intervention.gradient:
        return Refusal("gradients need the motility room, which is not built yet")
    given = intervention.dose or ligand.default_dose
    if given is None:
        return Refusal(f"give a dose for {intervention.target!r}")
    return [Change("dose", ligand.species, molar(given, ligand.molar_mass), start, stop)]
