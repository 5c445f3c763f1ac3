"""Events of SBML: read, compiled, simulated; closed forms throughout."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from haptos.errors import ModelError, ParameterError
from haptos.signalling.network import Network, Segment, compile_network
from haptos.signalling.sbml import antimony_to_sbml, read_sbml


def _network(body: str) -> Network:
    return compile_network(antimony_to_sbml(f"model m; {body} end"))


def _edited(body: str, *changes: tuple[str, str]) -> str:
    text = antimony_to_sbml(f"model m; {body} end")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    return text


def test_a_timed_event_changes_a_parameter() -> None:
    """Decay with rate 1 until time 2, then 0.25."""
    network = _network("A -> ; k*A; A = 1; k = 1; E: at time >= 2: k = 0.25;")
    assert network.states == ("A", "k")
    assert network.parameters == ("default_compartment",)
    times = np.array([0.0, 1.0, 2.0, 3.0, 6.0])
    result = network.simulate(times, rtol=1e-9)
    expected = np.exp(-np.where(times < 2, times, 2 + 0.25 * (times - 2)))
    assert result["A"][0] == pytest.approx(expected, rel=1e-6)
    assert result["k"].tolist() == [[1.0, 1.0, 0.25, 0.25, 0.25]]


def test_a_state_triggers_again_and_again() -> None:
    """A drips away from 1 with speed 1 and is refilled at 0.5: a saw with period 0.5."""
    network = _network("A' = -1; A = 1; n = 0; E: at A < 0.5: A = 1, n = n + 1;")
    result = network.simulate([0.0, 0.4, 0.6, 1.2, 10.1], rtol=1e-9)
    assert result["n"].tolist() == [[0.0, 0.0, 1.0, 2.0, 20.0]]
    assert result["A"][0] == pytest.approx([1.0, 0.6, 0.9, 0.8, 0.9], abs=1e-6)


@pytest.mark.parametrize(("initial", "expected"), [("true", 1.0), ("false", 5.0)])
def test_a_trigger_that_is_true_at_the_start(initial: str, expected: float) -> None:
    """Only with the initial value false does it fire at time 0."""
    network = _network(f"x = 1; E: at true, t0={initial}: x = 5;")
    assert network.simulate([0.0, 1.0])["x"].tolist() == [[expected, expected]]


@pytest.mark.parametrize(("frozen", "expected"), [("true", (2.0, 1.0)), ("false", (2.0, 2.0))])
def test_values_of_the_trigger_or_of_the_execution(frozen: str, expected: tuple[float, float]) -> None:
    """Two events at once swap x and y, or the second sees what the first did."""
    network = _network(
        f"x = 1; y = 2; E1: at time > 1, fromTrigger={frozen}: x = y; E2: at time > 1, fromTrigger={frozen}: y = x;"
    )
    result = network.simulate([0.0, 2.0])
    assert (result["x"][0, 1], result["y"][0, 1]) == expected


@pytest.mark.parametrize(("persistent", "expected"), [("true", 5.0), ("false", 0.0)])
def test_an_event_whose_condition_is_undone(persistent: str, expected: float) -> None:
    """The first event at that moment makes the condition of the second false."""
    network = _network(
        f"go = 0; x = 0; E1: at time > 1: go = 1; E2: at time > 1 && go < 1, persistent={persistent}: x = 5;"
    )
    assert network.simulate([0.0, 2.0])["x"][0, 1] == expected


def test_amounts_stay_when_an_event_changes_a_compartment() -> None:
    """Twice the volume is half the concentration, and the fluxes follow."""
    body = "compartment c = 2; species A in c, $F in c; A = 3; F = 8; k = 0; A -> ; k*A*c; E: at time > 1: c = 4;"
    result = _network(body).simulate([0.0, 2.0], outputs=["A", "F", "c"])
    assert result.values[0].tolist() == [[3.0, 8.0, 2.0], [1.5, 4.0, 4.0]]


def test_a_concentration_that_is_set_with_its_compartment_counts_at_the_old_size() -> None:
    """As the standard has it: all assignments are made in the state before the event."""
    body = "compartment c = 2; species A in c; A = 3; A -> ; 0*A; E: at time > 1: c = 4, A = 6;"
    assert _network(body).simulate([0.0, 2.0])["A"].tolist() == [[3.0, 3.0]]


def test_events_set_amounts_where_the_species_is_an_amount() -> None:
    """The concentration is the amount over the size."""
    body = "compartment c = 4; substanceOnly species A in c; A = 8; A -> ; 0*A; E: at time > 1: A = A + 2;"
    assert _network(body).simulate([0.0, 2.0])["A"].tolist() == [[2.0, 2.5]]


def test_sizes_by_formula_among_other_events_are_refused() -> None:
    """The amounts of the moment of execution would meet a size of the moment of the trigger."""
    two = "compartment c = 2; species A in c; A = 3; x = 1; A -> ; 0*A; E: at time > 1: c = 4*x; F: at time > 1: x = 2;"
    with pytest.raises(ModelError, match=r"event 'E': it sets the size of 'c' by a formula"):
        _network(two)
    assert _network(two.replace("4*x", "4")).simulate([0.0, 2.0])["A"].tolist() == [[3.0, 1.5]]


def test_events_without_trigger_or_value_do_nothing() -> None:
    """Level 3 Version 2 lets both be absent."""
    body = "x = 1; E: at time > 1: x = 5;"
    text = antimony_to_sbml(f"model m; {body} end")
    start, end = text.index("<trigger"), text.index("</trigger>") + len("</trigger>")
    result = compile_network(text[:start] + text[end:]).simulate([0.0, 2.0], outputs=["x"])
    assert result["x"].tolist() == [[1.0, 1.0]]


def test_a_pulse_whose_times_events_change_is_not_stepped_over() -> None:
    """Conditions on time and on what events set make the solver stop."""
    body = """A = 0; on = 1000; -> A; piecewise(1, time > on && time < on + 0.001, 0); E: at time > 10: on = 50;"""
    assert _network(body).simulate([0.0, 40.0, 100.0])["A"][0] == pytest.approx([0.0, 0.0, 0.001], rel=1e-4)


def test_members_have_events_of_their_own() -> None:
    """Start values move the moment; the bits do not depend on the batch."""
    network = _network("A -> ; k*A; A = 1; k = 1; low = 0.5; E: at A < low: A = 1;")
    lows = np.array([0.5, 0.25, 0.9, 0.1])
    both = network.simulate([0.0, 1.0, 3.0], parameters={"low": lows})
    for number, low in enumerate(lows):
        alone = network.simulate([0.0, 1.0, 3.0], parameters={"low": low})
        assert alone.values[0].tobytes() == both.values[number].tobytes()
    assert both["A"][0, 2] == pytest.approx(np.exp(-(3 % np.log(2))), rel=1e-4)


def test_segments_and_events_together() -> None:
    """A schedule changes a threshold; the event answers."""
    network = _network("A' = 1; A = 0; top = 10; E: at A > top: A = 0;")
    plan = [Segment(0.0, 5.0), Segment(5.0, 9.0, parameters={"top": 6.0})]
    assert network.simulate([0.0, 5.0, 9.0], segments=plan)["A"][0] == pytest.approx([0.0, 5.0, 3.0], abs=1e-6)


def test_no_steady_state_is_certified_with_events() -> None:
    """An event could come later."""
    with pytest.raises(ParameterError, match="events"):
        _network("A -> ; A; A = 1; E: at time > 100: A = 5;").steady_state()


def test_totals_that_events_break_are_not_conserved() -> None:
    """A is refilled from nowhere; C and D still exchange."""
    network = _network("A -> B; A; B -> A; B; C -> D; C; A = 1; B = 0; C = 1; D = 0; E: at time > 1: A = 9;")
    assert [law.name for law in network.laws] == ["C + D"]


def test_events_are_kept_in_the_model_and_pickle() -> None:
    """The intermediate form holds them; the network travels to other processes."""
    body = "x = 1; A -> ; A; A = 2; low: at A < 1, t0=false, persistent=false: x = A, A = 2*x;"
    model = read_sbml(antimony_to_sbml(f"model m; {body} end"))
    [event] = model.events
    assert (event.id, event.initial, event.persistent, event.at_trigger) == ("low", False, False, True)
    assert model.text(event.trigger) == "(A < 1)"
    assert {a.symbol: model.text(a.expression) for a in event.assignments} == {"x": "A", "A": "(x * 2)"}
    network = compile_network(model)
    copy = pickle.loads(pickle.dumps(network))
    assert copy.simulate([0, 1.0, 2.0]).values.tobytes() == network.simulate([0, 1.0, 2.0]).values.tobytes()


def test_events_of_level_2_never_fire_at_the_start() -> None:
    """Level 2 knows no initial value: a trigger that is true at time 0 was true before."""
    math = '<math xmlns="http://www.w3.org/1998/Math/MathML">{}</math>'
    text = (
        '<sbml xmlns="http://www.sbml.org/sbml/level2/version4" level="2" version="4"><model id="m">'
        '<listOfParameters><parameter id="x" value="1" constant="false"/></listOfParameters><listOfEvents><event>'
        f"<trigger>{math.format('<true/>')}</trigger><listOfEventAssignments><eventAssignment variable='x'>"
        f"{math.format('<cn> 5 </cn>')}</eventAssignment></listOfEventAssignments></event></listOfEvents>"
        "</model></sbml>"
    )
    assert compile_network(text).simulate([0.0, 1.0])["x"].tolist() == [[1.0, 1.0]]


def test_conversion_factors() -> None:
    """Extents become amounts by the factor of the species, else of the model."""
    body = "A -> B; k; A = 9; B = 0; k = 1; f = 2; g = 3;"
    text = _edited(
        body,
        ('<species id="B"', '<species id="B" conversionFactor="g"'),
        ("<model", '<model conversionFactor="f"'),
    )
    network = compile_network(text)
    assert network.simulate([0.0, 2.0], outputs=["A", "B"]).values[0, 1] == pytest.approx([5.0, 6.0])
    assert network.laws == ()
    alone = compile_network(text.replace('conversionFactor="g"', ""))
    assert [law.name for law in alone.laws] == ["A + B"]


def test_named_stoichiometries_and_factorials_in_formulas() -> None:
    """A stoichiometry that does not change is a number; a factorial of a number too."""
    body = "J: A -> ; k*factorial(4); A = 100; k = 1;"
    text = _edited(body, ('<speciesReference species="A"', '<speciesReference id="s" species="A"'))
    text = text.replace("<ci> k </ci>", "<ci> s </ci>")
    assert compile_network(text).simulate([0.0, 1.0])["A"][0, 1] == pytest.approx(76.0)


def test_level_1_is_lifted() -> None:
    """Sizes default to 1; rules and rates mean what they meant."""
    text = (
        '<sbml xmlns="http://www.sbml.org/sbml/level1" level="1" version="2"><model name="m"><listOfCompartments>'
        '<compartment name="c"/></listOfCompartments><listOfSpecies><species name="A" compartment="c" '
        'initialAmount="2"/></listOfSpecies><listOfParameters><parameter name="k" value="3"/></listOfParameters>'
        '<listOfReactions><reaction name="J" reversible="false"><listOfReactants><speciesReference species="A"/>'
        '</listOfReactants><kineticLaw formula="k*A"/></reaction></listOfReactions></model></sbml>'
    )
    assert compile_network(text).simulate([0.0, 1.0], rtol=1e-9)["A"][0, 1] == pytest.approx(2 * np.exp(-3), rel=1e-6)


def test_results_name_their_method_and_its_works() -> None:
    """Everything that was used can be cited."""
    result = _network("A -> ; A; A = 1;").simulate([0.0, 1.0])
    assert result.method
    works = result.cite()
    assert works
    assert all(work.doi.startswith("10.") and f"{{{work.key}," in work.bibtex for work in works)
