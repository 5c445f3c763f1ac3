"""What was published, in internal units, with the range that counts as agreement."""

from __future__ import annotations

import math
from typing import NamedTuple

from haptos.core.units import parse_quantity
from haptos.errors import EvidenceError
from haptos.evidence.quantities import Interval, QuantityRecord
from haptos.lab.validation.specs import Check, Published

__all__ = ["Target", "target_of"]

#: Factor within which a number agrees with one that was published without a range.
FACTOR = 2.0
#: Standard deviations to each side that agree with a number published with one.
DEVIATIONS = 2.0
_TIMES = ("s", "min", "h", "d")
_CONCENTRATIONS = ("nM", "uM")


class Target(NamedTuple):
    """What a number is held against.

    Attributes
    ----------
    text : str
        As published, for the table.
    low, high : float
        Accepted range in internal units; infinite where it is open.
    """

    text: str
    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Tell whether a number lies in the range; NaN does not."""
        return self.low <= value <= self.high


def target_of(record: QuantityRecord, check: Check, *, resolved: float | None = None) -> Target:
    """Return what a check is held against.

    Parameters
    ----------
    record : QuantityRecord
        The record; all published numbers come from here.
    check : Check
        The number.
    resolved : float, optional
        Smallest fold change that the assay of the check resolves.

    Raises
    ------
    EvidenceError
        If the record has no such value.

    Examples
    --------
    >>> from haptos.lab.validation.specs import Check
    >>> record = QuantityRecord(id="a-b", quantity="half-life", values={"half": 2.0}, unit="h",
    ...                         confidence="from memory", use="validate")
    >>> target_of(record, Check(name="half-life [min]", read="level__X", published={"entry": "half"}))
    Target(text='120 min', low=60.0, high=240.0)
    """
    asked = check.published
    if asked.direction is not None:
        return _direction(asked.direction, resolved or asked.resolved)
    if asked.entry is None:
        low = -math.inf if asked.low is None else asked.low
        high = math.inf if asked.high is None else asked.high
        return Target("in words: " + _range(low, high, ""), low, high)
    low, high, unit = _ends(record, asked)
    if check.complement:
        low, high = 1.0 - high, 1.0 - low
    return _bounded(low, high, unit, asked, record)


def _direction(direction: str, fold: float) -> Target:
    match direction:
        case "increase":
            return Target(f"increase (> {fold:.2f})", fold, math.inf)
        case "decrease":
            return Target(f"decrease (< {1 / fold:.2f})", -math.inf, 1 / fold)
        case _:
            return Target(f"no change ({1 / fold:.2f} to {fold:.2f})", 1 / fold, fold)


def _bounded(low: float, high: float, unit: str, asked: Published, record: QuantityRecord) -> Target:
    """Return the accepted range around a published value or range."""
    text = _range(low, high, unit)
    if asked.bound == "at_least":
        return Target(f"at least {_plain(low)}{unit}", low, math.inf)
    if asked.bound == "at_most":
        return Target(f"at most {_plain(high)}{unit}", -math.inf, high)
    if asked.between is not None:
        ends = [_value(record, name, None) * _scale(record.unit_of(name))[0] for name in asked.between]
        return Target(f"{text} ({_range(min(ends), max(ends), unit)})", min(ends), max(ends))
    if asked.sd is not None:
        width = DEVIATIONS * _value(record, asked.sd, None) * _scale(record.unit_of(asked.sd))[0]
        return Target(f"{text} ({_range(low - width, high + width, unit)})", low - width, high + width)
    return Target(text, low / FACTOR, high * FACTOR) if low == high else Target(text, low, high)


def _ends(record: QuantityRecord, asked: Published) -> tuple[float, float, str]:
    """Return the ends of a published value in internal units, and the unit."""
    name = asked.entry or ""
    if name not in record.values:
        raise EvidenceError(f"{record.id} has no value {name!r}; it has {', '.join(record.values) or 'none'}")
    scale, unit = _scale(record.unit_of(name))
    value = record.values[name]
    if isinstance(value, Interval):
        low, high = value.range
        return -math.inf if low is None else low * scale, math.inf if high is None else high * scale, unit
    if isinstance(value, tuple) and asked.index is None:
        known = [x * scale for x in value if x is not None]
        return min(known), max(known), unit
    number = _value(record, name, asked.index)
    if asked.relative_to is not None:
        return (ratio := number / _value(record, name, asked.relative_to)), ratio, ""
    return number * scale, number * scale, unit


def _value(record: QuantityRecord, name: str, index: int | None) -> float:
    value = record.values.get(name)
    if isinstance(value, tuple) and index is not None and index < len(value):
        value = value[index]
    if not isinstance(value, float | int):
        raise EvidenceError(f"{record.id}: {name!r} holds no single number" + ("" if index is None else f" {index}"))
    return float(value)


def _scale(unit: str) -> tuple[float, str]:
    """Return the factor to internal units and the internal unit, with a space before it."""
    if unit in _TIMES:
        return parse_quantity(f"1 {unit}", "time").value, " min"
    if unit in _CONCENTRATIONS:
        return parse_quantity(f"1 {unit}", "concentration").value, " nM"
    return (0.01 if unit == "%" else 1.0), ""


def _range(low: float, high: float, unit: str) -> str:
    if low == high:
        return f"{_plain(low)}{unit}"
    if math.isinf(high):
        return f"at least {_plain(low)}{unit}"
    return f"at most {_plain(high)}{unit}" if math.isinf(low) else f"{_plain(low)} to {_plain(high)}{unit}"


def _plain(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
