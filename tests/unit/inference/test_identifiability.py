"""What findings tell of parameters: a linear model of which everything is known."""

from __future__ import annotations

import numpy as np
import pytest

from haptos.errors import ParameterError
from haptos.inference.identifiability import bound_weights, chance_correlation, local_information, spread_of
from haptos.numerics import philox_stream

#: Readings: the first parameter well, the sum of the next two, nothing of the last.
SLOPES = np.array([[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 1.0, 0.0]])
NOISE = 0.1


def test_the_share_removed_is_that_of_the_posterior_covariance():
    found = local_information(SLOPES, NOISE)
    covariance = np.linalg.inv(np.eye(4) + SLOPES.T @ SLOPES / NOISE**2)
    assert found.removed == pytest.approx(1.0 - np.diag(covariance))
    assert found.removed == pytest.approx([0.990, 0.4975, 0.4975, 0.0], abs=1e-3)
    assert found.learned == pytest.approx(4 - np.trace(covariance))


def test_directions_tell_what_is_known_together():
    found = local_information(SLOPES, NOISE)
    assert found.singular == pytest.approx([np.sqrt(2) / NOISE, 1 / NOISE])
    assert found.stiff == 2
    (first, a), (second, b) = found.leading(0, 2)
    assert {first, second} == {1, 2}
    assert (a, b) == pytest.approx((np.sqrt(0.5), np.sqrt(0.5)))
    assert local_information(SLOPES, 10.0).stiff == 0


def test_each_reading_has_its_own_noise():
    found = local_information(SLOPES, np.array([1.0, 1e6]))
    assert found.removed == pytest.approx([0.5, 0.0, 0.0, 0.0], abs=1e-6)


def test_readings_without_derivatives_are_left_out_and_counted():
    found = local_information(np.vstack([SLOPES, [np.nan, 1.0, 0.0, 0.0]]), NOISE)
    assert found.unusable == 1
    assert found.removed == pytest.approx(local_information(SLOPES, NOISE).removed)
    nothing = local_information(np.full((1, 3), np.nan), NOISE)
    assert nothing.removed == pytest.approx(np.zeros(3))
    assert (nothing.stiff, nothing.unusable) == (0, 1)


def test_a_bound_that_is_well_met_tells_nothing():
    weights = bound_weights(np.array([5.0, -5.0]), NOISE)
    assert weights == pytest.approx([0.0, 1.0], abs=2e-3)
    found = local_information(SLOPES, NOISE, weights=weights)
    assert found.removed == pytest.approx([0.0, 0.4975, 0.4975, 0.0], abs=1e-3)


def test_the_weight_of_a_bound_is_the_curvature_of_its_likelihood():
    from scipy.special import log_ndtr

    u, h = np.linspace(-7.0, 5.0, 25), 1e-3
    curvature = -(log_ndtr(u + h) - 2 * log_ndtr(u) + log_ndtr(u - h)) / h**2
    assert bound_weights(u, 1.0) == pytest.approx(curvature, abs=1e-4)
    assert np.all(np.diff(bound_weights(np.linspace(-30.0, 30.0, 601), 1.0)) <= 1e-6)
    assert bound_weights(np.array([np.nan]), 1.0)[0] > 0.99


def test_an_ensemble_of_the_posterior_is_narrowed_as_the_information_says():
    covariance = np.linalg.inv(np.eye(4) + SLOPES.T @ SLOPES / NOISE**2)
    draws = philox_stream(1, "test", 0, 0).standard_normal((4000, 4)) @ np.linalg.cholesky(covariance).T
    found = spread_of(draws)
    assert found.narrowed**2 == pytest.approx(1.0 - local_information(SLOPES, NOISE).removed, rel=0.1)
    assert [(pair.first, pair.second) for pair in found.pairs] == [(1, 2)]
    assert found.pairs[0].correlation == pytest.approx(-0.99, abs=0.01)
    assert found.resolved(0.9).tolist() == [True, True, True, False]


def test_independent_draws_are_neither_narrowed_nor_correlated():
    draws = 0.5 * philox_stream(2, "test", 0, 0).standard_normal((64, 200))
    found = spread_of(draws, start=0.5)
    assert np.abs(found.narrowed - 1.0).max() < 5 * found.error
    assert not found.resolved(0.75).any()
    assert found.pairs == ()
    assert found.threshold == max(0.6, chance_correlation(64, 200))
    assert spread_of(draws).narrowed == pytest.approx(0.5 * found.narrowed)


def test_a_parameter_that_no_member_moves_has_no_partner():
    draws = philox_stream(3, "test", 0, 0).standard_normal((16, 3))
    draws[:, 1] = 0.0
    draws[:, 2] = draws[:, 0]
    found = spread_of(draws)
    assert found.narrowed[1] == 0.0
    assert [(pair.first, pair.second) for pair in found.pairs] == [(0, 2)]


def test_requests_without_sense_are_refused():
    with pytest.raises(ParameterError, match="noise"):
        local_information(SLOPES, 0.0)
    with pytest.raises(ParameterError, match="four members"):
        spread_of(np.zeros((3, 2)))
