"""What the driver of the lanes works on: named tuples of arrays, which numba can read."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["EventTables", "Job", "Kernel", "Lanes", "Rows", "new_lanes"]

Array = NDArray[np.float64]
Index = NDArray[np.int64]


class Rows(NamedTuple):
    """Rows of the working memory, see :class:`haptos.numerics.engine.layout.Layout`."""

    n: int
    time: int
    step: int
    earliest: int
    latest: int
    error: int
    accepted: int
    parameters: int
    state: int
    stage: int
    rates: int
    time_slope: int
    atol: int
    largest: int
    lowest: int
    matrix: int
    dense: int


class Kernel(NamedTuple):
    """Compiled kernels and what the driver must know about the model.

    Attributes
    ----------
    hoist, slope, attempt, dense, accept : int
        Addresses.
    order, n_dense, stages : int
        Of the method.
    timed : bool
        Whether the right-hand side depends on time.
    entry_row, entry_column, entry_slot : ndarray
        Entries of the Jacobian.
    floor : ndarray, shape (n,)
        Lowest admissible values.
    """

    hoist: int
    slope: int
    attempt: int
    dense: int
    accept: int
    order: int
    n_dense: int
    timed: bool
    entry_row: Index
    entry_column: Index
    entry_slot: Index
    floor: Array


class Job(NamedTuple):
    """What is to be integrated and where the results go.

    Attributes
    ----------
    queue : ndarray, shape (Q,)
        Members, in the order in which they enter free lanes.
    initial : ndarray, shape (B, n)
        States at the start.
    atol : ndarray, shape (B, n) or (1, n)
        Absolute tolerances.
    rtol : float
        Relative tolerance.
    parameters, changes : ndarray, shapes (U, B, p), (V, B, n)
        Different sets of parameters and changes of state.
    sources : ndarray, shape (S, 3)
        Which of them each segment uses: parameters, scale, shift; -1 for none.
    first_piece, last_piece : ndarray, shape (B,)
        Pieces of every member: [first, last).
    start, stop : ndarray
        Times of every piece; inside a piece nothing jumps.
    segment, opens : ndarray
        Segment of every piece, and whether it is the first of its segment.
    times : ndarray, shape (T,)
        Output times.
    max_steps : int
        Most attempts of one member.
    step_sizes : ndarray, shape (B,)
        In: first step to try, 0 to choose one. Out: step to try next.
    states, final : ndarray, shapes (B, T, n), (B, n)
        Results.
    counts : ndarray, shape (B, 3)
        Results: status, attempts, starts of a stretch.
    """

    queue: Index
    initial: Array
    atol: Array
    rtol: float
    parameters: Array
    changes: Array
    sources: Index
    first_piece: Index
    last_piece: Index
    start: Array
    stop: Array
    segment: Index
    opens: Index
    times: Array
    max_steps: int
    step_sizes: Array
    states: Array
    final: Array
    counts: Index


class EventTables(NamedTuple):
    """Events as plain arrays; tapes as (prologue, first, body, first, memory, place, outputs)."""

    count: int
    initial: NDArray[np.bool_]
    persistent: NDArray[np.bool_]
    at_trigger: NDArray[np.bool_]
    first: Index
    targets: Index
    triggers: tuple[Any, ...]
    values: tuple[Any, ...]
    point: Array
    n_parameters: int
    limit: int


class Lanes(NamedTuple):
    """State of W lanes, arrays of shape (W,).

    Attributes
    ----------
    phase : ndarray
        See :mod:`haptos.numerics.engine._lanes`.
    member, piece, output : ndarray
        Who is in the lane, in which piece, and the next output row.
    attempts, starts : ndarray
        Counts of the member.
    rejected : ndarray
        Whether the last attempt failed.
    proposed, last_step, last_error : ndarray
        Step to try; size and error of the last accepted step (0: none in this stretch).
    truth : ndarray of bool, shape (W, n_events)
        Triggers when last examined.
    """

    phase: Index
    member: Index
    piece: Index
    output: Index
    attempts: Index
    starts: Index
    rejected: NDArray[np.bool_]
    proposed: Array
    last_step: Array
    last_error: Array
    truth: NDArray[np.bool_]


def new_lanes(width: int, n_events: int) -> Lanes:
    """Return idle lanes."""
    whole = [np.zeros(width, dtype=np.int64) for _ in range(6)]
    numbers = [np.zeros(width) for _ in range(3)]
    return Lanes(*whole, np.zeros(width, dtype=bool), *numbers, np.zeros((width, n_events), dtype=bool))
