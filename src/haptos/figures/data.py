"""What figures are drawn from: small frozen records, and tidy tables turned into them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Bar", "BoardRow", "Bracket", "Panel", "Published", "Verdict", "panels_of", "records"]

#: Units whose size means nothing, so that folds of the first arm are shown.
RELATIVE_UNITS = frozenset({"a.u.", "fold"})

Verdict = Literal["supported", "contradicted", "undecided", "vacuous", "not expressible", "untestable"]
Direction = Literal["increase", "decrease", "no_change", "abolished", "restored", "other"]


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One claim on the verdict board.

    Attributes
    ----------
    claim : str
        Identifier of the claim.
    sentence : str
        The claim in a short sentence.
    expectation : str
        Kind of outcome expected (``increase``, ``decrease``, ``no_change``, ``abolished``, ...).
    verdict : str
        ``supported``, ``contradicted``, ``undecided``, ``vacuous``, ``not expressible`` or
        ``untestable``.
    effect, low, high : float or None
        Median of the ensemble and its 5-95 % interval, as a fold of the reference arm; None
        where nothing was simulated. Zero is a complete loss.
    fraction : float or None
        Share of the ensemble members in which the expectation holds, 0 to 1.
    smallest_fold : float or None
        Smallest fold change (> 1) that the assay resolves: the zone of no change reaches from
        its reciprocal to it.
    reason : str
        Why, in a few words.
    source : str
        Source of the claim, for instance ``Zhao 2013``.
    basis : str
        ``calibrated`` where the finding entered the calibration of the parameters, ``predicted``
        where it did not; empty where nothing was simulated.
    system : str
        Part of the system that the claim speaks of, for instance ``S1``; may be empty.
    """

    claim: str
    sentence: str
    expectation: str
    verdict: str
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    fraction: float | None = None
    smallest_fold: float | None = None
    reason: str = ""
    source: str = ""
    basis: str = ""
    system: str = ""


