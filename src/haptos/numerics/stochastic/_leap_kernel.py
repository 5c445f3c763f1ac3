"""The compiled tau-leaping and the loop over pieces, members and methods (numba).

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
from haptos.numerics.stochastic._kernel import (
    FAILED,
    FIRED,
    REACHED,
    Members,
    Plan,
    Scratch,
    all_propensities,
    exact_piece,
    examine,
    open_piece,
    prepare,
    record,
)
from haptos.numerics.stochastic._random import exponential, poisson, seek, unit, used_words

__all__ = ["advance"]

Array = NDArray[np.float64]

CRITICAL = 10.0
"""A jump that can happen fewer times than this before a species runs out is critical."""
FEW = 10.0
"""A leap shorter than this many expected jumps is not worth it."""
EXACT_STEPS = 100
"""Exact jumps made instead."""
MOST_MEAN = 1e15

_NON_FINITE, _MAX_STEPS = int(Status.NON_FINITE), int(Status.MAX_STEPS)
_HUGE = 9007199254740992


@njit(cache=True, nogil=True, error_model="numpy")
def _order(plan: Plan, s: Scratch, r: int) -> float:
    """Return the bound of the relative change of a law at the present state."""
    if plan.n_factors[r] < 0:
        return float(plan.orders[r])
    g = 0.0
    for f in range(plan.n_factors[r]):
        x = s.x[plan.species[r, f]]
        free = x - plan.offset[r, f]
        g += x / free if free > 0.0 else 1.0
    return g


@njit(cache=True, nogil=True, error_model="numpy")
def _longest_leap(plan: Plan, s: Scratch, critical: NDArray[np.uint8], moments: Array, tolerance: float) -> float:
    """Return the time in which no propensity is expected to change by more than a share.

    The condition of Cao, Gillespie and Petzold (2006) on mean and variance of every
    species that a law reads, made stricter: half of the gross flow through a species is
    bounded like its net flow. In a fast equilibrium the net flow vanishes and the leap
    would be many relaxation times long; explicit leaping is unstable there and the
    variance several times too large. ``moments (4, n_counts)`` is working space.
    """
    for i in range(plan.n_counts):
        moments[0, i] = moments[1, i] = moments[2, i] = moments[3, i] = 0.0
    for r in range(plan.n_factors.shape[0]):
        a = s.tree[plan.leaf + r]
        g = _order(plan, s, r)
        for k in range(plan.reads_first[r], plan.reads_first[r + 1]):
            i = plan.reads[k]
            moments[2, i] = max(moments[2, i], g)
        if critical[r] == 0 and a > 0.0:
            for k in range(plan.change_first[r], plan.change_first[r + 1]):
                i = plan.change_of[k]
                moments[0, i] += plan.change_by[k] * a
                moments[1, i] += plan.change_by[k] * plan.change_by[k] * a
                moments[3, i] += abs(plan.change_by[k]) * a
    longest = np.inf
    for i in range(plan.n_counts):
        if moments[2, i] > 0.0 and moments[1, i] > 0.0:
            room = max(tolerance * s.x[i] / moments[2, i], 1.0)
            longest = min(longest, room * room / moments[1, i])
            longest = min(longest, room / max(abs(moments[0, i]), 0.5 * moments[3, i]))
    return longest


@njit(cache=True, nogil=True, error_model="numpy")
def _find_critical(plan: Plan, s: Scratch, critical: NDArray[np.uint8]) -> float:
    """Mark the critical jumps and return the sum of their propensities."""
    total = 0.0
    for r in range(plan.n_factors.shape[0]):
        critical[r] = 0
        a = s.tree[plan.leaf + r]
        if a <= 0.0:
            continue
        for k in range(plan.change_first[r], plan.change_first[r + 1]):
            by = plan.change_by[k]
            if by < 0.0 and np.floor(s.x[plan.change_of[k]] / -by) < CRITICAL:
                critical[r] = 1
        if critical[r] == 1:
            total += a
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def _choose_critical(plan: Plan, s: Scratch, critical: NDArray[np.uint8], mark: float) -> int:
    """Return the critical jump in whose stretch of the sum the mark lies."""
    chosen = -1
    below = 0.0
    for r in range(critical.shape[0]):
        if critical[r] == 1:
            if chosen >= 0 and mark < below:
                break
            chosen = r
            below += s.tree[plan.leaf + r]
    return chosen


@njit(cache=True, nogil=True, error_model="numpy")
def _draw_leap(plan: Plan, s: Scratch, critical: NDArray[np.uint8], numbers: Array, tau: float, extra: int) -> int:
    """Draw how often every jump happens in a leap and add it to the state.

    Returns 0, 1 if a species would be negative, 2 if a count leaves the exact range.
    """
    for r in range(critical.shape[0]):
        numbers[r] = 1.0 if r == extra else 0.0
        a = s.tree[plan.leaf + r]
        if critical[r] == 0 and a > 0.0:
            if a * tau > MOST_MEAN:
                return 2
            numbers[r] = poisson(s.stream, a * tau)
    for r in range(critical.shape[0]):
        if numbers[r] > 0.0:
            for k in range(plan.change_first[r], plan.change_first[r + 1]):
                s.x[plan.change_of[k]] += numbers[r] * plan.change_by[k]
    for i in range(plan.n_counts):
        if s.x[i] < 0.0:
            return 1
        if s.x[i] > _HUGE:
            return 2
    return 0


@njit(cache=True, nogil=True, error_model="numpy")
def leap_piece(
    plan: Plan,
    s: Scratch,
    m: Members,
    b: int,
    times: Array,
    stop: float,
    moment: float,
    tolerance: float,
    max_steps: int,
) -> int:
    """Leap from the clock of a member to `stop`, exactly where leaping does not pay."""
    n_jumps = plan.n_factors.shape[0]
    critical = np.zeros(n_jumps, np.uint8)
    numbers = np.zeros(n_jumps)
    moments = np.zeros((4, plan.n_counts))
    before = np.empty(plan.n_counts)
    watching = plan.trigger_output.shape[0] > 0
    while m.clock[b] < stop:
        record(plan, s, m, b, times, m.clock[b], True)  # noqa: FBT003
        total = s.tree[0]
        if total <= 0.0:
            m.clock[b] = stop
            break
        risky = _find_critical(plan, s, critical)
        longest = _longest_leap(plan, s, critical, moments, tolerance)
        alone = exponential(s.stream) / risky if risky > 0.0 else np.inf
        for i in range(plan.n_counts):
            before[i] = s.x[i]
        end = stop
        if m.cursor[b] < times.shape[0] and times[m.cursor[b]] < end:
            end = times[m.cursor[b]]
        while True:
            if longest < FEW / total:
                ended = exact_piece(plan, s, m, b, times, stop, moment, EXACT_STEPS, max_steps)
                if ended in (FIRED, FAILED):
                    return ended
                break
            if m.n_steps[b] >= max_steps:
                m.status[b] = _MAX_STEPS
                return FAILED
            tau = min(longest, alone)
            extra = -1
            later = m.clock[b] + tau
            if later >= end:
                later = end
                tau = end - m.clock[b]
            elif alone <= longest:
                extra = _choose_critical(plan, s, critical, unit(s.stream) * risky)
            m.n_steps[b] += 1
            outcome = _draw_leap(plan, s, critical, numbers, tau, extra)
            if outcome == 1:
                for i in range(plan.n_counts):
                    s.x[i] = before[i]
                longest = 0.5 * tau
                continue
            if outcome == 2:
                m.status[b] = _NON_FINITE
                return FAILED
            m.clock[b] = later
            for r in range(n_jumps):
                m.n_events[b] += np.int64(numbers[r])
            status = all_propensities(plan, s)
            if status != 0:
                m.status[b] = status
                return FAILED
            if watching and examine(plan, s, m.truth[b], moment):
                return FIRED
            break
    return REACHED


@njit(cache=True, nogil=True, error_model="numpy")
def _member(
    plan: Plan, s: Scratch, m: Members, b: int, breaks: Array, times: Array, stop: float, last: bool, tolerance: float,
    max_steps: int,
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
        border = stop
        for k in range(breaks.shape[0]):
            if m.clock[b] < breaks[k] < border:
                border = breaks[k]
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
            ended = exact_piece(plan, s, m, b, times, border, moment, _HUGE, max_steps)
        if ended == FIRED:
            m.fired[b] = 1
        if ended in (FIRED, FAILED):
            return ended
        record(plan, s, m, b, times, border, False)  # noqa: FBT003


@njit(cache=True, nogil=True, error_model="numpy")
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
    max_steps: int,
    coefficient_work: Array,
    law_work: Array,
    trigger_work: Array,
) -> None:
    """Bring the members in `rows` to `stop` or to their next event.

    ``tolerance`` is 0 for the direct method, else that of leaping. The work arrays hold
    the constants of the tapes and are changed.
    """
    n_jumps = plan.n_factors.shape[0]
    s = Scratch(
        np.ones(plan.n_states + 1),
        np.zeros(plan.leaf + 8**plan.depth),
        np.zeros(n_jumps),
        np.zeros(plan.short_jump.shape[0]),
        coefficient_work,
        law_work,
        trigger_work,
        np.zeros(8, np.uint64),
    )
    for k in range(rows.shape[0]):
        b = rows[k]
        if m.status[b] != 0:
            continue
        for i in range(plan.n_states):
            s.x[i] = m.state[b, i]
        for i in range(s.tree.shape[0]):
            s.tree[i] = 0.0
        m.status[b] = prepare(plan, s, parameters[b])
        if m.status[b] != 0:
            continue
        seek(s.stream, m.keys[b], m.used[b])
        _member(plan, s, m, b, breaks[b], times, stop, last, tolerance, max_steps)
        for i in range(plan.n_states):
            m.state[b, i] = s.x[i]
        m.used[b] = used_words(s.stream)
