"""The driver of the lanes: members in, pieces, outputs, members out (numba).

Import this module only inside functions: it imports numba. A lane holds one member; the
kernel is called by address and returns when a lane needs attention. What happens to a
member is what :mod:`haptos.numerics.stochastic._leap_kernel` does to it, with the same bits.
"""

# ruff: noqa: PLR0913, PLR0917
# Kernels take bare arrays.

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from haptos.errors import Status
from haptos.numerics.stochastic._advance import border_after, load, scratch_of
from haptos.numerics.stochastic._jit import entry_jit, part_jit
from haptos.numerics.stochastic._kernel import exact_piece, record
from haptos.numerics.stochastic._laws import open_piece, prepare
from haptos.numerics.stochastic._plan import FAILED, PAUSED, Members, Plan, Scratch
from haptos.numerics.stochastic._random import seek, used_words
from haptos.numerics.stochastic.lane_jumps import BY_HAND, NEGATIVE_COUNT, NEGATIVE_LAW

__all__ = ["LanePlaces", "advance_lanes"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

_SEARCH, _SHORT, _NEGATIVE_LAW = float(BY_HAND), float(NEGATIVE_COUNT), float(NEGATIVE_LAW)
_NEGATIVE, _NON_FINITE, _MAX_STEPS = int(Status.NEGATIVE), int(Status.NON_FINITE), int(Status.MAX_STEPS)
_ANY = 9007199254740992
_HALF = 4503599627370496.0
"""2**52: members with larger counts are left to the kernel that watches for 2**53."""


class LanePlaces(NamedTuple):
    """Rows of the working memory, see :class:`~haptos.numerics.stochastic.lane_layout.LaneLayout`."""

    lanes: int
    live: int
    clock: int
    bound: int
    pending: int
    total: int
    flag: int
    keys: int
    first: int
    position: int
    pairs: int
    x: int
    coefficients: int
    fixed: int
    fixed_places: Integers


def _jumps_rule(_context: Any, address: Any, memory: Any, most: Any) -> Any:  # noqa: ARG001
    """Call the kernel at `address` on the memory at `memory` for at most `most` jumps."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        pointer, number = cgutils.voidptr_t, ir.IntType(64)
        function = ir.FunctionType(number, [pointer, number])
        target = builder.inttoptr(arguments[0], function.as_pointer())
        return builder.call(target, [builder.inttoptr(arguments[1], pointer), arguments[2]])

    return types.int64(types.int64, types.int64, types.int64), generate


_call_jumps: Any = intrinsic(_jumps_rule)


class _Run(NamedTuple):
    """What stays the same while a part of the batch runs through a segment."""

    parameters: Array
    breaks: Array
    times: Array
    stop: float
    last: bool
    max_steps: int


class _Lanes(NamedTuple):
    """The working memory, once as numbers and once as whole numbers, and who is in which lane."""

    w: Array
    wi: Integers
    member: Integers
    border: Array


@part_jit
def _bound(times: Array, cursor: int, border: float) -> float:
    """Return the first number beyond the times up to which nothing but jumps happens."""
    due = times[cursor] if cursor < times.shape[0] else np.inf
    return np.nextafter(due, np.inf) if due < border else border


@part_jit
def _used(lanes: _Lanes, at: LanePlaces, lane: int) -> np.uint64:
    """Return how many words a lane has drawn."""
    return np.uint64(4 * lanes.wi[at.first, lane] + 2 * lanes.wi[at.position, lane])


@part_jit
def _enter(m: Members, lanes: _Lanes, at: LanePlaces, lane: int) -> None:
    """Give a lane the key and place in the stream of its member; its pairs are to be drawn."""
    b = lanes.member[lane]
    pairs = np.int64(m.used[b]) // 2
    lanes.wi[at.position, lane] = at.pairs + pairs % 2
    lanes.wi[at.first, lane] = (pairs - lanes.wi[at.position, lane]) // 2
    for k in range(2):
        lanes.wi[at.keys + k, lane] = np.int64(m.keys[b, k])


@part_jit
def _show(plan: Plan, s: Scratch, m: Members, lanes: _Lanes, at: LanePlaces, lane: int) -> None:
    """Copy state and time of a lane to where one member at a time is dealt with."""
    for i in range(plan.n_states):
        s.x[i] = lanes.w[at.x + i, lane]
    m.clock[lanes.member[lane]] = lanes.w[at.clock, lane]


@part_jit
def _leave(plan: Plan, s: Scratch, m: Members, lanes: _Lanes, at: LanePlaces, lane: int) -> None:
    """Keep the state of the member of a lane, and empty the lane."""
    b = lanes.member[lane]
    for i in range(plan.n_states):
        m.state[b, i] = s.x[i]
        lanes.w[at.x + i, lane] = 0.0
    for r in range(plan.n_factors.shape[0]):
        lanes.w[at.coefficients + r, lane] = 0.0
    m.used[b] = _used(lanes, at, lane)
    lanes.w[at.live, lane] = 0.0
    lanes.member[lane] = -1


@part_jit
def _start(plan: Plan, s: Scratch, m: Members, lanes: _Lanes, at: LanePlaces, lane: int, times: Array) -> None:
    """Let a lane jump, from the state and the laws at hand."""
    b = lanes.member[lane]
    for i in range(plan.n_states):
        lanes.w[at.x + i, lane] = s.x[i]
    for r in range(plan.n_factors.shape[0]):
        lanes.w[at.coefficients + r, lane] = s.coefficients[r]
    for k in range(at.fixed_places.shape[0]):
        lanes.w[at.fixed + k, lane] = s.law_work[at.fixed_places[k]]
    lanes.w[at.clock, lane] = m.clock[b]
    lanes.w[at.bound, lane] = _bound(times, m.cursor[b], lanes.border[lane])
    lanes.w[at.live, lane] = 1.0


@part_jit
def _by_hand(plan: Plan, s: Scratch, m: Members, lanes: _Lanes, at: LanePlaces, lane: int, run: _Run, most: int) -> int:
    """Make jumps with the kernel of single members; returns how it ended."""
    b, border = lanes.member[lane], lanes.border[lane]
    moment = m.clock[b] + 0.5 * (border - m.clock[b])
    m.status[b] = prepare(plan, s, run.parameters[b])
    if m.status[b] == 0:
        m.status[b] = open_piece(plan, s, moment)
    if m.status[b] != 0:
        return FAILED
    seek(s.stream, m.keys[b], _used(lanes, at, lane))
    ended = exact_piece(plan, s, m, b, run.times, border, moment, most, run.max_steps)
    m.used[b] = used_words(s.stream)
    _enter(m, lanes, at, lane)
    return ended


@part_jit
def _open(plan: Plan, s: Scratch, m: Members, lanes: _Lanes, at: LanePlaces, lane: int, run: _Run) -> bool:
    """Begin the next piece of a member whose state is in the scratch; False if it is through."""
    b = lanes.member[lane]
    while m.clock[b] < run.stop:
        record(plan, s, m, b, run.times, m.clock[b], True)  # noqa: FBT003
        border = border_after(m.clock[b], run.stop, run.breaks[b])
        lanes.border[lane] = border
        m.status[b] = prepare(plan, s, run.parameters[b])
        if m.status[b] == 0:
            m.status[b] = open_piece(plan, s, m.clock[b] + 0.5 * (border - m.clock[b]))
        if m.status[b] != 0:
            return False
        if s.x[: plan.n_counts].max() <= _HALF:
            _start(plan, s, m, lanes, at, lane, run.times)
            return True
        if _by_hand(plan, s, m, lanes, at, lane, run, _ANY) == FAILED:
            return False
        record(plan, s, m, b, run.times, border, False)  # noqa: FBT003
    if run.last:
        record(plan, s, m, b, run.times, np.inf, True)  # noqa: FBT003
    return False


@part_jit
def _failure(m: Members, lanes: _Lanes, at: LanePlaces, lane: int, max_steps: int) -> int:
    """Return the status of a lane that must end, else 0."""
    flag, total = lanes.w[at.flag, lane], lanes.w[at.total, lane]
    if flag in (_SHORT, _NEGATIVE_LAW):
        return _NEGATIVE
    if not total < np.inf:
        return _NON_FINITE
    fresh = lanes.w[at.pending, lane] > -np.inf
    return _MAX_STEPS if fresh and total > 0.0 and m.n_steps[lanes.member[lane]] >= max_steps else 0


@part_jit
def _attend(plan: Plan, s: Scratch, m: Members, lanes: _Lanes, at: LanePlaces, lane: int, run: _Run) -> bool:
    """Do what a lane needs after the kernel has returned; False if its member is through."""
    b, border = lanes.member[lane], lanes.border[lane]
    m.status[b] = _failure(m, lanes, at, lane, run.max_steps)
    if m.status[b] != 0:
        return False
    total, pending = lanes.w[at.total, lane], lanes.w[at.pending, lane]
    if pending == -np.inf:
        return True
    _show(plan, s, m, lanes, at, lane)
    if total > 0.0 and lanes.w[at.flag, lane] == _SEARCH:
        ended = _by_hand(plan, s, m, lanes, at, lane, run, 1)
        if ended == FAILED:
            return False
        if ended == PAUSED:
            _start(plan, s, m, lanes, at, lane, run.times)
            return True
    elif total > 0.0 and pending < border:
        record(plan, s, m, b, run.times, pending, False)  # noqa: FBT003
        lanes.w[at.bound, lane] = _bound(run.times, m.cursor[b], border)
        return True
    elif total > 0.0:
        lanes.wi[at.position, lane] += 1
    m.clock[b] = border
    record(plan, s, m, b, run.times, border, False)  # noqa: FBT003
    return _open(plan, s, m, lanes, at, lane, run)


@part_jit
def _next(plan: Plan, s: Scratch, m: Members, lanes: _Lanes, at: LanePlaces, lane: int, run: _Run, b: int) -> bool:
    """Give a lane a member; False if that member is through at once."""
    if m.status[b] != 0 or not load(plan, s, m, b, run.parameters[b]):
        return False
    lanes.member[lane] = b
    _enter(m, lanes, at, lane)
    if _open(plan, s, m, lanes, at, lane, run):
        return True
    _leave(plan, s, m, lanes, at, lane)
    return False


@entry_jit
def advance_lanes(
    plan: Plan,
    m: Members,
    rows: Integers,
    parameters: Array,
    breaks: Array,
    times: Array,
    stop: float,
    last: bool,
    max_steps: int,
    address: int,
    w: Array,
    at: LanePlaces,
    coefficient_work: Array,
    law_work: Array,
    trigger_work: Array,
) -> None:
    """Bring the members in `rows` to `stop`, for systems without events.

    Parameters are those of :func:`haptos.numerics.stochastic._advance.advance`; then the
    kernel, its working memory ``w (n_rows, W)`` and where what stands in it.
    """
    s = scratch_of(plan, coefficient_work, law_work, trigger_work)
    run = _Run(parameters, breaks, times, stop, last, max_steps)
    lanes = _Lanes(w, w.view(np.int64), np.full(at.lanes, -1, np.int64), np.zeros(at.lanes))
    member, n_events, n_steps = lanes.member, m.n_events, m.n_steps
    waiting, running = 0, 0
    while running > 0 or waiting < rows.shape[0]:
        most = max_steps
        for lane in range(at.lanes):
            while member[lane] < 0 and waiting < rows.shape[0]:
                running += int(_next(plan, s, m, lanes, at, lane, run, rows[waiting]))
                waiting += 1
            if member[lane] >= 0:
                most = min(most, max_steps - n_steps[member[lane]])
        if running == 0:
            break
        made = _call_jumps(address, w.ctypes.data, most)
        for lane in range(at.lanes):
            b = member[lane]
            if b < 0:
                continue
            n_events[b] += made
            n_steps[b] += made
            total, pending = w[at.total, lane], w[at.pending, lane]
            calm = w[at.flag, lane] == 0.0 and 0.0 < total < np.inf and pending < w[at.bound, lane]
            if calm and n_steps[b] < max_steps:
                continue
            if not _attend(plan, s, m, lanes, at, lane, run):
                _leave(plan, s, m, lanes, at, lane)
                running -= 1
