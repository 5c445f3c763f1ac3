"""The integrin library: complete, consistent, and a lint that can fail."""

from __future__ import annotations

import pytest

from haptos.signalling.building.integrins import (
    Heterodimer,
    Subunit,
    duplicate_profiles,
    heterodimers,
    integrin_parameters,
    problems_of,
    subunits,
    tail_binders,
)
from haptos.signalling.building.references import known_keys
from haptos.signalling.registries import members_of


def pair(name="ITGA5:ITGB1", ligands=("FN1",), confidence="assumed", KD="1 nM"):
    return Heterodimer.model_validate(
        {
            "id": name,
            "ligands": [{"id": x, "KD": KD, "spread": 0.5, "confidence": confidence} for x in ligands],
            "fold": {"value": 100, "spread": 0.5, "confidence": "assumed"},
            "links": {"FAK": 1},
        }
    )


def part(name):
    return Subunit(id=name, uniprot="P05556")


def test_the_library_holds_the_human_family():
    assert len(heterodimers()) == 24
    assert sum(s.startswith("ITGA") for s in subunits()) == 18
    assert sum(s.startswith("ITGB") for s in subunits()) == 8
    assert len({s.uniprot for s in subunits().values()}) == 26


def test_every_alpha_finds_a_beta_and_ligands_tell_them_apart():
    assert {h.alpha for h in heterodimers().values()} | {h.beta for h in heterodimers().values()} == set(subunits())
    assert duplicate_profiles(tuple(heterodimers().values())) == []


def test_numbers_become_parameters_with_their_source():
    table = integrin_parameters()
    known = table["KD_ITGA5_ITGB1_FN1"]
    assert (known.value, known.unit, known.records) == (1.5, "nM", ("a5b1-kd",))
    assert {p.source for p in table.values() if p.source} <= set(known_keys())
    assert all((f"fold_{h.name}" in table) == bool(h.ligands) for h in heterodimers().values())


def test_registries_count_the_library():
    counts = {name: len(members_of(name) or ()) for name in ("integrin_subunits", "heterodimers", "tail_binders")}
    assert counts == {"integrin_subunits": 26, "heterodimers": 24, "tail_binders": len(tail_binders())}
    assert members_of("duplicate_heterodimer_profiles") == ()


@pytest.mark.parametrize(
    ("parts", "pairs", "message"),
    [
        (["ITGA5"], [pair()], "ITGB1 is part of a heterodimer but not declared"),
        (["ITGA5", "ITGB1", "ITGB2"], [pair()], "ITGB2 is part of no heterodimer"),
        (["ITGA5", "ITGB1"], [pair(), pair()], "ITGA5:ITGB1 stands twice"),
        (["ITGA5", "ITGB1"], [pair(ligands=("FN1", "FN1"))], "ITGA5:ITGB1: FN1 stands twice"),
        (["ITGA5", "ITGB1"], [pair(ligands=())], "ITGA5:ITGB1: no ligand"),
        (["ITGA5", "ITGB1"], [pair(KD="0 nM")], "the KD of FN1 is not above 0"),
        (["ITGA5", "ITGB1"], [pair(confidence="measured")], "a measured number needs a source"),
        (["ITGA5", "ITGA4", "ITGB1"], [pair(), pair("ITGA4:ITGB1")], "have equal ligands and equal links"),
    ],
)
def test_the_lint_finds(parts, pairs, message):
    assert any(message in problem for problem in problems_of([part(p) for p in parts], pairs))
