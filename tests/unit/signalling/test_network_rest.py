"""Pre-equilibration, stepping, outputs and the order of events of a compiled network."""

from __future__ import annotations

import numpy as np
import pytest

from haptos.errors import ParameterError, Status
from haptos.numerics import EngineSolver, ScipySolver, build_tape, evaluate_tape
from haptos.numerics.paths import evaluate_paths
from haptos.signalling.network import Network, Rest, Segment, compile_network
from haptos.signalling.sbml import antimony_to_sbml

TEXT = """
model cascade
  compartment cell = 2; species R in cell, Ra in cell, $L in cell, E in cell, Ep in cell, W in cell;
  R = 5; Ra = 0; L = 0.1; E = 8; Ep = 0; W = 0; total = 8; E = total;
  k = 0.4; back = k/2; n = 2.5;
  bind: R -> Ra; cell*k*L*R; off: Ra -> R; cell*back*Ra;
  on: E -> Ep; cell*Ra^n/(1 + Ra^n)*E; out: Ep -> E; cell*0.3*exp(-0.01*Ep)*Ep;
  leak: -> W; cell*0.01*Ep;
  share := Ep/(E + Ep); logarithm := ln(1 + Ra) + log10(2 + E) + sqrt(Ep);
end
"""


@pytest.fixture(scope="module")
def network() -> Network:
    """Return a receptor that drives a Hill switch, with a sink."""
    return compile_network(antimony_to_sbml(TEXT))


def test_a_segment_from_minus_infinity_starts_at_rest(network: Network) -> None:
    """The endless segment equals a steady state given as the start, and a very long one."""
    given = {"k": [0.4, 0.8, 0.4], "total": [8.0, 8.0, 3.0]}
    rest = Rest(ignore=("W",))
    times = np.linspace(0.0, 20.0, 5)
    plan = [Segment(-np.inf, 0.0), Segment(0.0, 20.0, parameters={"L": 2.0})]
    result = network.simulate(times, parameters=given, segments=plan, rest=rest, rtol=1e-9)
    still = network.steady_state(parameters=given, ignore=("W",), rtol=1e-9)
    assert still.converged.all()
    second = network.simulate(times, parameters={**given, "L": 2.0}, initial=still.states, rtol=1e-9)
    for name in ("R", "Ra", "E", "Ep", "share"):
        np.testing.assert_allclose(result[name], second[name], rtol=1e-9)
    long = [Segment(-1e5, 0.0), plan[1]]
    slow = network.simulate(times, parameters=given, segments=long, rtol=1e-10, solver=ScipySolver())
    np.testing.assert_allclose(result["Ep"], slow["Ep"], rtol=1e-5)
    assert np.all(result.n_steps > second.n_steps)


def test_changes_of_an_endless_segment_come_before_rest(network: Network) -> None:
    """What is added counts towards the conserved total; a lone endless segment shows the rest."""
    plan = [Segment(-np.inf, 3.0, parameters={"L": 1.0}, multiply={"R": 2.0}, add={"Ra": [0.0, 1.0]})]
    result = network.simulate([3.0], segments=plan, rest=Rest(ignore=("W",)), outputs=["R", "Ra", "L"])
    np.testing.assert_allclose((result["R"] + result["Ra"])[:, 0], [10.0, 11.0], rtol=1e-9)
    np.testing.assert_allclose(result["Ra"] / result["R"], 2.0, rtol=1e-9)
    assert np.all(result["L"] == 1.0)


def test_members_that_do_not_come_to_rest_say_so(network: Network) -> None:
    """The sink is judged here: only the member in which nothing flows settles."""
    plan = [Segment(-np.inf, 0.0), Segment(0.0, 1.0)]
    result = network.simulate([1.0], parameters={"k": [0.0, 0.4], "total": [0.0, 8.0]}, segments=plan)
    assert result.status.tolist() == [Status.OK, Status.NO_REST]
    assert np.isnan(result.values[1]).all()
    assert "rest" in result.explanation(1)
    with pytest.raises(ParameterError, match="finite time"):
        network.simulate([1.0], segments=[Segment(-np.inf, np.inf)])
    with pytest.raises(ParameterError, match="whole molecules"):
        network.sample([1.0], seed=1, segments=plan)
    with pytest.raises(ParameterError, match="leave"):
        network.simulate([-1.0, 1.0], segments=plan)


