"""From tidy tables to what is drawn."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from haptos.errors import SpecError
from haptos.figures.data import Published, panels_of
from unit.figures.samples import comparison, members, table


def test_arbitrary_units_become_folds_of_the_first_arm() -> None:
    (panel,) = panels_of(table({"vector": [2.0, 8.0], "ILK": [16.0, 16.0]}))
    assert panel.relative_to == "vector"
    assert panel.bars[0].points == pytest.approx((0.5, 2.0))
    assert [bar.mean for bar in panel.bars] == pytest.approx([1.0, 4.0])


def test_counts_keep_their_unit() -> None:
    (panel,) = panels_of(table({"vector": [10.0, 30.0], "ILK": [60.0, 60.0]}, unit="cells per field"))
    assert panel.relative_to == ""
    assert panel.unit == "cells per field"
    assert panel.bars[1].points == (60.0, 60.0)


def test_a_reference_of_zero_is_no_divisor() -> None:
    (panel,) = panels_of(table({"vector": [0.0, 0.0], "ILK": [1.0, 2.0]}))
    assert panel.bars[1].points[1] > 0
    assert all(math.isfinite(p) for bar in panel.bars for p in bar.points)


def test_folds_of_the_ensemble_are_formed_within_each_member() -> None:
    values = members({"vector": [1.0, 100.0], "ILK": [3.0, 300.0]})
    (panel,) = panels_of(table({"vector": [1.0, 1.0], "ILK": [3.0, 3.1]}), ensemble=values)
    assert panel.bars[1].model == pytest.approx((3.0, 3.0, 3.0))


def test_failed_members_are_left_out() -> None:
    values = members({"vector": [1.0, 1.0, math.nan], "ILK": [2.0, math.nan, 9.0]})
    (panel,) = panels_of(table({"vector": [1.0, 1.0], "ILK": [3.0, 3.1]}), ensemble=values)
    assert panel.bars[1].model == pytest.approx((2.0, 2.0, 2.0))


def test_quantiles_are_taken_as_given() -> None:
    given = pd.DataFrame([{"arm": "ILK", "measure": "level", "of": "MMP9", "low": 1.0, "median": 2.0, "high": 5.0}])
    (panel,) = panels_of(table({"vector": [1.0, 1.0], "ILK": [3.0, 3.1]}), ensemble=given)
    assert panel.bars[0].model is None
    assert panel.bars[1].model == (1.0, 2.0, 5.0)


def test_comparisons_and_publications_go_to_their_panel_only() -> None:
    both = pd.concat([table({"a": [1.0, 1.1], "b": [2.0, 2.1]}), table({"a": [1.0, 1.1], "b": [2.0, 2.1]}, of="ILK")])
    published = [Published("b", "a", "level", "ILK", "increase", "Zhao 2013")]
    first, second = panels_of(both, None, comparison("b", "a", 0.02), None, published)
    assert [b.p for b in first.brackets] == [0.02]
    assert second.brackets == ()
    assert (first.published, second.published) == ((), tuple(published))


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(SpecError):
        panels_of(table({"vector": [1.0, 2.0]}).iloc[:0])
