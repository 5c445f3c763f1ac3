"""The composed model against libRoadRunner, and what must hold whatever the parameters."""

from __future__ import annotations

import numpy as np
import pytest
import roadrunner
from hypothesis import given, settings
from hypothesis import strategies as st

from haptos.signalling.building.parameters import load_parameters, prior_sample
from haptos.signalling.model import composed_sbml, model
from haptos.signalling.network import Segment

roadrunner.Logger.setLevel(roadrunner.Logger.LOG_FATAL)
TIMES = np.linspace(0.0, 1440.0, 13)
ARMS = (
    {},
    {"expression__ILK": 5.0},
    {"expression__ILK": 5.0, "silencing__RELA": 5.7},
    {"expression__PTEN": 0.0},
    {"constitutive__IKBKB": 40.0, "medium": 1e6},
    {"transgene__NFKBIA": 4.0, "ligation": 0.001, "growth_factor": 0.1},
)


def vectors(n):
    names = [name for name in load_parameters() if name in model().offered]
    columns = [list(load_parameters()).index(name) for name in names]
    return [dict(zip(names, row[columns], strict=True)) for row in prior_sample(n, seed=7)]


def in_roadrunner(values, doses):
    runner = roadrunner.RoadRunner(composed_sbml())
    runner.integrator.setValue("relative_tolerance", 1e-10)
    runner.integrator.setValue("absolute_tolerance", 1e-14)
    runner.integrator.setValue("maximum_num_steps", 200_000)
    for name, value in values.items():
        runner[f"init({name})" if name in ("cytoplasm", "nucleus", "medium") else name] = value
    runner.reset()
    for name, value in doses.items():
        runner[f"[{name}]"] = value
    runner.timeCourseSelections = ["time", *[f"[{s}]" for s in model().network.states]]
    return np.array(runner.simulate(0.0, TIMES[-1], len(TIMES)))[:, 1:]


@pytest.mark.parametrize("number", range(len(ARMS)))
def test_agrees_with_roadrunner(number):
    values = {**vectors(8)[number], **ARMS[number]}
    values = {k: v for k, v in values.items() if k not in ("cytoplasm", "nucleus", "medium")}
    doses = {"TNF": 0.2, "doxycycline": 4e4, "BAY_11_7082": 1e3, "anti_MMP9": 20.0}
    network = model().network
    ours = network.simulate(
        TIMES,
        parameters=values,
        segments=[Segment(0.0, TIMES[-1], parameters=values, set=doses)],
        outputs=network.states,
        rtol=1e-9,
    )
    assert ours.status.tolist() == [0]
    theirs = in_roadrunner(values, doses)
    scale = np.abs(theirs).max(axis=0)
    close = np.abs(ours.values[0] - theirs) <= 1e-5 * np.abs(theirs) + 1e-8 * scale + 1e-12
    assert close.all(), [network.states[i] for i in np.flatnonzero(~close.all(axis=0))]


@settings(max_examples=12)
@given(st.integers(0, 63), st.sampled_from(ARMS))
def test_totals_are_conserved_and_nothing_is_negative(row, arm):
    network = model().network
    values = {**vectors(64)[row], **arm}
    result = network.simulate(TIMES, parameters=values, outputs=network.states, initial={"TNF": 0.2})
    assert result.status.tolist() == [0]
    course = result.values[0]
    assert course.min() >= 0.0
    volumes = {c: values.get(c, d) for c, d in zip(network.parameters, network.defaults, strict=True)}
    place = network.places
    for law in network.laws:
        weights = np.array([k * volumes[place[s]] for s, k in zip(law.species, law.coefficients, strict=True)])
        total = course[:, [network.states.index(s) for s in law.species]] @ weights
        assert total == pytest.approx(total[0], rel=1e-6), law.name


def test_the_conserved_totals_are_those_of_the_biology():
    names = {frozenset(law.species) for law in model().network.laws}
    for pool in (
        {"TNFRSF1A", "TNF_TNFRSF1A"},
        {"NFKBIA_gene_off", "NFKBIA_gene_on"},
        {"MMP9_gene", "MMP9_gene_NFKB", "MMP9_gene_AP1", "MMP9_gene_NFKB_AP1"},
        {"GSK3B", "GSK3B_pS9"},
        {"RAC1_GDP", "RAC1_GTP"},
    ):
        assert frozenset(pool) in names
