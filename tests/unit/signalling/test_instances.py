"""Integrins as instances: composition, subunit pairing, and how one heterodimer behaves.

The modules of others are replaced by constants, so that only the integrins, inside-out
signalling and calcium act.
"""

from __future__ import annotations

from functools import cache

import libsbml
import numpy as np
import pytest

from haptos.core.parameters import Parameter, load_table
from haptos.errors import ModelError
from haptos.signalling.building.compose import compose
from haptos.signalling.building.instances import heterodimers_for, integrin_module
from haptos.signalling.building.integrins import heterodimers, integrin_parameters
from haptos.signalling.building.modules import load_module, parse_module
from haptos.signalling.building.parameters import handles
from haptos.signalling.network import Segment, compile_network
from haptos.signalling.sbml import antimony_to_sbml

VOLUMES = {"cytoplasm": 1954.0, "nucleus": 540.0, "medium": 2e6}
#: Activities that other modules export, with a resting value [nM].
IMPORTS = {
    "act_HRAS": 5.0, "act_RAC1": 20.0, "act_RHOA": 30.0, "act_ERK": 5.0, "PIP3": 90.0, "act_GNAI": 1e-6,
    "act_EGFR": 1e-6, "act_ERBB2": 1e-6, "act_KIT": 1e-6, "act_PDGFRB": 1e-6, "act_MET": 1e-6,
}  # fmt: skip
CELL = ("ITGA2:ITGB1", "ITGA5:ITGB1", "ITGA6:ITGB1", "ITGAV:ITGB3", "ITGA6:ITGB4")
REPERTOIRE = {f"repertoire__{name.replace(':', '_')}": 1.0 for name in CELL} | {"repertoire__ITGA6_ITGB4": 0.5}
DAY = 1440.0


def constant(name, value, unit="nM"):
    return Parameter(id=name, value=value, unit=unit, spread=0, confidence="assumed")


@cache
def sbml(chosen):
    body = "".join(f"  {name} := constant_{name};\n" for name in IMPORTS)
    stub = parse_module(f"model stub\n{body}  share_myosin_pull := constant_contraction;\nend\n", where="stub")
    table = {p: q for n in ("integrin", "inside_out", "calcium") for p, q in load_table(n).items()}
    table |= integrin_parameters() | {f"constant_{n}": constant(f"constant_{n}", v) for n, v in IMPORTS.items()}
    table["constant_contraction"] = constant("constant_contraction", 0.5, "dimensionless")
    table["kforced"] = constant("kforced", 0.5, "per_min")
    table["ratio_forced_GAP"] = constant("ratio_forced_GAP", 1.5, "dimensionless")
    modules = [integrin_module(chosen), load_module("inside_out"), load_module("calcium"), stub]
    return antimony_to_sbml(compose(modules, table, handles(), VOLUMES).antimony)


@cache
def network(*chosen):
    return compile_network(sbml(frozenset(chosen or CELL)))


def at_rest(outputs, **parameters):
    """Return outputs after 20 days, and later if the surface changes."""
    values = REPERTOIRE | parameters
    result = network().simulate([20 * DAY], parameters=values, outputs=outputs)
    assert result.status.tolist() == [0]
    return dict(zip(outputs, result.values[0, -1].tolist(), strict=True))


def made(**parameters):
    names = [f"share_made_{name.replace(':', '_')}" for name in CELL]
    result = network().simulate([0.0], parameters=REPERTOIRE | parameters, outputs=names)
    return {n.removeprefix("share_made_"): v for n, v in zip(names, result.values[0, 0], strict=True)}


# --- which heterodimers, and the text ----------------------------------------------------------


def test_targets_add_pairs_with_partners_that_are_there():
    own = {"ITGA6:ITGB1": 1.0, "ITGAV:ITGB3": 0.0}
    assert heterodimers_for(own) == {"ITGA6:ITGB1"}
    assert heterodimers_for(own, ["ITGA5", "ITGB4", "ITGAV"]) == {
        "ITGA6:ITGB1", "ITGA5:ITGB1", "ITGA6:ITGB4", "ITGAV:ITGB1",
    }  # fmt: skip
    assert heterodimers_for(own, ["ITGA2B:ITGB3", "ILK"]) == {"ITGA6:ITGB1", "ITGA2B:ITGB3"}


def test_unknown_heterodimers_name_the_nearest():
    with pytest.raises(ModelError, match="did you mean ITGA5:ITGB1"):
        heterodimers_for({"ITGA5:ITGB11": 1.0})
    with pytest.raises(ModelError, match="ITGA5:ITGB9"):
        integrin_module(frozenset({"ITGA5:ITGB9"}))


