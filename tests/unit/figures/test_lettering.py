"""Text in figures: nothing lost, nothing wider than its place."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haptos.figures.lettering import fit_labels, fold_text, p_text, text_width, wrap

words = st.text(st.sampled_from("ILKdoxyµ+×_/- 0123"), min_size=1, max_size=60)


@given(words, st.floats(0.4, 3.0))
def test_wrapping_keeps_every_letter_and_the_width(text: str, width: float) -> None:
    lines = wrap(text, width, 6.5)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(text_width(line, 6.5) <= width for line in lines)


def test_a_number_stays_with_its_unit() -> None:
    lines = wrap("doxycycline 20 µM", 0.65, 6.5)
    assert [line.replace("\u00a0", " ") for line in lines] == ["doxycycline", "20 µM"]


def test_short_labels_stand_level_and_long_ones_turn() -> None:
    assert not fit_labels(("vector", "ILK"), 0.8).turned
    turned = fit_labels(("vector", "overexpressing_line_number_2"), 0.5)
    assert turned.turned
    assert turned.height > fit_labels(("vector", "ILK"), 0.8).height


@given(st.lists(st.text("ILK+ x5", min_size=1, max_size=70), min_size=2, max_size=10), st.floats(0.25, 0.9))
def test_turned_labels_do_not_touch_their_neighbours(labels: list[str], slot: float) -> None:
    laid = fit_labels(tuple(labels), slot)
    if laid.turned and all(text_width(label, 6.5) < 2.7 for label in labels):
        lines = max(text.count("\n") + 1 for text in laid.texts)
        assert lines * 6.5 * 1.1 / 72 <= max(slot * math.sin(math.radians(40)), 6.5 * 1.1 / 72) * 1.05


@pytest.mark.parametrize("count", [2, 5, 10])
def test_level_labels_fit_their_slots(count: int) -> None:
    slot = 4.0 / count
    labels = fit_labels(tuple(f"ILK arm {i}" for i in range(count)), slot)
    for text in labels.texts:
        for line in text.split("\n"):
            assert labels.turned or text_width(line, 6.5) <= slot


@pytest.mark.parametrize(
    ("p", "text"), [(0.00099, "p < 0.001"), (0.001, "p = 0.001"), (0.0996, "p = 0.10"), (1.0, "p > 0.99")]
)
def test_p_values(p: float, text: str) -> None:
    assert p_text(p) == text


def test_a_missing_p_value_says_so() -> None:
    assert p_text(float("nan")) == "no p"
    assert fold_text(float("inf")) == "–"
