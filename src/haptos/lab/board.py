"""Write a reproduction into its run folder: table, JSON, board figure, report."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import haptos
from haptos.inference.terms import calibrated_claims
from haptos.lab.contexts import contexts_of, write_contexts
from haptos.lab.outcome import arrays_of
from haptos.store.arrays import write_arrays, write_tables
from haptos.store.files import told, write_whole

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from haptos.figures import BoardRow, Table
    from haptos.lab.reproduce import Judged, Reproduction
    from haptos.lab.run import Bench
    from haptos.signalling.condition import Outcome
    from haptos.store.runs import Staging

__all__ = ["board_report", "board_table", "draw_board", "shown_rows", "system_counts", "tally_text", "write_board"]

_RULE = (
    "The share of parameter sets in which the expectation holds: supported from 90 %, contradicted up to "
    "10 %, undecided between. A change counts only if the assay with its usual repeats can resolve it; a "
    "parameter set that could not be simulated counts against the claim."
)
_BASIS = (
    "Claims marked 'calibrated' rest on findings that entered the calibration of the parameter sets, so their "
    "verdict shows that the model can meet them together; the others are predictions."
)
_ORDER = ("supported", "contradicted", "undecided", "vacuous", "not expressible", "untestable")
#: Claims that fit a figure with one row each.
_PAGE = 40
_FILES = (
    ("claims.json", "the claims as formal records with their verdicts"),
    ("tables/board.csv", "one row per claim"),
    ("arrays.zarr", "simulated time courses of every condition (Zarr v3)"),
    ("figures/board.svg", "the board"),
    ("manifest.json", "where it all came from, with checksums"),
)


def write_board(
    staging: Staging, whole: Reproduction, judged: Sequence[Judged], outcomes: Mapping[str, Outcome], bench: Bench
) -> dict[str, Any]:
    """Write everything but log and manifest; return the headline for the manifest."""
    folder = staging.result
    table = board_table(judged, bench)
    write_whole(folder / "claims.json", (json.dumps(_records(judged), indent=1, ensure_ascii=False) + "\n").encode())
    write_tables(folder / "tables", {"board": table})
    write_contexts(folder, contexts_of(arm.condition for plan in whole.plans.values() for arm in plan.arms))
    _write_arrays(staging, whole, outcomes)
    rows = shown_rows(table)
    figure = draw_board(rows, whole.title, folder / "figures")
    write_whole(folder / "report.html", board_report(staging.key.name, whole, rows, figure, bench).encode())
    members = next((len(plan.members) for plan in whole.plans.values()), 0)
    return {
        "title": whole.title,
        "assay": "",
        "cells": sorted({plan.experiment.cells for plan in whole.plans.values()}),
        "arms": sum(len(plan.arms) for plan in whole.plans.values()),
        "members": members,
        "counts": dict(Counter(j.verdict for j in judged)),
        "verdict": tally_text(Counter(j.verdict for j in judged)),
        "basis": dict(Counter(f"{b} {v}" for b, v in zip(table["basis"], table["verdict"], strict=True) if b)),
        "systems": system_counts(rows),
        "failed": [],
    }


def tally_text(counts: Mapping[str, int]) -> str:
    """Return the counts of the verdicts in words.

    Examples
    --------
    >>> tally_text({"supported": 3, "untestable": 1})
    '3 supported, 1 untestable'
    """
    return ", ".join(f"{counts[word]} {word}" for word in _ORDER if counts.get(word))


def board_table(judged: Sequence[Judged], bench: Bench) -> pd.DataFrame:
    """Return one row per claim: what it says, what is expected, what came out."""
    import pandas as pd

    from haptos.evidence.library import load_library
    from haptos.evidence.wording import sentence

    library = bench.library or load_library()
    sources = {s.id: s for s in library.sources}
    calibrated = calibrated_claims()
    rows = []
    for item in judged:
        claim, found = item.claim, item.judgement
        rows.append(
            {
                "claim": claim.id,
                "sentence": sentence(claim, library.vocabulary),
                "expectation": claim.expect.outcome if claim.expect is not None else "",
                "verdict": item.verdict,
                "basis": _basis(item, calibrated),
                "quantity": found.measure if found is not None else "",
                "effect": found.effect if found is not None else math.nan,
                "low": found.low if found is not None else math.nan,
                "high": found.high if found is not None else math.nan,
                "fraction": found.fraction if found is not None else math.nan,
                "members": found.n_members if found is not None else 0,
                "failed": found.n_failed if found is not None else 0,
                "smallest_fold": item.smallest_fold if item.smallest_fold is not None else math.nan,
                "reason": item.reason,
                "source": sources[claim.source].cite() if claim.source in sources else claim.source,
                "system": claim.system,
                "level": claim.level,
                "priority": claim.priority,
            }
        )
    return pd.DataFrame(rows)


def _basis(item: Judged, calibrated: frozenset[str]) -> str:
    """Say whether a verdict on simulations is a fit or a prediction."""
    if item.judgement is None or not item.judgement.n_members:
        return ""
    return "calibrated" if item.claim.id in calibrated else "predicted"


def _records(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    return [
        {
            "claim": item.claim.model_dump(mode="json", exclude_none=True, exclude_defaults=True),
            "verdict": item.verdict,
            "fraction": item.judgement.fraction if item.judgement is not None else None,
            "reason": item.reason,
        }
        for item in judged
    ]


def _write_arrays(staging: Staging, whole: Reproduction, outcomes: Mapping[str, Outcome]) -> None:
    arrays: dict[str, Any] = {}
    attributes: dict[str, dict[str, Any]] = {}
    for plan in whole.plans.values():
        found, notes = arrays_of(plan, outcomes)
        arrays |= found
        for group, note in notes.items():
            attributes[group] = {key: value for key, value in note.items() if key != "arms"}
    write_arrays(staging.result / "arrays.zarr", arrays, attributes)


def shown_rows(table: pd.DataFrame) -> list[BoardRow]:
    """Return the rows of the board; the effect axis shows folds, so other quantities stay in the reason."""
    from haptos.figures import BoardRow

    rows = []
    for r in ({str(k): v for k, v in row.items()} for row in table.to_dict(orient="records")):
        shown = r["quantity"] in _FOLDS
        rows.append(
            BoardRow(
                claim=r["claim"],
                sentence=r["sentence"],
                expectation=r["expectation"],
                verdict=r["verdict"],
                effect=_number(r["effect"]) if shown else None,
                low=_number(r["low"]) if shown else None,
                high=_number(r["high"]) if shown else None,
                fraction=_number(r["fraction"]),
                smallest_fold=_number(r["smallest_fold"]) if shown else None,
                reason=r["reason"] if shown or not r["quantity"] else _share_text(r),
                source=r["source"],
                basis=r["basis"],
                system=r["system"],
            )
        )
    return rows


#: Deciding numbers that are folds of a reference arm.
_FOLDS = ("fold change", "quotient")


def _share_text(row: Mapping[str, Any]) -> str:
    """Return a deciding number that is no fold, short enough for its column of the board."""
    from haptos.lab.words import number

    what = row["quantity"].replace("share of the ", "").replace("induced part ", "")
    return f"{what} {number(row['effect'], 2)} ({number(row['low'], 2)}–{number(row['high'], 2)})"


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def system_counts(rows: Sequence[BoardRow]) -> dict[str, dict[str, int]]:
    """Return how often each verdict stands in each system, systems in their order."""
    from haptos.figures.overview import by_system

    return {system: dict(Counter(row.verdict for row in group)) for system, group in by_system(rows).items()}


def draw_board(rows: Sequence[BoardRow], title: str, folder: Path) -> bytes:
    """Draw the board into a new folder, row by row if they fit a page, else one cell per claim; return the SVG."""
    from haptos.figures import board_figure, overview_figure, save

    with told("make the folder", folder):
        folder.mkdir()
    draw = board_figure if len(rows) <= _PAGE else overview_figure
    svg, _png = save(draw(rows, title=title), folder, "board")
    return svg.read_bytes()


def board_report(
    name: str,
    whole: Reproduction,
    rows: Sequence[BoardRow],
    figure: bytes,
    bench: Bench,
    *,
    tables: Sequence[Table] = (),
    methods: Sequence[tuple[str, str]] = (),
) -> str:
    """Return the report of a board as HTML.

    Parameters
    ----------
    name : str
        Of the run.
    whole : Reproduction
        The trials.
    rows : sequence of BoardRow
        The board.
    figure : bytes
        Its picture.
    bench : Bench
        With what it was simulated.
    tables, methods : sequence
        Put before and after those of every board.
    """
    from haptos.figures import FileNote, ReportData, ReportFigure, report_html

    counts = Counter(row.verdict for row in rows)
    members = next((len(plan.members) for plan in whole.plans.values()), 0)
    conditions = len({key for plan in whole.plans.values() for key in plan.conditions})
    simulated = (
        f"{conditions} distinct conditions, each over {members} parameter sets without noise; simulations "
        "that several claims need were run once."
    )
    data = ReportData(
        title=whole.title,
        subtitle=f"{name} · haptos {haptos.__version__}",
        question=(
            f"{len(whole.claims)} claims were asked for; each is an experiment of its own, run as a user's would be.",
        ),
        findings=(f"{tally_text(counts)}.",),
        figures=(ReportFigure("Board", figure, f"Verdicts on {len(rows)} claims: {tally_text(counts)}"),),
        tables=(*tables, _systems_table(rows)),
        board=tuple(rows),
        methods=(
            ("Simulation", simulated),
            ("Verdict", _RULE),
            ("Calibrated or predicted", _BASIS),
            *methods,
            ("Model", f"Fingerprint {bench.simulator.fingerprint()}."),
        ),
        files=tuple(FileNote(path, holds) for path, holds in _FILES),
    )
    return report_html(data)


def _systems_table(rows: Sequence[BoardRow]) -> Table:
    """Return the verdicts by system, with a line for all."""
    from haptos.figures import Table

    counts = system_counts(rows)
    words = [v for v in _ORDER if any(found.get(v) for found in counts.values())]
    lines: list[tuple[str | int, ...]] = [
        (system or "–", *(found.get(v, 0) for v in words), sum(found.values())) for system, found in counts.items()
    ]
    total = Counter(row.verdict for row in rows)
    lines += [("all", *(total[v] for v in words), len(rows))] if len(counts) > 1 else []
    return Table("Claims by system and verdict", ("System", *words, "claims"), tuple(lines))
