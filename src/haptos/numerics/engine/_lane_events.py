"""Events in a lane (numba): the compiled twin of :func:`haptos.numerics.events.fire`.

Import only inside functions: it imports numba.
"""

# ruff: noqa: PLR0917

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from haptos.numerics._kernels import run
from haptos.numerics.engine._lane_call import lane_jit
from haptos.numerics.engine._lane_data import EventTables, Rows

__all__ = ["fire_lane", "interpolate", "locate_event"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Index = NDArray[np.int64]

_LOOKS = 4
"""Points of a step at which triggers are examined."""


@lane_jit
def interpolate(work: Array, lane: int, at: Rows, n_dense: int, i: int, s: float) -> float:
    """Return state `i` at the share `s` of the step just attempted."""
    inner = work[at.dense + (n_dense - 1) * at.n + i, lane]
    for d in range(n_dense - 2, -1, -1):
        inner = work[at.dense + d * at.n + i, lane] + s * inner
    r = 1.0 - s
    return float(r * work[at.state + i, lane] + s * (work[at.stage + i, lane] + r * inner))


@lane_jit
def _examine(events: EventTables, work: Array, lane: int, at: Rows, time: float, truth: Flags) -> None:
    """Evaluate triggers and new values at the state in the memory."""
    memory, place = events.memory, events.place + at.n
    for i in range(events.n_parameters):
        memory[place + i] = work[at.parameters + i, lane]
    memory[place + events.n_parameters] = time
    run(events.code, events.first, memory)
    for e in range(truth.shape[0]):
        truth[e] = memory[events.outputs[e]] != 0.0


@lane_jit
def fire_lane(events: EventTables, work: Array, lane: int, at: Rows, time: float, truth: Flags) -> bool:
    """Examine the triggers of a lane and execute what fires; False is a storm.

    The state of the lane and its triggers, `truth` of shape (E,), are changed in place.
    """
    memory, now = events.memory, events.seen
    for i in range(at.n):
        memory[events.place + i] = work[at.state + i, lane]
    _examine(events, work, lane, at, time, now)
    if not _turned(now, truth):
        _copy(now, truth)
        return True
    tail = _enqueue(events, now, truth, 0)
    head, executed = 0, 0
    while head < tail:
        if executed == events.limit:
            return False
        event, line = events.queue[head, 0], head
        head += 1
        if events.flags[event, 1] == 0 and not truth[event]:
            continue
        _assign(events, event, events.queue[line, 1], truth.shape[0])
        executed += 1
        _examine(events, work, lane, at, time, now)
        tail = _enqueue(events, now, truth, tail)
    for i in range(at.n):
        value = memory[events.place + i]
        work[at.state + i, lane] = value
        work[at.largest + i, lane] = max(work[at.largest + i, lane], abs(value))
        work[at.lowest + i, lane] = min(work[at.lowest + i, lane], value)
    return True


@lane_jit
def _assign(events: EventTables, event: int, first: int, count: int) -> None:
    """Give the targets of an event their values: those stored from `first` on, or those of now."""
    begin = events.owned[event]
    for a in range(begin, events.owned[event + 1]):
        fresh = events.flags[event, 2] == 0
        value = events.memory[events.outputs[count + a]] if fresh else events.stored[first + a - begin]
        events.memory[events.place + events.targets[a]] = value


@lane_jit
def _enqueue(events: EventTables, now: Flags, truth: Flags, tail: int) -> int:
    """Append events that turned true, with the values of now where these count; returns the new tail."""
    count, first = truth.shape[0], 0
    if tail > 0:
        last = events.queue[tail - 1, 0]
        first = events.queue[tail - 1, 1] + _room(events, last)
    for e in range(count):
        if now[e] and not truth[e]:
            events.queue[tail, 0], events.queue[tail, 1] = e, first
            for a in range(_room(events, e)):
                events.stored[first + a] = events.memory[events.outputs[count + events.owned[e] + a]]
            first += _room(events, e)
            tail += 1
        truth[e] = now[e]
    return tail


@lane_jit
def _room(events: EventTables, event: int) -> int:
    """Return how many values an event stores when its trigger turns true."""
    return int(events.owned[event + 1] - events.owned[event]) if events.flags[event, 2] != 0 else 0


@lane_jit
def locate_event(
    events: EventTables,
    work: Array,
    lane: int,
    at: Rows,
    n_dense: int,
    after: float,
    truth: Flags,
) -> float:
    """Return when a trigger first turns true in a step, infinity if none does.

    `truth` becomes what holds just before that moment, or at the end of the step. The
    step is looked at in quarters; within one, the moment is found by halving time until
    it cannot be halved.
    """
    now = work[at.time, lane]
    length = after - now
    seen, low = events.seen, now
    for look in range(1, _LOOKS + 1):
        high = after if look == _LOOKS else now + length * look / _LOOKS
        _look(events, work, lane, at, n_dense, now, length, high, seen)
        if not _turned(seen, truth):
            _copy(seen, truth)
            low = high
            continue
        while True:
            middle = low + 0.5 * (high - low)
            if not low < middle < high:
                return float(high)
            _look(events, work, lane, at, n_dense, now, length, middle, seen)
            if _turned(seen, truth):
                high = middle
            else:
                low = middle
                _copy(seen, truth)
    return np.inf


@lane_jit
def _copy(source: Flags, target: Flags) -> None:
    """Copy flags; a slice would cost numba a second of compilation."""
    for e in range(source.shape[0]):
        target[e] = source[e]


@lane_jit
def _turned(seen: Flags, before: Flags) -> bool:
    """Whether any trigger is true that was not."""
    turned = False
    for e in range(seen.shape[0]):
        turned = turned or (seen[e] and not before[e])
    return bool(turned)


@lane_jit
def _look(
    events: EventTables,
    work: Array,
    lane: int,
    at: Rows,
    n_dense: int,
    now: float,
    length: float,
    time: float,
    seen: Flags,
) -> None:
    """Examine the triggers at a time within the step, inside the stretch without jumps."""
    s = (time - now) / length
    for i in range(at.n):
        events.memory[events.place + i] = interpolate(work, lane, at, n_dense, i, s)
    clamped = min(max(time, work[at.earliest, lane]), work[at.latest, lane])
    _examine(events, work, lane, at, clamped, seen)
