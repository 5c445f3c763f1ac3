"""Composition: completeness, refusals, and the SBML that comes out."""

from __future__ import annotations

import re
from functools import cache

import libsbml
import pytest

from haptos.core.parameters import Parameter, load_table
from haptos.errors import ModelError
from haptos.signalling.building.compose import compose
from haptos.signalling.building.integrins import heterodimers
from haptos.signalling.building.modules import ON_DEMAND, load_module, parse_module
from haptos.signalling.building.parameters import Handle, load_parameters
from haptos.signalling.model import composed_sbml, composition
from haptos.signalling.sbml import antimony_to_sbml
from unit.signalling.repertoires import SEVERAL

VOLUMES = {"cytoplasm": 2000.0, "nucleus": 500.0, "medium": 1e6}
TABLE = {"k": Parameter(id="k", value=0.1, unit="per_min", spread=0, confidence="assumed")}
HANDLES = {"expression": Handle(id="expression", default=1.0, meaning="amount")}
MODULE = """model little
  species A in cytoplasm, B in cytoplasm;
  A = 5;
  turn: A => B; cytoplasm * k * expression__A * A;
  //@ sbo=176 by=hoffmann2002 claims=ZHAO-15
  level__A := A + B;
end
"""


def test_composes_values_units_handles_and_annotations():
    built = compose([parse_module(MODULE, where="x")], TABLE, HANDLES, VOLUMES)
    assert built.parameters == ("k",)
    assert built.handles == ("expression__A",)
    for line in ("const k = 0.1; k has per_min;", "B = 0;", "turn.sboTerm = SBO:0000176;", "10.1126/science.1071914"):
        assert line in built.antimony


def test_all_problems_are_reported_together():
    other = MODULE.replace("little", "other").replace("  //@ sbo=176 by=hoffmann2002 claims=ZHAO-15\n", "")
    modules = [parse_module(MODULE.replace(" k ", " kk "), where="x"), parse_module(other, where="y")]
    with pytest.raises(ModelError) as caught:
        compose(modules, TABLE, HANDLES, {"cytoplasm": 1.0, "nucleus": 1.0})
    text = str(caught.value)
    for part in ("kk is used but", "A is declared in little and in other", "no volume for medium"):
        assert part in text


def test_a_reaction_needs_an_annotation():
    bare = MODULE.replace("  //@ sbo=176 by=hoffmann2002 claims=ZHAO-15\n", "")
    with pytest.raises(ModelError, match="turn has no annotation"):
        compose([parse_module(bare, where="x")], TABLE, HANDLES, VOLUMES)


@cache
def document(repertoire):
    """Return the composed model with all checks of libSBML done, those of units too."""
    return checked(composed_sbml(SEVERAL[repertoire]))


def checked(sbml):
    found = libsbml.readSBMLFromString(sbml)
    found.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, True)
    found.checkConsistency()
    return found


def messages(found):
    return [found.getError(i).getMessage() for i in range(found.getNumErrors())]


@pytest.mark.parametrize("repertoire", SEVERAL)
def test_composed_model_has_no_sbml_error_and_no_unit_warning(repertoire):
    found = document(repertoire)
    assert messages(found) == []
    assert (found.getLevel(), found.getVersion()) == (3, 2)


@pytest.mark.parametrize(
    "law",
    ["kgef_CDC42_basal * CDC42_GDP", "kact_IKK_ILK * act_ILK * IKBKB", "kuncluster_integrin * ITGAV_ITGB3_clustered"],
)
def test_a_unit_fault_would_be_seen(law):
    """The check above can fail: dropping a volume from one rate law is found."""
    text = composition(SEVERAL["lung_carcinoma"]).antimony
    assert text.count(f"cytoplasm * {law}") == 1
    found = checked(antimony_to_sbml(text.replace(f"cytoplasm * {law}", law)))
    assert found.getNumErrors() > 0


@pytest.mark.parametrize("repertoire", SEVERAL)
def test_every_reaction_is_annotated(repertoire):
    model = document(repertoire).getModel()
    reactions = [model.getReaction(i) for i in range(model.getNumReactions())]
    assert [r.getId() for r in reactions if not r.isSetSBOTerm()] == []
    described = [r.getNumCVTerms() > 0 for r in reactions]
    assert sum(described) > 80


def test_both_routes_from_ilk_to_mmp9_are_in_the_model():
    text = composition(SEVERAL["lung_carcinoma"]).antimony
    for reaction in ("ikk_by_ilk", "gsk3_by_ilk", "jun_t239", "mmp9_transcription"):
        assert f"  {reaction}:" in text
    promoter = re.search(r"share_MMP9_promoter := (.*);", text)
    assert promoter is not None
    assert {"share_NFKB_MMP9", "share_AP1_MMP9", "cooperativity_MMP9"} <= set(re.findall(r"\w+", promoter[1]))


def test_a_repertoire_adds_its_own_species_and_no_others():
    """Every heterodimer is one more copy of the template, modules on demand add their own; the rest is the same."""
    bare, whole = (document(name).getModel() for name in ("none", "all"))
    names = [{m.getSpecies(i).getId() for i in range(m.getNumSpecies())} for m in (bare, whole)]
    held = " ".join(load_module(name).body for name in ON_DEMAND)
    guests = names[1] & set(re.findall(r"\b(\w+) in (?:cytoplasm|nucleus|medium)\b", held))
    assert names[0] < names[1]
    assert len(names[1] - guests) - len(names[0]) == 5 * len(heterodimers())
    assert all(name.startswith("ITGA") for name in names[1] - names[0] - guests)


def test_every_parameter_of_the_network_tables_is_used():
    """What no network uses is what the crossing model takes."""
    assert set(load_parameters()) - set(composition(SEVERAL["all"]).parameters) == set(load_table("crossing"))
