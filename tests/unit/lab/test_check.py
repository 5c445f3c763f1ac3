"""A user's claims: read with all problems, planned, judged by the path of every experiment."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from haptos.cli.app import run_command_line
from haptos.core.located import parse_yaml
from haptos.errors import SpecError
from haptos.evidence.own import check_claims, completed, read_claims, sound_claims
from haptos.lab.check import check_file, check_sound, claims_schema, claims_template, plan_check, remarks
from haptos.lab.run import Bench
from haptos.store.manifest import damage

SHORT = """\
version: 1
claims:
- id: MINE-01
  relation: {subject: [ILK], predicate: upregulates, object: [MMP9]}
  trial:
    cells: lung_carcinoma
    arms: {vector: [], ILK: [{overexpress: ILK, fold: 5}]}
    assay: qpcr
    readout: {measure: mrna, of: [MMP9]}
  expect: {outcome: increase, test: [ILK], reference: vector}
- id: MINE-02
  relation: {subject: [ILK], predicate: upregulates, object: [MMP9]}
  trial:
    cells: lung_carcinoma
    arms: {vector: [], ILK: [{overexpress: ILK, fold: 5}]}
    assay: transwell_migration
    readout: {measure: migrated}
  expect: {outcome: decrease, test: [ILK], reference: vector}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(SHORT)
    return path


def test_what_only_a_library_needs_may_be_left_out(file: Path) -> None:
    first, second = read_claims(file)
    assert (first.source, first.system, first.kind, first.level) == ("own", "own", "hypothesis", "signalling")
    assert second.level == "mechanics"  # from the room of the assay
    assert [i for i in check_claims(file)[1] if i.severity == "error"] == []


def test_what_is_given_is_kept() -> None:
    text = SHORT.replace("- id: MINE-01", "- id: MINE-01\n  system: S4\n  level: mechanics", 1)
    claims = completed(parse_yaml(text), {"qpcr": "signalling"}).data["claims"]
    assert (claims[0]["system"], claims[0]["level"], claims[1]["system"]) == ("S4", "mechanics", "own")
    broken = parse_yaml("claims: nothing")
    assert completed(broken, {}) is broken


def test_a_check_is_a_run(file: Path, bench: Bench) -> None:
    result = check_file(file, bench, members=3)
    board = result.tables["board"].set_index("claim")
    assert board.loc["MINE-01", "verdict"] == "supported"
    assert result.folder.name.startswith("check-mine-")
    assert damage(result.folder) == []
    assert check_file(file, bench, members=3).reused
    record = json.loads((result.folder / "claims.json").read_text())[0]
    assert (record["claim"]["id"], record["verdict"]) == ("MINE-01", "supported")


def test_a_plan_writes_nothing(file: Path, bench: Bench) -> None:
    plan, faults = plan_check(file, bench, members=2)
    assert faults == {}
    assert set(plan.whole.plans) | set(plan.whole.reasons) == {"MINE-01", "MINE-02"}
    assert plan.members == 2
    assert bench.store.names() == []
    assert check_file(file, bench, members=2).folder == plan.folder


def test_a_plan_can_leave_faulty_claims_out_as_the_check_does(file: Path, bench: Bench) -> None:
    file.write_text(SHORT.replace("qpcr", "qpcrr"))
    with pytest.raises(SpecError):
        plan_check(file, bench, members=2)
    plan, faults = plan_check(file, bench, members=2, skip_faulty=True)
    result, left_out = check_sound(file, bench, members=2)
    assert set(faults) == set(left_out) != set()
    assert {c.id for c in plan.whole.claims} == set(result.tables["board"]["claim"])
    assert plan.folder == result.folder


def test_all_problems_are_told_at_once_with_the_nearest_names(file: Path) -> None:
    text = SHORT.replace("subject: [ILK]", "subject: [ILKK]", 1).replace("qpcr", "qpcrr").replace("MINE-02", "MINE O2")
    file.write_text(text.replace("fold: 5", "fold: five"))
    with pytest.raises(SpecError) as caught:
        read_claims(file)
    told = "\n".join(map(str, caught.value.issues))
    for piece in ("'ILKK'", "did you mean 'ILK'", "'qpcrr'", "did you mean 'qpcr'", "'five'", "MINE O2"):
        assert piece in told
    assert len(caught.value.issues) >= 5


