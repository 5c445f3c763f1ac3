"""Time what surrounds the integration: a second thread, and ``Network.simulate`` as a whole.

Usage::

    python benchmarks/threads_and_overhead.py threads FOLDER [--models H140,S19] [--rounds 5]
    python benchmarks/threads_and_overhead.py overhead FOLDER [--models own] [--members 48,512]

``threads`` integrates 4000 members of each model on one and on two threads, in turn, and prints
the best speed-up over the rounds and its spread, in seconds of the clock: the machine
has to be quiet, and the load average before the run is printed. Bits must agree.

``overhead`` times ``Network.simulate`` with all its default outputs beside the integration
inside it, both in processor time; what is beyond the integration is what haptos adds: values
at the start, tolerances, observables, the result.
"""

from __future__ import annotations

import argparse
import csv
import os
import time
from pathlib import Path

import numpy as np
from competitors import Job, shared_parameters
from models import MODELS, Model, read_model

from haptos.numerics import OdeSolution, OdeTask
from haptos.numerics.engine import EngineSolver
from haptos.signalling.network import compile_network


def job_of(model: Model, folder: Path, count: int, outputs: int) -> Job:
    """Return a model with parameters spread log-normally, sigma 0.3."""
    sbml = read_model(model, folder)
    network = compile_network(sbml, nonnegative=not model.signed)
    names = shared_parameters(sbml, network)
    base = dict(zip(network.parameters, network.defaults, strict=True))
    rng = np.random.Generator(np.random.Philox(11))
    sets = np.exp(0.3 * rng.standard_normal((count, len(names)))) * np.array([base[n] for n in names])
    states, constants = network.start_values(parameters=dict(zip(names, sets[:64].T, strict=True)))
    reach = np.max(network.magnitudes(states, constants), axis=0)
    return Job(sbml, network, names, sets, np.linspace(0.0, model.end, outputs), reach)


def threads(model: Model, given: argparse.Namespace) -> list[object]:
    """Measure the gain of a second thread."""
    members = max(given.least, model.sets * 16)
    job = job_of(model, given.folder, members, 5)
    task = job.task(1e-4, members)
    solvers = {number: EngineSolver(threads=number) for number in (1, 2)}
    same = [solver.solve(task).states.tobytes() for solver in solvers.values()]
    spans: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(given.rounds):
        for number, solver in solvers.items():
            began = time.perf_counter()
            solver.solve(task)
            spans[number].append(time.perf_counter() - began)
    gains = sorted(a / b for a, b in zip(spans[1], spans[2], strict=True))
    best = min(spans[1]) / min(spans[2])
    equal = "bits agree" if same[0] == same[1] else "BITS DIFFER"
    print(
        f"{model.key}: {members} members, {1e6 * min(spans[1]) / members:.1f} us on one thread, "
        f"{1e6 * min(spans[2]) / members:.1f} on two: {best:.2f} times "
        f"(rounds {gains[0]:.2f} to {gains[-1]:.2f}), {equal}",
        flush=True,
    )
    return [model.key, members, min(spans[1]), min(spans[2]), best, gains[0], gains[-1], equal]


class Clocked:
    """The engine, noting its processor time."""

    def __init__(self) -> None:
        self.solver, self.seconds = EngineSolver(), 0.0

    def solve(self, task: OdeTask) -> OdeSolution:
        """Pass a task on."""
        began = time.process_time()
        solution = self.solver.solve(task)
        self.seconds = time.process_time() - began
        return solution


def overhead(model: Model, given: argparse.Namespace) -> list[list[object]]:
    """Measure what ``Network.simulate`` adds to the integration."""
    sizes = [int(size) for size in given.members.split(",")]
    job, rows = job_of(model, given.folder, max(sizes), 51), []
    for size in sizes:
        values = dict(zip(job.names, job.sets[:size].T, strict=True))
        pairs = []
        for _ in range(given.rounds + 1):
            clocked = Clocked()
            began = time.process_time()
            result = job.network.simulate(job.times, parameters=values, rtol=1e-4, solver=clocked)
            pairs.append((time.process_time() - began, clocked.seconds))
        total, inner = min(pairs[1:])  # the first one compiles
        print(
            f"{model.key}: {size} members, {len(result.names)} outputs: {1e3 * total:.1f} ms, integration "
            f"{1e3 * inner:.1f} ms, {100 * (total / inner - 1):.0f} % on top",
            flush=True,
        )
        rows.append([model.key, size, len(result.names), 1e3 * total, 1e3 * inner, total / inner - 1])
    return rows


def main() -> None:
    """Read the arguments, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["threads", "overhead"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", help="H140,S19 for threads, own for overhead")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--members", default="48,512")
    parser.add_argument("--least", type=int, default=4000, help="members for threads")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    keys = (given.models or ("H140,S19" if given.what == "threads" else "own")).split(",")
    print(f"load average {os.getloadavg()[0]:.2f} on {os.cpu_count()} processors")
    chosen = [m for m in MODELS if m.key in keys]
    if given.what == "threads":
        head = ["model", "members", "one_thread_s", "two_threads_s", "gain", "gain_low", "gain_high", "bits"]
        rows = [threads(m, given) for m in chosen]
    else:
        head = ["model", "members", "outputs", "total_ms", "integration_ms", "on_top"]
        rows = [row for m in chosen for row in overhead(m, given)]
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        with (given.out / f"{given.what}.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(head)
            table.writerows([[f"{v:.4g}" if isinstance(v, float) else v for v in row] for row in rows])


if __name__ == "__main__":
    main()
