"""Tau-leaping in plain Python; see :mod:`haptos.numerics.stochastic.reference`."""

from __future__ import annotations

import math

import numpy as np

from haptos.errors import Status
from haptos.numerics.stochastic.reference_piece import FailedError, Piece, eightfold_sum

__all__ = ["leap"]


def leap(piece: Piece, stop: float) -> None:
    """Leap until `stop`, by the weak trapezoidal rule; exactly where leaping does not pay."""
    run, walker = piece.run, piece.walker
    while run.time < stop:
        walker.record(lambda t: t <= run.time)
        if eightfold_sum(piece.propensities()) <= 0.0:
            run.time = stop
            return
        following = [float(t) for t in walker.task.times[len(run.rows) : len(run.rows) + 1]]
        if _leap_once(piece, min([stop, *following])):
            walker.examine(piece.moment, [run.time, piece.moment])
        else:
            piece.jump(stop, 100)


def _leap_once(piece: Piece, end: float) -> bool:
    """Leap once, at most to `end`; False where leaping does not pay."""
    run, stream = piece.run, piece.stream
    a = piece.propensities()
    critical = [_possible(piece, r) < 10.0 for r in range(len(a))]
    risky = sum((a[r] for r in range(len(a)) if critical[r]), 0.0)
    longest = _longest(piece, a, critical)
    alone = stream.exponential() / risky if risky > 0.0 else math.inf
    before = run.x.copy()
    while longest >= 10.0 / eightfold_sum(a):
        if run.n_steps >= piece.walker.task.max_steps:
            raise FailedError(Status.MAX_STEPS)
        tau, extra, later = min(longest, alone), None, run.time + min(longest, alone)
        if later >= end:
            later, tau = end, end - run.time
        elif alone <= longest:
            extra = _choose_among(a, critical, stream.unit() * risky)
        run.n_steps += 1
        made = _try_leap(piece, a, critical, tau, extra)
        if made is not None:
            run.time = later
            run.n_events += made
            return True
        run.x = before.copy()
        longest = 0.5 * tau
    return False


def _try_leap(piece: Piece, a: list[float], critical: list[bool], tau: float, extra: int | None) -> int | None:
    """Make a leap of two halves and the critical jump; the number of jumps, None if a species ran out."""
    made = _draw(piece, a, critical, tau)
    if made is None:
        return None
    second = [max(2.0 * there - here, 0.0) for here, there in zip(a, piece.propensities(), strict=True)]
    more = _draw(piece, second, critical, tau)
    if more is None:
        return None
    if extra is not None:
        piece.add(extra, 1.0)
        if _ran_out(piece):
            return None
    piece.propensities()
    return made + more + int(extra is not None)


def _draw(piece: Piece, rates: list[float], critical: list[bool], tau: float) -> int | None:
    """Draw how often every jump happens in half a leap and add it to the state."""
    made = 0.0
    for r, rate in enumerate(rates):
        mean = rate * (0.5 * tau)
        if critical[r]:
            continue
        if mean > 1e15:
            raise FailedError(Status.NON_FINITE)
        if mean > 0.0:
            number = piece.stream.poisson(mean)
            made += number
            piece.add(r, number)
    if _ran_out(piece):
        return None
    piece.check()
    return int(made)


def _ran_out(piece: Piece) -> bool:
    return bool(np.any(piece.run.x[: piece.system.n_counts] < 0.0))


def _possible(piece: Piece, r: int) -> float:
    """Return how often a jump can happen before a species runs out."""
    found = [math.floor(float(piece.run.x[i]) / -by) for i, by in piece.changes[r] if by < 0.0]
    return min([math.inf, *found])


def _longest(piece: Piece, a: list[float], critical: list[bool]) -> float:
    """Return the time in which no propensity is expected to change by more than the tolerance."""
    n, tolerance = piece.system.n_counts, piece.walker.task.tolerance
    order, mean, variance, gross = [0.0] * n, [0.0] * n, [0.0] * n, [0.0] * n
    for r in range(len(a)):
        for i in piece.reads[r]:
            order[i] = max(order[i], _order(piece, r))
        if a[r] > 0.0 and not critical[r]:
            for i, by in piece.changes[r]:
                mean[i] += by * a[r]
                variance[i] += by * by * a[r]
                gross[i] += abs(by) * a[r]
    longest = math.inf
    for i in range(n):
        if order[i] > 0.0 and variance[i] > 0.0:
            room = max(tolerance * float(piece.run.x[i]) / order[i], 1.0)
            longest = min(longest, room * room / variance[i])
            longest = min(longest, room / max(abs(mean[i]), 0.5 * gross[i]))
    return longest


def _order(piece: Piece, r: int) -> float:
    count = int(piece.system.n_factors[r])
    if count < 0:
        return float(piece.system.orders[r])
    g = 0.0
    for i, offset in piece.system.factors[r, :count].tolist():
        free = float(piece.run.x[i]) - offset
        g += float(piece.run.x[i]) / free if free > 0.0 else 1.0
    return g


def _choose_among(a: list[float], critical: list[bool], mark: float) -> int | None:
    """Find the critical jump in whose stretch of the sum the mark lies."""
    chosen, below = None, 0.0
    for r in range(len(a)):
        if critical[r] and a[r] > 0.0:
            if chosen is not None and mark < below:
                break
            chosen, below = r, below + a[r]
    return chosen
