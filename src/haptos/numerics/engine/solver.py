"""The batched engine behind the interface of solvers."""

from __future__ import annotations

import itertools
import time as clock
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haptos.errors import ParameterError, Status
from haptos.numerics.engine._lane_data import FREE, Job
from haptos.numerics.engine.jit import default_cache, native_width
from haptos.numerics.engine.tableau import tableau
from haptos.numerics.ode import OdeSegment, OdeSolution, OdeTask

__all__ = ["EngineSolver", "Script", "integrate", "pieces_of"]

Array = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class EngineSolver:
    """Rosenbrock methods on lanes: many members of one system at once.

    Parameters
    ----------
    method : str
        ``Rodas5P`` (order 5) or ``Rodas4`` (order 4, cheaper steps, for loose tolerances).
    threads : int
        Threads that share the members, at least 1.
    width : int, optional
        Lanes of a vector, 1, 2, 4 or 8; what suits the processor by default. Neither
        `threads` nor `width` changes a bit of the result.
    keep : bool
        Whether machine code is kept on disk for the next process.

    Notes
    -----
    Every lane has its own time and step size; a lane that is done takes the next member.
    In systems with time in their equations the step is also held so short that outputs
    inside it are good: for a fast variable that follows a sine they are within some 30
    tolerances, while the ends of steps are within one.
    A step is accepted if the largest estimated error of any state is within its
    tolerance. Bits depend on the processor only through sine, cosine and their kin,
    which come from the C library.

    References
    ----------
    See :mod:`haptos.numerics.engine.tableau`.
    """

    method: str = "Rodas5P"
    threads: int = 1
    width: int | None = None
    keep: bool = True

    def __post_init__(self) -> None:
        """Check the choices."""
        tableau(self.method)
        if self.threads < 1:
            raise ParameterError(f"threads must be at least 1, not {self.threads}")
        if self.width not in (None, 1, 2, 4, 8):
            raise ParameterError(f"width must be 1, 2, 4 or 8, not {self.width}")

    def solve(self, task: OdeTask) -> OdeSolution:
        """Integrate all members of a task, see :class:`haptos.numerics.ode.OdeSolver`."""
        return integrate(self, task, np.zeros(task.n_members))[0]


@dataclass(frozen=True, slots=True, eq=False)
class Script:
    """Steps that members record or follow.

    Attributes
    ----------
    mode : int
        FREE, RECORD or REPLAY of :mod:`haptos.numerics.engine._lane_data`.
    ends : ndarray
        Ends of accepted steps; written or read.
    first : ndarray, shape (B,)
        Where the steps of every member start.
    """

    mode: int
    ends: Array
    first: Index


def integrate(
    solver: EngineSolver, task: OdeTask, step_sizes: Array, script: Script | None = None
) -> tuple[OdeSolution, Array]:
    """Integrate a task with given first steps.

    Parameters
    ----------
    solver : EngineSolver
        How.
    task : OdeTask
        What.
    step_sizes : ndarray, shape (B,)
        First step to try of every member; 0 to choose one.
    script : Script, optional
        Steps to record or to follow; not with events.

    Returns
    -------
    solution : OdeSolution
        As :meth:`EngineSolver.solve`.
    step_sizes : ndarray, shape (B,)
        Steps to try next.
    """
    size, n = task.initial.shape
    if n == 0 or size == 0:
        return _without_states(task), step_sizes.copy()
    parameters, changes, sources = _sources(task.segments, size, n, task.system.n_parameters)
    job = Job(
        np.array(task.initial, dtype=np.float64, order="C"),
        np.array(np.atleast_2d(task.atol), dtype=np.float64, order="C"),
        parameters,
        changes,
        sources,
        *pieces_of(task),
        np.array(task.times, dtype=np.float64),
        np.array(step_sizes, dtype=np.float64),
        script.ends if script else np.zeros(1),
        script.first if script else np.zeros(size, dtype=np.int64),
        np.empty((size, len(task.times), n)),
        np.empty((size, n)),
        np.zeros((size, 3), dtype=np.int64),
    )
    seconds = _run(solver, task, job, script.mode if script else FREE)
    steps = job.counts[:, 1]
    stages = tableau(solver.method).stages
    rhs = stages * steps + job.counts[:, 2]
    share = seconds * (steps + 1.0) / np.sum(steps + 1.0)
    return OdeSolution(job.states, job.final, job.counts[:, 0], steps, rhs, share), job.step_sizes


