"""Run simulations in this process or in several, keeping each finished one."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
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

__all__ = ["execute", "from_arrays", "to_arrays"]

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
    run = _here if min(workers, len(open_tasks)) <= 1 else _in_processes
    try:
        for task, outcome in run(open_tasks, conditions, simulator, min(workers, max(1, len(open_tasks)))):
            checkpoints.save(task.key, to_arrays(outcome))
            progress.advance()
    finally:
        progress.end()
    return {task.key: from_arrays(checkpoints.load(task.key)) for task in tasks}


def _here(
    tasks: Sequence[Task], conditions: Mapping[str, Condition], simulator: Simulator, workers: int
) -> Iterator[tuple[Task, Outcome]]:
    for task in tasks:
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
    return {**arrays, "status": np.asarray(int(outcome.status))}


def from_arrays(arrays: Mapping[str, NDArray[Any]]) -> Outcome:
    """Return the outcome kept as named arrays."""
    quantities = {k.partition("/")[2]: v for k, v in arrays.items() if k.startswith("quantity/")}
    geometry = {k.partition("/")[2]: float(v) for k, v in arrays.items() if k.startswith("geometry/")}
    parameters = {k.partition("/")[2]: float(v) for k, v in arrays.items() if k.startswith("parameter/")}
    return Outcome(quantities, geometry, Status(int(arrays["status"])), parameters)
