"""Which function carries out which intervention, and whole lists of interventions in order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from haptos.conditions.interventions import AnyIntervention, Intervention, Knockdown, Knockout, SwapCells
from haptos.signalling.actions import activity, genes, integrins, medium
from haptos.signalling.actions.change import Change, Found, Offer, Refusal, refused

__all__ = ["changes_of", "changes_of_arm"]

type _Executor = Callable[[Any, Offer], Found]

#: What carries out an intervention, by its verb.
_EXECUTORS: dict[str, _Executor] = {
    "overexpress": genes.overexpress,
    "knockdown": genes.knockdown,
    "knockout": genes.knockout,
    "express_mutant": genes.express_mutant,
    "rescue": genes.rescue,
    "mutate": genes.mutate,
    "set_expression": genes.set_expression,
    "treat": activity.treat,
    "inhibit": activity.inhibit,
    "activate": activity.activate,
    "neutralise": activity.neutralise,
    "block": activity.block,
    "cleave": activity.cleave,
    "release": activity.release,
    "lock_conformation": integrins.lock_conformation,
    "set_affinity": integrins.set_affinity,
    "set_mobility": integrins.set_mobility,
    "add": medium.add,
    "withdraw": medium.withdraw,
    "plate_on": medium.plate_on,
    "detach": medium.detach,
    "embed_in": medium.embed_in,
    "set_density": medium.set_density,
    "restrict_spreading": medium.restrict_spreading,
    "shear": medium.shear,
    "injure": medium.injure,
}

#: What other rooms carry out, by verb.
_ELSEWHERE = {
    "set_adhesion": "needs the motility room: adhesion strength is mechanics, the network has none",
    "set_bond": "needs the motility room: bonds in series are mechanics, the network has none",
    "set_architecture": "needs the motility room: the network knows spreading, not the layout of the cytoskeleton",
    "select_subline": "needs the host room: sublines arise by growth in an animal",
    "implant": "needs the host room: the network is one cell population in a dish",
    "set_heterogeneity": "needs the tissue or host room: the network is a mean over cells",
    "scan": "is a series of arms: write one arm for each amount",
}


def changes_of(
    intervention: AnyIntervention,
    offered: Collection[str],
    *,
    lost: Collection[str] = (),
    removed: Collection[str] = (),
) -> list[Change] | Refusal:
    """Translate one intervention.

    Parameters
    ----------
    intervention : intervention
        What is done.
    offered : collection of str
        Parameters and species of the composed model.
    lost, removed : collection of str
        Genes that the cell line has lost and genes that the same arm knocks out: only cells without
        the wild type can hold certain mutants.

    Returns
    -------
    list of Change or Refusal
        What to change, or the reason why the model cannot express it. Other cells
        (``swap_cells``) change nothing here.
    """
    return _translate(intervention, Offer(offered, frozenset(lost), frozenset(removed)))


def _translate(intervention: Intervention, offer: Offer) -> Found:
    if isinstance(intervention, SwapCells):
        return []
    executor = _EXECUTORS.get(intervention.verb)
    if executor is None:
        return refused(intervention, _ELSEWHERE.get(intervention.verb, "has no meaning for the network"))
    return executor(intervention, offer)


def changes_of_arm(
    interventions: Iterable[AnyIntervention], offered: Collection[str], expression: Mapping[str, float]
) -> tuple[list[Change], list[str]]:
    """Translate all interventions of one arm.

    Parameters
    ----------
    interventions : iterable of intervention
        What is done, in any order.
    offered : collection of str
        Parameters and species of the composed model.
    expression : mapping of str to float
        Amounts of the cell; 0 is a lost gene.

    Returns
    -------
    changes : list of Change
        By their start; what takes a gene away comes before what is put in its place.
    reasons : list of str
        Why some of them cannot be carried out.
    """
    steps = list(interventions)
    removed = [i.knockout for i in steps if isinstance(i, Knockout)]
    lost = [gene for gene, amount in expression.items() if amount == 0.0]
    changes: list[Change] = []
    reasons: list[str] = []
    for step in sorted(steps, key=_rank):
        found = changes_of(step, offered, lost=lost, removed=removed)
        if isinstance(found, Refusal):
            reasons.append(found.reason)
        else:
            changes += found
    return sorted(changes, key=lambda c: c.start), list(dict.fromkeys(reasons))


def _rank(intervention: Intervention) -> int:
    return 0 if isinstance(intervention, Knockout) else 1 if isinstance(intervention, Knockdown) else 2
