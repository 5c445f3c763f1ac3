"""Figure and HTML report of an experiment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import haptos
from haptos.lab.words import arm_text, comparison_text, fold_text, method_texts, number, p_text, question, readout_text

if TYPE_CHECKING:
    import pandas as pd

    from haptos.figures import Assumption, LiteratureVerdict, Published, ReportFigure, Table
    from haptos.lab.record import Results

__all__ = ["FILES", "draw_experiment", "report_experiment"]

#: What the files of a run folder hold.
FILES = (
    ("experiment.yaml", "the experiment as it was asked"),
    ("tables/values.csv", "measured values, one row per arm, repeat and readout"),
    ("tables/summary.csv", "mean, spread and interval of each arm"),
    ("tables/comparisons.csv", "the tests"),
    ("tables/ensemble.csv", "noise-free values of every parameter set"),
    ("tables/folds.csv", "fold changes over the parameter sets"),
    ("tables/literature.csv", "published outcomes and whether the simulation agrees"),
    ("arrays.zarr", "simulated time courses (Zarr v3)"),
    ("figures/figure.svg", "the figure"),
    ("manifest.json", "where it all came from, with checksums"),
)


def draw_experiment(results: Results, folder: Path) -> bytes | None:
    """Draw the figure into `folder`; return it as SVG, or None if there is nothing to draw."""
    from haptos.figures import experiment_figure, save

    if results.values.empty:
        return None
    experiment = results.plan.experiment
    figure = experiment_figure(
        experiment.title or experiment.cells,
        results.plan.assay.label,
        results.values,
        results.summary,
        results.comparisons,
        results.shown,
        results.readings.ensemble,
        published=_published(results),
    )
    svg, _png = save(figure, folder, "figure")
    return svg.read_bytes()


def _published(results: Results) -> list[Published]:
    from haptos.figures import Published

    directions = {"increase", "decrease", "no_change", "abolished", "restored"}
    agrees = {"supported": True, "contradicted": False}
    return [
        Published(
            f.test,
            f.against,
            f.measure,
            of,
            f.outcome if f.outcome in directions else "other",  # type: ignore[arg-type]
            f.source,
            agrees.get(f.verdict),
        )
        for f in results.findings
        for of in _entities(results, f.measure, f.of)
    ]


def _entities(results: Results, measure: str, named: str) -> list[str]:
    """Return the entities as the assay names them."""
    wanted = set(named.split(", "))
    return [of for m, of in results.readings.readouts if m == measure and (of in wanted or not named or not of)]


def report_experiment(results: Results, name: str, fingerprint: str, figure: bytes | None) -> str:
    """Return the report as one self-contained HTML page.

    Parameters
    ----------
    results : Results
        Everything that is known.
    name : str
        Name of the run folder.
    fingerprint : str
        Checksum of the model.
    figure : bytes or None
        The figure as SVG.
    """
    from haptos.figures import FileNote, ReportData, report_html

    plan = results.plan
    experiment = plan.experiment
    words = str(results.comparisons["words"].iloc[0]) if not results.comparisons.empty else ""
    facts = {
        "fingerprint": fingerprint,
        "members": len(plan.members),
        "seed": experiment.seed,
        "version": haptos.__version__,
    }
    data = ReportData(
        title=experiment.title or f"{plan.assay.label} of {experiment.cells}",
        subtitle=f"{name} · haptos {haptos.__version__}",
        question=question(experiment, plan.assay.label),
        findings=(*_comparisons(results), *_agreement(results)),
        warnings=warnings_of(results),
        figures=_figures(results, figure),
        arms=_arms(results),
        comparisons=_comparisons(results, test=True),
        comparison_table=_comparison_table(results.comparisons),
        verdicts=tuple(_verdicts(results)),
        literature_note=literature_note(results),
        methods=method_texts(
            experiment.assay,
            plan.assay.label,
            plan.assay.noise(experiment.assay),
            words,
            facts,
        ),
        command=f"haptos run experiment.yaml --members {len(plan.members)}",
        assumptions=tuple(_assumptions(results)),
        files=tuple(FileNote(path, holds) for path, holds in FILES),
    )
    return report_html(data)


def warnings_of(results: Results) -> tuple[str, ...]:
    """Return what the reader must know before believing anything."""
    found = [f"No repeat of the arm {arm!r} could be simulated; it is missing below." for arm in results.silent]
    failed = sorted({f.member for f in results.readings.failures if f.member is not None})
    if failed:
        reasons = sorted({f.status.explanation for f in results.readings.failures if f.member is not None})
        found.append(
            f"{len(failed)} of {len(results.plan.members)} parameter sets could not be simulated in some arm "
            f"({'; '.join(reasons)}) and are left out there."
        )
    lost = [f for f in results.readings.failures if f.replicate is not None and f.arm not in results.silent]
    found += [f"Repeat {(f.replicate or 0) + 1} of {f.arm!r} failed: {f.status.explanation}." for f in lost]
    return tuple(found)


def literature_note(results: Results) -> str:
    """Say for which comparisons the library holds no published counterpart."""
    covered = {frozenset((f.test, f.against)) for f in results.findings}
    open_ = [
        f"{c.test} against {c.against}"
        for c in results.plan.experiment.comparisons
        if frozenset((c.test, c.against)) not in covered
    ]
    if not open_:
        return ""
    if not results.findings:
        return "No claim of the library rests on the same experiment, so nothing can be said about agreement."
    return f"No claim of the library rests on the same comparison as: {'; '.join(open_)}."


def _comparisons(results: Results, *, test: bool = False) -> tuple[str, ...]:
    folds = {_key(row): row for row in _rows(results.folds)}
    return tuple(comparison_text(row, folds.get(_key(row)), test=test) for row in _rows(results.comparisons))


def _agreement(results: Results) -> tuple[str, ...]:
    """Say how many published outcomes the simulation supports."""
    verdicts = [f.verdict for f in results.findings]
    if not verdicts:
        return ()
    return (f"{verdicts.count('supported')} of {len(verdicts)} published outcomes supported.",)


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict(orient="records")]


def _key(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in ("test", "against", "measure", "of"))


def _figures(results: Results, figure: bytes | None) -> tuple[ReportFigure, ...]:
    from haptos.figures import ReportFigure

    if figure is None:
        return ()
    arms = ", ".join(arm.label for arm in results.plan.arms)
    alt = f"{results.plan.assay.label}: measured values with intervals for the arms {arms}"
    return (ReportFigure("Result", figure, alt),)


def _arms(results: Results) -> Table | None:
    from haptos.figures import Table

    if results.summary.empty:
        return None
    steps = results.plan.experiment.arms
    rows = [
        (
            str(r["arm"]),
            arm_text(steps[str(r["arm"])]),
            readout_text(str(r["measure"]), str(r["of"])),
            int(r["n"]),
            number(r["mean"]),
            number(r["sd"]),
            str(r["unit"]),
        )
        for r in _rows(results.summary)
    ]
    return Table("Arms", ("arm", "done to the cells", "readout", "n", "mean", "sd", "unit"), tuple(rows))


def _comparison_table(comparisons: pd.DataFrame) -> Table | None:
    from haptos.figures import Table

    if comparisons.empty:
        return None
    rows = [
        (
            str(r["test"]),
            str(r["against"]),
            readout_text(str(r["measure"]), str(r["of"])),
            fold_text(r),
            p_text(r["p"]),
            p_text(r["p_adjusted"]),
        )
        for r in _rows(comparisons)
    ]
    return Table("Comparisons", ("test", "against", "readout", "ratio (95 %)", "p", "adjusted p"), tuple(rows))


def _verdicts(results: Results) -> list[LiteratureVerdict]:
    from haptos.figures import LiteratureVerdict

    return [
        LiteratureVerdict(
            comparison=f"{readout_text(f.measure, f.of)}, {f.test} against {f.against}" if f.against else f.test,
            published=f.published,
            verdict=f.verdict,
            claim=f.claim,
            source=f.source,
            doi=f.doi,
            explanation="; ".join([f.reason, *f.caveats]).strip("; "),
            fraction=f.fraction,
        )
        for f in results.findings
    ]


def _assumptions(results: Results) -> list[Assumption]:
    from haptos.figures import Assumption

    noise = results.plan.assay.noise(results.plan.experiment.assay)
    status, _, rest = noise.source.partition(": ")
    return [Assumption(f"noise of the {results.plan.assay.label}", status, rest)]
