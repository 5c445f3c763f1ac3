"""Cells of a user's own: found beside the file, in what names the run, kept in its folder."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from haptos.cli.app import run_command_line
from haptos.core.located import parse_yaml
from haptos.errors import SpecError
from haptos.lab.check import check_file, claims_schema, plan_check
from haptos.lab.contexts import contexts_beside, load_contexts
from haptos.lab.experiments import experiment_schema, read_experiment
from haptos.lab.importing import import_cells
from haptos.lab.plan import plan_experiment
from haptos.lab.run import Bench, RunResult, run, run_experiment
from haptos.signalling.cells import cell_lines
from haptos.store.manifest import damage
from haptos.store.runs import RunStore

EXPERIMENT = """\
title: mine
cells: my_line
arms:
  vector: []
  ILK: [{overexpress: ILK, fold: 4}]
  theirs: [{swap_cells: lung_carcinoma}]
assay: {name: qpcr, genes: [MMP9]}
"""
CELL = "version: 1\ncells: [{id: NAME, label: a line, basis: blots, confidence: measured, expression: {ILK: 2}}]\n"
CLAIMS = """\
version: 1
claims:
- id: MINE-01
  relation: {subject: [ILK], predicate: upregulates, object: [MMP9]}
  trial:
    cells: my_line
    arms: {vector: [], ILK: [{overexpress: ILK, fold: 5}], other: [{swap_cells: other_line}]}
    assay: qpcr
    readout: {measure: mrna, of: [MMP9]}
  expect: {outcome: increase, test: [ILK], reference: vector}
