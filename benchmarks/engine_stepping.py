"""Time one network per cell in a tissue loop: the engine's stepping mode beside libRoadRunner.

Usage::

    python benchmarks/engine_stepping.py FOLDER [--model H140] [--interval 6] [--out docs/benchmarks]

Every cell has its own parameters (log-normal, sigma 0.3). Two cases: nothing else changes, or
one parameter, the input, is drawn anew at every interval (log-normal factor, sigma 0.1), as
in a tissue. The engine advances all cells
interval by interval, step sizes carried over; libRoadRunner holds the state of one cell after
the other and calls ``oneStep``. Setting parameters is timed on neither side. The error is
that of :mod:`precision` at the ends of all intervals, for the first cells, against SciPy's
LSODA at rtol 1e-11. Processor times; the ratio compares at the error of libRoadRunner at
rtol 1e-6, interpolated. Writes ``stepping.csv``.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import time
from pathlib import Path

import numpy as np
from competitors import Job
from models import MODELS
from precision import error_of, time_at
from threads_and_overhead import job_of

from haptos.numerics import OdeSegment
from haptos.numerics.engine import EngineSolver, Stepper
from haptos.numerics.scipy_solver import ScipySolver

FEW = 16
OWN, PEER = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6), (1e-4, 1e-5, 1e-6, 1e-7)
ANCHOR = 1e-6
INPUTS = {"H140": "a7"}  # how readily IKK takes hold of its substrate
Array = np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class Plan:
    """Cells and what happens to them: their job, the interval, factors (intervals, cells) of one parameter."""

    job: Job
    interval: float
    input: str
    factors: Array

    def constants(self, base: Array, k: int) -> Array:
        """Return the parameters of all cells in an interval."""
        column = self.job.network.parameters.index(self.input)
        changed = base.copy()
        changed[:, column] *= self.factors[k, : len(base)]
        return changed


def exact(plan: Plan, rtol: float) -> Array:
    """Return the states of the first cells at the ends of all intervals."""
    task = plan.job.task(rtol, FEW)
    base, count = task.segments[0].parameters, len(plan.factors)
    ends = plan.interval * np.arange(count + 1)
    pieces = [OdeSegment(ends[k], ends[k + 1], plan.constants(base, k)) for k in range(count)]
    solution = ScipySolver().solve(dataclasses.replace(task, segments=pieces, times=ends[1:]))
    if np.any(solution.status):
        raise RuntimeError("no reference")
    return solution.states


def engine(plan: Plan, method: str, rtol: float) -> tuple[float, float, Array, int]:
    """Advance all cells: seconds per cell and interval of processor and clock, states, failures."""
    cells = len(plan.job.sets)
    task = plan.job.task(rtol, cells)
    base, now, sizes = task.segments[0].parameters, task.initial, np.zeros(cells)
    stepper = Stepper(plan.job.network.system, 1e-3 * rtol * plan.job.reach, rtol, EngineSolver(method=method))
    stepper.step(now, base, sizes, 0.0, plan.interval)  # compiles
    rows, work, clock, failed = [], [], [], 0
    for k in range(len(plan.factors)):
        constants = plan.constants(base, k)
        marks = time.process_time(), time.perf_counter()
        done = stepper.step(now, constants, sizes, k * plan.interval, plan.interval)
        work.append(time.process_time() - marks[0])
        clock.append(time.perf_counter() - marks[1])
        now, sizes = done.states, done.step_sizes
        rows.append(now[:FEW].copy())
        failed += int(np.sum(done.status != 0))
    return float(np.median(work)) / cells, float(np.median(clock)) / cells, np.stack(rows, axis=1), failed


def roadrunner(plan: Plan, rtol: float) -> tuple[float, Array]:
    """Advance the first cells with libRoadRunner: seconds per cell and interval, states."""
    import roadrunner as peer

    job = plan.job
    runner = peer.RoadRunner(job.sbml)
    species = set(runner.model.getFloatingSpeciesIds())
    runner.integrator.relative_tolerance = rtol
    for name, reach in job.reach_in_amounts().items():
        if name in species:
            runner.integrator.setIndividualTolerance(name, 1e-3 * rtol * reach)
    wanted = [f"[{n}]" if n in species else n for n in job.network.states]
    place, costs = job.names.index(plan.input), []
    states = np.empty((FEW, len(plan.factors), len(wanted)))
    for cell in range(FEW):
        runner.resetAll()
        for name, value in zip(job.names, job.sets[cell], strict=True):
            runner.setValue(name, float(value))
        runner.reset()
        for k, factor in enumerate(plan.factors[:, cell]):
            runner.setValue(plan.input, float(job.sets[cell, place] * factor))
            began = time.process_time()
            runner.oneStep(k * plan.interval, plan.interval)
            costs.append(time.process_time() - began)
            states[cell, k] = [runner.getValue(name) for name in wanted]
    return float(np.median(costs)), states


def compare(plan: Plan, case: str) -> list[list[object]]:
    """Measure both engines in one case, print, return the rows of the table."""
    truth = exact(plan, 1e-11)
    rows: list[list[object]] = []
    peers = {}
    for rtol in PEER:
        seconds, states = roadrunner(plan, rtol)
        peers[rtol] = (error_of(states, truth), seconds)
        rows.append([case, "libRoadRunner", rtol, peers[rtol][0], 1e6 * seconds, "", 0])
    at, cost = peers[ANCHOR]
    for method in ("Rodas4", "Rodas5P"):
        own = []
        for rtol in OWN:
            seconds, clock, states, failed = engine(plan, method, rtol)
            own.append((error_of(states, truth), seconds))
            rows.append([case, method, rtol, own[-1][0], 1e6 * seconds, 1e6 * clock, failed])
        best = time_at(at, [e for e, _ in own], [s for _, s in own])
        print(
            f"{case}: {method} {1e6 * best:.2f} us, libRoadRunner {1e6 * cost:.0f} us at error {at:.1e}: "
            f"{cost / best:.0f} times"
        )
    for row in rows:
        print(f"  {row[1]:14s} {row[2]:.0e} error {row[3]:.1e} {row[4]:8.2f} us per cell and interval, {row[6]} failed")
    return rows


def main() -> None:
    """Read the arguments and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="H140")
    parser.add_argument("--input", help="the parameter that changes")
    parser.add_argument("--interval", type=float, default=6.0)
    parser.add_argument("--intervals", type=int, default=30)
    parser.add_argument("--cells", type=int, default=4000)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    model = next(m for m in MODELS if m.key == given.model)
    job = job_of(model, given.folder, given.cells, 2)
    name = given.input or INPUTS.get(model.key, job.names[0])
    print(f"{model.key}: {given.cells} cells, {given.intervals} intervals of {given.interval:g} {model.time_unit}")
    rng = np.random.Generator(np.random.Philox(3))
    draws = rng.standard_normal((given.intervals, given.cells))
    rows = compare(Plan(job, given.interval, name, np.ones_like(draws)), "held")
    rows += compare(Plan(job, given.interval, name, np.exp(0.1 * draws)), f"{name} changes")
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        with (given.out / "stepping.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["case", "engine", "rtol", "error", "us", "clock_us", "failed"])
            table.writerows([[f"{v:.4g}" if isinstance(v, float) else v for v in row] for row in rows])


if __name__ == "__main__":
    main()
