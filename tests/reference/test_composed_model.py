"""The composed model: what must hold whatever the cell, the arm and the parameters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from haptos.inference.prior import Prior
from haptos.signalling.building.parameters import load_parameters
from haptos.signalling.cells import cell_line
from haptos.signalling.model import model
from unit.signalling.repertoires import SEVERAL, repertoire_of

TIMES = np.linspace(0.0, 1440.0, 13)
CELLS = ("lung_carcinoma", "fibroblast", "T_cell", "platelet")
ARMS = (
    {},
    {"expression__ILK": 5.0},
    {"expression__ILK": 5.0, "silencing__RELA": 5.7},
    {"expression__PTEN": 0.0, "coat__FN1": 1.0},
    {"constitutive__IKBKB": 40.0, "medium": 1e6},
    {"transgene__NFKBIA": 4.0, "growth_factor": 0.0},
    {"coat__FN1": 2.0, "coat__collagen": 1.0, "transgene__IL2RA_ITGB1_tail": 4.0},
    {"forced__HRAS": 1.0, "activity_factor__SRC": 0.05, "coat__VTN": 1.0},
)
DOSES = {"TNF": 0.2, "EGF": 1.6, "FN1": 22.0, "CXCL12": 10.0}
#: Proteins with several states and no turnover, in every cell.
POOLS = (
    {"TNFRSF1A", "TNF_TNFRSF1A"},
    {"NFKBIA_gene_off", "NFKBIA_gene_on"},
    {"RAP1A_GDP", "RAP1A_GTP"},
    {"SRC", "SRC_pY416"},
    {"RAC1_GDP", "RAC1_GTP"},
    {"RHOA_GDP", "RHOA_GTP"},
    {"HRAS_GDP", "HRAS_GTP"},
    {"MAP2K1", "MAP2K1_p"},
    {"ERK", "ERK_pTEY", "ERK_pTEY_nuc"},
    {"PIP2", "PIP3", "PI34P2"},
    {"GSK3B", "GSK3B_pS9"},
    {"MAPK8", "MAPK8_p"},
    {"ZNF384", "ZNF384_adhesion", "ZNF384_nuc"},
    {"RB1", "RB1_primed", "RB1_p"},
    {"CASP3", "CASP3_active"},
)


def vector(row, compiled):
    names = list(load_parameters())
    drawn = Prior.of_table().sample(64, seed=7)[row]
    return {name: value for name, value in zip(names, drawn, strict=True) if name in compiled.offered}


@settings(max_examples=16)
@given(st.integers(0, 63), st.sampled_from(ARMS), st.sampled_from(CELLS))
def test_totals_are_conserved_and_nothing_is_negative(row, arm, cell):
    compiled = model(repertoire_of(cell))
    network = compiled.network
    own = {name: value for name, value in cell_line(cell).settings().items() if name in compiled.offered}
    values = vector(row, compiled) | own | {name: value for name, value in arm.items() if name in compiled.offered}
    result = network.simulate(TIMES, parameters=values, outputs=network.states, initial=DOSES)
    assert result.status.tolist() == [0]
    course = result.values[0]
    assert course.min() >= 0.0
    volumes = {c: values.get(c, d) for c, d in zip(network.parameters, network.defaults, strict=True)}
    place = network.places
    for law in network.laws:
        weights = np.array([k * volumes[place[s]] for s, k in zip(law.species, law.coefficients, strict=True)])
        total = course[:, [network.states.index(s) for s in law.species]] @ weights
        assert total == pytest.approx(total[0], rel=1e-6), law.name


@pytest.mark.parametrize("repertoire", SEVERAL)
def test_the_conserved_totals_are_those_of_the_biology(repertoire):
    names = {frozenset(law.species) for law in model(SEVERAL[repertoire]).network.laws}
    assert [pool for pool in POOLS if frozenset(pool) not in names] == []


@pytest.mark.parametrize("repertoire", SEVERAL)
def test_talin_is_one_pool_with_all_integrins_that_bind_it(repertoire):
    laws = [set(law.species) for law in model(SEVERAL[repertoire]).network.laws]
    [talin] = [law for law in laws if "TLN1" in law]
    pairs = [name.replace(":", "_") for name in SEVERAL[repertoire] if not name.endswith("ITGB4")]
    held = {f"{pair}_{state}" for pair in pairs for state in ("high", "bound", "clustered")}
    assert {"TLN1", "TLN1_active", "TLN1_fragment", "TLN1_tail"} <= talin
    assert {s for s in talin if s.startswith("ITGA")} <= held
    assert {s for s in held if s.startswith(("ITGA5", "ITGA2B"))} <= talin
