"""What both transwell assays share: the insert, the crossing of it, and the counting."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated, ClassVar, override

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from haptos.assays.base import AbstractAssay, Need, Noise, Sample, Value, own_protocol
from haptos.assays.observation import (
    BIOLOGICAL_VARIATION,
    AssayDuration,
    Interval,
    build_protocol,
    combined,
    grid,
    hours,
    lognormal,
    reading,
    resolvable_fold,
)
from haptos.conditions.experiment import Protocol
from haptos.core.specs import QuantityOf
from haptos.core.units import Quantity
from haptos.errors import ParameterError
from haptos.motility.barriers import Barrier, uncoated_filter
from haptos.motility.crossing import Drives, crossed_share
from haptos.motility.parameters import CrossingParameters, crossing_parameters

__all__ = ["AT_ONCE", "DRIVE_NEEDS", "AbstractTranswell", "TranswellProtocol", "bare_filter", "drives_of"]

#: Samples whose cells are moved together: bounds the memory.
AT_ONCE = 64

_INSERT, _FIELD = 0.15, 0.20
_UNIT = "1/field"
_EVERY = 30.0
_PROTRUSION, _CONTRACTION = Need("drive", "protrusion"), Need("drive", "contraction")
_PROTEOLYSIS, _AMOEBOID = Need("proteolysis", "matrix"), Need("drive", "amoeboid")
#: What the crossing model reads of a sample, whatever the barrier.
DRIVE_NEEDS = (_PROTRUSION, _CONTRACTION, _PROTEOLYSIS, _AMOEBOID)


class TranswellProtocol(Protocol):
    """What a transwell protocol says about the insert and the count."""

    duration: AssayDuration = hours(24)
    every: Interval = None
    seeded: int = Field(50_000, ge=100, le=10_000_000, description="cells seeded on one insert")
    pore_diameter: Annotated[Quantity, QuantityOf("length", minimum=0.4, maximum=20.0)] = Field(
        Quantity(8.0, "length", "8 µm"), description="diameter of the pores of the membrane"
    )
    pore_density: Annotated[Quantity, QuantityOf("surface density", minimum=1e-6, maximum=0.05)] = Field(
        Quantity(1e-3, "surface density", "1e5 / cm²"), description="pores per area of membrane"
    )
    membrane_thickness: Annotated[Quantity, QuantityOf("length", minimum=1.0, maximum=200.0)] = Field(
        Quantity(10.0, "length", "10 µm"), description="thickness of the membrane"
    )
    membrane_area: Annotated[Quantity, QuantityOf("area", minimum=1e6, maximum=1e10)] = Field(
        Quantity(3.3e7, "area", "0.33 cm²"), description="area of the membrane that cells can cross"
    )
    fields: int = Field(5, ge=1, le=100, description="microscope fields counted per insert")
    field_area: Annotated[Quantity, QuantityOf("area", minimum=1e3, maximum=1e8)] = Field(
        Quantity(3e5, "area", "0.3 mm²"), description="area of one field (20× objective)"
    )


class AbstractTranswell(AbstractAssay):
    """Cells on a membrane with pores; those that came through are counted per field.

    The subclass names its measure and builds the barrier.
    """

    two_chambers = True
    counted: ClassVar[str]
    protocol: ClassVar[type[TranswellProtocol]]

    @abstractmethod
    def barrier(self, protocol: Protocol, parameters: CrossingParameters) -> Barrier:
        """Return what the cells have to cross."""

    @override
    def noise(self, protocol: Protocol) -> Noise:
        p = own_protocol(protocol, self.protocol)
        spread = combined(_INSERT, _FIELD / p.fields**0.5)
        return Noise(
            technical=spread,
            biological=BIOLOGICAL_VARIATION,
            smallest_fold=resolvable_fold(spread),
            floor=0.0,
            source="assumed: 15 % between inserts, 20 % between fields; counting adds Poisson noise",
        )

    @override
    def times(self, protocol: Protocol) -> NDArray[np.float64]:
        p = own_protocol(protocol, self.protocol)
        return grid(p.duration.value, p.every, _EVERY)

    @override
    def fresh_medium(self, protocol: Protocol) -> bool:
        own_protocol(protocol, self.protocol)
        return True

    @override
    def needs(self, protocol: Protocol) -> tuple[Need, ...]:
        own_protocol(protocol, self.protocol)
        return DRIVE_NEEDS

    @override
    def ideal(self, sample: Sample, protocol: Protocol) -> tuple[Value, ...]:
        """Let the cells of a sample cross, with the crossing parameters of its vector.

        Raises
        ------
        ParameterError
            If the sample lacks a quantity or the nucleus area.
        """
        return self.ideal_many([sample], protocol)[0]

    @override
    def ideal_many(self, samples: Sequence[Sample], protocol: Protocol) -> tuple[tuple[Value, ...], ...]:
        """Let the cells of all samples cross at once; a row depends on its own sample only."""
        p = own_protocol(protocol, self.protocol)
        found: list[tuple[Value, ...]] = []
        for first in range(0, len(samples), AT_ONCE):
            some = samples[first : first + AT_ONCE]
            parameters = [crossing_parameters(sample.parameters) for sample in some]
            barriers = [self.barrier(p, numbers) for numbers in parameters]
            crossed = crossed_share(drives_of(*some), barriers, parameters)
            per_field = crossed * p.seeded * p.field_area.value / p.membrane_area.value
            found += [(Value(self.counted, "", reading(row, p.every), _UNIT),) for row in per_field]
        return tuple(found)

    @override
    def protocol_for(self, measure: str, of: Sequence[str], *, duration: float | None = None) -> Protocol:
        self.require(measure)
        return build_protocol(self.protocol, duration)

    @override
    def measure(
        self, values: Sequence[Value], protocol: Protocol, rng: np.random.Generator, *, technical: int
    ) -> NDArray[np.float64]:
        """Return the mean count per field of `technical` inserts.

        Inserts and fields vary log-normally around the ideal, cells in a field are Poisson.
        """
        p = own_protocol(protocol, self.protocol)
        ideal = np.array([float(np.ravel(v.value)[-1]) for v in values])
        inserts = lognormal(rng, _INSERT, (ideal.size, technical, 1))
        fields = lognormal(rng, _FIELD, (ideal.size, technical, p.fields))
        counts: NDArray[np.float64] = rng.poisson(ideal[:, None, None] * inserts * fields).mean(axis=2)
        return counts


def bare_filter(protocol: TranswellProtocol, parameters: CrossingParameters) -> Barrier:
    """Return the membrane of an insert with the film of proteins in its pores."""
    return uncoated_filter(
        protocol.pore_diameter.value,
        protocol.pore_density.value,
        protocol.membrane_thickness.value,
        parameters,
    )


def drives_of(*samples: Sample) -> Drives:
    """Return what the cells of samples bring to a barrier; all are sampled at the same times.

    Raises
    ------
    ParameterError
        If a sample lacks a quantity or the nucleus area.
    """
    if any("nucleus_area" not in sample.geometry for sample in samples):
        raise ParameterError("the sample gives no 'nucleus_area' [µm²] in its geometry")
    brought = [np.array([s.series(need) for s in samples]) for need in DRIVE_NEEDS]
    protrusion, contraction, proteolysis, amoeboid = brought
    nucleus = np.array([sample.geometry["nucleus_area"] for sample in samples], dtype=np.float64)
    return Drives(samples[0].times, protrusion, contraction, proteolysis, nucleus, amoeboid)
