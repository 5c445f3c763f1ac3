"""Every kind of faulty experiment file: message, place, suggestion, exit code 2, no folder left behind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from haptos.cli.app import run_command_line

GOOD = """\
cells: lung_carcinoma
arms:
  vector: []
  ILK: [{overexpress: ILK, fold: 4}]
assay: {name: western_blot, probes: [MMP9]}
"""
_ILK = "{overexpress: ILK, fold: 4}"
_DOSED = "{treat: doxycycline, dose: 20 µM}"


@dataclass(frozen=True)
class Bad:
    """One faulty file: its text, and what must be said about it."""

    name: str
    text: str
    says: tuple[str, ...]


CASES = (
    Bad("unknown cell line", GOOD.replace("lung_carcinoma", "lung_carcinom"),
        ("bad.yaml:1 (cells): unknown cell line 'lung_carcinom'", "did you mean 'lung_carcinoma'")),
    Bad("cell line that reads like a switch", GOOD.replace("lung_carcinoma", "NO"),
        ("bad.yaml:1 (cells): unknown cell line 'NO'", "'haptos cells' lists them")),
    Bad("missing unit", GOOD.replace(_ILK, _DOSED.replace(" µM", "")),
        ("bad.yaml:4 (arms.ILK[0].dose): 20 has no unit", "for instance '10 µM'")),
    Bad("unknown unit", GOOD.replace(_ILK, _DOSED.replace("µM", "mikroM")),
        ("bad.yaml:4 (arms.ILK[0].dose): cannot read '20 mikroM'", "for instance '10 µM'")),
    Bad("wrong dimension", GOOD.replace(_ILK, _DOSED.replace("µM", "h")),
        ("bad.yaml:4 (arms.ILK[0].dose): '20 h' is not a concentration", "for instance '10 µM'")),
    Bad("negative dose", GOOD.replace(_ILK, _DOSED.replace("20", "-20")),
        ("bad.yaml:4 (arms.ILK[0].dose): -20 µM is negative",)),
    Bad("fraction above one", GOOD + "culture: {serum: 150 %}\n",
        ("bad.yaml:6 (culture.serum): 150 % is above 1",)),
    Bad("unknown target", GOOD.replace("overexpress: ILK", "overexpress: ILKK"),
        ("bad.yaml:4 (arms.ILK[0].overexpress): unknown target 'ILKK'", "did you mean 'ILK' or")),
    Bad("unknown compound", GOOD.replace(_ILK, _DOSED.replace("cycline", "cyclin")),
        ("bad.yaml:4 (arms.ILK[0].treat): unknown compound 'doxycyclin'", "did you mean 'doxycycline'?")),
    Bad("unknown verb", GOOD.replace("overexpress:", "overexpres:"),
        ("bad.yaml:4 (arms.ILK[0]): unknown entry 'overexpres'", "allowed: overexpress, knockdown", "did you mean")),
    Bad("two verbs in one entry", GOOD.replace(_ILK, "{overexpress: ILK, knockdown: RELA}"),
        ("bad.yaml:4 (arms.ILK[0]): two entries in one (overexpress + knockdown)", "start each with its own '-'")),
    Bad("slip in a key", GOOD.replace("arms:", "arm:"),
        ("bad.yaml:2 (arm): unknown key 'arm'", "allowed: arms, assay, cells", "did you mean 'arms'?")),
    Bad("slip in a key of an intervention", GOOD.replace("fold:", "folds:"),
        ("bad.yaml:4 (arms.ILK[0].folds): unknown key 'folds'", "allowed: fold, overexpress", "did you mean 'fold'?")),
    Bad("slip in a key of the protocol", GOOD.replace("probes:", "probe:"),
        ("bad.yaml:5 (assay.probe): unknown key 'probe'", "loading_control", "did you mean 'probes'?")),
    Bad("missing key of the protocol", GOOD.replace(", probes: [MMP9]", ""),
        ("bad.yaml:5 (assay): the key 'probes' is missing",)),
    Bad("unknown probe", GOOD.replace("[MMP9]", "[MMP99]"),
        ("bad.yaml:5 (assay.probes[0]): unknown entity 'MMP99'", "did you mean 'MMP9'")),
    Bad("unknown assay", GOOD.replace("western_blot", "western_blott"),
        ("bad.yaml:5 (assay): unknown assay 'western_blott'", "allowed: western_blot,", "did you mean 'western_blot'")),
    Bad("assay without a name", GOOD.replace("name: western_blot, ", ""),
        ("bad.yaml:5 (assay): the assay needs a name", "'name: western_blot'")),
    Bad("syntax", GOOD.replace("[{overexpress", "[{overexpress: ["),
        ("bad.yaml:4: not valid YAML", "put a space after ':'")),
    Bad("tabs", GOOD.replace("  ILK", "\tILK"),
        ("bad.yaml:4: not valid YAML", "indent with spaces, not tabs")),
    Bad("key given twice", GOOD + "cells: lung_carcinoma\n",
        ("bad.yaml:6: the key 'cells' stands twice (first on line 1)",)),
    Bad("arm given twice", GOOD.replace("  ILK:", "  vector: []\n  ILK:"),
        ("bad.yaml:4: the key 'vector' stands twice (first on line 3)",)),
    Bad("empty file", "", ("bad.yaml:1: the file holds no 'key: value' lines",)),
    Bad("only a comment", "# later\n", ("bad.yaml:1: the file holds no 'key: value' lines",)),
    Bad("a list instead of a mapping", "- cells\n- arms\n", ("bad.yaml:1: the file holds no 'key: value' lines",)),
    Bad("unknown arm in compare", GOOD + "compare: [{test: ILKK, against: vector}]\n",
        ("bad.yaml:6 (compare): unknown arm 'ILKK'", "allowed: vector, ILK", "did you mean 'ILK'?")),
    Bad("arm compared with itself", GOOD + "compare: [{test: ILK, against: ILK}]\n",
        ("bad.yaml:6 (compare): the arm 'ILK' is compared with itself",)),
    Bad("until before at", GOOD.replace(_ILK, "{treat: doxycycline, dose: 20 µM, at: 2 h, until: 1 h}"),
        ("bad.yaml:4 (arms.ILK[0]): 'until' (1 h) is not later than 'at' (2 h)",)),
    Bad("no arms", GOOD.replace(GOOD[GOOD.index("arms") : GOOD.index("assay")], ""),
        ("bad.yaml:1: the key 'arms' is missing",)),
    Bad("empty arms", GOOD.replace(GOOD[GOOD.index("arms") : GOOD.index("assay")], "arms: {}\n"),
        ("bad.yaml:2 (arms): at least one entry must stand here",)),
    Bad("arm without a list", GOOD.replace("vector: []", "vector:"),
        ("bad.yaml:3 (arms.vector): nothing stands where a list is expected", "write '[]' for an empty one")),
    Bad("a single repeat", GOOD + "replicates: {biological: 1}\n",
        ("bad.yaml:6 (replicates.biological): 1 must be at least 2",)),
    Bad("number in words", GOOD + "replicates: {biological: three}\n",
        ("bad.yaml:6 (replicates.biological): 'three' stands where a whole number is expected",)),
    Bad("another version of the format", GOOD + "haptos: 2\n",
        ("bad.yaml:6 (haptos): 2 is not known here", "allowed: 1")),
    Bad("two errors at once", GOOD.replace("lung_carcinoma", "lung").replace("fold: 4", "fold: -1"),
        ("2 problems", "bad.yaml:1 (cells): unknown cell line 'lung'", "bad.yaml:4 (arms.ILK[0].fold): -1 is")),
)  # fmt: skip


def _run(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    runs = folder / "runs"
    code = run_command_line(["run", str(folder / "bad.yaml"), "--runs", str(runs)])
    said = capsys.readouterr()
    assert said.out == "", "results go to standard output, problems do not"
    assert not runs.exists(), "a faulty file leaves no folder behind"
    return code, said.err.replace(str(folder) + "/", "")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_faulty_file_is_explained(case: Bad, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.yaml").write_text(case.text, encoding="utf-8")
    code, said = _run(tmp_path, capsys)
    assert code == 2
    for words in case.says:
        assert words in said
    assert "Traceback" not in said
    assert "pydantic" not in said
    assert "internal" not in said


def test_a_missing_file_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = _run(tmp_path, capsys)
    assert code == 2
    assert "bad.yaml: no such file" in said
    assert "'haptos new FILE' writes an example" in said


def test_a_folder_is_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.yaml").mkdir()
    code, said = _run(tmp_path, capsys)
    assert code == 2
    assert "this is a folder, not a file" in said


def test_another_encoding_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.yaml").write_bytes("cells: µ".encode("latin-1"))
    code, said = _run(tmp_path, capsys)
    assert code == 2
    assert "not UTF-8 text" in said


def test_the_good_file_is_good(tmp_path: Path) -> None:
    """Every case differs from this file by its fault alone."""
    from haptos.lab.experiments import read_experiment

    (tmp_path / "good.yaml").write_text(GOOD, encoding="utf-8")
    assert list(read_experiment(tmp_path / "good.yaml").experiment.arms) == ["vector", "ILK"]
    assert len({case.text for case in CASES} | {GOOD}) == len(CASES) + 1
