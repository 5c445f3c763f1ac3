"""Survival and proliferation alone: pi3k_akt, cell_cycle and apoptosis with their inputs as plain numbers."""

from __future__ import annotations

from functools import cache

import libsbml
import numpy as np
import pytest

from haptos.core.parameters import Parameter, load_table
from haptos.signalling.building.compose import compose
from haptos.signalling.building.modules import load_module, parse_module
from haptos.signalling.building.parameters import handles
from haptos.signalling.network import Network, Segment, compile_network
from haptos.signalling.sbml import antimony_to_sbml

MODULES = ("pi3k_akt", "cell_cycle", "apoptosis")
VOLUMES = {"cytoplasm": 1954.0, "nucleus": 540.0, "medium": 2e6}
#: What other modules export [nM], as in a spread cell with serum.
INPUTS = {
    "act_EGFR": 2.0, "act_PDGFRB": 1.0, "act_FGFR1": 0.0, "act_MET": 0.0, "act_KIT": 0.0, "act_ERBB3": 0.0,
    "act_FCER1A": 0.0, "FAK_PI3K": 10.0, "SHC1_p": 20.0, "act_HRAS": 15.0, "act_RRAS": 5.0, "act_GNAI": 0.0,
    "adhesion_ILK": 40.0, "adhesion_beta1": 30.0, "adhesion_beta2": 0.0, "clustered_ITGA6_ITGB4": 0.0, "act_SRC": 15.0,
    "act_ERK": 40.0, "act_ERK_nuc": 25.0, "act_MAPK8": 18.0, "act_RAC1": 50.0, "act_RHOA": 50.0, "act_PAK1": 12.0,
    "act_JUN_FOS": 5.0, "act_FOSL1": 15.0, "act_JUN_ATF2": 20.0, "act_CREB1": 15.0, "act_LEF1": 20.0,
    "NFKB_on_promoters": 8.0, "unligated_ITGAV_ITGB3": 1.0, "unligated_ITGA5_ITGB1": 1.0, "surface_ITGAV_ITGB3": 30.0,
    "TNF_TNFRSF1A": 0.0,
}  # fmt: skip
STUB = "\n".join(
    [
        "model inputs",
        "  species etoposide in medium;",
        "  etoposide_decay: etoposide => ; medium * kdec_stub * etoposide;",
        "  //@ sbo=179",
        *(f"  {name} := stub_{name} * input__on;" for name in INPUTS),
        "  share_spread := stub_share_spread * input__on * activity_factor__spreading;",
        "  share_mitochondria_left := 1 dimensionless;",
        "  share_engaged := stub_share_engaged * input__on;",
        "  share_actin := activity_factor__actin_polymerisation;",
        "end",
    ]
)


@cache
def composed() -> str:
    table: dict[str, Parameter] = dict(load_table("surroundings"))
    for name in MODULES:
        table |= load_table(name)
    numbers = {f"stub_{k}": (max(v, 1e-9), "nM") for k, v in INPUTS.items()}
    numbers |= {"stub_share_spread": (0.6, "dimensionless"), "stub_share_engaged": (0.8, "dimensionless")}
    numbers |= {"kdec_stub": (1e-4, "per_min")}
    for name, (value, unit) in numbers.items():
        table[name] = Parameter.model_validate(
            {"id": name, "value": value, "unit": unit, "spread": 0, "confidence": "assumed"}
        )
    modules = [*(load_module(name) for name in MODULES), parse_module(STUB, where="stub")]
    return compose(modules, table, handles(), VOLUMES).antimony


@cache
def network() -> Network:
    return compile_network(antimony_to_sbml(composed()))


def rest(outputs, change=None, *, hours=24.0, base=None, doses=None):
    """Return outputs at the end of a change after 20 days of rest."""
    before = {"input__on": 1.0, **(base or {})}
    after = {**before, **(change or {})}
    segments = [
        Segment(-28800.0, 0.0, parameters=before),
        Segment(0.0, hours * 60.0, parameters=after, set=doses or {}),
    ]
    result = network().simulate(
        np.array([0.0, hours * 60.0]), parameters=before, segments=segments, outputs=list(outputs), rtol=1e-7
    )
    assert result.status.tolist() == [0]
    return result.values[0]


