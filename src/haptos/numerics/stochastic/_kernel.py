"""The compiled direct method: search, jumps, outputs, triggers (numba).

Import this module only inside functions: it imports numba. The readable twin is
:mod:`haptos.numerics.stochastic.reference`.
"""

# ruff: noqa: PLR0912, PLR0913, PLR0917, C901
# Kernels take bare arrays and run long by nature.

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haptos.errors import Status
from haptos.numerics._kernels import run
from haptos.numerics.stochastic._jit import part_jit
from haptos.numerics.stochastic._laws import add_up
from haptos.numerics.stochastic._plan import DUE, FAILED, FIRED, MOST, PAUSED, REACHED, Members, Plan, Scratch
from haptos.numerics.stochastic._random import exponential, unit

__all__ = ["exact_piece", "examine", "record"]

Array = NDArray[np.float64]
Index = NDArray[np.int32]
Words = NDArray[np.uint64]

_ZERO, _ONE, _TWO, _THREE = np.uint64(0), np.uint64(1), np.uint64(2), np.uint64(3)
_FOUR, _FIVE, _SIX, _SEVEN, _EIGHT = np.uint64(4), np.uint64(5), np.uint64(6), np.uint64(7), np.uint64(8)

_MAX_STEPS, _NON_FINITE, _NEGATIVE = int(Status.MAX_STEPS), int(Status.NON_FINITE), int(Status.NEGATIVE)


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _choose(tree: Array, depth: int, leaf: np.uint64, mark: float) -> np.uint64:
    """Return the jump in whose stretch of [0, total) the mark lies; never one of propensity zero."""
    i = _ZERO
    for _ in range(depth):
        c = _EIGHT * i + _ONE
        pair, half = tree[c + _TWO] + tree[c + _THREE], tree[c + _FOUR] + tree[c + _FIVE]
        p1 = tree[c]
        p2 = p1 + tree[c + _ONE]
        p3 = p2 + tree[c + _TWO]
        p4 = p2 + pair
        p5 = p4 + tree[c + _FOUR]
        p6 = p4 + half
        p7 = p6 + tree[c + _SIX]
        k = np.uint64(mark >= p1) + np.uint64(mark >= p2) + np.uint64(mark >= p3) + np.uint64(mark >= p4)
        k += np.uint64(mark >= p5) + np.uint64(mark >= p6) + np.uint64(mark >= p7)
        below = p1 if mark >= p1 else 0.0
        below = p2 if mark >= p2 else below
        below = p3 if mark >= p3 else below
        below = p4 if mark >= p4 else below
        below = p5 if mark >= p5 else below
        below = p6 if mark >= p6 else below
        below = p7 if mark >= p7 else below
        mark -= below
        if tree[c + k] <= 0.0:  # only by rounding at the end of a stretch
            while k > _ZERO and tree[c + k] <= 0.0:
                k -= _ONE
        i = c + k
    return i - leaf


@part_jit
def examine(plan: Plan, s: Scratch, truth: NDArray[np.uint8], time: float) -> bool:
    """Evaluate the triggers at a time; True, and no note of it, if any turned true."""
    places = plan.trigger_places
    for i in range(plan.n_states):
        s.trigger_work[places[2] + i] = s.x[i]
    s.trigger_work[places[3]] = time
    run(plan.trigger_body, places[1], s.trigger_work)
    for e in range(plan.trigger_output.shape[0]):
        if s.trigger_work[plan.trigger_output[e]] != 0.0 and truth[e] == 0:
            return True
    for e in range(plan.trigger_output.shape[0]):
        truth[e] = s.trigger_work[plan.trigger_output[e]] != 0.0
    return False


@part_jit
def record(plan: Plan, s: Scratch, m: Members, b: int, times: Array, limit: float, including: bool) -> None:
    """Write the state to all output times below a limit (or up to it) that are still open."""
    k = m.cursor[b]
    while k < times.shape[0] and (times[k] < limit or (including and times[k] == limit)):
        for i in range(plan.n_counts):
            m.counts[b, k, i] = np.int64(s.x[i])
        for i in range(plan.n_counts, plan.n_states):
            m.levels[b, k, i - plan.n_counts] = s.x[i]
        k += 1
    m.cursor[b] = k


