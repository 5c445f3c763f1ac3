"""Specifications: all problems at once, located, with a suggestion."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import pytest
from pydantic import ValidationError

from haptos.core.hashing import canonical_json, content_hash
from haptos.core.identifiers import expand, is_gene_symbol
from haptos.core.located import parse_yaml
from haptos.core.settings import Settings
from haptos.core.specs import Catalogue, Dose, Fraction, KnownName, Spec, Time, read_spec
from haptos.errors import SpecError, nearest


class Little(Spec):
    name: Annotated[str, KnownName("thing")]
    duration: Time
    dose: Dose = "5 µM"
    share: Fraction = 0.5


CATALOGUE = Catalogue({"thing": ("doxycycline", "BAY-11-7082")}, where={"thing": "haptos compounds"})


def problems(text):
    with pytest.raises(SpecError) as caught:
        read_spec(Little, parse_yaml(text, name="f.yaml"), catalogue=CATALOGUE)
    return [str(i) for i in caught.value.issues]


def test_reads_a_good_file():
    spec = read_spec(Little, parse_yaml("name: doxycycline\nduration: 2 h\ndose: 3 ng/mL\n"), catalogue=CATALOGUE)
    assert (spec.duration.value, spec.dose.dimension) == (120.0, "mass concentration")


def test_every_problem_is_reported_in_the_order_of_lines():
    found = problems("name: doxycyclin\nduration: 3\nshare: 120 %\ndos: 5 µM\n")
    assert [f.split(":")[1].split(" ")[0] for f in found] == ["1", "2", "3", "4"]
    assert "did you mean 'doxycycline'?" in found[0]
    assert "has no unit" in found[1]
    assert "above 1" in found[2]
    assert "did you mean 'dose'?" in found[3]


def test_missing_key_and_negative_amount():
    found = "\n".join(problems("name: doxycycline\ndose: -1 µM\n"))
    assert "'duration' is missing" in found
    assert "-1 µM is negative" in found


def test_a_file_without_keys():
    assert "holds no 'key: value' lines" in problems("- 1\n")[0]


def test_a_far_name_points_to_the_list():
    assert "haptos compounds" in problems("name: xyzzy\nduration: 1 h\n")[0]


def test_frozen_and_hashable_by_content():
    one = Little(name="a", duration="2 h")
    two = Little(name="a", duration="120 min")
    assert content_hash(one.canonical()) == content_hash(two.canonical())
    assert one.with_changes(duration="1 h").duration.value == 60.0
    with pytest.raises(ValueError, match="frozen"):
        one.name = "b"
    with pytest.raises(ValueError, match="Out of range"):
        canonical_json({"x": float("nan")})


def test_identifiers():
    assert expand("hgnc.symbol:ILK") == "http://identifiers.org/hgnc.symbol/ILK"
    with pytest.raises(ValueError, match="unknown prefix"):
        expand("nope:1")
    assert [is_gene_symbol(x) for x in ("ILK", "C1orf43", "p65", "ITGA5:ITGB1")] == [True, True, False, False]


def test_nearest_ignores_case_and_signs():
    assert nearest("bay 11 7082", ["doxycycline", "BAY-11-7082"]) == ["BAY-11-7082"]
    assert nearest("zzz", ["doxycycline"]) == []


def test_settings_from_the_environment():
    assert Settings.load({"HAPTOS_RUNS": "x", "HAPTOS_WORKERS": "3"}).workers == 3
    assert str(Settings.load({}).runs) == "haptos-runs"
    with pytest.raises(ValueError, match="HAPTOS_WORKERS"):
        Settings.load({"HAPTOS_WORKERS": "many"})


def test_other_names_and_spellings_are_understood_where_they_may_be_used() -> None:
    class Dish(Spec):
        drug: Annotated[str, KnownName("compound")]

    known = Catalogue(
        names={"compound": ("plerixafor", "BAY-11-7082")}, aliases={"compound": {"AMD3100": "plerixafor"}}
    )
    free = replace(known, free=True)
    assert Dish.model_validate({"drug": "amd-3100"}, context=free).drug == "plerixafor"
    assert Dish.model_validate({"drug": "BAY 11-7082"}, context=free).drug == "BAY-11-7082"
    for written, catalogue in (("AMD3100", known), ("BAY 11-7082", known), ("AMD31000", free)):
        with pytest.raises(ValidationError, match="unknown compound"):
            Dish.model_validate({"drug": written}, context=catalogue)


def test_a_spelling_of_two_names_means_neither() -> None:
    known = Catalogue(names={"target": ("A-B", "AB", "C")}, aliases={"target": {"gamma": "C", "γ": "A-B", "g": "C"}})
    assert known.meant("target", "a b") is None
    assert known.meant("target", "γ") is None
    assert known.meant("target", "Gamma") == "C"
