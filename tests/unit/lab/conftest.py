"""A small made-up simulator: protein levels follow the interventions, everything is a pure function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from haptos.conditions.interventions import Inhibit, Knockdown, Overexpress, SetExpression, Treat
from haptos.errors import Status
from haptos.lab.experiments import ExperimentFile, parse_experiment
from haptos.lab.run import Bench, run_experiment
from haptos.numerics import philox_stream
from haptos.signalling.condition import Condition, Outcome, Outcomes, Population
from haptos.store.runs import RunStore

EXPERIMENT = """\
title: made up
cells: lung_carcinoma
arms:
  vector: []
  ILK: [{overexpress: ILK, fold: 4}]
  both: [{overexpress: ILK, fold: 4}, {knockdown: RELA}]
assay: {name: qpcr, genes: [MMP9, ILK]}
replicates: {biological: 3, technical: 2}
compare:
  - {test: ILK, against: vector}
  - {test: both, against: ILK}
"""


@dataclass
class FakeCells:
    """MMP9 rises with ILK and falls with RELA; member `failing` of arms with RELA siRNA does not finish."""

    size: int = 5
    failing: tuple[int | None, ...] = ()
    name: str = "fake-1"
    stop_after: int | None = None
    calls: list[tuple[str, int | None, int | None]] = field(default_factory=list)

    def expressibility(self, condition: Condition) -> list[str]:
        known = {"lung_carcinoma", "breast_carcinoma", *(cell.id for cell in condition.contexts)}
        reasons = [] if condition.cells in known else [f"no cell line file for {condition.cells}"]
        reasons += ["no way to inhibit"] * sum(isinstance(i, Inhibit) for i in condition.interventions)
        return reasons + [f"no {q}" for q in condition.quantities if q.endswith("CXCR4")]

    def ensemble_size(self) -> int:
        return self.size

    def fingerprint(self) -> str:
        return self.name

    def preculture(self, condition: Condition) -> str:
        return condition.cells

    def simulate_batch(
        self, conditions: Sequence[Condition], populations: Sequence[Population], *, seed: int
    ) -> list[Outcomes]:
        return [
            Outcomes.stacked([self.simulate(c, member=p.member, seed=seed, replicate=p.replicate) for p in populations])
            for c in conditions
        ]

    def simulate(self, condition: Condition, *, member: int | None, seed: int, replicate: int | None) -> Outcome:
        if self.stop_after is not None and len(self.calls) >= self.stop_after:
            raise KeyboardInterrupt
        self.calls.append((condition.cells, member, replicate))
        amounts = {"ILK": 1.0, "RELA": 1.0, "MMP9": 1.0}
        for step in condition.interventions:
            if isinstance(step, (Overexpress, SetExpression)):
                amounts[step.target] = amounts.get(step.target, 1.0) * step.fold.value
            elif isinstance(step, Knockdown):
                amounts[step.knockdown] = amounts.get(step.knockdown, 1.0) * step.remaining.value
            elif isinstance(step, Treat):
                amounts["RELA"] *= 0.2
        strength = 1.0 if member is None else 0.5 + 0.2 * member
        amounts["MMP9"] *= 1.0 + strength * (amounts["ILK"] - 1.0) * amounts["RELA"]
        if replicate is not None:
            for name in sorted(amounts):
                amounts[name] *= float(np.exp(0.1 * philox_stream(seed, "fake", replicate, name).normal()))
        ok = not (member in self.failing and amounts["RELA"] < 0.5 and replicate is None)
        ramp = np.linspace(0.5, 1.0, len(condition.times))
        quantities = {
            q: ramp * amounts.get(q.partition("__")[2], 1.0) * (1.0 if ok else np.nan) for q in condition.quantities
        }
        geometry = {"cell_volume": 2494.0, "nucleus_volume": 540.0, "nucleus_area": 80.0, "medium_volume": 2e6}
        return Outcome(quantities, geometry, Status.OK if ok else Status.MAX_STEPS)


@pytest.fixture
def cells() -> FakeCells:
    return FakeCells()


@pytest.fixture(scope="session")
def fake_cells() -> type[FakeCells]:
    return FakeCells


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the run folder of the experiment, computed without interruption."""
    bench = Bench(RunStore(tmp_path_factory.mktemp("whole")), simulator=FakeCells())
    return run_experiment(parse_experiment(EXPERIMENT, name="made_up.yaml").experiment, bench).folder


@pytest.fixture
def asked() -> ExperimentFile:
    return parse_experiment(EXPERIMENT, name="made_up.yaml")


@pytest.fixture
def parse() -> Callable[[str], ExperimentFile]:
    return lambda text: parse_experiment(text, name="made_up.yaml")


@pytest.fixture
def text() -> str:
    return EXPERIMENT


@pytest.fixture
def bench(tmp_path: Path, cells: FakeCells) -> Bench:
    return Bench(RunStore(tmp_path / "runs"), simulator=cells)
