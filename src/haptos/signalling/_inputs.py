"""Turn what a user names and gives into the arrays of a batch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from haptos.errors import ParameterError, nearest

__all__ = ["Segment", "Values", "batch_size", "columns", "unknown_name"]

Array = NDArray[np.float64]
Values = Mapping[str, ArrayLike]


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """One stretch of an experiment: what is different in it, what happens at its start.

    Values are numbers for all members or arrays of shape (B,).

    Attributes
    ----------
    start, stop : float
        The interval [start, stop), in the time unit of the model. The first segment of a
        simulation may start at ``-inf``: what it changes is done, then the members come to
        rest with its parameters.
    parameters : mapping
        Parameters, compartment sizes and fixed species that differ from the base values
        **during this segment only**.
    set : mapping
        Concentrations that states are set to at the start.
    add : mapping
        Concentrations added to states at the start (after `multiply`).
    multiply : mapping
        Factors that states are multiplied by at the start.
    """

    start: float
    stop: float
    parameters: Values = field(default_factory=dict)
    set: Values = field(default_factory=dict)
    add: Values = field(default_factory=dict)
    multiply: Values = field(default_factory=dict)


def batch_size(groups: Iterable[Values], *arrays: Array | None) -> int:
    """Return the common number of members of scalars and arrays of shape (B,) or (B, n).

    Raises
    ------
    ParameterError
        If the numbers differ or an array has more axes.
    """
    sizes: dict[int, str] = {}
    for group in groups:
        for name, value in group.items():
            shape = np.shape(value)
            if len(shape) > 1:
                raise ParameterError(f"{name!r} must be a number or a row, not of shape {shape}")
            if shape:
                sizes.setdefault(shape[0], name)
    for array in arrays:
        if array is not None:
            sizes.setdefault(len(array), "initial")
    if len(sizes) > 1:
        found = ", ".join(f"{name}: {size}" for size, name in sizes.items())
        raise ParameterError(f"the arrays do not agree on the number of members ({found})")
    return next(iter(sizes), 1)


def columns(
    values: Values, names: Sequence[str], size: int, kind: str, elsewhere: Mapping[str, str]
) -> dict[int, Array]:
    """Return the column of each name and its values, shape (B,).

    Parameters
    ----------
    values : mapping
        Names and values.
    names : sequence of str
        Admissible names, in the order of the columns.
    size : int
        Number of members.
    kind : str
        What the names are, for messages.
    elsewhere : mapping of str to str
        Names known to the model that do not belong here, with what to do instead.
    """
    position = {name: i for i, name in enumerate(names)}
    found: dict[int, Array] = {}
    for name, value in values.items():
        if name not in position:
            raise unknown_name(name, kind, names, elsewhere)
        row = np.asarray(value, dtype=np.float64)
        found[position[name]] = row if row.shape == (size,) else np.full(size, row)
    return found


def unknown_name(name: str, kind: str, names: Sequence[str], elsewhere: Mapping[str, str]) -> ParameterError:
    """Return the error for a name that is not admissible, with the nearest that are."""
    if name in elsewhere:
        return ParameterError(f"{name!r} is not a {kind}: {elsewhere[name]}")
    close = nearest(name, [*names, *elsewhere])
    hint = f"; did you mean {', '.join(close)}?" if close else ""
    return ParameterError(f"there is no {kind} {name!r}{hint}")
