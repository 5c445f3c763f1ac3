"""Interventions become changes of the model, or a stated refusal."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from haptos.conditions.experiment import Culture
from haptos.conditions.interventions import AnyIntervention
from haptos.signalling.actions import Change, Refusal, changes_of, surroundings_of

READ = TypeAdapter(AnyIntervention)
OFFERED = {
    "expression__ILK",
    "transgene__NFKBIA",
    "expression__NFKBIA",
    "endogenous__NFKBIA",
    "silencing__RELA",
    "expression__AKT1",
    "activity_factor__PI3K",
    "forced__AKT1",
    "BAY_11_7082",
    "TNF",
    "anti_MMP9",
    "ligation",
    "growth_factor",
    "kb_site__MMP9",
}


def changes(**entry):
    return changes_of(READ.validate_python(entry), OFFERED)


def test_overexpression_prefers_a_transgene():
    assert changes(overexpress="ILK", fold=4) == [Change("multiply", "expression__ILK", 4.0)]
    assert changes(overexpress="NFKBIA", fold=4) == [Change("set", "transgene__NFKBIA", 3.0)]


def test_knockdown_acts_on_mrna_where_it_is_modelled():
    found = changes(knockdown="RELA", remaining="20 %", at="-48 h")
    assert found == [Change("set", "silencing__RELA", 4.0, -2880.0)]
    assert changes(knockdown="AKT1", remaining="20 %") == [Change("multiply", "expression__AKT1", 0.2)]


def test_knockout_removes_endogenous_copies_too():
    assert {c.name for c in changes(knockout="NFKBIA")} == {"expression__NFKBIA", "endogenous__NFKBIA"}


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


def test_surroundings():
    assert changes(detach="cells") == [Change("set", "ligation", 0.0, 0.0)]
    assert changes(withdraw="serum") == [Change("set", "growth_factor", 0.0, 0.0)]
    assert surroundings_of(Culture(coating="FN1", serum="5 %")) == {"growth_factor": 0.5, "ligation": 1.0}
    assert surroundings_of(Culture(coating="FN1", geometry="suspension"))["ligation"] == 0.0
    assert changes(mutate="MMP9_promoter_kB_site") == [Change("set", "kb_site__MMP9", 0.0)]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"overexpress": "CXCR4"}, "no transgene__CXCR4 or expression__CXCR4"),
        ({"treat": "taxol"}, "compound 'taxol' is not in the library"),
        ({"neutralise": "ITGB1"}, "no neutralising antibody against 'ITGB1'"),
        ({"add": "CXCL12", "gradient": True}, "ligand 'CXCL12' is not in the library"),
        ({"embed_in": "collagen"}, "not built yet"),
        ({"express_mutant": "PTK2", "variant": "Y397F"}, "not built yet"),
        ({"activate": "SRC", "variant": "v-Src"}, "variant 'v-Src' of SRC"),
        ({"withdraw": "zinc"}, "holds none"),
        ({"mutate": "CXCR4_promoter"}, "is not in the modules"),
        ({"block": "integrin_clustering"}, "not built yet"),
    ],
)
def test_what_cannot_be_expressed_is_said(entry, reason):
    found = changes(**entry)
    assert isinstance(found, Refusal)
    assert reason in found.reason
