"""The gel of a run shows what its table says, band against band."""

from __future__ import annotations

import pandas as pd
import pytest

from haptos.assays.registry import ASSAYS
from haptos.lab.experiments import parse_experiment
from haptos.lab.plan import plan_experiment
from haptos.lab.record import evaluate
from haptos.lab.run import Bench
from haptos.lab.simulator import CellSimulator
from haptos.signalling.condition import Population
from haptos.store.runs import RunStore

TEXT = """
haptos: 1
cells: lung_carcinoma
arms:
  vector: []
  ILK: [{overexpress: ILK}]
assay: {name: zymography, duration: 24 h}
replicates: {biological: 2}
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    simulator = CellSimulator()
    experiment = parse_experiment(TEXT).experiment
    plan = plan_experiment(experiment, simulator, members=1)
    outcomes = {
        task.key: simulator.simulate_batch(
            [plan.conditions[task.condition]], [Population(task.member, task.replicate)], seed=task.seed
        )[0][0]
        for task in plan.tasks
    }
    return plan, evaluate(plan, outcomes, Bench(RunStore(tmp_path_factory.mktemp("runs")), 1))


def test_the_active_band_is_the_fainter_one_as_in_the_table(results):
    plan, found = results
    pictures = found.pictures
    assert pictures
    table = found.readings.measured
    assay = ASSAYS["zymography"]
    for (replicate, technical), gels in pictures.items():
        shown = assay.densitometry(gels[0], plan.experiment.assay)
        for lane, arm in zip(shown, plan.experiment.arms, strict=True):
            band = {v.measure: float(v.value) for v in lane}
            rows = table[(table.replicate == replicate) & (table.technical == technical) & (table.arm == arm)]
            told = pd.Series(rows.value.to_numpy(), index=rows.measure)
            assert band["active"] / band["pro"] == pytest.approx(told["active"] / told["pro"], rel=0.25)
