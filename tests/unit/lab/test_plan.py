"""From an experiment to its simulations."""

from __future__ import annotations

from typing import Any

import pytest

from haptos.errors import SpecError
from haptos.lab.cost import estimate
from haptos.lab.plan import plan_experiment, share_conditions, unique_tasks


def test_every_simulation_is_planned_once(cells: Any, asked: Any) -> None:
    plan = plan_experiment(asked.experiment, cells)
    assert len(plan.tasks) == len({t.key for t in plan.tasks}) == 3 * (3 + 5)
    assert set(plan.conditions) == {t.condition for t in plan.tasks}


def test_equal_arms_share_their_simulations(cells: Any, parse: Any, text: str) -> None:
    asked = parse(text.replace("  ILK: [", "  ILK again: [{overexpress: ILK, fold: 4.0}]\n  ILK: ["))
    plan = plan_experiment(asked.experiment, cells)
    assert len(plan.arms) == 4
    assert len(plan.tasks) == 3 * (3 + 5)


def test_the_ensemble_does_not_depend_on_the_seed_but_the_repeats_do(cells: Any, asked: Any) -> None:
    one, two = (plan_experiment(asked.experiment.with_changes(seed=s), cells) for s in (1, 2))
    shared = {t.key for t in one.tasks} & {t.key for t in two.tasks}
    assert shared == {t.key for t in one.tasks if t.replicate is None}


def test_shared_interventions_and_swapped_cells_reach_the_condition(cells: Any, parse: Any, text: str) -> None:
    asked = parse(text.replace("arms:", "shared: [{treat: doxycycline, dose: 1 µM}]\narms:").replace(
        "{knockdown: RELA}", "{swap_cells: breast_carcinoma}"))  # fmt: skip
    plan = plan_experiment(asked.experiment, cells)
    vector, _, both = plan.arms
    assert [i.verb for i in vector.condition.interventions] == ["treat"]
    assert [i.verb for i in both.condition.interventions] == ["treat", "overexpress"]
    assert (vector.condition.cells, both.condition.cells) == ("lung_carcinoma", "breast_carcinoma")


def test_conditions_that_differ_in_the_reading_only_are_simulated_once(cells: Any, parse: Any, text: str) -> None:
    other = text.replace("genes: [MMP9, ILK]", "genes: [RELA]")
    plans = [plan_experiment(parse(t).experiment, cells, replicates=0) for t in (text, other)]
    assert len(unique_tasks(plans)) == 2 * 3 * 5
    shared = share_conditions(plans)
    assert len(unique_tasks(shared)) == 3 * 5
    assert set(shared[1].arms[0].condition.quantities) == {"mrna__ILK", "mrna__MMP9", "mrna__RELA"}


def test_reasons_stand_where_they_come_from(cells: Any, parse: Any, text: str) -> None:
    bad = text.replace("cells: lung_carcinoma", "cells: fibroblast").replace(
        "arms:", "shared: [{inhibit: RELA}]\narms:"
    )
    asked = parse(bad)
    with pytest.raises(SpecError) as error:
        plan_experiment(asked.experiment, cells, document=asked.document)
    assert {(i.where, i.message) for i in error.value.issues} == {
        ("made_up.yaml:2 (cells)", "no cell line file for fibroblast"),
        ("made_up.yaml:3 (shared[0])", "no way to inhibit"),
    }


def test_the_cost_is_measured(cells: Any, asked: Any) -> None:
    plan = plan_experiment(asked.experiment, cells)
    cost = estimate(plan.tasks, plan.conditions, cells, 2)
    assert cost.simulations == 24
    assert cost.seconds_each > 0
    assert cost.seconds == pytest.approx(12 * cost.seconds_each)
    assert estimate((), {}, cells, 2).seconds == 0