"""
EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "my_line"


def cell(name: str) -> str:
    return CELL.replace("NAME", name)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "experiment.yaml").write_text(EXPERIMENT)
    (folder / "my_line.yaml").write_text(cell("my_line"))
    return folder / "experiment.yaml"


@pytest.fixture
def perform(tmp_path: Path, fake_cells: Any) -> Callable[..., RunResult]:
    def perform(file: Path, **changes: Any) -> RunResult:
        asked = read_experiment(file)
        bench = Bench(RunStore(tmp_path / "runs"), simulator=fake_cells())
        return run_experiment(asked.experiment, replace(bench, **changes), file=asked)

    return perform


# --- found ---------------------------------------------------------------------------------


def test_a_file_of_the_same_name_beside_is_found(file: Path) -> None:
    assert list(read_experiment(file).contexts) == ["my_line"]
    (file.parent / "my_line.yaml").rename(file.parent / "my_line.yml")
    assert list(read_experiment(file).contexts) == ["my_line"]


def test_all_files_of_the_folder_of_cells_are_found(file: Path) -> None:
    (file.parent / "cells").mkdir()
    (file.parent / "my_line.yaml").rename(file.parent / "cells" / "whatever.yaml")
    (file.parent / "cells" / "more.yaml").write_text(cell("other_line"))
    (file.parent / "cells" / "notes.txt").write_text("none")
    assert set(read_experiment(file).contexts) == {"my_line", "other_line"}


def test_without_a_file_the_cells_are_unknown(file: Path) -> None:
    (file.parent / "my_line.yaml").unlink()
    with pytest.raises(SpecError, match=r"experiment.yaml:2 \(cells\): unknown cell line 'my_line'"):
        read_experiment(file)
    file.write_text(EXPERIMENT.replace("swap_cells: lung_carcinoma", "swap_cells: my_lin"))
    (file.parent / "my_line.yaml").write_text(cell("my_line"))
    with pytest.raises(SpecError, match="did you mean 'my_line'"):
        read_experiment(file)


def test_other_files_of_that_name_are_let_be(file: Path) -> None:
    (file.parent / "lung_carcinoma.yaml").write_text(EXPERIMENT)  # an experiment, not cells
    assert list(read_experiment(file).contexts) == ["my_line"]
    mine = file.rename(file.parent / "my_line.yaml")  # the experiment is called as its cells
    with pytest.raises(SpecError, match="unknown cell line 'my_line'"):
        read_experiment(mine)


def test_problems_of_cell_files_are_told_with_their_line(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (file.parent / "my_line.yaml").write_text(cell("my_line").replace("ILK: 2", "ILKK: 2"))
    assert run_command_line(["run", str(file), "--dry-run"]) == 2
    assert "my_line.yaml:2 (cells[0].expression.ILKK): unknown amount 'ILKK'" in capsys.readouterr().err
    (file.parent / "cells").mkdir()
    (file.parent / "cells" / "a.yaml").write_text("cells: [")
    (file.parent / "cells" / "b.yaml").write_text("cells: ]")
    with pytest.raises(SpecError) as error:
        read_experiment(file)
    assert [str(i).count("a.yaml") + 2 * str(i).count("b.yaml") for i in error.value.issues] == [1, 2]


def test_the_same_cells_in_two_places_are_refused(file: Path) -> None:
    (file.parent / "cells").mkdir()
    (file.parent / "cells" / "a.yaml").write_text(cell("my_line"))
    with pytest.raises(SpecError, match="the cell 'my_line' stands twice"):
        read_experiment(file)
    (file.parent / "cells" / "a.yaml").unlink()
    (file.parent / "cells" / "a.yaml").symlink_to(file.parent / "my_line.yaml")  # one file, two paths
    assert list(read_experiment(file).contexts) == ["my_line"]


def test_numbers_of_cells_are_no_names_of_cells(tmp_path: Path) -> None:
    document = parse_yaml("cells: ../x\nassay: {name: clustering, cells: 30}")
    assert contexts_beside(tmp_path / "e.yaml", document) == {}


# --- run -----------------------------------------------------------------------------------


def test_arms_hold_the_context_they_need_and_no_other(file: Path, cells: Any) -> None:
    asked = read_experiment(file)
    plan = plan_experiment(asked.experiment, cells, contexts=asked.contexts)
    assert [[c.id for c in arm.condition.contexts] for arm in plan.arms] == [["my_line"], ["my_line"], []]
    with pytest.raises(SpecError, match="no cell line file for my_line"):
        plan_experiment(asked.experiment, cells, document=asked.document)


def test_what_the_cells_contain_names_the_run(file: Path, perform: Callable[..., RunResult]) -> None:
    first = perform(file)
    assert perform(file).reused
    (entry,) = first.manifest.specification["contexts"]
    assert (entry["id"], entry["expression"]) == ("my_line", {"ILK": 2.0})
    (file.parent / "my_line.yaml").write_text("# a remark\n" + cell("my_line"))
    assert perform(file).reused
    (file.parent / "my_line.yaml").write_text(cell("my_line").replace("ILK: 2", "ILK: 3"))
    other = perform(file)
    assert not other.reused
    assert other.folder != first.folder


def test_runs_without_own_cells_are_named_as_before(file: Path, perform: Callable[..., RunResult]) -> None:
    file.write_text(EXPERIMENT.replace("my_line", "breast_carcinoma"))
    result = perform(file)
    assert "contexts" not in result.manifest.specification
    assert not (result.folder / "cells").exists()
    (file.parent / "cells").mkdir()
    (file.parent / "cells" / "unused.yaml").write_text(cell("unused"))
    assert perform(file).reused


def test_the_copy_in_the_run_folder_gives_the_same_run(file: Path, perform: Callable[..., RunResult]) -> None:
    (file.parent / "my_line.yaml").write_text(cell("my_line").replace("expression", "like: A549, expression"))
    first = perform(file)
    assert (first.folder / "cells" / "my_line.yaml").is_file()
    assert not damage(first.folder)
    again = perform(first.folder / "experiment.yaml")
    assert again.reused
    assert again.folder == first.folder


def test_an_interrupted_run_goes_on(file: Path, fake_cells: Any, perform: Callable[..., RunResult]) -> None:
    with pytest.raises(KeyboardInterrupt):
        perform(file, simulator=fake_cells(stop_after=8), pace=0.0)
    second = fake_cells()
    result = perform(file, simulator=second, pace=0.0, workers=2)
    assert not result.reused
    assert 0 < len(second.calls) < len(result.tables["ensemble"]) + 9


def test_contexts_of_python_are_taken(file: Path, tmp_path: Path) -> None:
    experiment = read_experiment(file).experiment
    own = load_contexts(file.parent / "my_line.yaml")
    with pytest.raises(SpecError, match="no cell line file for my_line"):
        run(experiment, runs=tmp_path / "runs", members=1)
    assert not (tmp_path / "runs").exists()
    assert list(own) == ["my_line"]
    assert "my_line" not in cell_lines()


# --- claims --------------------------------------------------------------------------------


@pytest.fixture
def claims(tmp_path: Path) -> Path:
    (tmp_path / "cells").mkdir()
    (tmp_path / "cells" / "own.yaml").write_text(cell("my_line"))
    (tmp_path / "other_line.yaml").write_text(cell("other_line"))
    (tmp_path / "claims.yaml").write_text(CLAIMS)
    return tmp_path / "claims.yaml"


def test_claims_may_name_own_cells(claims: Path, tmp_path: Path, fake_cells: Any) -> None:
    bench = Bench(RunStore(tmp_path / "runs"), simulator=fake_cells())
    planned, _ = plan_check(claims, bench)
    result = check_file(claims, bench)
    assert planned.folder == result.folder
    assert list(result.tables["board"]["verdict"]) == ["supported"]
    assert sorted(p.name for p in (result.folder / "cells").iterdir()) == ["my_line.yaml", "other_line.yaml"]
    assert [c["id"] for c in result.manifest.specification["contexts"]] == ["my_line", "other_line"]
    (tmp_path / "other_line.yaml").write_text(cell("other_line").replace("ILK: 2", "ILK: 7"))
    assert check_file(claims, bench).folder != result.folder


def test_unknown_cells_of_claims_are_told_with_near_ones(claims: Path, capsys: pytest.CaptureFixture[str]) -> None:
    claims.write_text(CLAIMS.replace("cells: my_line", "cells: my_lin"))
    assert run_command_line(["check", str(claims), "--dry-run"]) == 2
    found = capsys.readouterr().err
    assert "claims.yaml:6 (trial.cells): MINE-01: unknown cell line 'my_lin'" in found
    assert "'my_line'" in found
    assert run_command_line(["evidence", "lint", str(claims)]) == 1
    claims.write_text(CLAIMS)
    assert run_command_line(["evidence", "lint", str(claims)]) == 0


# --- for editors, and the example ------------------------------------------------------------


def test_the_schemas_allow_own_cells() -> None:
    listed, own = experiment_schema()["properties"]["cells"]["anyOf"]
    assert "A549" in listed["enum"]
    assert re.search(own["pattern"], "my_line")
    assert not re.search(own["pattern"], "my line")
    for schema in (experiment_schema(), claims_schema()):
        assert "pattern" in schema["$defs"]["SwapCells"]["properties"]["swap_cells"]["anyOf"][1]


def test_the_example_is_what_the_import_writes(tmp_path: Path) -> None:
    table = EXAMPLE / "transcripts.csv"
    done = import_cells(table, reference="A549", line="my_line", out=tmp_path / "my_line.yaml")
    assert done.file.read_text(encoding="utf-8") == (EXAMPLE / "my_line.yaml").read_text(encoding="utf-8")
    assert list(load_contexts(done.file)) == ["my_line"]


def test_the_page_shows_a_cell_file_that_is_sound(tmp_path: Path) -> None:
    page = (EXAMPLE.parents[1] / "cells.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```yaml\n(version: 1.*?)```", page, flags=re.DOTALL)
    (tmp_path / "resistant.yaml").write_text(text, encoding="utf-8")
    own = load_contexts(EXAMPLE / "my_line.yaml", tmp_path / "resistant.yaml")
    assert own["my_resistant_line"].expression["ILK"] == own["my_line"].expression["ILK"]
    assert own["my_resistant_line"].expression["PTEN"] == 0.0


@pytest.mark.parametrize("command", [["run", "transwell.yaml"], ["check", "claims.yaml"]])
def test_the_example_can_be_run(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line([command[0], str(EXAMPLE / command[1]), "--dry-run"]) == 0
    found = capsys.readouterr().out
    assert "not simulated" not in found


def test_cell_files_can_be_checked_alone(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command_line(["cells", "check", str(file.parent / "my_line.yaml")]) == 0
    assert "my_line: 1 amounts" in capsys.readouterr().out
    assert run_command_line(["cells", "check", str(file)]) == 2


def test_an_imported_context_can_be_run_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "t.csv").write_text("symbol,A549,231\nILK,6,8\nRELA,5,6\n")
    (tmp_path / "e.yaml").write_text(EXPERIMENT.replace("my_line", '"231"'))
    assert run_command_line(["cells", "import", str(tmp_path / "t.csv"), "--reference", "A549", "--line", "231"]) == 0
    assert "cells: 231" in capsys.readouterr().out
    assert run_command_line(["run", str(tmp_path / "e.yaml"), "--dry-run"]) == 0
