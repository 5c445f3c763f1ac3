"""Interventions become changes of the model, or a stated refusal."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from pydantic import TypeAdapter, ValidationError

from haptos.conditions.catalogue import load_catalogue
from haptos.conditions.experiment import Culture
from haptos.conditions.interventions import VERBS, AnyIntervention
from haptos.signalling.actions import Change, Refusal, changes_of, changes_of_arm, surroundings_of
from haptos.signalling.actions import translate as executors
from haptos.signalling.actions.change import Offer
from haptos.signalling.actions.variants import find_variant, variants
from haptos.signalling.agents import antibody_against, coatings, compound_named, compounds, ligands, surface_ligands
from haptos.signalling.building.modules import ON_DEMAND, load_module, machinery, module_names
from haptos.signalling.contexts.transcripts import proteins_of_modules
from haptos.signalling.model import model
from haptos.signalling.schedule import _in_force
from unit.signalling.repertoires import SEVERAL

READ = TypeAdapter(AnyIntervention)
#: Handles that stand for parts of something else.
UNNAMED: set[str] = set()
INTEGRINS = ("ITGA5_ITGB1", "ITGAV_ITGB3", "ITGA6_ITGB4")
OFFERED = {
    "expression__ILK", "transgene__NFKBIA", "expression__NFKBIA", "endogenous__NFKBIA", "silencing__RELA",
    "expression__AKT1", "expression__PTK2", "expression__BMX", "activity_factor__PI3K", "activity_factor__ERK",
    "activity_factor__RHOA", "activity_factor__RAC1", "activity_factor__EGFR", "activity_factor__ERBB2",
    "activity_factor__PTK2", "forced__AKT1", "forced__v_Src", "forced__ITGB1",
    "site__PTK2_Y397", "dominant_negative__ITGB1", "process__calcium_transients", "process__contraction",
    "cleaved__integrin_actin_tether", "release__calcium", "expression__ITGB1", "transgene__ITGB1",
    "function__ITGB1", "function__THBS1", "silencing__MMP2", "silencing__MMP9", "core_site__CXCR4", "kb_site__CXCR4",
    "BAY_11_7082", "TNF", "EGF", "FN1", "anti_MMP9", "growth_factor", "kb_site__MMP9", "zinc",
    "input__shear", "input__injury", "input__spreading_limit",
    *(f"coat__{x}" for x in ("FN1", "VTN", "collagen", "laminin")),
    *(f"{kind}__{h}" for h in INTEGRINS for kind in ("function", "locked_low", "locked_high", "mobility_factor",
                                                       "affinity_factor", "expression", "forced")),
}  # fmt: skip


def changes(**entry):
    return changes_of(READ.validate_python(entry), OFFERED)


def names(**entry):
    found = changes(**entry)
    assert isinstance(found, list), found
    return {c.name for c in found}


def test_overexpression_prefers_a_transgene():
    assert changes(overexpress="ILK", fold=4) == [Change("multiply", "expression__ILK", 4.0)]
    assert changes(overexpress="NFKBIA", fold=4) == [Change("set", "transgene__NFKBIA", 3.0)]


@pytest.mark.parametrize("verb", ["overexpress", "set_expression"])
def test_what_the_cells_lack_is_expressed_relative_to_the_reference_cell(verb):
    step = READ.validate_python({verb: "PTK2", "fold": 4})
    assert changes_of(step, OFFERED, lost=["PTK2"]) == [Change("set", "expression__PTK2", 4.0)]
    assert changes_of(step, OFFERED, removed=["PTK2"]) == [Change("set", "expression__PTK2", 4.0)]
    assert changes_of(step, OFFERED) == [Change("multiply", "expression__PTK2", 4.0)]


def test_knockdown_acts_on_mrna_where_it_is_modelled():
    found = changes(knockdown="RELA", remaining="20 %", at="-48 h")
    assert found == [Change("set", "silencing__RELA", 4.0, -2880.0)]
    assert changes(knockdown="AKT1", remaining="20 %") == [Change("multiply", "expression__AKT1", 0.2)]


def test_knockout_removes_endogenous_copies_too():
    assert names(knockout="NFKBIA") == {"expression__NFKBIA", "endogenous__NFKBIA"}


def test_doses_are_molar_inside():
    assert changes(treat="BAY-11-7082", dose="5 µM", at="1 h") == [Change("dose", "BAY_11_7082", 5000.0, 60.0)]
    assert changes(treat="BAY-11-7082")[0].value == 10_000.0
    assert changes(add="TNF", dose="10 ng/mL")[0].value == pytest.approx(10 / 51)
    assert changes(neutralise="MMP9", dose="15 µg/mL")[0].value == pytest.approx(100.0)


def test_inhibition_and_activation_have_a_window():
    assert changes(inhibit="PI3K", by="90 %", at="1 h", until="2 h") == [
        Change("multiply", "activity_factor__PI3K", pytest.approx(0.1), 60.0, 120.0)
    ]
    assert changes(activate="AKT1", strength="weak")[0].value == pytest.approx(0.2)


# --- classes, lumps, subunits ------------------------------------------------------------


def test_a_class_acts_on_each_member_that_the_model_holds():
    assert names(inhibit="Rho_GTPases") == {"activity_factor__RHOA", "activity_factor__RAC1"}
    assert names(knockdown="MMPs") == {"silencing__MMP2", "silencing__MMP9"}
    assert names(knockout="integrins") == {f"expression__{h}" for h in INTEGRINS}
    assert names(activate="integrins") == {f"forced__{h}" for h in INTEGRINS}


def test_a_name_that_the_model_lumps_is_used_as_it_is():
    assert names(inhibit="ERK") == {"activity_factor__ERK"}
    found = changes(inhibit="MAPK1")
    assert isinstance(found, Refusal)
    assert "only as part of ERK" in found.reason


def test_a_subunit_stands_for_its_integrins_where_it_has_no_handle_of_its_own():
    assert names(neutralise="ITGB1") == {"function__ITGB1"}
    assert names(neutralise="ITGA5") == {"function__ITGA5_ITGB1"}
    assert names(set_mobility="ITGB3", fold=3) == {"mobility_factor__ITGAV_ITGB3"}
    assert names(lock_conformation="beta3_integrins", state="low") == {"locked_low__ITGAV_ITGB3"}


def test_an_antibody_leaves_what_its_affinity_says():
    antibody = antibody_against("ITGB1")
    dose = 10_000 / antibody.molar_mass * 1e3  # ng/mL to nM
    (change,) = changes(neutralise="ITGB1")
    assert change.value == pytest.approx(1 / (1 + dose / antibody.KD.value))
    assert 0.0 < change.value < 0.1


def test_an_antibody_against_a_receptor_without_a_handle_keeps_its_ligand_away():
    (change,) = changes_of(READ.validate_python({"neutralise": "FAS"}), {"FASLG"})
    assert (change.how, change.name) == ("bind", "FASLG")
    assert change.value < 0.1
    (agonist,) = changes_of(READ.validate_python({"add": "anti-FAS"}), {"FASLG"})
    assert (agonist.how, agonist.name) == ("dose", "FASLG")


@pytest.mark.parametrize(
    ("ligand", "dose", "molar"),
    [("F2", "0.5 U/mL", 5.0), ("TNF", "1000 IU/mL", 50 / 51), ("F2", "2 nM", 2.0)],
)
def test_activities_are_doses_where_a_unit_is_known(ligand, dose, molar):
    (change,) = changes_of(READ.validate_python({"add": ligand, "dose": dose}), {ligand})
    assert change.value == pytest.approx(molar)


def test_an_agonistic_antibody_counts_as_less_of_its_ligand():
    (change,) = changes_of(READ.validate_python({"add": "anti-TNFRSF1A", "dose": "1 µg/mL"}), {"TNF"})
    assert (change.how, change.name) == ("dose", "TNF")
    assert change.value == pytest.approx(0.03 * 1000 / 150)


def test_an_activity_of_what_has_no_unit_is_refused():
    found = changes_of(READ.validate_python({"add": "EGF", "dose": "1 U/mL"}), {"EGF"})
    assert "how much a unit of EGF is" in found.reason


# --- mutants -------------------------------------------------------------------------------


def test_a_site_mutant_takes_the_place_of_the_wild_type():
    step = READ.validate_python({"express_mutant": "PTK2", "variant": "Y397F", "fold": 2})
    beside = changes_of(step, OFFERED)
    assert isinstance(beside, Refusal)
    assert "knock out PTK2" in beside.reason
    expected = [Change("set", "expression__PTK2", 2.0), Change("set", "site__PTK2_Y397", 0.0)]
    assert changes_of(step, OFFERED, removed=["PTK2"]) == expected
    assert changes_of(step, OFFERED, lost=["PTK2"]) == expected


def test_knockouts_come_first_whatever_the_order():
    steps = [READ.validate_python(s) for s in ({"express_mutant": "PTK2", "variant": "Y397F"}, {"knockout": "PTK2"})]
    found, reasons = changes_of_arm(steps, OFFERED, {})
    assert reasons == []
    assert [(c.name, c.value) for c in found if c.name == "expression__PTK2"] == [
        ("expression__PTK2", 0.0), ("expression__PTK2", 1.0),
    ]  # fmt: skip


def test_a_dominant_negative_form_competes():
    assert changes(express_mutant="PTK2", variant="FRNK", fold=4) == [
        Change("multiply", "activity_factor__PTK2", pytest.approx(0.2))
    ]
    assert changes(express_mutant="ITGB1", variant="dominant-negative", fold=2) == [
        Change("set", "dominant_negative__ITGB1", 2.0)
    ]


def test_variants_of_activation():
    assert names(activate="SRC", variant="v-Src") == {"forced__v_Src"}
    assert names(activate="integrins", variant="activating antibody") == {f"locked_high__{h}" for h in INTEGRINS}


def test_a_lost_subunit_needs_a_transgene():
    step = READ.validate_python({"rescue": "ITGB1"})
    assert changes_of(step, OFFERED, removed=["ITGB1"]) == [Change("set", "expression__ITGB1", 1.0)]
    assert changes_of(step, OFFERED, lost=["ITGB1"]) == [Change("set", "transgene__ITGB1", 1.0)]


def test_names_of_variants_are_unique_and_effects_are_of_known_kinds():
    from haptos.signalling.building.parameters import handles

    assert {e.handle for v in variants() for e in v.effects} <= set(handles())
    assert len(variants()) > 20


# --- compounds -----------------------------------------------------------------------------


def test_a_compound_acts_through_its_targets_by_dose():
    found = {c.name: c.value for c in changes(treat="lapatinib", dose="150 nM")}
    assert found == {"activity_factor__EGFR": pytest.approx(0.25), "activity_factor__ERBB2": pytest.approx(0.25)}
    more = {c.name: c.value for c in changes(treat="lapatinib", dose="1.5 µM")}
    assert all(more[name] < found[name] for name in found)


def test_an_unstable_compound_fades_in_steps_without_gaps():
    half_life = compound_named("LY294002").half_life.value
    found = [c for c in changes(treat="LY294002", dose="20 µM", at="1 h") if c.name == "activity_factor__PI3K"]
    assert found[0].start == 60.0
    assert all(a.stop == b.start for a, b in pairwise(found))
    assert all(a.value < b.value for a, b in pairwise(found))
    k = 3
    dose = 20_000 * 2 ** -(k + 0.5)
    assert found[k].start == pytest.approx(60 + k * half_life)
    assert found[k].value == pytest.approx(1 / (1 + dose / 1400))
    assert math.isfinite(found[-1].stop)


def test_a_compound_stops_when_it_is_washed_out_and_waits_for_its_onset():
    found = changes(treat="LY294002", until="30 h")
    assert max(c.stop for c in found) == 1800.0
    assert {c.start for c in changes(treat="C3_transferase", at="1 h")} == {180.0}
    assert changes(treat="C3_transferase", until="1 h") == []


def test_compounds_that_switch_something_on_set_it():
    (change,) = changes(treat="thapsigargin")
    assert (change.how, change.name) == ("set", "release__calcium")
    assert 0.9 < change.value < 1.0


def test_an_inhibitor_of_myosin_blocks_contraction():
    assert names(treat="blebbistatin") == names(inhibit="MYH9") == {"process__contraction"}


def test_the_library_of_compounds_is_consistent():
    from haptos.conditions.catalogue import load_catalogue, load_vocabulary

    entities = load_vocabulary().entities
    assert len(compounds()) >= 40
    targets = {t.name for c in compounds().values() for t in c.targets}
    assert targets - set(entities) <= set(proteins_of_modules())
    assert set(compounds()) <= set(load_catalogue().names["compound"])
    assert all(" " not in name for name in compounds())
    assert all(c.default_dose.dimension == "concentration" or c.molar_mass for c in compounds().values())


# --- surroundings --------------------------------------------------------------------------


def test_surroundings_of_cultures():
    found = surroundings_of(Culture(coating="FN1", serum="5 %"))
    assert found["growth_factor"] == 0.5
    assert {k for k in found if k.startswith("coat__")} == {f"coat__{x}" for x in surface_ligands()}
    assert (found["coat__FN1"], found["coat__VTN"], found["input__spreading_limit"]) == (1.0, 0.0, 0.0)
    floating = surroundings_of(Culture(coating="FN1", geometry="suspension"))
    assert all(floating[k] == 0.0 for k in floating if k != "growth_factor")
    assert surroundings_of(Culture(coating="collagen", geometry="3D"))["input__spreading_limit"] > 0.0


def test_plating_replaces_the_whole_surface():
    found = {c.name: c.value for c in changes(plate_on="collagen")}
    assert found["coat__collagen"] == 1.0
    assert found["coat__FN1"] == found["coat__VTN"] == 0.0
    assert {c.value for c in changes(detach="cells")} == {0.0}
    assert changes(plate_on="FN1", density="0.5 µg/cm²")[0].value == pytest.approx(0.5)


def test_densities_touch_their_ligand_only():
    low, middle, high = (changes(set_density="FN1", level=x) for x in ("low", "intermediate", "high"))
    assert [[c.name for c in x] for x in (low, middle, high)] == [["coat__FN1"]] * 3
    assert low[0].value < middle[0].value == 1.0 < high[0].value


def test_flow_wounds_islands_and_withdrawal():
    steps = [READ.validate_python(s) for s in ({"shear": "stop"}, {"shear": "on", "at": "-24 h"})]
    found, _ = changes_of_arm(steps, OFFERED, {})
    assert [(c.start, c.value) for c in found] == [(-1440.0, 1.0), (0.0, 0.0)]
    assert names(injure="skin") == {"input__injury", "coat__collagen"}
    small, large = (changes(restrict_spreading="cells", diameter=d)[0].value for d in ("10 µm", "40 µm"))
    assert 0.0 < large < small < 1.0
    assert changes(withdraw="serum") == [Change("set", "growth_factor", 0.0, 0.0)]
    assert names(withdraw="zinc") == {"zinc"}
    assert changes(mutate="MMP9_promoter_kB_site") == [Change("set", "kb_site__MMP9", 0.0)]
    assert names(mutate="CXCR4_promoter_-66_+7", variant="deletion") == {"core_site__CXCR4", "kb_site__CXCR4"}


def test_processes_links_and_stores():
    assert changes(block="calcium_transients", by="80 %")[0].value == pytest.approx(0.2)
    assert names(cleave="integrin_actin_tether") == {"cleaved__integrin_actin_tether"}
    assert names(release="calcium") == {"release__calcium"}


def test_ligands_and_coatings_name_what_exists():
    assert all(set(c.ligands) <= set(surface_ligands()) for c in coatings().values())
    assert all(x.default_dose is not None for x in ligands().values() if x.species is not None)


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_intervention_is_carried_out_or_refused_by_name(verb):
    known = {*executors._EXECUTORS, *executors._ELSEWHERE, "swap_cells"}
    assert verb in known


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"overexpress": "CXCR4"}, "no transgene__CXCR4 or expression__CXCR4"),
        ({"treat": "taxol"}, "compound 'taxol' is not in the library"),
        ({"treat": "gefitinib", "dose": "1 µM"}, ""),
        ({"treat": "plerixafor"}, "finds none of its targets in the modules at hand (CXCR4)"),
        ({"neutralise": "CXCR4"}, "no module holds CXCR4: no function__CXCR4"),
        ({"add": "EGF", "gradient": True}, "a gradient needs an assay with two chambers"),
        ({"add": "VTN"}, "holds no VTN"),
        ({"add": "CXCL12"}, "no species CXCL12"),
        ({"plate_on": "FN1", "stiffness": "1 kPa"}, "stiffness"),
        ({"express_mutant": "PTK2", "variant": "Y1F"}, "known variants of PTK2: Y397F, Y925F"),
        ({"express_mutant": "NFKBIA", "variant": "super-repressor"}, "no site__NFKBIA_S32"),
        ({"activate": "AKT1", "variant": "odd"}, "known variants: K179M, myristoylated"),
        ({"withdraw": "TNF"}, "end its addition with 'until'"),
        ({"mutate": "CXCR4_promoter"}, "is not in the modules"),
        ({"block": "integrin_clustering"}, "no process__integrin_clustering"),
        ({"lock_conformation": "integrins", "state": "low", "pole": "front"}, "no poles"),
        ({"set_adhesion": "integrins", "fold": 2}, "motility room"),
        ({"implant": "lung"}, "host room"),
        ({"scan": "FN1", "low": 0.1, "high": 10}, "one arm for each amount"),
    ],
)
def test_what_cannot_be_expressed_is_said(entry, reason):
    found = changes(**entry)
    if not reason:
        assert not isinstance(found, Refusal)
        return
    assert isinstance(found, Refusal)
    assert reason in found.reason


# --- antibodies against ligands, shared processes, names of the bench ------------------------------


def test_an_antibody_against_a_ligand_leaves_a_share_of_what_is_added():
    dose, bound = changes(add="TNF", dose="10 ng/mL")[0], changes(neutralise="TNF")[0]
    assert (bound.how, bound.name) == ("bind", "TNF")
    values, doses = _in_force([bound, dose], {}, None)
    assert values == {}
    assert doses == {"TNF": pytest.approx(dose.value * bound.value)}
    assert doses["TNF"] < 0.01 * dose.value


def test_serum_is_dosed_as_a_share():
    step = READ.validate_python({"add": "serum", "dose": "5 %"})
    assert changes_of(step, {"growth_factor"})[0].value == pytest.approx(0.5)
    with pytest.raises(ValidationError, match="is not a concentration"):
        READ.validate_python({"add": "EGF", "dose": "5 %"})


def test_what_no_module_holds_is_answered_with_what_comes_near():
    assert "{block: integrin_actin_tether}" in changes(knockdown="VCL").reason


def test_a_protein_that_is_a_process_can_be_silenced():
    step = READ.validate_python({"knockdown": "MYH9", "remaining": "20 %"})
    assert changes_of(step, {"process__contraction"}) == [Change("multiply", "process__contraction", 0.2)]


def test_mutants_of_a_complex_are_found_by_its_parts():
    assert find_variant("PIK3CA", "H1047R") is find_variant("PI3K", "H1047R")
    assert find_variant("JUN", "TAM67") is not None


def test_every_variant_acts_on_handles_of_the_model():
    """A mutant that the modules do not hold would be refused whatever is read."""
    offered = model(SEVERAL["all"]).offered
    wanted = {f"{e.handle}__{e.target}".replace(":", "_") for v in variants() for e in v.effects}
    kinds = ("site__", "transgene__", "activity_factor__")
    missing = {name for name in wanted if name.startswith(kinds) and name not in offered}
    assert missing == {"site__ITGB1_tail", "site__MYL9_S19"}  # asked for by the literature, not built yet


def test_every_compound_finds_a_target_in_the_model():
    offered = Offer(model(SEVERAL["all"]).offered)
    found = [
        c.id for c in compounds().values() if any(offered.handles(t.handle, t.name) for t in c.targets) or c.species
    ]
    assert set(compounds()) - set(found) == set()


def test_what_the_modules_let_one_act_on_has_a_name():
    """A handle that the vocabulary does not know can be reached by nobody."""
    kinds = ("expression", "silencing", "transgene", "activity_factor", "function", "forced", "process", "release")
    acted = {n.partition("__")[2] for n in model(frozenset(ON_DEMAND)).offered if n.partition("__")[0] in kinds}
    named = {
        n.replace(":", "_").replace("-", "_") for kind in ("target", "process") for n in load_catalogue().names[kind]
    }
    of_variants = {e.target.replace(":", "_") for v in variants() for e in v.effects}
    assert acted - named - of_variants == UNNAMED


def test_the_machinery_drives_reactions_that_exist():
    there = {reaction for name in module_names() for reaction in load_module(name).annotations}
    assert {r for m in machinery() for r in m.reactions} <= there
    assert {"process__transcription", "process__translation", "process__proteasome"} <= set(model(frozenset()).offered)