def test_the_network_is_as_large_as_the_cell_needs():
    few, none = integrin_module(frozenset(CELL)), integrin_module(frozenset())
    assert few.body.count(" in cytoplasm") == 5 * len(CELL)
    assert none.body.count(" in cytoplasm") == 0
    exported = [f"{m}_{h.name}" for h in heterodimers().values() for m in ("total", "clustered", "unligated")]
    assert set(exported) <= set(few.rules) & set(none.rules)
    assert "adhesion_SHC" in none.rules


@pytest.mark.parametrize("chosen", [frozenset(), frozenset(heterodimers())], ids=["none", "all"])
def test_no_sbml_error_and_no_unit_warning(chosen):
    document = libsbml.readSBMLFromString(sbml(chosen))
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, True)
    document.checkConsistency()
    assert [document.getError(i).getMessage() for i in range(document.getNumErrors())] == []


# --- pairing of subunits --------------------------------------------------------------------------


def test_at_rest_the_repertoire_is_met_exactly():
    assert made() == pytest.approx({n.removeprefix("repertoire__"): v for n, v in REPERTOIRE.items()}, rel=1e-12)


def test_without_a_subunit_nothing_is_made_of_its_pairs():
    lost = made(expression__ITGB1=0.0)
    assert [lost[n] for n in ("ITGA2_ITGB1", "ITGA5_ITGB1", "ITGA6_ITGB1")] == [0.0, 0.0, 0.0]
    assert lost["ITGAV_ITGB3"] == pytest.approx(1.0)
    assert lost["ITGA6_ITGB4"] > 0.5


@pytest.mark.parametrize(
    ("change", "gains", "loses"),
    [
        ({"expression__ITGA5": 5.0}, "ITGA5_ITGB1", "ITGA2_ITGB1"),
        ({"transgene__ITGA5": 4.0}, "ITGA5_ITGB1", "ITGA2_ITGB1"),
        ({"expression__ITGB4": 5.0}, "ITGA6_ITGB4", "ITGA6_ITGB1"),
        ({"transgene__ITGB4": 1.0, "repertoire__ITGA6_ITGB4": 0.0}, "ITGA6_ITGB4", "ITGA6_ITGB1"),
    ],
)
def test_a_surplus_subunit_gains_at_the_cost_of_its_rivals(change, gains, loses):
    rest = REPERTOIRE | change
    now = made(**change)
    assert now[gains] > 1.3 * rest[f"repertoire__{gains}"]
    assert now[loses] < 0.85
    assert min(now.values()) >= 0.0


def test_a_heterodimer_is_made_without_its_subunits_if_it_is_transfected():
    assert made(repertoire__ITGAV_ITGB3=0.0, transgene__ITGAV_ITGB3=4.0)["ITGAV_ITGB3"] == pytest.approx(4.0)


# --- one heterodimer ---------------------------------------------------------------------------------


def test_clusters_need_a_surface_with_a_ligand_they_bind():
    names = ["clustered_ITGA5_ITGB1", "clustered_ITGA2_ITGB1", "adhesion_total", "unligated_ITGA5_ITGB1"]
    loose, on_fn1 = at_rest(names), at_rest(names, coat__FN1=1.0)
    assert loose["adhesion_total"] == 0.0
    assert on_fn1["clustered_ITGA5_ITGB1"] > 5.0
    assert on_fn1["clustered_ITGA2_ITGB1"] == 0.0
    assert on_fn1["unligated_ITGA5_ITGB1"] < 0.1 * loose["unligated_ITGA5_ITGB1"]


def test_dissolved_ligand_binds_without_gathering():
    names = ["ITGA5_ITGB1_bound", "ITGA5_ITGB1_clustered"]
    segment = Segment(0.0, 60.0, parameters=REPERTOIRE, set={"FN1": 22.0})
    result = network().simulate([60.0], parameters=REPERTOIRE, segments=[segment], outputs=names)
    bound, clustered = result.values[0, -1]
    assert bound > 2.0  # 0.8 µM holds half (a5b1-copies): 22 nM leave about 4 of 150 nM
    assert clustered == 0.0


@pytest.mark.parametrize("block", ["function__ITGA5_ITGB1", "function__ITGB1", "process__integrin_binding"])
def test_a_blocking_antibody_takes_the_ligand_away(block):
    free = at_rest(["clustered_ITGA5_ITGB1"], coat__FN1=1.0)
    blocked = at_rest(["clustered_ITGA5_ITGB1"], coat__FN1=1.0, **{block: 0.0})
    assert free["clustered_ITGA5_ITGB1"] > 5.0
    assert blocked["clustered_ITGA5_ITGB1"] == 0.0


