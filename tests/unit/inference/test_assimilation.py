"""Corrections of members: linear bounds are met at once, met ones are kept, nothing moves without need."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from haptos.errors import ParameterError
from haptos.inference.assimilation import approach, correct, enough, informed, learned, loss, shortfall

N, P, M = 60, 12, 5


def _linear(seed=1):
    rng = np.random.default_rng(seed)
    return rng, rng.normal(size=(M, P)) * 0.3, rng.normal(size=(N, P)) * 0.5


def test_bounds_of_a_linear_model_are_met_and_members_stay_apart():
    _, slopes, members = _linear()
    bound = np.array([0.5, -1.0, 0.4, 0.0, 0.6])
    before = members @ slopes.T >= bound
    after = members
    for _ in range(3):
        after = correct(after, after @ slopes.T - bound, slopes, noise=0.05, slack=0.1)
    assert before.mean() < 0.7
    assert np.mean(after @ slopes.T >= bound) > 0.98
    assert np.min(after.std(axis=0)) > 0.2


def test_a_step_does_not_break_what_is_met():
    slopes = np.array([[1.0, 0.0], [-1.0, 1.0]])
    moved = correct(np.zeros((1, 2)), np.array([[-0.5, 0.15]]), slopes, noise=0.01, slack=0.1)
    assert np.all(np.array([-0.5, 0.15]) + moved[0] @ slopes.T >= 0.09)


def test_a_narrow_window_is_not_left_on_its_other_side():
    half_width = 0.1

    def margin(at):
        return half_width - np.abs(at)

    def after(slack):
        at = np.array([[0.15]])
        for _ in range(8):
            slope = -np.sign(at)
            at = correct(at, margin(at), slope, noise=0.01, slack=slack, longest=np.inf)
        return float(at[0, 0])

    assert enough(0.25, np.array([half_width, np.inf])).tolist() == [0.05, 0.25]
    assert margin(after(enough(0.25, np.array([half_width])))) >= 0.04
    assert margin(after(0.25)) < 0


def test_members_that_meet_every_term_do_not_move():
    rng, slopes, members = _linear()
    margins = np.abs(rng.normal(size=(N, M))) + 1.0
    np.testing.assert_array_equal(correct(members, margins, slopes), members)


def test_parameters_without_influence_stay_as_they_are():
    _, slopes, members = _linear()
    slopes[:, 3:] = 0.0
    moved = correct(members, members @ slopes.T - 1.0, slopes)
    np.testing.assert_array_equal(moved[:, 3:], members[:, 3:])


def test_steps_and_deviations_are_bounded():
    slopes = np.full((1, 1), 1e-3)
    margins = np.full((1, 1), -1.0)
    assert correct(np.zeros((1, 1)), margins, slopes, noise=1e-4, longest=0.5)[0, 0] == pytest.approx(0.5)
    assert correct(np.full((1, 1), 2.9), margins, slopes, noise=1e-4)[0, 0] == 3.0


def test_failed_simulations_count_as_far_off():
    assert shortfall(np.array([[np.nan, -np.inf, 0.5, 0.05]]), 0.1).tolist() == [[2.1, 2.1, 0.0, 0.05]]


def test_shapes_must_fit():
    with pytest.raises(ParameterError, match="4 members with 2 terms"):
        correct(np.zeros((4, 3)), np.zeros((4, 2)), np.zeros((3, 3)))


def test_what_is_far_off_asks_no_more_than_the_pull():
    slopes = np.array([[1.0]])
    near, far = (
        correct(np.zeros((1, 1)), np.array([[m]]), slopes, noise=0.01, slack=0.1, pull=0.6) for m in (-0.5, -2)
    )
    np.testing.assert_array_equal(near, far)


def test_each_member_has_its_own_longest_step():
    moved = correct(np.zeros((2, 1)), np.full((2, 1), -2.0), np.ones((1, 1)), noise=1e-3, longest=np.array([0.5, 1.0]))
    np.testing.assert_allclose(moved[:, 0], [0.5, 1.0])


def test_loss_counts_shortfalls_up_to_the_pull():
    assert loss(np.array([[0.2, 0.0, -5.0]]), slack=0.1, pull=0.5).tolist() == [0.1**2 + 0.5**2]


def test_an_approach_takes_the_best_that_was_tried():
    """The response saturates: the whole step overshoots into a penalty, half of it does not."""

    def evaluate(_, points):
        return np.where(points < 1.1, points - 0.5, -1.0)

    slopes = np.array([[0.5]])
    there, margins = approach(np.zeros(1), np.array([-0.5]), slopes, evaluate, noises=(0.01,), lengths=(0.5, 1.0))
    assert there[0] == pytest.approx(0.6, rel=1e-2)
    np.testing.assert_array_equal(margins, evaluate(0, there))


def test_an_approach_stays_where_nothing_is_better():
    start = np.zeros(1)
    there, margins = approach(start, np.array([-0.1]), np.ones((1, 1)), lambda _, z: np.full((len(z), 1), -0.2))
    np.testing.assert_array_equal(there, start)
    assert margins[0] == -0.1


def test_informed_draws_have_the_covariance_of_the_linear_posterior():
    rng, slopes, _ = _linear()
    drawn = rng.normal(size=(40_000, P))
    found = np.cov(informed(drawn, slopes, noise=0.2).T)
    np.testing.assert_allclose(found, np.linalg.inv(np.eye(P) + slopes.T @ slopes / 0.2**2), atol=0.03)


def test_draws_without_information_stay_as_they_are():
    drawn = np.random.default_rng(1).normal(size=(5, P))
    np.testing.assert_allclose(informed(drawn, np.zeros((M, P)), noise=0.1), drawn)


def test_a_term_out_of_reach_does_not_let_anchored_members_drift():
    """What no step can meet pulls as far as its weight against the distance from the anchor allows, and no further."""
    anchors = np.zeros((1, 1))
    after = anchors
    free = anchors
    for _ in range(12):
        margins = np.array([[-1.0]])  # the slope says that it would help, and it never does
        after = correct(after, margins, np.ones((1, 1)), anchors=anchors, noise=1.0, slack=0.0, longest=np.inf)
        free = correct(free, margins, np.ones((1, 1)), noise=1.0, slack=0.0, longest=np.inf)
    assert after[0, 0] == pytest.approx(1.0, abs=1e-2)
    assert free[0, 0] == 3.0


def test_anchored_corrections_of_a_linear_problem_settle_where_the_posterior_is_highest():
    rng = np.random.default_rng(4)
    slopes = 0.2 * rng.normal(size=(6, 4))
    anchors = rng.normal(size=(5, 4))
    bound = 0.5 * rng.normal(size=6)
    at = anchors.copy()
    for _ in range(3):
        at = correct(
            at, at @ slopes.T - bound, slopes, anchors=anchors, noise=0.5, slack=0.1, longest=np.inf, limit=9.0
        )

    def weight(z, anchor):
        lacking = np.maximum(0.1 - (slopes @ z - bound), 0.0)
        return np.sum((z - anchor) ** 2) + np.sum(lacking**2) / 0.25

    for z, anchor in zip(at, anchors, strict=True):
        found = minimize(weight, anchor, args=(anchor,), method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-12})
        assert weight(z, anchor) == pytest.approx(found.fun, rel=1e-4)


def test_anchors_of_another_shape_are_refused():
    with pytest.raises(ParameterError, match="anchors"):
        correct(np.zeros((2, 1)), np.zeros((2, 1)), np.ones((1, 1)), anchors=np.zeros((1, 1)))


def test_the_best_of_corrections_weighs_the_distance_from_the_centre():
    slopes = np.ones((1, 1))
    there, _ = approach(
        np.zeros(1),
        np.array([-2.0]),
        slopes,
        lambda _, z: z - 2.0,
        noises=(1e-3, 1.0),
        lengths=(1.0,),
        noise=1.0,
        slack=0.0,
        pull=2.0,
    )
    assert there[0] == pytest.approx(1.0)


def test_one_move_and_no_ridge_is_the_rule_of_broyden():
    rng = np.random.default_rng(2)
    slopes, move = rng.normal(size=(4, 3)), rng.normal(size=3)
    before, after = 0.2 * rng.normal(size=(2, 4))
    found = learned(slopes, move[None], before[None], after[None], ridge=1e-12)
    np.testing.assert_allclose(found, slopes + np.outer(after - before - slopes @ move, move) / (move @ move))
    np.testing.assert_allclose(found @ move, after - before)


def test_many_moves_of_a_linear_response_teach_its_sensitivities():
    rng, true, _ = _linear()
    moves = rng.normal(size=(50, P))
    before = 0.1 * rng.normal(size=(50, M))
    after = before + 0.1 * moves @ true.T
    np.testing.assert_allclose(learned(np.zeros((M, P)), moves, before, after, ridge=1e-9), 0.1 * true, atol=1e-6)


def test_what_is_far_off_at_both_ends_teaches_nothing():
    slopes = np.array([[1.0, 2.0]])
    moves, far = np.array([[1.0, 0.0]]), np.array([[-7.0]])
    np.testing.assert_array_equal(learned(slopes, moves, far, far - 1.0, ridge=1.0), slopes)
    assert learned(slopes, moves, far, far + 7.0, ridge=1.0)[0, 0] > 1.0


def test_moves_that_fit_nothing_are_refused():
    with pytest.raises(ParameterError, match="sensitivities"):
        learned(np.zeros((2, 3)), np.zeros((4, 2)), np.zeros((4, 2)), np.zeros((4, 2)), ridge=1.0)


def test_an_approach_learns_that_a_sensitivity_had_the_wrong_sign():
    """Alone it goes the wrong way and stays; after what was tried, it finds the bound."""
    slopes = np.array([[-0.1]])

    def evaluate(_, points):
        return 0.2 * points - 0.4

    start, margins = np.zeros(1), np.array([-0.4])
    once = approach(start, margins, slopes, evaluate, noise=0.01, slack=0.0)
    np.testing.assert_array_equal(once[0], start)
    there, found = approach(start, margins, slopes, evaluate, corrections=4, noise=0.01, slack=0.0)
    assert found[0] == pytest.approx(0.0, abs=0.02)
    assert there[0] == pytest.approx(2.0, abs=0.1)


def test_a_member_learns_from_its_own_moves():
    """Two members with opposite responses: shared sensitivities fit one, its own move teaches the other."""
    slopes = np.array([[1.0]])
    at = np.zeros((2, 1))
    moves = np.array([[1.0], [1.0]])
    before, after = np.array([[-0.5], [-0.5]]), np.array([[0.5], [-1.5]])
    moved = correct(at, before, slopes, own=[(moves, before, after)], noise=0.01, slack=0.0, longest=np.inf)
    assert moved[0, 0] > 0.4
    assert moved[1, 0] < -0.4
