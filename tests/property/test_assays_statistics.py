"""What must hold for statistics whatever the numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haptos.assays.log_tests import holm
from haptos.assays.statistics import compare
from haptos.conditions.experiment import Comparison

positive = st.floats(0.01, 100.0)
arm = st.lists(positive, min_size=3, max_size=3)


def table(a, b, scale=1.0):
    rows = [
        (name, i, 0, "level", "ILK", scale * v, "a.u.") for name, vs in (("a", a), ("b", b)) for i, v in enumerate(vs)
    ]
    return pd.DataFrame(rows, columns=["arm", "replicate", "technical", "measure", "of", "value", "unit"])


def row(data, test="b", against="a"):
    return compare(data, [Comparison(test=test, against=against)]).iloc[0]


@given(arm, arm, st.floats(0.01, 100.0))
def test_units_do_not_matter_and_arms_can_be_exchanged(a, b, scale):
    one, other, turned = row(table(a, b)), row(table(a, b, scale)), row(table(a, b), "a", "b")
    assert other["ratio"] == pytest.approx(one["ratio"])
    assert turned["ratio"] == pytest.approx(1 / one["ratio"])
    if np.isfinite(one["p"]) and one["p"] > 1e-9:
        assert other["p"] == pytest.approx(one["p"], rel=1e-6)
        assert turned["p"] == pytest.approx(one["p"])
        assert one["low"] <= one["ratio"] <= one["high"]
        assert (one["p"] < 0.05) == (not one["low"] <= 1.0 <= one["high"])


@given(arm, arm, st.permutations(range(6)))
def test_order_of_rows_does_not_matter(a, b, order):
    data = table(a, b)
    assert row(data.iloc[list(order)])["ratio"] == pytest.approx(row(data)["ratio"])


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12))
def test_holm_only_raises_and_keeps_order(p):
    raw = np.array(p)
    adjusted = holm(raw)
    assert np.all(adjusted >= raw)
    assert np.all(adjusted <= np.minimum(1.0, raw.size * raw) + 1e-15)
    assert np.all(np.diff(adjusted[np.argsort(raw, kind="stable")]) >= 0)
