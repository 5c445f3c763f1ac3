"""The shipped ensemble of parameter vectors."""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from haptos.errors import ModelError
from haptos.numerics import philox_stream
from haptos.signalling.building.parameters import Parameter, free_parameters, load_parameters

__all__ = ["LIMIT", "ensemble_size", "member_vector", "members", "reference_vector"]

#: Deviations beyond this, in standard deviations, are outside the prior.
LIMIT = 3.0


@cache
def members() -> NDArray[np.float64]:
    """Return the ensemble, shape (n_members, n_parameters), in the order and units of the table.

    Parameters of modules that only read were not calibrated: they are drawn from their prior.

    Raises
    ------
    ModelError
        If the file and the table do not name the same parameters.
    """
    file = resources.files("haptos.library") / "ensemble" / "members.csv"
    table = load_parameters()
    rows = list(csv.reader(file.read_text(encoding="utf-8").splitlines()))
    header, data = rows[0], np.array(rows[1:], dtype=np.float64)
    missing = sorted(set(free_parameters()) - set(header))
    unknown = sorted(set(header) - set(table))
    if missing or unknown:
        raise ModelError(
            f"ensemble/members.csv does not fit the parameter table (missing {missing}, unknown {unknown}); "
            "calibrate again with tools/calibrate.py"
        )
    centre = np.array([p.value for p in table.values()])
    vectors = np.tile(centre, (len(data), 1))
    order = list(table)
    for column, name in enumerate(header):
        vectors[:, order.index(name)] = data[:, column]
    for name in set(table) - set(header):
        vectors[:, order.index(name)] = _drawn(table[name], len(data))
    return vectors


def _drawn(parameter: Parameter, n: int) -> NDArray[np.float64]:
    """Return draws from the prior of one parameter; more of them change no earlier one."""
    deviations = np.clip(philox_stream(0, "outputs", 0, parameter.id).standard_normal(n), -LIMIT, LIMIT)
    return np.minimum(parameter.value * np.exp(parameter.spread * deviations), parameter.upper or np.inf)


def ensemble_size() -> int:
    """Return the number of members."""
    return len(members())


@cache
def reference_vector() -> NDArray[np.float64]:
    """Return the reference vector: the medoid of the ensemble, shape (n_parameters,).

    It is the member with the smallest summed distance to the others (in logarithms, scaled
    by the prior), so it meets every calibration term, which the centre of the prior need not.
    """
    table = load_parameters()
    order, free = list(table), free_parameters()
    spread = np.array([table[name].spread for name in free])
    points = np.log(members()[:, [order.index(name) for name in free]]) / spread
    distance = np.sqrt(np.sum((points[:, None] - points[None]) ** 2, axis=-1)).sum(axis=1)
    return np.asarray(members()[int(np.argmin(distance))])


def member_vector(member: int | None) -> NDArray[np.float64]:
    """Return the vector of a member, or the reference vector for None.

    Raises
    ------
    ModelError
        If there is no such member.
    """
    if member is None:
        return reference_vector()
    if not 0 <= member < ensemble_size():
        raise ModelError(f"there is no ensemble member {member}; allowed: 0 to {ensemble_size() - 1}")
    return np.asarray(members()[member])
