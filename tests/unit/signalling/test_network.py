"""The compiled network: names, overrides, segments, laws and results."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

from haptos.errors import ModelError, ParameterError, Status
from haptos.numerics import OdeTask, ScipySolver
from haptos.signalling.network import ConservationLaw, Network, Segment, compile_network
from haptos.signalling.sbml import antimony_to_sbml, read_sbml

TEXT = """
model kinase
  unit substance = 1e-24 mole; unit volume = 1e-15 litre; unit time_unit = 60 second;
  unit extent = 1e-24 mole;
  compartment cell = 2; species K in cell, Kp in cell, $L in cell, C in cell, D in cell;
  K_total = 10; K = K_total; Kp = 0; L = 1; C = 0; D = 4;
  kf = 0.3; ratio = 2; kr = kf/ratio; start_K = K;
  on: K -> Kp; cell*kf*L*K; off: Kp -> K; cell*kr*Kp; bind: 2 Kp + D -> C; cell*0.01*Kp*D;
  unbind: C -> 2 Kp + D; cell*0.1*C;
  active := Kp/(K + Kp);
end
"""


@pytest.fixture(scope="module")
def network() -> Network:
    """Return a small kinase network."""
    return compile_network(antimony_to_sbml(TEXT))


def test_names_and_defaults(network: Network) -> None:
    """Everything is where the documentation says."""
    assert network.states == ("K", "Kp", "C", "D")
    assert network.species == ("K", "Kp", "L", "C", "D")
    assert set(network.parameters) == {"cell", "L", "K_total", "kf", "ratio", "kr", "start_K"}
    assert network.observables == ("active",)
    assert network.initial.tolist() == [10.0, 0.0, 0.0, 4.0]
    assert dict(zip(network.parameters, network.defaults, strict=True))["kr"] == 0.15
    assert network.units["K"] == "(1e-24 mole) / (1e-15 litre)"
    assert network.time_units == "60 second"


def test_laws_hold_along_a_simulation(network: Network) -> None:
    """Both totals are found, named and kept, in amounts."""
    assert [law.name for law in network.laws] == ["K + Kp + 2 C", "C + D"]
    assert network.laws[0] == ConservationLaw(("K", "Kp", "C"), (1, 1, 2))
    result = network.simulate(np.linspace(0, 50, 11))
    np.testing.assert_allclose(result["K"] + result["Kp"] + 2 * result["C"], 10.0, rtol=1e-10)


def test_overrides_reach_initial_assignments_per_member(network: Network) -> None:
    """Each member re-evaluates its own formulas; a value given explicitly wins."""
    state, constants = network.start_values(
        parameters={"K_total": [10.0, 20.0, 20.0], "kf": [0.3, 0.6, 0.6], "kr": 9.0},
        initial={"K": [1.0, 2.0, 3.0]},
    )
    assert state[:, 0].tolist() == [1.0, 2.0, 3.0]
    value = dict(zip(network.parameters, constants.T, strict=True))
    assert value["kr"].tolist() == [9.0, 9.0, 9.0]
    assert value["start_K"].tolist() == [1.0, 2.0, 3.0]
    state, constants = network.start_values(parameters={"K_total": [10.0, 20.0], "kf": [0.3, 0.6]})
    value = dict(zip(network.parameters, constants.T, strict=True))
    assert state[:, 0].tolist() == [10.0, 20.0]
    assert value["kr"].tolist() == [0.15, 0.3]
    assert value["start_K"].tolist() == [10.0, 20.0]


def test_amounts_follow_the_size_of_the_compartment() -> None:
    """An initial amount is divided by the volume each member has."""
    text = "model m; compartment c = 2; species A in c; A = 6/c; A -> ; k*A*c; k = 0.1; end"
    amounts = antimony_to_sbml(text.replace("A = 6/c", "amount = 6; A = amount/c"))
    state, _ = compile_network(amounts).start_values(parameters={"c": [2.0, 3.0]})
    assert state[:, 0].tolist() == [3.0, 2.0]


def test_segments_derive_parameters_anew_and_hold_those_of_the_start(network: Network) -> None:
    """kr follows kf in the segment; start_K, a memory of the start, does not move."""
    plan = [Segment(0, 5), Segment(5, 10, parameters={"kf": [0.3, 3.0], "K_total": 99.0}), Segment(10, 12)]
    names = ["kf", "kr", "start_K", "K", "L", "on"]
    result = network.simulate([0, 4.9, 5, 9, 10, 12], segments=plan, outputs=names)
    assert result["kf"][1].tolist() == [0.3, 0.3, 3.0, 3.0, 0.3, 0.3]
    assert result["kr"][1].tolist() == [0.15, 0.15, 1.5, 1.5, 0.15, 0.15]
    assert np.all(result["start_K"] == 10.0)
    flux = 2.0 * result["kf"] * result["L"] * result["K"]
    np.testing.assert_allclose(result["on"], flux, rtol=1e-14)
    assert np.array_equal(result["K"][0, :2], result["K"][1, :2])


def test_fixed_species_can_be_dosed_by_segment(network: Network) -> None:
    """A boundary species is a parameter, and may be given as initial value too."""
    a = network.simulate([5.0], initial={"L": [0.0, 2.0]})
    b = network.simulate([5.0], parameters={"L": [0.0, 2.0]})
    assert np.array_equal(a.values, b.values)
    assert a["Kp"][0, 0] == 0.0
    assert a["L"][:, 0].tolist() == [0.0, 2.0]


def test_continuing_equals_running_through(network: Network) -> None:
    """The final states of one simulation start the next."""
    first = network.simulate([5.0], rtol=1e-10)
    second = network.simulate([12.0], initial=first.final, start=5.0, rtol=1e-10)
    np.testing.assert_allclose(second.values, network.simulate([12.0], rtol=1e-10).values, rtol=1e-7)


def test_batch_order_does_not_matter(network: Network) -> None:
    """Same bits in any order, size and after pickling."""
    rng = np.random.default_rng(0)
    kf, total = rng.lognormal(0, 1, 9), rng.lognormal(2, 1, 9)
    times = [0.1, 3.0, 200.0]
    whole = network.simulate(times, parameters={"kf": kf, "K_total": total})
    order = rng.permutation(9)
    again = pickle.loads(pickle.dumps(network)).simulate(times, parameters={"kf": kf[order], "K_total": total[order]})
    assert np.array_equal(again.values, whole.values[order])
    alone = network.simulate(times, parameters={"kf": kf[4], "K_total": total[4]})
    assert np.array_equal(alone.values[0], whole.values[4])


def test_failed_members_are_rows_of_nan(network: Network) -> None:
    """Status and explanation stay with the member."""
    result = network.simulate([1.0], parameters={"kf": [0.3, np.nan]}, outputs=["K", "K_total"])
    assert result.status.tolist() == [Status.OK, Status.NON_FINITE]
    assert result.ok.tolist() == [True, False]
    assert np.isnan(result.values[1]).all()
    assert "not a number" in result.explanation(1)


def test_infinite_numbers_that_no_rate_reads_do_no_harm() -> None:
    """They are returned as they are; where a rate or an event reads them the member fails."""
    text = "model m; A -> ; k*A; A = 1; k = 1; free = INF; twice := 2*free; limit = 5; at A < limit - 5: A = 2; end"
    network = compile_network(antimony_to_sbml(text))
    result = network.simulate([0.0, 1.0], parameters={"limit": [5.0, np.inf, 5.0], "free": [np.inf, 1.0, np.nan]})
    assert result.status.tolist() == [Status.OK, Status.NON_FINITE, Status.OK]
    np.testing.assert_allclose(result["A"][[0, 2], 1], np.exp(-1.0), rtol=1e-5)
    assert np.all(result["twice"][0] == np.inf)
    assert np.all(np.isnan(result["twice"][2]))


def test_empty_batch_and_times(network: Network) -> None:
    """B = 0, T = 0 and a scalar time work."""
    assert network.simulate([1.0, 2.0], parameters={"kf": []}).values.shape == (0, 2, 6)
    assert network.simulate([]).values.shape == (1, 0, 6)
    assert network.simulate(3.0).values.shape == (1, 1, 6)


def test_steady_state_and_start_from_it(network: Network) -> None:
    """Pre-equilibration without ligand, then a step."""
    rest = network.steady_state(parameters={"K_total": [10.0, 30.0], "L": 0.5})
    assert rest.converged.all()
    np.testing.assert_allclose(rest["Kp"] / rest["K"], 0.3 * 0.5 / 0.15, rtol=1e-9)
    np.testing.assert_allclose(rest["K"] + rest["Kp"] + 2 * rest["C"], [10.0, 30.0], rtol=1e-6)
    still = network.simulate([0, 100], parameters={"K_total": [10.0, 30.0], "L": 0.5}, initial=rest.states)
    np.testing.assert_allclose(still.values[:, 1], still.values[:, 0], rtol=1e-6)
    with pytest.raises(ParameterError, match="time"):
        compile_network(antimony_to_sbml("model m; A -> ; time*A; A = 1; end")).steady_state()


def test_tables(network: Network) -> None:
    """Results turn into a tidy table and a labelled data set."""
    result = network.simulate([0.0, 1.0, 2.0], parameters={"kf": [0.1, 0.2]})
    table = result.to_dataframe()
    assert table.shape == (6, 8)
    row = table[(table.member == 1) & (table.time == 2.0)]
    assert row["Kp"].item() == result["Kp"][1, 2]
    data = result.to_xarray()
    assert float(data["Kp"].sel(member=1, time=2.0)) == result["Kp"][1, 2]
    assert data["Kp"].attrs["units"] == "(1e-24 mole) / (1e-15 litre)"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"parameters": {"K_totl": 1}}, "did you mean K_total"),
        ({"parameters": {"Kp": 1}}, "'initial'"),
        ({"parameters": {"active": 1}}, "computed by a rule"),
        ({"initial": {"kf": 1}}, "'parameters'"),
        ({"initial": {"KK": 1}}, "did you mean K"),
        ({"parameters": {"L": 1}, "initial": {"L": 1}}, "given as parameter and as initial"),
        ({"parameters": {"kf": [1, 2], "kr": [1, 2, 3]}}, "do not agree"),
        ({"parameters": {"kf": [[1, 2]]}}, "must be a number or a row"),
        ({"initial": np.ones((1, 2))}, "shape"),
        ({"outputs": ["Kpp"]}, "did you mean Kp"),
        ({"segments": [Segment(0, 1), Segment(2, 3)]}, "start exactly"),
        ({"segments": [Segment(0, 3, set={"L": 1})]}, "'parameters'"),
        ({"segments": [Segment(0, 3, set={"K": 1}, add={"K": 1})]}, "excludes"),
    ],
)
def test_misuse_names_what_is_near(network: Network, arguments: dict, message: str) -> None:  # type: ignore[type-arg]
    """A wrong name or shape says what would be right."""
    with pytest.raises(ParameterError, match=message):
        network.simulate([1.0], **arguments)


def test_unknown_output_of_a_result(network: Network) -> None:
    """A result says that the output was not asked for."""
    with pytest.raises(ParameterError, match="outputs"):
        network.simulate([1.0])["on"]


def test_rules_in_a_circle_are_refused() -> None:
    """Definitions may be in any order, but not each other's."""
    model = read_sbml(antimony_to_sbml("model m; a := b + 1; b := 2; end"))
    assert compile_network(model).simulate([0.0])["a"].tolist() == [[3.0]]
    a, b = model.assignments
    circle = replace(model, assignments=(a, replace(b, expression=a.expression)))
    with pytest.raises(ModelError, match="define each other"):
        compile_network(circle)


