"""The driver of the lanes: time, step size, acceptance and refilling (numba).

Model-independent; the kernels are called by address. Import only inside functions: it
imports numba. What it does for one member stands readably in
:mod:`haptos.numerics.engine.reference`, and gives the same bits.

A lane goes through phases: idle, entering a piece (changes of state, parameters,
events), choosing a first step, stepping, and, where an event happened, firing. Arrays
are passed one by one: tuples of arrays cost numba a minute of compilation.
"""

# ruff: noqa: PLR0912, PLR0913, PLR0915, PLR0917, C901
# Kernels take bare arrays, and the chain of decisions is long by nature.

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from haptos.errors import Status
from haptos.numerics.engine._control import end_of_step, next_step, rejected_step, start_step, too_small
from haptos.numerics.engine._lane_data import (
    AFTER,
    ATTEMPTS,
    LAST_ERROR,
    LAST_STEP,
    LINE,
    MEMBER,
    OUTPUT,
    PHASE,
    PIECE,
    PROPOSED,
    RECORD,
    REJECTED,
    REPLAY,
    STARTS,
    UNTIL,
    EventTables,
    Rows,
    Settings,
)
from haptos.numerics.engine._lane_events import fire_lane, interpolate, locate_event

__all__ = ["run_lanes"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Index = NDArray[np.int64]

_OK = int(Status.OK)
_MAX_STEPS = int(Status.MAX_STEPS)
_TOO_SMALL = int(Status.STEP_TOO_SMALL)
_NON_FINITE = int(Status.NON_FINITE)
_NEGATIVE = int(Status.NEGATIVE)
_STORM = int(Status.EVENT_STORM)
_RUNNING = -1

_IDLE, _ENTER, _CHOOSE, _STEP, _FIRE = range(5)


def _typed_call(_context: Any, address: Any, memory: Any) -> Any:  # noqa: ARG001
    """Type and generate a call of the kernel at `address` on the memory at `memory`."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        pointer = cgutils.voidptr_t
        function = ir.FunctionType(ir.VoidType(), [pointer])
        target = builder.inttoptr(arguments[0], function.as_pointer())
        builder.call(target, [builder.inttoptr(arguments[1], pointer)])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


call_kernel: Any = intrinsic(_typed_call)
"""In compiled code: ``call_kernel(address, memory)``."""


@njit(cache=True, nogil=True, error_model="numpy")
def _load(work: Array, at: Rows, lane: int, initial: Array, atol: Array) -> None:
    """Put the state and tolerances of a member into a lane."""
    for i in range(at.n):
        value = initial[i]
        work[at.state + i, lane] = value
        work[at.lowest + i, lane] = value
        work[at.largest + i, lane] = abs(value)
        work[at.atol + i, lane] = atol[i]


@njit(cache=True, nogil=True, error_model="numpy")
def _open_segment(work: Array, at: Rows, lane: int, b: int, source: Index, parameters: Array, changes: Array) -> bool:
    """Change the state and load the parameters of a segment; whether all is finite."""
    values, scale, shift = source[0], source[1], source[2]
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


@njit(cache=True, nogil=True, error_model="numpy")
def _keep_state(work: Array, at: Rows, lane: int, times: Array, row: int, stop: float, rows: Array) -> int:
    """Fill the output rows before `stop` with the state as it is; returns the next row."""
    while row < times.shape[0] and times[row] < stop:
        for i in range(at.n):
            rows[row, i] = work[at.state + i, lane]
        row += 1
    return row


@njit(cache=True, nogil=True, error_model="numpy")
def _verdict(work: Array, at: Rows, lane: int, rtol: float, floor: Array, rows: Array, final: Array) -> int:
    """Write the final state; lift small negative values, report larger ones."""
    for i in range(at.n):
        allowed = 1e4 * work[at.atol + i, lane] + 100.0 * rtol * work[at.largest + i, lane]
        if work[at.lowest + i, lane] < floor[i] - allowed:
            return _NEGATIVE
    for i in range(at.n):
        final[i] = max(work[at.state + i, lane], floor[i])
        for t in range(rows.shape[0]):
            rows[t, i] = max(rows[t, i], floor[i])
    return _OK


@njit(cache=True, nogil=True, error_model="numpy")
def _close(whole: Index, lane: int, status: int, rows: Array, final: Array, counts: Index) -> None:
    """Write how a member ended and free its lane."""
    counts[0], counts[1], counts[2] = status, whole[ATTEMPTS, lane], whole[STARTS, lane]
    if status != _OK:
        rows[:] = np.nan
        final[:] = np.nan
    whole[PHASE, lane] = _IDLE


@njit(cache=True, nogil=True, error_model="numpy")
def _first_step(
    work: Array, at: Rows, lane: int, entries: Index, settings: Settings, stop: float, bend: Array
) -> float:
    """Choose the first step from f and its derivative along the solution, J f + df/dt."""
    for i in range(at.n):
        bend[i] = work[at.time_slope + i, lane] if settings.timed else 0.0
    for k in range(entries.shape[0]):
        entry = work[at.matrix + entries[k, 2], lane]
        bend[entries[k, 0]] -= entry * work[at.rates + entries[k, 1], lane]
    largest, steepest = 0.0, 0.0
    for i in range(at.n):
        weight = work[at.atol + i, lane] + settings.rtol * abs(work[at.state + i, lane])
        largest = max(largest, abs(work[at.rates + i, lane]) / weight)
        steepest = max(steepest, abs(bend[i]) / weight)
    return start_step(largest, steepest, stop - work[at.time, lane], settings.order)


@njit(cache=True, nogil=True, error_model="numpy")
def _judge(work: Array, at: Rows, lane: int, whole: Index, real: Array, order: int, mode: int) -> int:
    """Accept or reject the attempt of a lane; returns how the member ended, or -1."""
    error, h = work[at.error, lane], work[at.step, lane]
    whole[ATTEMPTS, lane] += 1
    if error <= 1.0 or (mode == REPLAY and np.isfinite(error)):
        work[at.accepted, lane] = 1.0
        return _RUNNING
    if mode == REPLAY:
        return _NON_FINITE
    real[PROPOSED, lane] = rejected_step(h, error, real[LAST_ERROR, lane] == 0.0, order)
    whole[REJECTED, lane] = 1
    if too_small(work[at.time, lane], real[PROPOSED, lane]):
        return _TOO_SMALL if np.isfinite(error) else _NON_FINITE
    return _RUNNING


@njit(cache=True, nogil=True, error_model="numpy")
def _write_outputs(work: Array, at: Rows, whole: Index, real: Array, kernel: int, times: Array, states: Array) -> None:
    """Fill the output rows that accepted steps pass, in all lanes, by the dense output."""
    while True:
        some = False
        for lane in range(work.shape[1]):
            row = whole[OUTPUT, lane]
            wanted = work[at.accepted, lane] != 0.0 and row < times.shape[0] and times[row] < real[UNTIL, lane]
            work[at.wanted, lane], work[at.share, lane] = 0.0, 0.0
            if wanted:
                some = True
                work[at.wanted, lane] = 1.0
                work[at.share, lane] = (times[row] - work[at.time, lane]) / work[at.step, lane]
        if not some:
            return
        call_kernel(kernel, work.ctypes.data)
        for lane in range(work.shape[1]):
            if work[at.wanted, lane] != 0.0:
                target = states[whole[MEMBER, lane], whole[OUTPUT, lane]]
                source = work[at.between : at.between + at.n, lane]
                for i in range(at.n):
                    target[i] = source[i]
                whole[OUTPUT, lane] += 1


@njit(cache=True, nogil=True, error_model="numpy")
def _proceed(work: Array, at: Rows, lane: int, whole: Index, real: Array, after: float, order: int) -> None:
    """Set the time after an accepted step and choose the next step."""
    h, error, proposed = work[at.step, lane], work[at.error, lane], real[PROPOSED, lane]
    larger = next_step(h, error, real[LAST_STEP, lane], real[LAST_ERROR, lane], order)
    if whole[REJECTED, lane]:
        larger = min(larger, h)
    elif h < proposed:
        larger = max(larger, proposed)
    real[LAST_STEP, lane], real[LAST_ERROR, lane] = h, max(error, 1e-2)
    real[PROPOSED, lane], whole[REJECTED, lane] = larger, 0
    work[at.time, lane] = after


@njit(cache=True, nogil=True, error_model="numpy")
def run_lanes(
    settings: Settings,
    work: Array,
    at: Rows,
    entries: Index,
    floor: Array,
    queue: Index,
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
) -> None:
    """Integrate the members of a queue.

    Parameters
    ----------
    settings : Settings
        Addresses of the kernels and numbers.
    work : ndarray, shape (n_rows, W)
        Working memory, aligned to a vector; the relative tolerance stands in it already.
    at : Rows
        Rows of the memory.
    entries : ndarray, shape (nnz, 3)
        Row, column and slot of every entry of the Jacobian.
    floor : ndarray, shape (n,)
        Lowest admissible values.
    queue : ndarray, shape (Q,)
        Members, in the order in which they enter free lanes.
    initial ... counts
        See :class:`haptos.numerics.engine._lane_data.Job`.
    events : EventTables
        Events.
    """
    width, memory, n_events = work.shape[1], work.ctypes.data, events.flags.shape[0]
    following, common = 0, atol.shape[0] == 1
    whole = np.zeros((8, width), np.int64)
    real = np.zeros((5, width))
    truth = np.zeros((width, n_events), np.bool_)
    bend = np.empty(at.n)
    for lane in range(width):
        work[at.time, lane], work[at.step, lane] = 0.0, 1.0
    while True:
        loaded, choosing, active = False, False, 0
        for lane in range(width):
            while True:
                phase, b, status = whole[PHASE, lane], whole[MEMBER, lane], _RUNNING
                if phase == _IDLE:
                    if following == queue.shape[0]:
                        break
                    b = queue[following]
                    following += 1
                    _load(work, at, lane, initial[b], atol[0 if common else b])
                    whole[:, lane] = 0
                    whole[PHASE, lane], whole[MEMBER, lane], whole[PIECE, lane] = _ENTER, b, bounds[b, 0]
                    real[PROPOSED, lane] = step_sizes[b]
                    whole[LINE, lane] = script_first[b]
                    for e in range(n_events):
                        truth[lane, e] = events.flags[e, 0] != 0
                elif phase == _FIRE:
                    if fire_lane(events, work, lane, at, work[at.time, lane], truth[lane]):
                        at_end = work[at.time, lane] == spans[whole[PIECE, lane], 1]
                        whole[PHASE, lane] = _ENTER if at_end else _CHOOSE
                        whole[PIECE, lane] += 1 if at_end else 0
                        real[PROPOSED, lane], real[LAST_ERROR, lane] = 0.0, 0.0
                    else:
                        status = _STORM
                elif phase == _ENTER and whole[PIECE, lane] == bounds[b, 1]:
                    end = spans[bounds[b, 1] - 1, 1]
                    if n_events > 0 and not fire_lane(events, work, lane, at, end, truth[lane]):
                        status = _STORM
                    else:
                        _keep_state(work, at, lane, times, whole[OUTPUT, lane], np.inf, states[b])
                        status = _verdict(work, at, lane, settings.rtol, floor, states[b], final[b])
                        if real[PROPOSED, lane] > 0.0:
                            step_sizes[b] = real[PROPOSED, lane]
                elif phase == _ENTER:
                    piece = whole[PIECE, lane]
                    start, stop = spans[piece, 0], spans[piece, 1]
                    spacing = np.spacing(max(abs(start), abs(stop)))
                    loaded = True
                    if segments[piece, 1] != 0 and not _open_segment(
                        work, at, lane, b, sources[segments[piece, 0]], parameters, changes
                    ):
                        status = _NON_FINITE
                    elif n_events > 0 and not fire_lane(events, work, lane, at, start, truth[lane]):
                        status = _STORM
                    elif stop - start > 16.0 * spacing:
                        work[at.time, lane] = start
                        work[at.earliest, lane] = start + 4.0 * spacing
                        work[at.latest, lane] = stop - 4.0 * spacing
                        whole[PHASE, lane] = _STEP if real[PROPOSED, lane] > 0.0 else _CHOOSE
                        real[LAST_ERROR, lane], whole[REJECTED, lane] = 0.0, 0
                    else:
                        whole[OUTPUT, lane] = _keep_state(work, at, lane, times, whole[OUTPUT, lane], stop, states[b])
                        whole[PIECE, lane] += 1
                elif whole[ATTEMPTS, lane] >= settings.max_steps:
                    status = _MAX_STEPS
                else:
                    choosing = choosing or phase == _CHOOSE
                    active += 1
                    break
                if status != _RUNNING:
                    _close(whole, lane, status, states[b], final[b], counts[b])
        if active == 0:
            return
        if loaded:
            call_kernel(settings.hoist, memory)
        if choosing:
            call_kernel(settings.slope, memory)
        for lane in range(width):
            work[at.accepted, lane] = 0.0
            if whole[PHASE, lane] == _IDLE:
                continue
            now, stop = work[at.time, lane], spans[whole[PIECE, lane], 1]
            if whole[PHASE, lane] == _CHOOSE:
                real[PROPOSED, lane] = _first_step(work, at, lane, entries, settings, stop, bend)
                whole[STARTS, lane] += 1
                whole[PHASE, lane] = _STEP
            after = end_of_step(now, real[PROPOSED, lane], stop)
            if settings.mode == REPLAY:
                after = script[whole[LINE, lane]]
            real[AFTER, lane] = after
            work[at.step, lane] = after - now
        call_kernel(settings.attempt, memory)
        accepted, dense = False, n_events > 0
        for lane in range(width):
            if whole[PHASE, lane] == _IDLE:
                continue
            b, row = whole[MEMBER, lane], whole[OUTPUT, lane]
            status = _judge(work, at, lane, whole, real, settings.order, settings.mode)
            if status != _RUNNING:
                _close(whole, lane, status, states[b], final[b], counts[b])
            elif work[at.accepted, lane] == 1.0:
                accepted = True
                dense = dense or (row < times.shape[0] and times[row] < real[AFTER, lane])
        if not accepted:
            continue
        for lane in range(width):
            if settings.mode == RECORD and work[at.accepted, lane] != 0.0:
                script[whole[LINE, lane]] = real[AFTER, lane]
            whole[LINE, lane] += work[at.accepted, lane] != 0.0
        if dense:
            call_kernel(settings.dense, memory)
            for lane in range(width):
                real[UNTIL, lane] = real[AFTER, lane]
                if n_events > 0 and work[at.accepted, lane] != 0.0:
                    moment = locate_event(events, work, lane, at, settings.n_dense, real[AFTER, lane], truth[lane])
                    if moment <= real[AFTER, lane]:
                        whole[PHASE, lane] = _FIRE
                        real[UNTIL, lane] = moment
            _write_outputs(work, at, whole, real, settings.look, times, states)
        for lane in range(width):
            if work[at.accepted, lane] == 0.0:
                continue
            b, now, stop = whole[MEMBER, lane], work[at.time, lane], spans[whole[PIECE, lane], 1]
            until = real[AFTER, lane]
            if whole[PHASE, lane] == _FIRE:
                until = real[UNTIL, lane]
                s = (until - now) / (real[AFTER, lane] - now)
                for i in range(at.n):
                    bend[i] = interpolate(work, lane, at, settings.n_dense, i, s)
                for i in range(at.n):
                    work[at.stage + i, lane] = bend[i]
            elif until == stop:
                whole[PHASE, lane] = _ENTER
                whole[PIECE, lane] += 1
            _proceed(work, at, lane, whole, real, until, settings.order)
            if whole[PHASE, lane] == _ENTER and whole[PIECE, lane] < bounds[b, 1]:
                real[PROPOSED, lane] = 0.0
        call_kernel(settings.accept, memory)
