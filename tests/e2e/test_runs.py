"""The command line on the real model: examples, threads, kill and resume."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from e2e.driver import bits, finish, start, tasks
from haptos.cli.app import run_command_line
from haptos.lab.experiments import examples
from haptos.store.checkpoints import Checkpoints
from haptos.store.manifest import damage

pytestmark = pytest.mark.timeout(300)

_EXPERIMENT = """\
cells: lung_carcinoma
arms:
  vector: []
  ILK: [{overexpress: ILK, fold: 4}]
  both: [{overexpress: ILK, fold: 4}, {knockdown: RELA}]
assay: {name: qpcr, genes: [MMP9]}
replicates: {biological: 3}
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("asked") / "experiment.yaml"
    path.write_text(_EXPERIMENT)
    return path


@pytest.fixture(scope="module")
def alone(file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the run computed on one thread without interruption."""
    return finish(start(file, tmp_path_factory.mktemp("alone"), 1))


def test_two_threads_give_the_same_bits_as_one(file: Path, alone: Path, tmp_path: Path) -> None:
    two = finish(start(file, tmp_path, 2))
    assert two.name == alone.name
    assert bits(two) == bits(alone)


def test_large_chunks_give_the_same_bits_as_small_ones(file: Path, alone: Path, tmp_path: Path) -> None:
    large = finish(start(file, tmp_path, 2, pace=5.0))
    assert bits(large) == bits(alone)


def test_two_commands_at_once_compute_a_run_once(file: Path, alone: Path, tmp_path: Path) -> None:
    folders = [finish(process) for process in [start(file, tmp_path, 1) for _ in range(2)]]
    assert folders[0] == folders[1]
    assert bits(folders[0]) == bits(alone)
    assert (folders[0] / "log.txt").read_text().count("begun") == 1
    assert [p.name for p in tmp_path.iterdir()] == [folders[0].name]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_run_resumes_with_the_same_bits(file: Path, alone: Path, tmp_path: Path, workers: int) -> None:
    process = start(file, tmp_path, workers)
    until = time.monotonic() + 120
    while len(tasks(tmp_path)) < 2 and process.poll() is None and time.monotonic() < until:
        time.sleep(0.001)
    process.kill()
    process.communicate()
    kept = tasks(tmp_path)
    assert kept, "killed in mid-run"
    assert not [p for p in tmp_path.iterdir() if not p.name.startswith(".")], "nothing has its final name yet"
    kept[0].write_bytes(kept[0].read_bytes()[:100])
    sound = sum(Checkpoints(p.parent).load(p.stem)["keys"].size for p in kept[1:])
    resumed = finish(start(file, tmp_path, workers))
    assert bits(resumed) == bits(alone)
    assert damage(resumed) == []
    log = (resumed / "log.txt").read_text()
    assert f"resumed with {sound} finished simulations" in log
    assert f"discarded {kept[0].name}" in log
    assert [p.name for p in tmp_path.iterdir()] == [resumed.name], "nothing hidden is left"


def test_an_interrupt_leaves_a_friendly_line_and_a_run_that_goes_on(file: Path, tmp_path: Path) -> None:
    arguments = ["run", str(file), "--runs", str(tmp_path), "--workers", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "haptos", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    until = time.monotonic() + 120
    while not tasks(tmp_path) and process.poll() is None and time.monotonic() < until:
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    if process.returncode == 0:
        pytest.skip("the run was faster than the interrupt")
    assert process.returncode == 130
    assert "the same command goes on from there" in err
    assert "Traceback" not in err
    assert tasks(tmp_path)


@pytest.mark.parametrize("assay", sorted(examples()))
def test_every_example_runs_as_it_is(
    assay: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    assert run_command_line(["new", "mine.yaml", "--assay", assay]) == 0
    capsys.readouterr()
    common = ["mine.yaml", "--members", "2", "--workers", "1"]
    assert run_command_line(["run", *common, "--dry-run"]) == 0
    assert not (tmp_path / "haptos-runs").exists(), "a dry run writes nothing"
    assert "would be written" in capsys.readouterr().out.replace("\n", " ")
    assert run_command_line(["run", *common]) == 0
    shown = capsys.readouterr().out
    assert max(len(line) for line in shown.splitlines() if not line.startswith(("folder", "report"))) <= 80
    assert "Literature" in shown
    assert "comparison" in shown
    assert run_command_line(["run", *common, "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again["reused"]
    assert again["headline"]["failed"] == []
    assert run_command_line(["runs", "verify"]) == 0


def test_a_publication_is_judged_claim_by_claim(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["reproduce", "zhao2013", "--level", "signalling", "--members", "2", "--workers", "1", "--json"]
    code = run_command_line(arguments)
    found = json.loads(capsys.readouterr().out)
    counts = found["headline"]["counts"]
    assert code == (1 if counts.get("contradicted") else 0)
    assert sum(counts.values()) == len(found["board"]) >= 5
    judged = [r for r in found["board"] if r["fraction"] is not None]
    assert judged
    for row in judged:
        expected = "supported" if row["fraction"] >= 0.9 else "contradicted" if row["fraction"] <= 0.1 else "undecided"
        assert row["verdict"] == expected
    assert run_command_line(arguments) == code
    assert json.loads(capsys.readouterr().out)["reused"]