@dataclass(frozen=True, slots=True)
class Published:
    """What a publication found for one comparison, shown beside the simulated outcome.

    Attributes
    ----------
    test, against : str
        Arms.
    measure, of : str
        What was read.
    direction : str
        ``increase``, ``decrease``, ``no_change``, ``abolished``, ``restored`` or ``other``.
    source : str
        Short citation, for instance ``Zhao 2013``.
    agrees : bool or None
        Whether the simulation agrees; None if undecided.
    """

    test: str
    against: str
    measure: str
    of: str
    direction: Direction
    source: str
    agrees: bool | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """One arm in one panel, in the unit of the panel.

    Attributes
    ----------
    arm : str
        Label.
    points : tuple of float
        One value per biological repeat (technical repeats averaged).
    mean, low, high : float
        Geometric mean over the repeats and its interval (NaN where n = 1).
    model : tuple of float or None
        5 %, 50 % and 95 % of the parameter ensemble.
    """

    arm: str
    points: tuple[float, ...]
    mean: float
    low: float
    high: float
    model: tuple[float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class Bracket:
    """One tested comparison in one panel; `p` is the adjusted value where there is one."""

    test: str
    against: str
    p: float


@dataclass(frozen=True, slots=True)
class Panel:
    """Everything one pair of axes shows."""

    measure: str
    of: str
    unit: str
    bars: tuple[Bar, ...]
    brackets: tuple[Bracket, ...] = ()
    published: tuple[Published, ...] = ()
    relative_to: str = ""

    @property
    def arms(self) -> tuple[str, ...]:
        """Labels of the arms, in order."""
        return tuple(bar.arm for bar in self.bars)


def records(rows: Any) -> list[dict[str, Any]]:
    """Return the rows of a data frame, or of a sequence of mappings or dataclasses, as dictionaries."""
    if rows is None:
        return []
    if hasattr(rows, "to_dict"):
        return [dict(r) for r in rows.to_dict(orient="records")]
    return [asdict(r) if is_dataclass(r) and not isinstance(r, type) else dict(r) for r in rows]


def panels_of(
    table: pd.DataFrame,
    summary: pd.DataFrame | None = None,
    comparisons: Any = None,
    ensemble: Any = None,
    published: Iterable[Published] = (),
) -> tuple[Panel, ...]:
    """Turn tidy tables into one panel per measure and entity.

    Values in arbitrary units are shown as folds of the first arm; all others as they are.
    Technical repeats are averaged as the statistics average them.

    Parameters
    ----------
    table, summary, comparisons, ensemble : DataFrame
        See :func:`haptos.figures.experiment_figure`.
    published : iterable of Published
        Outcomes of publications.

    Raises
    ------
    SpecError
        If `table` is empty or malformed.
    """
    from haptos.assays.statistics import repeats, summarise

    points = records(repeats(table))
    arms = records(summarise(table) if summary is None else summary)
    others = (records(comparisons), records(ensemble), list(published))
    keys = dict.fromkeys(_key(r) for r in points)
    return tuple(_panel(key, points, arms, *others) for key in keys)


def _panel(
    key: tuple[str, str],
    points: Sequence[dict[str, Any]],
    summary: Sequence[dict[str, Any]],
    comparisons: Sequence[dict[str, Any]],
    ensemble: Sequence[dict[str, Any]],
    published: Sequence[Published],
) -> Panel:
    mine = [r for r in points if _key(r) == key]
    arms = tuple(dict.fromkeys(str(r["arm"]) for r in mine))
    unit = str(mine[0]["unit"])
    rows = {str(r["arm"]): r for r in summary if _key(r) == key}
    first = float(rows[arms[0]]["geometric_mean"])
    relative = unit in RELATIVE_UNITS and math.isfinite(first) and first > 0
    scale = 1.0 / first if relative else 1.0
    model = _model([r for r in ensemble if _key(r) == key], arms, relative=relative)
    bars = tuple(_bar(arm, mine, rows[arm], model.get(arm), scale) for arm in arms)
    brackets = tuple(
        Bracket(str(r["test"]), str(r["against"]), _p(r))
        for r in comparisons
        if _key(r) == key and r["test"] in arms and r["against"] in arms
    )
    found = tuple(p for p in published if (p.measure, p.of) == key and p.test in arms)
    return Panel(*key, unit, bars, brackets, found, arms[0] if relative else "")


def _bar(
    arm: str,
    points: Sequence[dict[str, Any]],
    summary: Mapping[str, Any],
    model: tuple[float, float, float] | None,
    scale: float,
) -> Bar:
    repeats = tuple(float(r["value"]) * scale for r in points if str(r["arm"]) == arm)
    mean, low, high = (float(summary[name]) * scale for name in ("geometric_mean", "low", "high"))
    return Bar(arm, repeats, mean, low, high, model)


def _key(row: Mapping[str, Any]) -> tuple[str, str]:
    return str(row["measure"]), str(row["of"] or "")


def _p(row: Mapping[str, Any]) -> float:
    value = row.get("p_adjusted")
    return float(row["p"] if value is None or math.isnan(float(value)) else value)


def _model(
    rows: Sequence[dict[str, Any]], arms: Sequence[str], *, relative: bool
) -> dict[str, tuple[float, float, float]]:
    """Return 5 %, 50 % and 95 % of the ensemble by arm, from member values or given quantiles."""
    import numpy as np

    if not rows:
        return {}
    if "member" not in rows[0]:
        return {str(r["arm"]): (float(r["low"]), float(r["median"]), float(r["high"])) for r in rows}
    values = {(str(r["arm"]), r["member"]): float(r["value"]) for r in rows}
    result = {}
    for arm in arms:
        found = [(m, v) for (a, m), v in values.items() if a == arm and math.isfinite(v)]
        base = [values.get((arms[0], m), math.nan) if relative else 1.0 for m, _ in found]
        folds = [v / b for (_, v), b in zip(found, base, strict=True) if math.isfinite(b) and b > 0]
        if folds:
            low, median, high = np.quantile(folds, [0.05, 0.5, 0.95])
            result[arm] = (float(low), float(median), float(high))
    return result
