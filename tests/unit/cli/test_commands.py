"""Commands that need no simulation."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest

import haptos
from haptos.cli.app import run_command_line
from haptos.lab.experiments import examples


def test_help_names_every_command_and_imports_nothing_heavy() -> None:
    script = (
        "import sys; sys.argv = ['haptos', '--help']\n"
        "from haptos.cli.app import run_command_line\n"
        "code = run_command_line()\n"
        "heavy = {'numpy', 'pandas', 'pydantic', 'matplotlib', 'scipy', 'zarr', 'duckdb', 'numba', 'rich', 'libsbml'}\n"
        "print(code, sorted(heavy & set(sys.modules)))\n"
    )
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.endswith("0 []\n")
    assert time.perf_counter() - start < 3, "generous: machines differ; it takes about 0.15 s"
    commands = ("run", "new", "runs", "check", "audit", "explain", "reproduce", "evidence")
    for name in (*commands, "cells", "compounds", "assays", "schema", "doctor"):
        assert f"\n  {name} " in done.stdout


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    assert run_command_line(["--version"]) == 0
    assert capsys.readouterr().out == f"haptos {project['version']}\n"
    assert haptos.__version__ == project["version"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["runn"], "Did you mean 'run'?"),
        (["run"], "Missing argument"),
        (["run", "x.yaml", "--workers", "0"], "greater than or equal to 1"),
        (["reproduce", "zhao2012"], "did you mean 'zhao2013'?"),
        (["new", "x.yaml", "--assay", "western"], "did you mean 'western_blot'?"),
    ],
)
def test_wrong_usage_is_explained(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(arguments) == 2
    assert words in capsys.readouterr().err


def test_new_writes_an_example_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.yaml"
    assert run_command_line(["new", str(file), "--assay", "qpcr"]) == 0
    assert file.read_text() == examples()["qpcr"]
    assert "haptos run" in capsys.readouterr().out
    file.write_text("mine")
    assert run_command_line(["new", str(file)]) == 1
    assert "left as it is" in capsys.readouterr().err
    assert file.read_text() == "mine"
    assert run_command_line(["new", str(tmp_path / "no" / "mine.yaml")]) == 1


def test_the_schema_describes_the_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    choices = schema["properties"]["assay"]["anyOf"]
    named = {
        schema["$defs"][c["$ref"].rpartition("/")[2]]["properties"]["name"]["const"] for c in choices if "$ref" in c
    }
    assert named == set(examples())
    assert "lung_carcinoma" in schema["properties"]["cells"]["anyOf"][0]["enum"]
    assert "doxycycline" in schema["$defs"]["Treat"]["properties"]["treat"]["enum"]
    assert schema["$defs"]["Treat"]["properties"]["at"]["default"] == "0 h"
    references = json.dumps(schema)
    for name in {part.split('"')[0] for part in references.split("#/$defs/")[1:]}:
        assert name in schema["$defs"], "no reference leads nowhere"


def test_lists_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["assays", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {r["name"] for r in rows if r["simulated"]} == set(examples())
    assert next(r for r in rows if r["name"] == "qpcr")["measures"] == {"mrna": "a.u."}


def test_runs_of_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = tmp_path / "runs"
    assert run_command_line(["runs", "--runs", str(runs)]) == 0
    assert "no finished runs" in capsys.readouterr().out
    assert run_command_line(["runs", "verify", "--runs", str(runs)]) == 0
    assert run_command_line(["runs", "show", "x", "--runs", str(runs)]) == 1
    assert "no run 'x'" in capsys.readouterr().err
    assert not runs.exists()


def test_public_names_load_lazily() -> None:
    assert set(haptos.__all__) <= set(dir(haptos))
    for name in haptos.__all__:
        assert getattr(haptos, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = haptos.nothing
