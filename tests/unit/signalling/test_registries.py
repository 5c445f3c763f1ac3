"""What static checks count."""

from __future__ import annotations

import pytest

from haptos.conditions.catalogue import load_catalogue, load_vocabulary
from haptos.signalling.agents import ligands
from haptos.signalling.building.modules import library_text, module_names
from haptos.signalling.registries import members_of, mmp_family, number_of, phosphotyrosines, registry_names


def test_every_registry_of_the_vocabulary_is_answered():
    assert set(registry_names()) == set(load_vocabulary().registries)
    assert members_of("nonsense") is None
    assert number_of("nonsense") is None


def test_numbers_count_members():
    assert number_of("integrin_subunits") == len(members_of("integrin_subunits"))
    assert number_of("nfkb_subunits", ["RELA", "ILK"]) == 1.0
    assert members_of("nfkb_subunits") == ("NFKB1", "RELA")


def test_a_share_is_of_the_whole_family():
    anchored = [p.id for p in mmp_family() if p.anchor != "none"]
    assert "MMP14" in anchored
    assert "MMP9" not in anchored
    assert number_of("soluble_mmp_share") == pytest.approx(1 - len(anchored) / len(mmp_family()))


def test_the_family_is_that_of_the_vocabulary():
    assert {p.id for p in mmp_family()} == set(load_vocabulary().entities["MMPs"].members)


def test_modelled_sites_are_states_of_the_module():
    text = library_text("fak_src.ant")
    assert {s.id: f"p{s.id}" in text for s in phosphotyrosines()} == {s.id: s.module for s in phosphotyrosines()}


def test_ligands_and_receptors_are_in_the_modules():
    text = "\n".join(library_text(f"{name}.ant") for name in module_names())
    pairs = [(x.species, r) for x in ligands().values() for r in x.receptors]
    assert len(pairs) > 8
    missing = [p for p in pairs if f"{p[0]} in medium" not in text or p[1].replace(":", "_") not in text]
    assert missing == []


def test_every_ligand_can_be_named() -> None:
    named = set(load_catalogue().names["ligand"])
    of_medium = {x.id for x in ligands().values() if x.species is not None}
    assert of_medium <= named
