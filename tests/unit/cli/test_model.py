"""``haptos model``: any SBML or Antimony file from the command line."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from haptos.cli.boundary import Boundary
from haptos.cli.model import app
from haptos.cli.model_view import line_of_blocks
from haptos.signalling.sbml import antimony_to_sbml

TEXT = """model toy
  A -> B; k*A; A = 8; B = 0; k = 1; total := A + B;
  refill: at A < 1, t0=false: A = A + 8;
end
"""


@pytest.fixture
def antimony(tmp_path: Path) -> Path:
    path = tmp_path / "toy.ant"
    path.write_text(TEXT)
    return path


@pytest.fixture
def sbml(tmp_path: Path) -> Path:
    path = tmp_path / "toy.xml"
    path.write_text(antimony_to_sbml(TEXT))
    return path


def _run(*arguments: object) -> int:
    boundary = Boundary()
    with boundary:
        app(args=[str(a) for a in arguments], prog_name="haptos model")
    return int(boundary.code)


@pytest.mark.parametrize("kind", ["antimony", "sbml"])
def test_info_shows_everything_within_80_columns(
    kind: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert _run("info", request.getfixturevalue(kind)) == 0
    shown = capsys.readouterr().out
    for part in ("2 states", "A -> B", "(A * k)", "total = (A + B)", "refill: when (A < 1): A = (A + 8)"):
        assert part in shown.replace("<->", "->")
    assert max(map(len, shown.splitlines())) <= 80


def test_info_as_json(sbml: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("info", sbml, "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["parameters"] == {"default_compartment": 1.0, "k": 1.0}
    assert facts["species"][0] == {"id": "A", "place": "default_compartment", "role": "state", "start": 8.0, "unit": ""}


def test_simulate_writes_a_table(antimony: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "courses.csv"
    assert _run("simulate", antimony, "--end", 2, "--points", 3, "--set", "k=0.5", "--set", "B=1", "--out", table) == 0
    rows = list(csv.DictReader(io.StringIO(table.read_text())))
    assert [float(row["time"]) for row in rows] == [0.0, 1.0, 2.0]
    assert float(rows[2]["A"]) == pytest.approx(8 * 2.718281828 ** (-1.0), rel=1e-4)
    assert float(rows[2]["total"]) == pytest.approx(9.0)
    shown = capsys.readouterr().out
    assert "finished" in shown
    assert "doi:10." in shown


def test_simulate_to_standard_output_and_json(antimony: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("simulate", antimony, "--end", 1, "--points", 2, "--out", "-", "--show", "B,_J0") == 0
    assert capsys.readouterr().out.startswith("time,B,_J0\n")
    assert _run("simulate", antimony, "--end", 1, "--points", 2, "--out", "-", "--show", "B") == 0
    assert [row["time"] for row in csv.DictReader(io.StringIO(capsys.readouterr().out))] == ["0.0", "1.0"]
    assert _run("simulate", antimony, "--end", 1, "--points", 2, "--solver", "rodas4", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["method"] == "Rodas4"
    assert facts["warnings"] == []
    assert facts["values"]["A"][0] == 8.0


def test_plot_draws_blocks(antimony: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("simulate", antimony, "--end", 3, "--plot") == 0
    assert "█" in capsys.readouterr().out
    assert line_of_blocks([1.0, 1.0], 5) == "▁▁"
    assert line_of_blocks([1.0, float("nan")], 5) == "not finite"


def test_sample_counts_molecules(antimony: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("sample", antimony, "--end", 1, "--runs", 20, "--seed", 3, "--molecules", 10, "--json")
    assert _run(*arguments) == 0
    first = capsys.readouterr().out
    assert _run(*arguments) == 0
    assert capsys.readouterr().out == first
    facts = json.loads(first)
    assert facts["finished"] == 20
    assert 15 < facts["end"]["A"]["mean"] < 45


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--set", "kk=1"), "did you mean k?"),
        (("--set", "k"), "name=number"),
        (("--set", "k=fast"), "name=number"),
        (("--end", "-1"), "--end must be a number above zero"),
        (("--solver", "euler"), "--solver must be one of rodas5p, rodas4, libroadrunner"),
        (("--solver", "lsoda"), "--solver must be one of rodas5p, rodas4, libroadrunner"),
        (("--show", "Q"), "there is no quantity 'Q'"),
    ],
)
def test_wrong_arguments_are_explained(
    antimony: Path, arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run("simulate", antimony, *arguments) == 2
    assert message in capsys.readouterr().err


def test_faults_of_a_file_have_their_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = antimony_to_sbml("model m; x = 1; late: at 2 after time > 1: x = 2; end")
    (tmp_path / "late.xml").write_text(text)
    line = next(n for n, row in enumerate(text.splitlines(), start=1) if "<event " in row)
    assert _run("info", tmp_path / "late.xml") == 2
    shown = capsys.readouterr().err
    assert f"late.xml:{line}: event 'late': its delay" in shown
    assert "--solver libroadrunner" in shown
    (tmp_path / "bad.ant").write_text("model m\n  A -> ;; k*A )\nend\n")
    assert _run("info", tmp_path / "bad.ant") == 2
    assert "bad.ant:2: " in capsys.readouterr().err
    (tmp_path / "late.ant").write_text("model m; x = 1; late: at 2 after time > 1: x = 2; end")
    assert _run("info", tmp_path / "late.ant") == 2
    assert "late.ant: " in capsys.readouterr().err, "lines of the translation would mislead"
    assert _run("info", tmp_path / "missing.xml") == 2
    assert "No such file" in capsys.readouterr().err


def test_a_failed_simulation_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "blow.ant"
    path.write_text("model m; x' = x*x; x = 1; end")
    assert _run("simulate", path, "--end", 5) == 1
    assert "finished" not in capsys.readouterr().out


def test_events_whose_order_matters_are_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "order.ant"
    path.write_text("model m; x = 1; y = 0; up: at time > 1: x = x + 2; twice: at time > 1: x = 2*x; end")
    assert _run("info", path) == 0
    assert "up and twice" in " ".join(capsys.readouterr().out.split())
    assert _run("simulate", path, "--end", 2) == 0
    assert "warning: events happen at the same moment" in " ".join(capsys.readouterr().out.split())
    assert _run("simulate", path, "--end", 0.5, "--json") == 0
    assert json.loads(capsys.readouterr().out)["warnings"] == []
