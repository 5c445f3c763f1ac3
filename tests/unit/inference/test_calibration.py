"""Calibration: chains sample the conditioned prior, terms can fail, the shipped ensemble meets them."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from haptos.errors import Status
from haptos.inference.calibration import LIMIT, Prior, diversity, score, walk
from haptos.inference.terms import Term, load_terms
from haptos.signalling.condition import Outcome
from haptos.signalling.ensemble import ensemble_size, member_vector, reference_vector
from haptos.signalling.parameters import load_parameters, prior_sample


def test_an_unconstrained_chain_samples_the_prior():
    ends = np.array([walk(i, seed=3, n_free=4, unmet=lambda z, most: 0, mixing=20).deviations for i in range(400)])
    assert np.abs(ends.mean(axis=0)).max() < 0.2
    assert ends.std(axis=0) == pytest.approx(np.ones(4), abs=0.12)
    assert diversity(ends) == pytest.approx(1.0, abs=0.05)


def test_a_constrained_chain_samples_the_conditioned_prior():
    """One-sided constraint: the mean of a half-normal is sqrt(2/pi)."""
    ends = np.array(
        [walk(i, seed=5, n_free=2, unmet=lambda z, most: int(z[0] < 0), step=0.6).deviations for i in range(400)]
    )
    assert (ends[:, 0] >= 0).all()
    assert ends[:, 0].mean() == pytest.approx(np.sqrt(2 / np.pi), abs=0.1)
    assert abs(ends[:, 1].mean()) < 0.15


def test_a_chain_that_never_succeeds_says_so():
    chain = walk(0, seed=1, n_free=3, unmet=lambda z, most: 2, search=5)
    assert (chain.unmet, chain.found_after) == (2, -1)


def test_chains_depend_on_seed_and_index_only():
    first, again, other = (walk(i, seed=9, n_free=5, unmet=lambda z, most: 0).deviations for i in (4, 4, 5))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_prior_vectors_stay_within_bounds():
    table = list(load_parameters().values())
    draws = prior_sample(64, seed=2)
    low, high = np.array([p.bounds for p in table]).T
    assert (draws >= low * (1 - 1e-9)).all()
    assert (draws <= high * (1 + 1e-9)).all()
    extreme = Prior.of_table().vector(np.full(Prior.of_table().n_free, LIMIT))
    assert (extreme <= high * (1 + 1e-9)).all()


def test_equal_members_have_no_diversity():
    assert diversity(np.zeros((3, 2))) == 0.0


def outcome(**values):
    return Outcome({k: np.array(v, dtype=float) for k, v in values.items()}, {}, Status.OK)


def test_a_term_is_met_or_not():
    term = Term(
        record="x",
        cells="lung_carcinoma",
        arms={"a": [], "b": [{"overexpress": "ILK"}]},
        read=["mrna__MMP9"],
        expect={"outcome": "increase", "test": ["b"], "reference": "a"},
    )
    course = [1.0] * 5

    def simulated(top):
        return lambda condition: outcome(mrna__MMP9=[*course, top if condition.interventions else 1.0])

    assert term.met(simulated(2.0))
    assert not term.met(simulated(1.1))
    assert not term.met(simulated(np.nan))


def test_a_steady_term_sees_a_change():
    term = Term(record="rest", cells="lung_carcinoma", arms={"a": []}, read=["nuclear__RELA"], steady_within=1.1)
    assert term.met(lambda c: outcome(nuclear__RELA=[1, 1.05, 1, 1, 1, 1]))
    assert not term.met(lambda c: outcome(nuclear__RELA=[1, 1.2, 1, 1, 1, 1]))


@pytest.mark.parametrize("more", [{}, {"expect": {"outcome": "range", "test": ["a"]}, "steady_within": 1.2}])
def test_a_term_has_one_kind(more):
    with pytest.raises(ValidationError, match="either 'expect' or 'steady_within'"):
        Term(record="x", cells="lung_carcinoma", arms={"a": []}, read=["mrna__MMP9"], **more)


def test_terms_rest_on_records_that_may_be_fitted():
    from haptos.evidence.library import load_library

    use = {r.id: r.use for r in load_library().quantities()}
    for term in load_terms():
        assert term.record == "rest" or use[term.record] == "calibrate", term.record


@pytest.mark.parametrize("member", [0, 17, 42])
def test_shipped_members_meet_every_term(member):
    assert all(score(member_vector(member)))


def test_the_reference_is_a_member():
    rows = [np.array_equal(reference_vector(), member_vector(i)) for i in range(ensemble_size())]
    assert sum(rows) == 1
