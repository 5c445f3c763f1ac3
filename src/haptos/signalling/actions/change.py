"""What an intervention turns into, and what the model at hand offers for it."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from haptos.conditions.catalogue import load_vocabulary
from haptos.conditions.interventions import Intervention, Timed

#: What can be done where a kind of handle is offered.
_DONE_BY = {
    "expression": ("knockdown", "knockout", "overexpress"),
    "transgene": ("overexpress",),
    "silencing": ("knockdown",),
    "activity_factor": ("inhibit", "neutralise"),
    "function": ("inhibit", "neutralise"),
    "forced": ("activate",),
}

__all__ = ["Change", "Found", "Offer", "Refusal", "handle_name", "phrase", "refused", "window_of"]


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the model.

    Attributes
    ----------
    how : str
        ``multiply`` or ``set`` a parameter, ``dose`` a species of the medium, or ``bind`` it: leave a share of
        what is dosed.
    name : str
        Parameter or species.
    value : float
        Factor, value or concentration [nM].
    start, stop : float
        Times after the start of the assay [min]; minus infinity is long before.
    """

    how: Literal["multiply", "set", "dose", "bind"]
    name: str
    value: float
    start: float = -math.inf
    stop: float = math.inf


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an intervention cannot be carried out by the model as it is."""

    reason: str


type Found = list[Change] | Refusal


@dataclass(frozen=True, slots=True)
class Offer:
    """What the model of one trial offers.

    Attributes
    ----------
    names : collection of str
        Parameters and species of the composed model.
    lost : frozenset of str
        Genes that the cell line has lost.
    removed : frozenset of str
        Genes that the trial knocks out.
    """

    names: Collection[str]
    lost: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()

    def lacks(self, gene: str) -> bool:
        """Tell whether the cells hold no wild-type product of a gene or class."""
        gone = self.lost | self.removed
        return gene in gone or (bool(_members(gene)) and all(self.lacks(m) for m in _members(gene)))

    def choose(self, target: str, kinds: Sequence[str]) -> list[tuple[str, str]]:
        """Return (kind, handle) for a target: of each part that the model holds, the first kind offered.

        A class stands for its members, a subunit without a handle of its own for its integrins.
        """
        for kind in kinds:
            name = handle_name(kind, target)
            if name in self.names:
                return [(kind, name)]
        parts = _members(target) or _integrins_with(target)
        return list(dict.fromkeys(pair for part in parts for pair in self.choose(part, kinds)))

    def handles(self, kind: str, target: str) -> list[str]:
        """Return the handles of one kind for a target; see :meth:`choose`."""
        return [name for _, name in self.choose(target, (kind,))]

    def why_not(self, intervention: Intervention, target: str, kinds: Sequence[str]) -> Refusal:
        """Return the reason why none of some kinds of handles is offered for a target."""
        for whole in _wholes(target):
            if any(handle_name(kind, whole) in self.names for kind in kinds):
                return Refusal(f"the model holds {target} only as part of {whole}: {intervention.verb} {whole}")
        return Refusal(f"the modules at hand offer no way to {phrase(intervention)} ({self._instead(target, kinds)})")

    def _instead(self, target: str, kinds: Sequence[str]) -> str:
        """Return what is missing, and what could be done instead."""
        from haptos.signalling.actions.variants import related_to

        related = related_to(target)
        if related is not None:
            return f"{related.why}; try {related.instead}"
        verbs = sorted({verb for kind in _DONE_BY for name in self.handles(kind, target) for verb in _DONE_BY[kind]})
        if verbs:
            return f"what can be done to {target}: {', '.join(verbs)}"
        wanted = " or ".join(handle_name(kind, target) for kind in kinds)
        return f"no module holds {target}: no {wanted}"


def handle_name(kind: str, target: str) -> str:
    """Return the name of a handle.

    Examples
    --------
    >>> handle_name("forced", "ITGA6:ITGB4")
    'forced__ITGA6_ITGB4'
    """
    return f"{kind}__{target.replace(':', '_').replace('-', '_')}"


def phrase(intervention: Intervention) -> str:
    """Return an intervention in words."""
    return f"{intervention.verb.replace('_', ' ')} {intervention.target}"


def refused(intervention: Intervention, why: str) -> Refusal:
    """Return a refusal that names the intervention."""
    return Refusal(f"'{phrase(intervention)}' {why}")


def window_of(intervention: Timed) -> tuple[float, float]:
    """Return start and stop after the start of the assay [min]."""
    return intervention.at.value, math.inf if intervention.until is None else intervention.until.value


def _members(target: str) -> tuple[str, ...]:
    term = load_vocabulary().entities.get(target)
    return term.members if term is not None and term.kind == "class" else ()


@cache
def _wholes(target: str) -> tuple[str, ...]:
    """Return the classes and complexes that hold a target, the smallest first."""
    terms = load_vocabulary().entities.values()
    found = [t for t in terms if target in t.members and t.kind in ("class", "complex")]
    return tuple(t.id for t in sorted(found, key=lambda t: len(t.members)))


@cache
def _integrins_with(subunit: str) -> tuple[str, ...]:
    from haptos.signalling.building.integrins import heterodimers

    return tuple(h.id for h in heterodimers().values() if subunit in (h.alpha, h.beta))
