"""A line of one's own on the real model: imported, run on any number of threads, killed and resumed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from haptos.lab.importing import import_cells
from haptos.store.files import checksums

pytestmark = pytest.mark.timeout(300)

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "my_line"
_EXPERIMENT = """\
cells: my_line
arms:
  vector: []
  ILK: [{overexpress: ILK, fold: 4}]
  A549: [{swap_cells: A549}]
assay: {name: qpcr, genes: [MMP9]}
"""
_TIMED = frozenset({"manifest.json", "log.txt"})


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mine")
    import_cells(EXAMPLE / "transcripts.csv", reference="A549", line="my_line", out=folder / "my_line.yaml")
    (folder / "experiment.yaml").write_text(_EXPERIMENT)
    return folder / "experiment.yaml"


def _start(file: Path, runs: Path, workers: int) -> subprocess.Popen[str]:
    driver = Path(__file__).with_name("driver.py")
    arguments = [sys.executable, str(driver), str(file), str(runs), str(workers), "24", "0.0"]
    return subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def _folder(process: subprocess.Popen[str]) -> Path:
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    return Path(out.strip())


@pytest.fixture(scope="module")
def alone(file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _folder(_start(file, tmp_path_factory.mktemp("alone"), 1))


def test_two_threads_give_the_same_bits_as_one(file: Path, alone: Path, tmp_path: Path) -> None:
    two = _folder(_start(file, tmp_path, 2))
    assert two.name == alone.name
    assert checksums(two, leave_out=_TIMED) == checksums(alone, leave_out=_TIMED)


def test_a_killed_run_goes_on_to_the_same_bits(file: Path, alone: Path, tmp_path: Path) -> None:
    process = _start(file, tmp_path, 1)
    while process.poll() is None and len(list(tmp_path.glob(".*.partial/tasks/*.task"))) < 2:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    resumed = _folder(_start(file, tmp_path, 2))
    assert resumed.name == alone.name
    assert checksums(resumed, leave_out=_TIMED) == checksums(alone, leave_out=_TIMED)


def test_the_run_folder_alone_gives_the_same_run(alone: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    copy.mkdir()
    shutil.copy(alone / "experiment.yaml", copy)
    shutil.copytree(alone / "cells", copy / "cells")
    again = _folder(_start(copy / "experiment.yaml", tmp_path / "runs", 2))
    assert again.name == alone.name
    assert checksums(again, leave_out=_TIMED) == checksums(alone, leave_out=_TIMED)
