"""Contexts of a user's own: read, held to the rule of the library's, simulated like these."""

from __future__ import annotations

import numpy as np
import pytest

from haptos.conditions.experiment import Culture
from haptos.conditions.interventions import SwapCells
from haptos.core.hashing import content_hash
from haptos.core.located import parse_yaml
from haptos.errors import ModelError, SpecError
from haptos.signalling.cell import expressibility, preculture, simulate
from haptos.signalling.cells import CellLine, cell_line, cell_lines
from haptos.signalling.condition import Condition
from haptos.signalling.contexts.own import cell_text, is_cell_file, read_contexts

HEAD = "label: mine, basis: blots, confidence: measured"
FIRST = f"""\
version: 1
profiles:
- {{id: cultured, basis: own, confidence: assumed, expression: {{ILK: 2, MMP9: 3}}, normal: {{coating: FN1}}}}
cells:
- {{id: parent, {HEAD}, profile: cultured, like: A549, expression: {{MMP9: 5}}}}
"""
SECOND = f"""\
version: 1
cells:
- {{id: child, {HEAD}, like: parent, integrins: {{"ITGAV:ITGB3": 0.5}}, mutations: {{HRAS: 0.2}}}}
"""


def read(*texts: str) -> dict[str, CellLine]:
    return read_contexts(parse_yaml(text, name=f"{n}.yaml") for n, text in enumerate(texts, start=1))


def problems(*texts: str) -> list[tuple[str, str, str]]:
    with pytest.raises(SpecError) as error:
        read(*texts)
    return [(issue.where.split(" ")[0], issue.message, issue.hint) for issue in error.value.issues]


def condition(cells: str, *contexts: CellLine, swap: str | None = None) -> Condition:
    steps = (SwapCells(swap_cells=swap),) if swap else ()
    return Condition(
        cells=cells, culture=Culture(), interventions=steps, times=(0.0, 60.0), quantities=("level__ILK",),
        contexts=contexts,
    )  # fmt: skip


def test_cells_of_several_files_build_on_each_other_and_on_the_library() -> None:
    own = read(SECOND, FIRST)
    assert list(own) == ["child", "parent"]
    assert (own["parent"].expression["ILK"], own["child"].expression["MMP9"]) == (2.0, 5.0)
    assert own["child"].integrins["ITGA5:ITGB1"] == cell_line("A549").integrins["ITGA5:ITGB1"]
    assert own["child"].integrins["ITGAV:ITGB3"] == 0.5
    assert own["child"].normal == Culture(coating="FN1")
    assert {(c.like, c.profile) for c in own.values()} == {(None, None)}


def test_sizes_are_those_of_the_cell_that_it_is_like() -> None:
    big = "volumes: {cytoplasm: 9000 µm³}"
    lines = (
        f"id: a, {HEAD}, like: A549",
        f"id: b, {HEAD}, like: c",
        f"id: c, {HEAD}, like: a, {big}",
        f"id: d, {HEAD}",
    )
    own = read("version: 1\ncells:\n" + "".join(f"- {{{line}}}\n" for line in lines))
    assert own["a"].volumes == cell_line("A549").volumes
    assert own["b"].volumes == own["c"].volumes
    assert (own["c"].volumes.cytoplasm.value, own["d"].volumes.cytoplasm.value) == (9000.0, 1954.0)


def test_the_library_is_left_as_it_is() -> None:
    before = dict(cell_lines())
    read(FIRST)
    assert cell_lines() == before
    with pytest.raises(ModelError, match="no cell line 'parent'"):
        cell_line("parent")


@pytest.mark.parametrize("name", ["parent", "child"])
def test_the_copy_of_a_context_reads_back_to_the_same_context(name: str) -> None:
    cell = read(FIRST, SECOND)[name]
    back = read(cell_text(cell))[name]
    assert back == cell
    assert back.canonical() == cell.canonical()


@pytest.mark.parametrize("name", ["231", "null", "a-b_c.1"])
def test_names_that_yaml_would_read_otherwise_survive_the_copy(name: str) -> None:
    cell = read(f'version: 1\ncells: [{{id: "{name}", {HEAD}}}]')[name]
    assert read(cell_text(cell)) == {name: cell}


