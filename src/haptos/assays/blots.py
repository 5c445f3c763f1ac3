"""What western and phospho blots and fractionations share: the membrane and its reading."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from haptos.assays.base import Picture, Value
from haptos.assays.densitometry import band_volumes
from haptos.assays.gel_image import BLOT, Band, Strip, draw
from haptos.assays.observation import lognormal
from haptos.errors import ParameterError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LOADING_VARIATION", "Gel", "blot", "gels", "lane_values", "relative_volumes"]

Array = NDArray[np.float64]

#: Coefficient of variation of a loading control between lanes (assumed).
LOADING_VARIATION = 0.10
_HEIGHT = 68


@dataclass(frozen=True)
class Gel:
    """The values of one gel: one lane per arm.

    Attributes
    ----------
    replicate, technical : int
        Which repeat it shows.
    lanes : tuple of str
        Arms, in the order of the table.
    values : mapping of (measure, entity) to ndarray, shape (n_lanes,)
        Measured values.
    """

    replicate: int
    technical: int
    lanes: tuple[str, ...]
    values: Mapping[tuple[str, str], Array]

    def amounts(self, measure: str, of: str) -> Array:
        """Return the values of one readout in all lanes.

        Raises
        ------
        ParameterError
            If the table did not hold it for every lane.
        """
        if (measure, of) not in self.values:
            raise ParameterError(f"the table holds no {measure!r} of {of!r} in every arm of repeat {self.replicate}")
        return self.values[measure, of]


def gels(table: pd.DataFrame) -> Iterator[Gel]:
    """Yield one gel for each biological and technical repeat of a tidy table."""
    order = list(dict.fromkeys(table["arm"]))
    for _, rows in table.groupby(["replicate", "technical"], sort=True):
        replicate, technical = int(rows["replicate"].iloc[0]), int(rows["technical"].iloc[0])
        present = set(rows["arm"])
        lanes = tuple(arm for arm in order if arm in present)
        values: dict[tuple[str, str], Array] = {}
        for _, part in rows.groupby(["measure", "of"], sort=False):
            measure, of = str(part["measure"].iloc[0]), str(part["of"].iloc[0])
            by_arm = dict(zip(part["arm"], part["value"], strict=True))
            if len(by_arm) == len(lanes):
                values[measure, of] = np.array([float(by_arm[arm]) for arm in lanes])
        yield Gel(replicate, technical, lanes, values)


def blot(
    table: pd.DataFrame,
    title: str,
    targets: Callable[[Gel], Mapping[str, Array]],
    controls: Sequence[str],
    rng: np.random.Generator,
) -> tuple[Picture, ...]:
    """Draw one membrane per repeat.

    Parameters
    ----------
    table : DataFrame
        Tidy table of measured values.
    title : str
        What is shown.
    targets : callable
        Amount per loaded protein of each band label in each lane, given the gel.
    controls : sequence of str
        Labels of the loading controls, drawn below with the amount that was loaded.
    rng : Generator
        Random stream of loading and texture.
    """
    pictures = []
    for gel in gels(table):
        loaded = lognormal(rng, LOADING_VARIATION, (len(gel.lanes),))
        amounts = {label: values * loaded for label, values in targets(gel).items()}
        amounts.update(dict.fromkeys(controls, loaded))
        strips = [Strip(_HEIGHT, (Band(label, 0.5 * _HEIGHT, values),)) for label, values in amounts.items()]
        heading = f"{title}, repeat {gel.replicate}" + (f", gel {gel.technical}" if gel.technical else "")
        pictures.append(draw(strips, gel.lanes, BLOT, heading, rng))
    return tuple(pictures)


def relative_volumes(picture: Picture, band: str, over: str) -> Array:
    """Return band volumes over those of another band (loading control, total), shape (n_lanes,)."""
    volumes: Array = np.maximum(band_volumes(picture, band), 0.0)
    below = band_volumes(picture, over)
    return np.divide(volumes, below, out=np.zeros_like(volumes), where=below > 0.0)


def lane_values(columns: Mapping[tuple[str, str], Array], unit: str = "a.u.") -> tuple[tuple[Value, ...], ...]:
    """Return what a picture shows, lane by lane, given (measure, entity) -> values of all lanes."""
    return tuple(
        tuple(Value(measure, of, float(value), unit) for (measure, of), value in zip(columns, lane, strict=True))
        for lane in zip(*columns.values(), strict=True)
    )
