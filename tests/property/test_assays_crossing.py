"""What must hold for crossing whatever the numbers."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from haptos.motility.barriers import coated_filter, uncoated_filter
from haptos.motility.crossing import Drives, cross
from haptos.motility.parameters import crossing_parameters

P = crossing_parameters()
TIMES = np.linspace(0.0, 1440.0, 13)
share = st.floats(0.0, 1.0)
course = st.lists(share, min_size=13, max_size=13).map(np.array)
numbers = st.fixed_dictionaries(
    {
        "protrusion": course,
        "contraction": course,
        "proteolysis": course.map(lambda c: 20.0 * c),
        "nucleus": st.floats(30.0, 200.0),
        "pore": st.floats(3.0, 14.0),
        "density": st.floats(1e5, 4e6),
        "thickness": st.floats(1.0, 60.0),
        "coated": st.booleans(),
    }
)


def crossed(n):
    barrier = uncoated_filter(n["pore"], 1e-3, 10.0, P)
    if n["coated"]:
        barrier = coated_filter(barrier, "matrigel", n["density"], n["thickness"], P)
    rows = [n[name][None] for name in ("protrusion", "contraction", "proteolysis")]
    result = cross(Drives(TIMES, *rows, np.array([n["nucleus"]])), barrier, P)
    assert result.positions.max() <= barrier.length
    return result


@given(numbers)
def test_cells_are_conserved_and_never_return(n):
    result = crossed(n)
    assert np.all((result.crossed >= 0) & (result.crossed <= 1))
    assert np.all(np.diff(result.crossed, axis=1) >= 0)
    assert np.all(np.diff(result.positions, axis=1) >= 0)
    assert np.all(np.diff(result.positions, axis=2) >= -1e-6), "a slower cell overtook a faster one"
    assert result.crossed[0, 0] == 0


@given(numbers, share, st.sampled_from(["protrusion", "contraction", "proteolysis"]))
def test_more_drive_or_proteolysis_never_hinders(n, more, name):
    top = 20.0 if name == "proteolysis" else 1.0
    raised = {**n, name: n[name] + more * (top - n[name])}
    assert np.all(crossed(raised).crossed >= crossed(n).crossed - 2e-3)


@given(numbers, st.floats(1.0, 3.0), st.sampled_from(["nucleus", "density", "thickness"]))
def test_harder_barriers_never_help(n, factor, name):
    harder = {**n, name: n[name] * factor}
    assert np.all(crossed(harder).crossed <= crossed(n).crossed + 2e-3)


@given(numbers, st.floats(1.0, 2.0))
def test_wider_pores_never_hinder(n, factor):
    wider = {**n, "pore": n["pore"] * factor}
    assert np.all(crossed(wider).crossed >= crossed(n).crossed - 2e-3)
