"""Integration against closed forms and published reference values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import lambertw

from haptos.errors import Status
from haptos.signalling.network import Segment, compile_network
from haptos.signalling.sbml import antimony_to_sbml


def _network(body: str):  # type: ignore[no-untyped-def]
    return compile_network(antimony_to_sbml(f"model m; {body} end"))


def test_exponential_decay() -> None:
    """A decays as exp(-k t) for every k of the batch."""
    network = _network("A -> ; k*A; A = 3; k = 1;")
    k = np.array([0.01, 0.5, 4.0])
    times = np.linspace(0.0, 5.0, 21)
    result = network.simulate(times, parameters={"k": k}, rtol=1e-9)
    np.testing.assert_allclose(result["A"], 3.0 * np.exp(-np.outer(k, times)), rtol=1e-6, atol=1e-11)


def test_reversible_first_order() -> None:
    """A and B relax to the ratio of the rate constants with the sum of the rates."""
    network = _network("A -> B; f*A - r*B; A = 2; B = 1; f = 0.7; r = 0.2;")
    times = np.linspace(0.0, 10.0, 31)
    result = network.simulate(times, rtol=1e-9)
    rest = 3.0 * 0.2 / 0.9
    np.testing.assert_allclose(result["A"][0], rest + (2.0 - rest) * np.exp(-0.9 * times), rtol=1e-7)
    np.testing.assert_allclose(result["A"] + result["B"], 3.0, rtol=1e-12)


def test_michaelis_menten_progress_curve() -> None:
    """The substrate follows the Lambert W function [Schnell & Mendoza 1997]."""
    network = _network("S -> P; v*S/(km + S); S = 10; P = 0; v = 1.5; km = 2;")
    times = np.linspace(0.0, 15.0, 31)
    expected = 2.0 * lambertw(10.0 / 2.0 * np.exp((10.0 - 1.5 * times) / 2.0)).real
    result = network.simulate(times, rtol=1e-9)
    np.testing.assert_allclose(result["S"][0], expected, rtol=1e-6)


def test_robertson() -> None:
    """The classical stiff problem, reference values of Hairer & Wanner at t = 40 and 4e7."""
    network = _network(
        "J1: A -> B; k1*A; J2: B -> A; k2*B*C; J3: B -> C; k3*B^2;A = 1; B = 0; C = 0; k1 = 0.04; k2 = 1e4; k3 = 3e7;"
    )
    result = network.simulate([40.0, 4e7], rtol=1e-9)
    expected = [[0.7158270688, 9.185534764e-6, 0.2841637457], [5.208e-5, 2.0833e-10, 0.99994792]]
    np.testing.assert_allclose(result.values[0, 0], expected[0], rtol=1e-6)
    np.testing.assert_allclose(result.values[0, 1], expected[1], rtol=2e-3)
    np.testing.assert_allclose(result.values.sum(axis=2), 1.0, rtol=1e-9)


def test_segments_change_parameters_and_states() -> None:
    """A dose, a wash and a change of rate act exactly at the borders."""
    network = _network("A -> ; k*A; A = 1; k = 0.5;")
    plan = [
        Segment(0.0, 2.0),
        Segment(2.0, 2.0, add={"A": [3.0, 0.0]}),
        Segment(2.0, 4.0, parameters={"k": 1.0}),
        Segment(4.0, 6.0, multiply={"A": 0.1}),
        Segment(6.0, 6.0, set={"A": 9.0}),
    ]
    times = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    result = network.simulate(times, segments=plan, rtol=1e-9)
    for member, dose in enumerate((3.0, 0.0)):
        a2 = np.exp(-1.0) + dose
        a4 = a2 * np.exp(-2.0) * 0.1
        expected = [1.0, np.exp(-0.5), a2, a2 * np.exp(-1.0), a4, a4 * np.exp(-0.5), 9.0]
        np.testing.assert_allclose(result["A"][member], expected, rtol=1e-6)


def test_short_pulse_is_not_stepped_over() -> None:
    """A pulse of a minute in a week is met at any tolerance, by its parameters' times."""
    network = _network("-> A; piecewise(5, time >= on && time < on + width, 0); A = 0; on = 5000; width = 1;")
    result = network.simulate([4999.0, 10080.0], parameters={"width": [1.0, 0.25]}, rtol=1e-3)
    np.testing.assert_allclose(result["A"], [[0.0, 5.0], [0.0, 1.25]], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("body", ["x = 1; x' = x^2;", "x = 1; x' = -1/sqrt(x);"])
def test_singularities_are_a_status(body: str) -> None:
    """Solutions that end at finite time neither hang nor raise, and spare the others."""
    network = _network(f"{body} y = 1; k = 1; y' = -k*y;")
    result = network.simulate([0.5, 3.0], initial={"x": [1.0, 1e-2 if "^2" in body else 1e3]})
    assert result.status[0] in (Status.NON_FINITE, Status.STEP_TOO_SMALL, Status.MAX_STEPS)
    assert np.isnan(result.values[0]).all()
    assert result.status[1] == Status.OK
    np.testing.assert_allclose(result["y"][1], np.exp([-0.5, -3.0]), rtol=1e-5)


def test_falling_below_zero_is_a_status() -> None:
    """Consumption that does not stop at zero is reported, not returned."""
    network = _network("A -> ; k; A = 1; k = 1;")
    result = network.simulate([0.5, 2.0], parameters={"k": [1.0, 0.1]})
    assert result.status.tolist() == [Status.NEGATIVE, Status.OK]


def test_step_limit_is_a_status() -> None:
    """The limit of steps holds."""
    network = _network("x = 1; y = 0; x' = 100*y; y' = -100*x;")
    result = network.simulate([10.0], max_steps=200)
    assert result.status.tolist() == [Status.MAX_STEPS]
    assert result.n_steps[0] <= 200


def test_species_do_not_end_slightly_negative() -> None:
    """Rounding below zero is lifted, fractional exponents stay finite."""
    network = _network("A -> B; 50*A^0.5; A = 1; B = 0; B -> ; 3*B^1.5;")
    result = network.simulate(np.linspace(0, 20, 201))
    assert result.ok.all(), result.explanation(0)
    assert result.values.min() >= 0.0