def test_rest_does_not_depend_on_the_batch(network: Network) -> None:
    """Same bits for any order and size of the batch, with any width of the vectors."""
    rng = np.random.default_rng(5)
    k, total = rng.lognormal(-1, 1, 21), rng.lognormal(2, 1, 21)
    whole = network.steady_state(parameters={"k": k, "total": total}, ignore=["W"])
    order = rng.permutation(21)
    mixed = network.steady_state(parameters={"k": k[order], "total": total[order]}, ignore=["W"])
    alone = network.steady_state(parameters={"k": k[3], "total": total[3]}, ignore=["W"], solver=EngineSolver(width=1))
    for name in ("states", "growth", "residual", "converged"):
        one, other, single = (getattr(r, name) for r in (whole, mixed, alone))
        assert np.array_equal(other, one[order])
        assert np.array_equal(single[0], one[3])


def test_steps_joined_are_a_simulation(network: Network) -> None:
    """Names or arrays, inputs that change, step sizes carried over, observables on the way."""
    k, doses = np.array([0.2, 0.4, 0.8]), [0.1, 2.0, 2.0, 0.0]
    states, parameters = network.start_values(parameters={"k": k})
    plan = [Segment(float(i), i + 1.0, parameters={"L": dose}) for i, dose in enumerate(doses)]
    expected = network.simulate(np.arange(5.0), parameters={"k": k}, segments=plan, rtol=1e-9)
    sizes, column = None, network.parameters.index("L")
    for number, dose in enumerate(doses):
        rows = parameters.copy()
        rows[:, column] = dose
        by_name = network.step(states, {"k": k, "L": dose}, 1.0, step_sizes=sizes, time=float(number), rtol=1e-6)
        by_array = network.step(states, rows, 1.0, step_sizes=sizes, time=float(number), rtol=1e-6)
        assert np.array_equal(by_name.states, by_array.states)
        assert np.array_equal(by_name.step_sizes, by_array.step_sizes)
        states, sizes = by_name.states, by_name.step_sizes
        seen = network.observe(["share", "L", "bind"], states, {"k": k, "L": dose})
        np.testing.assert_allclose(seen[:, 0], expected["share"][:, number + 1], rtol=2e-4)
        assert np.all(seen[:, 1] == dose)
    np.testing.assert_allclose(states, expected.final, rtol=2e-4, atol=1e-6)
    assert np.all(sizes > 0.0)


def test_a_failed_cell_is_a_row_of_nan(network: Network) -> None:
    states, parameters = network.start_values(parameters={"k": [0.2, np.nan, 0.4]})
    done = network.step(states, parameters, 1.0)
    assert done.status.tolist() == [Status.OK, Status.NON_FINITE, Status.OK]
    assert np.isnan(done.states[1]).all()
    assert np.isfinite(done.states[[0, 2]]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"parameters": {"kk": 1.0}}, "did you mean"),
        ({"parameters": {"k": [1.0, 2.0]}}, "as there are 3 cells"),
        ({"parameters": np.zeros((3, 2))}, "shape"),
        ({"states": np.zeros((3, 2))}, "shape"),
        ({"interval": 0.0}, "interval"),
        ({"step_sizes": [1.0]}, "step_sizes"),
        ({"scale": np.ones(2)}, "scale"),
    ],
)
def test_misuse_of_steps_is_refused(network: Network, change: dict, message: str) -> None:  # type: ignore[type-arg]
    states, parameters = network.start_values(parameters={"k": [0.2, 0.3, 0.4]})
    with pytest.raises(ParameterError, match=message):
        network.step(**{"states": states, "parameters": parameters, "interval": 1.0, **change})


