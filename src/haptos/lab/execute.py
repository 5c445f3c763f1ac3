"""Run simulations in this process or in several, keeping each finished one."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from haptos.errors import HaptosError, Status
from haptos.lab.plan import Task
from haptos.signalling.condition import Condition, Outcome

if TYPE_CHECKING:
    from haptos.lab.progress import Progress
    from haptos.lab.simulator import Simulator
    from haptos.store.checkpoints import Checkpoints

__all__ = ["PATIENCE", "execute", "from_arrays", "to_arrays"]

#: How long one process works alone before others are started [s].
PATIENCE = 3.0

_AHEAD = 4  # tasks handed out per worker, so that an interrupt waits for few


def execute(
    tasks: Sequence[Task],
    conditions: Mapping[str, Condition],
    simulator: Simulator,
    *,
    workers: int,
    checkpoints: Checkpoints,
    done: set[str],
    progress: Progress,
    patience: float = PATIENCE,
) -> dict[str, Outcome]:
    """Run every task that is not yet kept and return all results by key.

    Parameters
    ----------
    tasks : sequence of Task
        Each once.
    conditions : mapping of str to Condition
        By content hash.
    simulator : Simulator
        A pure function in object form.
    workers : int
        Processes; 1 computes in this one. The results do not depend on it.
    checkpoints : Checkpoints
        Where finished tasks are kept.
    done : set of str
        Keys that are kept already.
    progress : Progress
        Told of every finished task.
    patience : float
        How long this process works alone before it starts others [s]: they need a few seconds
        to load the model.

    Returns
    -------
    dict of str to Outcome
        In the order of `tasks`, read back from the checkpoints.

    Raises
    ------
    HaptosError
        If a worker process dies; what was finished is kept.
    """
    open_tasks = [t for t in tasks if t.key not in done]
    progress.begin("simulations", len(tasks), len(tasks) - len(open_tasks))
    try:
        for task, outcome in _run(open_tasks, conditions, simulator, workers, patience):
            checkpoints.save(task.key, to_arrays(outcome))
            progress.advance()
    finally:
        progress.end()
    return {task.key: from_arrays(checkpoints.load(task.key)) for task in tasks}


def _run(
    tasks: Sequence[Task], conditions: Mapping[str, Condition], simulator: Simulator, workers: int, patience: float
) -> Iterator[tuple[Task, Outcome]]:
    """Simulate here; hand over to several processes once that is sure to be worth their start."""
    start = time.monotonic()
    for i, task in enumerate(tasks):
        rest = tasks[i:]
        spent = time.monotonic() - start
        if min(workers, len(rest)) > 1 and spent >= patience and spent / max(i, 1) * len(rest) >= patience:
            yield from _in_processes(rest, conditions, simulator, min(workers, len(rest)))
            return
        yield task, _simulate(simulator, conditions[task.condition], task)


def _in_processes(
    tasks: Sequence[Task], conditions: Mapping[str, Condition], simulator: Simulator, workers: int
) -> Iterator[tuple[Task, Outcome]]:
    with _pool(workers) as pool:
        waiting = iter(tasks)
        running: dict[Future[Outcome], Task] = {}
        try:
            while True:
                for task in _take(waiting, workers * _AHEAD - len(running)):
                    running[pool.submit(_simulate, simulator, conditions[task.condition], task)] = task
                if not running:
                    return
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield running.pop(future), future.result()
        except BrokenProcessPool as error:
            raise HaptosError(
                "a worker process died (perhaps the memory was used up); finished simulations are kept: "
                "run the same command again, with --workers 1 if it happens twice"
            ) from error


def _take(tasks: Iterator[Task], n: int) -> list[Task]:
    return [task for _, task in zip(range(n), tasks, strict=False)]


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Make processes that ignore the interrupt key (the parent handles it) and die with their parent."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _start_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _simulate(simulator: Simulator, condition: Condition, task: Task) -> Outcome:
    return simulator.simulate(condition, member=task.member, seed=task.seed, replicate=task.replicate)


def to_arrays(outcome: Outcome) -> dict[str, NDArray[Any]]:
    """Return an outcome as named arrays, for a checkpoint."""
    arrays: dict[str, NDArray[Any]] = {f"quantity/{k}": np.asarray(v, float) for k, v in outcome.quantities.items()}
    arrays |= {f"geometry/{k}": np.asarray(v, float) for k, v in outcome.geometry.items()}
    arrays |= {f"parameter/{k}": np.asarray(v, float) for k, v in outcome.parameters.items()}
    arrays |= {f"parameter/{k}": np.asarray(v, float) for k, v in outcome.parameters.items()}
    return {**arrays, "status": np.asarray(int(outcome.status))}


def from_arrays(arrays: Mapping[str, NDArray[Any]]) -> Outcome:
    """Return the outcome kept as named arrays."""
    groups: dict[str, dict[str, NDArray[Any]]] = {"quantity": {}, "geometry": {}, "parameter": {}}
    for name, array in arrays.items():
        group, _, rest = name.partition("/")
        if group in groups:
            groups[group][rest] = array
    return Outcome(
        groups["quantity"],
        {name: float(value) for name, value in groups["geometry"].items()},
        Status(int(arrays["status"])),
        {name: float(value) for name, value in groups["parameter"].items()},
    )
