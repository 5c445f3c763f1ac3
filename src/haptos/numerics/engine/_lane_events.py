"""Events in a lane (numba): the compiled twin of :func:`haptos.numerics.events.fire`.

Import only inside functions: it imports numba.
"""

# ruff: noqa: PLR0913, PLR0917

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haptos.numerics._kernels import run
from haptos.numerics.engine._lane_data import EventTables, Rows

__all__ = ["fire_lane", "interpolate", "locate_event"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

_LOOKS = 4
"""Points of a step at which triggers are examined."""


@njit(cache=True, nogil=True, error_model="numpy")
def interpolate(work: Array, lane: int, at: Rows, n_dense: int, i: int, s: float) -> float:
    """Return state `i` at the share `s` of the step just attempted."""
    inner = work[at.dense + (n_dense - 1) * at.n + i, lane]
    for d in range(n_dense - 2, -1, -1):
        inner = work[at.dense + d * at.n + i, lane] + s * inner
    r = 1.0 - s
    return float(r * work[at.state + i, lane] + s * (work[at.stage + i, lane] + r * inner))


@njit(cache=True, nogil=True, error_model="numpy")
def _evaluate(tape: tuple[Any, ...], events: EventTables, work: Array, lane: int, at: Rows, time: float) -> None:
    """Evaluate a tape at the point, the parameters of the lane and a time."""
    prologue, first_prologue, body, first_body, memory, place, _ = tape
    for i in range(at.n):
        memory[place + i] = events.point[i]
    for i in range(events.n_parameters):
        memory[place + at.n + i] = work[at.parameters + i, lane]
    memory[place + at.n + events.n_parameters] = time
    run(prologue, first_prologue, memory)
    run(body, first_body, memory)


@njit(cache=True, nogil=True, error_model="numpy")
def _truths(events: EventTables, work: Array, lane: int, at: Rows, time: float, result: Flags) -> None:
    """Examine all triggers at the point."""
    _evaluate(events.triggers, events, work, lane, at, time)
    memory, outputs = events.triggers[4], events.triggers[6]
    for e in range(events.count):
        result[e] = memory[outputs[e]] != 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def _values(events: EventTables, work: Array, lane: int, at: Rows, time: float) -> Array:
    """Return all new values at the point."""
    _evaluate(events.values, events, work, lane, at, time)
    memory, outputs = events.values[4], events.values[6]
    result = np.empty(outputs.shape[0])
    for a in range(outputs.shape[0]):
        result[a] = memory[outputs[a]]
    return result


@njit(cache=True, nogil=True, error_model="numpy")
def fire_lane(events: EventTables, work: Array, lane: int, at: Rows, time: float, truth: Flags) -> bool:
    """Examine the triggers of a lane and execute what fires; False is a storm.

    The state of the lane and its triggers, ``truth[lane]``, are changed in place.
    """
    for i in range(at.n):
        events.point[i] = work[at.state + i, lane]
    room = events.limit + events.count * (events.limit + 1)
    queue = np.empty(room, np.int64)
    stored = np.empty((min(room, 64), events.targets.shape[0]))
    now = np.empty(events.count, np.bool_)
    head, tail, executed = 0, 0, 0
    _truths(events, work, lane, at, time, now)
    tail = _enqueue(events, work, lane, at, time, now, truth, queue, stored, tail)
    while head < tail:
        if executed == events.limit:
            return False
        event, slot = queue[head], head % stored.shape[0]
        head += 1
        if not events.persistent[event] and not truth[lane, event]:
            continue
        values = stored[slot]
        if not events.at_trigger[event]:
            values = _values(events, work, lane, at, time)
        for a in range(events.first[event], events.first[event + 1]):
            events.point[events.targets[a]] = values[a]
        executed += 1
        _truths(events, work, lane, at, time, now)
        if tail - head + events.count > stored.shape[0]:
            stored = _enlarged(stored, head, tail)
        tail = _enqueue(events, work, lane, at, time, now, truth, queue, stored, tail)
    if executed:
        for i in range(at.n):
            work[at.state + i, lane] = events.point[i]
            work[at.largest + i, lane] = max(work[at.largest + i, lane], abs(events.point[i]))
            work[at.lowest + i, lane] = min(work[at.lowest + i, lane], events.point[i])
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def _enlarged(stored: Array, head: int, tail: int) -> Array:
    """Return a ring twice as large with the entries in [head, tail) in place."""
    wider = np.empty((2 * stored.shape[0], stored.shape[1]))
    for q in range(head, tail):
        wider[q % wider.shape[0]] = stored[q % stored.shape[0]]
    return wider


@njit(cache=True, nogil=True, error_model="numpy")
def _enqueue(
    events: EventTables,
    work: Array,
    lane: int,
    at: Rows,
    time: float,
    now: Flags,
    truth: Flags,
    queue: NDArray[np.int64],
    stored: Array,
    tail: int,
) -> int:
    """Append events that turned true, with the values of now; returns the new tail."""
    turned = False
    for e in range(events.count):
        turned = turned or (now[e] and not truth[lane, e])
    if turned:
        values = _values(events, work, lane, at, time)
        for e in range(events.count):
            if now[e] and not truth[lane, e]:
                queue[tail] = e
                stored[tail % stored.shape[0]] = values
                tail += 1
    for e in range(events.count):
        truth[lane, e] = now[e]
    return tail


@njit(cache=True, nogil=True, error_model="numpy")
def locate_event(
    events: EventTables,
    work: Array,
    lane: int,
    at: Rows,
    n_dense: int,
    now: float,
    after: float,
    truth: Flags,
) -> float:
    """Return when a trigger first turns true in a step, infinity if none does.

    ``truth[lane]`` becomes what holds just before that moment, or at the end of the step.
    The step is looked at in quarters; within one, the moment is found by halving time
    until it cannot be halved.
    """
    length = after - now
    seen = np.empty(events.count, np.bool_)
    low = now
    for look in range(1, _LOOKS + 1):
        high = after if look == _LOOKS else now + length * look / _LOOKS
        _look(events, work, lane, at, n_dense, now, length, high, seen)
        if not _turned(seen, truth[lane]):
            for e in range(events.count):
                truth[lane, e] = seen[e]
            low = high
            continue
        while True:
            middle = low + 0.5 * (high - low)
            if not low < middle < high:
                return float(high)
            _look(events, work, lane, at, n_dense, now, length, middle, seen)
            if _turned(seen, truth[lane]):
                high = middle
            else:
                low = middle
                for e in range(events.count):
                    truth[lane, e] = seen[e]
    return np.inf


@njit(cache=True, nogil=True, error_model="numpy")
def _turned(seen: Flags, before: Flags) -> bool:
    for e in range(seen.shape[0]):
        if seen[e] and not before[e]:
            return True
    return False


@njit(cache=True, nogil=True, error_model="numpy")
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
        events.point[i] = interpolate(work, lane, at, n_dense, i, s)
    clamped = min(max(time, work[at.earliest, lane]), work[at.latest, lane])
    _truths(events, work, lane, at, clamped, seen)
