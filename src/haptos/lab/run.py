"""The main use case: an experiment in, a finished run folder out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haptos.core.settings import Settings
from haptos.lab.execute import PACE, execute, kept_tasks
from haptos.lab.plan import Plan, plan_experiment
from haptos.lab.progress import Progress, Silent
from haptos.lab.simulator import CellSimulator, Simulator

if TYPE_CHECKING:
    import pandas as pd

    from haptos.assays.base import AbstractAssay
    from haptos.conditions.experiment import Experiment
    from haptos.evidence.library import Library
    from haptos.lab.experiments import ExperimentFile
    from haptos.lab.plan import Task
    from haptos.signalling.cells import CellLine
    from haptos.signalling.condition import Condition, Outcome
    from haptos.store.manifest import Manifest, RunKey
    from haptos.store.runs import RunStore, Staging

__all__ = ["Bench", "RunResult", "compute", "load_run", "run", "run_experiment"]


@dataclass(frozen=True)
class Bench:
    """With what and where experiments are run.

    Attributes
    ----------
    store : RunStore
        Where the run folders are.
    workers : int
        Threads.
    simulator : Simulator
        The cells.
    progress : Progress
        Who listens.
    wait : float or None
        How long to wait for another process that works on the same run [s]; None is without end.
    assays : mapping or None
        Assays by name; None is the registry.
    library : Library or None
        Claims to compare with; None is the shipped library.
    pace : float
        How long a chunk of simulations should take [s].
    contexts : mapping of str to CellLine
        The user's own cells, beside those of the library and of an experiment file.
    """

    store: RunStore
    workers: int = 1
    simulator: Simulator = field(default_factory=CellSimulator)
    progress: Progress = field(default_factory=Silent)
    wait: float | None = None
    assays: Mapping[str, AbstractAssay] | None = None
    library: Library | None = None
    pace: float = PACE
    contexts: Mapping[str, CellLine] = field(default_factory=dict)


@dataclass(frozen=True)
class RunResult:
    """A finished run, read from its folder.

    Attributes
    ----------
    folder : Path
        The run folder.
    manifest : Manifest
        What it is and where it came from.
    tables : mapping of str to DataFrame
        ``values``, ``summary``, ``comparisons``, ``ensemble``, ``folds``, ``literature``,
        ``failures`` for an experiment; ``board`` for a reproduction.
    reused : bool
        Whether it had been computed before.
    """

    folder: Path
    manifest: Manifest
    tables: Mapping[str, pd.DataFrame]
    reused: bool = False

    @property
    def failed(self) -> bool:
        """Whether an arm of the reference could not be simulated."""
        return bool(self.manifest.headline.get("failed"))


def run(
    experiment: Experiment | Path | str,
    *,
    runs: Path | str | None = None,
    members: int | None = None,
    workers: int = 1,
    contexts: Mapping[str, CellLine] | None = None,
) -> RunResult:
    """Run an experiment, or show it again if it was run before.

    Parameters
    ----------
    experiment : Experiment or path
        The specification or its file.
    runs : path, optional
        Folder of the run folders; the default is that of the settings.
    members : int, optional
        Ensemble members to simulate; the default is all.
    workers : int
        Threads; the answer does not depend on them.
    contexts : mapping of str to CellLine, optional
        Cells of your own (:func:`haptos.lab.contexts.load_contexts`); those beside a file are found.

    Raises
    ------
    SpecError
        With every problem of the file.
    StoreError
        If the run folder cannot be written.
    """
    from haptos.lab.experiments import read_experiment
    from haptos.store.runs import RunStore

    store = RunStore(Path(runs) if runs is not None else Settings.load().runs)
    bench = Bench(store, workers, contexts=contexts or {})
    if isinstance(experiment, (str, Path)):
        file = read_experiment(experiment)
        return run_experiment(file.experiment, bench, members=members, file=file)
    return run_experiment(experiment, bench, members=members)


def run_experiment(
    experiment: Experiment, bench: Bench, *, members: int | None = None, file: ExperimentFile | None = None
) -> RunResult:
    """Plan, simulate, read, compare, draw and publish an experiment.

    Nothing is written before the whole plan is known to be sound. See :func:`run`.
    """
    plan = plan_experiment(
        experiment,
        bench.simulator,
        members=members,
        document=file.document if file is not None else None,
        assays=bench.assays,
        contexts={**bench.contexts, **(file.contexts if file is not None else {})},
    )
    key = experiment_key(plan, bench.simulator)

    def finish(staging: Staging, outcomes: Mapping[str, Outcome]) -> Mapping[str, Any]:
        from haptos.lab.record import write_experiment_results

        return write_experiment_results(staging, plan, outcomes, bench, text=file.text if file is not None else None)

    return compute(key, plan.tasks, plan.conditions, bench, seed=experiment.seed, finish=finish)


def experiment_key(plan: Plan, simulator: Simulator) -> RunKey:
    """Return what names the run of a plan: the experiment, the user's cells, the model and the members."""
    from haptos.lab.contexts import cells_in
    from haptos.lab.versions import code_fingerprint
    from haptos.store.manifest import RunKey

    specification = {
        "experiment": plan.experiment.canonical(),
        "model": simulator.fingerprint(),
        "code": code_fingerprint(),
        "members": list(plan.members),
        **cells_in(arm.condition for arm in plan.arms),
    }
    title = plan.experiment.title or f"{plan.assay.name} {plan.experiment.cells}"
    return RunKey("experiment", title, specification)


