"""Cuts of reactions and arrows, and the signs of influences."""

from __future__ import annotations

import numpy as np
import pytest

from haptos.conditions.interventions import Overexpress
from haptos.signalling._kinetic_model import KineticModel
from haptos.signalling.building.modules import library_text
from haptos.signalling.cell import simulate_vectors
from haptos.signalling.condition import Condition
from haptos.signalling.cuts import CUT, Arrows, cut_name, with_cuts
from haptos.signalling.ensemble import reference_vector
from haptos.signalling.influence import differences, signed_graph
from haptos.signalling.model import composition, model
from haptos.signalling.network import compile_network
from haptos.signalling.sbml import antimony_to_sbml, read_sbml
from haptos.signalling.schedule import model_of, parts_needed
from haptos.signalling.steps import inputs_of, readouts_of, steps_in

TEXT = """
model m
  {units}
  cytoplasm = 1; nucleus = 1; medium = 1;
  species A in cytoplasm, B in cytoplasm, E in cytoplasm, I in cytoplasm;
  A = 2; B = 0; E = 1; I = 3;
  const k = 1; k has per_nM_min; const kb = 1; kb has per_min; const half = 1; half has nM;
  act := 1 dimensionless * E; act has nM;
  share_free := half / (half + I); share_free has dimensionless;
  R: A -> B; cytoplasm * k * act * share_free * A;
  back: B -> A; cytoplasm * kb * B;
  bound := B * share_free; bound has nM;
  complex__B := bound; complex__B has nM;
end"""


@pytest.fixture(scope="module")
def kinetic() -> KineticModel:
    return read_sbml(antimony_to_sbml(TEXT.format(units=library_text("units.ant"))))


def test_what_acts_is_seen_through_shares_but_not_through_amounts(kinetic: KineticModel) -> None:
    arrows = Arrows(kinetic)
    found = {r.id: set(arrows.on(r)) for r in kinetic.reactions}
    assert found == {"R": {"act", "I"}, "back": set()}
    assert arrows.made_of("act") >= {"act", "E"}


def test_a_cut_takes_the_reaction_or_only_the_arrow(kinetic: KineticModel) -> None:
    plain, cut = compile_network(kinetic), compile_network(with_cuts(kinetic))
    time = [0.0, 0.5]

    def final(**changed: float) -> float:
        return float(cut.simulate(time, parameters={k: [v] for k, v in changed.items()})["B"][0, -1])

    assert final() == pytest.approx(float(plain.simulate(time)["B"][0, -1]), rel=1e-8)
    assert final(cut__R=0.0) == 0.0
    assert final(cut__R__of__act=0.0) == 0.0
    assert final(cut__R__of__I=0.0) == pytest.approx(
        float(plain.simulate(time, initial={"I": [0.0]})["B"][0, -1]), rel=1e-6
    )


def test_what_acts_on_a_readout_can_be_cut_there(kinetic: KineticModel) -> None:
    assert dict(Arrows(kinetic).readouts) == {"complex__B": ("bound", "B", "I")}
    cut = compile_network(with_cuts(kinetic))

    def ends(**changed: float) -> tuple[float, float]:
        found = cut.simulate([0.0, 0.5], parameters={k: [v] for k, v in changed.items()})
        return float(found["B"][0, -1]), float(found["complex__B"][0, -1])

    amount, bound = ends()
    assert bound == pytest.approx(amount / 4.0)  # three of four sites are taken
    assert ends(cut__complex__B__of__I=0.0) == pytest.approx((amount, amount))
    assert ends(cut__complex__B__of__B=0.0) == (amount, 0.0)
    assert ends(cut__complex__B__of__bound=0.0) == (amount, 0.0)


def _condition(**changes: object) -> Condition:
    data = {"cells": "lung_carcinoma", "culture": {}, "times": (0.0, 60.0), "quantities": ("mrna__MMP9",)}
    return Condition.model_validate({**data, **changes})


def test_a_condition_with_cuts_is_that_with_multipliers_of_zero() -> None:
    plain = _condition()
    name = cut_name("mmp9_transcription")
    vectors = np.repeat(reference_vector()[None], 2, axis=0)
    cut = simulate_vectors([_condition(cuts=(name,))], vectors[:1])[0].quantities["mrna__MMP9"]
    both = simulate_vectors([plain], vectors, changed={name: np.array([1.0, 0.0])})[0]
    assert cut[0, -1] == both.quantities["mrna__MMP9"][1, -1] == 0.0
    intact = simulate_vectors([plain], vectors[:1])[0].quantities["mrna__MMP9"]
    assert both.quantities["mrna__MMP9"][0] == pytest.approx(intact[0], rel=1e-4)
    assert not [p for p in both.parameters if p.startswith(CUT)]


def test_the_model_that_ships_has_no_cuts() -> None:
    assert not [p for p in model().network.parameters if p.startswith(CUT)]
    cuttable = model(parts_needed(_condition()), cuttable=True).network
    names = {p for p in cuttable.parameters if p.startswith(CUT)}
    steps = steps_in(_condition())
    expected = {cut_name(s.id) for s in steps.values()} | {cut_name(s.id, q) for s in steps.values() for q in s.acting}
    readouts = Arrows(model_of(_condition()).kinetic).readouts
    assert names == expected | {cut_name(readout, q) for readout, acting in readouts.items() for q in acting}
    assert all(cuttable.defaults[cuttable.parameters.index(p)] == 1.0 for p in names)


def test_reactions_are_told_with_equation_claims_and_sources() -> None:
    steps = steps_in(_condition())
    step = steps["mmp9_transcription"]
    assert step.equation == "∅ → MMP9_mRNA"
    assert step.claims
    assert all(address.startswith(("https://doi.org/", "http://identifiers.org/")) for address in step.addresses)
    assert cut_name("mmp9_transcription", next(iter(step.acting))) in inputs_of(_condition())


def test_rules_that_are_read_are_told_with_what_acts_on_them() -> None:
    condition = _condition(quantities=("activity__ROCK1", "mrna__MMP9"))
    rock, mrna = readouts_of(condition).values()
    assert {"act_ROCK1", "RHOA_GTP"} <= set(rock.acting)
    assert "RHOA_GTP" in rock.acting["act_ROCK1"]
    assert set(mrna.acting) == {"MMP9_mRNA"}


def test_no_claim_is_carried_by_what_an_experimenter_does() -> None:
    notes = composition().annotations
    done = ("_forced", "_transgene", "_mrna_decay")  # activation, expression and knock-down act on these
    assert {name: note.claims for name, note in notes.items() if note.claims and name.endswith(done)} == {}


def test_signs_follow_the_wiring() -> None:
    test = _condition(interventions=(Overexpress(overexpress="ILK"),))
    integrins, sources = differences(test, _condition())
    assert list(sources.values()) == [1]
    assert all("ILK" in name for name in sources)
    assert differences(_condition(), test)[1] == dict.fromkeys(sources, -1)
    assert differences(test, test)[1] == {}
    graph = signed_graph(integrins)
    assert ("MMP9_mRNA", 1) in graph.parts("mrna__MMP9")
    assert {sign for targets in graph.edges.values() for _, sign in targets} == {-1, 1}
    assert all(name in graph.edges for name in sources)
