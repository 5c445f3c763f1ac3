"""Time one network per cell in a tissue loop: the engine's stepping mode beside libRoadRunner.

Usage::

    python benchmarks/engine_stepping.py MODEL.xml --interval 6 [--cells 4000] [--rtol 1e-4]

Every cell has its own parameters (log-normal, sigma 0.3). The engine advances all cells
interval by interval, step sizes carried over; libRoadRunner keeps one object's state and
calls ``oneStep``, for fewer cells. The error is that after all intervals, against SciPy at
rtol 1e-10, in the worst state, median over cells. Also prints the gain of two threads.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from engine_vs_roadrunner import spread_parameters

from haptos.numerics import ScipySolver
from haptos.numerics.engine import EngineSolver, Stepper
from haptos.signalling.network import compile_network


def main() -> None:
    """Read the arguments and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--interval", type=float, default=6.0)
    parser.add_argument("--intervals", type=int, default=30)
    parser.add_argument("--cells", type=int, default=4000)
    parser.add_argument("--rtol", type=float, default=1e-4)
    given = parser.parse_args()
    sbml = given.model.read_text()
    network = compile_network(sbml)
    names = spread_parameters(sbml, network)
    base = dict(zip(network.parameters, network.defaults, strict=True))
    rng = np.random.Generator(np.random.Philox(3))
    factors = np.exp(0.3 * rng.standard_normal((len(names), given.cells)))
    values = {name: base[name] * row for name, row in zip(names, factors, strict=True)}
    states, constants = network.start_values(parameters=values)
    scale = np.max(network.magnitudes(states, constants), axis=0)
    few, end = 10, given.interval * given.intervals
    some = {name: row[:few] for name, row in values.items()}
    exact = network.simulate([end], parameters=some, outputs=network.states, rtol=1e-10, solver=ScipySolver())
    for method in ("Rodas4", "Rodas5P"):
        for threads in (1, 2):
            solver = EngineSolver(method=method, threads=threads)
            stepper = Stepper(network.system, 1e-3 * given.rtol * scale, given.rtol, solver)
            now, sizes, clock, cpu, attempts = states, np.zeros(given.cells), [], [], 0
            for k in range(given.intervals):
                wall, work = time.perf_counter(), time.process_time()
                done = stepper.step(now, constants, sizes, k * given.interval, given.interval)
                clock.append(time.perf_counter() - wall)
                cpu.append(time.process_time() - work)
                now, sizes = done.states, done.step_sizes
                attempts += int(np.sum(done.n_steps))
            truth = exact.values[:, 0]
            error = np.median(np.max(np.abs(now[:few] - truth) / (truth + 1e-3 * scale), axis=1))
            print(
                f"{method}, {threads} thread(s): {1e6 * np.median(clock[2:]) / given.cells:.2f} us per cell and "
                f"interval (processor {1e6 * np.median(cpu[2:]) / given.cells:.2f}), error {error:.1e}, "
                f"{attempts / given.cells / given.intervals:.2f} attempts",
                flush=True,
            )
    _peer(sbml, names, values, given.interval)


def _peer(sbml: str, names: list[str], values: dict[str, np.ndarray], interval: float) -> None:
    import roadrunner

    runner, costs = roadrunner.RoadRunner(sbml), []
    for cell in range(20):
        runner.resetAll()
        for name in names:
            runner.setValue(name, float(values[name][cell]))
        runner.reset()
        for k in range(10):
            began = time.process_time()
            runner.oneStep(k * interval, interval)
            costs.append(time.process_time() - began)
    print(f"libRoadRunner oneStep: {1e6 * np.median(costs):.0f} us per cell and interval")


if __name__ == "__main__":
    main()
