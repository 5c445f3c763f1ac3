"""Small tables and pictures with known content."""

from __future__ import annotations

import numpy as np
import pandas as pd

from haptos.assays.base import Picture


def table(
    values: dict[str, list[float]], *, measure: str = "level", of: str = "MMP9", unit: str = "a.u."
) -> pd.DataFrame:
    """Return a tidy table with one technical repeat; `values` by arm."""
    rows = [
        {"arm": arm, "replicate": i, "technical": 0, "measure": measure, "of": of, "value": value, "unit": unit}
        for arm, repeats in values.items()
        for i, value in enumerate(repeats)
    ]
    return pd.DataFrame(rows)


def members(values: dict[str, list[float]], *, measure: str = "level", of: str = "MMP9") -> pd.DataFrame:
    """Return ensemble values by arm, one per member."""
    rows = [
        {"arm": arm, "member": i, "measure": measure, "of": of, "value": value}
        for arm, folds in values.items()
        for i, value in enumerate(folds)
    ]
    return pd.DataFrame(rows)


def comparison(test: str, against: str, p: float, *, measure: str = "level", of: str = "MMP9") -> pd.DataFrame:
    """Return a table with one comparison."""
    return pd.DataFrame([{"test": test, "against": against, "measure": measure, "of": of, "p": p, "p_adjusted": p}])


def picture(lanes: tuple[str, ...], *, dark_on_light: bool = True) -> Picture:
    """Return a picture with one even band per lane."""
    light, dark = 60000, 8000
    pixels = np.full((40, 30 * len(lanes)), light if dark_on_light else dark, dtype=np.uint16)
    for i in range(len(lanes)):
        pixels[15:25, 30 * i + 5 : 30 * i + 25] = dark if dark_on_light else light
    edges = tuple((30 * i + 2, 30 * i + 28) for i in range(len(lanes)))
    return Picture(pixels, lanes, {"92 kDa": (13, 27)}, edges, dark_on_light, "MMP9")
