"""Observation models and tests against their stated distributions.

Every assertion is a z test of a simulated number against its expectation; the limit is set so
that all of this file together raises a false alarm with a probability of at most 1e-4.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from haptos.assays.base import Value
from haptos.assays.log_tests import holm, paired_test, welch_test
from haptos.assays.registry import find_assay
from haptos.assays.statistics import compare
from haptos.conditions.experiment import Comparison
from haptos.numerics import philox_stream

pytestmark = pytest.mark.statistical

FAMILY_WISE_ERROR = 1e-4
ASSERTIONS = 40
LIMIT = stats.norm.isf(FAMILY_WISE_ERROR / ASSERTIONS / 2)


def agrees(draws, expected):
    """Whether the mean of independent draws is the expected number."""
    return abs(np.mean(draws) - expected) <= LIMIT * np.std(draws, ddof=1) / np.sqrt(len(draws))


def rate_agrees(hits, expected):
    n = len(hits)
    return abs(np.mean(hits) - expected) <= LIMIT * np.sqrt(expected * (1 - expected) / n)


def measured(name, values, technical=40_000, **fields):
    assay = find_assay(name)
    protocol = assay.protocol(**fields)
    return assay.measure(values, protocol, philox_stream(11, f"test.{name}"), technical=technical), assay, protocol


@pytest.mark.parametrize(
    ("name", "values", "fields"),
    [
        ("western_blot", [Value("level", "ILK", 20.0, "a.u.")], {"probes": ["ILK"]}),
        ("zymography", [Value(m, "MMP9", v, "") for m, v in (("active", 2.0), ("pro", 6.0))], {}),
    ],
)
def test_amounts_are_lognormal_with_the_stated_variation(name, values, fields):
    draws, assay, protocol = measured(name, values, **fields)
    sigma = np.sqrt(np.log1p(assay.noise(protocol).technical ** 2))
    logs = np.log(draws[0] / values[0].value)
    assert agrees(draws[0], values[0].value)
    assert agrees(logs, -0.5 * sigma**2)
    assert agrees((logs + 0.5 * sigma**2) ** 2, sigma**2)
    assert stats.kstest(logs / sigma + 0.5 * sigma, "norm").pvalue > FAMILY_WISE_ERROR / ASSERTIONS


def test_folds_of_qpcr_are_symmetric_in_cycles():
    draws, assay, protocol = measured("qpcr", [Value("mrna", "MMP9", 3.0, "a.u.")], genes=["MMP9"])
    cycles = np.log2(draws[0] / 3.0)
    assert agrees(cycles, 0.0)
    assert agrees(cycles**2, 2 * 0.2**2 / 3 + 0.1**2)
    assert agrees(np.log(draws[0] / 3.0) ** 2, np.log1p(assay.noise(protocol).technical ** 2))


@pytest.mark.parametrize("mean", [0.3, 5.0, 80.0])
def test_counts_have_poisson_insert_and_field_variance(mean):
    draws, _, _ = measured("transwell_migration", [Value("migrated", "", mean, "1/field")])
    insert, field, fields = 0.15, 0.20, 5
    variance = mean / fields + mean**2 * (insert**2 + (1 + insert**2) * field**2 / fields)
    assert agrees(draws[0], mean)
    assert agrees((draws[0] - mean) ** 2, variance)


def test_fractions_stay_unbiased_with_varying_impurity():
    values = [Value("nuclear", "RELA", 23.0, ""), Value("cytoplasmic", "RELA", 77.0, "")]
    draws, _, _ = measured("nuclear_fraction", values, proteins=["RELA"])
    # impurities are capped at three times their usual size, which moves the mean by less than 0.1 %
    assert abs(draws[0].mean() / 23.0 - 1) < 0.001 + LIMIT * draws[0].std() / 23.0 / np.sqrt(draws.shape[1])
    assert abs(draws[1].mean() / 77.0 - 1) < 0.001 + LIMIT * draws[1].std() / 77.0 / np.sqrt(draws.shape[1])


@pytest.mark.parametrize("n", [3, 5])
def test_paired_test_holds_its_level_and_coverage(n):
    """The day effect is shared by the arms of a repeat and drops out."""
    rng = philox_stream(12, "test.paired", entity=n)
    size = (40_000, n)
    day = rng.normal(0.0, 0.5, size)
    a, b = day + rng.normal(0.0, 0.2, size), day + rng.normal(0.0, 0.2, size) + np.log(1.5)
    assert rate_agrees(paired_test(b - np.log(1.5), a).p < 0.05, 0.05)
    result = paired_test(b, a)
    assert rate_agrees((result.low <= np.log(1.5)) & (np.log(1.5) <= result.high), 0.95)


def test_welch_test_is_at_most_slightly_off_its_level():
    """Welch is approximate: at n = 5 and a fourfold ratio of deviations its level is within 0.04 to 0.06."""
    rng = philox_stream(12, "test.welch")
    a, b = rng.normal(0.0, 0.1, (40_000, 5)), rng.normal(0.0, 0.4, (40_000, 5))
    level = np.mean(welch_test(b, a).p < 0.05)
    error = LIMIT * np.sqrt(0.05 * 0.95 / 40_000)
    assert 0.04 - error <= level <= 0.06 + error


def test_holm_bounds_the_family_wise_error():
    rng = philox_stream(12, "test.holm")
    control = rng.normal(0.0, 0.2, (10_000, 1, 4))
    arms = rng.normal(0.0, 0.2, (10_000, 4, 4))
    p = paired_test(arms, np.broadcast_to(control, arms.shape)).p
    false_alarm = np.array([np.min(holm(row)) < 0.05 for row in p])
    assert false_alarm.mean() <= 0.05 + LIMIT * np.sqrt(0.05 * 0.95 / 10_000)
    assert np.mean(p.min(axis=1) < 0.05) > 0.10, "without adjustment the family would fail; the check has teeth"


def test_whole_path_from_assay_to_p_holds_its_level():
    """Blots of two arms with the same protein, through measure, table and test."""
    assay = find_assay("western_blot")
    protocol = assay.protocol(probes=["ILK"])
    values = [Value("level", "ILK", 20.0, "a.u.")]
    rng = philox_stream(13, "test.path")
    draws = assay.measure(values, protocol, rng, technical=400 * 6)[0].reshape(400, 2, 3)
    rows = [
        (arm, repeat, 0, f"level{k}", "ILK", draws[k, i, repeat], "a.u.")
        for k in range(400)
        for i, arm in enumerate(("a", "b"))
        for repeat in range(3)
    ]
    table = pd.DataFrame(rows, columns=["arm", "replicate", "technical", "measure", "of", "value", "unit"])
    p = compare(table, [Comparison(test="b", against="a")])["p"]
    assert len(p) == 400
    assert rate_agrees(p < 0.05, 0.05)
