"""Contexts from tables of transcripts."""

from __future__ import annotations

import pytest

from haptos.core.located import parse_yaml
from haptos.core.specs import read_spec
from haptos.errors import SpecError
from haptos.lab.importing import import_cells
from haptos.signalling.cells import CellFile, cell_line
from haptos.signalling.contexts.transcripts import CLIP, context_from, context_text, read_transcripts

TABLE = """symbol,A549,mine
FAK,5,6
ILK,6,8
ITGA5,5,3
ITGB1,9,9
ITGA4,0.1,5
KRAS,5,6
HRAS,5,6
EGFR,6,0.1
KIT,0,7
FOO1,2,2
MMP9,0,9
"""


def write(folder, text=TABLE, name="table.csv"):
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def imported(folder, text=TABLE, **more):
    table = read_transcripts(write(folder, text), "mine", "A549", **more)
    return context_from(table, cell_line("A549"), "mine")


def test_amounts_are_folds_times_those_of_the_reference(tmp_path):
    found = imported(tmp_path)
    amounts = found.cell.expression
    assert amounts["ILK"] == pytest.approx(4.0)
    assert amounts["PTK2"] == pytest.approx(2.0)
    assert found.renamed == {"FAK": "PTK2"}
    assert found.unknown == ("FOO1",)
    assert "RELA" in found.missing
    assert "ILK" not in found.missing
    assert amounts["PI3K"] == cell_line("A549").expression["PI3K"]


def test_pools_add_their_transcripts(tmp_path):
    amounts = imported(tmp_path).cell.expression
    assert amounts["HRAS"] == pytest.approx((2 * 63 + 1) / (2 * 31 + 1), rel=0.01)


def test_silent_genes_are_lost_and_large_folds_clipped(tmp_path):
    found = imported(tmp_path)
    assert found.cell.expression["EGFR"] == 0.0
    assert found.cell.expression["MMP9"] == CLIP[1]
    assert found.cell.expression["KIT"] == 1.0
    assert found.clipped == ("KIT (absent from the reference)", "MMP9")


def test_integrins_follow_the_scarcer_subunit(tmp_path):
    made, before = imported(tmp_path).cell.integrins, cell_line("A549").integrins
    assert made["ITGA5:ITGB1"] == pytest.approx(before["ITGA5:ITGB1"] / 4, rel=0.01)
    assert "ITGA4:ITGB1" not in before
    assert made["ITGA4:ITGB1"] == pytest.approx(31 * before["ITGA5:ITGB1"] / 32, rel=0.01)
    assert made["ITGAV:ITGB5"] == before["ITGAV:ITGB5"]  # not in the table


def test_linear_tables_give_the_same(tmp_path):
    rows = [line.split(",") for line in TABLE.splitlines()]
    linear = [rows[0], *([r[0], *(repr(2 ** float(x) - 1) for x in r[1:])] for r in rows[1:])]
    text = "\n".join("\t".join(r) for r in linear)
    assert imported(tmp_path, text, scale="linear").cell == imported(tmp_path).cell


def test_the_file_reads_back_and_is_the_same_each_time(tmp_path):
    text = context_text(imported(tmp_path))
    assert text == context_text(imported(tmp_path))
    (back,) = read_spec(CellFile, parse_yaml(text, name="mine.yaml")).cells
    cell = imported(tmp_path).cell
    assert (back.expression, back.integrins, back.constitutive) == (cell.expression, cell.integrins, cell.constitutive)
    assert back.settings() == cell.settings()


def test_problems_of_a_table_come_together(tmp_path):
    text = "gene,A549,mine\nILK,6,x\nPTK2,5,6\nFAK,5,6\n,1,1\nAKT1,-1,2\nRELA,2500,2\n"
    with pytest.raises(SpecError) as caught:
        read_transcripts(write(tmp_path, text), "mine", "A549")
    messages = [str(i) for i in caught.value.issues]
    assert len(messages) == 5
    for part in ("'x' is not a number", "PTK2 stands twice, first in line 3", "without a symbol", "-1", "2500"):
        assert any(part in m for m in messages), part


def test_problems_of_the_request_and_the_table_come_together(tmp_path):
    table = write(tmp_path)
    with pytest.raises(SpecError) as caught:
        import_cells(table, reference="A54", line="mine", name="MCF-7")
    text = "\n".join(str(i) for i in caught.value.issues)
    assert "no cell 'A54' in the library" in text
    assert "the library has a cell 'MCF-7' already" in text
    assert "no column 'A54'" in text
    assert list(tmp_path.iterdir()) == [table]


def test_nothing_is_overwritten(tmp_path):
    table = write(tmp_path)
    done = import_cells(table, reference="A549", line="mine")
    assert done.file == tmp_path / "mine.yaml"
    with pytest.raises(SpecError, match="exists"):
        import_cells(table, reference="A549", line="mine")
