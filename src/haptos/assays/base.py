"""The contract every assay fills: what it needs from a sample and what it makes of it.

An assay sees cells only through a :class:`Sample`: named quantities over time, as the
simulation gives them. It returns noise-free values (:meth:`AbstractAssay.ideal`), from
which verdicts are formed, and measured values (:meth:`AbstractAssay.measure`), from which
tables, statistics and pictures are made.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from haptos.conditions.experiment import Protocol
from haptos.errors import ParameterError, nearest

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["AbstractAssay", "Need", "Noise", "Picture", "Sample", "Value", "own_protocol"]


@dataclass(frozen=True, slots=True)
class Need:
    """One quantity an assay wants from the simulation.

    The model offers quantities under the name ``measure__entity`` (colons of complexes
    written as underscores), for instance ``phosphorylation__RELA_pS536`` or ``mrna__MMP9``.
    """

    measure: str
    entity: str

    @property
    def name(self) -> str:
        """Name of the model quantity."""
        return f"{self.measure}__{self.entity.replace(':', '_').replace('-', '_')}"


@dataclass(frozen=True)
class Sample:
    """The cells of one arm in one biological repeat, as the simulation left them.

    Attributes
    ----------
    times : ndarray, shape (n_times,)
        Times after the start of the assay [min], increasing, the last one the end.
    quantities : mapping of str to ndarray, shape (n_times,)
        Model quantities by name; concentrations in nM unless the measure says otherwise.
    geometry : mapping of str to float
        ``cell_volume``, ``nucleus_volume`` [µm³], ``nucleus_area`` [µm²], ``medium_volume``
        [µm³ per cell].
    parameters : mapping of str to float
        Parameters of the vector that belong to rooms other than the network (for instance the
        crossing model), in internal units; the central values where a name is absent.
    """

    times: NDArray[np.float64]
    quantities: Mapping[str, NDArray[np.float64]]
    geometry: Mapping[str, float] = field(default_factory=dict)
    parameters: Mapping[str, float] = field(default_factory=dict)

    def series(self, need: Need) -> NDArray[np.float64]:
        """Return a quantity over time, shape (n_times,).

        Raises
        ------
        ParameterError
            If the sample does not hold it, or not at every time.
        """
        if need.name not in self.quantities:
            near = nearest(need.name, list(self.quantities))
            hint = f"; it offers {', '.join(near)}" if near else ""
            raise ParameterError(f"the sample holds no {need.measure!r} of {need.entity!r} ({need.name}){hint}")
        values = np.asarray(self.quantities[need.name], dtype=np.float64)
        if values.shape != self.times.shape:
            raise ParameterError(f"{need.name} has the shape {values.shape}, the times have {self.times.shape}")
        return values

    def at_end(self, need: Need) -> float:
        """Return a quantity at the end of the assay."""
        return float(self.series(need)[-1])


@dataclass(frozen=True, slots=True)
class Value:
    """One noise-free result of an assay on one sample.

    Attributes
    ----------
    measure, of : str
        What was read, and of which molecule or structure ("" where there is none).
    value : float or ndarray
        The number, or, for a time course, the numbers at the times of the sample.
    unit : str
        Unit for the table, for instance ``a.u.`` or ``cells per field``.
    """

    measure: str
    of: str
    value: float | NDArray[np.float64]
    unit: str


@dataclass(frozen=True, slots=True)
class Noise:
    """The observation model of an assay.

    Attributes
    ----------
    technical : float
        Coefficient of variation between technical repeats.
    biological : float
        Coefficient of variation of the protein amounts between biological repeats; it enters
        the simulation, not the readout.
    smallest_fold : float
        Smallest fold change (> 1) the assay resolves with its usual repeats. Effects below it
        count as no change.
    floor : float
        Detection limit in the unit of the ideal value; measured values saturate there.
    source : str
        Where these numbers come from.
    """

    technical: float
    biological: float
    smallest_fold: float
    floor: float
    source: str


@dataclass(frozen=True)
class Picture:
    """A 16-bit image with the geometry needed to read it back.

    Attributes
    ----------
    pixels : ndarray of uint16, shape (height, width)
        Intensities.
    lanes : tuple of str
        Label of each lane, left to right.
    bands : mapping of str to tuple of (top, bottom)
        Rows of each band by its label (for instance ``92 kDa``).
    lane_edges : tuple of (left, right)
        Columns of each lane.
    dark_on_light : bool
        True for blots (dark bands), False for zymograms (clear bands).
    title : str
        What is shown.
    """

    pixels: NDArray[np.uint16]
    lanes: tuple[str, ...]
    bands: Mapping[str, tuple[int, int]]
    lane_edges: tuple[tuple[int, int], ...]
    dark_on_light: bool
    title: str


def own_protocol[P: Protocol](protocol: Protocol, cls: type[P]) -> P:
    """Return the protocol as the class of its assay.

    Raises
    ------
    ParameterError
        If it is the protocol of another assay.
    """
    if not isinstance(protocol, cls):
        raise ParameterError(f"this assay needs a {cls.__name__}, not a {type(protocol).__name__}")
    return protocol


class AbstractAssay(ABC):
    """One assay of the bench.

    Class attributes
    ----------------
    name : str
        As in the vocabulary and in experiment files.
    label : str
        As on the bench.
    protocol : type of Protocol
        The specification of its protocol.
    measures : mapping of str to str
        Unit of each measure it can report.
    relative : frozenset of str
        Measures in arbitrary units: a report divides them by the mean of the first arm
        (:func:`haptos.assays.tables.relative_to_arm`).
    two_chambers : bool
        Whether a ligand can be on one side of the cells only: a gradient.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    protocol: ClassVar[type[Protocol]]
    measures: ClassVar[Mapping[str, str]]
    relative: ClassVar[frozenset[str]] = frozenset()
    two_chambers: ClassVar[bool] = False

    @abstractmethod
    def noise(self, protocol: Protocol) -> Noise:
        """Return the observation model."""

    @abstractmethod
    def times(self, protocol: Protocol) -> NDArray[np.float64]:
        """Return the sampling times after the start of the assay [min], increasing; the last is the end."""

    @abstractmethod
    def needs(self, protocol: Protocol) -> tuple[Need, ...]:
        """Return the model quantities it reads."""

    @abstractmethod
    def ideal(self, sample: Sample, protocol: Protocol) -> tuple[Value, ...]:
        """Return the noise-free results on one sample."""

    def ideal_many(self, samples: Sequence[Sample], protocol: Protocol) -> tuple[tuple[Value, ...], ...]:
        """Return :meth:`ideal` of every sample; assays with a costly model do all at once."""
        return tuple(self.ideal(sample, protocol) for sample in samples)

    @abstractmethod
    def protocol_for(self, measure: str, of: Sequence[str], *, duration: float | None = None) -> Protocol:
        """Return the protocol that reads `measure` of the entities `of` (used by claims).

        Parameters
        ----------
        measure : str
            One of :attr:`measures`.
        of : sequence of str
            Entities.
        duration : float, optional
            Length of the assay [min]; None is the usual one.
        """

    def fresh_medium(self, protocol: Protocol) -> bool:  # noqa: ARG002 - a hook
        """Tell whether the medium is replaced when the assay starts (conditioned medium is collected)."""
        return False

    def measure(
        self, values: Sequence[Value], protocol: Protocol, rng: np.random.Generator, *, technical: int
    ) -> NDArray[np.float64]:
        """Return measured values with technical noise, shape (n_values, technical).

        `values` are all values of one sample, as :meth:`ideal` returned them: bands of one
        lane share the noise of its loading.

        The default is multiplicative log-normal noise with a detection floor; time courses
        are measured at their end. Assays that count override it.
        """
        noise = self.noise(protocol)
        sigma = float(np.sqrt(np.log1p(noise.technical**2)))
        ideal = np.array([float(np.asarray(v.value).ravel()[-1]) for v in values])
        factors = np.exp(rng.normal(-0.5 * sigma**2, sigma, size=(ideal.size, technical)))
        measured: NDArray[np.float64] = np.maximum(ideal[:, None] * factors, noise.floor)
        return measured

    def pictures(
        self,
        table: pd.DataFrame,  # noqa: ARG002 - a hook
        protocol: Protocol,  # noqa: ARG002
        rng: np.random.Generator,  # noqa: ARG002
    ) -> tuple[Picture, ...]:
        """Return the pictures the bench would show (blots, zymograms); none by default.

        `table` is the tidy table of values as measured, before they are made relative to an
        arm: columns arm, replicate, technical, measure, of, value, unit.
        """
        return ()

    def require(self, measure: str) -> None:
        """Raise ParameterError unless the assay reports `measure`."""
        if measure not in self.measures:
            near = nearest(measure, list(self.measures), 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ParameterError(
                f"the assay {self.name} has no measure {measure!r}; allowed: {', '.join(self.measures)}{hint}"
            )

    def densitometry(
        self,
        picture: Picture,  # noqa: ARG002 - a hook
        protocol: Protocol,  # noqa: ARG002
    ) -> tuple[tuple[Value, ...], ...]:
        """Read a picture back: for each lane the values it shows, in the order of the lanes.

        Arbitrary units come back up to one factor per measure and entity. The error of a band
        is at most 3 % of its value plus 1 % of the strongest band exposed with it. None by
        default.
        """
        return ()
