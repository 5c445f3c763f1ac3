"""The prior, the terms of the calibration, and the record that ships with the ensemble."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

import numpy as np
import pytest
from pydantic import ValidationError

from haptos.errors import Status
from haptos.inference.prior import LIMIT, Prior, diversity, draws
from haptos.inference.terms import Term, load_terms
from haptos.signalling.building.parameters import load_parameters
from haptos.signalling.cell import simulate_vectors
from haptos.signalling.condition import Outcome
from haptos.signalling.ensemble import ensemble_size, member_vector, reference_vector


def test_draws_are_normal_and_keyed_by_their_index():
    drawn = draws(400, 4, seed=3)
    assert np.abs(drawn.mean(axis=0)).max() < 0.2
    assert drawn.std(axis=0) == pytest.approx(np.ones(4), abs=0.12)
    assert np.abs(drawn).max() <= LIMIT
    np.testing.assert_array_equal(draws(5, 4, seed=3), drawn[:5])
    assert not np.array_equal(draws(5, 4, seed=4), drawn[:5])


def test_independent_draws_are_as_diverse_as_the_prior():
    drawn = draws(200, 30, seed=1)
    assert diversity(drawn) == pytest.approx(1.0, abs=0.05)
    assert diversity(0.3 * drawn) == pytest.approx(0.3, abs=0.02)
    gaps = [np.linalg.norm(drawn[i] - drawn[j]) for i in range(9) for j in range(i)]
    ratio = np.mean(gaps) / diversity(drawn[:9])
    assert ratio == pytest.approx(np.sqrt(2 * 30), rel=0.02)


def test_prior_vectors_stay_within_bounds():
    table = list(load_parameters().values())
    sampled = Prior.of_table().sample(64, seed=2)
    low, high = np.array([p.bounds for p in table]).T
    assert (sampled >= low * (1 - 1e-9)).all()
    assert (sampled <= high * (1 + 1e-9)).all()
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
        required = term.record in {"rest", "viability", "etoposide", "message"}
        assert required or use[term.record] == "calibrate", term.record


@cache
def shipped():
    """Return which terms three members meet, spread over the ensemble; shape (3, n_terms)."""
    chosen = np.array([member_vector(m) for m in np.linspace(0, ensemble_size() - 1, 3).astype(int).tolist()])
    return np.column_stack([t.met_each(simulate_vectors(t.conditions, chosen)) for t in load_terms()])


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


@interim
def test_the_record_of_the_calibration_is_that_of_the_shipped_members():
    """What all members met, these meet; what none met, these do not; and most terms are met by most."""
    record = recorded()
    assert record["members"] == ensemble_size()
    shares = np.array([record["share_met"][f"term {term.name}"] for term in load_terms()])
    assert np.mean(shares >= 0.9) >= 0.5
    for met in shipped():
        assert met[shares == 1.0].all()
        assert not met[shares == 0.0].any()


def test_the_reference_is_a_member():
    rows = [np.array_equal(reference_vector(), member_vector(i)) for i in range(ensemble_size())]
    assert sum(rows) == 1
