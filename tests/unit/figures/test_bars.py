"""Brackets do not touch, and what is drawn is what was measured."""

from __future__ import annotations

from itertools import combinations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from haptos.figures import Published, as_svg, experiment_figure
from haptos.figures.bars import bracket_levels
from haptos.figures.data import Bracket
from unit.figures.samples import comparison, members, table

ARMS = tuple("abcdefgh")
pairs = st.lists(st.sampled_from(list(combinations(ARMS, 2))), min_size=1, max_size=12, unique=True)


@given(pairs)
def test_brackets_on_one_level_do_not_overlap(chosen: list[tuple[str, str]]) -> None:
    levels = bracket_levels([Bracket(test, against, 0.1) for test, against in chosen], ARMS)
    for (one, i), (two, j) in combinations(zip(chosen, levels, strict=True), 2):
        if i == j:
            left, right = sorted([sorted(map(ARMS.index, one)), sorted(map(ARMS.index, two))])
            assert left[1] <= right[0]


def test_bar_heights_are_the_geometric_means() -> None:
    figure = experiment_figure("t", "blot", table({"vector": [1.0, 4.0], "ILK": [8.0, 8.0]}))
    heights = [patch.get_height() for patch in figure.axes[0].patches]
    assert heights == pytest.approx([1.0, 4.0])


def test_every_repeat_is_a_point() -> None:
    figure = experiment_figure("t", "blot", table({"vector": [1.0, 1.2, 0.9], "ILK": [3.0, 4.0, 5.0]}))
    points = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert [len(line.get_ydata()) for line in points] == [3, 3]


def test_p_values_are_printed_once_per_comparison() -> None:
    figure = experiment_figure(
        "t", "blot", table({"vector": [1.0, 1.2], "ILK": [3.0, 4.0]}), None, comparison("ILK", "vector", 0.0421)
    )
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts.count("p = 0.042") == 1


def test_many_comparisons_with_one_reference_stand_above_their_bars() -> None:
    values = {f"arm {i}": [1.0 + i, 1.2 + i] for i in range(7)}
    tests = pd.concat([comparison(f"arm {i}", "arm 0", 0.01 * i) for i in range(1, 7)])
    figure = experiment_figure("t", "blot", table(values), None, tests)
    assert sum(text.get_text().startswith("p ") for text in figure.axes[0].texts) == 6


def test_a_model_range_beyond_the_axis_says_how_far_it_reaches() -> None:
    wide = members({"vector": [1.0] * 3, "ILK": [2.0, 3.0, 500.0]})
    figure = experiment_figure("t", "blot", table({"vector": [1.0, 1.1], "ILK": [3.0, 3.2]}), ensemble=wide)
    assert any(text.get_text() == "to 450" for text in figure.axes[0].texts)


def test_equal_published_outcomes_are_drawn_once_and_different_ones_side_by_side() -> None:
    outcomes = [("increase", True), ("increase", True), ("no_change", False)]
    published = [Published("ILK", "vector", "level", "MMP9", d, f"X {i}", a) for i, (d, a) in enumerate(outcomes)]
    figure = experiment_figure("t", "blot", table({"vector": [1.0, 1.1], "ILK": [3.0, 3.2]}), published=published)
    texts = [text for text in figure.axes[0].texts if text.get_text() in {"↑", "="}]
    assert sorted(text.get_text() for text in texts) == ["=", "↑"]
    assert texts[0].get_position()[0] < texts[1].get_position()[0] - 0.02


def test_letters_the_font_lacks_are_no_warning() -> None:
    as_svg(experiment_figure("細胞 🧫", "blot", table({"対照": [1.0, 1.1], "ILK": [3.0, 3.2]})))


def test_decades_between_arms_need_a_logarithmic_axis_without_bars() -> None:
    figure = experiment_figure("t", "PCR", table({"vector": [1.0, 1.1], "ILK": [100.0, 120.0]}, measure="mrna"))
    assert figure.axes[0].get_yscale() == "log"
    assert not figure.axes[0].patches
