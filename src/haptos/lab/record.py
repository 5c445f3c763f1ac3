"""Write the results of an experiment into its run folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haptos.lab.contexts import contexts_of, write_contexts
from haptos.lab.outcome import Readings, arrays_of, fold_table, read_all
from haptos.lab.plan import Plan
from haptos.lab.report import draw_experiment, literature_note, report_experiment, warnings_of
from haptos.lab.words import arm_text
from haptos.store.arrays import write_arrays, write_tables
from haptos.store.files import told, write_whole

if TYPE_CHECKING:
    import pandas as pd

    from haptos.assays.base import Picture
    from haptos.lab.literature import Finding
    from haptos.lab.run import Bench
    from haptos.signalling.condition import Outcome
    from haptos.store.runs import Staging

__all__ = ["Results", "write_experiment_results"]


@dataclass(frozen=True)
class Results:
    """Everything that is known after an experiment.

    Attributes
    ----------
    readings : Readings
        What the assay read.
    values, summary, comparisons, folds : DataFrame
        Measured values (relative to the first arm where the unit is arbitrary), their summary
        and tests, and the fold changes over the ensemble.
    pictures : mapping of (int, int) to tuple of Picture
        Blots and zymograms of each complete repeat, by biological and technical repeat.
    findings : tuple of Finding
        What the literature says about the comparisons.
    """

    readings: Readings
    values: pd.DataFrame
    summary: pd.DataFrame
    comparisons: pd.DataFrame
    folds: pd.DataFrame
    pictures: Mapping[tuple[int, int], tuple[Picture, ...]]
    findings: tuple[Finding, ...]

    @property
    def plan(self) -> Plan:
        """The experiment."""
        return self.readings.plan

    @property
    def shown(self) -> tuple[Picture, ...]:
        """The pictures of the first complete repeat, which the figure shows."""
        return next(iter(self.pictures.values()), ())

    @property
    def silent(self) -> tuple[str, ...]:
        """Arms of which no repeat could be simulated."""
        present = {arm for arm, _ in self.readings.repeats}
        return tuple(arm.label for arm in self.plan.arms if arm.label not in present)


def write_experiment_results(
    staging: Staging, plan: Plan, outcomes: Mapping[str, Outcome], bench: Bench, *, text: str | None
) -> dict[str, Any]:
    """Write everything but log and manifest; return the headline for the manifest.

    Parameters
    ----------
    staging : Staging
        Where to.
    plan : Plan
        The experiment.
    outcomes : mapping of str to Outcome
        By task key.
    bench : Bench
        With what it was run.
    text : str or None
        The experiment file as the user wrote it.
    """
    from haptos.lab.experiments import experiment_yaml

    results = evaluate(plan, outcomes, bench)
    folder = staging.result
    write_whole(folder / "experiment.yaml", (text or experiment_yaml(plan.experiment)).encode())
    write_contexts(folder, contexts_of(arm.condition for arm in plan.arms))
    arrays, attributes = arrays_of(plan, outcomes)
    pictures, notes = _picture_arrays(results)
    write_arrays(folder / "arrays.zarr", arrays | pictures, attributes | notes)
    write_tables(folder / "tables", tables_of(results))
    figure = draw_experiment(results, _made(folder / "figures"))
    report = report_experiment(results, staging.key.name, bench.simulator.fingerprint(), figure)
    write_whole(folder / "report.html", report.encode())
    return headline(results)


def evaluate(plan: Plan, outcomes: Mapping[str, Outcome], bench: Bench) -> Results:
    """Read, compare and look up an experiment; nothing is written."""
    import pandas as pd

    from haptos.assays.statistics import compare, summarise
    from haptos.assays.tables import relative_to_arm
    from haptos.lab.literature import look_up

    readings = read_all(plan, outcomes)
    measured = readings.measured
    if measured.empty:
        empty = pd.DataFrame()
        return Results(readings, measured, empty, empty, fold_table(readings), {}, ())
    present = list(dict.fromkeys(measured["arm"]))
    values = relative_to_arm(measured, present[0], plan.assay.relative)
    tested = [c for c in plan.experiment.comparisons if c.test in present and c.against in present]
    return Results(
        readings,
        values,
        summarise(values),
        compare(values, tested),
        fold_table(readings),
        _pictures(plan, measured),
        look_up(readings, bench.library),
    )


def _pictures(plan: Plan, measured: pd.DataFrame) -> dict[tuple[int, int], tuple[Picture, ...]]:
    """Return the pictures of every repeat that has all arms; each repeat has a stream of its own.

    They are drawn from the values as measured: relative ones would lose the proportion of the bands.
    """
    from haptos.numerics import philox_stream

    arms = len(plan.arms)
    found = {}
    for replicate, technical in sorted({(int(r), int(t)) for r, t in measured[["replicate", "technical"]].to_numpy()}):
        here = (measured["replicate"] == replicate) & (measured["technical"] == technical)
        part = measured[here].reset_index(drop=True)
        if part["arm"].nunique() == arms:
            stream = philox_stream(plan.experiment.seed, "assay.picture", replicate, technical)
            found[replicate, technical] = plan.assay.pictures(part, plan.experiment.assay, stream)
    return {key: pictures for key, pictures in found.items() if pictures}


def _picture_arrays(results: Results) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return the pictures as 16-bit arrays, and the geometry needed to read them back."""
    arrays: dict[str, Any] = {}
    notes: dict[str, dict[str, Any]] = {}
    for (replicate, technical), pictures in results.pictures.items():
        for i, picture in enumerate(pictures):
            name = f"pictures/repeat-{replicate}/gel-{technical}-{i}"
            arrays[name] = picture.pixels
            notes[name] = {
                "title": picture.title,
                "lanes": list(picture.lanes),
                "lane_edges": [list(edges) for edges in picture.lane_edges],
                "bands": {label: list(rows) for label, rows in picture.bands.items()},
                "dark_on_light": picture.dark_on_light,
            }
    return arrays, notes


