"""The driver of the lanes: time, step size, acceptance and refilling (numba).

Model-independent; the kernels are called by address. Import only inside functions: it
imports numba. What it does for one member stands readably in
:mod:`haptos.numerics.engine.reference`, and gives the same bits.

A lane goes through phases: idle, entering a piece (changes of state, parameters,
events), choosing a first step, stepping, and, where an event happened, firing.
"""

# ruff: noqa: PLR0912, PLR0913, PLR0917, C901
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
from haptos.numerics.engine._lane_data import EventTables, Job, Kernel, Lanes, Rows
from haptos.numerics.engine._lane_events import fire_lane, interpolate, locate_event

__all__ = ["run_lanes"]

Array = NDArray[np.float64]

_OK = int(Status.OK)
_MAX_STEPS = int(Status.MAX_STEPS)
_TOO_SMALL = int(Status.STEP_TOO_SMALL)
_NON_FINITE = int(Status.NON_FINITE)
_NEGATIVE = int(Status.NEGATIVE)
_STORM = int(Status.EVENT_STORM)
_RUNNING = -1

_IDLE, _ENTER, _CHOOSE, _STEP, _FIRE = range(5)


@intrinsic  # type: ignore[misc]
def call_kernel(_context: Any, address: Any, memory: Any) -> Any:  # noqa: ARG001
    """Call the kernel at `address` on the memory at `memory`."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        pointer = cgutils.voidptr_t
        function = ir.FunctionType(ir.VoidType(), [pointer])
        target = builder.inttoptr(arguments[0], function.as_pointer())
        builder.call(target, [builder.inttoptr(arguments[1], pointer)])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@njit(cache=True, nogil=True, error_model="numpy")
def _load(job: Job, work: Array, at: Rows, lanes: Lanes, events: EventTables, lane: int, b: int) -> None:
    """Put a member into a lane, before its first piece."""
    lanes.phase[lane], lanes.member[lane], lanes.piece[lane] = _ENTER, b, job.first_piece[b]
    lanes.output[lane] = lanes.attempts[lane] = lanes.starts[lane] = 0
    lanes.proposed[lane] = job.step_sizes[b]
    tolerance = b if job.atol.shape[0] > 1 else 0
    for i in range(at.n):
        value = job.initial[b, i]
        work[at.state + i, lane] = value
        work[at.lowest + i, lane] = value
        work[at.largest + i, lane] = abs(value)
        work[at.atol + i, lane] = job.atol[tolerance, i]
    for e in range(events.count):
        lanes.truth[lane, e] = events.initial[e]


@njit(cache=True, nogil=True, error_model="numpy")
def _open_segment(job: Job, work: Array, at: Rows, lane: int, b: int, segment: int) -> bool:
    """Change the state and load the parameters of a segment; whether all is finite."""
    source, scale, shift = job.sources[segment, 0], job.sources[segment, 1], job.sources[segment, 2]
    finite = True
    for i in range(at.n):
        value = work[at.state + i, lane]
        if scale >= 0:
            value = value * job.changes[scale, b, i]
        if shift >= 0:
            value = value + job.changes[shift, b, i]
        work[at.state + i, lane] = value
        work[at.largest + i, lane] = max(work[at.largest + i, lane], abs(value))
        work[at.lowest + i, lane] = min(work[at.lowest + i, lane], value)
        finite = finite and np.isfinite(value)
    for i in range(job.parameters.shape[2]):
        value = job.parameters[source, b, i]
        work[at.parameters + i, lane] = value
        finite = finite and np.isfinite(value)
    return bool(finite)


@njit(cache=True, nogil=True, error_model="numpy")
def _keep_state(job: Job, work: Array, at: Rows, lanes: Lanes, lane: int, stop: float) -> None:
    """Fill the output rows before `stop` with the state as it is."""
    b, row = lanes.member[lane], lanes.output[lane]
    while row < job.times.shape[0] and job.times[row] < stop:
        for i in range(at.n):
            job.states[b, row, i] = work[at.state + i, lane]
        row += 1
    lanes.output[lane] = row


@njit(cache=True, nogil=True, error_model="numpy")
def _enter(job: Job, kernel: Kernel, work: Array, at: Rows, lanes: Lanes, events: EventTables, lane: int) -> int:
    """Open pieces until one must be integrated; returns how the member ended, or -1."""
    b = lanes.member[lane]
    while lanes.piece[lane] < job.last_piece[b]:
        piece = lanes.piece[lane]
        start, stop = job.start[piece], job.stop[piece]
        if job.opens[piece] and not _open_segment(job, work, at, lane, b, job.segment[piece]):
            return _NON_FINITE
        if events.count and not fire_lane(events, work, lane, at, start, lanes.truth):
            return _STORM
        spacing = np.spacing(max(abs(start), abs(stop)))
        if stop - start > 16.0 * spacing:
            work[at.time, lane] = start
            work[at.earliest, lane], work[at.latest, lane] = start + 4.0 * spacing, stop - 4.0 * spacing
            lanes.phase[lane] = _STEP if lanes.proposed[lane] > 0.0 else _CHOOSE
            lanes.last_error[lane], lanes.rejected[lane] = 0.0, False
            return _RUNNING
        _keep_state(job, work, at, lanes, lane, stop)
        lanes.piece[lane] += 1
    end = job.stop[job.last_piece[b] - 1]
    if events.count and not fire_lane(events, work, lane, at, end, lanes.truth):
        return _STORM
    _keep_state(job, work, at, lanes, lane, np.inf)
    return _verdict(job, kernel, work, at, lane, b)


@njit(cache=True, nogil=True, error_model="numpy")
def _verdict(job: Job, kernel: Kernel, work: Array, at: Rows, lane: int, b: int) -> int:
    """Write the final state; lift small negative values, report larger ones."""
    for i in range(at.n):
        allowed = 1e4 * work[at.atol + i, lane] + 100.0 * job.rtol * work[at.largest + i, lane]
        if work[at.lowest + i, lane] < kernel.floor[i] - allowed:
            return _NEGATIVE
    for i in range(at.n):
        floor = kernel.floor[i]
        job.final[b, i] = max(work[at.state + i, lane], floor)
        for t in range(job.times.shape[0]):
            job.states[b, t, i] = max(job.states[b, t, i], floor)
    return _OK


@njit(cache=True, nogil=True, error_model="numpy")
def _close(job: Job, lanes: Lanes, lane: int, status: int) -> None:
    """Write how a member ended and free its lane."""
    b = lanes.member[lane]
    job.counts[b, 0], job.counts[b, 1], job.counts[b, 2] = status, lanes.attempts[lane], lanes.starts[lane]
    if status != _OK:
        job.states[b] = np.nan
        job.final[b] = np.nan
    elif lanes.proposed[lane] > 0.0:
        job.step_sizes[b] = lanes.proposed[lane]
    lanes.phase[lane], lanes.member[lane] = _IDLE, -1


@njit(cache=True, nogil=True, error_model="numpy")
def _first_step(job: Job, kernel: Kernel, work: Array, at: Rows, lane: int, stop: float, bend: Array) -> float:
    """Choose the first step from f and its derivative along the solution, J f + df/dt."""
    for i in range(at.n):
        bend[i] = work[at.time_slope + i, lane] if kernel.timed else 0.0
    for k in range(kernel.entry_row.shape[0]):
        entry = work[at.matrix + kernel.entry_slot[k], lane]
        bend[kernel.entry_row[k]] -= entry * work[at.rates + kernel.entry_column[k], lane]
    largest, steepest = 0.0, 0.0
    for i in range(at.n):
        weight = work[at.atol + i, lane] + job.rtol * abs(work[at.state + i, lane])
        largest = max(largest, abs(work[at.rates + i, lane]) / weight)
        steepest = max(steepest, abs(bend[i]) / weight)
    return start_step(largest, steepest, stop - work[at.time, lane], kernel.order)


@njit(cache=True, nogil=True, error_model="numpy")
def _judge(job: Job, kernel: Kernel, work: Array, at: Rows, lanes: Lanes, lane: int) -> int:
    """Accept or reject the attempt of a lane; returns how the member ended, or -1."""
    error, h = work[at.error, lane], work[at.step, lane]
    lanes.attempts[lane] += 1
    if error <= 1.0:
        work[at.accepted, lane] = 1.0
        return _RUNNING
    first = lanes.last_error[lane] == 0.0
    lanes.proposed[lane] = rejected_step(h, error, first, kernel.order)
    lanes.rejected[lane] = True
    if too_small(work[at.time, lane], lanes.proposed[lane]):
        return _TOO_SMALL if np.isfinite(error) else _NON_FINITE
    return _RUNNING


@njit(cache=True, nogil=True, error_model="numpy")
def _advance(job: Job, kernel: Kernel, work: Array, at: Rows, lanes: Lanes, events: EventTables, lane: int) -> None:
    """Write the outputs of an accepted step, look for events, choose the next step."""
    b = lanes.member[lane]
    now, h, error = work[at.time, lane], work[at.step, lane], work[at.error, lane]
    stop = job.stop[lanes.piece[lane]]
    after = end_of_step(now, lanes.proposed[lane], stop)
    moment = np.inf
    if events.count:
        moment = locate_event(events, work, lane, at, kernel.n_dense, now, after, lanes.truth)
    fired = moment <= after
    after = min(after, moment)
    row = lanes.output[lane]
    while row < job.times.shape[0] and job.times[row] < after:
        s = (job.times[row] - now) / h
        for i in range(at.n):
            value = interpolate(work, lane, at, kernel.n_dense, i, s)
            job.states[b, row, i] = value
            work[at.lowest + i, lane] = min(work[at.lowest + i, lane], value)
        row += 1
    lanes.output[lane] = row
    if fired:
        s = (after - now) / h
        for i in range(at.n):
            work[at.stage + i, lane] = interpolate(work, lane, at, kernel.n_dense, i, s)
    work[at.time, lane] = after
    larger = next_step(h, error, lanes.last_step[lane], lanes.last_error[lane], kernel.order)
    if lanes.rejected[lane]:
        larger = min(larger, h)
    elif h < lanes.proposed[lane]:
        larger = max(larger, lanes.proposed[lane])
    lanes.last_step[lane], lanes.last_error[lane] = h, max(error, 1e-2)
    lanes.rejected[lane] = False
    lanes.proposed[lane] = larger
    if fired:
        lanes.phase[lane] = _FIRE
    elif after == stop:
        lanes.phase[lane] = _ENTER
        lanes.piece[lane] += 1
        if lanes.piece[lane] < job.last_piece[b]:
            lanes.proposed[lane] = 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def _fill(
    job: Job, kernel: Kernel, work: Array, at: Rows, lanes: Lanes, events: EventTables, lane: int, following: int
) -> tuple[int, bool]:
    """Bring a lane to a phase in which it integrates, with members of the queue if need be.

    Returns the position in the queue and whether parameters were loaded.
    """
    loaded = False
    while True:
        phase = lanes.phase[lane]
        status = _RUNNING
        if phase == _IDLE:
            if following == job.queue.shape[0]:
                return following, loaded
            _load(job, work, at, lanes, events, lane, job.queue[following])
            following += 1
        elif phase == _FIRE:
            if fire_lane(events, work, lane, at, work[at.time, lane], lanes.truth):
                at_end = work[at.time, lane] == job.stop[lanes.piece[lane]]
                lanes.phase[lane] = _ENTER if at_end else _CHOOSE
                lanes.piece[lane] += 1 if at_end else 0
                lanes.proposed[lane], lanes.last_error[lane] = 0.0, 0.0
            else:
                status = _STORM
        elif phase == _ENTER:
            loaded = True
            status = _enter(job, kernel, work, at, lanes, events, lane)
        elif lanes.attempts[lane] >= job.max_steps:
            status = _MAX_STEPS
        else:
            return following, loaded
        if status != _RUNNING:
            _close(job, lanes, lane, status)


@njit(cache=True, nogil=True, error_model="numpy")
def run_lanes(job: Job, kernel: Kernel, work: Array, at: Rows, lanes: Lanes, events: EventTables) -> None:
    """Integrate the members of a queue; results go into the arrays of the job.

    Parameters
    ----------
    job : Job
        What to integrate.
    kernel : Kernel
        How.
    work : ndarray, shape (n_rows, W)
        Working memory, aligned to a vector; the relative tolerance stands in it already.
    at : Rows
        Rows of the memory.
    lanes : Lanes
        Idle lanes.
    events : EventTables
        Events; none if its count is 0.
    """
    width, memory = work.shape[1], work.ctypes.data
    following = 0
    bend = np.empty(at.n)
    for lane in range(width):
        work[at.time, lane], work[at.step, lane] = 0.0, 1.0
    while True:
        loaded, choosing, active = False, False, 0
        for lane in range(width):
            following, fresh = _fill(job, kernel, work, at, lanes, events, lane, following)
            loaded = loaded or fresh
            choosing = choosing or lanes.phase[lane] == _CHOOSE
            active += lanes.phase[lane] != _IDLE
        if active == 0:
            return
        if loaded:
            call_kernel(kernel.hoist, memory)
        if choosing:
            call_kernel(kernel.slope, memory)
        for lane in range(width):
            work[at.accepted, lane] = 0.0
            if lanes.phase[lane] == _IDLE:
                continue
            stop = job.stop[lanes.piece[lane]]
            if lanes.phase[lane] == _CHOOSE:
                lanes.proposed[lane] = _first_step(job, kernel, work, at, lane, stop, bend)
                lanes.starts[lane] += 1
                lanes.phase[lane] = _STEP
            now = work[at.time, lane]
            work[at.step, lane] = end_of_step(now, lanes.proposed[lane], stop) - now
        call_kernel(kernel.attempt, memory)
        accepted, dense = False, events.count > 0
        for lane in range(width):
            if lanes.phase[lane] == _IDLE:
                continue
            status = _judge(job, kernel, work, at, lanes, lane)
            if status != _RUNNING:
                _close(job, lanes, lane, status)
            elif work[at.accepted, lane] == 1.0:
                accepted = True
                row, after = lanes.output[lane], work[at.time, lane] + work[at.step, lane]
                dense = dense or (row < job.times.shape[0] and job.times[row] <= after)
        if not accepted:
            continue
        if dense:
            call_kernel(kernel.dense, memory)
        for lane in range(width):
            if work[at.accepted, lane] == 1.0:
                _advance(job, kernel, work, at, lanes, events, lane)
        call_kernel(kernel.accept, memory)
