"""Sampled distributions against closed forms and finite master equations.

Each comparison is a chi-square test of a histogram (bins merged to at least 8 expected) or
a z test of a mean. Their number is fixed below, so that all of this file together raises a
false alarm with a probability of at most 1e-4.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.linalg import expm

from haptos.signalling.network import SampleSettings, compile_network
from haptos.signalling.sbml import antimony_to_sbml

pytestmark = pytest.mark.statistical

FAMILY_WISE_ERROR = 1e-4
ASSERTIONS = 40
LEVEL = FAMILY_WISE_ERROR / ASSERTIONS
RUNS = 20_000
ITEMS = SampleSettings(molecules_per_unit=1.0)


def network(body):
    return compile_network(antimony_to_sbml(f"model tested; {body} end"))


def fits(draws, probabilities):
    """Whether whole-number draws follow probabilities of 0, 1, 2, ... (the rest in the last bin)."""
    p = np.append(probabilities, max(0.0, 1.0 - np.sum(probabilities)))
    seen = np.bincount(np.minimum(draws, len(p) - 1), minlength=len(p)).astype(float)
    groups, count = np.zeros(len(p), dtype=int), 0
    mass = 0.0
    for i, value in enumerate(p):
        groups[i] = count
        mass += value * len(draws)
        if mass >= 8.0:
            count, mass = count + 1, 0.0
    groups = np.minimum(groups, max(count - 1, 0))
    expected, found = np.bincount(groups, p) * len(draws), np.bincount(groups, seen)
    return stats.chi2.sf(np.sum((found - expected) ** 2 / expected), len(expected) - 1) > LEVEL


def mean_agrees(draws, expected):
    return abs(draws.mean() - expected) <= stats.norm.isf(LEVEL / 2) * draws.std(ddof=1) / np.sqrt(len(draws))


def test_the_check_can_fail():
    draws = np.random.Generator(np.random.Philox(key=5)).poisson(10.3, RUNS)
    assert not fits(draws, stats.poisson.pmf(np.arange(40), 10.0))
    assert not mean_agrees(draws, 10.0)


@pytest.mark.parametrize("method", ["exact", "leap"])
def test_immigration_and_death_is_poisson(method):
    """X(t) is Poisson around a/m (1 - exp(-m t)) from an empty start."""
    model = network("-> X; a; X => ; m*X; X = 0; a = 12; m = 0.6;")
    result = model.sample([0.5, 2.0, 20.0], seed=1, replicates=RUNS, settings=ITEMS, method=method)
    for k, t in enumerate((0.5, 2.0, 20.0)):
        mean = 20.0 * (1.0 - np.exp(-0.6 * t))
        assert fits(result["X"][:, k], stats.poisson.pmf(np.arange(60), mean))


def test_leaping_keeps_the_moments_of_large_counts():
    """20,000 molecules in equilibrium: mean and variance of a binomial within the stated error of leaping."""
    model = network("A -> B; f*A - r*B; A = 20000; B = 0; f = 1; r = 3;")
    result = model.sample([6.0], seed=2, replicates=1500, settings=ITEMS, method="leap")
    exact = 20000 * 0.25 * (1 - np.exp(-24.0))
    assert (result.n_steps < result.n_events / 20).all()
    assert abs(result["B"].mean() / exact - 1.0) < 0.002
    assert abs(result["B"].var() / (exact * 0.75) - 1.0) < 0.25


def test_leaping_has_no_bias_while_counts_grow():
    """Immigration and death towards 10,000: the mean on its way, where a rule of first order lags by 0.3 per cent."""
    model = network("-> X; a; X => ; m*X; X = 0; a = 1000; m = 0.1;")
    times = np.array([5.0, 10.0, 20.0])
    result = model.sample(times, seed=9, replicates=4000, settings=ITEMS, method="leap")
    assert (result.n_steps < result.n_events / 10).all()
    for k, t in enumerate(times):
        mean = 10_000.0 * (1.0 - np.exp(-0.1 * t))
        assert mean_agrees(result["X"][:, k], mean)
        assert abs(result["X"][:, k].var(ddof=1) / mean - 1.0) < 0.12


def test_isomerisation_is_binomial():
    """Each of 30 molecules is B with its own probability, forward and backward split by haptos."""
    model = network("A -> B; f*A - r*B; A = 30; B = 0; f = 0.7; r = 0.4;")
    result = model.sample([0.4, 8.0], seed=3, replicates=RUNS, settings=ITEMS)
    assert (result["A"] + result["B"] == 30).all()
    for k, t in enumerate((0.4, 8.0)):
        p = 0.7 / 1.1 * (1.0 - np.exp(-1.1 * t))
        assert fits(result["B"][:, k], stats.binom.pmf(np.arange(31), 30, p))


@pytest.mark.parametrize("method", ["exact", "leap"])
def test_dimerisation_meets_its_master_equation(method):
    """2 P <-> D with k P^2 written for concentrations: pairs are counted as n (n - 1)."""
    model = network("2 P -> D; k*P^2 - u*D; P = 21; D = 0; k = 0.02; u = 0.3;")
    result = model.sample([0.5, 5.0], seed=4, replicates=RUNS, settings=ITEMS, method=method)
    rates = np.zeros((11, 11))
    for d in range(11):
        n = 21 - 2 * d
        up, down = 0.02 * n * (n - 1), 0.3 * d
        rates[d, d] -= up + down
        if d < 10:
            rates[d + 1, d] += up
        if d > 0:
            rates[d - 1, d] += down
    for k, t in enumerate((0.5, 5.0)):
        assert fits(result["D"][:, k], expm(rates * t)[:, 0])
    assert (result["P"] + 2 * result["D"] == 21).all()


def test_schloegl_finds_both_states():
    """The bistable scheme of Schloegl against its stationary distribution of birth and death."""
    c1, c2, c3, c4 = 0.12, 1.6e-3, 50.0, 3.5
    body = "r1: 2 X => 3 X; c1*X*(X - 1)/2; r2: 3 X => 2 X; c2*X*(X - 1)*(X - 2)/6; r3: => X; c3; r4: X => ; c4*X; "
    model = network(f"{body} X = 62; c1 = {c1}; c2 = {c2}; c3 = {c3}; c4 = {c4};")
    n = np.arange(360.0)
    birth, death = c1 * n * (n - 1) / 2 + c3, c2 * n * (n - 1) * (n - 2) / 6 + c4 * n
    rates = np.diag(birth[:-1], -1) + np.diag(death[1:], 1)
    rates -= np.diag(np.append(birth[:-1], 0.0) + death)
    expected = expm(rates * 3.0)[:, 62]
    assert 0.1 < np.sum(expected[:62]) < 0.9, "both states are visited, so the check has teeth"
    result = model.sample([3.0], seed=5, replicates=5000, settings=ITEMS)
    assert fits(result["X"][:, 0], expected)


def test_toggle_switch_on_tapes_meets_its_master_equation():
    """Two genes that repress each other with Hill laws, which no table holds."""
    body = "s1: => U; a/(1 + V^2); s2: => V; a/(1 + U^2); d1: U => ; U; d2: V => ; V; U = 3; V = 0; a = 6;"
    result = network(body).sample([2.0], seed=6, replicates=RUNS, settings=ITEMS)
    size = 26
    rates = np.zeros((size * size, size * size))
    for u in range(size):
        for v in range(size):
            here = u * size + v
            steps = [(u + 1, v, 6 / (1 + v**2)), (u, v + 1, 6 / (1 + u**2)), (u - 1, v, u), (u, v - 1, v)]
            for nu, nv, rate in steps:
                if 0 <= nu < size and 0 <= nv < size:
                    rates[nu * size + nv, here] += rate
                    rates[here, here] -= rate
    from scipy.sparse import csc_array
    from scipy.sparse.linalg import expm_multiply

    start = np.zeros(size * size)
    start[3 * size] = 1.0
    joint = expm_multiply(csc_array(rates) * 2.0, start).reshape(size, size)
    assert fits(result["U"][:, 0], joint.sum(axis=1))
    assert fits(result["V"][:, 0], joint.sum(axis=0))
    assert fits(result["U"][:, 0] + size * result["V"][:, 0], joint.T.ravel())


def test_rates_that_jump_in_time_and_segments_keep_the_poisson_law():
    """Production on between 1 and 3, loss doubled from 4 on: still Poisson, mean by hand."""
    model = network("=> X; piecewise(a, time >= 1 && time < 3, 0); X => ; m*X; X = 0; a = 9; m = 0.5;")
    from haptos.signalling.network import Segment

    plan = [Segment(0.0, 4.0), Segment(4.0, 6.0, parameters={"m": 1.0})]
    result = model.sample([0.9, 3.0, 6.0], seed=7, replicates=RUNS, settings=ITEMS, segments=plan)
    at_3 = 18.0 * (1.0 - np.exp(-1.0))
    assert (result["X"][:, 0] == 0).all()
    assert fits(result["X"][:, 1], stats.poisson.pmf(np.arange(50), at_3))
    assert fits(result["X"][:, 2], stats.poisson.pmf(np.arange(50), at_3 * np.exp(-0.5 - 2.0)))


def test_volumes_and_moles_give_the_right_number_of_encounters():
    """A + B -> C in 1e-24 mol and 1e-15 L: the first encounter takes 1/(k n_A n_B / (N V)) on average."""
    text = """model m
      unit substance = 1e-24 mole; unit volume = 1e-15 litre; unit extent = 1e-24 mole; unit time_unit = 60 second;
      compartment cell = 5; species A in cell, B in cell, C in cell; A = 4/(5*0.602214076); B = 6/(5*0.602214076);
      C = 0; k = 0.03; bind: A + B => C; cell*k*A*B; end"""
    result = compile_network(antimony_to_sbml(text)).sample([0.0, 0.8], seed=8, replicates=RUNS)
    assert result.counts[0, 0].tolist() == [4, 6, 0]
    propensity = 0.03 * 24 / (0.602214076 * 5)
    assert mean_agrees((result["C"][:, 1] == 0).astype(float), np.exp(-propensity * 0.8))
