"""A line of one's own on the real model: imported, run on any number of threads, killed and resumed."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from e2e.driver import bits, finish, start
from haptos.lab.importing import import_cells

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


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mine")
    import_cells(EXAMPLE / "transcripts.csv", reference="A549", line="my_line", out=folder / "my_line.yaml")
    (folder / "experiment.yaml").write_text(_EXPERIMENT)
    return folder / "experiment.yaml"


@pytest.fixture(scope="module")
def alone(file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finish(start(file, tmp_path_factory.mktemp("alone"), 1))


def test_two_threads_give_the_same_bits_as_one(file: Path, alone: Path, tmp_path: Path) -> None:
    two = finish(start(file, tmp_path, 2))
    assert two.name == alone.name
    assert bits(two) == bits(alone)


def test_a_killed_run_goes_on_to_the_same_bits(file: Path, alone: Path, tmp_path: Path) -> None:
    process = start(file, tmp_path, 1)
    while process.poll() is None and len(list(tmp_path.glob(".*.partial/tasks/*.task"))) < 2:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    resumed = finish(start(file, tmp_path, 2))
    assert resumed.name == alone.name
    assert bits(resumed) == bits(alone)


def test_the_run_folder_alone_gives_the_same_run(alone: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    copy.mkdir()
    shutil.copy(alone / "experiment.yaml", copy)
    shutil.copytree(alone / "cells", copy / "cells")
    again = finish(start(copy / "experiment.yaml", tmp_path / "runs", 2))
    assert again.name == alone.name
    assert bits(again) == bits(alone)