def test_every_problem_is_told_with_its_line() -> None:
    text = f"""\
version: 1
cells:
- id: one
  label: one
  basis: b
  confidence: assumed
  profile: nothing
  expression:
    ILKK: 2
    MAPK1: 2
  integrins: {{"ITGA5:ITGB11": 1}}
- {{id: A549, {HEAD}}}
- {{id: my line, {HEAD}}}
- {{id: one, {HEAD}}}
- {{id: two, {HEAD}, like: twoo}}
- {{id: round, {HEAD}, like: round}}
- {{id: three, {HEAD}, mutations: {{KRAS: 1}}, endogenous: {{TP533: 1}}, constitutive: {{X: 1}}}}
"""
    found = problems(text)
    assert [(where, message) for where, message, _ in found] == [
        ("1.yaml:7", "unknown profile 'nothing'"),
        ("1.yaml:9", "unknown amount 'ILKK'"),
        ("1.yaml:10", "unknown amount 'MAPK1'"),
        ("1.yaml:11", "unknown integrin 'ITGA5:ITGB11'"),
        ("1.yaml:12", "the library has a cell 'A549' already"),
        ("1.yaml:13", "'my line' is no name"),
        ("1.yaml:14", "the cell 'one' stands twice, first at 1.yaml:3 (cells[0].id)"),
        ("1.yaml:15", "unknown cell 'twoo'"),
        ("1.yaml:16", "the cell 'round' is like itself"),
        ("1.yaml:17", "unknown regulated gene 'TP533'"),
        ("1.yaml:17", "unknown tonic input 'X'"),
        ("1.yaml:17", "unknown activating mutation 'KRAS'"),
    ]
    hints = {message: hint for _, message, hint in found}
    assert "'ILK'" in hints["unknown amount 'ILKK'"]
    assert "'ERK'" in hints["unknown amount 'MAPK1'"]
    assert "'HRAS'" in hints["unknown activating mutation 'KRAS'"]
    assert "'two'" in hints["unknown cell 'twoo'"]


@pytest.mark.parametrize("entry", ["kcat_ILK_S473: 3", "parameters: {kdeg_integrin: 1}", "rates: {}"])
def test_rates_are_refused(entry: str) -> None:
    ((where, message, _),) = problems(f"version: 1\ncells:\n- {{id: x, {HEAD}, {entry}}}")
    assert where == "1.yaml:3"
    assert message.startswith("unknown key")
    ((_, message, _),) = problems(f"version: 1\ncells:\n- {{id: x, {HEAD}, expression: {{kdeg_integrin: 1}}}}")
    assert message == "unknown amount 'kdeg_integrin'"


def test_mutations_may_concern_integrins_and_amounts_their_subunits() -> None:
    entries = "mutations: {'ITGA5:ITGB1': 0.2, ITGB3: 0.1}, expression: {ITGB1: 0, PLEC: 2}"
    cell = read(f"version: 1\ncells:\n- {{id: x, {HEAD}, {entries}}}")["x"]
    assert {"forced__ITGA5_ITGB1", "forced__ITGB3", "expression__ITGB1"} <= set(cell.settings())
    ((_, message, _),) = problems(f"version: 1\ncells:\n- {{id: x, {HEAD}, expression: {{'ITGA5:ITGB1': 1}}}}")
    assert message == "unknown amount 'ITGA5:ITGB1'"


def test_surroundings_must_be_known() -> None:
    ((where, message, hint),) = problems(f"version: 1\ncells:\n- {{id: x, {HEAD}, normal: {{coating: FN2}}}}")
    assert (where, message) == ("1.yaml:3", "unknown coating 'FN2'")
    assert "FN1" in hint


def test_problems_of_several_files_are_told_together() -> None:
    found = problems("version: 1\ncells: [{id: x}]", SECOND)
    assert {where.split(":")[0] for where, _, _ in found} == {"1.yaml", "2.yaml"}
    assert "unknown cell 'parent'" in [message for _, message, _ in found]


def test_experiments_are_no_cell_files() -> None:
    assert is_cell_file(parse_yaml(FIRST))
    assert not is_cell_file(parse_yaml("cells: A549\narms: {}"))
    assert not is_cell_file(parse_yaml("- 1"))


# --- in a condition -----------------------------------------------------------------------


def test_conditions_of_the_library_hash_as_before_and_own_contents_count() -> None:
    assert "contexts" not in condition("A549").canonical()
    one, other = (read(FIRST.replace("ILK: 2", f"ILK: {n}"))["parent"] for n in (2, 3))
    hashes = {content_hash(condition("parent", c).canonical()) for c in (one, other)}
    assert len(hashes) == 2
    assert condition("parent", one).with_changes(quantities=()).contexts == (one,)


def test_a_condition_without_its_context_cannot_be_simulated() -> None:
    own = read(FIRST)["parent"]
    assert expressibility(condition("parent")) == ["no cell line file for parent"]
    assert expressibility(condition("parent", own)) == []
    assert expressibility(condition("A549", swap="parent")) == ["no cell line file for parent"]
    assert expressibility(condition("A549", own, swap="parent")) == []


def test_a_copy_of_a_cell_of_the_library_gives_the_same_bits() -> None:
    copy = read(f"version: 1\ncells: [{{id: copy, {HEAD}, like: A549}}]")["copy"]
    assert preculture(condition("copy", copy)) == preculture(condition("A549"))
    found, known = (simulate(c, member=0, seed=1, replicate=2) for c in (condition("copy", copy), condition("A549")))
    assert found.status == known.status
    assert found.geometry == known.geometry
    np.testing.assert_array_equal(found.quantities["level__ILK"], known.quantities["level__ILK"])


def test_what_a_context_contains_decides_the_result() -> None:
    one, other = (read(FIRST.replace("ILK: 2", f"ILK: {n}"))["parent"] for n in (2, 4))
    levels = [
        simulate(c, member=None, seed=1, replicate=None).quantities["level__ILK"][-1]
        for c in (condition("parent", one), condition("A549", other, swap="parent"))
    ]
    assert levels[1] > 1.5 * levels[0]
