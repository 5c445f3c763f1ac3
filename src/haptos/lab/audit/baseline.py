"""Sign propagation: what the wiring alone predicts, without amounts and rate constants.

A trial's arms differ in some parameters and doses. Each difference is a sign at a node of the
signed graph of the network, and signs are carried along its edges to the readout:

* ``shortest``: the majority of all shortest paths that reach a part of the readout;
* ``walks``: the sum over all walks, each step halving the weight and sharing it among the edges.

What nothing reaches does not change. What a sign cannot say (how much, how long, in which
context more) counts as not predicted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from haptos.assays.base import Sample
from haptos.evidence import claims as said
from haptos.lab.judging import reading_of
from haptos.lab.plan import condition_of
from haptos.signalling.influence import SignedGraph, differences, signed_graph

if TYPE_CHECKING:
    from haptos.evidence.claims import Claim
    from haptos.lab.plan import Plan
    from haptos.signalling.condition import Outcome

__all__ = ["METHODS", "Predicted", "predict_claim", "raising_quantities", "shortest_sign", "walk_sign"]

#: Ways of adding up the paths.
METHODS = ("shortest", "walks")
_DAMPING, _LENGTH = 0.5, 40
#: By how much quantities are raised to see whether a reading rises.
_MORE = 1.2
#: Below this share of the sum without signs a sum over walks is a tie.
_TIE = 1e-9

Sources = Mapping[str, int]
Parts = Sequence[tuple[str, int]]


def shortest_sign(graph: SignedGraph, sources: Sources, parts: Parts) -> int | None:
    """Return the sign that most shortest paths carry to the readout; 0 if none arrives, None for a tie.

    Examples
    --------
    >>> graph = SignedGraph({"a": (("b", 1), ("c", -1)), "b": (("d", 1),), "c": (("d", -1),)}, {})
    >>> shortest_sign(graph, {"a": 1}, [("d", 1)]), shortest_sign(graph, {"a": 1}, [("z", 1)])
    (1, 0)
    """
    wanted = dict(parts)
    front: dict[str, list[int]] = {name: [int(s > 0), int(s < 0)] for name, s in sources.items()}
    seen: set[str] = set()
    while front:
        total = sum((up - down) * wanted[name] for name, (up, down) in front.items() if name in wanted)
        if any(name in wanted for name in front):
            return int(np.sign(total)) if total else None
        seen |= set(front)
        following: dict[str, list[int]] = {}
        for name, (up, down) in front.items():
            for target, sign in graph.edges.get(name, ()):
                if target not in seen:
                    counts = following.setdefault(target, [0, 0])
                    counts[0] += up if sign > 0 else down
                    counts[1] += down if sign > 0 else up
        front = following
    return 0


def walk_sign(graph: SignedGraph, sources: Sources, parts: Parts) -> int | None:
    """Return the sign of the sum over all walks to the readout; 0 if none arrives, None for a tie."""
    wanted = dict(parts)
    level = {name: (float(s), 1.0) for name, s in sources.items()}  # signed, and without signs
    total, reached, weight = 0.0, 0.0, 1.0
    for _ in range(_LENGTH):
        for name, sign in wanted.items():
            value, size = level.get(name, (0.0, 0.0))
            total, reached = total + weight * sign * value, reached + weight * size
        following: dict[str, tuple[float, float]] = {}
        for name, (value, size) in level.items():
            targets = graph.edges.get(name, ())
            for target, sign in targets:
                before = following.get(target, (0.0, 0.0))
                following[target] = before[0] + sign * value / len(targets), before[1] + size / len(targets)
        level, weight = following, weight * _DAMPING
    if reached == 0.0:
        return 0
    return None if abs(total) <= _TIE * reached else int(np.sign(total))


@dataclass(frozen=True)
class Predicted:
    """What the wiring predicts for one claim.

    Attributes
    ----------
    claim : str
        Identifier.
    right : mapping of str to bool
        By method: whether the expectation is met.
    """

    claim: str
    right: Mapping[str, bool]


def predict_claim(claim: Claim, plan: Plan, outcome: Outcome) -> Predicted:
    """Hold the expectation of a claim against signs alone.

    Parameters
    ----------
    claim : Claim
        The claim.
    plan : Plan
        Its trial.
    outcome : Outcome
        Any simulation of one of its arms: where the assay is asked what its reading rises with.
    """
    raising = raising_quantities(claim, plan, outcome)
    return Predicted(claim.id, {method: _right(claim, plan, raising, method) for method in METHODS})


def raising_quantities(claim: Claim, plan: Plan, outcome: Outcome) -> tuple[str, ...]:
    """Return the quantities with which the reading of an assay rises (denominators are left out)."""
    if claim.trial is None or claim.trial.readout is None:
        return ()
    readout = claim.trial.readout
    names = tuple(sorted({need.name for need in plan.assay.needs(plan.experiment.assay)}))
    times = np.asarray(plan.arms[0].condition.times, float)
    raised = [{**outcome.quantities, name: np.asarray(outcome.quantities[name]) * _MORE} for name in names]
    samples = [Sample(times, q, outcome.geometry, outcome.parameters) for q in (outcome.quantities, *raised)]
    found = plan.assay.ideal_many(samples, plan.experiment.assay)
    plain, *others = (float(np.sum(reading_of(values, readout, times).values)) for values in found)
    return tuple(name for name, value in zip(names, others, strict=True) if value > plain)


def _right(claim: Claim, plan: Plan, raising: Sequence[str], method: str) -> bool:
    expect = claim.expect
    if not isinstance(expect, said.Compared) or isinstance(expect, said.Varies | said.Ratio) or not raising:
        return False  # a sign says nothing about sizes
    if isinstance(expect, said.Restored):
        gap = _sign(plan, expect.control, expect.pairs()[0][1], raising, method)
        return bool(gap) and all(_sign(plan, t, r, raising, method) == gap for t, r in expect.pairs())
    wanted = _WANTED.get(getattr(expect, "change", getattr(expect, "outcome", "")))
    return wanted is not None and all(_sign(plan, t, r, raising, method) == wanted for t, r in expect.pairs())


#: Sign of the change that an outcome speaks of (of transient and sustained: that their `change` names).
_WANTED = {"increase": 1, "rise": 1, "decrease": -1, "fall": -1, "abolished": -1, "no_change": 0}


def _sign(plan: Plan, test: str, reference: str, raising: Sequence[str], method: str) -> int | None:
    arms = (condition_of(plan.experiment, a, plan.assay, plan.contexts) for a in (test, reference))
    needed, sources = differences(*arms)
    graph = signed_graph(needed)
    parts = [part for name in raising for part in graph.parts(name)]
    return (shortest_sign if method == "shortest" else walk_sign)(graph, sources, parts)
