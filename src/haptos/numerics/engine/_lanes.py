"""The driver of the lanes: takes members, lets the kernels step, writes what steps pass (numba).

Model-independent; the kernels are called by address and take the steps. Import only
inside functions: it imports numba. What it does for one member stands readably in
:mod:`haptos.numerics.engine.reference`, and gives the same bits. Arrays are passed one by
one: tuples of many arrays cost numba a minute of compilation. Nothing is allocated, so
that the machine code needs nothing of numba: see :mod:`haptos.numerics.engine.driver`.
"""

# ruff: noqa: PLR0913, PLR0917
# Kernels take bare arrays.

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from haptos.errors import Status
from haptos.numerics.engine._lane_call import call_kernel, lane_jit, take_number
from haptos.numerics.engine._lane_data import (
    FIRE,
    FREE,
    FULL,
    IDLE,
    LINE,
    LOADED,
    MEMBER,
    PHASE,
    PIECE,
    RECORD,
    REPLAY,
    RUNNING,
    STEP,
    EventTables,
    Rows,
    Settings,
)
from haptos.numerics.engine._lane_events import interpolate, locate_event
from haptos.numerics.engine._lane_outputs import write_outputs
from haptos.numerics.engine._lane_turns import (
    close_member,
    end_pieces,
    enter_piece,
    finish_member,
    fire_events,
    take_member,
)

