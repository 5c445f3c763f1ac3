"""Put the measured tables into the documentation.

Usage::

    python benchmarks/write_tables.py docs/benchmarks docs/benchmarks.md

Replaces what stands between ``<!-- NAME: begin -->`` and ``<!-- NAME: end -->`` by a table
made from ``NAME.csv``; parts without a file are left as they are.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from models import MODELS
from precision import time_at

TITLES = {model.key: model.title for model in MODELS}
GOALS = ((500, 50.0), (80, 25.0), (25, 20.0), (0, 8.0))
FIRST_GOALS = {"cold": 3.0, "warm": 1.0}


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; columns but the first are aligned to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def number(value: float, digits: int = 3) -> str:
    """Return a number with so many digits, or a dash."""
    if pd.isna(value):
        return "–"
    return f"{value:.{digits}g}" if abs(value) < 10 ** (digits - 1) else f"{value:.0f}"


def against(value: float, goal: float) -> str:
    """Say whether a goal from below is met."""
    return f"≥ {goal:g}: {'met' if value >= goal else 'missed'}"


def ratios(table: pd.DataFrame) -> str:
    """Write the comparison at equal error."""
    head = ["model", "states", "error", "libRoadRunner [ms]", "haptos [ms]", "ratio", "band", "rounds", "goal"]
    head += ["AMICI / haptos", "AMICI's C++ / haptos", "failed (haptos, libRoadRunner, AMICI)"]
    rows = []
    for _, r in table.sort_values("states").iterrows():
        goal = next(g for least, g in GOALS if r["states"] >= least)
        spans = [f"{number(r[f'{k}_low'])}–{number(r[f'{k}_high'])}" for k in ("band", "scatter")]
        failed = ", ".join(number(r.get(f"failed_{e}", float("nan"))) for e in ("haptos", "libRoadRunner", "AMICI"))
        row = [TITLES[r["model"]], str(r["states"]), f"{r['error']:.0e}", number(r["roadrunner_ms"])]
        row += [number(r["haptos_ms"]), f"**{number(r['ratio'])}**", *spans, against(r["ratio"], goal)]
        rows.append([*row, number(r.get("amici_ratio")), number(r.get("amici_inner_ratio")), failed])
    return markdown(head, rows)


def references(table: pd.DataFrame) -> str:
    """Write what the errors were measured against."""
    head = ["model", "reference", "its tolerance", "haptos at 1e-10 differs by", "parameter sets", "rounds"]
    rows = [
        [
            TITLES[r["model"]],
            r["reference"],
            f"{r['reference_rtol']:.0e}",
            f"{r['reference_against_haptos_1e-10']:.0e}",
            str(r["sets"]),
            str(r["rounds"]),
        ]
        for _, r in table.sort_values("states").iterrows()
    ]
    return markdown(head, rows)


def status(table: pd.DataFrame) -> str:
    """Say so if the comparison is not a full run."""
    full = {model.key: model.sets for model in MODELS}
    short = [r["model"] for _, r in table.iterrows() if r["rounds"] < 3 or r["sets"] < full[r["model"]]]
    missing = [key for key in full if key not in set(table["model"])]
    if not short and not missing:
        return "*A full run of all models.*"
    return (
        f"**Preliminary**: fewer rounds or sets than a full run for {len(short)} models, {len(missing)} missing; "
        "the tables below are of short runs on a busy machine as well."
    )


def first(table: pd.DataFrame) -> str:
    """Write the first simulations, in seconds of processor time."""
    head = ["model", "engine", "import", "load", "first", "total", "total, clock", "goal"]
    rows = []
    for _, r in table.iterrows():
        state = "" if pd.isna(r["state"]) else f", {r['state']}"
        goal = FIRST_GOALS.get(r["state"])
        verdict = f"< {goal:g}: {'met' if r['total_cpu_s'] < goal else 'missed'}" if goal else ""
        spans = [f"{r[f'{n}_cpu_s']:.2f}" for n in ("import", "load", "first", "total")]
        rows.append([TITLES[r["model"]], r["engine"] + state, *spans, f"{r['total_wall_s']:.2f}", verdict])
    return markdown(head, rows)


def stepping(table: pd.DataFrame) -> str:
    """Write the stepping mode."""
    head = ["case", "engine", "rtol", "error", "processor time per cell and interval [µs]", "failed"]
    rows = [
        [r["case"], r["engine"], f"{r['rtol']:.0e}", f"{r['error']:.0e}", number(r["us"]), str(r["failed"])]
        for _, r in table.iterrows()
    ]
    lines = [markdown(head, rows), ""]
    for case, part in table.groupby("case", sort=False):
        peer = part[(part["engine"] == "libRoadRunner") & np.isclose(part["rtol"], 1e-6)].iloc[0]
        for method in ("Rodas4", "Rodas5P"):
            own = part[part["engine"] == method]
            us = time_at(peer["error"], own["error"].tolist(), own["us"].tolist())
            verdicts = f"{us:.2f} µs (≤ 2: {'met' if us <= 2.0 else 'missed'}), "
            verdicts += f"{peer['us'] / us:.0f} times libRoadRunner ({against(peer['us'] / us, 40.0)})"
            lines.append(f"* {case}, {method}, at error {peer['error']:.0e}: {verdicts}")
    return "\n".join(lines)


def threads(table: pd.DataFrame) -> str:
    """Write the gain of a second thread."""
    head = ["model", "members", "one thread [s]", "two [s]", "gain", "rounds", "goal", "bits"]
    rows = []
    for _, r in table.iterrows():
        row = [TITLES[r["model"]], str(r["members"]), number(r["one_thread_s"]), number(r["two_threads_s"])]
        row += [f"{r['gain']:.2f}", f"{r['gain_low']:.2f}–{r['gain_high']:.2f}", against(r["gain"], 1.8), r["bits"]]
        rows.append(row)
    return markdown(head, rows)


def overhead(table: pd.DataFrame) -> str:
    """Write what a whole call costs beside the integration."""
    head = ["model", "members", "outputs", "whole call [ms]", "integration [ms]", "on top"]
    rows = [
        [
            TITLES[r["model"]],
            str(r["members"]),
            str(r["outputs"]),
            number(r["total_ms"]),
            number(r["integration_ms"]),
            f"{100 * r['on_top']:.0f} %",
        ]
        for _, r in table.iterrows()
    ]
    return markdown(head, rows)


def main() -> None:
    """Read the tables and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("page", type=Path)
    given = parser.parse_args()
    text = given.page.read_text(encoding="utf-8")
    parts = {
        "status": ("ratios", status),
        "ratios": ("ratios", ratios),
        "references": ("ratios", references),
        "first": ("first", first),
        "stepping": ("stepping", stepping),
        "threads": ("threads", threads),
        "overhead": ("overhead", overhead),
    }
    for name, (source, write) in parts.items():
        path = given.folder / f"{source}.csv"
        if path.exists():
            marks = re.compile(rf"(<!-- {name}: begin -->\n).*?(<!-- {name}: end -->)", re.DOTALL)
            table = write(pd.read_csv(path))
            text, found = marks.subn(lambda m, t=table: f"{m[1]}{t}\n{m[2]}", text)
            print(f"{name}: {'written' if found else 'NO PLACE'}")
    given.page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