def compute(
    key: RunKey,
    tasks: tuple[Task, ...],
    conditions: Mapping[str, Condition],
    bench: Bench,
    *,
    seed: int,
    finish: Callable[[Staging, Mapping[str, Outcome]], Mapping[str, Any]],
) -> RunResult:
    """Compute a run under its lock, resume it, or recognise it as finished.

    Parameters
    ----------
    key : RunKey
        What the run is.
    tasks, conditions
        Its simulations.
    bench : Bench
        With what and where.
    seed : int
        For the manifest.
    finish : callable
        Writes the results into ``staging.result`` and returns the headline.
    """
    store, progress = bench.store, bench.progress
    with store.lock(key, wait=bench.wait, on_wait=lambda holder: progress.note(_waiting(holder))) as stale:
        found, wrong = store.finished(key)
        for line in wrong:
            progress.note(line)
        if found is not None:
            return load_run(found, reused=True)
        staging = store.stage(key)
        done = _begin(staging, progress, stale is not None)
        outcomes = execute(
            tasks,
            conditions,
            bench.simulator,
            workers=bench.workers,
            checkpoints=staging.checkpoints,
            done=done,
            progress=progress,
            pace=bench.pace,
        )
        staging.clear_result()
        headline = finish(staging, outcomes)
        folder = store.publish(staging, _manifest(key, staging, bench, seed, headline))
    return load_run(folder, reused=False)


def _waiting(holder: object) -> str:
    who = f" ({holder})" if holder is not None else ""
    return f"another process{who} works on this run; waiting until it is done"


def _begin(staging: Staging, progress: Progress, stale: bool) -> dict[str, str]:
    """Sift what an earlier process left; return in which file each finished simulation is."""
    sound, discarded = staging.checkpoints.sift()
    done = kept_tasks(staging.checkpoints, sound)
    for name in discarded:
        progress.note(f"a torn file was discarded and is computed again: {name}")
        staging.log(f"discarded {name}")
    if staging.resumed and (done or stale):
        progress.note(f"an unfinished run was found; going on from {len(done)} finished simulations")
    staging.log(f"{'resumed' if staging.resumed else 'begun'} with {len(done)} finished simulations")
    return done


def _manifest(key: RunKey, staging: Staging, bench: Bench, seed: int, headline: Mapping[str, Any]) -> Manifest:
    from haptos.lab.versions import claims_checksum
    from haptos.store.manifest import Manifest

    return Manifest(
        name=key.name,
        kind=key.kind,
        hash=key.digest,
        specification=key.specification,
        seed=seed,
        fingerprint=bench.simulator.fingerprint(),
        claims=claims_checksum(bench.library),
        headline=headline,
        started=staging.started,
    )


def load_run(folder: Path, *, reused: bool = True) -> RunResult:
    """Read a finished run from its folder.

    Raises
    ------
    StoreError
        If the manifest or a table cannot be read.
    """
    from haptos.store.arrays import read_table
    from haptos.store.manifest import read_manifest

    tables = {path.stem: read_table(path) for path in sorted((folder / "tables").glob("*.parquet"))}
    return RunResult(folder, read_manifest(folder), tables, reused)
