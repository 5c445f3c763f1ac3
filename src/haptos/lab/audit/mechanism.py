"""Which cuts take away the mechanism that a claim names.

Carriers are the reactions annotated with the claim. Where what the claim names as subject or as
link in between acts on a carrier, only these arrows are cut: the carrier goes on without them. A
carrier that turns it over is cut as a whole. If it is in no carrier, the same is tried for what the
claim names as stimulus and object; else all carriers are cut.

Subject and link may also act on the readout itself, in its rule (a binding at equilibrium, an
activity): then these arrows are cut, besides or where no reaction carries the claim. What is read
itself, or turned over by a carrier, is left alone there, unless the readout is itself a binding or
there is nothing else to cut.

What *requires* something is acted on by it: there subject and object change places.

A claim whose predicate is in :data:`DESCRIBING` names no mechanism.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from haptos.signalling.cuts import cut_name

if TYPE_CHECKING:
    from haptos.conditions.catalogue import Vocabulary
    from haptos.evidence.claims import Claim
    from haptos.signalling.steps import Step

__all__ = ["DESCRIBING", "Mechanism", "carriers_of", "mechanism_of", "names_mechanism"]

#: Predicates that say what something is, has or goes with, not what it does: there is no act to cut.
DESCRIBING = frozenset(
    [
        "absent_from",
        "consists_of",
        "correlates_with",
        "depends_on",
        "detects",
        "does_not_bind",
        "enriched_in",
        "exceeds",
        "has_property",
        "is_a",
        "located_in",
        "part_of",
        "reduced_in",
        "unknown_for",
    ]
)


@dataclass(frozen=True, slots=True)
class Mechanism:
    """What carries a claim in the model.

    Attributes
    ----------
    carriers : tuple of str
        Reactions annotated with the claim.
    cuts : tuple of str
        Names of the multipliers that take the mechanism away.
    how : str
        ``arrows``, ``reactions``, ``both``; ``readout`` for arrows onto the readout only; or ``none`` where
        nothing carries the claim.
    elsewhere : tuple of str
        Reactions on which the same acts, but which are not annotated with the claim.
    """

    carriers: tuple[str, ...]
    cuts: tuple[str, ...]
    how: str
    elsewhere: tuple[str, ...] = ()


#: Measures that are bindings at equilibrium: rules, besides any reaction that they enter.
BINDING = frozenset({"affinity", "complex", "shifted"})
#: What acts, in the words of claims, and what it is in the model.
ALSO: Mapping[str, tuple[str, ...]] = {
    "cell_adhesion": ("integrin_signalling",),
    "integrin_growth_factor_synergy": ("integrin_signalling",),
    "integrin_ligation": ("integrin_signalling",),
    "loss_of_integrin_signals": ("integrin_signalling",),
    "PTK2_pY": ("PTK2_pY397",),
    "RB1_p": ("RB1",),
    "sustained_ERK": ("ERK",),
    "transient_ERK": ("ERK",),
    "weak_ERK": ("ERK",),
}


def carriers_of(claim: str, steps: Mapping[str, Step]) -> tuple[str, ...]:
    """Return the reactions annotated with a claim."""
    return tuple(step.id for step in steps.values() if claim in step.claims)


def names_mechanism(claim: Claim) -> bool:
    """Tell whether a claim says that its subject does something."""
    return claim.relation.predicate not in DESCRIBING


def mechanism_of(
    claim: Claim, steps: Mapping[str, Step], vocabulary: Vocabulary, readouts: Mapping[str, Step] | None = None
) -> Mechanism:
    """Return what carries a claim, and the cuts that take it away.

    Parameters
    ----------
    claim : Claim
        Its identifier is looked for in the annotations; its relation says what is cut there.
    steps : mapping of str to Step
        The reactions of the network.
    vocabulary : Vocabulary
        Members of classes.
    readouts : mapping of str to Step, optional
        The rules by which the trial is read.
    """
    carriers, said = carriers_of(claim.id, steps), claim.relation
    first, last = (said.object, said.subject) if said.predicate == "requires" else (said.subject, said.object)
    carrying = [steps[c] for c in carriers]
    acts = _words((*first, *said.via), vocabulary, ALSO)
    read: tuple[str, ...] = ()
    if names_mechanism(claim):
        spared = None if not carriers or _measure(claim) in BINDING else _Spared.of(claim, carrying, vocabulary)
        read = tuple(_read_cuts((readouts or {}).values(), acts, spared))
    if not carriers:
        return Mechanism((), read, "readout" if read else "none")
    for wanted in (acts, _words((*said.induced_by, *last, *said.of), vocabulary)):
        cuts = tuple(dict.fromkeys(_cuts(carrying, wanted)))
        if cuts:
            whole = {cut_name(c) for c in carriers}.intersection(cuts)
            how = "arrows" if not whole else "both" if len(whole) < len(cuts) else "reactions"
            others = (step.id for step in steps.values() if step.id not in carriers and _acting(step, wanted))
            return Mechanism(carriers, (*cuts, *read), how, tuple(others))
    return Mechanism(carriers, (*(cut_name(c) for c in carriers), *read), "reactions")


def _measure(claim: Claim) -> str:
    return claim.trial.readout.measure if claim.trial is not None and claim.trial.readout is not None else ""


def _cuts(carriers: Iterable[Step], wanted: re.Pattern[str]) -> Iterator[str]:
    for step in carriers:
        arrows = _acting(step, wanted)
        yield from (cut_name(step.id, name) for name in arrows)
        if not arrows and any(wanted.search(name) for name in step.turned):
            yield cut_name(step.id)


@dataclass(frozen=True, slots=True)
class _Spared:
    """What of a readout is no act on it, but it itself: to cut that would turn any verdict."""

    read: re.Pattern[str]
    turned: frozenset[str]

    @classmethod
    def of(cls, claim: Claim, carriers: Iterable[Step], vocabulary: Vocabulary) -> _Spared:
        """Return what a trial reads, with the parts of complexes, and what the carriers turn over."""
        readout = claim.trial.readout if claim.trial is not None else None
        names = (part for name in (readout.of if readout else ()) for part in (name, *name.split(":")))
        return cls(_words(names, vocabulary), frozenset(name for step in carriers for name in step.turned))

    def __contains__(self, name: str) -> bool:
        return name in self.turned or self.read.search(name) is not None


def _read_cuts(readouts: Iterable[Step], wanted: re.Pattern[str], spared: _Spared | None) -> Iterator[str]:
    """Return the arrows onto readouts, each from as far down as it can be followed; all but what is spared.

    With something spared, only arrows from what is wanted itself, not from what is made of it.
    """
    for step in readouts:
        names = {n for n in _acting(step, wanted) if spared is None or (wanted.search(n) and n not in spared)}
        yield from (cut_name(step.id, n) for n in sorted(names) if not names & step.acting[n] - {n})


def _acting(step: Step, wanted: re.Pattern[str]) -> list[str]:
    """Return what acts on a reaction and is, or is made of, what is wanted."""
    return [name for name, parts in step.acting.items() if any(wanted.search(part) for part in (name, *parts))]


def _words(
    entities: Iterable[str], vocabulary: Vocabulary, also: Mapping[str, tuple[str, ...]] | None = None
) -> re.Pattern[str]:
    """Return a pattern that finds entities, and the members of classes, in names of the model."""
    found: dict[str, None] = {}
    for entity in entities:
        term = vocabulary.entities.get(entity)
        for name in (entity, *(term.members if term is not None else ()), *(also or {}).get(entity, ())):
            found[re.sub(r"[^A-Za-z0-9]", "_", name)] = None
    return re.compile("|".join(rf"(?:^|_){re.escape(name)}(?:_|$)" for name in found))
