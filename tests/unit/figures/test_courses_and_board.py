"""Time courses and the verdict board."""

from __future__ import annotations

import numpy as np
import pytest

from haptos.errors import ParameterError
from haptos.evidence.claims import Compared, Expectation
from haptos.figures import BoardRow, Mark, board_figure, time_course_figure
from haptos.figures.board import EXPECTATIONS


def test_the_peak_is_marked_where_it_is() -> None:
    times = np.linspace(0, 120, 121)
    figure = time_course_figure(times, {"p65": np.exp(-(((times - 30) / 12) ** 2))}, marks=[Mark("first peak", 25, 35)])
    assert "30 min" in [text.get_text() for text in figure.axes[0].texts]


def test_long_courses_are_shown_in_hours() -> None:
    times = np.linspace(0, 1440, 49)
    figure = time_course_figure(times, {"MMP9": times / 1440})
    assert figure.axes[0].get_xlim() == (0.0, 24.0)


@pytest.mark.parametrize(
    ("times", "series", "bands"),
    [
        ([0.0, 1.0], {}, {}),
        ([0.0, 0.0], {"a": [1.0, 2.0]}, {}),
        ([0.0, 1.0], {"a": [1.0]}, {}),
        ([0.0, 1.0], {"a": [1.0, 2.0]}, {"b": ([1.0, 1.0], [2.0, 2.0])}),
        ([0.0, 1.0], {"a": [1.0, 2.0]}, {"a": ([1.0], [2.0])}),
    ],
)
def test_shapes_that_do_not_fit_are_refused(times, series, bands) -> None:
    with pytest.raises(ParameterError):
        time_course_figure(times, series, bands)


def row(**changes: object) -> BoardRow:
    usual = {"claim": "X-01", "sentence": "ILK raises MMP9.", "expectation": "increase", "verdict": "supported"}
    return BoardRow(**{**usual, **changes})


def test_the_board_says_each_verdict_in_words() -> None:
    rows = [
        row(effect=2.0, low=1.5, high=3.0, fraction=0.97),
        row(verdict="not expressible", reason="room host is missing"),
    ]
    words = [text.get_text() for text in board_figure(rows).texts]
    assert {"supported", "not expressible", "room host is missing"} <= set(words)


def test_effects_beyond_the_axis_become_arrows() -> None:
    figure = board_figure([row(effect=0.0, low=0.0, high=0.5), row(effect=1e6, low=3.0, high=1e9)])
    markers = {line.get_marker() for line in figure.axes[0].lines}
    assert {"<", ">"} <= markers
    low, high = figure.axes[0].get_xlim()
    assert low > 0
    assert high < 1e4


def test_a_judged_claim_without_a_fold_is_not_called_unsimulated() -> None:
    words = [text.get_text() for text in board_figure([row(fraction=0.5), row()]).texts]
    assert words.count("not simulated") == 1
    assert words.count("no single fold") == 1


def test_every_expectation_has_a_sign_the_font_knows() -> None:
    from matplotlib.font_manager import findfont
    from matplotlib.ft2font import FT2Font

    known = FT2Font(findfont("DejaVu Sans")).get_charmap()
    assert [sign for sign, _ in EXPECTATIONS.values() if ord(sign) not in known] == []


def test_every_expectation_of_the_evidence_is_on_the_board() -> None:
    kinds = {c.model_fields["outcome"].default for c in Expectation.__subclasses__() + Compared.__subclasses__()
             if "outcome" in c.model_fields}  # fmt: skip
    assert kinds <= set(EXPECTATIONS)


def test_an_empty_board_is_refused() -> None:
    with pytest.raises(ParameterError):
        board_figure([])