def test_the_command_leaves_with_two_and_simulates_nothing(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(SHORT.replace("lung_carcinoma", "lung_carcinom"))
    assert run_command_line(["check", str(file), "--runs", str(tmp_path / "runs")]) == 2
    assert "did you mean 'lung_carcinoma'" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()
    assert run_command_line(["check", str(tmp_path / "none.yaml")]) == 2
    assert "no such file" in capsys.readouterr().err


def test_the_template_is_sound_and_written_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "new.yaml"
    assert run_command_line(["new", str(path), "--claims"]) == 0
    assert path.read_text() == claims_template()
    assert len(read_claims(path)) == 4
    assert "haptos check" in capsys.readouterr().out
    assert run_command_line(["new", str(path), "--claims"]) == 1


def test_the_examples_of_the_documentation_are_sound(tmp_path: Path) -> None:
    text = (Path(__file__).parents[3] / "docs" / "claims_format.md").read_text()
    examples = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert len(examples) == 3
    for example in examples:
        path = tmp_path / "example.yaml"
        path.write_text(example)
        assert read_claims(path)


def test_the_schema_accepts_the_template(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["schema", "--claims"]) == 0
    schema: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert schema == json.loads(json.dumps(claims_schema()))
    assert set(schema["$defs"]["Claim"]["required"]) == {"id", "relation"}
    validator = pytest.importorskip("jsonschema").Draft202012Validator(schema)
    data = parse_yaml(claims_template()).data
    assert [e.message for e in validator.iter_errors(data)] == []
    data["claims"][0]["trial"]["assays"] = "x"
    assert list(validator.iter_errors(data))


def test_names_in_relations_stop_nothing(file: Path) -> None:
    file.write_text(SHORT.replace("subject: [ILK]", "subject: [something]", 1))
    assert read_claims(file)
    assert any("'something'" in text for text in remarks(file))


def test_who_stands_for_whom_is_said(file: Path) -> None:
    file.write_text(SHORT.replace("overexpress: ILK", "overexpress: KRAS"))
    assert "the model does not tell KRAS from HRAS: H-Ras stands for both" in remarks(file)


def test_a_known_line_is_simulated_as_the_context_that_stands_for_it_and_that_is_said(file: Path) -> None:
    file.write_text(re.sub(r"cells: \S+", "cells: PC3", SHORT))
    assert {claim.trial.cells for claim in read_claims(file) if claim.trial} == {"prostate_carcinoma_PTEN_null"}
    said = [text for text in remarks(file) if "PC-3" in text]
    both = "prostate carcinoma cells without PTEN stand for both"
    assert said == [f"the model does not tell PC-3 from prostate_carcinoma_PTEN_null: {both}"]


def test_claims_with_problems_can_be_left_out(file: Path) -> None:
    file.write_text(SHORT.replace("overexpress: ILK", "overexpress: STAT7", 1))
    claims, faults = sound_claims(file)
    assert len(claims) + len(faults) == SHORT.count("- id:")
    assert "unknown target 'STAT7'" in faults[next(iter(faults))][0].message


FREE = """\
version: 1
claims:
- id: my_claim.3
  relation: {subject: [CXCL12], predicate: upregulates, object: [cell_migration], where: [HT-1080]}
  trial:
    cells: lung_carcinoma
    arms:
      none: []
      below: [{add: CXCL12, dose: 100 ng/mL, gradient: true}]
    assay: transwell_migration
    readout: {measure: migrated, at: 4 h}
  expect: {outcome: increase, test: [below], reference: none}
- id: dose
  relation: {subject: [F2], predicate: activates, object: [RHOA]}
  trial:
    cells: breast_carcinoma
    arms:
      none: []
      low: [{add: F2, dose: 0.01 U/mL}]
      high: [{add: F2, dose: 1 U/mL}]
    assay: gtpase_pulldown
    readout: {measure: gtp_bound, of: [RHOA], at: 5 min}
  expect: {outcome: rising, test: [none, low, high]}
"""


def test_free_names_gradients_units_and_series(tmp_path: Path, bench: Bench) -> None:
    path = tmp_path / "free.yaml"
    path.write_text(FREE)
    assert [i for i in check_claims(path)[1] if i.severity == "error"] == []
    plan, _ = plan_check(path, bench, members=1)
    assert plan.whole.reasons == {}
    steps = [i for arm in plan.whole.plans["my_claim.3"].arms for i in arm.condition.interventions]
    assert [step.gradient for step in steps] == [False]


def test_a_gradient_needs_two_chambers_and_a_series_three_arms(tmp_path: Path, bench: Bench) -> None:
    path = tmp_path / "free.yaml"
    blot = FREE.replace("transwell_migration", "western_blot").replace("migrated", "level, of: [MMP9]")
    path.write_text(blot)
    plan, _ = plan_check(path, bench, members=1)
    steps = [i for arm in plan.whole.plans["my_claim.3"].arms for i in arm.condition.interventions]
    assert [step.gradient for step in steps] == [True]  # which the cells refuse
    path.write_text(FREE.replace("test: [none, low, high]", "test: [none, high]"))
    assert any("at least 3 entries" in issue.message for issue in check_claims(path)[1])
    path.write_text(FREE.replace("my_claim.3", "my claim"))
    assert any("has not the form" in issue.message for issue in check_claims(path)[1])
