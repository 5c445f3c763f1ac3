"""Calibration: chains sample the conditioned prior, terms can fail, the shipped ensemble meets them."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

import numpy as np
import pytest
from pydantic import ValidationError

from haptos.errors import Status
from haptos.inference import scoring
from haptos.inference.calibration import LIMIT, Chain, Prior, begin_chain, diversity, walk
from haptos.inference.scoring import Scorer, score
from haptos.inference.terms import Term, load_terms
from haptos.signalling.building.parameters import load_parameters, prior_sample
from haptos.signalling.condition import Outcome
from haptos.signalling.ensemble import ensemble_size, member_vector, reference_vector


def ends(n, *, seed, n_free, unmet=lambda z, most: np.zeros(len(z), dtype=int), live=64, **more):
    """Return the ends of chains 0 to n - 1, in the order of their index."""
    begun = (begin_chain(i, seed=seed, n_free=n_free) for i in range(n))
    found = walk(begun, seed=seed, unmet=unmet, live=live, **more)
    return sorted(found, key=lambda c: c.index)


def test_an_unconstrained_chain_samples_the_prior():
    states = np.array([c.deviations for c in ends(400, seed=3, n_free=4, mixing=20)])
    assert np.abs(states.mean(axis=0)).max() < 0.2
    assert states.std(axis=0) == pytest.approx(np.ones(4), abs=0.12)
    assert diversity(states) == pytest.approx(1.0, abs=0.05)


def test_a_constrained_chain_samples_the_conditioned_prior():
    """One-sided constraint: the mean of a half-normal is sqrt(2/pi)."""
    found = ends(400, seed=5, n_free=2, unmet=lambda z, most: (z[:, 0] < 0).astype(int), step=0.6)
    states = np.array([c.deviations for c in found])
    assert (states[:, 0] >= 0).all()
    assert states[:, 0].mean() == pytest.approx(np.sqrt(2 / np.pi), abs=0.1)
    assert abs(states[:, 1].mean()) < 0.15
    assert any(c.found_after > 0 for c in found)
    assert 0.2 < np.mean([c.accepted for c in found]) < 1.0


def test_a_chain_that_never_succeeds_says_so():
    [chain] = ends(1, seed=1, n_free=3, unmet=lambda z, most: np.full(len(z), 2), search=5)
    assert (chain.unmet, chain.found_after, chain.steps) == (2, -1, 5)


def test_counting_may_stop_at_what_matters():
    """A count beyond the second argument changes nothing, whatever it is."""

    def exact(z, most):
        return np.sum(z < -0.5, axis=1)

    def lazy(z, most):
        return np.where(exact(z, most) > most, most + 1, exact(z, most))

    for a, b in zip(*(ends(12, seed=2, n_free=6, unmet=u) for u in (exact, lazy)), strict=True):
        assert np.array_equal(a.deviations, b.deviations)
        assert (a.unmet, a.found_after, a.taken) == (b.unmet, b.found_after, b.taken)


@pytest.mark.parametrize("live", [1, 3, 64])
def test_chains_depend_on_seed_and_index_only(live):
    def unmet(z, most):
        return np.sum(z < -1.0, axis=1)

    alone = [ends(i + 1, seed=9, n_free=5, unmet=unmet)[i] for i in range(7)]
    for one, other in zip(alone, ends(7, seed=9, n_free=5, unmet=unmet, live=live), strict=True):
        assert np.array_equal(one.deviations, other.deviations)
        assert (one.index, one.steps, one.taken) == (other.index, other.steps, other.taken)
    assert not np.array_equal(alone[4].deviations, alone[5].deviations)
    assert not np.array_equal(alone[4].deviations, ends(5, seed=8, n_free=5, unmet=unmet)[4].deviations)


def test_chains_go_on_from_where_they_were_kept():
    def unmet(z, most):
        return np.sum(z < -1.0, axis=1)

    turns: list[list[Chain]] = []
    whole = ends(5, seed=4, n_free=5, unmet=unmet, kept=lambda live: turns.append(list(live)))
    half = turns[len(turns) // 2]
    assert half
    for chain in walk(half, seed=4, unmet=unmet):
        assert np.array_equal(chain.deviations, whole[chain.index].deviations)
        assert chain.steps == whole[chain.index].steps


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


@cache
def shipped():
    """Return three members, spread over the ensemble, and which terms they meet."""
    chosen = np.array([member_vector(m) for m in np.linspace(0, ensemble_size() - 1, 3).astype(int).tolist()])
    return chosen, Scorer()(chosen)


def recorded():
    """Return the outcome of the calibration that ships with the ensemble."""
    file = files("haptos.library") / "ensemble" / "calibration.json"
    return json.loads(file.read_text(encoding="utf-8"))


#: The shares that were recorded belong to the members that are shipped with them.
interim = pytest.mark.xfail(
    recorded()["members"] != ensemble_size(),
    reason="the members that are shipped are not those of calibration.json: the calibration is not finished",
    strict=True,
)


def test_members_are_scored_alike_in_one_batch_and_alone():
    chosen, together = shipped()
    assert score(chosen[1]) == tuple(together[1])


@interim
def test_the_record_of_the_calibration_is_that_of_the_shipped_members():
    """What all members met, these meet; what none met, these do not; and most terms are met by most."""
    record = recorded()
    assert record["members"] == ensemble_size()
    shares = np.array([record["share_met"][f"term {term.record}"] for term in load_terms()])
    assert np.mean(shares >= 0.9) >= 0.5
    for met in shipped()[1]:
        assert met[shares == 1.0].all()
        assert not met[shares == 0.0].any()


def test_scoring_stops_where_enough_is_unmet(monkeypatch):
    """Prior draws: what is counted exactly stays; what is given up is beyond the limit."""
    monkeypatch.setattr(scoring, "ROUND", 4)
    scorer, draws = Scorer(), prior_sample(8, seed=3)
    whole = np.sum(~scorer(draws), axis=1)
    limits = np.array([0, 1, 2, 3, 0, 1, 2, 3])
    stopped = scorer.unmet(draws, limits)
    assert np.array_equal(stopped[whole <= limits], whole[whole <= limits])
    assert (stopped[whole > limits] > limits[whole > limits]).all()
    assert (whole > limits).any()
    assert scorer.n_conditions < sum(len(t.conditions) for t in scorer.terms)


def test_the_reference_is_a_member():
    rows = [np.array_equal(reference_vector(), member_vector(i)) for i in range(ensemble_size())]
    assert sum(rows) == 1
