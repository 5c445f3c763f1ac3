"""Verdicts: every kind of expectation, met and not met, on readings made by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from haptos.evidence.claims import AnyExpectation, Count
from haptos.evidence.judge import MEASURES, Reading, judge, member_finding, verdict_of, widest_margin, widest_room

READ = TypeAdapter(AnyExpectation)
FOLD = 1.3


def reading(*values):
    """Return an endpoint reading of one entity per value."""
    return Reading(np.array([1440.0]), np.array(values, dtype=float)[:, None])


def course(*values):
    return Reading(np.linspace(0.0, 600.0, len(values)), np.array([values], dtype=float))


def finding(expect, **arms):
    return member_finding(READ.validate_python(expect), arms, smallest_fold=FOLD)


UP = {"outcome": "increase", "test": ["t"], "reference": "r"}
DOWN = {"outcome": "decrease", "test": ["t"], "reference": "r"}
SAME = {"outcome": "no_change", "test": ["t"], "reference": "r"}
GONE = {"outcome": "abolished", "test": ["t"], "reference": "r", "control": "c"}
BACK = {"outcome": "restored", "test": ["t"], "reference": "r", "control": "c"}


@pytest.mark.parametrize(
    ("expect", "arms", "holds", "effect"),
    [
        (UP, {"t": reading(2.0), "r": reading(1.0)}, True, 2.0),
        (UP, {"t": reading(1.2), "r": reading(1.0)}, False, 1.2),
        (UP, {"t": reading(2.0, 1.0), "r": reading(1.0, 1.0)}, False, 1.0),
        ({**UP, "at_least": 3}, {"t": reading(2.0), "r": reading(1.0)}, False, 2.0),
        (DOWN, {"t": reading(0.5), "r": reading(1.0)}, True, 0.5),
        (DOWN, {"t": reading(0.9), "r": reading(1.0)}, False, 0.9),
        (SAME, {"t": reading(1.2), "r": reading(1.0)}, True, 1.2),
        (SAME, {"t": reading(0.7), "r": reading(1.0)}, False, 0.7),
        (SAME, {"t": reading(0.0), "r": reading(0.0)}, True, 1.0),
        (GONE, {"c": reading(1.0), "r": reading(3.0), "t": reading(1.5)}, True, 0.25),
        (GONE, {"c": reading(1.0), "r": reading(3.0), "t": reading(2.0)}, False, 0.5),
        (GONE, {"c": reading(1.0), "r": reading(3.0), "t": reading(0.5)}, True, -0.25),
        (GONE, {"c": reading(1.0), "r": reading(1.1), "t": reading(1.0)}, False, 0.0),
        ({k: v for k, v in GONE.items() if k != "control"}, {"r": reading(4.0), "t": reading(1.0)}, True, 0.25),
        (BACK, {"c": reading(4.0), "r": reading(1.0), "t": reading(3.7)}, True, 0.9),
        (BACK, {"c": reading(4.0), "r": reading(1.0), "t": reading(2.0)}, False, 1 / 3),
        (BACK, {"c": reading(1.1), "r": reading(1.0), "t": reading(1.1)}, False, 1.0),
    ],
)
def test_endpoint_expectations(expect, arms, holds, effect):
    found = finding(expect, **arms)
    assert found.holds is holds
    assert found.effect == pytest.approx(effect)


def test_each_arm_may_have_its_own_reference_and_control():
    expect = {"outcome": "abolished", "test": ["t1", "t2"], "references": ["r1", "r2"], "controls": ["c1", "c2"]}
    arms = {
        "c1": reading(1),
        "r1": reading(3),
        "t1": reading(1),
        "c2": reading(10),
        "r2": reading(20),
        "t2": reading(18),
    }
    assert not finding(expect, **arms).holds
    assert finding(expect, **{**arms, "t2": reading(11)}).holds


@pytest.mark.parametrize(
    ("expect", "values", "holds"),
    [
        ({"outcome": "transient", "back_by": "5 h"}, (1, 4, 2, 1.2, 1, 1), True),
        ({"outcome": "transient", "back_by": "5 h"}, (1, 4, 4, 4, 4, 4), False),
        ({"outcome": "transient", "back_by": "5 h"}, (1, 1.1, 1, 1, 1, 1), False),
        ({"outcome": "sustained", "until": "8 h"}, (1, 4, 4, 4, 4, 4), True),
        ({"outcome": "sustained", "until": "8 h"}, (1, 4, 2, 1.2, 1, 1), False),
        ({"outcome": "transient", "back_by": "5 h", "change": "fall"}, (1, 0.2, 0.5, 0.9, 1, 1), True),
        ({"outcome": "transient", "back_by": "5 h", "change": "fall"}, (1, 0.2, 0.2, 0.2, 0.2, 0.2), False),
        ({"outcome": "transient", "back_by": "5 h", "change": "fall"}, (1, 4, 2, 1.2, 1, 1), False),
        ({"outcome": "transient", "back_by": "5 h", "change": "fall"}, (1, 0.9, 1, 1, 1, 1), False),
        ({"outcome": "transient", "back_by": "5 h", "change": "fall"}, (1, 0, 0.5, 0.9, 1, 1), True),
        ({"outcome": "sustained", "until": "8 h", "change": "fall"}, (1, 0.2, 0.2, 0.2, 0.2, 0.2), True),
    ],
)
def test_time_courses(expect, values, holds):
    found = finding({**expect, "test": ["t"], "reference": "r"}, t=course(*values), r=course(1, 1, 1, 1, 1, 1))
    assert found.holds is holds


@pytest.mark.parametrize(
    ("series", "holds"), [((1, 2, 4, 2, 1), True), ((1, 2, 3, 4, 5), False), ((5, 4, 3, 2, 1), False), ((1, 1), False)]
)
def test_biphasic_needs_an_inner_maximum(series, holds):
    arms = {f"a{i}": reading(v) for i, v in enumerate(series)}
    assert finding({"outcome": "biphasic", "test": list(arms)}, **arms).holds is holds


@pytest.mark.parametrize(
    ("expect", "series", "holds"),
    [
        ({"outcome": "rising"}, (1, 2, 4), True),
        ({"outcome": "rising"}, (1, 4, 4), True),  # a plateau is no step back
        ({"outcome": "rising"}, (1, 6, 3), False),
        ({"outcome": "rising"}, (1, 1.01, 1.02), False),  # not seen
        ({"outcome": "rising", "each_step": True}, (1, 4, 4), False),
        ({"outcome": "rising", "each_step": True}, (1, 2, 4, 8), True),
        ({"outcome": "rising"}, (0, 2, 4), True),
        ({"outcome": "falling"}, (4, 2, 1), True),
        ({"outcome": "falling"}, (4, 2, 0), True),
        ({"outcome": "falling"}, (1, 2, 4), False),
        ({"outcome": "biphasic", "extreme": "minimum"}, (4, 1, 4), True),
        ({"outcome": "biphasic", "extreme": "minimum"}, (1, 4, 1), False),
    ],
)
def test_series_of_arms(expect, series, holds):
    arms = {f"a{i}": reading(v) for i, v in enumerate(series)}
    assert finding({**expect, "test": list(arms)}, **arms).holds is holds


def test_range_and_ratio_bounds_are_absolute():
    assert finding({"outcome": "range", "test": ["t"], "low": 0, "high": 1}, t=reading(1.0)).holds
    assert not finding({"outcome": "range", "test": ["t"], "low": 0, "low_excluded": True}, t=reading(0.0)).holds
    ratio = {"outcome": "ratio", "test": ["t"], "reference": "r", "low": 3, "high": 20}
    assert finding(ratio, t=reading(6.0), r=reading(2.0)).holds
    assert not finding(ratio, t=reading(5.0), r=reading(2.0)).holds


def test_synergy_exceeds_the_sum_of_the_parts():
    expect = {"outcome": "synergy", "test": ["both"], "parts": ["a", "b"], "control": "c"}
    parts = {"c": reading(1), "a": reading(2), "b": reading(3)}
    assert finding(expect, both=reading(6), **parts).holds
    assert not finding(expect, both=reading(4), **parts).holds


def test_a_synergy_that_no_assay_resolves_is_none():
    expect = {"outcome": "synergy", "test": ["both"], "parts": ["a", "b"], "control": "c"}
    found = finding(expect, c=reading(1), a=reading(1), b=reading(1.001), both=reading(1.1))
    assert not found.holds
    assert found.margin == pytest.approx(math.log(1.1 / FOLD))
    nothing = {"c": reading(0), "a": reading(0), "b": reading(0)}
    assert finding(expect, both=reading(1), **nothing).holds
    assert not finding(expect, both=reading(0), **nothing).holds


def test_varies_needs_different_signs_or_absence():
    expect = {"outcome": "varies", "test": ["a", "b"], "references": ["ra", "rb"]}
    refs = {"ra": reading(1), "rb": reading(1)}
    assert finding(expect, a=reading(2), b=reading(0.5), **refs).holds
    assert finding(expect, a=reading(2), b=reading(1), **refs).holds
    assert not finding(expect, a=reading(4), b=reading(2), **refs).holds


def test_a_failed_member_counts_against_the_claim():
    good = {"t": reading(2.0), "r": reading(1.0)}
    bad = {"t": reading(math.nan), "r": reading(1.0)}
    found = judge(READ.validate_python(UP), [good] * 8 + [bad] * 2, smallest_fold=FOLD)
    assert (found.verdict, found.fraction, found.n_failed) == ("undecided", 0.8, 2)
    assert (found.low, found.effect, found.high) == (2.0, 2.0, 2.0)


def test_no_member_is_an_error():
    with pytest.raises(ValueError, match="no ensemble member"):
        judge(READ.validate_python(UP), [], smallest_fold=FOLD)


@pytest.mark.parametrize(
    ("fraction", "verdict"),
    [(1, "supported"), (0.9, "supported"), (0.89, "undecided"), (0.1, "contradicted"), (0, "contradicted")],
)
def test_verdicts(fraction, verdict):
    assert verdict_of(fraction) == verdict


def test_static_counts_are_no_business_of_the_judge():
    with pytest.raises(TypeError, match="Count"):
        member_finding(Count(registry="mmps", low=1), {}, smallest_fold=FOLD)


def test_every_simulated_outcome_has_a_measure():
    from haptos.evidence import claims

    outcomes = {
        c.model_fields["outcome"].default
        for c in vars(claims).values()
        if isinstance(c, type) and "outcome" in getattr(c, "model_fields", {})
    }
    assert outcomes - {"count"} == set(MEASURES)


@given(st.floats(0.01, 100), st.floats(0.01, 100), st.floats(0.1, 10))
def test_units_do_not_matter(test, reference, unit):
    for expect in (UP, DOWN, SAME):
        plain = finding(expect, t=reading(test), r=reading(reference))
        scaled = finding(expect, t=reading(test * unit), r=reading(reference * unit))
        assert scaled.effect == pytest.approx(plain.effect)


@given(st.floats(0.01, 100), st.floats(0.01, 100))
def test_increase_decrease_and_no_change_exclude_each_other(test, reference):
    arms = {"t": reading(test), "r": reading(reference)}
    assert sum(finding(e, **arms).holds for e in (UP, DOWN, SAME)) == 1


@pytest.mark.parametrize(
    "expect",
    [
        SAME,
        {"outcome": "range", "test": ["t"], "low": 0.05, "high": 0.6},
        {"outcome": "range", "test": ["t"], "low": 0.0, "high": 0.6},
        {"outcome": "ratio", "test": ["t"], "reference": "r", "low": 2, "high": 5},
        {"outcome": "ratio", "test": ["t"], "reference": "r", "high": 0.5},
    ],
)
def test_the_widest_margin_is_the_best_of_all_values(expect):
    best = max(finding(expect, t=reading(value), r=reading(1.0)).margin for value in np.geomspace(1e-3, 1e2, 4001))
    assert widest_margin(READ.validate_python(expect), FOLD) == pytest.approx(best, abs=0.01)


def test_bounds_on_one_side_leave_all_the_room():
    assert widest_margin(READ.validate_python(UP), FOLD) == math.inf
    assert widest_margin(READ.validate_python({"outcome": "range", "test": ["t"], "high": 0.1}), FOLD) == math.inf
    assert widest_room(-math.inf, 3.0) == math.inf
    assert widest_room(-3.0, -1.0) == 1.0
