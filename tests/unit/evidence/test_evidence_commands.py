"""``haptos evidence``: output, JSON and exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import haptos.cli.evidence as commands
import haptos.evidence.library as evidence
from haptos.evidence.coverage import coverage, tally
from haptos.evidence.library import Library

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> Library:
    """Let the commands see the small library."""
    library = Library(HERE / "small_library", name="small")
    monkeypatch.setattr(evidence, "load_library", lambda: library)
    monkeypatch.setenv("COLUMNS", "80")
    return library


def run(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(commands.app, list(words))
    assert result.exit_code == code, result.output
    return result.output


def data(*words: str, code: int = 0) -> Any:
    return json.loads(run(*words, "--json", code=code))


def test_list_filters_and_counts() -> None:
    assert "6 claims" in run("list")
    assert [c["id"] for c in data("list", "--system", "s1", "--priority", "1")] == ["ZHAO-01", "ZHAO-02"]
    assert [c["id"] for c in data("list", "--text", "sirna p65")] == ["ZHAO-02"]
    assert [c["id"] for c in data("list", "--source", "review2002", "--level", "organism")] == ["VIVO-01"]
    assert [c["id"] for c in data("list", "--assay", "transwell_migration", "--cells", "fibroblast")] == ["VIVO-02"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("list", "--system", "S15"), "there is no system 'S15'"),
        (("list", "--assay", "wetern_blot"), "did you mean 'western_blot'"),
        (("list", "--level", "cell"), "allowed: none, signalling"),
        (("show", "ZHAO-1"), "did you mean 'ZHAO-01'"),
        (("vocabulary", "cell"), "did you mean 'cells'"),
        (("quantities", "--use", "fit"), "allowed: calibrate, validate"),
        (("list", "--priority", "7"), "--priority"),
    ],
)
def test_wrong_names_end_with_code_2_and_the_nearest(words: tuple[str, ...], said: str) -> None:
    assert said in run(*words, code=2)


def test_show_tells_experiment_source_conflict_and_misprint() -> None:
    text = " ".join(run("show", "ZHAO-02").split())
    assert "p65 siRNA abolishes the ILK-induced rise of the level of MMP9" in text
    assert "Zhao M et al. 2013; abstract, lines 3-4" in text
    assert "conflict K01 scope with ZHAO-01" in text
    assert "'MMP-9a', read as 'MMP-9'" in text
    assert data("show", "ZHAO-02")["conflict_groups"][0]["id"] == "K01"


@pytest.mark.parametrize("identifier", ["K01", "T01", "zhao2013", "tay-copies"])
def test_show_knows_every_kind_of_record(identifier: str) -> None:
    assert identifier in run("show", identifier)
    assert identifier in run("show", identifier, "--json")


def test_conflicts_sources_quantities_and_vocabulary_are_listed() -> None:
    assert "ZHAO-01 against ZHAO-02" in run("conflicts")
    assert data("conflicts")[0]["side_b"] == ["ZHAO-02"]
    assert [s["id"] for s in data("sources")] == ["zhao2013", "review2002"]
    assert "3 quantities" in run("quantities")
    assert [q["id"] for q in data("quantities", "--use", "validate")] == ["peak-time"]
    assert data("vocabulary")["compound"] == 1
    assert data("vocabulary", "organ") == [{"id": "lung", "label": "lung"}]
    assert "also called" in run("vocabulary", "target")


def test_lines_fit_eighty_columns() -> None:
    for words in (("list",), ("show", "ZHAO-02"), ("conflicts",), ("sources",), ("quantities",), ("lint", "--rules")):
        assert max(map(len, run(*words).splitlines())) <= 80, words


def test_lint_passes_on_the_small_library_and_fails_on_a_broken_file(tmp_path: Path) -> None:
    assert "0 errors, 0 warnings" in run("lint")
    file = tmp_path / "mine.yaml"
    file.write_text("claims:\n- {id: MINE-01, priority: 9}\n", encoding="utf-8")
    assert f"{file}:2 (priority): MINE-01: 9 is not known here" in run("lint", str(file), code=1)
    assert {issue["rule"] for issue in data("lint", str(file), code=1)} == {"readable"}
    assert "no such file" in run("lint", str(tmp_path / "none.yaml"), code=1)


def test_strict_lint_fails_on_warnings(tmp_path: Path) -> None:
    text = (HERE / "own_claims.yaml").read_text(encoding="utf-8")
    file = tmp_path / "mine.yaml"
    file.write_text(text.replace("reference: []", "reference: []\n      idle: []"), encoding="utf-8")
    assert "0 errors, 1 warnings" in run("lint", str(file))
    run("lint", "--strict", str(file), code=1)


def test_rules_are_explained() -> None:
    assert {"id": "used-arms", "severity": "warning"}.items() <= data("lint", "--rules")[9].items()


def test_coverage_uses_the_lab_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    def expressible(claim: Any) -> str | None:
        return "room host is missing" if claim.trial.assay == "xenograft" else None

    monkeypatch.setattr(commands, "expressible_by_lab", lambda: expressible)
    found = {row["claim"]: (row["state"], row["reason"]) for row in data("coverage")}
    assert found["ZHAO-01"] == ("judged", "")
    assert found["ZHAO-03"] == ("untestable", "classification")
    assert found["VIVO-01"] == ("not yet expressible", "room host is missing")
    assert "room host is missing" in run("coverage")
    listed = run("coverage", "--system", "S13")
    assert "VIVO-02" in listed
    assert "ZHAO-01" not in listed


def test_without_a_lab_nothing_is_judged(small: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    states = coverage(small.claims(), commands.expressible_by_lab())
    assert {status.reason for status in states if status.state == "not yet expressible"} == {"the lab is missing"}
    assert tally(states)["S1"] == {"judged": 0, "not yet expressible": 3, "untestable": 1}


def test_unreadable_evidence_is_reported_with_code_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / "S01.yaml").write_text("claims:\n- {id: A-01}\n", encoding="utf-8")
    monkeypatch.setattr(evidence, "load_library", lambda: Library(tmp_path, name="broken"))
    assert "broken/claims/S01.yaml:2" in run("list", code=1)
