"""What the driver of the lanes works on: named tuples of arrays, which numba can read."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ARRAYS",
    "ENTER",
    "FIRE",
    "FIRST_ARRAY",
    "FIRST_EVENT",
    "FIRST_ROW",
    "FIRST_SETTING",
    "FREE",
    "FULL",
    "IDLE",
    "LINE",
    "LOADED",
    "MEMBER",
    "N_EVENT_NUMBERS",
    "OUTPUT",
    "PHASE",
    "PIECE",
    "RECORD",
    "REPLAY",
    "RUNNING",
    "STARTS",
    "STEP",
    "EventTables",
    "Job",
    "Rows",
    "Settings",
]

Array = NDArray[np.float64]
Index = NDArray[np.int64]


class Rows(NamedTuple):
    """Rows of the working memory, see :class:`haptos.numerics.engine.layout.Layout`."""

    n: int
    time: int
    step: int
    after: int
    stop: int
    earliest: int
    latest: int
    error: int
    proposed: int
    memory: int
    accepted: int
    lost: int
    rejected: int
    attempts: int
    limit: int
    next_output: int
    active: int
    choosing: int
    watched: int
    follows: int
    scripted: int
    parameters: int
    state: int
    stage: int
    atol: int
    largest: int
    lowest: int
    dense: int
    share: int
    wanted: int
    between: int


class Settings(NamedTuple):
    """Numbers the driver needs.

    Attributes
    ----------
    hoist, start, advance, dense, look, accept : int
        Addresses of the kernels.
    memory, counter : int
        Addresses of the working memory and of the number of members taken so far.
    n_dense : int
        Rows of the dense output of the method.
    max_steps : int
        Most attempts of one member.
    rtol : float
        Relative tolerance.
    mode : int
        What is done with the script: nothing, record the ends of accepted steps, or
        take exactly these steps.
    """

    hoist: int
    start: int
    advance: int
    dense: int
    look: int
    accept: int
    memory: int
    counter: int
    n_dense: int
    max_steps: int
    rtol: float
    mode: int


class Job(NamedTuple):
    """What is to be integrated and where the results go.

    Attributes
    ----------
    initial : ndarray, shape (B, n)
        States at the start.
    atol : ndarray, shape (B, n) or (1, n)
        Absolute tolerances.
    parameters, changes : ndarray, shapes (U, B, p), (V, B, n)
        Different sets of parameters and changes of state.
    sources : ndarray, shape (S, 3)
        Which of them each segment uses: parameters, scale, shift; -1 for none.
    bounds : ndarray, shape (B, 2)
        First and last (excluded) piece of every member.
    spans : ndarray, shape (K, 2)
        Start and stop of every piece; inside a piece nothing jumps.
    segments : ndarray, shape (K, 2)
        Segment of every piece, and whether it is the first of its segment.
    times : ndarray, shape (T,)
        Output times.
    step_sizes : ndarray, shape (B,)
        In: first step to try, 0 to choose one. Out: step to try next.
    script : ndarray
        Ends of accepted steps, see `mode` of :class:`Settings`.
    script_first : ndarray, shape (B,)
        Where the script of every member starts.
    states, final : ndarray, shapes (B, T, n), (B, n)
        Results.
    counts : ndarray, shape (B, 3)
        Results: status, attempts, starts of a stretch.
    """

    initial: Array
    atol: Array
    parameters: Array
    changes: Array
    sources: Index
    bounds: Index
    spans: Array
    segments: Index
    times: Array
    step_sizes: Array
    script: Array
    script_first: Index
    states: Array
    final: Array
    counts: Index


class EventTables(NamedTuple):
    """Events as plain arrays.

    Attributes
    ----------
    limit : int
        Most executions at one moment.
    n_parameters, place, first : int
        Number of parameters; places of state 0 and of the first result in the memory.
    flags : ndarray, shape (E, 3)
        Initial value, persistence, values of the moment of the trigger.
    owned : ndarray, shape (E + 1,)
        Event `e` owns the assignments [owned[e], owned[e + 1]).
    targets : ndarray, shape (A,)
        State each assignment sets.
    code : ndarray of int32, shape (n, 4)
        Instructions that evaluate triggers and new values.
    outputs : ndarray, shape (E + A,)
        Places of the triggers, then of the new values.
    memory : ndarray
        Working array.
    seen : ndarray of bool, shape (E,)
        Triggers as they are now.
    queue : ndarray, shape (Q, 2)
        Events that wait to be executed at one moment, and where their values are stored.
    stored : ndarray
        Values of the moment of the trigger.

    The last four belong to one thread.
    """

    limit: int
    n_parameters: int
    place: int
    first: int
    flags: Index
    owned: Index
    targets: Index
    code: NDArray[np.int32]
    outputs: Index
    memory: Array
    seen: NDArray[np.bool_]
    queue: Index
    stored: Array


N_EVENT_NUMBERS = 4
"""Numbers at the start of :class:`EventTables`."""

FIRST_SETTING = 4
FIRST_ROW = FIRST_SETTING + len(Settings._fields)
FIRST_EVENT = FIRST_ROW + len(Rows._fields)
FIRST_ARRAY = FIRST_EVENT + N_EVENT_NUMBERS
"""Places in the table that the driver reads, see :mod:`haptos.numerics.engine._lane_entry`."""

ARRAYS = (
    ("work", "f8", 2),
    ("floor", "f8", 1),
    ("initial", "f8", 2),
    ("atol", "f8", 2),
    ("parameters", "f8", 3),
    ("changes", "f8", 3),
    ("sources", "i8", 2),
    ("bounds", "i8", 2),
    ("spans", "f8", 2),
    ("segments", "i8", 2),
    ("times", "f8", 1),
    ("step_sizes", "f8", 1),
    ("script", "f8", 1),
    ("script_first", "i8", 1),
    ("states", "f8", 3),
    ("final", "f8", 2),
    ("counts", "i8", 2),
    ("flags", "i8", 2),
    ("owned", "i8", 1),
    ("targets", "i8", 1),
    ("code", "i4", 2),
    ("outputs", "i8", 1),
    ("memory", "f8", 1),
    ("seen", "b1", 1),
    ("queue", "i8", 2),
    ("stored", "f8", 1),
    ("whole", "i8", 2),
    ("truth", "b1", 2),
)
"""Arrays of the table, in its order: name, kind of number, dimensions."""

PHASE, MEMBER, PIECE, OUTPUT, STARTS, LINE, LOADED = range(7)
"""Rows of the whole numbers of the lanes: phase; who; in which piece; next output row;
starts of a stretch; next line of the script; whether parameters were loaded."""

IDLE, ENTER, STEP, FIRE, FULL = range(5)
"""Phases: without a member; before a piece; stepping; at an event; at the limit of steps."""

RUNNING = -1
"""Stands for a status where a member goes on."""

FREE, RECORD, REPLAY = range(3)
"""Modes of the script."""
