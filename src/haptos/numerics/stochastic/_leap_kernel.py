"""The compiled tau-leaping (numba).

Import this module only inside functions: it imports numba. The readable twin is
:mod:`haptos.numerics.stochastic.reference`.
"""

# ruff: noqa: PLR0917
# Kernels take bare arrays and run long by nature.

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from haptos.errors import Status
from haptos.numerics.stochastic._jit import part_jit
from haptos.numerics.stochastic._kernel import exact_piece, examine, record
from haptos.numerics.stochastic._laws import all_propensities
from haptos.numerics.stochastic._plan import FAILED, FIRED, PAUSED, REACHED, Members, Plan, Scratch
from haptos.numerics.stochastic._random import exponential, poisson, unit

__all__ = ["leap_piece"]

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


class Leap(NamedTuple):
    """Working arrays of leaping."""

    critical: NDArray[np.uint8]
    rates: Array  # propensities at the start of a leap
    numbers: Array  # how often every jump happens
    moments: Array  # (4, n_counts)
    before: Array  # counts at the start of a leap


@part_jit
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


@part_jit
def _longest_leap(plan: Plan, s: Scratch, leap: Leap, tolerance: float) -> float:
    """Return the time in which no propensity is expected to change by more than a share.

    The condition of Cao, Gillespie and Petzold (2006) on mean and variance of every
    species that a law reads, made stricter: half of the gross flow through a species is
    bounded like its net flow. In a fast equilibrium the net flow vanishes and the leap
    would be many relaxation times long; explicit leaping is unstable there and the
    variance several times too large.
    """
    moments, critical = leap.moments, leap.critical
    for i in range(plan.n_counts):
        moments[0, i] = moments[1, i] = moments[2, i] = moments[3, i] = 0.0
    for r in range(plan.n_factors.shape[0]):
        a = leap.rates[r]
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


@part_jit
def _find_critical(plan: Plan, s: Scratch, leap: Leap) -> float:
    """Note propensities, mark the critical jumps and return the sum of their propensities."""
    total = 0.0
    for r in range(plan.n_factors.shape[0]):
        leap.critical[r] = 0
        leap.rates[r] = s.tree[plan.leaf + r]
        for k in range(plan.change_first[r], plan.change_first[r + 1]):
            by = plan.change_by[k]
            if by < 0.0 and np.floor(s.x[plan.change_of[k]] / -by) < CRITICAL:
                leap.critical[r] = 1
        if leap.critical[r] == 1:
            total += leap.rates[r]
    return total


@part_jit
def _choose_critical(leap: Leap, mark: float) -> int:
    """Return the critical jump in whose stretch of the sum the mark lies."""
    chosen = -1
    below = 0.0
    for r in range(leap.critical.shape[0]):
        if leap.critical[r] == 1 and leap.rates[r] > 0.0:
            if chosen >= 0 and mark < below:
                break
            chosen = r
            below += leap.rates[r]
    return chosen


@part_jit
def _draw(plan: Plan, s: Scratch, leap: Leap, tau: float, second: bool) -> int:
    """Draw how often every jump happens in half a leap and add it to the counts.

    The second half takes twice the propensities where the first has led, less those at the
    start. Returns 0, 1 if a species would be negative, 2 if a count leaves the exact range.
    """
    for r in range(leap.critical.shape[0]):
        if leap.critical[r] == 1:
            continue
        rate = max(2.0 * s.tree[plan.leaf + r] - leap.rates[r], 0.0) if second else leap.rates[r]
        mean = rate * (0.5 * tau)
        if mean > MOST_MEAN:
            return 2
        if mean > 0.0:
            number = poisson(s.stream, mean)
            leap.numbers[r] += number
            for k in range(plan.change_first[r], plan.change_first[r + 1]):
                s.x[plan.change_of[k]] += number * plan.change_by[k]
    outcome = 0
    for i in range(plan.n_counts):
        if s.x[i] < 0.0:
            return 1
        if s.x[i] > _HUGE:
            outcome = 2
    return outcome


@part_jit
def _try_leap(plan: Plan, s: Scratch, leap: Leap, tau: float, extra: int) -> int:
    """Make a leap: half of it, the propensities there, the other half, the critical jump.

    Returns what :func:`_draw` does, or minus a status.
    """
    leap.numbers[:] = 0.0
    outcome = _draw(plan, s, leap, tau, False)  # noqa: FBT003
    if outcome != 0:
        return outcome
    status = all_propensities(plan, s)
    if status != 0:
        return -status
    outcome = _draw(plan, s, leap, tau, True)  # noqa: FBT003
    if outcome != 0 or extra < 0:
        return outcome
    leap.numbers[extra] += 1.0
    for k in range(plan.change_first[extra], plan.change_first[extra + 1]):
        i = plan.change_of[k]
        s.x[i] += plan.change_by[k]
        if s.x[i] < 0.0:
            return 1
    return 0


@part_jit
def _leap_once(
    plan: Plan, s: Scratch, m: Members, b: int, leap: Leap, end: float, tolerance: float, max_steps: int
) -> int:
    """Leap once, at most to `end`; PAUSED where leaping does not pay, else REACHED or FAILED."""
    total = s.tree[0]
    risky = _find_critical(plan, s, leap)
    longest = _longest_leap(plan, s, leap, tolerance)
    alone = exponential(s.stream) / risky if risky > 0.0 else np.inf
    leap.before[:] = s.x[: plan.n_counts]
    while longest >= FEW / total:
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
            extra = _choose_critical(leap, unit(s.stream) * risky)
        m.n_steps[b] += 1
        outcome = _try_leap(plan, s, leap, tau, extra)
        if outcome == 0:
            outcome = -all_propensities(plan, s)
        if outcome == 0:
            m.clock[b] = later
            for r in range(leap.numbers.shape[0]):
                m.n_events[b] += np.int64(leap.numbers[r])
            return REACHED
        if outcome != 1:
            m.status[b] = _NON_FINITE if outcome == 2 else -outcome
            return FAILED
        s.x[: plan.n_counts] = leap.before
        longest = 0.5 * tau
    all_propensities(plan, s)
    return PAUSED


@part_jit
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
    spaces = np.zeros(n_jumps), np.zeros(n_jumps), np.zeros((4, plan.n_counts)), np.empty(plan.n_counts)
    leap = Leap(np.zeros(n_jumps, np.uint8), spaces[0], spaces[1], spaces[2], spaces[3])
    watching = plan.trigger_output.shape[0] > 0
    while m.clock[b] < stop:
        record(plan, s, m, b, times, m.clock[b], True)  # noqa: FBT003
        if s.tree[0] <= 0.0:
            m.clock[b] = stop
            break
        end = min(stop, times[m.cursor[b]]) if m.cursor[b] < times.shape[0] else stop
        ended = _leap_once(plan, s, m, b, leap, end, tolerance, max_steps)
        if ended == PAUSED:
            ended = exact_piece(plan, s, m, b, times, stop, moment, EXACT_STEPS, max_steps)
        elif ended == REACHED and watching and examine(plan, s, m.truth[b], moment):
            ended = FIRED
        if ended in (FIRED, FAILED):
            return ended
    return REACHED
