"""The shipped ensemble of parameter vectors."""

from __future__ import annotations

import csv
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from haptos.errors import ModelError
from haptos.signalling.parameters import load_parameters

__all__ = ["ensemble_size", "member_vector", "members", "reference_vector"]


def reference_vector() -> NDArray[np.float64]:
    """Return the central values of the table, shape (n_parameters,), in its units."""
    return np.array([p.value for p in load_parameters().values()])


@cache
def members() -> NDArray[np.float64]:
    """Return the ensemble, shape (n_members, n_parameters), in the order and units of the table.

    Raises
    ------
    ModelError
        If the file and the table do not name the same parameters.
    """
    file = resources.files("haptos.library") / "ensemble" / "members.csv"
    table = load_parameters()
    rows = list(csv.reader(file.read_text(encoding="utf-8").splitlines()))
    header, data = rows[0], np.array(rows[1:], dtype=np.float64)
    fixed = [name for name, p in table.items() if p.spread == 0]
    missing = sorted(set(table) - set(header) - set(fixed))
    unknown = sorted(set(header) - set(table))
    if missing or unknown:
        raise ModelError(
            f"ensemble/members.csv does not fit the parameter table (missing {missing}, unknown {unknown}); "
            "calibrate again with tools/calibrate.py"
        )
    vectors = np.tile(reference_vector(), (len(data), 1))
    order = list(table)
    for column, name in enumerate(header):
        vectors[:, order.index(name)] = data[:, column]
    return vectors


def ensemble_size() -> int:
    """Return the number of members."""
    return len(members())


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
