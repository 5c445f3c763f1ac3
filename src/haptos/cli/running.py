"""``haptos run``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from haptos.cli.boundary import Exit
from haptos.cli.console import out, plain_table, to_json
from haptos.cli.progress import TerminalProgress

if TYPE_CHECKING:
    from haptos.lab.plan import Plan
    from haptos.lab.run import Bench

__all__ = ["bench_of", "finish", "plan_command", "run_command"]


def bench_of(runs: Path | None, workers: int | None, *, quiet: bool) -> Bench:
    """Return where and with what to run: the options, else the settings."""
    from haptos.core.settings import Settings
    from haptos.lab.run import Bench
    from haptos.store.runs import RunStore

    settings = Settings.load()
    return Bench(
        RunStore(runs if runs is not None else settings.runs),
        workers if workers is not None else settings.workers,
        progress=TerminalProgress(quiet=quiet),
    )


def run_command(
    file: Path, *, workers: int | None, members: int | None, runs: Path | None, as_json: bool, open_report: bool
) -> None:
    """Run an experiment file and show the result."""
    from haptos.cli.showing import show_result
    from haptos.lab.experiments import read_experiment
    from haptos.lab.run import run_experiment

    asked = read_experiment(file)
    bench = bench_of(runs, workers, quiet=as_json)
    result = run_experiment(asked.experiment, bench, members=members, file=asked)
    show_result(result, as_json=as_json)
    finish(result.folder, open_report=open_report, failed=result.failed)


def finish(folder: Path, *, open_report: bool, failed: bool) -> None:
    """Open the report if wished, and leave with 1 if the run failed."""
    if open_report:
        typer.launch(str((folder / "report.html").resolve()))
    if failed:
        raise typer.Exit(Exit.FAILED)


def plan_command(file: Path, *, workers: int | None, members: int | None, runs: Path | None, as_json: bool) -> None:
    """Show what a run would do and cost; write nothing."""
    from haptos.lab.cost import estimate
    from haptos.lab.experiments import read_experiment
    from haptos.lab.plan import plan_experiment
    from haptos.lab.run import experiment_key

    asked = read_experiment(file)
    bench = bench_of(runs, workers, quiet=True)
    plan = plan_experiment(
        asked.experiment, bench.simulator, members=members, document=asked.document, contexts=asked.contexts
    )
    folder = bench.store.folder(experiment_key(plan, bench.simulator))
    cost = estimate(plan.tasks, plan.conditions, bench.simulator, bench.workers)
    facts = {
        "title": plan.experiment.title,
        "assay": plan.assay.name,
        "arms": {arm.label: arm.key for arm in plan.arms},
        "members": len(plan.members),
        "repeats": plan.replicates,
        "simulations": cost.simulations,
        "seconds_each": cost.seconds_each,
        "seconds": cost.seconds,
        "folder": str(folder),
        "finished": folder.exists(),
    }
    if as_json:
        to_json(facts)
        return
    _show_plan(plan, folder, cost.text)


def _show_plan(plan: Plan, folder: Path, cost: str) -> None:
    from haptos.lab.words import arm_text, question

    console = out()
    console.print(f"[bold]{plan.experiment.title or plan.assay.label}[/bold]")
    lines = question(plan.experiment, plan.assay.label)
    console.print(f"{lines[0]} {lines[-1]}\n", markup=False)
    table = plain_table(["arm", "done to the cells"], fold=["arm", "done to the cells"])
    for label, steps in plan.experiment.arms.items():
        table.add_row(label, arm_text((*plan.experiment.shared, *steps)))
    console.print(table)
    console.print(f"\n{cost}", markup=False)
    state = "is there already and would be shown again" if folder.exists() else "would be written"
    console.print(f"{folder} {state}", markup=False, soft_wrap=True)
