"""Pieces that the observation models of the assays share."""

from __future__ import annotations

import math
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import PydanticCustomError

from haptos.conditions.experiment import Protocol
from haptos.core.specs import KnownName, QuantityOf
from haptos.core.units import Quantity
from haptos.errors import ParameterError

__all__ = [
    "BIOLOGICAL_VARIATION",
    "AssayDuration",
    "Entities",
    "Interval",
    "build_protocol",
    "combined",
    "hours",
    "lognormal",
    "reading",
    "resolvable_fold",
    "sampling_times",
    "saturate",
]

#: Coefficient of variation of protein amounts between cultures of one line (assumed).
BIOLOGICAL_VARIATION = 0.15

AssayDuration = Annotated[
    Quantity,
    QuantityOf("time", above=0.0, maximum=20_160.0),
    Field(description="time from the start of the assay to the harvest or count, at most 14 days"),
]
Interval = Annotated[
    Annotated[Quantity, QuantityOf("time", minimum=1.0, maximum=20_160.0)] | None,
    Field(description="interval of a time course; left out, only the end is read"),
]


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise PydanticCustomError("distinct", "{names} stands twice", {"names": ", ".join(twice)})
    return names


Entities = Annotated[tuple[Annotated[str, KnownName("entity")], ...], AfterValidator(_distinct)]


def build_protocol[P: Protocol](cls: type[P], duration: float | None, **fields: Any) -> P:
    """Return a protocol from checked fields, with `duration` [min] or its usual length.

    Raises
    ------
    ParameterError
        If a field is not admissible; all reasons are given.
    """
    if duration is not None:
        fields["duration"] = f"{duration!r} min"
    try:
        return cls.model_validate({k: list(v) if isinstance(v, tuple) else v for k, v in fields.items()})
    except ValidationError as error:
        found = [(".".join(map(str, e["loc"])), e["msg"].removeprefix("Value error, ")) for e in error.errors()]
        reasons = [f"{place}: {message}" if place else message for place, message in found]
        raise ParameterError(f"the assay cannot read this: {'; '.join(reasons)}") from error


def saturate(signal: NDArray[np.float64], half: Quantity | None) -> NDArray[np.float64]:
    """Return a signal that saturates, with half its greatest value at `half`; None is linear.

    Small signals are unchanged.
    """
    return signal if half is None else signal / (1.0 + signal / half.value)


def hours(number: float) -> Quantity:
    """Return a time of so many hours, as a default of a protocol.

    Examples
    --------
    >>> hours(24).value
    1440.0
    """
    return Quantity(60.0 * number, "time", f"{number:g} h")


def lognormal(
    rng: np.random.Generator, variation: float, size: tuple[int, ...], *, divisor: bool = False
) -> NDArray[np.float64]:
    """Draw positive factors with coefficient of variation `variation`.

    Parameters
    ----------
    rng : Generator
        Random stream.
    variation : float
        Coefficient of variation, from 0 on.
    size : tuple of int
        Shape of the result.
    divisor : bool
        False: the mean of the factors is 1. True: the mean of one over the factors is 1, for
        what stands below a fraction line.
    """
    sigma = math.sqrt(math.log1p(variation**2))
    factors: NDArray[np.float64] = np.exp(rng.normal((0.5 if divisor else -0.5) * sigma**2, sigma, size))
    return factors


def combined(*variations: float) -> float:
    """Return the coefficient of variation of a product of independent log-normal factors.

    Examples
    --------
    >>> round(combined(0.15, 0.10), 3)
    0.181
    """
    return math.sqrt(math.expm1(math.fsum(math.log1p(v**2) for v in variations)))


def resolvable_fold(variation: float, repeats: int = 3) -> float:
    """Return the fold change of two standard errors of a log ratio of `repeats` repeats.

    Examples
    --------
    >>> round(resolvable_fold(0.2), 2)
    1.38
    """
    sigma = math.sqrt(math.log1p(variation**2))
    return math.exp(1.96 * sigma * math.sqrt(2.0 / repeats))


def sampling_times(duration: Quantity, every: Quantity | None) -> NDArray[np.float64]:
    """Return the sampling times [min]: of the time course, or quarters up to the end."""
    end = duration.value
    if every is None:
        return np.linspace(0.0, end, 5)
    times = np.arange(0.0, end, every.value)
    return np.append(times[times < end - 1e-6 * end], end)


def grid(duration: float, every: Quantity | None, longest: float) -> NDArray[np.float64]:
    """Return sampling times from 0 to `duration` [min], at most `longest` apart, at `every` if that is less."""
    step = min(longest, duration if every is None else every.value)
    times = np.arange(0.0, duration, step)
    return np.append(times[times < duration - 1e-6 * step], duration)


def reading(series: NDArray[np.float64], every: Quantity | None) -> float | NDArray[np.float64]:
    """Return the whole series for a time course, otherwise its end."""
    return float(series[-1]) if every is None else series