def _run(solver: EngineSolver, task: OdeTask, job: Job, mode: int) -> float:
    """Share the members among threads; returns the wall time [s]."""
    from haptos.numerics.engine.compiled import kernels_for
    from haptos.numerics.engine.driver import event_tables, load_driver, run_driver

    width = solver.width or native_width()
    cache = default_cache() if solver.keep else None
    compiled = kernels_for(task.system, solver.method, width, cache, task.n_members)
    settings = compiled.settings._replace(max_steps=task.max_steps, rtol=float(task.rtol), mode=mode)
    floor = np.array(task.system.floor)
    load_driver()
    began = clock.perf_counter()

    taken = np.zeros(1, dtype=np.int64)

    def work() -> None:
        tables = event_tables(task.events, task.system)
        memory = compiled.memory(task.rtol)
        own = settings._replace(memory=memory.ctypes.data, counter=taken.ctypes.data)
        run_driver(own, compiled.rows, memory, floor, job, tables)

    threads = min(solver.threads, -(-task.n_members // width))
    if threads == 1:
        work()
    else:
        with ThreadPoolExecutor(threads) as pool:
            for done in [pool.submit(work) for _ in range(threads)]:
                done.result()
    return clock.perf_counter() - began


def _sources(segments: Sequence[OdeSegment], size: int, n: int, p: int) -> tuple[Array, Array, Index]:
    """Collect different parameters and changes, and which of them each segment uses."""
    kept: list[list[Array]] = [[], []]
    known: list[dict[int, int]] = [{}, {}]

    def place(kind: int, array: Array | None) -> int:
        if array is None:
            return -1
        if id(array) not in known[kind]:
            known[kind][id(array)] = len(kept[kind])
            kept[kind].append(array)
        return known[kind][id(array)]

    sources = [[place(0, s.parameters), place(1, s.scale), place(1, s.shift)] for s in segments]
    parameters = np.array(kept[0], dtype=np.float64).reshape(len(kept[0]), size, p)
    changes = np.array(kept[1], dtype=np.float64).reshape(len(kept[1]), size, n)
    return parameters, changes, np.array(sources, dtype=np.int64)


def pieces_of(task: OdeTask) -> tuple[Index, Array, Index]:
    """Cut the segments of every member where its right-hand side or a trigger jumps."""
    size = task.n_members
    tapes = [task.system.breaks] + ([task.events.breaks] if task.events is not None else [])
    if not any(tape.n_outputs for tape in tapes):
        spans = np.array([(s.start, s.stop) for s in task.segments], dtype=np.float64)
        bounds = np.tile(np.array([0, len(spans)], dtype=np.int64), (size, 1))
        return bounds, spans, np.column_stack([np.arange(len(spans)), np.ones(len(spans))]).astype(np.int64)
    from haptos.numerics.evaluator import evaluate_tape

    nowhere = np.zeros((size, 1, task.system.n_states))
    found = [
        np.concatenate([evaluate_tape(tape, nowhere, s.parameters, np.zeros(1))[:, 0] for tape in tapes], axis=1)
        for s in task.segments
    ]
    rows: list[tuple[float, float, int, int]] = []
    limits = [0]
    for b in range(size):
        for number, segment in enumerate(task.segments):
            jumps = found[number][b]
            inner = np.unique(jumps[(jumps > segment.start) & (jumps < segment.stop)]).tolist()
            borders = [segment.start, *inner, segment.stop]
            rows += [(a, z, number, int(i == 0)) for i, (a, z) in enumerate(itertools.pairwise(borders))]
        limits.append(len(rows))
    table = np.array(rows, dtype=np.float64)
    edges = np.array(limits, dtype=np.int64)
    bounds = np.ascontiguousarray(np.column_stack([edges[:-1], edges[1:]]))
    return bounds, np.ascontiguousarray(table[:, :2]), np.ascontiguousarray(table[:, 2:].astype(np.int64))


def _without_states(task: OdeTask) -> OdeSolution:
    """Return the solution of a task in which nothing can change."""
    size, n = task.initial.shape
    finite = [np.all(np.isfinite(s.parameters), axis=1) for s in task.segments]
    status = np.where(np.all(finite, axis=0), int(Status.OK), int(Status.NON_FINITE))
    nothing = np.zeros(size, dtype=np.int64)
    states = np.zeros((size, len(task.times), n))
    return OdeSolution(states, np.zeros((size, n)), status, nothing, nothing.copy(), np.zeros(size))
