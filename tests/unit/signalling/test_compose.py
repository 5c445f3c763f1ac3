"""Composition: completeness, refusals, and the SBML that comes out."""

from __future__ import annotations

import libsbml
import pytest

from haptos.core.parameters import Parameter
from haptos.errors import ModelError
from haptos.signalling.building.compose import compose
from haptos.signalling.model import composed_sbml, composition
from haptos.signalling.building.modules import parse_module
from haptos.signalling.building.parameters import Handle, load_parameters

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


@pytest.fixture(scope="module")
def document():
    found = libsbml.readSBMLFromString(composed_sbml())
    found.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, True)
    found.checkConsistency()
    return found


def test_composed_model_has_no_sbml_error_and_no_unit_warning(document):
    messages = [document.getError(i).getMessage() for i in range(document.getNumErrors())]
    assert messages == []
    assert (document.getLevel(), document.getVersion()) == (3, 2)


def test_a_unit_fault_would_be_seen():
    """The check above can fail: dropping a volume from one rate law is found."""
    broken = composition().antimony.replace("cytoplasm * kgap_RAC1 * RAC1_GTP", "kgap_RAC1 * RAC1_GTP")
    from haptos.signalling.sbml import antimony_to_sbml

    found = libsbml.readSBMLFromString(antimony_to_sbml(broken))
    found.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, True)
    found.checkConsistency()
    assert found.getNumErrors() > 0


def test_every_reaction_is_annotated(document):
    model = document.getModel()
    for i in range(model.getNumReactions()):
        assert model.getReaction(i).isSetSBOTerm(), model.getReaction(i).getId()
    described = sum(model.getReaction(i).getNumCVTerms() > 0 for i in range(model.getNumReactions()))
    assert described > 60


def test_both_routes_from_ilk_to_mmp9_are_in_the_model():
    text = composition().antimony
    for reaction in ("ikk_by_ilk", "gsk3_by_ilk", "jun_t239", "gene_nfkb", "gene_ap1", "gene_nfkb_ap1"):
        assert f"  {reaction}:" in text


def test_every_parameter_of_the_network_tables_is_used():
    elsewhere = {"growth_factor", "ligation"}
    crossing = set(load_parameters()) - set(composition().parameters) - elsewhere
    from haptos.core.parameters import load_table

    assert crossing == set(load_table("crossing"))
