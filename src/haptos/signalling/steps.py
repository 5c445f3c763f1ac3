"""The reactions of the model as a reader wants to see them: equation, what acts on them, claims, sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from haptos.signalling.building.modules import Annotation
from haptos.signalling.building.references import address_of
from haptos.signalling.condition import Condition
from haptos.signalling.cuts import Arrows, cut_name
from haptos.signalling.model import composition, model
from haptos.signalling.readouts import parts_of
from haptos.signalling.schedule import parts_needed

__all__ = ["Step", "inputs_of", "quantities_in", "readouts_of", "steps", "steps_in"]


@dataclass(frozen=True, slots=True)
class Step:
    """One reaction.

    Attributes
    ----------
    id : str
        The reaction.
    equation : str
        What becomes what.
    turned : tuple of str
        Species that it turns over.
    acting : mapping of str to frozenset of str
        Quantities that act on its rate only, each with all that it is made of.
    claims : tuple of str
        Claims that it carries.
    addresses : tuple of str
        Where its sources are found (DOI).
    """

    id: str
    equation: str = ""
    turned: tuple[str, ...] = ()
    acting: Mapping[str, frozenset[str]] = field(default_factory=dict)
    claims: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()


def steps_in(condition: Condition) -> Mapping[str, Step]:
    """Return every reaction of the network that a condition needs, by identifier."""
    return steps(parts_needed(condition))


@cache
def steps(parts: frozenset[str]) -> Mapping[str, Step]:
    """Return every reaction of the network with these heterodimers, by identifier."""
    known = composition(parts).annotations
    kinetic = model(parts).kinetic
    arrows = Arrows(kinetic)
    found = {}
    for reaction in kinetic.reactions:
        note = known.get(reaction.id, Annotation(0))
        found[reaction.id] = Step(
            id=reaction.id,
            equation=f"{_side(reaction.reactants)} → {_side(reaction.products)}",
            turned=tuple(dict.fromkeys(name for name, _ in (*reaction.reactants, *reaction.products))),
            acting={name: arrows.made_of(name) for name in arrows.on(reaction)},
            claims=note.claims,
            addresses=tuple(a for a in map(address_of, note.sources) if a),
        )
    return found


def inputs_of(condition: Condition) -> tuple[str, ...]:
    """Return the arrows that act on what turns over the quantities a condition reads: what could move them."""
    compiled = model(parts_needed(condition))
    arrows = Arrows(compiled.kinetic)
    parts = (part for quantity in condition.quantities for part in parts_of(quantity, compiled.quantities))
    read = {name for part in parts for name in arrows.made_of(part)}
    feeding = (step for step in steps_in(condition).values() if read & set(step.turned))
    return tuple(cut_name(step.id, name) for step in feeding for name in step.acting)


def readouts_of(condition: Condition) -> Mapping[str, Step]:
    """Return the rules by which the quantities of a condition are read, with what acts on them, as if reactions."""
    compiled = model(parts_needed(condition))
    arrows = Arrows(compiled.kinetic)
    parts = (part for quantity in condition.quantities for part in parts_of(quantity, compiled.quantities))
    return {
        part: Step(part, acting={name: arrows.made_of(name) for name in arrows.readouts.get(part, ())})
        for part in parts
    }


def quantities_in(condition: Condition) -> tuple[str, ...]:
    """Return everything that could be read of the cells of a condition."""
    return tuple(sorted(model(parts_needed(condition)).quantities))


def _side(species: Iterable[tuple[str, float]]) -> str:
    return " + ".join(name if count == 1.0 else f"{count:g} {name}" for name, count in species) or "∅"
