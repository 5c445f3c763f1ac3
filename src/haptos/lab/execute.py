"""Run simulations in chunks on several threads, keeping each finished chunk."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing
from typing import TYPE_CHECKING

from haptos.lab.chunks import LEAST, Chunk, chunks_of, from_arrays, keys_in, shortened, to_arrays
from haptos.lab.plan import Task
from haptos.signalling.condition import Condition, Outcome

if TYPE_CHECKING:
    from haptos.lab.progress import Progress
    from haptos.lab.simulator import Simulator
    from haptos.store.checkpoints import Checkpoints

__all__ = ["PACE", "execute", "kept_tasks"]

#: How long a chunk should take [s]: an interrupt waits for it, a crash loses it.
PACE = 0.5

_MOST = 4096  # simulations of a chunk


def kept_tasks(checkpoints: Checkpoints, chunks: set[str]) -> dict[str, str]:
    """Return in which of the kept chunks each finished simulation is."""
    return {task: chunk for chunk in sorted(chunks) for task in keys_in(checkpoints.load(chunk))}


def execute(
    tasks: Sequence[Task],
    conditions: Mapping[str, Condition],
    simulator: Simulator,
    *,
    workers: int,
    checkpoints: Checkpoints,
    done: Mapping[str, str],
    progress: Progress,
    pace: float = PACE,
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
        Threads; the kernels of the simulator run at once. The results do not depend on it.
    checkpoints : Checkpoints
        Where finished chunks are kept.
    done : mapping of str to str
        In which chunk each finished simulation is, see :func:`kept_tasks`.
    progress : Progress
        Told of every finished chunk.
    pace : float
        How long a chunk should take [s].

    Returns
    -------
    dict of str to Outcome
        In the order of `tasks`, read back from the checkpoints.
    """
    open_tasks = [t for t in tasks if t.key not in done]
    progress.begin("simulations", len(tasks), len(tasks) - len(open_tasks))
    places = dict(done)
    crew = _Crew(conditions, simulator, checkpoints, workers, pace)
    try:
        with closing(crew.run(chunks_of(open_tasks, crew.preculture))) as finished:
            for chunk in finished:
                places |= dict.fromkeys((key for keys in chunk.task_keys() for key in keys), chunk.key)
                progress.advance(len(chunk))
    finally:
        progress.end()
    found: dict[str, Outcome] = {}
    for key in dict.fromkeys(places[task.key] for task in tasks):
        found |= from_arrays(checkpoints.load(key))
    return {task.key: found[task.key] for task in tasks}


class _Crew:
    """Threads that simulate chunks and keep them.

    All simulating happens in them: an interrupt reaches the main thread at once, and chunks
    under way are finished and kept.
    """

    def __init__(
        self,
        conditions: Mapping[str, Condition],
        simulator: Simulator,
        checkpoints: Checkpoints,
        workers: int,
        pace: float,
    ) -> None:
        self._conditions = conditions
        self._simulator = simulator
        self._checkpoints = checkpoints
        self._workers = workers
        self._pace = pace

    def preculture(self, condition: str) -> str:
        """Return what a condition settles in."""
        return self._simulator.preculture(self._conditions[condition])

    def run(self, chunks: Sequence[Chunk]) -> Generator[Chunk]:
        """Simulate chunks, cut to pace, and return each when it is kept."""
        waiting, size = list(chunks), float(LEAST)
        ahead = 1  # the first chunk is alone: it loads and compiles the model
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="simulate")
        running: dict[Future[float], Chunk] = {}
        try:
            while waiting or running:
                while waiting and len(running) < ahead:
                    head, *waiting[:1] = shortened(waiting[0], size)
                    running[pool.submit(self._simulate, head)] = head
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    chunk = running.pop(future)
                    rate = len(chunk) / max(future.result(), 1e-9)
                    size, ahead = min(max(LEAST, self._pace * rate), _MOST), 2 * self._workers
                    yield chunk
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _simulate(self, chunk: Chunk) -> float:
        """Simulate and keep one chunk; return how long it took [s]."""
        start = time.monotonic()
        conditions = [self._conditions[c] for c in chunk.conditions]
        outcomes = self._simulator.simulate_batch(conditions, chunk.populations, seed=chunk.seed)
        self._checkpoints.save(chunk.key, to_arrays(chunk, outcomes))
        return time.monotonic() - start
