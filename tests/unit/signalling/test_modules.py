"""Modules: reading, annotations, and what the library's own modules must have."""

from __future__ import annotations

from functools import cache

import pytest

from haptos.errors import ModelError
from haptos.evidence.library import load_library
from haptos.signalling.building.instances import TEMPLATE, integrin_module
from haptos.signalling.building.integrins import heterodimers
from haptos.signalling.building.modules import MODULES, ON_DEMAND, load_module, module_names, parse_module
from haptos.signalling.building.references import address_of, known_keys

GOOD = """// a module
model little
  species A in cytoplasm, B in cytoplasm;
  turn: A => B; cytoplasm * k * A;
  //@ sbo=176 by=hoffmann2002 claims=ZHAO-15,ZHAO-16
  level__A := A + B;
end
"""


def test_reads_annotations_and_rules():
    module = parse_module(GOOD, where="little.ant")
    assert module.name == "little"
    assert module.annotations["turn"].sbo == 176
    assert module.annotations["turn"].claims == ("ZHAO-15", "ZHAO-16")
    assert module.rules == ("level__A",)
    assert "//@" not in module.body


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("species A;", "no 'model NAME' line"),
        ("model m\n A => B;\n", "no 'end' line"),
        ("model m\n//@ sbo=1\nend", "before the first reaction"),
        (GOOD.replace("sbo=176", "sbo=x"), "little.ant:5: write"),
        (GOOD.replace("claims=", "claim="), "little.ant:5: write"),
    ],
)
def test_malformed_modules_are_located(text, message):
    with pytest.raises(ModelError, match=message):
        parse_module(text, where="little.ant")


def test_unknown_module_names_the_nearest():
    with pytest.raises(ModelError, match="nfkb"):
        load_module("nfkbb")


def test_every_module_of_the_library_is_composed():
    assert {*MODULES, *ON_DEMAND} == {*module_names(), TEMPLATE}
    assert len({*MODULES, *ON_DEMAND}) == len(MODULES) + len(ON_DEMAND)


@cache
def claim_ids():
    return {claim.id for claim in load_library().claims()}


def annotations(name):
    module = integrin_module(frozenset(heterodimers())) if name == TEMPLATE else load_module(name)
    return module.annotations


def unknown(name, sources, claims):
    """Return the sources and claims of a module's reactions that nobody knows."""
    return [
        (reaction, key)
        for reaction, annotation in annotations(name).items()
        for key in (set(annotation.sources) - set(sources)) | (set(annotation.claims) - set(claims))
    ]


@pytest.mark.parametrize("name", [*MODULES, *ON_DEMAND])
def test_every_source_and_claim_of_a_module_is_known(name):
    assert annotations(name)
    assert unknown(name, known_keys(), claim_ids()) == []


def test_the_check_for_sources_and_claims_can_fail():
    assert {name for name in MODULES if unknown(name, (), claim_ids())} == set(MODULES)
    assert {name for name in MODULES if unknown(name, known_keys(), ())} == set(MODULES)


def test_addresses():
    assert address_of("hoffmann2002") == "https://doi.org/10.1126/science.1071914"
    assert address_of("review2002") is None
    with pytest.raises(ModelError, match="hoffmann2002"):
        address_of("hoffman2002")
