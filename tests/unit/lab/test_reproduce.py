"""Claims judged by their own trials, through the same path as a user's experiment."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from haptos.errors import EvidenceError
from haptos.evidence.claims import Claim
from haptos.lab.coverage import expressibility, trial_expressibility
from haptos.lab.plan import registered_assays
from haptos.lab.reproduce import plan_reproduction, reproduce_claims, source_claims
from haptos.lab.run import Bench
from haptos.lab.trials import experiment_of
from haptos.store.manifest import damage


def _claim(name: str, outcome: str, **changes: Any) -> Claim:
    data: dict[str, Any] = {
        "id": name,
        "source": "zhao2013",
        "lines": [[43, 43]],
        "system": "S1",
        "kind": "perturbation_outcome",
        "level": "signalling",
        "priority": 1,
        "relation": {"subject": ["ILK"], "predicate": "upregulates", "object": ["MMP9"]},
        "trial": {
            "cells": "lung_carcinoma",
            "arms": {"reference": [], "test": [{"overexpress": "ILK"}]},
            "assay": "qpcr",
            "readout": {"measure": "mrna", "of": ["MMP9"]},
        },
        "expect": {"outcome": outcome, "test": ["test"], "reference": "reference"},
    }
    return Claim.model_validate(data | changes)


@pytest.fixture
def claims() -> list[Claim]:
    trial = {
        "cells": "lung_carcinoma",
        "arms": {
            "control": [],
            "reference": [{"overexpress": "ILK"}],
            "test": [{"overexpress": "ILK"}, {"knockdown": "RELA"}],
        },
        "assay": "western_blot",
        "readout": {"measure": "level", "of": ["MMP9"]},
    }
    gone = {"outcome": "abolished", "test": ["test"], "reference": "reference", "control": "control"}
    far = {**trial, "assay": "xenograft", "readout": {"measure": "metastases"}}
    return [
        _claim("A-01", "increase"),
        _claim("A-02", "decrease"),
        _claim("A-03", "abolished", trial=trial, expect=gone),
        _claim("A-04", "increase", trial=None, expect=None, untestable="naming"),
        _claim("A-05", "abolished", trial=far, expect=gone),
    ]


def test_each_claim_gets_the_verdict_of_its_own_trial(bench: Bench, claims: list[Claim], cells: Any) -> None:
    result = reproduce_claims("made up", claims, bench)
    board = result.tables["board"].set_index("claim")
    assert board["verdict"].to_dict() == {
        "A-01": "supported",
        "A-02": "contradicted",
        "A-03": "supported",
        "A-04": "untestable",
        "A-05": "not expressible",
    }
    assert board.loc["A-05", "reason"] == "the assay xenograft is not built yet (room host)"
    assert board.loc["A-03", "effect"] == pytest.approx(0.15)
    assert result.manifest.headline["counts"]["supported"] == 2
    assert damage(result.folder) == []
    assert {p.name for p in (result.folder / "figures").iterdir()} == {"board.svg", "board.png"}
    assert [r["verdict"] for r in json.loads((result.folder / "claims.json").read_text())] == list(board["verdict"])
    calls = len(cells.calls)
    assert reproduce_claims("made up", claims, bench).reused
    assert len(cells.calls) == calls


def test_claims_with_the_same_trial_share_its_simulations(bench: Bench, claims: list[Claim], cells: Any) -> None:
    reproduce_claims("two", claims[:2], bench)
    assert len(cells.calls) == 2 * 5


def test_neither_name_nor_expectation_reaches_the_simulation(bench: Bench, claims: list[Claim]) -> None:
    one, two = plan_reproduction("t", claims[:2], bench).plans.values()
    assert one.experiment == two.experiment
    assert one.tasks == two.tasks


def test_a_member_that_fails_counts_against_the_claim(bench: Bench, claims: list[Claim], fake_cells: Any) -> None:
    result = reproduce_claims("t", claims[2:3], replace(bench, simulator=fake_cells(failing=(0, 1))))
    row = result.tables["board"].iloc[0]
    assert row["verdict"] == "undecided"
    assert row["fraction"] == 0.6
    assert row["failed"] == 2


def test_an_unknown_source_or_level_is_explained() -> None:
    with pytest.raises(EvidenceError, match="did you mean 'zhao2013'"):
        source_claims("zhao2012")
    with pytest.raises(EvidenceError, match="no claim of level organism"):
        source_claims("zhao2013", level="organism")


def test_coverage_says_what_is_missing(claims: list[Claim], cells: Any) -> None:
    assays = registered_assays()
    assert claims[0].trial is not None
    assert trial_expressibility(claims[0].trial, cells, assays) is None
    trial = claims[0].trial
    assert trial.readout is not None
    cases = {
        "no cell line file for pro_B": trial.with_changes(cells="pro_B"),
        "the assay traction_force is not built yet (room motility)": trial.with_changes(assay="traction_force"),
        "the assay qpcr does not read 'level' yet": trial.with_changes(readout={"measure": "level", "of": ["MMP9"]}),
        "no mrna__CXCR4": trial.with_changes(readout={"measure": "mrna", "of": ["CXCR4"]}),
        "a delay needs a second readout ('over') after which it is counted": trial.with_changes(
            readout={"measure": "mrna", "of": ["MMP9"], "summary": "delay"}
        ),
    }
    for reason, changed in cases.items():
        assert trial_expressibility(changed, cells, assays) == reason
    assert expressibility(claims[3]) == "untestable: naming"


def test_a_time_course_is_read_over_time(claims: list[Claim]) -> None:
    trial = claims[0].trial
    assert trial is not None
    course = trial.with_changes(readout={"measure": "mrna", "of": ["MMP9"], "summary": "time_course"}, duration="4 h")
    protocol = experiment_of(course, registered_assays()).assay
    assert len(registered_assays()["qpcr"].times(protocol)) >= 48
    end = registered_assays()["qpcr"].times(
        experiment_of(trial.with_changes(duration="4 h"), registered_assays()).assay
    )
    assert end[-1] == 240.0
