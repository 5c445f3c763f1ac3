"""Draw the work-precision figure from the tables of ``engine_vs_roadrunner.py``.

Usage::

    python benchmarks/plot_precision.py docs/benchmarks

Reads ``points.csv`` and ``ratios.csv``; writes ``work_precision.png`` and ``.svg``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from models import MODELS
from precision import time_at

from haptos.figures.style import COURSES, DOUBLE_COLUMN, FAINT, INK, journal_style, new_figure, tint

LOOKS = {
    "haptos": (COURSES[0], "o", "-"),
    "libRoadRunner": (COURSES[1], "s", "-"),
    "AMICI": (COURSES[2], "^", "-"),
}
ANCHOR = 1e-6
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power(value: float, _place: int = 0) -> str:
    """Return a power of ten in words of a figure."""
    return "10" + str(round(np.log10(value))).translate(_SUPERSCRIPTS)


def plain(value: float, _place: int = 0) -> str:
    """Return a number without an exponent."""
    return f"{value:g}".replace("000", " 000") if value >= 1000 else f"{value:g}"


def panel(axes: Axes, points: pd.DataFrame, row: pd.Series, title: str) -> None:
    """Draw one model: curves of the engines, and the ratio at equal error."""
    for engine, (colour, marker, line) in LOOKS.items():
        own = points[(points["engine"] == engine) & np.isfinite(points["error"])].sort_values("rtol")
        if own.empty:
            continue
        axes.plot(own["ms"], own["error"], line, color=colour, marker=marker, markersize=3.2, zorder=3)
        if engine == "AMICI" and own["inner_ms"].notna().all():
            axes.plot(own["inner_ms"], own["error"], ":", color=colour, linewidth=0.8, zorder=2)
    _bracket(axes, points, row)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_title(f"{title}\n", fontsize=7.0)
    axes.text(0.0, 1.04, f"{row['states']} states", transform=axes.transAxes, color=FAINT, fontsize=6.5)
    axes.xaxis.set_major_formatter(FuncFormatter(plain))
    axes.yaxis.set_major_formatter(FuncFormatter(power))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.grid(visible=True, which="major", color=tint(FAINT, 0.25), linewidth=0.4)


def _bracket(axes: Axes, points: pd.DataFrame, row: pd.Series) -> None:
    """Join the engines at the error of libRoadRunner at rtol 1e-6 and write the ratio."""
    own = points[points["engine"] == "haptos"]
    left = time_at(row["error"], own["error"].tolist(), own["ms"].tolist())
    right, height = row["roadrunner_ms"], row["error"]
    if not np.isfinite(left):
        return
    style = {"arrowstyle": "<->", "color": INK, "linewidth": 0.8, "shrinkA": 3, "shrinkB": 3}
    axes.annotate("", xy=(left, height), xytext=(right, height), arrowprops=style, zorder=4)
    axes.annotate(
        f"{row['ratio']:.0f}×" if row["ratio"] >= 9.95 else f"{row['ratio']:.1f}×",
        xy=(left ** (2 / 3) * right ** (1 / 3), height),
        xytext=(0, 2.5),
        textcoords="offset points",
        ha="center",
        va="bottom",
        fontsize=7.5,
        fontweight="bold",
        zorder=5,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6, "alpha": 0.85},
    )


def common_limits(all_axes: list[Axes], points: pd.DataFrame) -> None:
    """Give all panels the same span: errors alike, times over as many decades."""
    finite = points[np.isfinite(points["error"])]
    low, high = np.floor(np.log10(finite["error"].min())), np.ceil(np.log10(finite["error"].max()))
    spans = [np.log10(a.get_xlim()) for a in all_axes]
    width = max(b - a for a, b in spans)
    for axes, (a, b) in zip(all_axes, spans, strict=True):
        middle = (a + b) / 2
        axes.set_xlim(10 ** (middle - width / 2), 10 ** (middle + width / 2))
        decades = np.arange(np.ceil(middle - width / 2), np.floor(middle + width / 2) + 1)
        axes.xaxis.set_major_locator(FixedLocator(list(10.0**decades)))
        axes.set_ylim(10**low, 10**high)
        axes.yaxis.set_major_locator(FixedLocator(list(10.0 ** np.arange(low, high + 1, 2))))


def main() -> None:
    """Read the tables and write the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    points = pd.read_csv(given.folder / "points.csv")
    ratios = pd.read_csv(given.folder / "ratios.csv").set_index("model", drop=False)
    shown = [m for m in MODELS if m.key in ratios.index]
    shown.sort(key=lambda m: ratios.loc[m.key, "states"])
    columns = min(3, len(shown))
    rows = -(-len(shown) // columns)
    with journal_style():
        figure = new_figure(DOUBLE_COLUMN, 0.55 + 1.95 * rows)
        grid = figure.add_gridspec(
            rows, columns, left=0.075, right=0.985, bottom=0.46 / (0.55 + 1.95 * rows),
            top=1 - 0.62 / (0.55 + 1.95 * rows), wspace=0.28, hspace=0.55,
        )  # fmt: skip
        drawn = [figure.add_subplot(grid[divmod(i, columns)]) for i in range(len(shown))]
        for axes, model in zip(drawn, shown, strict=True):
            panel(axes, points[points["model"] == model.key], ratios.loc[model.key], model.title)
        common_limits(drawn, points)
        for number, axes in enumerate(drawn):
            if number % columns == 0:
                axes.set_ylabel("relative error")
            if number + columns >= len(drawn):
                axes.set_xlabel("processor time per simulation [ms]")
        _legend(figure, points)
        figure.savefig(given.folder / "work_precision.png", dpi=200)
        figure.savefig(given.folder / "work_precision.svg", metadata={"Date": None})


def _legend(figure, points: pd.DataFrame) -> None:
    """Name the engines once, above all panels."""
    handles = [
        Line2D([], [], color=colour, marker=marker, markersize=3.6, linestyle=line, label=engine)
        for engine, (colour, marker, line) in LOOKS.items()
        if (points["engine"] == engine).any()
    ]
    if (points["engine"] == "AMICI").any():
        handles.append(
            Line2D([], [], color=LOOKS["AMICI"][0], linestyle=":", linewidth=0.8, label="AMICI, C++ part only")
        )
    handles.append(Line2D([], [], color=INK, linewidth=0.8, label="ratio to libRoadRunner at its rtol 10⁻⁶"))
    figure.legend(handles=handles, loc="upper left", bbox_to_anchor=(0.065, 1.0), ncols=len(handles), columnspacing=1.6)


if __name__ == "__main__":
    main()
