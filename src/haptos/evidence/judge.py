"""Does an expectation hold? Verdicts over an ensemble of simulated trials.

A trial is judged on noise-free readings; an effect counts only if it exceeds the smallest
fold change the assay resolves. Nothing here knows which claim is judged: only its
expectation and the readings enter.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import wrightomega

from haptos.evidence.claims import (
    Abolished,
    AnyExpectation,
    Biphasic,
    Compared,
    Decrease,
    Falling,
    Increase,
    NoChange,
    Range,
    Ratio,
    Restored,
    Rising,
    Sustained,
    Synergy,
    Transient,
    Varies,
)

__all__ = [
    "Finding",
    "Judgement",
    "Reading",
    "Verdict",
    "judge",
    "member_finding",
    "room_inside",
    "verdict_of",
    "widest_margin",
    "widest_room",
]

Verdict = Literal["supported", "contradicted", "undecided", "vacuous", "not expressible"]
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Reading:
    """What an assay reads in one arm.

    Attributes
    ----------
    times : ndarray, shape (n_times,)
        After the start of the assay [min]; one entry for endpoint readings.
    values : ndarray, shape (n_entities, n_times)
        The readout for each entity asked for.
    """

    times: Array
    values: Array

    @property
    def final(self) -> Array:
        """Values at the end, shape (n_entities,)."""
        return np.asarray(self.values[:, -1])

    def at(self, time: float) -> Array:
        """Values at `time`, linearly interpolated, shape (n_entities,)."""
        return np.array([np.interp(time, self.times, row) for row in self.values])


@dataclass(frozen=True, slots=True)
class Finding:
    """How one member answers an expectation.

    Attributes
    ----------
    holds : bool
        Whether the expectation is met.
    effect : float
        The number that decided it (the least favourable of several).
    margin : float
        How far the least favourable number is on the right side of its bound: differences of
        logarithms for fold changes and for bounds above 0, plain differences for shares. Negative exactly where the
        expectation is not met; for calibration, which needs to know how far off a member is.
    given : bool
        Whether the change that is to be abolished, or the gap that is to be closed, can be resolved at all.
    """

    holds: bool
    effect: float
    margin: float = math.nan
    given: bool = True


@dataclass(frozen=True, slots=True)
class Judgement:
    """The answer of the ensemble.

    Attributes
    ----------
    verdict : str
        ``supported`` (at least 0.9 of the members), ``contradicted`` (at most 0.1) or
        ``undecided``.
    fraction : float
        Share of members in which the expectation holds.
    effect, low, high : float
        Median and 5 to 95 % interval of the deciding number over the members.
    measure : str
        What that number is, for instance ``fold change`` or ``share left``.
    n_members : int
        Members that could be simulated.
    n_failed : int
        Members whose integration failed (they count as not holding).
    n_without : int
        Members in which there is no change to abolish, or no gap to close, that the assay resolves.
    """

    verdict: Verdict
    fraction: float
    effect: float
    low: float
    high: float
    measure: str
    n_members: int
    n_failed: int = 0
    n_without: int = 0


#: Name of the deciding number, by outcome.
MEASURES = {
    "increase": "fold change",
    "decrease": "fold change",
    "no_change": "fold change",
    "abolished": "share of the induced part left",
    "restored": "share of the gap closed",
    "transient": "share of the change left",
    "sustained": "share of the change left",
    "biphasic": "extreme over the nearer end",
    "rising": "last over first",
    "falling": "last over first",
    "range": "value",
    "ratio": "quotient",
    "synergy": "gain over the sum of the single gains",
    "varies": "largest over smallest effect",
}


def verdict_of(fraction: float) -> Verdict:
    """Return the verdict of a share of members in [0, 1].

    Examples
    --------
    >>> verdict_of(0.95), verdict_of(0.5), verdict_of(0.05)
    ('supported', 'undecided', 'contradicted')
    """
    if fraction >= 0.9:
        return "supported"
    return "contradicted" if fraction <= 0.1 else "undecided"


def judge(
    expectation: AnyExpectation,
    members: Sequence[Mapping[str, Reading]],
    *,
    smallest_fold: float,
) -> Judgement:
    """Judge an expectation over the members of an ensemble.

    Parameters
    ----------
    expectation : expectation
        What should be seen.
    members : sequence of mapping of str to Reading
        For each member the reading of each arm; NaN marks a failed integration.
    smallest_fold : float
        Smallest fold change (> 1) the assay resolves.

    Raises
    ------
    ValueError
        If there is no member.
    """
    if not members:
        raise ValueError("no ensemble member to judge by")
    failed = [any(not np.all(np.isfinite(r.values)) for r in m.values()) for m in members]
    findings = [
        Finding(holds=False, effect=math.nan) if bad else member_finding(expectation, m, smallest_fold=smallest_fold)
        for m, bad in zip(members, failed, strict=True)
    ]
    effects = np.array([f.effect for f in findings if math.isfinite(f.effect)])
    low, middle, high = np.quantile(effects, [0.05, 0.5, 0.95]) if effects.size else (math.nan,) * 3
    fraction = sum(f.holds for f in findings) / len(findings)
    return Judgement(
        verdict=verdict_of(fraction),
        fraction=fraction,
        effect=float(middle),
        low=float(low),
        high=float(high),
        measure=MEASURES[expectation.outcome],
        n_members=len(members) - sum(failed),
        n_failed=sum(failed),
        n_without=sum(not f.given for f in findings),
    )


@singledispatch
def _finding(expectation: object, readings: Mapping[str, Reading], fold: float) -> Finding:
    raise TypeError(f"no rule to judge {type(expectation).__name__} ({len(readings)} arms, resolving {fold:g}-fold)")


def member_finding(expectation: AnyExpectation, readings: Mapping[str, Reading], *, smallest_fold: float) -> Finding:
    """Return how one member answers; see :func:`judge`."""
    return _finding(expectation, readings, smallest_fold)


def _ratios(expectation: Compared, readings: Mapping[str, Reading]) -> Array:
    """Return test over reference for every pair of arms and entity."""
    pairs = expectation.pairs()
    quotients = [_divide(readings[test].final, readings[ref].final) for test, ref in pairs]
    return np.concatenate(quotients)


def _divide(above: Array, below: Array) -> Array:
    """Return the quotient; 1 where both vanish, infinite where only the denominator does."""
    both = (above == 0) & (below == 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(both, 1.0, above / below)


def _log(ratio: float) -> float:
    """Return the logarithm, minus infinity for nothing."""
    return math.log(ratio) if ratio > 0 else -math.inf


@_finding.register
def _(expectation: Increase, readings: Mapping[str, Reading], fold: float) -> Finding:
    worst = float(np.min(_ratios(expectation, readings)))
    needed = max(fold, expectation.at_least.value) if expectation.at_least else fold
    return Finding(worst >= needed, worst, _log(worst) - math.log(needed))


@_finding.register
def _(expectation: Decrease, readings: Mapping[str, Reading], fold: float) -> Finding:
    worst = float(np.max(_ratios(expectation, readings)))
    needed = max(fold, expectation.at_least.value) if expectation.at_least else fold
    return Finding(worst <= 1.0 / needed, worst, -_log(worst) - math.log(needed))


@_finding.register
def _(expectation: NoChange, readings: Mapping[str, Reading], fold: float) -> Finding:
    ratios = _ratios(expectation, readings)
    worst = float(max(ratios, key=lambda ratio: abs(_log(ratio))))  # a change of sign is no ratio: the worst of all
    return Finding(1.0 / fold < worst < fold, worst, math.log(fold) - abs(_log(worst)))


@_finding.register
def _(expectation: Abolished, readings: Mapping[str, Reading], fold: float) -> Finding:
    shares, induced, rise = [], True, math.inf
    for test, reference, control in expectation.induced():
        top = readings[reference].final
        base = readings[control].final if control is not None else np.zeros_like(top)
        shares.append(_divide(readings[test].final - base, top - base))
        induced &= bool(np.all(_divide(top, base) >= fold)) if control is not None else bool(np.all(top > 0))
        if control is not None:
            rise = min(rise, _log(float(np.min(_divide(top, base)))) - math.log(fold))
    worst = float(np.max(np.concatenate(shares)))
    margin = min(rise, expectation.residual.value - worst)
    return Finding(induced and worst <= expectation.residual.value, worst, margin, given=induced)


@_finding.register
def _(expectation: Restored, readings: Mapping[str, Reading], fold: float) -> Finding:
    shares, gap = [], math.inf
    for test, reference in expectation.pairs():
        low, high = readings[reference].final, readings[expectation.control].final
        shares.append(_divide(readings[test].final - low, high - low))
        with np.errstate(divide="ignore"):
            gap = min(gap, float(np.min(np.abs(np.log(_divide(high, low))))))
    worst = float(np.min(np.concatenate(shares)))
    disturbed = gap >= math.log(fold)
    margin = min(gap - math.log(fold), worst - expectation.recovery.value)
    return Finding(disturbed and worst >= expectation.recovery.value, worst, margin, given=disturbed)


def _share_left(expectation: Transient | Sustained, readings: Mapping[str, Reading], time: float) -> tuple[float, ...]:
    """Return for each pair and entity the share of the change left at `time`, and the least fold at its extreme."""
    left, peaks = [], []
    sign = 1.0 if expectation.change == "rise" else -1.0
    for test, reference in expectation.pairs():
        course, base = readings[test], readings[reference]
        level = np.array([np.interp(course.times, base.times, row) for row in base.values])
        change = sign * (course.values - level)
        peak, mean = np.max(change, axis=1), level.mean(axis=1)
        folds = _divide(mean + peak, mean) if sign > 0 else _divide(mean, np.maximum(mean - peak, 0.0))
        peaks.append(float(np.min(folds)))
        late = np.array([np.interp(time, course.times, row) for row in change])
        left += [float(x) for x in _divide(late, peak)]
    return (*left, min(peaks))


@_finding.register
def _(expectation: Transient, readings: Mapping[str, Reading], fold: float) -> Finding:
    *left, peak = _share_left(expectation, readings, expectation.back_by.value)
    return Finding(peak >= fold and max(left) <= 0.5, max(left), min(_log(peak / fold), 0.5 - max(left)))


@_finding.register
def _(expectation: Sustained, readings: Mapping[str, Reading], fold: float) -> Finding:
    *left, peak = _share_left(expectation, readings, expectation.until.value)
    return Finding(peak >= fold and min(left) >= 0.5, min(left), min(_log(peak / fold), min(left) - 0.5))


@_finding.register
def _(expectation: Biphasic, readings: Mapping[str, Reading], fold: float) -> Finding:
    series = np.array([readings[arm].final for arm in expectation.test])
    if len(series) < 3:
        return Finding(holds=False, effect=math.nan)
    ends, inner = series[[0, -1]], series[1:-1]
    if expectation.extreme == "maximum":
        excess = float(np.min(_divide(inner.max(axis=0), ends.max(axis=0))))
        return Finding(excess >= fold, excess, _log(excess / fold))
    excess = float(np.max(_divide(inner.min(axis=0), ends.min(axis=0))))
    return Finding(excess <= 1.0 / fold, excess, -_log(excess) - math.log(fold))


@_finding.register
def _(expectation: Rising, readings: Mapping[str, Reading], fold: float) -> Finding:
    return _along(expectation, readings, fold, sign=1.0)


@_finding.register
def _(expectation: Falling, readings: Mapping[str, Reading], fold: float) -> Finding:
    return _along(expectation, readings, fold, sign=-1.0)


def _along(expectation: Rising | Falling, readings: Mapping[str, Reading], fold: float, *, sign: float) -> Finding:
    """Judge a series of arms: all the way, and step by step."""
    series = np.array([readings[arm].final for arm in expectation.test])
    whole = [sign * _log(float(x)) for x in _divide(series[-1], series[0])]
    steps = [sign * _log(float(x)) for x in _divide(series[1:], series[:-1]).ravel()]
    least = math.log(fold) if expectation.each_step else -math.log(fold)
    worst = min(whole)
    margin = min(worst - math.log(fold), min(steps) - least)
    return Finding(margin >= 0, math.exp(sign * worst), margin)


@_finding.register
def _(expectation: Range, readings: Mapping[str, Reading], fold: float) -> Finding:  # noqa: ARG001 - bounds are absolute
    values = np.concatenate([readings[arm].final for arm in expectation.test])
    low = -math.inf if expectation.low is None else expectation.low
    high = math.inf if expectation.high is None else expectation.high
    above = values > low if expectation.low_excluded else values >= low
    room = room_inside(values, low, high)
    return Finding(bool(np.all(above & (values <= high))), float(values[np.argmin(room)]), float(np.min(room)))


@_finding.register
def _(expectation: Ratio, readings: Mapping[str, Reading], fold: float) -> Finding:  # noqa: ARG001 - bounds are absolute
    ratios = _ratios(expectation, readings)
    low = 0.0 if expectation.low is None else expectation.low
    high = math.inf if expectation.high is None else expectation.high
    room = room_inside(ratios, low, high)
    inside = bool(np.all((ratios >= low) & (ratios <= high)))
    return Finding(inside, float(ratios[np.argmin(room)]), float(np.min(room)))


def room_inside(values: Array, low: float, high: float) -> Array:
    """Return how far inside its bounds each value is: in logarithms from a bound above 0, plainly from any other.

    Parameters
    ----------
    values : array
        Values; nan gives nan.
    low, high : float
        Bounds, in the values' unit; -inf and inf where there is none.

    Returns
    -------
    array
        Shape as `values`; negative outside.

    Examples
    --------
    >>> room_inside(np.array([4.0, 1.0]), 2.0, 8.0).round(2).tolist()
    [0.69, -0.69]
    """
    with np.errstate(divide="ignore"):
        logs = np.log(np.maximum(values, 0.0))
    below = logs - math.log(low) if low > 0 else values - low
    above = math.log(high) - logs if 0 < high < math.inf else high - values
    return np.asarray(np.minimum(below, above))


def widest_room(low: float, high: float) -> float:
    """Return the most room (:func:`room_inside`) that any value has; inf with a bound on one side only.

    Examples
    --------
    >>> round(widest_room(2.0, 8.0), 3), widest_room(2.0, math.inf)
    (0.693, inf)
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return math.inf
    if low > 0:
        return 0.5 * math.log(high / low)
    if high <= 0:
        return 0.5 * (high - low)
    # below 0 it is counted plainly, above in logarithms: v - low = log(high / v)
    return float(wrightomega(low + math.log(high)).real) - low


