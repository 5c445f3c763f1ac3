"""Explanations of an effect whose cause is known, and of a conflict whose members are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from haptos.conditions.interventions import Inhibit, Knockdown, Overexpress
from haptos.errors import EvidenceError, ParameterError
from haptos.evidence.claims import Claim, Conflict
from haptos.evidence.library import load_library
from haptos.lab.explain.contrast import Contrast, contrast_of_claim, effects, induced
from haptos.lab.explain.explaining import Workshop, explain
from haptos.lab.explain.ranking import rank
from haptos.lab.explain.routes import candidates, deciders, routes, side_cuts
from haptos.lab.plan import Plan, plan_experiment, registered_assays
from haptos.lab.run import Bench
from haptos.lab.trials import experiment_of
from haptos.signalling.condition import Condition, Outcomes
from haptos.signalling.steps import Step

STEPS = {
    "make_MMP9": Step(
        "make_MMP9", "∅ → MMP9", ("MMP9",), {"NFKB": frozenset({"NFKB"}), "AP1": frozenset({"AP1"})}, ("B-01",)
    ),
    "lose_MMP9": Step("lose_MMP9", "MMP9 → ∅", ("MMP9",)),
    "aside": Step("aside", "JUN → ∅", ("JUN",)),
}
NFKB, AP1 = "cut__make_MMP9__of__NFKB", "cut__make_MMP9__of__AP1"


class Parts:
    def steps(self, condition: Condition) -> Mapping[str, Step]:
        return STEPS

    def inputs(self, condition: Condition) -> tuple[str, ...]:
        return ()

    def quantities(self, condition: Condition) -> tuple[str, ...]:
        return ()


def simulate(
    conditions: Sequence[Condition], vectors: np.ndarray[Any, Any], changed: Mapping[str, Any] | None
) -> list[Outcomes]:
    """MMP9 = 0.1 + share · NFKB · ILK + (1 − share) · AP1 · ILK; the share is the first parameter."""
    found, cut = [], changed or {}
    share, one = vectors[:, 0], np.ones(len(vectors))
    for condition in conditions:
        ilk, nfkb, ap1 = 1.0, 1.0, 1.0
        for step in condition.interventions:
            ilk *= step.fold.value if isinstance(step, Overexpress) else 1.0
            nfkb *= 0.1 if isinstance(step, Knockdown) and step.target == "RELA" else 1.0
            ap1 *= 0.1 if isinstance(step, Inhibit) and step.target == "JUN:FOS" else 1.0
        made = share * nfkb * cut.get(NFKB, one) + (1 - share) * ap1 * cut.get(AP1, one)
        amount = (0.1 + ilk * made) * cut.get("cut__make_MMP9", one) * np.where(cut.get("cut__lose_MMP9", one), 1, 9)
        series = np.repeat(amount[:, None], len(condition.times), axis=1)
        found.append(Outcomes(dict.fromkeys(condition.quantities, series), {}, np.zeros(len(vectors), np.int64)))
    return found


CLAIM = Claim.model_validate(
    {
        "id": "B-01", "source": "zhao2013", "lines": [[43, 43]], "system": "S1", "kind": "mechanism",
        "level": "signalling", "priority": 1,
        "relation": {"subject": ["RELA"], "predicate": "required_for", "object": ["MMP9"]},
        "trial": {
            "cells": "lung_carcinoma",
            "arms": {
                "control": [], "reference": [{"overexpress": "ILK", "fold": 4}],
                "test": [{"overexpress": "ILK", "fold": 4}, {"knockdown": "RELA"}],
            },
            "assay": "qpcr", "readout": {"measure": "mrna", "of": ["MMP9"]},
        },
        "expect": {"outcome": "abolished", "test": ["test"], "reference": "reference", "control": "control"},
    }
)  # fmt: skip
CONFLICT = Conflict(id="K99", nature="alternative_mechanism", side_a=("B-02",), side_b=("B-01",))


@pytest.fixture
def plan(cells: Any) -> Plan:
    assert CLAIM.trial is not None
    experiment = experiment_of(CLAIM.trial, registered_assays())
    return plan_experiment(experiment, cells, replicates=0)


@pytest.fixture
def effect(plan: Plan) -> Contrast:
    return induced(contrast_of_claim(CLAIM, plan), CLAIM)


def test_the_effect_is_what_the_claim_compares(plan: Plan, effect: Contrast) -> None:
    first = contrast_of_claim(CLAIM, plan)
    assert (first.test_label, first.reference_label) == ("test", "reference")
    assert (effect.test_label, effect.reference_label) == ("reference", "control")
    found = effects(effect, simulate, np.array([[0.5], [1.0]]))
    assert np.exp(found.logs) == pytest.approx([4.1 / 1.1] * 2)


def test_what_carries_an_effect_comes_first(effect: Contrast) -> None:
    ranking = rank(effect, Parts(), simulate, np.array([0.8]), np.array([[0.7], [0.9]]))
    assert ranking.fold == pytest.approx(4.1 / 1.1)
    first = ranking.carriers[0]
    assert (first.step.id, first.quantity) == ("make_MMP9", "NFKB")
    assert first.fold == pytest.approx((0.1 + 4 * 0.2) / (0.1 + 0.2))
    assert first.share == pytest.approx(1 - np.log(0.9 / 0.3) / np.log(4.1 / 1.1))  # 0.8 of the difference
    assert first.left == pytest.approx(0.3 / 1.1)
    scenery = {carrier.step.id for carrier in ranking.carriers if carrier.scenery}
    assert "lose_MMP9" in scenery  # nine times as much in both arms
    assert first.folds == pytest.approx([(0.1 + 4 * 0.3) / 0.4, (0.1 + 4 * 0.1) / 0.2])
    assert ranking.needed == ("cut__make_MMP9",)
    assert "aside" not in {carrier.step.id for carrier in ranking.carriers}
    assert (ranking.tried, ranking.failed) == (5, 0)


def test_members_divide_by_the_route_they_take(effect: Contrast) -> None:
    members = np.array([[0.02], [0.05], [0.08], [0.9], [0.95], [0.99]])
    found = routes(CONFLICT, effect, ((AP1,), (NFKB,)), simulate, members)
    assert found.shares["a"] == found.shares["b"] == 0.5
    a, b = found.groups()
    assert set(a) <= {0, 1, 2}
    assert set(b) <= {3, 4, 5}
    steps = [Inhibit(inhibit="JUN:FOS"), Overexpress(overexpress="RELB"), Knockdown(knockdown="RELA")]
    best = deciders(found, steps, lambda _: True, simulate, members, most=3)
    assert {d.intervention.verb for d in best[:2]} == {"inhibit", "knockdown"}
    assert best[-1].fold_a == best[-1].fold_b  # what acts on neither decides nothing
    assert best[0].apart == 1.0
    only = deciders(found, steps, lambda c: "JUN:FOS" not in repr(c.interventions), simulate, members)
    assert "inhibit" not in {d.intervention.verb for d in only}


def test_an_ensemble_of_one_route_is_not_split(effect: Contrast) -> None:
    members = np.full((6, 1), 0.9)
    found = routes(CONFLICT, effect, ((AP1,), (NFKB,)), simulate, members)
    assert found.shares["b"] == 1.0
    assert deciders(found, [Inhibit(inhibit="JUN:FOS")], lambda _: True, simulate, members) == ()


def test_what_both_sides_share_belongs_to_neither() -> None:
    other = CLAIM.model_copy(update={"id": "B-02"})
    steps = {"make_MMP9": Step("make_MMP9", "∅ → MMP9", ("MMP9",), {}, ("B-01", "B-02"))}
    from haptos.conditions.catalogue import load_vocabulary

    assert side_cuts(CONFLICT, {"B-01": CLAIM, "B-02": other}, steps, load_vocabulary()) == ((), ())


def test_candidates_are_interventions_of_the_library_each_once() -> None:
    found = [(step.verb, step.target) for step in candidates(load_library())]
    assert len(found) == len(set(found)) > 20
    assert ("knockdown", "RELA") in found


def test_unknown_names_are_answered_with_the_nearest(bench: Bench) -> None:
    shop = Workshop(bench, load_library(), Parts(), simulate, np.array([0.5]), np.array([[0.5]]))
    with pytest.raises(EvidenceError, match="did you mean 'ZHAO-2"):
        explain("ZHAO-2l", shop)
    with pytest.raises(ParameterError, match=r"no experiment|cannot be simulated"):
        explain("ZHAO-01", shop)
