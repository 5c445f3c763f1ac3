"""Many claims at a glance."""

from __future__ import annotations

from itertools import pairwise

import pytest
from matplotlib.patches import Rectangle

from haptos.errors import ParameterError
from haptos.figures import BoardRow, ReportData, overview_figure, report_html
from haptos.figures.overview import VERDICT_ORDER, by_system
from haptos.figures.style import DOUBLE_COLUMN


def rows(count: int = 40) -> list[BoardRow]:
    return [
        BoardRow(f"OTHERPROLIF-{i:02}", "s", "increase", VERDICT_ORDER[i % 6], system=f"S{1 + i % 12}")
        for i in range(count)
    ]


def test_every_claim_has_a_cell_with_its_name() -> None:
    figure = overview_figure(rows(), title="All")
    assert len([a for a in figure.artists if isinstance(a, Rectangle)]) == 40
    words = {text.get_text() for text in figure.texts}
    assert {row.claim for row in rows()} <= words
    assert {f"S{i}" for i in range(1, 13)} <= words
    assert figure.get_figwidth() == DOUBLE_COLUMN


def test_cells_stay_on_the_sheet_and_do_not_overlap() -> None:
    figure = overview_figure(rows(451), names={"S1": "ILK to MMP-9"})
    boxes = [a.get_bbox().extents for a in figure.artists if isinstance(a, Rectangle)]
    assert len(boxes) == 451
    assert all(0 < x0 < x1 < 1 and 0 < y0 < y1 < 1 for x0, y0, x1, y1 in boxes)
    seen = sorted((round(y0, 6), round(x0, 6), round(x1, 6)) for x0, y0, x1, _ in boxes)
    assert all(b[0] > a[0] or b[1] >= a[2] for a, b in pairwise(seen))


def test_verdicts_are_told_without_colour() -> None:
    words = [text.get_text() for text in overview_figure(rows(6)).texts]
    assert "✗" in words
    assert "?" in words
    assert any(word.startswith("✗ contradicted") for word in words)


def test_systems_are_in_their_order() -> None:
    assert list(by_system(rows()))[:3] == ["S1", "S2", "S3"]
    assert list(by_system(rows()))[-1] == "S12"


def test_nothing_cannot_be_drawn() -> None:
    with pytest.raises(ParameterError):
        overview_figure([])


def test_the_table_of_the_report_can_be_filtered() -> None:
    page = report_html(ReportData("t", board=tuple(rows())))
    assert page.count('data-verdict="supported"') == 7
    assert 'data-system="S12"' in page
    assert page.index("OTHERPROLIF-12") < page.index("OTHERPROLIF-01")  # both of S1 before S2