def widest_margin(expectation: AnyExpectation, fold: float) -> float:
    """Return the largest margin (:attr:`Finding.margin`) that an expectation has room for; inf without a limit.

    Only expectations that a value or a ratio lies between two bounds have one.

    Parameters
    ----------
    expectation : expectation
        As in claims.
    fold : float
        Smallest fold change that the assay resolves.
    """
    match expectation:
        case NoChange():
            return math.log(fold)
        case Range(low=low, high=high) if low is not None and high is not None:
            return widest_room(low, high)
        case Ratio(high=high) if high is not None:
            return widest_room(expectation.low or 0.0, high)
        case _:
            return math.inf


@_finding.register
def _(expectation: Synergy, readings: Mapping[str, Reading], fold: float) -> Finding:
    base = readings[expectation.control].final
    parts = sum((readings[p].final - base for p in expectation.parts), np.zeros_like(base))
    gains = [readings[arm].final - base for arm in expectation.test]
    worst = float(min(np.min(_divide(g, np.maximum(parts, 0.0))) for g in gains))
    # the gain itself is to be seen: a multiple of what no assay resolves is no synergy
    seen = min(float(np.min(_divide(readings[arm].final, base))) for arm in expectation.test)
    margin = min(_log(worst / fold), _log(seen / fold)) if seen > 1 else -math.log(fold)
    return Finding(seen >= fold and worst >= fold, worst, margin)


@_finding.register
def _(expectation: Varies, readings: Mapping[str, Reading], fold: float) -> Finding:
    ratios = _ratios(expectation, readings)
    changed = (ratios >= fold) | (ratios <= 1.0 / fold)
    spread = float(_divide(np.max(ratios)[None], np.min(ratios)[None])[0])
    holds = bool(np.any(changed)) and spread >= fold and not _alike(ratios, fold)
    # the largest effect is to be seen, and the smallest (or one of the other sign) is not to be like it
    with np.errstate(divide="ignore"):
        logs = np.log(ratios)
    seen = float(np.max(np.abs(logs))) - math.log(fold)
    unlike = math.log(fold) - max(float(np.min(logs)), -float(np.max(logs)))
    return Finding(holds, spread, min(seen, _log(spread / fold), unlike))


def _alike(ratios: Array, fold: float) -> bool:
    """Tell whether all effects have the same sign and all are present."""
    return bool(np.all(ratios >= fold) or np.all(ratios <= 1.0 / fold))
