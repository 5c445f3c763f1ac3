"""The whole network against libRoadRunner: many cells, many parameter vectors, doses.

Each context is the first cell of one repertoire of integrins. Cells lie for a day in their
normal culture and for a day on fibronectin with doses in the medium. Everything is compared:
all species at all times, within `TOLERANCE` of the largest value the species reaches.
"""

from __future__ import annotations

from functools import cache, lru_cache

import libsbml
import numpy as np
import pytest

from haptos.conditions.experiment import Culture
from haptos.inference.prior import Prior
from haptos.numerics.engine import EngineSolver
from haptos.signalling.actions import surroundings_of
from haptos.signalling.building.parameters import load_parameters
from haptos.signalling.cell import RTOL
from haptos.signalling.cells import cell_line
from haptos.signalling.ensemble import members
from haptos.signalling.model import composed_sbml, model
from haptos.signalling.network import Segment
from unit.signalling.repertoires import cells_by_repertoire, repertoire_of

roadrunner = pytest.importorskip("roadrunner")
roadrunner.Logger.setLevel(roadrunner.Logger.LOG_FATAL)

DAY = 1440.0
AFTER = np.array([0.0, 5.0, 15.0, 60.0, 240.0, DAY])
TOLERANCE = 1e-5
#: Far below one molecule in a cell [nM].
NOTHING = 1e-9
COMPARTMENTS = ("cytoplasm", "nucleus", "medium")
#: What the contexts get in turn, as concentrations in the medium [nM].
DOSES = (
    {"TNF": 0.2, "doxycycline": 4e4},
    {"EGF": 1.6},
    {"CXCL12": 10.0, "BAY_11_7082": 1e3},
    {"FN1": 22.0, "anti_MMP9": 20.0},
    {"HGF": 0.5, "TNF": 0.5, "EGF": 0.8},
)
CELLS = tuple(cells_by_repertoire().values())
FEW = ("lung_carcinoma", "fibroblast", "platelet")


@cache
def vectors():
    """Return 64 vectors: up to 32 of the shipped ensemble, the rest from the prior."""
    return np.concatenate([members()[:32], Prior.of_table().sample(64, seed=7)])[:64]


def settings_of(cell, rows):
    """Return the parameters before and after the change of culture, each shape (B,) or a number."""
    compiled = model(repertoire_of(cell))
    table = {k: v for k, v in zip(load_parameters(), rows.T, strict=True) if k in compiled.offered}
    line = cell_line(cell)
    volumes = {c: float(getattr(line.volumes, c).value) for c in COMPARTMENTS[:2]} | {"medium": 2e6}
    own = {k: v for k, v in line.settings().items() if k in compiled.offered}
    home, plated = (
        {k: v for k, v in surroundings_of(c).items() if k in compiled.offered}
        for c in (line.normal or Culture(), Culture(coating="FN1", serum="1 %"))
    )
    return {**table, **volumes, **own, **home}, plated


def ours(cell, rows, doses, rtol):
    """Return all species, shape (B, n_times, n_species)."""
    before, after = settings_of(cell, rows)
    network = model(repertoire_of(cell)).network
    plan = [Segment(-DAY, 0.0, parameters=before), Segment(0.0, DAY, parameters=before | after, set=doses)]
    result = network.simulate(
        AFTER,
        parameters=before,
        segments=plan,
        outputs=network.states,
        rtol=rtol,
        solver=EngineSolver("Rodas5P"),
    )
    assert result.status.tolist() == [0] * len(rows)
    return result.values


def theirs(cell, rows, doses):
    """Return the same of libRoadRunner, one vector after the other."""
    before, after = settings_of(cell, rows)
    return np.array([course(runner_of(cell), pick(before, b), after, doses) for b in range(len(rows))])


@lru_cache(maxsize=4)
def runner_of(cell):
    """Return the loaded model; sizes are written into it, since setting one compiles it again."""
    document = libsbml.readSBMLFromString(composed_sbml(repertoire_of(cell)))
    for name in COMPARTMENTS:
        document.getModel().getCompartment(name).setSize(float(settings_of(cell, vectors()[:1])[0][name]))
    runner = roadrunner.RoadRunner(libsbml.writeSBMLToString(document))
    for name, value in {"relative_tolerance": 1e-10, "absolute_tolerance": 1e-14, "maximum_num_steps": 500_000}.items():
        runner.integrator.setValue(name, value)
    runner.timeCourseSelections = ["time", *[f"[{s}]" for s in model(repertoire_of(cell)).network.states]]
    return runner


def pick(values, row):
    return {name: float(value if np.ndim(value) == 0 else value[row]) for name, value in values.items()}


def course(runner, before, after, doses):
    runner.resetToOrigin()
    put(runner, before)
    runner.reset()
    assert {name: runner[name] for name in before} == before
    runner.simulate(-DAY, 0.0, 2)
    put(runner, after)
    for name, value in doses.items():
        runner[f"[{name}]"] = value
    return np.array(runner.simulate(times=AFTER.tolist()))[:, 1:]


def put(runner, values):
    ids = runner.model.getGlobalParameterIds()
    place = {name: i for i, name in enumerate(ids)}
    chosen = [name for name in values if name not in COMPARTMENTS]
    runner.model.setGlobalParameterValues([place[n] for n in chosen], [values[n] for n in chosen])


def disagreement(cell, rows, rtol=1e-9):
    """Return by how much every species differs, in units of its maximum, shape (B, n_species)."""
    doses = DOSES[CELLS.index(cell) % len(DOSES)]
    reference = theirs(cell, rows, doses)
    scale = np.maximum(np.abs(reference).max(axis=1), NOTHING)
    return np.abs(ours(cell, rows, doses, rtol) - reference).max(axis=1) / scale


def worst(cell, found):
    names = np.array(model(repertoire_of(cell)).network.states)
    return {str(names[s]): float(found[:, s].max()) for s in np.flatnonzero(found.max(axis=0) > TOLERANCE)}


@pytest.mark.parametrize("cell", FEW)
def test_agrees_with_roadrunner(cell):
    assert worst(cell, disagreement(cell, vectors()[[0, -1]])) == {}


def test_the_comparison_can_fail():
    """A rate constant that is one percent off is found."""
    rows = vectors()[[0]].copy()
    doses = DOSES[0]
    reference = theirs("lung_carcinoma", rows, doses)
    rows[:, list(load_parameters()).index("kact_IKK_ILK")] *= 1.01
    found = np.abs(ours("lung_carcinoma", rows, doses, 1e-9) - reference).max(axis=1)
    assert (found / np.maximum(reference.max(axis=1), NOTHING)).max() > 10 * TOLERANCE


def test_the_tolerance_of_experiments_is_what_it_is_said_to_be():
    assert disagreement("lung_carcinoma", vectors()[[0, -1]], rtol=RTOL).max() < 10 * RTOL


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("cell", CELLS[:20])
def test_agrees_with_roadrunner_everywhere(cell):
    assert worst(cell, disagreement(cell, vectors())) == {}
