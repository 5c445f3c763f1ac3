"""What a lane does between steps: members, pieces and segments come and go (numba).

Import only inside functions: it imports numba.
"""

# ruff: noqa: PLR0913, PLR0917
# Kernels take bare arrays.

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from haptos.errors import Status
from haptos.numerics.engine._lane_call import lane_jit, next_number
from haptos.numerics.engine._lane_data import (
    ENTER,
    FULL,
    IDLE,
    LOADED,
    MEMBER,
    OUTPUT,
    PHASE,
    PIECE,
    RUNNING,
    STARTS,
    STEP,
    EventTables,
    Rows,
    Settings,
)
from haptos.numerics.engine._lane_events import fire_lane
from haptos.numerics.engine._lane_outputs import keep_state, next_output, verdict

__all__ = ["close_member", "end_pieces", "enter_piece", "finish_member", "fire_events", "take_member"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Index = NDArray[np.int64]

_OK = int(Status.OK)
_NON_FINITE = int(Status.NON_FINITE)
_STORM = int(Status.EVENT_STORM)


@lane_jit
def take_member(work: Array, at: Rows, whole: Index, lane: int, b: int, initial: Array, atol: Array) -> None:
    """Put a member into a lane."""
    shared = 0 if atol.shape[0] == 1 else b
    for i in range(at.n):
        value = initial[b, i]
        work[at.state + i, lane] = value
        work[at.lowest + i, lane] = value
        work[at.largest + i, lane] = abs(value)
        work[at.atol + i, lane] = atol[shared, i]
    for row in range(whole.shape[0]):
        whole[row, lane] = 0
    whole[PHASE, lane], whole[MEMBER, lane] = ENTER, b
    work[at.attempts, lane], work[at.active, lane] = 0.0, 1.0


@lane_jit
def close_member(
    work: Array, at: Rows, whole: Index, lane: int, status: int, states: Array, final: Array, counts: Index
) -> None:
    """Write how a member ended and free its lane."""
    b = whole[MEMBER, lane]
    counts[b, 0], counts[b, 1], counts[b, 2] = status, int(work[at.attempts, lane]), whole[STARTS, lane]
    if status != _OK:
        for i in range(at.n):
            final[b, i] = np.nan
            for t in range(states.shape[1]):
                states[b, t, i] = np.nan
    whole[PHASE, lane], work[at.active, lane], work[at.time, lane] = IDLE, 0.0, 0.0


@lane_jit
def _open_segment(work: Array, at: Rows, lane: int, b: int, segment: int, changed: tuple[Index, Array, Array]) -> bool:
    """Change the state and load the parameters of a segment; whether all is finite."""
    sources, parameters, changes = changed
    values, scale, shift = sources[segment, 0], sources[segment, 1], sources[segment, 2]
    finite = True
    for i in range(at.n):
        value = work[at.state + i, lane]
        if scale >= 0:
            value = value * changes[scale, b, i]
        if shift >= 0:
            value = value + changes[shift, b, i]
        work[at.state + i, lane] = value
        work[at.largest + i, lane] = max(work[at.largest + i, lane], abs(value))
        work[at.lowest + i, lane] = min(work[at.lowest + i, lane], value)
        finite = finite and np.isfinite(value)
    for i in range(parameters.shape[2]):
        value = parameters[values, b, i]
        work[at.parameters + i, lane] = value
        finite = finite and np.isfinite(value)
    return bool(finite)


@lane_jit
def _choose(work: Array, at: Rows, whole: Index, lane: int) -> None:
    """Begin a stretch; its first step is chosen unless one is carried over."""
    work[at.memory, lane], work[at.rejected, lane] = 0.0, 0.0
    if work[at.attempts, lane] >= work[at.limit, lane]:
        whole[PHASE, lane] = FULL
        return
    whole[PHASE, lane] = STEP
    if not work[at.proposed, lane] > 0.0:
        work[at.choosing, lane] = 1.0
        whole[STARTS, lane] += 1


@lane_jit
def _begin_piece(
    work: Array, at: Rows, whole: Index, lane: int, start: float, stop: float, times: Array, states: Array
) -> None:
    """Begin to step through a piece, or pass it by if it is all but empty."""
    larger = max(abs(start), abs(stop))
    spacing = next_number(larger, np.inf) - larger
    if stop - start > 16.0 * spacing:
        work[at.time, lane], work[at.stop, lane] = start, stop
        work[at.earliest, lane] = start + 4.0 * spacing
        work[at.latest, lane] = stop - 4.0 * spacing
        work[at.next_output, lane] = next_output(times, whole[OUTPUT, lane])
        _choose(work, at, whole, lane)
    else:
        keep_state(work, at, whole, lane, stop, times, states)
        whole[PIECE, lane] += 1


@lane_jit
def fire_events(work: Array, at: Rows, whole: Index, lane: int, events: EventTables, truth: Flags) -> int:
    """Execute the events of this moment; go on with the piece, or with the next."""
    work[at.proposed, lane] = 0.0
    if not fire_lane(events, work, lane, at, work[at.time, lane], truth[lane]):
        return _STORM
    if work[at.time, lane] == work[at.stop, lane]:
        whole[PHASE, lane] = ENTER
        whole[PIECE, lane] += 1
    else:
        _choose(work, at, whole, lane)
    return RUNNING


@lane_jit
def enter_piece(
    work: Array,
    at: Rows,
    whole: Index,
    lane: int,
    changed: tuple[Index, Array, Array],
    spans: Array,
    segments: Index,
    times: Array,
    states: Array,
    events: EventTables,
    truth: Flags,
) -> int:
    """Enter the next piece of a member: changes, then events, then the first step."""
    b, piece = whole[MEMBER, lane], whole[PIECE, lane]
    whole[LOADED, lane] = 1
    if segments[piece, 1] != 0 and not _open_segment(work, at, lane, b, segments[piece, 0], changed):
        return _NON_FINITE
    if truth.shape[1] > 0 and not fire_lane(events, work, lane, at, spans[piece, 0], truth[lane]):
        return _STORM
    _begin_piece(work, at, whole, lane, spans[piece, 0], spans[piece, 1], times, states)
    return RUNNING


@lane_jit
def finish_member(
    work: Array,
    at: Rows,
    whole: Index,
    lane: int,
    settings: Settings,
    floor: Array,
    spans: Array,
    times: Array,
    step_sizes: Array,
    states: Array,
    final: Array,
    events: EventTables,
    truth: Flags,
) -> int:
    """Fire the events of the last moment, write what is left and judge the member."""
    b, end = whole[MEMBER, lane], spans[whole[PIECE, lane] - 1, 1]
    if truth.shape[1] > 0 and not fire_lane(events, work, lane, at, end, truth[lane]):
        return _STORM
    keep_state(work, at, whole, lane, np.inf, times, states)
    if work[at.proposed, lane] > 0.0:
        step_sizes[b] = work[at.proposed, lane]
    return verdict(work, at, lane, b, settings.rtol, floor, states, final)


@lane_jit
def end_pieces(work: Array, at: Rows, whole: Index, bounds: Index) -> None:
    """Send lanes that reached the end of their piece to the next; stop at the limit of steps."""
    for lane in range(work.shape[1]):
        if whole[PHASE, lane] != STEP:
            continue
        if work[at.time, lane] == work[at.stop, lane]:
            whole[PHASE, lane] = ENTER
            whole[PIECE, lane] += 1
            if whole[PIECE, lane] < bounds[whole[MEMBER, lane], 1]:
                work[at.proposed, lane] = 0.0
        elif work[at.attempts, lane] >= work[at.limit, lane] and work[at.lost, lane] == 0.0:
            whole[PHASE, lane] = FULL
