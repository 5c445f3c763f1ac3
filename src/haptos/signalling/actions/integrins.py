"""Interventions on integrins: conformation, affinity, mobility."""

from __future__ import annotations

from haptos.conditions.interventions import LockConformation, SetAffinity, SetMobility
from haptos.signalling.actions.change import Change, Found, Offer, refused, window_of

__all__ = ["lock_conformation", "set_affinity", "set_mobility"]


def lock_conformation(intervention: LockConformation, offer: Offer) -> Found:
    """Hold integrins low or high in the whole cell; poles belong to the motility room."""
    if intervention.pole != "everywhere":
        return refused(intervention, f"at the {intervention.pole} needs the motility room: the network has no poles")
    target, kind = intervention.lock_conformation, f"locked_{intervention.state}"
    found = [Change("set", name, 1.0, *window_of(intervention)) for name in offer.handles(kind, target)]
    return found or offer.why_not(intervention, target, (kind,))


def set_affinity(intervention: SetAffinity, offer: Offer) -> Found:
    """Multiply the strength of binding."""
    target, fold = intervention.set_affinity, intervention.fold.value
    names = offer.handles("affinity_factor", target)
    found = [Change("multiply", name, fold, *window_of(intervention)) for name in names]
    return found or offer.why_not(intervention, target, ("affinity_factor",))


def set_mobility(intervention: SetMobility, offer: Offer) -> Found:
    """Multiply the movement in the membrane."""
    target, fold = intervention.set_mobility, intervention.fold.value
    names = offer.handles("mobility_factor", target)
    found = [Change("multiply", name, fold, *window_of(intervention)) for name in names]
    return found or offer.why_not(intervention, target, ("mobility_factor",))