def test_sbml_without_complaint():
    document = libsbml.readSBMLFromString(antimony_to_sbml(composed()))
    document.setConsistencyChecks(libsbml.LIBSBML_CAT_UNITS_CONSISTENCY, True)
    assert document.checkConsistency() == 0, document.getErrorLog().toString()


def test_pools_are_conserved():
    pools = {frozenset(law.species) for law in network().laws}
    wanted = (
        {"PIP2", "PIP3", "PI34P2"}, {"PI3K", "PI3K_active"}, {"RB1", "RB1_primed", "RB1_p"},
        {"BAD", "BAD_p"}, {"BMF", "BMF_bound"},
        {"CASP9", "CASP9_pS196", "CASP9_active"}, {"CASP3", "CASP3_active"}, {"FOXO1", "FOXO1_pS256"},
    )  # fmt: skip
    assert all(frozenset(pool) in pools for pool in wanted)


@pytest.mark.parametrize("base", [{}, {"input__on": 0.0}, {"input__on": 0.0, "growth_factor": 0.0}])
def test_every_level_is_finite_and_not_negative(base):
    values = rest([*network().states, *network().observables], base=base)
    assert np.isfinite(values).all()
    assert values.min() >= -1e-9


def test_loss_of_pten_raises_pip3_two_to_five_fold():
    with_pten = rest(["level__PIP3"])[-1, 0]
    without = rest(["level__PIP3"], base={"expression__PTEN": 0.0})[-1, 0]
    assert 2.0 <= without / with_pten <= 5.0


def test_phosphorylated_akt_is_gone_within_half_an_hour_of_losing_its_inputs():
    course = rest(["phosphorylation__AKT1_pS473"], {"input__on": 0.0, "growth_factor": 0.0}, hours=0.5)
    assert course[-1, 0] < 0.3 * course[0, 0]


def test_cyclin_d1_follows_its_mrna_within_the_hour():
    course = rest(["level__CCND1"], {"silencing__CCND1": 1e3}, hours=1.0)
    assert course[-1, 0] < 0.5 * course[0, 0]


def test_counters_add_up_their_hazards():
    (_, entry, death), (_, later_entry, later_death) = rest(["share_spread", "count__S_entry", "count__death"])
    rates = rest(["entry_rate", "death_rate"])[-1]
    assert [later_entry - entry, later_death - death] == pytest.approx((1440.0 * rates).tolist(), rel=1e-3)


def test_rounding_kills_and_caspase_inhibition_saves():
    kept = rest(["death_rate"])[-1, 0]
    rounded = rest(["death_rate"], {"activity_factor__spreading": 0.0})[-1, 0]
    saved = {f"activity_factor__{c}": 0.05 for c in ("CASP3", "CASP8", "CASP9")}
    assert rounded > 2.0 * kept
    assert rest(["death_rate"], {"activity_factor__spreading": 0.0, **saved})[-1, 0] < 0.2 * rounded


def test_damage_needs_bcl2_to_be_low_and_p53_to_be_there():
    eto = {"etoposide": 25_000.0}
    cells = ["released__CYCS"]
    plain = rest(cells, doses=eto)[-1, 0]
    assert plain > 1.5 * rest(cells)[-1, 0]
    assert rest(cells, base={"transgene__BCL2": 4.0}, doses=eto)[-1, 0] < plain
    assert rest(cells, base={"expression__TP53": 0.0}, doses=eto)[-1, 0] < plain


def test_no_cyclin_no_entry():
    full = rest(["entry_rate"])[-1, 0]
    # what is left are the few cells of any resting culture
    assert rest(["entry_rate"], base={"expression__CCNE1": 0.0})[-1, 0] == pytest.approx(1e-5, rel=1e-6)
    # cyclin E fires origins, too, but much less well
    assert rest(["entry_rate"], base={"expression__CCNA2": 0.0})[-1, 0] < full
    assert full > 0.0
