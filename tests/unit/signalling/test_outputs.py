"""Modules that only read: nothing depends on them, and what they read moves as its kinase or factor does."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pytest
from pydantic import TypeAdapter

from haptos.assays.masses import protein_of
from haptos.conditions.experiment import Culture
from haptos.conditions.interventions import AnyIntervention
from haptos.evidence.library import load_library
from haptos.lab.plan import condition_of, registered_assays
from haptos.lab.trials import experiment_of, missing_part
from haptos.signalling.building.modules import OUTPUTS, load_module, module_names
from haptos.signalling.building.parameters import free_parameters, load_parameters, load_table
from haptos.signalling.cell import expressibility, simulate_vectors
from haptos.signalling.cells import cell_lines
from haptos.signalling.condition import Condition
from haptos.signalling.ensemble import LIMIT, members
from haptos.signalling.model import model
from haptos.signalling.schedule import parts_needed

ARM = TypeAdapter(tuple[AnyIntervention, ...])
TIMES = (0.0, 30.0, 120.0, 720.0)
READ = tuple(
    rule for name in OUTPUTS for rule in load_module(name).rules if re.match(r"[a-z]\w*?__", rule)
)  # what assays may read


def own_names(name):
    """Return the species and rules of a module."""
    module = load_module(name)
    return {*re.findall(r"\b(\w+) in (?:cytoplasm|nucleus|medium)\b", module.body), *module.rules}


@pytest.mark.parametrize("name", OUTPUTS)
def test_nothing_depends_on_a_module_that_only_reads(name):
    module, own = load_module(name), own_names(name)
    assert module.added == ()
    sides = re.findall(r"^\s*\w+\s*:(?!=)([^;]*);", module.body, re.MULTILINE)
    changed = {word for side in sides for word in re.findall(r"[A-Za-z]\w*", side)}
    assert changed <= own
    others = " ".join(re.sub(r"//.*", "", load_module(other).body) for other in module_names() if other != name)
    others += " ".join(term for other in module_names() for _, term in load_module(other).added)
    assert own & set(re.findall(r"[A-Za-z]\w*", others)) == set()


def test_claims_of_the_library_load_them_only_to_read_them():
    """What is done to cells, or what they stand on, brings none of them by the way."""
    assays = registered_assays()
    claims = [c for c in load_library().claims() if c.trial is not None and missing_part(c.trial, assays) is None]
    known = [c for c in claims if c.trial.cells in cell_lines()]
    assert len(known) > 250
    for claim in known:
        experiment = experiment_of(claim.trial, assays)
        for label in experiment.arms:
            condition = condition_of(experiment, label, assays[experiment.assay.name])
            guests = parts_needed(condition) & set(OUTPUTS)
            assert not guests or set(READ) & set(condition.quantities), claim.id


def test_their_parameters_are_not_calibrated_but_vary_over_the_ensemble():
    own = {name: p for module in OUTPUTS for name, p in load_table(module).items()}
    assert set(own) & set(free_parameters()) == set()
    order = list(load_parameters())
    for name, p in own.items():
        deviations = np.log(members()[:, order.index(name)] / p.value)
        assert np.all(np.abs(deviations) <= LIMIT * p.spread + 1e-9)
        assert (np.ptp(deviations) > 0) == (p.spread > 0)


def test_every_site_has_a_total_and_every_place_its_complement():
    offered = model(frozenset(OUTPUTS)).quantities
    for name in READ:
        measure, _, entity = name.partition("__")
        if measure == "phosphorylation":
            assert f"level__{protein_of(entity)}" in offered
        if measure == "nuclear":
            assert f"cytoplasmic__{entity}" in offered


@cache
def course(*steps, cells="fibroblast", serum="0 %"):
    arm = ARM.validate_python([dict(step) for step in steps])
    culture = Culture.model_validate({"serum": serum, "coating": "FN1"})
    condition = Condition(cells=cells, culture=culture, interventions=arm, times=TIMES, quantities=READ)
    outcome = simulate_vectors([condition], np.array([[p.value for p in load_parameters().values()]]))[0]
    assert outcome.status.tolist() == [0]
    return {name: values[0] for name, values in outcome.quantities.items()}


def done(**step):
    return tuple(step.items())


@pytest.mark.parametrize(
    ("step", "rises"),
    [
        (done(add="PDGFB"), ("phosphorylation__RPS6KA1", "phosphorylation__PLCG1", "phosphorylation__FOXO3")),
        (done(add="PDGFB"), ("mrna__EGR1", "mrna__SPRY2", "luciferase__SRE_reporter", "nuclear__FOS")),
        (done(add="TNF"), ("phosphorylation__MAPKAPK2", "mrna__VCAM1", "mrna__PTGS2", "mrna__TNF")),
        (done(treat="etoposide"), ("phosphorylation__H2AX", "mrna__MDM2", "luciferase__TP53")),
        (done(treat="PMA"), ("phosphorylation__MARCKS",)),
        (done(add="IL6"), ("phosphorylation__STAT3",)),
    ],
)
def test_what_is_read_rises_with_what_drives_it(step, rises):
    rest, moved = course(), course(step)
    for name in rises:
        assert moved[name].max() > 1.5 * rest[name][0], name


@pytest.mark.parametrize(
    ("inhibitor", "falls"),
    [
        ("SCH772984", "phosphorylation__RPS6KA1"),
        ("MK-2206", "phosphorylation__AKT1S1"),
        ("rapamycin", "phosphorylation__RPS6"),
        ("Y-27632", "phosphorylation__PPP1R12A"),
        ("Y-27632", "at_adhesions__PXN"),
    ],
)
def test_what_is_read_falls_with_an_inhibitor(inhibitor, falls):
    with_serum, without = course(serum="10 %"), course(done(treat=inhibitor), serum="10 %")
    assert without[falls][1] < 0.85 * with_serum[falls][1]


def test_cleaved_parp_comes_with_death_and_an_antibody_against_fas_prevents_it():
    own = {"cells": "lymphoid_cell", "serum": "10 %"}
    rest, agonist = course(**own), course(done(add="anti-FAS"), **own)
    blocked = course((("neutralise", "FAS"), ("at", "-1 h")), done(add="anti-FAS"), **own)
    cleaved = [found["level__PARP1_fragment"][3] for found in (rest, blocked, agonist)]
    assert cleaved[2] > 1.5 * cleaved[1] > 1.2 * cleaved[0]


def test_an_mrna_rises_before_its_protein_and_is_gone_without_transcription():
    rest, moved = course(), course(done(add="TNF"))
    assert moved["mrna__VCAM1"][2] > 2 * rest["mrna__VCAM1"][2]
    assert moved["level__VCAM1"][1] < 0.2 * moved["level__VCAM1"][3]
    stopped = course(done(block="transcription"))
    assert stopped["mrna__MYC"][2] < 0.2 * rest["mrna__MYC"][2]


def test_what_cannot_be_read_is_answered_with_what_can():
    culture = Culture.model_validate({"serum": "0 %"})
    condition = Condition(
        cells="fibroblast", culture=culture, interventions=(), times=TIMES, quantities=("surface__RPS6KA1",)
    )
    (reason,) = expressibility(condition)
    assert reason.endswith("no surface of RPS6KA1; what can be read of it: level, phosphorylation, activity")