def test_affinity_spans_its_two_states():
    low = at_rest(["affinity__ITGA5_ITGB1"], locked_low__ITGA5_ITGB1=1.0)["affinity__ITGA5_ITGB1"]
    high = at_rest(["affinity__ITGA5_ITGB1"], locked_high__ITGA5_ITGB1=1.0)["affinity__ITGA5_ITGB1"]
    assert low == pytest.approx(1.0 / (1.5 * 5000), rel=0.01)
    assert 0.8 / 1.5 < high < 1.0 / 1.5


def test_galectin_8_takes_affinity_from_beta1_alone():
    names = ["affinity__ITGA5_ITGB1", "affinity__ITGAV_ITGB3", "complex__LGALS8_ITGB1"]
    segment = Segment(0.0, 1.0, parameters=REPERTOIRE, set={"LGALS8": 100.0})
    treated = network().simulate([1.0], parameters=REPERTOIRE, segments=[segment], outputs=names).values[0, -1]
    plain = network().simulate([1.0], parameters=REPERTOIRE, outputs=names).values[0, -1]
    assert treated[0] < 0.5 * plain[0]
    assert treated[1] == pytest.approx(plain[1], rel=1e-6)
    assert treated[2] > 10.0
    assert plain[2] == 0.0


# --- talin -----------------------------------------------------------------------------------------------


def test_talin_is_conserved_and_shared():
    names = ["TLN1", "TLN1_active", "TLN1_tail", "TLN1_fragment", "talin_in_integrins"]
    times = np.linspace(0.0, 20 * DAY, 9)
    values = REPERTOIRE | {"coat__FN1": 1.0, "transgene__IL2RA_ITGB1_tail": 4.0}
    result = network().simulate(times, parameters=values, outputs=names, rtol=1e-8)
    assert result.values[0].sum(axis=1) == pytest.approx(750.0, rel=1e-6)
    laws = [set(law.species) for law in network().laws]
    assert any({"TLN1", "TLN1_active", "ITGA5_ITGB1_clustered"} <= law for law in laws)


def test_free_tails_titrate_talin_and_more_talin_rescues():
    name = "high_affinity__beta1_integrins"
    plain = at_rest([name])[name]
    tails = at_rest([name], transgene__IL2RA_ITGB1_tail=4.0)[name]
    rescued = at_rest([name], transgene__IL2RA_ITGB1_tail=4.0, expression__TLN1=5.0)[name]
    assert tails < 0.6 * plain
    assert rescued > plain


def test_an_active_integrin_takes_talin_from_others():
    name = "high_affinity__ITGA5_ITGB1"
    many = {"transgene__ITGAV_ITGB3": 4.0}
    assert at_rest([name], forced__ITGAV_ITGB3=1.0, **many)[name] < 0.75 * at_rest([name], **many)[name]


def test_no_number_is_lost_where_a_cell_has_none():
    bare = dict.fromkeys(REPERTOIRE, 0.0)
    outputs = [n for n in network().observables if "__" in n]
    result = network().simulate([DAY], parameters=bare | {"coat__FN1": 1.0}, outputs=outputs)
    assert np.all(np.isfinite(result.values))


def test_avb5_gathers_where_protein_kinase_c_is_active_and_avb3_always():
    names = ["clustered_ITGAV_ITGB3", "clustered_ITGAV_ITGB5"]
    values = {"repertoire__ITGAV_ITGB3": 1.0, "repertoire__ITGAV_ITGB5": 1.0, "coat__VTN": 1.0}
    found = {}
    for pma in (0.0, 1.0):
        pair = network("ITGAV:ITGB3", "ITGAV:ITGB5").simulate(
            [20 * DAY], parameters=values | {"forced__PRKCA": pma}, outputs=names
        )
        assert pair.status.tolist() == [0]
        found[pma] = pair.values[0, -1]
    assert found[0.0][0] > 5.0
    assert found[0.0][1] < 0.2 * found[0.0][0]
    assert found[1.0][1] > 3 * found[0.0][1]


# --- calcium ------------------------------------------------------------------------------------------------


def test_calcium_rests_pulses_and_adapts():
    assert at_rest(["calcium"])["calcium"] == pytest.approx(100.0, rel=0.1)
    start = at_rest(["calcium", "calcium_store"])
    values = REPERTOIRE | {"constant_act_GNAI": 80.0}
    course = network().simulate([0.5, 60.0], parameters=values, initial=start, outputs=["calcium"]).values[0, :, 0]
    assert course[0] > 500.0
    assert course[1] < 300.0


def test_an_open_store_keeps_calcium_high_and_calpain_cuts_talin():
    names = ["calcium", "level__TLN1_fragment"]
    shut = at_rest(names, process__calcium_transients=0.0)
    open_ = at_rest(names, release__calcium=1.0)
    assert open_["calcium"] > 3 * shut["calcium"]
    assert open_["level__TLN1_fragment"] > 2 * shut["level__TLN1_fragment"]
