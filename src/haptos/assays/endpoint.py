"""What assays share that read a list of entities at the end of a time, or over it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, override

import numpy as np
from numpy.typing import NDArray

from haptos.assays.base import AbstractAssay, Need, Noise, Sample, Value, own_protocol
from haptos.assays.observation import (
    AssayDuration,
    Interval,
    build_protocol,
    hours,
    lognormal,
    reading,
    sampling_times,
)
from haptos.conditions.experiment import Protocol

__all__ = ["AbstractEndpoint", "TimedProtocol", "ends_of", "over_loading"]

Array = NDArray[np.float64]


class TimedProtocol(Protocol):
    """A protocol that ends after a time, and may be read at intervals."""

    duration: AssayDuration = hours(24)
    every: Interval = None


class AbstractEndpoint(AbstractAssay):
    """An assay with one observation model and one list of entities.

    Class attributes
    ----------------
    protocol : type of TimedProtocol
        The specification of its protocol.
    observation : Noise
        The observation model.
    entities : str
        Field of the protocol that names what is read; "" where nothing is named.
    read : str
        Quantity of the model that is its only measure, entity by entity; "" where more is to it.
    bands : tuple of float, optional
        Coefficients of variation between bands and between loading controls, where all bands of a lane share
        the loading.
    """

    protocol: ClassVar[type[TimedProtocol]]
    observation: ClassVar[Noise]
    entities: ClassVar[str] = ""
    read: ClassVar[str] = ""
    bands: ClassVar[tuple[float, float] | None] = None

    @override
    def noise(self, protocol: Protocol) -> Noise:
        own_protocol(protocol, self.protocol)
        return self.observation

    @override
    def times(self, protocol: Protocol) -> Array:
        p = own_protocol(protocol, self.protocol)
        return sampling_times(p.duration, p.every)

    @override
    def needs(self, protocol: Protocol) -> tuple[Need, ...]:
        named: tuple[str, ...] = getattr(own_protocol(protocol, self.protocol), self.entities)
        return tuple(Need(self.read, name) for name in named)

    @override
    def ideal(self, sample: Sample, protocol: Protocol) -> tuple[Value, ...]:
        p = own_protocol(protocol, self.protocol)
        ((measure, unit),) = self.measures.items()
        return tuple(Value(measure, need.entity, reading(sample.series(need), p.every), unit) for need in self.needs(p))

    @override
    def measure(
        self, values: Sequence[Value], protocol: Protocol, rng: np.random.Generator, *, technical: int
    ) -> Array:
        """Return measured values, shape (n_values, technical); bands over what was loaded where there are any."""
        if self.bands is None:
            return super().measure(values, protocol, rng, technical=technical)
        floor = self.noise(protocol).floor
        return over_loading(ends_of(values), rng, *self.bands, technical=technical, floor=floor)

    @override
    def protocol_for(self, measure: str, of: Sequence[str], *, duration: float | None = None) -> Protocol:
        self.require(measure)
        return build_protocol(self.protocol, duration, **({self.entities: tuple(of)} if self.entities and of else {}))


def ends_of(values: Sequence[Value]) -> Array:
    """Return the values, or the ends of time courses, shape (n_values,)."""
    return np.array([float(np.ravel(value.value)[-1]) for value in values])


def over_loading(
    ideal: Array, rng: np.random.Generator, band: float, loading: float, *, technical: int, floor: float
) -> Array:
    """Return noisy bands over what was loaded, shape (n_values, technical); all bands of a lane share the loading.

    Parameters
    ----------
    ideal : ndarray, shape (n_values,)
        Noise-free values of one lane.
    rng : Generator
        Random stream.
    band, loading : float
        Coefficients of variation between bands and between loading controls.
    technical : int
        Technical repeats.
    floor : float
        Detection limit.
    """
    bands = lognormal(rng, band, (ideal.size, technical))
    control = lognormal(rng, loading, (1, technical), divisor=True)
    measured: Array = np.maximum(ideal[:, None] * bands / control, floor)
    return measured
