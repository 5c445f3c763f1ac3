"""Check, audit and explain on the model that ships, as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from haptos.cli.app import run_command_line
from haptos.evidence.library import load_library
from haptos.lab.check import claims_template
from haptos.store.manifest import damage

pytestmark = pytest.mark.timeout(600)


def _json(arguments: list[str], capsys: pytest.CaptureFixture[str], *, code: int = 0) -> dict[str, object]:
    assert run_command_line([*arguments, "--json"]) == code, capsys.readouterr().err
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(claims_template())
    return path


def test_a_file_of_claims_is_planned_judged_and_kept(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = file.parent / "runs"
    options = ["--runs", str(runs), "--members", "3", "--workers", "1"]
    plan = _json(["check", str(file), "--dry-run", *options], capsys)
    assert plan["claims"] == 4
    assert plan["not_simulated"] == {}
    assert not runs.exists()
    run_command_line(["check", str(file), *options])  # the verdicts are the model's business, not this test's
    capsys.readouterr()
    folder = Path(str(plan["folder"]))
    assert damage(folder) == []
    board = json.loads((folder / "claims.json").read_text())
    assert {row["verdict"] for row in board} <= {"supported", "contradicted", "undecided"}
    assert "MINE-04" in (folder / "report.html").read_text()


def test_an_audit_of_a_claim_nothing_in_the_model_carries_says_so(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = file.read_text()
    file.write_text(text[: text.index("# 2. A loss")])
    options = ["--runs", str(file.parent / "runs"), "--members", "2", "--workers", "1", "--floor", "2"]
    found = _json(["audit", str(file), *options], capsys)
    rows = found["audit"]
    assert isinstance(rows, list)
    assert rows[0]["finding"] in {"no carrier", "not audited"}
    floor = found["floor"]
    assert isinstance(floor, list)
    assert [row["name"] for row in floor] == ["ensemble", "prior", "signs, shortest paths", "signs, all walks"]


@pytest.mark.slow
def test_a_conflict_is_explained_by_routes_and_reactions(capsys: pytest.CaptureFixture[str]) -> None:
    conflict = next(c for c in load_library().conflicts if c.nature == "alternative_mechanism")
    found = _json(["explain", conflict.id, "--workers", "1", "--most", "5"], capsys)
    carriers, routes = found["carriers"], found["routes"]
    assert isinstance(carriers, list)
    assert isinstance(routes, list)
    assert all(row["reaction"] for row in carriers)
    assert {row["conflict"] for row in routes} | set(found["open"]) == {conflict.id}  # type: ignore[call-overload]
    for row in routes:
        assert sum(row["shares"].values()) == pytest.approx(1.0)
        assert not set(row["cuts_a"]) & set(row["cuts_b"])
