"""Quantities at the boundary."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haptos.core.units import DIMENSIONS, Quantity, parse_quantity
from haptos.errors import UnitError


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("24 h", "time", 1440.0),
        ("-72 h", "time", -4320.0),
        ("20 µM", "concentration", 20_000.0),
        ("20 μM", "concentration", 20_000.0),
        ("2 mg/mL", "mass concentration", 2e6),
        ("1e6 cells/mL", "cell density", 1e-6),
        ("1000 molecules/µm²", "surface density", 1000.0),
        ("0.33 cm²", "area", 3.3e7),
        ("100 µg/cm²", "surface mass", 1e5),
        ("80 %", "fraction", 0.8),
        (0.8, "fraction", 0.8),
        ("2e-4 / s", "rate", 0.012),
        ("0.5 / nM / min", "association rate", 0.5),
        ("1e4 / M / s", "association rate", 6e-4),
        ("2 nN", "force", 2000.0),
    ],
)
def test_reads_and_converts(text, dimension, value):
    assert parse_quantity(text, dimension).value == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("raw", "dimension", "message"),
    [
        (24, "time", "has no unit"),
        ("24", "time", "has no unit"),
        ("20 µM", "time", "is not a time"),
        ("20 furlongs", "mass concentration", "is not a mass concentration"),
        ("20 zorkmids", "time", "cannot read"),
        ("", "time", "cannot read"),
        ("(1", "time", "cannot read"),
        ("nan h", "time", "cannot read|not a finite"),
        ("1e400 h", "time", "not a finite"),
        (True, "fraction", "is not a fraction"),
        ([1], "time", "is not a time"),
        (None, "time", "is not a time"),
    ],
)
def test_refuses_and_names_an_example(raw, dimension, message):
    with pytest.raises(UnitError, match=message) as caught:
        parse_quantity(raw, dimension)
    if "not a finite" not in str(caught.value):
        assert any(e in str(caught.value) for e in DIMENSIONS[dimension].examples)


def test_a_molar_mass_turns_mass_into_molar():
    assert parse_quantity("10 ng/mL", "concentration", molar_mass=51_000).value == pytest.approx(10 / 51)
    with pytest.raises(UnitError):
        parse_quantity("10 ng/mL", "concentration")


@given(st.floats(-1e12, 1e12), st.sampled_from(sorted(DIMENSIONS)))
def test_exact_text_reads_back_to_the_same_value(value, dimension):
    quantity = Quantity(value, dimension)
    again = parse_quantity(quantity.exact(), dimension).value
    assert math.isclose(again, value, rel_tol=1e-14, abs_tol=1e-15)


def test_equal_however_written():
    assert parse_quantity("2 h", "time") == parse_quantity("120 min", "time")


@pytest.mark.parametrize("name", sorted(DIMENSIONS))
def test_every_example_reads(name):
    for example in DIMENSIONS[name].examples:
        assert parse_quantity(example, name).dimension == name
