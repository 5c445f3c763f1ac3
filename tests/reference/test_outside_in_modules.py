"""fak_src, rho and erk alone, with stand-ins for what they import: courses, switches, conservation."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from haptos.core.parameters import Parameter, load_table
from haptos.signalling.building.compose import compose
from haptos.signalling.building.modules import load_module, parse_module
from haptos.signalling.building.parameters import handles
from haptos.signalling.network import Network, Segment, compile_network
from haptos.signalling.sbml import antimony_to_sbml

MODULES = ("fak_src", "rho", "erk")
#: Clustered integrins follow the input with a time constant of a quarter of an hour.
STAND_INS = """model stand_ins
  species clustered in cytoplasm;
  gather: => clustered; cytoplasm * k_cluster * coat__FN1 * clustered_most;
  //@ sbo=393
  scatter: clustered => ; cytoplasm * k_cluster * clustered;
  //@ sbo=179
  adhesion_total := clustered;
  adhesion_FAK := clustered;
  adhesion_SHC := clustered;
  adhesion_beta4 := nothing;
  act_GNAI := nothing;
  act_ILK := clustered;
  act_CAPN1 := some;
  act_CAPN2 := some;
  attached__cells := clustered;
  share_GNAI_coupled := nothing / (nothing + some);
  act_PRKCA := kinase_C;
  share_toxin_A_left := 1 dimensionless;
  share_PTK2_doxycycline_left := 1 dimensionless;
end
"""
NUMBERS = {
    "k_cluster": (0.07, "per_min"),
    "clustered_most": (40.0, "nM"),
    "nothing": (1e-9, "nM"),
    "some": (0.5, "nM"),
    "kinase_C": (1.3, "nM"),
    "calcium": (100.0, "nM"),
    "PIP3": (150.0, "nM"),
    "kforced": (0.5, "per_min"),
    "growth_factor": (1.0, "dimensionless"),
}
VOLUMES = {"cytoplasm": 1954.0, "nucleus": 540.0, "medium": 2e6}
EGF = {"EGF": 1.6}
COURSE = np.linspace(0.0, 1200.0, 241)


@cache
def network() -> Network:
    table = {k: v for name in MODULES for k, v in load_table(name).items()}
    table |= {k: Parameter(id=k, value=v, unit=u, spread=0, confidence="assumed") for k, (v, u) in NUMBERS.items()}
    modules = [*(load_module(name) for name in MODULES), parse_module(STAND_INS, where="stand_ins")]
    return compile_network(antimony_to_sbml(compose(modules, table, handles(), VOLUMES).antimony))


def course(outputs, *, plated=0.0, before=0.0, doses=None, times=COURSE, **changes):
    """Return what cells without serum do after plating or a dose; `changes` hold from the start."""
    base = {"growth_factor": 0.0, "coat__FN1": before, **changes}
    now = base | {"coat__FN1": max(plated, before)}
    plan = [Segment(-20_000.0, 0.0, parameters=base), Segment(0.0, times[-1], parameters=now, set=doses or {})]
    result = network().simulate(times, parameters=base, segments=plan, outputs=outputs)
    assert result.status.tolist() == [0]
    return result.values[0]


def erk(**arm):
    return course(["phosphorylation__ERK"], **arm)[:, 0]


def test_one_circuit_gives_four_courses_of_erk():
    none, weak, brief, lasting = erk(), erk(plated=1.0), erk(doses=EGF), erk(plated=1.0, doses=EGF)
    after = {hours: int(np.searchsorted(COURSE, 60.0 * hours)) for hours in (1, 5, 20)}
    assert none.max() < 0.2 * weak[-1]
    assert weak[after[5]] < 0.3 * lasting[after[5]]
    assert brief.max() > 5.0 * none.max()
    assert brief[after[1]] - none[after[1]] <= 0.5 * (brief - none).max()
    gain = lasting - brief
    # lasting is 5 to 20 h (seed-erk-windows): at least half is left after 5 h, and some after 20 h
    assert gain[after[5]] >= 0.5 * gain.max()
    assert gain[after[20]] >= 0.3 * gain.max()


def test_protein_kinase_c_alone_raises_erk():
    plan = [Segment(-20_000.0, 0.0), Segment(0.0, 30.0, parameters={"kinase_C": 70.0})]
    base = {"growth_factor": 0.0, "coat__FN1": 1.0}
    result = network().simulate([0.0, 30.0], parameters=base, segments=plan, outputs=["phosphorylation__ERK"])
    rest, stimulated = result.values[0][:, 0]
    assert stimulated > 3.0 * rest


@pytest.mark.parametrize(
    ("change", "reading", "residual", "doses"),
    [
        ({"site__PTK2_Y397": 0.0}, "complex__PTK2_PI3K", 0.01, {}),
        ({"site__PTK2_Y925": 0.0}, "complex__PTK2_GRB2", 0.01, {}),
        ({"site__BMX_PH": 0.0}, "complex__PTK2_BMX", 0.01, {}),
        ({"expression__CAV1": 0.15}, "phosphorylation__SHC1", 0.7, {}),
        ({"process__ERK_focal_adhesion_targeting": 0.0}, "phosphorylation__focal_adhesion_proteins", 0.7, EGF),
        ({"activity_factor__FYN": 0.05}, "phosphorylation__SHC1", 0.7, {}),
        ({"expression__PTK2": 0.0}, "phosphorylation__BCAR1", 0.7, {}),
        ({"expression__BCAR1": 0.15}, "gtp__RAC1", 0.9, {}),
    ],
)
def test_a_cut_takes_away_what_it_should(change, reading, residual, doses):
    whole, cut = (course([reading], before=1.0, doses=doses, **c)[-1, 0] for c in ({}, change))
    assert whole > 0.0
    assert cut <= residual * whole


def test_rac1_reaches_pak1_at_adhesions_only():
    read = ["activity__PAK1", "gtp__RAC1"]
    loose, held = ([course(read, before=s, forced__RAC1=f)[-1] for f in (0.0, 1.0)] for s in (0.0, 1.0))
    assert loose[1][1] > 3.0 * loose[0][1]
    assert loose[1][0] == pytest.approx(loose[0][0], rel=0.05)
    assert held[1][0] > 1.4 * held[0][0]


def test_receptors_answer_integrins_without_fak():
    apart, held, no_fak = (
        course(["phosphorylation__EGFR"], before=s, expression__PTK2=f)[-1, 0]
        for s, f in ((0.0, 1.0), (1.0, 1.0), (1.0, 0.0))
    )
    assert held > 1.4 * apart
    assert no_fak == pytest.approx(held, rel=0.05)


def test_totals_are_conserved():
    names = {frozenset(law.species) for law in network().laws}
    cycles = [("SRC", "SRC_pY416"), ("HRAS_GDP", "HRAS_GTP"), ("RAC1_GDP", "RAC1_GTP"), ("PAK1", "PAK1_pT423")]
    cycles += [("SHC1", "SHC1_p"), ("ERK", "ERK_pTEY", "ERK_pTEY_nuc"), ("MYL9", "MYL9_pS19"), ("BCAR1", "BCAR1_p")]
    assert {frozenset(cycle) for cycle in cycles} <= names
