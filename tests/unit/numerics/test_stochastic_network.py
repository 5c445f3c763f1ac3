"""Sampling a network: molecules, directions, refusals by name, segments, events, streams."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from haptos.core.units import AVOGADRO
from haptos.errors import ModelError, ParameterError, Status
from haptos.signalling._jumps import build_jumps, molecules_per_unit
from haptos.signalling.network import SampleSettings, Segment, compile_network
from haptos.signalling.sbml import antimony_to_sbml, read_sbml

ITEMS = SampleSettings(molecules_per_unit=1.0)
UNITS = "unit substance = 1e-24 mole; unit extent = 1e-24 mole; unit volume = 1e-15 litre; unit time_unit = 60 second;"


def network(body):
    return compile_network(antimony_to_sbml(f"model tested; {body} end"))


def jumps(body, **options):
    return build_jumps(read_sbml(antimony_to_sbml(f"model tested; {body} end")), 1.0, **options).system


def test_units_of_substance():
    assert molecules_per_unit("mole") == AVOGADRO
    assert molecules_per_unit("1e-09 mole") == pytest.approx(1e-9 * AVOGADRO)
    assert molecules_per_unit("count") == 1.0
    assert molecules_per_unit("12 count") == 12.0
    assert molecules_per_unit("kilogram") is None
    assert molecules_per_unit("(mole) * (metre)") is None


def test_concentrations_become_molecules_through_their_own_compartment():
    model = network(
        f"{UNITS} compartment cell = 2000, nucleus = 500; species A in cell, N in nucleus; A = 3; N = 3; "
        "imp: A -> N; 0*A; ratio := N/A;"
    )
    result = model.sample([0.0], seed=1, outputs=["A", "ratio"])
    assert result["A"][0, 0] == round(3 * 2000 * 0.602214076)
    assert result["N"][0, 0] == round(3 * 500 * 0.602214076)
    assert result.concentration("A")[0, 0] == pytest.approx(3.0, rel=1e-3)
    assert result.values[0, 0, 1] == pytest.approx(1.0, rel=1e-2)
    wide = model.sample([0.0], seed=1, parameters={"cell": [2000.0, 20.0]})
    assert wide["A"][:, 0].tolist() == [3613, 36]


def test_bimolecular_rate_and_flux_are_right_in_molecules():
    """Propensities are N_A times the deterministic flux, whatever the compartments."""
    body = (
        f"{UNITS} compartment cell = 40, nucleus = 10; species A in cell, B in cell, N in nucleus; "
        "m = 40*0.602214076; A = 217/m; B = 120/m; N = 12/(m/4); "
        "r1: A + B => ; cell*0.01*A*B; r2: A => N; nucleus*0.3*A; r3: N => ; nucleus*0.2*N;"
    )
    model = network(body)
    result = model.sample([0.05], seed=2, replicates=3000)
    expected = model.simulate([0.05], rtol=1e-10)
    for name in ("A", "B", "N"):
        draws = result.concentration(name)[:, 0]
        assert abs(draws.mean() - expected[name][0, 0]) < 5 * draws.std() / np.sqrt(3000) + 2e-4


def test_undeclared_units_are_refused_and_can_be_given():
    model = network("A => ; k*A; A = 10; k = 1;")
    with pytest.raises(ModelError, match="molecules_per_unit"):
        model.sample([1.0], seed=1)
    assert model.sample([0.0], seed=1, settings=SampleSettings(molecules_per_unit=2.5))["A"][0, 0] == 25
    with pytest.raises(ModelError, match="positive number"):
        model.sample([1.0], seed=1, settings=SampleSettings(molecules_per_unit=0.0))
    with pytest.raises(ModelError, match="kilogram"):
        network("unit substance = kilogram; unit extent = kilogram; A => ; A; A = 1;").sample([1.0], seed=1)


@pytest.mark.parametrize(
    ("law", "names"),
    [
        ("A + B -> C; f*A*B - r*C", ["r (backward)"]),
        ("A + B -> C; V*(f*A*B - r*C)", ["r (backward)"]),
        ("A -> C; (f*A - r*C)/(1 + A/2 + C/3)", ["r (backward)"]),
        ("-> C; f - r*C", ["r (backward)"]),
        ("A -> 2 A; f*A - r*A^2", ["r (backward)"]),
        ("A => C; f*A*(1 - B/100)", []),
        ("A -> C; f*A/(1 + B^2)", []),
        ("2 A -> C; f*A^2", []),
    ],
)
def test_directions(law, names):
    system = jumps(f"r1: {law}; A = 1; B = 1; C = 1; f = 1; r = 1; V = 2;")
    assert list(system.names) == ["r1", *(n.replace("r ", "r1 ") for n in names)]


@pytest.mark.parametrize(
    "law",
    ["A -> C; f*A*(1 - B)", "A -> ; f*A*(1 - B)", "A -> C; f*A - r", "2 A -> C; f*A*(A - 1)", "2 A -> 3 A; f*A*(A - 1)",
     "A -> C; f*ln(A)"],
)  # fmt: skip
def test_laws_that_may_be_negative_are_refused_by_name(law):
    with pytest.raises(ModelError, match=r"'r1'.*not the difference"):
        jumps(f"r1: {law}; A = 1; B = 1; C = 1; f = 1; r = 1;")


def test_pairs_and_literal_laws():
    """k A^2 of 2 A -> counts pairs; with combinatorial off, or for A -> , it is taken as written."""
    pairs = jumps("r1: 2 A => ; k*A^2; A = 1; k = 1;")
    assert pairs.factors[0, :2].tolist() == [[0, 0], [0, 1]]
    for text, options in (("2 A => ; k*A^2", {"combinatorial": False}), ("A => ; k*A^2", {})):
        literal = jumps(f"r1: {text}; A = 1; k = 1;", **options)
        assert literal.factors[0, :2].tolist() == [[0, 0], [0, 0]]
    both = jumps("r1: 2 A -> B; k*A^2 + m*A^2*B - u*B; A = 1; B = 1; k = 1; m = 1; u = 1;")
    result = network("r1: 2 A => B; k*A^2 + m*A^2*B; A = 1; B = 5; k = 1; m = 1;").sample([9.0], seed=1, settings=ITEMS)
    assert result["A"][0, 0] == 1
    assert both.n_jumps == 2


def test_everything_that_cannot_be_sampled_is_named():
    body = (
        "x = 1; x' = 0.1; A => 1.5 B; k*A; species A = 1, B = 0; k = 1; compartment c = 1; species D in c; "
        "D = 1; at time > 3: c = 2;"
    )
    with pytest.raises(ModelError) as fault:
        jumps(body)
    for word in ("rate rule of 'x'", "1.5 of 'B'", "compartment 'c'"):
        assert word in str(fault.value)
    with pytest.raises(ModelError, match="depends on time"):
        jumps("r1: => A; k*(1 + sin(time)); A = 1; k = 1;")


def test_amounts_stay_whole_numbers_in_laws_and_triggers():
    """Species meant as amounts in a compartment of size 3: n/3*3 would not be n."""
    text = antimony_to_sbml(
        "model tested; compartment c = 3; substanceOnly species P in c, D in c; P = 40; D = 0; k = 1; "
        "r1: 2 P => D; k*P*(P - 1)/2; at D > 17: P = 40, D = 0; end"
    )
    model = compile_network(text)
    system = build_jumps(model.source, 1.0).system
    assert system.factors[0, :2].tolist() == [[0, 0], [0, 1]]
    result = model.sample(np.linspace(0, 2, 300), seed=1, replicates=20, settings=ITEMS)
    assert result["D"].max() == 17
    assert set(np.unique(result["P"] + 2 * result["D"])) == {40}


def test_events_change_parameters_and_counts():
    model = network("=> X; k; X => ; X; X = 0; k = 0; at time >= 2: k = 1000, X = 50; at X > 800: X = 0, k = 0;")
    result = model.sample([1.9, 2.0, 2.1, 30.0], seed=1, replicates=5, settings=ITEMS, outputs=["k"])
    assert (result["X"][:, :2] == [0, 50]).all()
    assert (result["k"][:, :2] == [0.0, 1000.0]).all()
    assert (result["X"][:, 3] == 0).all()


def test_segments_dose_dilute_and_switch():
    model = network("X => ; k*X; X = 10; k = 0;")
    plan = [
        Segment(0.0, 1.0),
        Segment(1.0, 2.0, add={"X": [5.0, 0.0]}),
        Segment(2.0, 3.0, multiply={"X": 0.5}),
        Segment(3.0, 99.0, parameters={"k": 1.0}),
        Segment(99.0, 99.0, set={"X": 3.2}),
    ]
    result = model.sample([0.0, 1.0, 2.0, 98.0, 99.0], seed=1, segments=plan, settings=ITEMS)
    assert result["X"].tolist() == [[10, 15, 8, 0, 3], [10, 10, 5, 0, 3]]
    changed = [Segment(0.0, 1.0), Segment(1.0, 2.0, parameters={"default_compartment": 2.0})]
    with pytest.raises(ParameterError, match="size of a compartment"):
        model.sample([2.0], seed=1, segments=changed, settings=ITEMS)


def test_streams_are_named_by_entity_and_replicate():
    model = pickle.loads(pickle.dumps(network("=> X; k; X => ; X; X = 0; k = 50;")))
    k = np.array([40.0, 50.0, 60.0])
    whole = model.sample([1.0, 2.0], seed=7, replicates=3, parameters={"k": k}, settings=ITEMS)
    named = SampleSettings(molecules_per_unit=1.0, entities=[2, 0], threads=2)
    part = model.sample([1.0, 2.0], seed=7, replicates=3, parameters={"k": k[[2, 0]]}, settings=named)
    np.testing.assert_array_equal(part.counts, whole.counts[[6, 7, 8, 0, 1, 2]])
    assert part.member.tolist() == [0, 0, 0, 1, 1, 1]
    assert part.replicate.tolist() == [0, 1, 2, 0, 1, 2]
    assert len({tuple(row) for row in whole.counts[:, :, 0].tolist()}) == 9
    twice = SampleSettings(molecules_per_unit=1.0, entities=[1, 1, 2])
    with pytest.raises(ParameterError, match="differently"):
        model.sample([1.0], seed=7, parameters={"k": k}, settings=twice)


def test_failures_spare_the_others_and_explain_themselves():
    model = network("X => ; k; X = 3; k = 1;")
    result = model.sample([50.0], seed=1, parameters={"k": [1.0, 0.0]}, settings=ITEMS)
    assert result.status.tolist() == [Status.NEGATIVE, Status.OK]
    assert result["X"].tolist() == [[-1], [3]]
    assert "more molecules than there were" in result.explanation(0)
    assert result.ok.tolist() == [False, True]
    assert len(result.to_dataframe()) == 1
    assert result.to_xarray()["X"].dims == ("run", "time")
    with pytest.raises(ParameterError, match="did you mean X"):
        result["x"]
