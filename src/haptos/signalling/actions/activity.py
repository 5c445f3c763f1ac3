"""Interventions on activities: inhibitors, active forms, compounds, antibodies, blocked processes."""

from __future__ import annotations

from haptos.conditions.interventions import Activate, Block, Cleave, Inhibit, Neutralise, Release, Treat
from haptos.signalling.actions.change import Change, Found, Offer, Refusal, refused, window_of
from haptos.signalling.actions.variants import find_variant, known_variants, process_of
from haptos.signalling.agents import (
    Compound,
    DrugTarget,
    antibody_against,
    compound_named,
    ligands_only_of,
    molar,
    soluble_ligands,
)

__all__ = ["activate", "block", "cleave", "inhibit", "neutralise", "release", "treat"]

#: Strength of constitutive activation, relative to the full constitutive form.
_STRENGTH = {"weak": 0.2, "strong": 1.0}
#: Half-lives of a compound after which nothing is left of it.
_HALF_LIVES = 10


def inhibit(intervention: Inhibit, offer: Offer) -> Found:
    """Lower an activity; of an integrin, its binding; of a motor, its process."""
    kinds = ("activity_factor", "function")
    left, window = 1.0 - intervention.by.value, window_of(intervention)
    names = [name for _, name in offer.choose(intervention.inhibit, kinds)]
    process = process_of(intervention.inhibit)
    if not names and process is not None:
        names = offer.handles("process", process)
    found = [Change("multiply", name, left, *window) for name in names]
    return found or offer.why_not(intervention, intervention.inhibit, kinds)


def activate(intervention: Activate, offer: Offer) -> Found:
    """Switch a constitutively active form on, or a named one."""
    target, window = intervention.activate, window_of(intervention)
    strength = _STRENGTH[intervention.strength]
    if not intervention.variant:
        found = [Change("set", name, strength, *window) for name in offer.handles("forced", target)]
        return found or offer.why_not(intervention, target, ("forced",))
    variant = find_variant(target, intervention.variant)
    if variant is None or not variant.beside:
        known = ", ".join(known_variants(target)) or "none"
        return Refusal(
            f"no active variant {intervention.variant!r} of {target} in the library; known variants: {known}"
        )
    pairs = [(e, name) for e in variant.effects for name in offer.handles(e.handle, e.target)]
    found = [Change("set", name, strength * e.value, *window) for e, name in pairs]
    return found or offer.why_not(intervention, variant.effects[0].target, (variant.effects[0].handle,))


def neutralise(intervention: Neutralise, offer: Offer) -> Found:
    """Add an antibody: a species of the medium where a module has one, else lost function at balance.

    Of a soluble ligand it leaves the share that it does not bind, of whatever dose the arm adds. A receptor without a
    handle of its own is kept from its ligands, if they have no other receptor.
    """
    target, window = intervention.neutralise, window_of(intervention)
    antibody = antibody_against(target)
    dose = molar(intervention.dose, antibody.molar_mass)
    if antibody.species is not None:
        if antibody.species in offer.names:
            return [Change("dose", antibody.species, dose, *window)]
        return Refusal(f"the modules at hand offer no way to neutralise {target} (no species {antibody.species})")
    left = 1.0 / (1.0 + dose / antibody.KD.value)
    kinds = ("function", "activity_factor")
    found = [Change("multiply", name, left, *window) for _, name in offer.choose(target, kinds)]
    bound = soluble_ligands(target) or ligands_only_of(target)
    found = found or [Change("bind", s, left, *window) for s in bound if s in offer.names]
    return found or offer.why_not(intervention, target, kinds)


def block(intervention: Block, offer: Offer) -> Found:
    """Lower a process or coupling."""
    left, window = 1.0 - intervention.by.value, window_of(intervention)
    found = [Change("multiply", name, left, *window) for name in offer.handles("process", intervention.block)]
    return found or offer.why_not(intervention, intervention.block, ("process",))


def cleave(intervention: Cleave, offer: Offer) -> Found:
    """Cut a link."""
    found = [Change("set", n, 1.0, *window_of(intervention)) for n in offer.handles("cleaved", intervention.cleave)]
    return found or offer.why_not(intervention, intervention.cleave, ("cleaved",))


def release(intervention: Release, offer: Offer) -> Found:
    """Let a stored molecule go."""
    found = [Change("set", n, 1.0, *window_of(intervention)) for n in offer.handles("release", intervention.release)]
    return found or offer.why_not(intervention, intervention.release, ("release",))


def treat(intervention: Treat, offer: Offer) -> Found:
    """Add a compound: its species in the medium if a module has one, else its targets at balance with the dose."""
    compound = compound_named(intervention.treat)
    if compound is None:
        return Refusal(f"the compound {intervention.treat!r} is not in the library yet")
    dose = molar(intervention.dose or compound.default_dose, compound.molar_mass)
    start, stop = window_of(intervention)
    if compound.species is not None:
        if compound.species in offer.names:
            return [Change("dose", compound.species, dose, start, stop)]
        return refused(intervention, f"needs the species {compound.species}, which no module at hand holds")
    hits = [(target, name) for target in compound.targets for name in offer.handles(target.handle, target.name)]
    if not hits:
        wanted = ", ".join(t.name for t in compound.targets)
        return refused(intervention, f"finds none of its targets in the modules at hand ({wanted})")
    steps = _course(compound, dose, start, stop)
    return [_effect(target, name, *step) for step in steps for target, name in hits]


def _course(compound: Compound, dose: float, start: float, stop: float) -> list[tuple[float, float, float]]:
    """Return (concentration [nM], from, until [min]) in steps of one half-life, each at its geometric mean."""
    begin = start + compound.onset.value
    if begin >= stop:
        return []
    if compound.half_life is None:
        return [(dose, begin, stop)]
    length = compound.half_life.value
    steps = []
    for k in range(_HALF_LIVES):
        edge = begin + k * length
        if edge >= stop:
            break
        steps.append((dose * 2.0 ** -(k + 0.5), edge, min(edge + length, stop)))
    return steps


def _effect(target: DrugTarget, name: str, dose: float, start: float, stop: float) -> Change:
    """Return what a concentration does to one handle (binding at balance, one site)."""
    bound = target.most * dose / (dose + target.potency.value)
    if target.activates:
        return Change("set", name, bound, start, stop)
    return Change("multiply", name, 1.0 - bound, start, stop)
