"""The smoother: linear bounds are met, met ones are left alone, diversity is kept."""

from __future__ import annotations

import numpy as np
import pytest

from haptos.errors import ParameterError
from haptos.inference.assimilation import assimilate, localisation, shortfall

N, P, M = 200, 12, 5


def _linear(seed=1):
    rng = np.random.default_rng(seed)
    slopes = rng.normal(size=(P, M))
    start = rng.normal(size=(N, P))
    return rng, slopes, start


def test_bounds_of_a_linear_model_are_met_and_members_stay_apart():
    rng, slopes, members = _linear()
    bound = np.array([1.0, -1.0, 1.0, 0.0, 1.0])
    before = np.mean(members @ slopes * 0.3 >= bound, axis=0)
    for _ in range(8):
        margins = members @ slopes * 0.3 - bound
        members = assimilate(
            members, margins, noise=np.full(M, 0.1), inflation=4.0, draws=rng.normal(size=(N, M)), slack=0.2
        )
    after = np.mean(members @ slopes * 0.3 >= bound, axis=0)
    assert np.all(after >= 0.9), (before, after)
    assert np.min(members.std(axis=0)) > 0.2


def test_members_that_meet_every_term_do_not_move():
    rng, _, members = _linear()
    margins = np.abs(rng.normal(size=(N, M))) + 1.0
    moved = assimilate(members, margins, noise=np.ones(M), inflation=1.0, draws=rng.normal(size=(N, M)), limit=9.0)
    np.testing.assert_array_equal(moved, members)


def test_parameters_without_influence_stay_as_they_are():
    rng, slopes, members = _linear()
    slopes[3:] = 0.0
    margins = members @ slopes - 1.0
    moved = assimilate(members, margins, noise=np.full(M, 0.1), inflation=1.0, draws=rng.normal(size=(N, M)), limit=9.0)
    gone = np.sqrt(np.mean((moved - members) ** 2, axis=0))
    assert np.median(gone[3:]) < 0.1 * np.min(gone[:3])
    assert np.mean(localisation(members, margins)[3:] == 0.0) > 0.85


def test_failed_simulations_count_as_far_off():
    assert shortfall(np.array([[np.nan, -np.inf, 0.5, 0.05]]), 0.1).tolist() == [[2.1, 2.1, 0.0, 0.05]]


def test_shapes_must_fit():
    with pytest.raises(ParameterError, match="4 members with 2 terms"):
        assimilate(np.zeros((3, 1)), np.zeros((4, 2)), noise=np.ones(2), inflation=1.0, draws=np.zeros((4, 2)))
