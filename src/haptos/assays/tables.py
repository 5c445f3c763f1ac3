"""Tidy tables of measured values."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from haptos.assays.base import Value
from haptos.errors import ParameterError, nearest

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["relative_to_arm", "tidy_rows"]


def tidy_rows(
    arm: str, replicate: int, values: Sequence[Value], measured: NDArray[np.float64]
) -> list[dict[str, object]]:
    """Return the rows of one arm and repeat for a tidy table.

    Parameters
    ----------
    arm : str
        Label of the arm.
    replicate : int
        Number of the independent repeat.
    values : sequence of Value
        As the assay's ``ideal`` returned them.
    measured : ndarray, shape (n_values, technical)
        As the assay's ``measure`` returned them.

    Examples
    --------
    >>> tidy_rows("vector", 1, [Value("level", "ILK", 2.0, "a.u.")], np.array([[1.9]]))
    [{'arm': 'vector', 'replicate': 1, 'technical': 0, 'measure': 'level', 'of': 'ILK', 'value': 1.9, 'unit': 'a.u.'}]
    """
    if measured.ndim != 2 or measured.shape[0] != len(values):
        raise ParameterError(f"measured has the shape {measured.shape}, expected ({len(values)}, technical)")
    return [
        {
            "arm": arm, "replicate": replicate, "technical": technical, "measure": value.measure, "of": value.of,
            "value": float(measured[i, technical]), "unit": value.unit,
        }
        for i, value in enumerate(values)
        for technical in range(measured.shape[1])
    ]  # fmt: skip


def relative_to_arm(table: pd.DataFrame, arm: str, measures: Collection[str]) -> pd.DataFrame:
    """Divide measures in arbitrary units by the mean of one arm over its repeats.

    Parameters
    ----------
    table : DataFrame
        Tidy table.
    arm : str
        The arm that becomes 1, usually the first.
    measures : collection of str
        Measures to divide, usually the ``relative`` ones of the assay.

    Returns
    -------
    DataFrame
        A copy; readouts whose mean in that arm is zero stay as they are.

    Raises
    ------
    ParameterError
        If the table has no such arm.
    """
    arms = list(dict.fromkeys(table["arm"]))
    if arm not in arms:
        near = nearest(arm, arms, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ParameterError(f"the table has no arm {arm!r}; it has {', '.join(arms)}{hint}")
    import pandas as pd

    result = table.copy()
    per_repeat = table[table["arm"] == arm].groupby(["measure", "of", "replicate"])["value"].mean()
    mean = per_repeat.groupby(["measure", "of"]).mean()
    scale = mean.reindex(pd.MultiIndex.from_frame(table[["measure", "of"]])).to_numpy(dtype=np.float64)
    divide = table["measure"].isin(list(measures)).to_numpy() & (scale > 0.0)
    result["value"] = np.divide(table["value"].to_numpy(dtype=np.float64), np.where(divide, scale, 1.0))
    return result