def test_models_with_events_are_not_stepped() -> None:
    late = compile_network(antimony_to_sbml("model m; A -> ; A; A = 1; E: at time > 100: A = 5; end"))
    with pytest.raises(ParameterError, match="events"):
        late.step([[1.0]], {}, 1.0)


def test_machine_code_interpreter_and_tape_agree(network: Network) -> None:
    """Same bits in machine code and NumPy; the table-driven evaluator differs by roundings of exp and ln only."""
    rng = np.random.default_rng(1)
    n, p, rule = len(network.states), len(network.parameters), network.output_rule
    names = [*network.observables, *network.reactions, "R", "k", "W"]
    tape = build_tape(rule.graph, [rule.values[name] for name in names], n + p, range(n, n + p))
    times = np.linspace(0.0, 3.0, 7)
    for size in (1, 5, 8, 19):
        states, given = rng.lognormal(0, 2, (size, 7, n)), rng.lognormal(0, 1, (size, p))
        states[0, 3, :2] = [np.nan, -1.0]
        code = evaluate_paths(tape, states, given, times, compiled=True)
        plain = evaluate_paths(tape, states, given, times, compiled=False)
        assert np.array_equal(code, plain, equal_nan=True)
        part = np.full((size, 7, len(names) + 4), -1.0)
        evaluate_paths(tape, states[:, ::-1], given, times, out=part[:, :, 2:-2], compiled=True)
        assert np.array_equal(part[:, ::-1, 2:-2], plain, equal_nan=True)
        assert np.all(part[:, :, [0, 1, -2, -1]] == -1.0)
        np.testing.assert_allclose(code, evaluate_tape(tape, states, given, times), rtol=1e-14)


def test_outputs_in_any_order_and_number(network: Network) -> None:
    """Copies and computed columns land where their names are."""
    whole = network.simulate([0.0, 1.0, 2.0], parameters={"k": np.linspace(0.1, 1.0, 30)})
    mixed = ["share", "Ep", "k", "R", "on", "E", "logarithm"]
    result = network.simulate([0.0, 1.0, 2.0], parameters={"k": np.linspace(0.1, 1.0, 30)}, outputs=mixed)
    for name in ("share", "Ep", "R", "E", "logarithm"):
        assert np.array_equal(result[name], whole[name])
    assert np.array_equal(result["k"][:, 1], np.linspace(0.1, 1.0, 30))
    assert network.simulate([1.0], outputs=["R"]).values.shape == (1, 1, 1)
    assert network.simulate([1.0], outputs=[]).values.shape == (1, 1, 0)


@pytest.mark.parametrize(
    ("events", "warned"),
    [
        ("a: at time > 1: x = x + 2; b: at time > 1: x = 2*x;", True),
        ("a: at time > 1: x = 3; b: at time > 1: x = 4;", True),
        ("a: at time > 1: x = 3; b: at time > 1: y = x;", False),
        ("a: at time > 1, fromTrigger=false: x = 3; b: at time > 1, fromTrigger=false: y = x;", True),
        ("a: at time > 1: x = 3; b: at time > 1: y = 4;", False),
        ("a: at time > 1: x = 3; b: at time > 2: x = 4;", False),
        ("a: at time > 1: x = 3; b: at time > 1: x = 3;", False),
        ("a: at s > 1: x = 3; b: at 2*s > 2: x = 4;", True),
        ("a: at time > 1, persistent=false: x = 3; b: at time > 1 && x < 2, persistent=false: y = 4;", True),
    ],
)
def test_order_of_simultaneous_events_is_reported_where_it_matters(events: str, warned: bool) -> None:
    """By repeating the simulation in the opposite order."""
    network = compile_network(antimony_to_sbml(f"model m; x = 1; y = 0; s = 0; s' = 0.7; {events} end"))
    result = network.simulate([0.0, 3.0])
    assert result.ok[0]
    assert bool(result.warnings) == warned
    assert not network.simulate([0.0, 0.5]).warnings
    if warned:
        assert ("a", "b") in network.conflicts
