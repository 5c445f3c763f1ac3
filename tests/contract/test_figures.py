"""Every kind of figure obeys one contract: fixed bytes, no lettering outside, no traces, no pyplot."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from haptos.errors import ParameterError, StoreError
from haptos.figures import BoardRow, Mark, Published, as_svg, board_figure, experiment_figure, save, time_course_figure
from unit.figures.samples import comparison, members, picture, table

LONG = "ILK_overexpression + doxycycline 20 µM + anti-MMP9 10 µg/mL"


def arms(count: int, *, long: bool = False) -> dict[str, list[float]]:
    labels = [f"{LONG} {i}" if long and i else f"arm {i}" for i in range(count)]
    return {label: [1.0 + i, 1.3 + i, 0.8 + i] for i, label in enumerate(labels)}


def experiment(count: int, *, long: bool = False, entities: tuple[str, ...] = ("MMP9",), blot: bool = False) -> Figure:
    values = arms(count, long=long)
    labels = tuple(values)
    tables = [table(values, of=of) for of in entities]
    tests = [comparison(test, labels[0], 0.01, of=of) for of in entities for test in labels[1:]]
    model = [members(values, of=of) for of in entities]
    published = [Published(labels[-1], labels[0], "level", entities[0], "increase", "Zhao 2013", agrees=True)]
    return experiment_figure(
        "What <b>$x^2$</b> does", "western blot", pd.concat(tables), None, pd.concat(tests),
        [picture(labels), picture(labels, dark_on_light=False)] if blot else [], pd.concat(model), published=published,
    )  # fmt: skip


def course() -> Figure:
    t = np.linspace(0, 300, 60)
    y = 1 + np.sin(t / 20)
    bands = {"a": (y * 0.8, y * 1.2)}
    marks = [Mark("peak", 20, 40, "X 2002")]
    return time_course_figure(t, {"a": y, "b": y / 2}, bands, marks=marks, title="Nuclear p65", value_label="p65 (nM)")


def board() -> Figure:
    text = "In A549 cells, siRNA against RELA abolishes the rise of MMP9 that ILK causes (western blot)."
    rows = [
        BoardRow(f"ZHAO-{i:02d}", text, kind, verdict, 0.5, 0.2, 1.1, 0.55, 1.3)
        for i, (kind, verdict) in enumerate(
            [("increase", "supported"), ("abolished", "contradicted"), ("varies", "vacuous")]
        )
    ]
    missing = BoardRow(
        "ZHAO-09", text, "increase", "not expressible", reason="the room 'host' is not built yet, so " * 3
    )
    return board_figure([*rows, missing], title="Zhao 2013")


FIGURES: dict[str, Callable[[], Figure]] = {
    "two arms": lambda: experiment(2),
    "three arms with blots": lambda: experiment(3, blot=True),
    "ten arms": lambda: experiment(10),
    "ten long arms": lambda: experiment(10, long=True),
    "six long arms, two entities, blots": lambda: experiment(6, long=True, entities=("MMP9", "RELA_pS536"), blot=True),
    "seven entities": lambda: experiment(3, entities=tuple(f"GENE{i}" for i in range(7))),
    "course": course,
    "board": board,
}


@pytest.fixture(params=list(FIGURES))
def make(request: pytest.FixtureRequest) -> Callable[[], Figure]:
    return FIGURES[request.param]


@cache
def drawn(name: str) -> Figure:
    """Return one figure that several tests look at but do not change."""
    return FIGURES[name]()


@pytest.fixture(params=list(FIGURES))
def figure(request: pytest.FixtureRequest) -> Figure:
    return drawn(request.param)


def texts_of(figure: Figure) -> list[tuple[str, object]]:
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    found = [
        text for text in figure.findobj(lambda a: hasattr(a, "get_text")) if text.get_visible() and text.get_text()
    ]
    return [(text.get_text(), text.get_window_extent(renderer)) for text in found]


def test_the_bytes_are_fixed_and_hold_no_date(make) -> None:
    first, second = as_svg(make()), as_svg(make())
    assert first == second
    assert b"<dc:date>" not in first
    assert b"<text" not in first


def test_all_lettering_lies_on_the_sheet(figure: Figure) -> None:
    width, height = figure.get_size_inches() * figure.dpi
    outside = [
        text
        for text, box in texts_of(figure)
        if box.x0 < -1 or box.y0 < -1 or box.x1 > width + 1 or box.y1 > height + 1
    ]
    assert outside == []


def undrawn(figure: Figure) -> set[int]:
    """Return the labels of ticks outside the view, which matplotlib keeps but does not draw."""
    labels = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            slack = 1e-9 * (high - low)
            for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks()):
                if not low - slack <= tick.get_loc() <= high + slack:
                    labels |= {id(tick.label1), id(tick.label2)}
    return labels


def test_level_lettering_does_not_overlap(figure: Figure) -> None:
    hidden = undrawn(figure)
    boxes = [(t.get_text(), t.get_window_extent()) for t in figure.findobj(lambda a: hasattr(a, "get_text"))
             if t.get_text().strip() and t.get_visible() and t.get_rotation() == 0 and id(t) not in hidden]  # fmt: skip
    hits = [
        (one, two)
        for i, (one, a) in enumerate(boxes)
        for two, b in boxes[i + 1 :]
        if min(a.x1, b.x1) - max(a.x0, b.x0) > 1.5 and min(a.y1, b.y1) - max(a.y0, b.y0) > 2.0
    ]
    assert hits == []


def test_it_is_one_or_two_columns_wide(figure: Figure) -> None:
    assert 3.4 <= figure.get_figwidth() <= 7.2


def test_drawing_leaves_no_traces() -> None:
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    board()
    assert dict(mpl.rcParams) == before


def test_pyplot_is_never_loaded() -> None:
    code = "import sys; from haptos.figures import *; board_figure([BoardRow('a', 'b', 'c', 'd', 1.0)]); "
    code += "sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_importing_figures_does_not_load_matplotlib() -> None:
    code = "import sys, haptos.figures; sys.exit('matplotlib' in sys.modules or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_saved_files_are_svg_and_png_and_repeatable(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in save(course(), tmp_path, "figure-1")]
    second = [path.read_bytes() for path in save(course(), tmp_path, "figure-1")]
    assert first == second
    assert first[0].startswith(b"<?xml")
    assert first[1].startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["", "../x", "a/b"])
def test_a_figure_name_is_no_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(ParameterError):
        save(course(), tmp_path, name)


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="figure-1"):
        save(course(), tmp_path / "none", "figure-1")