def tables_of(results: Results) -> dict[str, pd.DataFrame]:
    """Return the tables of the run folder by name; empty ones are left out."""
    import pandas as pd

    failures = [
        {
            "arm": f.arm,
            "member": f.member,
            "replicate": f.replicate,
            "status": f.status.name,
            "why": f.status.explanation,
        }
        for f in results.readings.failures
    ]
    tables = {
        "values": results.values,
        "summary": results.summary,
        "comparisons": results.comparisons,
        "ensemble": results.readings.ensemble,
        "folds": results.folds,
        "literature": pd.DataFrame([f.row() for f in results.findings]),
        "failures": pd.DataFrame(failures),
    }
    return {name: table for name, table in tables.items() if not table.empty}


def headline(results: Results) -> dict[str, Any]:
    """Return the plain facts of a run for listings."""
    plan, failures = results.plan, results.readings.failures
    verdicts = [f.verdict for f in results.findings]
    return {
        "title": plan.experiment.title,
        "assay": plan.assay.name,
        "assay_label": plan.assay.label,
        "cells": plan.experiment.cells,
        "repeats": plan.replicates,
        "arms": len(plan.arms),
        "done": {label: arm_text(steps) for label, steps in plan.experiment.arms.items()},
        "shared": arm_text(plan.experiment.shared) if plan.experiment.shared else "",
        "relative": sorted(plan.assay.relative),
        "members": len(plan.members),
        "failed_members": len({(f.arm, f.member) for f in failures if f.member is not None}),
        "failed_repeats": len([f for f in failures if f.replicate is not None]),
        "failed": list(results.silent),
        "verdict": _one_line(verdicts, results.silent),
        "warnings": list(warnings_of(results)),
        "literature_note": literature_note(results),
    }


def _one_line(verdicts: list[str], silent: tuple[str, ...]) -> str:
    if silent:
        return f"failed: {', '.join(silent)} could not be simulated"
    if not verdicts:
        return "no published counterpart"
    agree, against = verdicts.count("supported"), verdicts.count("contradicted")
    parts = [f"{agree} of {len(verdicts)} published outcomes supported"]
    parts += [f"{against} contradicted"] if against else []
    return ", ".join(parts)


def _made(folder: Path) -> Path:
    with told("make the folder", folder):
        folder.mkdir(parents=True, exist_ok=True)
    return folder