@part_jit
def _jumps(
    x: Array, tree: Array, stream: Words, short: Array,
    change_first: Words, changes: Words, change_by: Array,
    short_first: Words, short_place: Words, short_one: Words, short_two: Words, offset_one: Array, offset_two: Array,
    long_first: Words, long_laws: Words, coefficients: Array, factor_first: Words, factors: Words, offsets: Array,
    tape_first: Words, tape_laws: Words, tape_start: Words, tape_body: Index, tape_output: Words, tape_jump: Words,
    law_work: Array, law_at: Words,
    node_first: Words, nodes: Words, depth: int, leaf: np.uint64,
    clock: float, waiting: float, mark: float, due: float, stop: float, most: int,
) -> tuple[int, float, float, float, int]:  # fmt: skip
    """Jump: the loop that decides the speed.

    Every jump draws two words, the second also where the first leads beyond `stop`.
    Arrays come one by one: taking them from tuples counts references, at ten times the
    cost of a jump. Returns why it ended, the clock, the time and mark of a jump that was
    drawn but waits for an output at `due` to be written first (nan if none), and the number
    of jumps. The reason is REACHED, PAUSED (after `most` jumps), DUE, or minus a status.
    """
    t, n = clock, 0
    later = waiting
    while True:
        total = tree[0]
        if total <= 0.0:
            return REACHED, stop, np.nan, mark, n
        if not later > t:
            if n >= most:
                return PAUSED, t, np.nan, mark, n
            later = t + exponential(stream) / total
            mark = unit(stream) * total
            if later >= stop:
                return REACHED, stop, np.nan, mark, n
            if due < later:
                return DUE, t, later, mark, n
        t = later
        later = np.nan
        n += 1
        r = _choose(tree, depth, leaf, mark)
        for k in range(change_first[r], change_first[r + _ONE]):
            v = x[changes[k]] + change_by[k]
            x[changes[k]] = v
            if not 0.0 <= v <= MOST:
                return (-_NEGATIVE if v < 0.0 else -_NON_FINITE), t, np.nan, mark, n
        for k in range(short_first[r], short_first[r + _ONE]):
            one = x[short_one[k]] - offset_one[k]
            tree[short_place[k]] = short[k] * one * (x[short_two[k]] - offset_two[k])
        for k in range(long_first[r], long_first[r + _ONE]):
            j = long_laws[k]
            a = coefficients[j]
            for f in range(factor_first[j], factor_first[j + _ONE]):
                a *= x[factors[f]] - offsets[f]
            tree[leaf + j] = a
        if tape_first[r] < tape_first[r + _ONE]:
            for k in range(change_first[r], change_first[r + _ONE]):
                law_work[law_at[0] + changes[k]] = x[changes[k]]
            for k in range(tape_first[r], tape_first[r + _ONE]):
                j = tape_laws[k]
                begin = tape_start[j]
                run(tape_body[begin : tape_start[j + _ONE]], law_at[1] + begin, law_work)
                a = law_work[tape_output[j]]
                if a < 0.0:
                    return -_NEGATIVE, t, np.nan, mark, n
                tree[leaf + tape_jump[j]] = a
        for k in range(node_first[r], node_first[r + _ONE]):
            add_up(tree, nodes[k])
        if not tree[0] < np.inf:
            return -_NON_FINITE, t, np.nan, mark, n


@part_jit
def exact_piece(
    plan: Plan, s: Scratch, m: Members, b: int, times: Array, stop: float, moment: float, budget: int, max_steps: int
) -> int:
    """Jump from the clock of a member to `stop`; propensities must be up to date.

    Ends early at a trigger, a failure, or after `budget` jumps. ``moment`` is a time
    inside the piece, at which triggers are examined.
    """
    watching = plan.trigger_output.shape[0] > 0
    most = min(budget, max_steps - m.n_steps[b])
    later, mark = np.nan, 0.0
    while True:
        stride = min(most, 1) if watching else most
        due = times[m.cursor[b]] if m.cursor[b] < times.shape[0] else np.inf
        ended, t, later, mark, n = _jumps(
            s.x, s.tree, s.stream, s.short,
            plan.hot_change_first, plan.hot_changes, plan.change_by,
            plan.short_first, plan.short_place, plan.short_one, plan.short_two, plan.offset_one, plan.offset_two,
            plan.long_first, plan.long_laws, s.coefficients, plan.factor_first, plan.factors, plan.offsets,
            plan.tape_first, plan.tape_laws, plan.tape_start, plan.law_body, plan.tape_output, plan.tape_jump,
            s.law_work, plan.law_at,
            plan.hot_node_first, plan.hot_nodes, plan.depth, np.uint64(plan.leaf),
            m.clock[b], later, mark, due, stop, stride,
        )  # fmt: skip
        m.clock[b] = t
        m.n_events[b] += n
        m.n_steps[b] += n
        most -= n
        if ended < 0:
            m.status[b] = -ended
            return FAILED
        if ended == DUE:
            record(plan, s, m, b, times, later, False)  # noqa: FBT003
        elif watching and n > 0 and examine(plan, s, m.truth[b], moment):
            return FIRED
        elif ended == REACHED or most == 0:
            break
    if ended == PAUSED and m.n_steps[b] >= max_steps:
        m.status[b] = _MAX_STEPS
        return FAILED
    return int(ended)
