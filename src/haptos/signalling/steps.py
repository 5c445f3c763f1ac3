"""The reactions of the model as a reader wants to see them: equation, claims, sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from haptos.signalling.condition import Condition
from haptos.signalling.model import composition, model
from haptos.signalling.modules import Annotation
from haptos.signalling.references import address_of
from haptos.signalling.schedule import integrins_of

__all__ = ["Step", "steps", "steps_in"]


@dataclass(frozen=True, slots=True)
class Step:
    """A reaction as a reader wants to see it.

    Attributes
    ----------
    id : str
        The reaction.
    equation : str
        What becomes what.
    needs : tuple of str
        Species that act on its rate only.
    claims : tuple of str
        Claims that it carries.
    addresses : tuple of str
        Where its sources are found (DOI).
    """

    id: str
    equation: str
    needs: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()


def steps_in(condition: Condition) -> Mapping[str, Step]:
    """Return every reaction of the network that a condition needs."""
    return steps(integrins_of(condition))


@cache
def steps(integrins: frozenset[str]) -> Mapping[str, Step]:
    """Return every reaction of the network with these heterodimers, to be read."""
    known = composition(integrins).annotations
    found = {}
    for reaction in model(integrins).kinetic.reactions:
        note = known.get(reaction.id, Annotation(0))
        addresses = tuple(a for a in map(address_of, note.sources) if a)
        equation = f"{_side(reaction.reactants)} → {_side(reaction.products)}"
        found[reaction.id] = Step(reaction.id, equation, reaction.modifiers, note.claims, addresses)
    return found


def _side(species: Iterable[tuple[str, float]]) -> str:
    return " + ".join(name if count == 1.0 else f"{count:g} {name}" for name, count in species) or "∅"
