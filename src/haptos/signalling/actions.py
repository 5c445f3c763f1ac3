"""From interventions to changes of the model: which handle, which species, when.

An intervention acts only through handles (parameters ``<handle>__<target>``), input
parameters of the surroundings and species of the medium. What the composed model does not
offer is reported as a reason, never ignored.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from functools import singledispatch
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
    Timed,
    Treat,
    Withdraw,
)
from haptos.signalling.agents import antibodies, coatings, compounds, ligands, molar

__all__ = ["Change", "Refusal", "changes_of", "surroundings_of"]

#: Strength of constitutive activation, relative to the full constitutive form.
_STRENGTH = {"weak": 0.2, "strong": 1.0}
_LONG_AGO = -math.inf
#: Least share of an mRNA that RNA interference leaves.
_LEAST_LEFT = 1e-3


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
    stop: float = math.inf


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
    return _first_kind(intervention, chosen)


def _first_kind(intervention: Intervention, chosen: list[Change]) -> list[Change]:
    """Keep all changes of a knock-out; of alternatives (transgene before expression) the first."""
    return chosen if isinstance(intervention, Knockout | Mutate) else chosen[:1]


def _phrase(intervention: Intervention) -> str:
    return f"{intervention.verb.replace('_', ' ')} {intervention.target}"


def _id(name: str) -> str:
    return name.replace(":", "_").replace("-", "_")


@singledispatch
def _translate(intervention: Intervention) -> list[Change] | Refusal:
    return Refusal(f"'{_phrase(intervention)}' needs modules or rooms that are not built yet")


@_translate.register
def _(intervention: Overexpress) -> list[Change] | Refusal:
    name, fold = _id(intervention.overexpress), intervention.fold.value
    return [Change("set", f"transgene__{name}", fold - 1.0), Change("multiply", f"expression__{name}", fold)]


@_translate.register
def _(intervention: SetExpression) -> list[Change] | Refusal:
    return [Change("multiply", f"expression__{_id(intervention.set_expression)}", intervention.fold.value)]


@_translate.register
def _(intervention: Knockdown) -> list[Change] | Refusal:
    name, left = _id(intervention.knockdown), max(intervention.remaining.value, _LEAST_LEFT)
    silencing = Change("set", f"silencing__{name}", 1.0 / left - 1.0, intervention.at.value)
    return [silencing, Change("multiply", f"expression__{name}", left)]


@_translate.register
def _(intervention: Knockout) -> list[Change] | Refusal:
    name = _id(intervention.knockout)
    return [Change("set", f"expression__{name}", 0.0), Change("set", f"endogenous__{name}", 0.0)]


@_translate.register
def _(intervention: Rescue) -> list[Change] | Refusal:
    if intervention.variant != "wild-type":
        return Refusal(f"the variant {intervention.variant!r} of {intervention.rescue} is not in the modules")
    name, fold = _id(intervention.rescue), intervention.fold.value
    return [Change("set", f"transgene__{name}", fold), Change("set", f"expression__{name}", fold)]


@_translate.register
def _(intervention: Mutate) -> list[Change] | Refusal:
    """Return the site handles of names such as ``MMP9_promoter_kB_site``."""
    gene, _, site = _id(intervention.mutate).partition("_promoter_")
    kinds = {"kB_site": "kb_site", "AP1_site": "ap1_site"}
    if site not in kinds:
        return Refusal(f"the promoter site {intervention.mutate!r} is not in the modules")
    return [Change("set", f"{kinds[site]}__{gene}", 0.0)]


@_translate.register
def _(intervention: Inhibit) -> list[Change] | Refusal:
    name, left = _id(intervention.inhibit), 1.0 - intervention.by.value
    return [Change("multiply", f"activity_factor__{name}", left, *_window(intervention))]


@_translate.register
def _(intervention: Activate) -> list[Change] | Refusal:
    if intervention.variant:
        return Refusal(f"the variant {intervention.variant!r} of {intervention.activate} is not in the modules")
    name, strength = _id(intervention.activate), _STRENGTH[intervention.strength]
    return [Change("set", f"forced__{name}", strength, *_window(intervention))]


@_translate.register
def _(intervention: PlateOn) -> list[Change] | Refusal:
    coating = coatings().get(intervention.plate_on)
    if coating is None:
        return Refusal(f"the coating {intervention.plate_on!r} is not in the library yet")
    return [Change("set", "ligation", coating.ligation, *_window(intervention))]


@_translate.register
def _(intervention: Detach) -> list[Change] | Refusal:
    return [Change("set", "ligation", 0.0, *_window(intervention))]


@_translate.register
def _(intervention: Treat) -> list[Change] | Refusal:
    compound = compounds().get(intervention.treat)
    if compound is None:
        return Refusal(f"the compound {intervention.treat!r} is not in the library yet")
    dose = intervention.dose or compound.default_dose
    return [Change("dose", compound.species, molar(dose, compound.molar_mass), *_window(intervention))]


@_translate.register
def _(intervention: Neutralise) -> list[Change] | Refusal:
    antibody = antibodies().get(intervention.neutralise)
    if antibody is None:
        return Refusal(f"no neutralising antibody against {intervention.neutralise!r} in the library yet")
    return [Change("dose", antibody.species, molar(intervention.dose, antibody.molar_mass), *_window(intervention))]


@_translate.register
def _(intervention: Withdraw) -> list[Change] | Refusal:
    ligand = ligands().get(intervention.withdraw)
    if ligand is None or ligand.parameter is None:
        return Refusal(f"{intervention.withdraw!r} cannot be withdrawn: the medium of the model holds none")
    return [Change("set", ligand.parameter, 0.0, *_window(intervention))]


@_translate.register
def _(intervention: Add) -> list[Change] | Refusal:
    ligand = ligands().get(intervention.add)
    if ligand is None:
        return Refusal(f"the ligand {intervention.add!r} is not in the library yet")
    if ligand.parameter is not None:
        return [Change("set", ligand.parameter, ligand.level, *_window(intervention))]
    if intervention.gradient:
        return Refusal("gradients need the motility room, which is not built yet")
    dose = intervention.dose or ligand.default_dose
    if dose is None or ligand.species is None:
        return Refusal(f"give a dose for {intervention.add!r}")
    return [Change("dose", ligand.species, molar(dose, ligand.molar_mass), *_window(intervention))]


def _window(intervention: Timed) -> tuple[float, float]:
    """Return start and stop after the start of the assay [min]."""
    return intervention.at.value, math.inf if intervention.until is None else intervention.until.value
