"""What the lanes write: rows at the output times, the end of a member (numba).

Import only inside functions: it imports numba.
"""

# ruff: noqa: PLR0917

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from haptos.errors import Status
from haptos.numerics.engine._lane_call import call_kernel, lane_jit
from haptos.numerics.engine._lane_data import MEMBER, OUTPUT, Rows, Settings

__all__ = ["keep_state", "next_output", "verdict", "write_outputs"]

Array = NDArray[np.float64]
Index = NDArray[np.int64]

_OK = int(Status.OK)
_NEGATIVE = int(Status.NEGATIVE)


@lane_jit
def next_output(times: Array, row: int) -> float:
    """Return the next output time, infinity if there is none."""
    return float(times[row]) if row < times.shape[0] else np.inf


@lane_jit
def keep_state(work: Array, at: Rows, whole: Index, lane: int, stop: float, times: Array, states: Array) -> None:
    """Fill the output rows before `stop` with the state as it is."""
    b, row = whole[MEMBER, lane], whole[OUTPUT, lane]
    while row < times.shape[0] and times[row] < stop:
        for i in range(at.n):
            states[b, row, i] = work[at.state + i, lane]
        row += 1
    whole[OUTPUT, lane] = row


@lane_jit
def write_outputs(work: Array, at: Rows, whole: Index, settings: Settings, times: Array, states: Array) -> None:
    """Fill the output rows that accepted steps pass, in all lanes, by the dense output."""
    while True:
        some = False
        for lane in range(work.shape[1]):
            following = work[at.next_output, lane]
            wanted = work[at.accepted, lane] != 0.0 and following < work[at.after, lane]
            some = some or wanted
            work[at.wanted, lane] = 1.0 if wanted else 0.0
            work[at.share, lane] = (following - work[at.time, lane]) / work[at.step, lane] if wanted else 0.0
        if not some:
            return
        call_kernel(settings.look, settings.memory)
        for lane in range(work.shape[1]):
            if work[at.wanted, lane] != 0.0:
                b, row = whole[MEMBER, lane], whole[OUTPUT, lane]
                for i in range(at.n):
                    states[b, row, i] = work[at.between + i, lane]
                whole[OUTPUT, lane] = row + 1
                work[at.next_output, lane] = next_output(times, row + 1)


@lane_jit
def verdict(work: Array, at: Rows, lane: int, b: int, rtol: float, floor: Array, states: Array, final: Array) -> int:
    """Write the final state; lift small negative values, report larger ones."""
    for i in range(at.n):
        allowed = 1e4 * work[at.atol + i, lane] + 100.0 * rtol * work[at.largest + i, lane]
        if work[at.lowest + i, lane] < floor[i] - allowed:
            return _NEGATIVE
    for i in range(at.n):
        final[b, i] = max(work[at.state + i, lane], floor[i])
    for t in range(states.shape[1]):
        for i in range(at.n):
            states[b, t, i] = max(states[b, t, i], floor[i])
    return _OK
