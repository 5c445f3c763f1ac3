"""Networks against libRoadRunner, an independent implementation of SBML and CVODE."""

from __future__ import annotations

import numpy as np
import pytest

from haptos.signalling.network import compile_network
from haptos.signalling.sbml import antimony_to_sbml

MODELS = {
    "functions, saturation and rules": """
        function mm(v, s, km)
          v*s/(km + s)
        end
        function twice(x)
          mm(2, x, 1) + x
        end
        model m
          species A, B, C, D; A = 10; B = 0; C = 1; D = 0;
          k1 = 0.7; kr = 0.2; vmax := 1 + 0.5*total/(1 + total); total := A + B;
          J1: A -> B; mm(vmax, A, 2) - kr*B;
          J2: B + C -> 2 D; k1*B*C^1.5;
          J3: D -> C; 0.3*twice(D);
        end""",
    "amounts and two compartments": """
        model m
          compartment cell = 2.5, nucleus = 0.4;
          species A in cell, N in nucleus;
          substanceOnly species P in cell, Q in nucleus;
          A = 3; N = 1; P = 4; Q = 0.2; kin = 0.5; kout = 0.9; d = 0.05;
          entry: A -> N; cell*kin*A - nucleus*kout*N;
          bind: A + P -> Q; 0.1*A*P;
          back: Q -> P; 0.4*Q;
          decay: Q -> ; d*Q;
        end""",
    "assigned and rated amounts": """
        model m
          compartment c = 4;
          substanceOnly species $S in c; substanceOnly species $R in c; species X in c, $Z in c;
          S := 2*time/(1 + time); R' = 0.5 - 0.1*R; R = 3; X = 1; Z' = -0.2*Z; Z = 2;
          make: S + Z -> X; 0.3*S*c + R*Z; lose: X -> ; 0.6*X*c;
        end""",
    "piecewise in time": """
        model m
          species A, B; A = 1; B = 0; on = 3; off = 3.2;
          pulse := piecewise(50, (time > on) && (time <= off), 0);
          J1: -> A; pulse; J2: A -> B; 0.3*A; J3: B -> ; 0.1*B*piecewise(1, time < 7, 3);
        end""",
    "rate rules and initial assignments": """
        model m
          species A, B; A_total = 7; A = A_total - 1; B = A/3; k = A_total/10; x = 1; y = k;
          x' = 2*x - 0.8*x*y; y' = 0.5*x*y - y; J1: A -> B; k*A*x; J2: B -> A; 0.2*B;
        end""",
    "elementary functions": """
        model m
          species A, B; A = 1.3; B = 0.4;
          J1: A -> B; exp(-A)*sin(A)^2 + sqrt(A)*ln(1 + A) + log10(1 + A)*abs(cos(time));
          J2: B -> A; tanh(B)*arctan(B) + max(B, 0.2)*0.1 + min(B, 0.5) + floor(2*B)*0.01 + B^2.5;
        end""",
    "boundary species and stoichiometry": """
        model m
          species $L, R, C, D; L = 5; R = 2; C = 0; D = 0;
          J1: L + R -> C; 0.2*L*R - 0.3*C; J2: 2 C -> D; 0.5*C^2 - 0.1*D; J3: D -> 3 R; 0.05*D;
        end""",
}


def _reference(sbml: str, names: tuple[str, ...], times: np.ndarray) -> np.ndarray:
    roadrunner = pytest.importorskip("roadrunner")
    runner = roadrunner.RoadRunner(sbml)
    runner.integrator.relative_tolerance = 1e-10
    runner.integrator.absolute_tolerance = 1e-14
    runner.integrator.maximum_time_step = 0.05
    species = {*runner.model.getFloatingSpeciesIds(), *runner.model.getBoundarySpeciesIds()}
    selections = [f"[{name}]" if name in species else name for name in names]
    return np.asarray(runner.simulate(times=list(times), selections=["time", *selections]))[:, 1:]


@pytest.mark.parametrize("name", MODELS)
def test_agrees_with_roadrunner(name: str) -> None:
    """All species and assigned quantities agree to 1e-5 of their value."""
    sbml = antimony_to_sbml(MODELS[name])
    network = compile_network(sbml)
    times = np.sort(np.append(np.linspace(0.0, 12.0, 25), 3.1))
    mine = network.simulate(times, rtol=1e-9)
    assert mine.ok.all(), mine.explanation(0)
    expected = _reference(sbml, mine.names, times)
    largest = np.max(np.abs(expected), axis=0)
    np.testing.assert_allclose(mine.values[0] / largest, expected / largest, rtol=1e-5, atol=1e-8)


def test_default_tolerance_is_good_enough() -> None:
    """The default tolerance keeps the error of a stiff cascade below 1e-4."""
    sbml = antimony_to_sbml(MODELS["functions, saturation and rules"])
    network = compile_network(sbml)
    times = np.linspace(0.0, 12.0, 25)
    usual, tight = network.simulate(times), network.simulate(times, rtol=1e-10)
    np.testing.assert_allclose(usual.values, tight.values, rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("override", [{"A_total": 20.0}, {"k": 0.05}, {"A_total": 3.0, "k": 1.0}])
def test_overridden_parameters_reach_initial_assignments(override: dict[str, float]) -> None:
    """Overriding a parameter equals writing the other value into the model."""
    text = MODELS["rate rules and initial assignments"]
    network = compile_network(antimony_to_sbml(text))
    edited = text.replace("A_total = 7", f"A_total = {override.get('A_total', 7.0)}")
    if "k" in override:
        edited = edited.replace("k = A_total/10", f"k = {override['k']}")
    times = np.linspace(0.0, 5.0, 11)
    mine = network.simulate(times, parameters=override, rtol=1e-9)
    expected = _reference(antimony_to_sbml(edited), mine.names, times)
    np.testing.assert_allclose(mine.values[0], expected, rtol=1e-5, atol=1e-8)
