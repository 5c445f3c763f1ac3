"""Claims found for an experiment: same interventions, same cells or kind, same reading."""

from __future__ import annotations

from typing import Any

import pytest

from haptos.conditions.experiment import Culture
from haptos.evidence.claims import Trial
from haptos.lab.run import Bench, run_experiment
from haptos.lab.trials import match_arms, same_culture, same_kind
from haptos.store.runs import RunStore


def _found(bench: Bench, asked: Any) -> dict[str, dict[str, Any]]:
    tables = run_experiment(asked.experiment, bench).tables
    rows = tables["literature"].to_dict("records") if "literature" in tables else []
    return {str(r["claim"]): r for r in rows}


def test_the_published_outcome_of_the_same_comparison_is_found_and_judged(bench: Bench, asked: Any) -> None:
    found = _found(bench, asked)["ZHAO-08"]
    assert (found["test"], found["against"]) == ("ILK", "vector")
    assert found["verdict"] == "supported"
    assert found["fraction"] == 1.0
    assert found["doi"].startswith("10.")
    assert "Zhao" in found["source"]
    assert "MMP9" in found["published"]


def test_the_verdict_follows_the_simulation(bench: Bench, parse: Any, text: str) -> None:
    """With hardly any overexpression the change is below what the assay resolves."""
    found = _found(bench, parse(text.replace("fold: 4", "fold: 1.01")))["ZHAO-08"]
    assert found["verdict"] == "contradicted"
    assert found["fraction"] == 0.0


def test_what_differs_from_the_claims_own_trial_is_said(bench: Bench, parse: Any, text: str) -> None:
    assert _found(bench, parse(text))["ZHAO-08"]["caveats"] == ""
    found = _found(bench, parse(text.replace("genes: [MMP9, ILK]", "genes: [MMP9], duration: 6 h")))["ZHAO-08"]
    assert found["caveats"] == "duration 6 h here, 24 h in the claim's own trial"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("cells: lung_carcinoma", "cells: breast_carcinoma"),
        ("genes: [MMP9, ILK]", "genes: [RELA]"),
        ("{overexpress: ILK, fold: 4}", "{overexpress: AKT1, fold: 4}"),
        ("ILK: [{overexpress: ILK, fold: 4}]", "ILK: [{overexpress: ILK, fold: 4}, {treat: doxycycline, dose: 1 µM}]"),
    ],
)
def test_other_experiments_have_no_counterpart_and_that_is_said(
    bench: Bench, parse: Any, text: str, old: str, new: str
) -> None:
    asked = parse(text.replace(old, new))
    assert "ZHAO-08" not in _found(bench, asked)
    note = run_experiment(asked.experiment, bench).manifest.headline["literature_note"]
    assert "No claim of the library rests on the same" in note


def test_arms_match_by_verb_and_target_and_direction(asked: Any) -> None:
    trial = Trial.model_validate(
        {
            "cells": "lung_carcinoma",
            "assay": "qpcr",
            "arms": {
                "a": [],
                "b": [{"overexpress": "ILK"}],
                "c": [{"knockdown": "RELA"}, {"overexpress": "ILK", "fold": 2}],
                "d": [{"set_expression": "ILK", "fold": 0.5}],
            },
            "readout": {"measure": "mrna", "of": ["MMP9"]},
        }
    )
    match = match_arms(asked.experiment, trial, "abcd")
    assert match.arms == {"a": "vector", "b": "ILK", "c": "both"}
    assert match.same_cells
    assert not match.same_amounts, "the trial says 2-fold, the experiment 4-fold"
    assert match_arms(asked.experiment, trial, "ab").same_amounts, "the trial names no amount"


def test_culture_matters_only_where_the_claim_names_it() -> None:
    assert same_culture(Culture(), None)
    assert same_culture(Culture(), Culture.model_validate({"serum": "0 %"}))
    assert not same_culture(Culture(), Culture.model_validate({"geometry": "3D"}))


def test_a_line_is_an_example_of_its_kind_only() -> None:
    assert same_kind("MCF-7", "breast_carcinoma")
    assert not same_kind("breast_carcinoma", "MCF-7")
    assert not same_kind("MCF-7", "lung_carcinoma")
    assert not same_kind("MCF-7", "mammary_epithelial")
    assert not same_kind("nobody", "lung_carcinoma")


class _Willing:
    """Cells that can do everything; wraps the made-up ones."""

    def __init__(self, cells: Any) -> None:
        self._cells = cells

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cells, name)

    def expressibility(self, condition: Any) -> list[str]:
        return []


@pytest.mark.parametrize(
    ("protocol", "asked"),
    [
        ("caspases: [CASP3], freed: [BMF], every: 30 min", True),
        ("caspases: [CASP3], freed: [BMF]", False),
        ("caspases: [CASP3], every: 30 min", False),
    ],
)
def test_a_delay_is_judged_only_where_both_courses_were_read(
    tmp_path: Any, cells: Any, parse: Any, protocol: str, asked: bool
) -> None:
    text = f"""
cells: epithelial
arms: {{detached: [{{detach: cells}}]}}
assay: {{name: apoptosis, {protocol}}}
replicates: {{biological: 2}}
"""
    bench = Bench(RunStore(tmp_path), simulator=_Willing(cells))
    assert ("ANOIKIS-03" in _found(bench, parse(text))) == asked


@pytest.mark.parametrize(("duration", "asked"), [("6 h", True), ("2 h", False)])
def test_a_course_must_reach_the_time_a_claim_speaks_of(
    tmp_path: Any, cells: Any, parse: Any, duration: str, asked: bool
) -> None:
    text = f"""
cells: breast_carcinoma
culture: {{coating: basement_membrane, geometry: 3D}}
arms: {{blocked: [{{neutralise: ITGB1}}], free: []}}
assay: {{name: phospho_blot, sites: [ERK], duration: {duration}, every: 10 min}}
replicates: {{biological: 2}}
"""
    bench = Bench(RunStore(tmp_path), simulator=_Willing(cells))
    assert ("PROLIF-44" in _found(bench, parse(text))) == asked
