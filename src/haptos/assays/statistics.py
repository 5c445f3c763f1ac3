"""Statistics of a tidy table: repeats, comparisons of arms, and a summary per arm.

The table has the columns arm, replicate, technical, measure, of, value and unit.

Rules
-----
- Technical repeats are averaged first, so n counts independent repeats: geometric mean for
  amounts and quotients, arithmetic mean for counts.
- Tests run on logarithms, because amounts vary in proportion to their size. The effect is a
  ratio of geometric means.
- Arms of one repeat share the day and the cells, so the test is paired by repeat unless asked
  otherwise; unpaired, it is Welch's.
- A value of zero is raised to half the smallest positive value of its readout; this is said in
  the words of every test it touches. If a readout has no positive value, it is not tested.
- p values are adjusted by Holm over all tests of the experiment, or over those of each readout.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from haptos.assays.log_tests import LogTest, holm, interval_of_mean, paired_test, welch_test
from haptos.conditions.experiment import Comparison
from haptos.errors import Issue, ParameterError, SpecError, nearest

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["COLUMNS", "COUNT_UNITS", "compare", "repeats", "summarise"]

#: Columns of a tidy table, and the units that are counts.
COLUMNS = ("arm", "replicate", "technical", "measure", "of", "value", "unit")
COUNT_UNITS = frozenset({"1/field", "cells per field", "count"})

_READOUT = ["measure", "of", "unit"]


def repeats(table: pd.DataFrame) -> pd.DataFrame:
    """Average the technical repeats of a tidy table.

    Parameters
    ----------
    table : DataFrame
        Tidy table.

    Returns
    -------
    DataFrame
        One row per arm, replicate and readout, arms in the order of the table: arm, replicate,
        measure, of, unit, value, positive (the value with zeros raised) and raised (whether
        zeros were).

    Raises
    ------
    SpecError
        If columns are missing, or values are negative or not finite, or a row stands twice.
    """
    _check_table(table)
    kept = table.loc[:, list(COLUMNS)].copy()
    smallest = kept["value"].where(kept["value"] > 0).groupby([kept[c] for c in _READOUT]).transform("min")
    kept["raised"] = kept["value"].eq(0.0)
    kept["positive"] = kept["value"].where(~kept["raised"], 0.5 * smallest)
    rows = []
    for _, part in kept.groupby(["arm", "replicate", *_READOUT], sort=False):
        first = part.iloc[0]
        rows.append({c: first[c] for c in ("arm", "replicate", *_READOUT)} | _average(part, str(first["unit"])))
    import pandas as pd

    averaged = pd.DataFrame(rows)
    counts = averaged["unit"].isin(COUNT_UNITS)
    least = averaged["value"].where(averaged["value"] > 0).groupby([averaged[c] for c in _READOUT]).transform("min")
    averaged.loc[counts, "positive"] = averaged["value"].where(averaged["value"] > 0, 0.5 * least)[counts]
    return averaged


def _average(part: pd.DataFrame, unit: str) -> dict[str, object]:
    values = part["value"].to_numpy(dtype=np.float64)
    if unit in COUNT_UNITS:
        mean = float(values.mean())
        return {"value": mean, "positive": mean, "raised": mean == 0.0}
    positive = part["positive"].to_numpy(dtype=np.float64)
    geometric = float(np.exp(np.log(positive).mean()))
    raised = bool(part["raised"].any())
    return {"value": 0.0 if part["raised"].all() else geometric, "positive": geometric, "raised": raised}


def compare(
    table: pd.DataFrame,
    comparisons: Sequence[Comparison],
    *,
    paired: bool = True,
    confidence: float = 0.95,
    family: Literal["experiment", "readout"] = "experiment",
) -> pd.DataFrame:
    """Test the arms of an experiment against each other.

    Parameters
    ----------
    table : DataFrame
        Tidy table.
    comparisons : sequence of Comparison
        Pairs of arms.
    paired : bool
        Pair the arms by repeat; repeats that one arm lacks are left out.
    confidence : float
        Coverage of the intervals, between 0 and 1.
    family : {"experiment", "readout"}
        Over which tests Holm's adjustment runs.

    Returns
    -------
    DataFrame
        One row per readout and comparison: test, against, measure, of, n, n_against, ratio, low,
        high (interval of the ratio), t, dof, p, p_adjusted, words. Numbers are NaN where no test
        is possible; the words say why.

    Raises
    ------
    SpecError
        If the table is malformed or an arm is not in it.
    ParameterError
        If the confidence is not between 0 and 1.
    """
    if not 0.0 < confidence < 1.0:
        raise ParameterError(f"confidence must be between 0 and 1, not {confidence!r}")
    averaged = repeats(table)
    _check_arms(comparisons, list(dict.fromkeys(averaged["arm"])))
    rows = [
        _compare(part, comparison, paired=paired, confidence=confidence)
        for _, part in averaged.groupby(_READOUT, sort=False)
        for comparison in comparisons
    ]
    return _adjusted(rows, family)


def _compare(part: pd.DataFrame, comparison: Comparison, *, paired: bool, confidence: float) -> dict[str, object]:
    test = part[part["arm"] == comparison.test].set_index("replicate")
    against = part[part["arm"] == comparison.against].set_index("replicate")
    if paired:
        common = test.index.intersection(against.index)
        test, against = test.loc[common], against.loc[common]
    a, b = (np.log(side["positive"].to_numpy(dtype=np.float64)) for side in (test, against))
    result = paired_test(a, b, confidence) if paired else welch_test(a, b, confidence)
    raised = bool(test["raised"].any() or against["raised"].any())
    return {
        "test": comparison.test,
        "against": comparison.against,
        "measure": part["measure"].iloc[0],
        "of": part["of"].iloc[0],
        "n": len(test),
        "n_against": len(against),
        "ratio": float(np.exp(result.effect)),
        "low": float(np.exp(result.low)),
        "high": float(np.exp(result.high)),
        "t": float(result.t),
        "dof": float(result.dof),
        "p": float(result.p),
        "words": _words(len(test), len(against), result, paired=paired, raised=raised),
    }


def _words(n: int, n_against: int, result: LogTest, *, paired: bool, raised: bool) -> str:
    """Name the test as in a figure legend; the adjustment is added when the family is known."""
    size = f"n = {n} independent repeats" if n == n_against else f"n = {n} and {n_against} independent repeats"
    if np.isnan(result.p):
        if min(n, n_against) < 2:
            return f"no test: fewer than two repeats, {size}"
        return f"no test: {'no positive value' if np.isnan(result.effect) else 'no spread between repeats'}, {size}"
    kind = "paired t-test" if paired else "Welch t-test"
    zero = "; zeros raised to half the smallest positive value" if raised else ""
    return f"{kind} on log values, {size}, two-sided{zero}"


def _adjusted(rows: list[dict[str, object]], family: str) -> pd.DataFrame:
    import pandas as pd

    columns = [
        "test", "against", "measure", "of", "n", "n_against", "ratio", "low", "high", "t", "dof", "p", "p_adjusted",
        "words",
    ]  # fmt: skip
    result = pd.DataFrame(rows, columns=columns)
    key = ["measure", "of"] if family == "readout" else None
    groups = [part.index for _, part in result.groupby(key, sort=False)] if key else [result.index]
    for index in groups:
        p = result.loc[index, "p"].to_numpy(dtype=np.float64)
        result.loc[index, "p_adjusted"] = holm(p)
        tested = int(np.isfinite(p).sum())
        for i in index[np.isfinite(p)]:
            plural = "s" if tested > 1 else ""
            result.loc[i, "words"] = f"{result.loc[i, 'words']}; Holm-adjusted for {tested} comparison{plural}"
    result["p_adjusted"] = result["p_adjusted"].astype(np.float64)
    return result


def summarise(table: pd.DataFrame, *, confidence: float = 0.95) -> pd.DataFrame:
    """Summarise each arm over its independent repeats.

    Returns
    -------
    DataFrame
        One row per readout and arm, in the order of the table: measure, of, arm, n, mean, sd (NaN
        for one repeat), geometric_mean, low, high (interval of the geometric mean from the t
        distribution of the logarithms), unit.
    """
    import pandas as pd

    averaged = repeats(table)
    order = {arm: i for i, arm in enumerate(dict.fromkeys(averaged["arm"]))}
    rows = []
    for _, part in averaged.groupby([*_READOUT, "arm"], sort=False):
        values = part["value"].to_numpy(dtype=np.float64)
        middle, low, high = interval_of_mean(np.log(part["positive"].to_numpy(dtype=np.float64)), confidence)
        first = part.iloc[0]
        rows.append(
            {
                "measure": first["measure"], "of": first["of"], "arm": first["arm"], "n": values.size,
                "mean": float(values.mean()), "sd": float(values.std(ddof=1)) if values.size > 1 else float("nan"),
                "geometric_mean": float(np.exp(middle)), "low": float(np.exp(low)), "high": float(np.exp(high)),
                "unit": first["unit"],
            }
        )  # fmt: skip
    summary = pd.DataFrame(rows)
    readout = {key: i for i, key in enumerate(dict.fromkeys(zip(summary["measure"], summary["of"], strict=True)))}
    places = [
        (readout[m, o], order[a]) for m, o, a in zip(summary["measure"], summary["of"], summary["arm"], strict=True)
    ]
    positions: NDArray[np.intp] = np.array(sorted(range(len(places)), key=places.__getitem__))
    return summary.iloc[positions].reset_index(drop=True)


def _check_table(table: pd.DataFrame) -> None:
    missing = [c for c in COLUMNS if c not in table.columns]
    if missing:
        raise SpecError([Issue(f"the table lacks the column {c!r}", allowed=", ".join(COLUMNS)) for c in missing])
    if table.empty:
        raise SpecError([Issue("the table holds no values")])
    values = table["value"].to_numpy(dtype=np.float64)
    issues = [
        Issue(f"the value {values[i]} of {table['measure'].iloc[i]} is negative or not finite", f"row {i}")
        for i in np.flatnonzero(~(np.isfinite(values) & (values >= 0.0)))
    ]
    twice = table.duplicated(["arm", "replicate", "technical", "measure", "of"]).to_numpy()
    issues += [Issue("this arm, repeat and readout stands twice", f"row {i}") for i in np.flatnonzero(twice)]
    if issues:
        raise SpecError(issues)


def _check_arms(comparisons: Sequence[Comparison], arms: list[str]) -> None:
    names = dict.fromkeys(name for c in comparisons for name in (c.test, c.against))
    issues = []
    for name in names:
        if name not in arms:
            near = nearest(name, arms, 1)
            hint = f"did you mean {near[0]!r}?" if near else ""
            issues.append(Issue(f"the table has no arm {name!r}", allowed=", ".join(arms), hint=hint))
    if issues:
        raise SpecError(issues)
