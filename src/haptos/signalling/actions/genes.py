"""Interventions on genes: more, less, none, other."""

from __future__ import annotations

from haptos.conditions.interventions import (
    ExpressMutant,
    Knockdown,
    Knockout,
    Mutate,
    Overexpress,
    Rescue,
    SetExpression,
)
from haptos.signalling.actions.change import Change, Found, Offer, Refusal, handle_name
from haptos.signalling.actions.variants import Effect, Variant, find_variant, known_variants, process_of, promoter_sites

__all__ = ["express_mutant", "knockdown", "knockout", "mutate", "overexpress", "rescue", "set_expression"]

#: Least share of an mRNA that RNA interference leaves.
_LEAST_LEFT = 1e-3
_WILD_TYPE = "wild-type"


def overexpress(intervention: Overexpress, offer: Offer) -> Found:
    """Add a transgene where the model has one; raise the product otherwise.

    Of a product that the cells lack there is no multiple: they get `fold` times what the reference cell holds.
    """
    target, fold = intervention.overexpress, intervention.fold.value
    if offer.lacks(target):
        return _restored(intervention, target, fold, offer)
    kinds = ("transgene", "expression")
    found = [
        Change("set", name, fold - 1.0) if kind == "transgene" else Change("multiply", name, fold)
        for kind, name in offer.choose(target, kinds)
    ]
    return found or offer.why_not(intervention, target, kinds)


def set_expression(intervention: SetExpression, offer: Offer) -> Found:
    """Multiply the product; of what the cells lack, set it to so many times the amount of the reference cell."""
    target = intervention.set_expression
    if offer.lacks(target):
        return _restored(intervention, target, intervention.fold.value, offer)
    found = [Change("multiply", name, intervention.fold.value) for name in offer.handles("expression", target)]
    return found or offer.why_not(intervention, target, ("expression",))


def knockdown(intervention: Knockdown, offer: Offer) -> Found:
    """Speed up the decay of the mRNA where it is modelled; lower the product otherwise."""
    target, left = intervention.knockdown, max(intervention.remaining.value, _LEAST_LEFT)
    kinds = ("silencing", "expression")
    found = [
        Change("set", name, 1.0 / left - 1.0, intervention.at.value)
        if kind == "silencing"
        else Change("multiply", name, left)
        for kind, name in offer.choose(target, kinds)
    ]
    return found or _of_process(target, left, offer) or offer.why_not(intervention, target, kinds)


def knockout(intervention: Knockout, offer: Offer) -> Found:
    """Remove the product and the copies of the gene."""
    target, kinds = intervention.knockout, ("expression", "endogenous")
    names = dict.fromkeys(name for kind in kinds for name in offer.handles(kind, target))
    found = [Change("set", name, 0.0) for name in names] or _of_process(target, 0.0, offer)
    return found or offer.why_not(intervention, target, kinds)


def _of_process(target: str, left: float, offer: Offer) -> list[Change]:
    """Lower the process that stands for a protein; nothing if there is none."""
    process = process_of(target)
    return [Change("multiply", name, left) for name in offer.handles("process", process)] if process else []


def rescue(intervention: Rescue, offer: Offer) -> Found:
    """Put in the cDNA of a lost or lowered gene, or of a mutant of it."""
    if intervention.variant != _WILD_TYPE:
        return _mutant(intervention, intervention.rescue, intervention.variant, intervention.fold.value, offer)
    return _restored(intervention, intervention.rescue, intervention.fold.value, offer)


def express_mutant(intervention: ExpressMutant, offer: Offer) -> Found:
    """Put in a named mutant, beside the wild type or instead of it."""
    name, fold = intervention.express_mutant, intervention.fold.value
    return _mutant(intervention, name, intervention.variant, fold, offer)


def mutate(intervention: Mutate, offer: Offer) -> Found:
    """Mutate sites of promoters."""
    sites = promoter_sites(intervention.mutate)
    if not sites:
        return Refusal(f"the promoter site {intervention.mutate!r} is not in the modules")
    found = [Change("set", name, 0.0) for name in sites if name in offer.names]
    missing = " or ".join(sites)
    return found or Refusal(f"the modules at hand offer no way to mutate {intervention.mutate} (no {missing})")


def _restored(
    intervention: Overexpress | SetExpression | Rescue | ExpressMutant, gene: str, fold: float, offer: Offer
) -> Found:
    """Return the product of a gene set to `fold` of the reference.

    A subunit of integrins that the cell has merely lost in this trial pairs as before; one that the
    line never made needs a transgene, as do genes whose transgene is modelled.
    """
    subunit = gene.startswith("ITG") and gene not in offer.lost
    kinds = ("expression", "transgene") if subunit else ("transgene", "expression")
    found = [Change("set", name, fold) for _, name in offer.choose(gene, kinds)]
    return found or offer.why_not(intervention, gene, kinds)


def _mutant(intervention: Rescue | ExpressMutant, gene: str, variant: str, fold: float, offer: Offer) -> Found:
    entry = find_variant(gene, variant)
    if entry is None:
        known = ", ".join(known_variants(gene)) or "none"
        return Refusal(f"the variant {variant!r} of {gene} is not in the library; known variants of {gene}: {known}")
    if not entry.beside and not offer.lacks(gene):
        return Refusal(f"the model has no pool for {gene} {variant} beside the wild type: knock out {gene} as well")
    changes: list[Change] = []
    if not entry.beside:
        restored = _restored(intervention, gene, fold, offer)
        if isinstance(restored, Refusal):
            return restored
        changes += restored
    return _with_effects(changes, entry, fold, offer)


def _with_effects(changes: list[Change], entry: Variant, fold: float, offer: Offer) -> Found:
    found = list(changes)
    for effect in entry.effects:
        names = offer.handles(effect.handle, effect.target)
        if not names:
            wanted = handle_name(effect.handle, effect.target)
            return Refusal(f"the modules at hand hold no {entry.gene} {entry.id} (no {wanted})")
        found += [_change_of(effect, name, fold) for name in names]
    return found


def _change_of(effect: Effect, name: str, fold: float) -> Change:
    match effect.how:
        case "set":
            return Change("set", name, effect.value)
        case "scale":
            return Change("set", name, effect.value * fold)
        case "compete":
            return Change("multiply", name, 1.0 / (1.0 + effect.value * fold))
