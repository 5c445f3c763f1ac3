"""Modules on demand: when they are there, that they are silent otherwise, and what their ligands do."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from pydantic import TypeAdapter

from haptos.conditions.experiment import Culture
from haptos.conditions.interventions import AnyIntervention
from haptos.errors import ModelError
from haptos.signalling.building.modules import ON_DEMAND, joined, load_module, on_demand, parse_module
from haptos.signalling.building.parameters import load_parameters
from haptos.signalling.cell import simulate_vectors
from haptos.signalling.condition import Condition
from haptos.signalling.schedule import parts_needed

ARM = TypeAdapter(tuple[AnyIntervention, ...])
TIMES = (0.0, 2.0, 10.0, 30.0, 60.0, 240.0, 1440.0)
COMMON = ("phosphorylation__ERK", "phosphorylation__AKT1", "nuclear__RELA", "gtp__RHOA", "level__CDKN1A", "level__TP53")
#: One readout of each module, which brings it in.
OWN = {
    "insulin": "phosphorylation__IGF1R",
    "interleukin_1": "level__IL1R1",
    "trail": "level__TNFRSF10B",
    "vegf": "level__KDR",
    "neuregulin": "complex__ERBB2_ERBB3",
    "lpa": "activity__LPAR1",
    "thrombin": "activity__F2R",
    "tgf_beta": "phosphorylation__SMAD2",
    "braf": "activity__BRAF_V600E",
    "microtubules": "unbound__ARHGEF2",
    "phosphosites": "phosphorylation__RPS6KA1",
    "places": "surface__MET",
    "transcripts": "mrna__EGR1",
    "reporters": "luciferase__SRE_reporter",
}


def condition(*steps, cells="fibroblast", serum="0 %", read=COMMON):
    culture = Culture.model_validate({"serum": serum, "coating": "FN1"})
    return Condition(
        cells=cells,
        culture=culture,
        interventions=ARM.validate_python(list(steps)),
        times=TIMES,
        quantities=tuple(read),
    )


@cache
def centre():
    return np.array([[p.value for p in load_parameters().values()]])


def course(*steps, read=COMMON, **more):
    """Return the course of every quantity, with the central values and all modules that readouts bring."""
    return alone(*steps, read=(*read, *OWN.values()), **more)


def alone(*steps, **more):
    outcome = simulate_vectors([condition(*steps, **more)], centre())[0]
    assert outcome.status.tolist() == [0]
    return {name: values[0] for name, values in outcome.quantities.items()}


def guests(*steps, **more):
    return {name for name in parts_needed(condition(*steps, **more)) if name in ON_DEMAND}


@pytest.mark.parametrize(
    ("step", "module"),
    [
        ({"add": "IL1B"}, "interleukin_1"),
        ({"neutralise": "VEGFA"}, "vegf"),
        ({"treat": "linsitinib"}, "insulin"),
        ({"treat": "cisplatin"}, "dna_damage"),
        ({"treat": "nocodazole"}, "microtubules"),
        ({"block": "microtubules"}, "microtubules"),
        ({"knockdown": "SMAD4"}, "tgf_beta"),
        ({"express_mutant": "RAF1", "variant": "V600E"}, "braf"),
    ],
)
def test_what_is_done_brings_its_module(step, module):
    assert guests(step) == {module}


def test_what_is_read_brings_its_module_and_nothing_else_does():
    assert guests() == guests({"add": "EGF"}, {"treat": "etoposide"}, {"knockdown": "ERBB2"}) == set()
    assert guests(read=["phosphorylation__SMAD2"]) == {"tgf_beta"}
    assert set(on_demand()) == set(ON_DEMAND) == set(OWN) | {"dna_damage"}


@pytest.mark.parametrize("cells", ["fibroblast", "endothelial"])
def test_modules_are_silent_without_what_they_are_there_for(cells):
    """So that leaving them out changes nothing: serum, adhesion and all else are as before."""
    without = alone(cells=cells, serum="10 %")
    together = course({"treat": "cisplatin", "dose": "0.001 pM"}, cells=cells, serum="10 %")
    for name in COMMON:
        assert together[name] == pytest.approx(without[name], rel=2e-3)


def test_a_term_is_added_to_the_rule_of_another_module():
    first = parse_module("model a\n  sum := x;\n  level__x := x;\nend\n", where="a")
    second = parse_module("model b\n  y := x;\n  //+ sum: y * y\nend\n", where="b")
    assert "sum := x + (y * y);" in joined([first, second])[0].body
    with pytest.raises(ModelError, match="adds to the rule sum"):
        joined([second])


@pytest.mark.parametrize("name", ON_DEMAND)
def test_every_reaction_has_an_annotation(name):
    module = load_module(name)
    assert module.name == name
    assert all(note.sbo for note in module.annotations.values())


# --- what ligands do: direction and course --------------------------------------------------------------------------


def test_igf1_raises_akt_more_than_erk_until_its_receptor_is_inhibited():
    read = ("phosphorylation__AKT1", "phosphorylation__ERK")
    rest, ligand = course(cells="MCF-7", read=read), course({"add": "IGF1"}, cells="MCF-7", read=read)
    blocked = course({"treat": "linsitinib"}, {"add": "IGF1"}, cells="MCF-7", read=read)
    akt, erk = (ligand[name] / rest[name] for name in read)
    assert akt[3] > 5
    assert akt[3] > 2 * erk[3]
    assert akt[-1] > 0.3 * akt.max()
    before, risen, left = (found[read[0]][3] for found in (rest, ligand, blocked))
    assert left - before < 0.15 * (risen - before)


def test_inhibitors_of_both_receptors_take_what_serum_does_through_irs1():
    read = ("phosphorylation__IRS1",)
    serum = course(serum="10 %", read=read)["phosphorylation__IRS1"]
    blocked = course({"treat": "BMS-754807"}, serum="10 %", read=read)["phosphorylation__IRS1"]
    assert blocked[-1] < 0.1 * serum[-1]


def test_interleukin_1_moves_rela_and_stress_kinases_for_a_time():
    read = ("nuclear__RELA", "phosphorylation__MAPK8", "phosphorylation__MAPK14", "mrna__IL6")
    rest, ligand = course(read=read), course({"add": "IL1B"}, read=read)
    for name in read[:3]:
        assert ligand[name][3] > 3 * rest[name][3]
        assert ligand[name][-1] < 0.5 * ligand[name].max()
    assert ligand["mrna__IL6"][-1] > 5 * rest["mrna__IL6"][-1]
    held = course({"treat": "anakinra", "dose": "10 µg/mL"}, {"add": "IL1B", "dose": "1 ng/mL"}, read=read)
    assert held["mrna__IL6"][4] < 0.3 * ligand["mrna__IL6"][4]


def test_trail_kills_by_caspases_and_less_where_decoys_abound():
    read = ("caspase__CASP8", "count__death")
    arms = [[], [{"add": "TNFSF10"}], [{"treat": "z-VAD-fmk"}, {"add": "TNFSF10"}]]
    rest, ligand, held = (course(*arm, cells="carcinoma", serum="10 %", read=read) for arm in arms)
    grown = [c["count__death"][-1] - c["count__death"][0] for c in (rest, ligand, held)]
    assert grown[1] > 5 * grown[0]
    assert grown[2] < 0.2 * grown[1]
    decoys = course(
        {"overexpress": "TNFRSF10C", "fold": 20}, {"add": "TNFSF10"}, cells="carcinoma", serum="10 %", read=read
    )
    assert decoys["caspase__CASP8"].max() < 0.5 * ligand["caspase__CASP8"].max()


def test_vegf_acts_on_endothelium_for_an_hour_and_on_cells_without_its_receptor_not_at_all():
    read = ("phosphorylation__ERK", "phosphorylation__AKT1", "level__calcium")
    rest, ligand = (course(*arm, cells="endothelial", read=read) for arm in ([], [{"add": "VEGFA"}]))
    assert ligand["phosphorylation__ERK"][2] > 10 * rest["phosphorylation__ERK"][2]
    assert ligand["phosphorylation__ERK"][-1] < 0.3 * ligand["phosphorylation__ERK"].max()
    assert ligand["phosphorylation__AKT1"][3] > 2 * rest["phosphorylation__AKT1"][3]
    assert ligand["level__calcium"][1] > 1.5 * rest["level__calcium"][1]
    other, without = (course(*arm, read=read) for arm in ([{"add": "VEGFA"}], []))
    assert other["phosphorylation__ERK"] == pytest.approx(without["phosphorylation__ERK"], rel=2e-3)


def test_neuregulin_needs_the_kinase_of_erbb2():
    read = ("phosphorylation__AKT1", "phosphorylation__ERK")
    rest, ligand, held = (
        course(*arm, cells="MCF-7", read=read)
        for arm in ([], [{"add": "NRG1"}], [{"treat": "lapatinib"}, {"add": "NRG1"}])
    )
    for name in read:
        assert ligand[name][3] > 5 * rest[name][3]
        assert held[name][3] < 0.2 * ligand[name][3]


def test_lpa_and_thrombin_contract_and_thrombin_does_so_briefly():
    read = ("gtp__RHOA", "phosphorylation__MYL9", "level__calcium")
    rest, lpa, thrombin, held = (
        course(*arm, read=read)
        for arm in ([], [{"add": "LPA"}], [{"add": "F2"}], [{"treat": "Ki16425"}, {"add": "LPA"}])
    )
    for ligand in (lpa, thrombin):
        assert ligand["gtp__RHOA"].max() > 2 * rest["gtp__RHOA"][0]
        assert ligand["phosphorylation__MYL9"].max() > 1.15 * rest["phosphorylation__MYL9"][0]
        assert ligand["level__calcium"][1] > 2 * rest["level__calcium"][1]
    assert thrombin["gtp__RHOA"][4] < 1.5 * rest["gtp__RHOA"][4]
    assert held["gtp__RHOA"].max() < 1.4 * rest["gtp__RHOA"].max()


def test_tgf_beta_marks_smad2_and_stops_epithelia_before_s_phase():
    read = (
        "phosphorylation__SMAD2",
        "level__CDKN1A",
        "level__CDKN2B",
        "phosphorylation__RB1",
        "mrna__SERPINE1",
        "mrna__MMP2",
    )
    rest, ligand, held = (
        course(*arm, cells="keratinocyte", serum="10 %", read=read)
        for arm in ([], [{"add": "TGFB1"}], [{"treat": "SB-431542"}, {"add": "TGFB1"}])
    )
    assert rest["phosphorylation__SMAD2"].max() == 0.0
    assert ligand["phosphorylation__SMAD2"].argmax() in (3, 4)
    assert 0.2 < ligand["phosphorylation__SMAD2"][-1] / ligand["phosphorylation__SMAD2"].max() < 0.8
    assert ligand["level__CDKN1A"][-1] > 2 * rest["level__CDKN1A"][-1]
    assert ligand["phosphorylation__RB1"][-1] < 0.5 * rest["phosphorylation__RB1"][-1]
    assert ligand["mrna__SERPINE1"][-1] > 3 * rest["mrna__SERPINE1"][-1]
    assert ligand["mrna__MMP2"][3] / rest["mrna__MMP2"][3] < 1.1 < ligand["mrna__MMP2"][-1] / rest["mrna__MMP2"][-1]
    assert held["phosphorylation__SMAD2"].max() < 0.15 * ligand["phosphorylation__SMAD2"].max()


def test_b_raf_v600e_needs_no_receptor_and_falls_to_its_inhibitor_alone():
    read, mutant = ("phosphorylation__ERK",), {"express_mutant": "RAF1", "variant": "V600E"}
    rest, active, spared, held, idle = (
        course(*arm, cells="epithelial", read=read)["phosphorylation__ERK"][-1]
        for arm in (
            [],
            [mutant],
            [mutant, {"treat": "gefitinib"}],
            [mutant, {"treat": "vemurafenib"}],
            [{"treat": "vemurafenib"}],
        )
    )
    assert active > 20 * rest
    assert spared == pytest.approx(active, rel=0.05)
    assert held < 0.1 * active
    assert idle == pytest.approx(rest, rel=0.01)


@pytest.mark.parametrize("drug", ["doxorubicin", "cisplatin"])
def test_damage_keeps_p53(drug):
    read = ("level__TP53", "level__CDKN1A")
    rest, treated = (course(*arm, cells="carcinoma", serum="10 %", read=read) for arm in ([], [{"treat": drug}]))
    assert treated["level__TP53"][-1] > 1.3 * rest["level__TP53"][-1]
    assert treated["level__CDKN1A"][-1] > 1.3 * rest["level__CDKN1A"][-1]


@pytest.mark.parametrize(("drug", "spared"), [("doxorubicin", True), ("etoposide", True), ("cisplatin", False)])
def test_adhesion_spares_dna_from_what_needs_topoisomerase(drug, spared):
    read = ("phosphorylation__H2AX",)
    kept, lost = (
        course({"treat": drug}, *arm, cells="carcinoma", read=read)["phosphorylation__H2AX"][-1]
        for arm in ([], [{"inhibit": "ITGB1"}])
    )
    assert (lost > 1.2 * kept) == spared


def test_loss_of_microtubules_frees_gef_h1_and_phosphatases_clear_myosin():
    read = ("gtp__RHOA", "phosphorylation__MYL9")
    rest, nocodazole, calyculin = (
        course(*arm, read=read) for arm in ([], [{"treat": "nocodazole"}], [{"treat": "calyculin_A"}])
    )
    assert nocodazole["gtp__RHOA"][-1] > 1.5 * rest["gtp__RHOA"][-1]
    assert calyculin["phosphorylation__MYL9"][3] > 1.5 * rest["phosphorylation__MYL9"][3]
    spared = course({"knockdown": "ARHGEF2", "remaining": "10 %"}, {"treat": "nocodazole"}, read=read)
    left, whole = (found["gtp__RHOA"][-1] - rest["gtp__RHOA"][-1] for found in (spared, nocodazole))
    assert left < 0.25 * whole