__all__ = ["run_lanes"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Index = NDArray[np.int64]

_MAX_STEPS = int(Status.MAX_STEPS)
_TOO_SMALL = int(Status.STEP_TOO_SMALL)
_NON_FINITE = int(Status.NON_FINITE)


@lane_jit
def _prepare(work: Array, at: Rows, settings: Settings, watched: bool) -> None:
    """Set what stays the same for all members."""
    for lane in range(work.shape[1]):
        work[at.active, lane], work[at.choosing, lane] = 0.0, 0.0
        work[at.time, lane], work[at.limit, lane] = 0.0, settings.max_steps
        work[at.watched, lane] = 1.0 if watched or settings.mode != FREE else 0.0
        work[at.follows, lane] = 1.0 if settings.mode == REPLAY else 0.0


@lane_jit
def _locate(work: Array, at: Rows, whole: Index, events: EventTables, n_dense: int, truth: Flags) -> None:
    """End accepted steps at the first event within them."""
    for lane in range(work.shape[1]):
        if work[at.accepted, lane] != 0.0:
            moment = locate_event(events, work, lane, at, n_dense, work[at.after, lane], truth[lane])
            if moment <= work[at.after, lane]:
                whole[PHASE, lane] = FIRE
                work[at.after, lane] = moment


@lane_jit
def _cut_at_events(work: Array, at: Rows, whole: Index, n_dense: int) -> None:
    """Replace the result of steps that end at an event by the state there."""
    for lane in range(work.shape[1]):
        if work[at.accepted, lane] != 0.0 and whole[PHASE, lane] == FIRE:
            s = (work[at.after, lane] - work[at.time, lane]) / work[at.step, lane]
            for i in range(at.n):
                work[at.stage + i, lane] = interpolate(work, lane, at, n_dense, i, s)


@lane_jit
def _read_script(work: Array, at: Rows, whole: Index, script: Array) -> None:
    """Set the ends of the next steps."""
    for lane in range(work.shape[1]):
        if work[at.active, lane] != 0.0:
            work[at.scripted, lane] = script[whole[LINE, lane]]


@lane_jit
def _write_script(work: Array, at: Rows, whole: Index, mode: int, script: Array) -> None:
    """Note the ends of accepted steps, if they are recorded, and go on to the next line."""
    for lane in range(work.shape[1]):
        if work[at.accepted, lane] != 0.0:
            if mode == RECORD:
                script[whole[LINE, lane]] = work[at.after, lane]
            whole[LINE, lane] += 1


@lane_jit
def _lose(work: Array, at: Rows, whole: Index, states: Array, final: Array, counts: Index) -> None:
    """Close the members that no step can follow."""
    for lane in range(work.shape[1]):
        if work[at.lost, lane] != 0.0:
            status = _TOO_SMALL if np.isfinite(work[at.error, lane]) else _NON_FINITE
            close_member(work, at, whole, lane, status, states, final, counts)
            work[at.lost, lane] = 0.0


@lane_jit
def _step(
    work: Array,
    at: Rows,
    whole: Index,
    settings: Settings,
    bounds: Index,
    script: Array,
    times: Array,
    states: Array,
    events: EventTables,
    truth: Flags,
) -> None:
    """Advance all lanes until one of them needs attention, and write what steps pass."""
    memory = settings.memory
    loaded, choosing, passed = False, False, False
    for lane in range(work.shape[1]):
        loaded = loaded or whole[LOADED, lane] != 0
        whole[LOADED, lane] = 0
        choosing = choosing or work[at.choosing, lane] != 0.0
    if loaded:
        call_kernel(settings.hoist, memory)
    if choosing:
        call_kernel(settings.start, memory)
    if settings.mode == REPLAY:
        _read_script(work, at, whole, script)
    call_kernel(settings.advance, memory)
    if settings.mode != FREE:
        _write_script(work, at, whole, settings.mode, script)
    for lane in range(work.shape[1]):
        outputs = truth.shape[1] > 0 or work[at.next_output, lane] < work[at.after, lane]
        passed = passed or (work[at.accepted, lane] != 0.0 and outputs)
    if passed:
        call_kernel(settings.dense, memory)
        if truth.shape[1] > 0:
            _locate(work, at, whole, events, settings.n_dense, truth)
        write_outputs(work, at, whole, settings, times, states)
        if truth.shape[1] > 0:
            _cut_at_events(work, at, whole, settings.n_dense)
    call_kernel(settings.accept, memory)
    end_pieces(work, at, whole, bounds)


@lane_jit
def run_lanes(
    settings: Settings,
    work: Array,
    at: Rows,
    floor: Array,
    initial: Array,
    atol: Array,
    parameters: Array,
    changes: Array,
    sources: Index,
    bounds: Index,
    spans: Array,
    segments: Index,
    times: Array,
    step_sizes: Array,
    script: Array,
    script_first: Index,
    states: Array,
    final: Array,
    counts: Index,
    events: EventTables,
    whole: Index,
    truth: Flags,
) -> None:
    """Integrate members until none is left to take.

    Threads that run this at once on the same arrays, each with its own working memory and
    events, share the members through one counter.

    Parameters
    ----------
    settings : Settings
        Addresses of the kernels and numbers.
    work : ndarray, shape (n_rows, W)
        Working memory, aligned to a vector; the relative tolerance stands in it already.
    at : Rows
        Rows of the memory.
    floor : ndarray, shape (n,)
        Lowest admissible values.
    initial ... counts
        See :class:`haptos.numerics.engine._lane_data.Job`.
    events : EventTables
        Events.
    whole : ndarray, shape (7, W)
        Whole numbers of the lanes, see :mod:`haptos.numerics.engine._lane_data`; zeros.
    truth : ndarray of bool, shape (W, E)
        Triggers of the lanes.
    """
    _prepare(work, at, settings, truth.shape[1] > 0)
    drained = False
    while True:
        stepping = 0
        for lane in range(work.shape[1]):
            while whole[PHASE, lane] != STEP:
                status = RUNNING
                if whole[PHASE, lane] == IDLE:
                    b = initial.shape[0] if drained else take_number(settings.counter)
                    drained = b >= initial.shape[0]
                    if drained:
                        break
                    take_member(work, at, whole, lane, b, initial, atol)
                    whole[PIECE, lane], whole[LINE, lane] = bounds[b, 0], script_first[b]
                    work[at.proposed, lane] = step_sizes[b]
                    for e in range(truth.shape[1]):
                        truth[lane, e] = events.flags[e, 0] != 0
                elif whole[PHASE, lane] == FIRE:
                    status = fire_events(work, at, whole, lane, events, truth)
                elif whole[PHASE, lane] == FULL:
                    status = _MAX_STEPS
                elif whole[PIECE, lane] == bounds[whole[MEMBER, lane], 1]:
                    status = finish_member(
                        work, at, whole, lane, settings, floor, spans, times, step_sizes, states, final, events, truth
                    )
                else:
                    changed = (sources, parameters, changes)
                    status = enter_piece(work, at, whole, lane, changed, spans, segments, times, states, events, truth)
                if status != RUNNING:
                    close_member(work, at, whole, lane, status, states, final, counts)
            stepping += whole[PHASE, lane] == STEP
        if stepping == 0:
            return
        _step(work, at, whole, settings, bounds, script, times, states, events, truth)
        _lose(work, at, whole, states, final, counts)
