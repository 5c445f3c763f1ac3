"""The margin of a finding agrees in sign with whether the expectation holds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from haptos.evidence.claims import AnyExpectation
from haptos.evidence.judge import Reading, member_finding

_TIMES = np.array([0.0, 30.0, 60.0, 300.0])
_PLAIN = {"test": ["test"], "reference": "reference"}
_EXPECTATIONS = [
    {"outcome": "increase", **_PLAIN},
    {"outcome": "increase", **_PLAIN, "at_least": 2},
    {"outcome": "decrease", **_PLAIN},
    {"outcome": "no_change", **_PLAIN},
    {"outcome": "abolished", **_PLAIN, "control": "control"},
    {"outcome": "restored", **_PLAIN, "control": "control"},
    {"outcome": "transient", **_PLAIN, "back_by": "1 h"},
    {"outcome": "sustained", **_PLAIN, "until": "5 h"},
    {"outcome": "biphasic", "test": ["control", "test", "reference"]},
    {"outcome": "biphasic", "test": ["control", "test", "reference"], "extreme": "minimum"},
    {"outcome": "rising", "test": ["control", "part", "reference", "test"]},
    {"outcome": "falling", "test": ["control", "part", "test"], "each_step": True},
    {"outcome": "range", "test": ["test"], "low": 0.5, "high": 2.0},
    {"outcome": "ratio", **_PLAIN, "low": 0.5, "high": 2.0},
    {"outcome": "synergy", "test": ["test"], "parts": ["reference", "part"], "control": "control"},
    {"outcome": "varies", "test": ["test", "part"], "references": ["reference", "control"]},
]
_LEVELS = st.floats(0.05, 20.0)
_COURSES = st.lists(_LEVELS, min_size=4, max_size=4)


@pytest.mark.parametrize("written", _EXPECTATIONS, ids=lambda e: f"{e['outcome']}-{len(e)}")
@given(courses=st.lists(_COURSES, min_size=4, max_size=4), fold=st.floats(1.05, 3.0))
def test_the_sign_of_the_margin_is_the_verdict(written, courses, fold):
    expectation = TypeAdapter(AnyExpectation).validate_python(written)
    names = ("control", "reference", "part", "test")
    arms = {name: Reading(_TIMES, np.array([course])) for name, course in zip(names, courses, strict=True)}
    found = member_finding(expectation, arms, smallest_fold=fold)
    if abs(found.margin) > 1e-9:
        assert found.holds == (found.margin > 0), (found, arms)
