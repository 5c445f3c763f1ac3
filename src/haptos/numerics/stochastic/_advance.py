"""The compiled loop over members and the pieces of their time (numba).

Import this module only inside functions: it imports numba.
"""

# ruff: noqa: PLR0913, PLR0917
# Kernels take bare arrays and run long by nature.

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from haptos.numerics.stochastic._jit import entry_jit, part_jit
from haptos.numerics.stochastic._kernel import exact_piece, examine, record
from haptos.numerics.stochastic._laws import open_piece, prepare
from haptos.numerics.stochastic._leap_kernel import leap_piece
from haptos.numerics.stochastic._plan import FAILED, FIRED, PAUSED, REACHED, Members, Plan, Scratch
from haptos.numerics.stochastic._random import seek, used_words

__all__ = ["advance", "border_after", "load", "scratch_of"]

Array = NDArray[np.float64]


@part_jit
def border_after(clock: float, stop: float, breaks: Array) -> float:
    """Return the first break after the clock, or the stop."""
    border = stop
    for k in range(breaks.shape[0]):
        if clock < breaks[k] < border:
            border = breaks[k]
    return border


@part_jit
def scratch_of(plan: Plan, coefficient_work: Array, law_work: Array, trigger_work: Array) -> Scratch:
    """Return working arrays for one member at a time."""
    return Scratch(
        np.ones(plan.n_states + 1),
        np.zeros(plan.leaf + 8**plan.depth),
        np.zeros(plan.n_factors.shape[0]),
        np.zeros(plan.short_jump.shape[0]),
        coefficient_work,
        law_work,
        trigger_work,
        np.zeros(8, np.uint64),
    )


@part_jit
def load(plan: Plan, s: Scratch, m: Members, b: int, parameters: Array) -> bool:
    """Take the state and parameters of a member and find its place in its stream; False if it fails."""
    for i in range(plan.n_states):
        s.x[i] = m.state[b, i]
    for i in range(s.tree.shape[0]):
        s.tree[i] = 0.0
    m.status[b] = prepare(plan, s, parameters)
    seek(s.stream, m.keys[b], m.used[b])
    return bool(m.status[b] == 0)


@part_jit
def _member(
    plan: Plan, s: Scratch, m: Members, b: int, breaks: Array, times: Array, stop: float, last: bool, tolerance: float,
    budget: int, max_steps: int,
) -> int:  # fmt: skip
    """Bring one member to `stop`, from break to break; returns how it ended.

    ``fired`` tells when a trigger turned true: 1 at the clock, 2 just after it (``t > 5``
    at 5). After the latter the clock itself is not looked at again: there the trigger
    would be false, and would seem to turn true once more.
    """
    watching = plan.trigger_output.shape[0] > 0
    just_after = m.fired[b] == 2
    while True:
        m.fired[b] = 0
        m.moment[b] = m.clock[b]
        if watching and not just_after and examine(plan, s, m.truth[b], m.clock[b]):
            m.fired[b] = 1
            return FIRED
        if m.clock[b] >= stop:
            if last:
                record(plan, s, m, b, times, np.inf, True)  # noqa: FBT003
            return REACHED
        record(plan, s, m, b, times, m.clock[b], True)  # noqa: FBT003
        border = border_after(m.clock[b], stop, breaks)
        moment = m.clock[b] + 0.5 * (border - m.clock[b])
        m.moment[b] = moment
        just_after = False
        if watching and examine(plan, s, m.truth[b], moment):
            m.fired[b] = 2
            return FIRED
        m.status[b] = open_piece(plan, s, moment)
        if m.status[b] != 0:
            return FAILED
        if tolerance > 0.0:
            ended = leap_piece(plan, s, m, b, times, border, moment, tolerance, max_steps)
        else:
            ended = exact_piece(plan, s, m, b, times, border, moment, budget, max_steps)
        if ended == FIRED:
            m.fired[b] = 1
        if ended in (FIRED, FAILED, PAUSED):
            return ended
        record(plan, s, m, b, times, border, False)  # noqa: FBT003


@entry_jit
def advance(
    plan: Plan,
    m: Members,
    rows: NDArray[np.int64],
    parameters: Array,
    breaks: Array,
    times: Array,
    stop: float,
    last: bool,
    tolerance: float,
    budget: int,
    max_steps: int,
    coefficient_work: Array,
    law_work: Array,
    trigger_work: Array,
) -> None:
    """Bring the members in `rows` to `stop` or to their next event.

    ``tolerance`` is 0 for the direct method, else that of leaping. The direct method pauses
    a member after `budget` jumps. The work arrays hold the constants of the tapes and are
    changed.
    """
    s = scratch_of(plan, coefficient_work, law_work, trigger_work)
    for k in range(rows.shape[0]):
        b = rows[k]
        if m.status[b] != 0:
            continue
        if not load(plan, s, m, b, parameters[b]):
            continue
        _member(plan, s, m, b, breaks[b], times, stop, last, tolerance, budget, max_steps)
        for i in range(plan.n_states):
            m.state[b, i] = s.x[i]
        m.used[b] = used_words(s.stream)