def test_switches_that_cannot_be_located_are_refused() -> None:
    """A clock made of a sine would be stepped over."""
    clock = "model m; -> A; piecewise(1, sin(time) > 0, 0); A = 0; end"
    with pytest.raises(ModelError, match="sin"):
        compile_network(antimony_to_sbml(clock))


def test_magnitudes_follow_totals_declarations_and_members() -> None:
    """Tolerances come from conserved totals, for every member, or from declared scales."""
    text = "model m; A -> B; A; -> M; 0.1; M -> ; M; A = 100; B = 0; M = 0; end"
    network = compile_network(antimony_to_sbml(text))
    state, constants = network.start_values(initial={"A": [100.0, 1.0]})
    assert network.magnitudes(state, constants).tolist() == [[100, 100, 0.1], [1, 1, 0.001]]
    declared = compile_network(antimony_to_sbml(text), scales={"M": 5.0})
    assert declared.magnitudes(state, constants)[:, 2].tolist() == [5.0, 5.0]
    with pytest.raises(ParameterError, match="did you mean M"):
        compile_network(antimony_to_sbml(text), scales={"m": 1.0})


def test_another_solver_can_take_over(network: Network) -> None:
    """The solver sees arrays only, and its answer is used; the reference agrees with the default."""
    seen: list[OdeTask] = []

    class Spy:
        """Pass a task on."""

        def solve(self, task: OdeTask):  # type: ignore[no-untyped-def]
            seen.append(task)
            return ScipySolver().solve(task)

    result = network.simulate([1.0], parameters={"kf": [1.0, 2.0]}, solver=Spy())
    assert seen[0].initial.shape == (2, 4)
    alone = network.simulate([1.0], parameters={"kf": [1.0, 2.0]}, solver=ScipySolver())
    assert np.array_equal(result.values, alone.values)
    mine = network.simulate([1.0], parameters={"kf": [1.0, 2.0]})
    assert (result.method, alone.method, mine.method) == ("Spy", "LSODA", "Rodas5P")
    np.testing.assert_allclose(mine.values, alone.values, rtol=1e-5)
