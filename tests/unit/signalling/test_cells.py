"""Cell contexts: what they inherit, what they may name, what is wrong with a file."""

from __future__ import annotations

import pytest

from haptos.conditions.catalogue import load_vocabulary
from haptos.errors import ModelError
from haptos.signalling.building.instances import heterodimers_for
from haptos.signalling.building.integrins import heterodimers
from haptos.signalling.building.modules import library_text, module_names
from haptos.signalling.cells import CellLine, Profile, cell_line, cell_lines, complete, dangling
from haptos.signalling.contexts.transcripts import proteins_of_modules


def cell(name, **more):
    return CellLine(id=name, label=name, basis="b", confidence="assumed", **more)


FLOATING = Profile(
    id="floating",
    basis="b",
    confidence="assumed",
    expression={"KIT": 0, "PTK2": 0.2},
    normal={"geometry": "suspension"},
)
PROFILES = {"floating": FLOATING, "plain": Profile(id="plain", basis="b", confidence="assumed")}


def test_own_entries_win_over_the_model_cell_and_that_over_the_profile():
    parent = cell("parent", profile="floating", expression={"PTK2": 0.5, "ILK": 2}, integrins={"ITGA5:ITGB1": 1})
    child = cell("child", like="parent", expression={"ILK": 5}, integrins={"ITGA4:ITGB1": 0.3})
    done = complete(child, {"parent": parent, "child": child}, PROFILES)
    assert done.expression == {"KIT": 0, "PTK2": 0.5, "ILK": 5}
    assert done.integrins == {"ITGA5:ITGB1": 1, "ITGA4:ITGB1": 0.3}
    assert done.normal is not None
    assert done.normal.geometry == "suspension"


def test_a_cell_may_change_the_profile_and_the_culture_of_its_model():
    parent = cell("parent", profile="floating")
    child = cell("child", like="parent", profile="plain", normal={"coating": "laminin"})
    done = complete(child, {"parent": parent, "child": child}, PROFILES)
    assert done.expression == {}
    assert (done.normal.coating, done.normal.geometry) == ("laminin", "2D")


def test_settings_name_handles():
    found = cell("x", integrins={"ITGA6:ITGB4": 0.5}, expression={"TAP-20": 2}, mutations={"v_Src": 1}).settings()
    assert found == {"repertoire__ITGA6_ITGB4": 0.5, "expression__TAP_20": 2, "forced__v_Src": 1}


def test_circles_anddangling_references_are_reported_together():
    written = {
        "a": cell("a", like="b"),
        "b": cell("b", like="a"),
        "c": cell("c", like="nobody"),
        "d": cell("d", profile="none"),
        "e": cell("e", profile="plain"),
    }
    problems = dangling(written, PROFILES)
    assert len(problems) == 4
    text = "\n".join(problems)
    assert "a like b like a: goes in a circle" in text
    assert "c like nobody: there is no cell 'nobody'" in text
    assert "d: there is no profile 'none'; allowed: floating, plain" in text


def test_an_unknown_cell_is_answered_with_near_names():
    with pytest.raises(ModelError, match="lung_carcinoma"):
        cell_line("lung_carcinom")


def test_all_cells_that_claims_name_as_cultures_have_a_context():
    terms = load_vocabulary().cells
    cultured = {
        n for n, t in terms.items() if t.kind in ("cell_line", "cell_type", "derived") and t.organism == "human"
    }
    assert cultured <= set(cell_lines())
    assert len(cell_lines()) >= 50


def test_names_of_amounts_are_handles_of_the_modules():
    allowed = {*proteins_of_modules(), *(u for h in heterodimers().values() for u in (h.alpha, h.beta))}
    wrong = {c.id: set(c.expression) - allowed for c in cell_lines().values()}
    assert {name: names for name, names in wrong.items() if names} == {}


@pytest.mark.parametrize(
    ("block", "kind"), [("mutations", "forced"), ("constitutive", "constitutive"), ("endogenous", "endogenous")]
)
def test_names_of_other_blocks_are_handles_of_the_modules(block, kind):
    texts = "\n".join(library_text(f"{name}.ant") for name in module_names())
    named = {name for c in cell_lines().values() for name in getattr(c, block)}
    assert {name for name in named if f"{kind}__{name}" not in texts} == set()


@pytest.mark.parametrize("name", sorted(cell_lines()))
def test_repertoires_name_known_integrins_with_their_subunits(name):
    context = cell_line(name)
    own = heterodimers_for(context.integrins)
    lost = {u for u in context.expression if context.expression[u] == 0 and u.startswith("ITG")}
    assert not [h for h in own if lost & set(h.split(":"))]
    assert all(0 <= amount <= 10 for amount in context.integrins.values())


def test_cells_of_the_blood_float_and_others_lack_their_machinery():
    kept = {c.id: c for c in cell_lines().values()}
    assert kept["lymphocyte"].normal.geometry == "suspension"
    assert kept["lymphocyte"].expression["NCKAP1L"] > 0
    assert kept["fibroblast"].expression["NCKAP1L"] == kept["fibroblast"].expression["KIT"] == 0
    assert "ITGAL:ITGB2" not in kept["fibroblast"].integrins
