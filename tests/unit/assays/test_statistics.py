"""Statistics against scipy and against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from haptos.assays.log_tests import holm, paired_test, welch_test
from haptos.assays.statistics import compare, repeats, summarise
from haptos.conditions.experiment import Comparison
from haptos.errors import ParameterError, SpecError

A = [1.0, 1.3, 0.8]
B = [2.1, 3.1, 1.9]
C = [1.1, 1.2, 0.95]


def table(unit="a.u.", measure="level", **arms):
    rows = []
    for arm, values in arms.items():
        for replicate, value in enumerate(values):
            wells = value if isinstance(value, (list, tuple)) else [value]
            rows += [(arm, replicate, i, measure, "ILK", v, unit) for i, v in enumerate(wells)]
    return pd.DataFrame(rows, columns=["arm", "replicate", "technical", "measure", "of", "value", "unit"])


B_VS_A, C_VS_A = Comparison(test="b", against="a"), Comparison(test="c", against="a")


def test_paired_equals_scipy():
    row = compare(table(a=A, b=B), [B_VS_A]).iloc[0]
    expected = stats.ttest_rel(np.log(B), np.log(A))
    interval = np.exp(expected.confidence_interval(0.95))
    assert row["p"] == pytest.approx(expected.pvalue, rel=1e-12)
    assert row["t"] == pytest.approx(expected.statistic)
    assert (row["low"], row["high"]) == pytest.approx(tuple(interval))
    assert row["ratio"] == pytest.approx(stats.gmean(B) / stats.gmean(A))
    assert row["words"] == (
        "paired t-test on log values, n = 3 independent repeats, two-sided; Holm-adjusted for 1 comparison"
    )


def test_welch_equals_scipy():
    row = compare(table(a=A, b=[*B, 2.6]), [B_VS_A], paired=False).iloc[0]
    expected = stats.ttest_ind(np.log([*B, 2.6]), np.log(A), equal_var=False)
    interval = np.exp(expected.confidence_interval(0.95))
    assert row["p"] == pytest.approx(expected.pvalue, rel=1e-10)
    assert row["dof"] == pytest.approx(expected.df)
    assert (row["low"], row["high"]) == pytest.approx(tuple(interval))
    assert "Welch t-test" in row["words"]
    assert "n = 4 and 3" in row["words"]


def test_by_hand():
    """Log ratios ln 2, ln 4, ln 8: mean 2 ln 2, sd ln 2, t = 2 √3, 2 degrees of freedom."""
    row = compare(table(a=[1, 1, 1], b=[2, 4, 8]), [B_VS_A]).iloc[0]
    assert row["ratio"] == pytest.approx(4.0)
    assert row["t"] == pytest.approx(2 * np.sqrt(3))
    t = 2 * np.sqrt(3)
    assert row["p"] == pytest.approx(1 - t / np.sqrt(2 + t**2))


def test_holm_over_the_experiment_and_by_readout():
    data = pd.concat([table(a=A, b=B, c=C), table(measure="mrna", a=A, b=C, c=B)])
    whole = compare(data, [B_VS_A, C_VS_A])
    assert whole["p_adjusted"].to_numpy() == pytest.approx(holm(whole["p"].to_numpy()))
    assert all(whole["words"].str.endswith("Holm-adjusted for 4 comparisons"))
    parts = compare(data, [B_VS_A, C_VS_A], family="readout")
    assert parts["p_adjusted"].iloc[:2].to_numpy() == pytest.approx(holm(whole["p"].to_numpy()[:2]))
    assert all(parts["words"].str.endswith("Holm-adjusted for 2 comparisons"))
    assert holm(np.array([0.01, 0.04, 0.03, 0.9])).tolist() == pytest.approx([0.04, 0.09, 0.09, 0.9])


def test_technical_repeats_do_not_count_as_n():
    row = compare(table(a=[(1.0, 4.0), (2.0, 2.0)], b=[(3.0, 3.0), (9.0, 4.0)]), [B_VS_A]).iloc[0]
    assert row["n"] == 2
    assert row["ratio"] == pytest.approx(np.sqrt(3.0 * 6.0) / 2.0)
    counts = repeats(table(unit="1/field", a=[(1.0, 4.0), (0.0, 2.0)]))
    assert counts["value"].tolist() == [2.5, 1.0]


def test_pairing_uses_common_repeats_only():
    data = table(a=A, b=B)
    data = data[~((data["arm"] == "b") & (data["replicate"] == 1))]
    row = compare(data, [B_VS_A]).iloc[0]
    assert row["n"] == row["n_against"] == 2
    assert row["ratio"] == pytest.approx(np.sqrt(2.1 * 1.9 / (1.0 * 0.8)))


def test_zeros_are_raised_and_said_so():
    row = compare(table(unit="1/field", a=[0.0, 4.0, 8.0], b=[5.0, 6.0, 9.0]), [B_VS_A]).iloc[0]
    expected = stats.ttest_rel(np.log([5, 6, 9]), np.log([2, 4, 8]))
    assert row["p"] == pytest.approx(expected.pvalue)
    assert "zeros raised" in row["words"]
    nothing = compare(table(unit="1/field", a=[0.0, 0.0], b=[0.0, 0.0]), [B_VS_A]).iloc[0]
    assert np.isnan(nothing["p"])
    assert nothing["words"].startswith("no test: no positive value")


def test_no_spread_gives_no_p():
    row = compare(table(a=[1.1, 1.1, 1.1], b=[2.2, 2.2, 2.2]), [B_VS_A]).iloc[0]
    assert np.isnan(row["p"])
    assert row["ratio"] == pytest.approx(2.0)
    assert "no spread" in row["words"]


def test_summary_per_arm():
    summary = summarise(table(b=B, a=A)).set_index("arm")
    assert list(summary.index) == ["b", "a"]
    assert summary.loc["a", "mean"] == pytest.approx(np.mean(A))
    assert summary.loc["a", "sd"] == pytest.approx(np.std(A, ddof=1))
    assert summary.loc["a", "geometric_mean"] == pytest.approx(stats.gmean(A))
    low, high = stats.t.interval(0.95, 2, np.log(A).mean(), stats.sem(np.log(A)))
    assert (summary.loc["a", "low"], summary.loc["a", "high"]) == pytest.approx((np.exp(low), np.exp(high)))


def test_all_problems_are_reported_together():
    data = table(a=A, b=[1.0, -2.0, np.nan])
    with pytest.raises(SpecError) as caught:
        compare(pd.concat([data, data.iloc[:1]]), [B_VS_A])
    assert len(caught.value.issues) == 3
    with pytest.raises(SpecError, match="lacks the column 'of'"):
        compare(data.drop(columns="of"), [B_VS_A])
    with pytest.raises(SpecError, match="did you mean 'vector'"):
        compare(table(vector=A, b=B), [Comparison(test="b", against="vektor")])
    with pytest.raises(ParameterError, match="confidence"):
        compare(table(a=A, b=B), [B_VS_A], confidence=95)


def test_kernels_take_many_experiments_at_once():
    rng = np.random.Generator(np.random.Philox(3))
    a, b = rng.normal(size=(2, 5, 4))
    assert paired_test(b, a).p == pytest.approx(stats.ttest_rel(b, a, axis=1).pvalue)
    assert welch_test(b, a).p == pytest.approx(stats.ttest_ind(b, a, axis=1, equal_var=False).pvalue)
