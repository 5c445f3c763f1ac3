"""Time the batched engine beside libRoadRunner, at equal error, on one core.

Usage::

    python benchmarks/engine_vs_roadrunner.py MODEL.xml:END [...] [--own 4320] [--rounds 3]

END is the simulated time. Parameters are spread log-normally (sigma 0.3), 51 output
times. libRoadRunner (CVODE) runs at rtol 1e-6 and 1e-9 of each species' own maximum as
absolute tolerance; the engine at several tolerances. The reference is SciPy's LSODA at
rtol 1e-12. The error of a simulation is the largest ``|y - ref| / (|ref| + 1e-3 max
|ref_i|)`` over all states and times, where the denominator is at least 1e-9 of the
largest state; the median over the parameter sets is printed. The ratio compares the
times at the error of libRoadRunner, interpolated between tolerances.

Rounds are interleaved and the fastest counts; times are processor times, so that other
work on the machine disturbs them less. Integration with its outputs is timed on both
sides, the setting of parameters on neither: ``simulate`` of libRoadRunner, and ``solve`` of
the engine with its allocations.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from haptos.numerics import OdeSolution, OdeTask, ScipySolver
from haptos.numerics.engine import EngineSolver
from haptos.signalling.network import Network, compile_network

TOLERANCES = (1e-3, 1e-4, 1e-5, 1e-6, 1e-7)


def relative_error(values: np.ndarray, reference: np.ndarray) -> float:
    """Return the median over members of the largest relative error."""
    largest = np.max(np.abs(reference), axis=1, keepdims=True)
    size = np.maximum(1e-3 * largest, 1e-9 * np.max(largest, axis=2, keepdims=True))
    with np.errstate(invalid="ignore"):
        errors = np.abs(values - reference) / np.where(size > 0.0, np.abs(reference) + size, 1.0)
    return float(np.median(np.max(errors, axis=(1, 2))))


class Roadrunner:
    """The same simulations by libRoadRunner."""

    def __init__(self, sbml: str, network: Network, times: np.ndarray, largest: np.ndarray) -> None:
        import roadrunner

        self.runner = roadrunner.RoadRunner(sbml)
        integrator = self.runner.integrator
        integrator.relative_tolerance = 1e-6
        species = set(self.runner.model.getFloatingSpeciesIds())
        integrator.absolute_tolerance = 1e-9 * float(np.max(largest))
        for name, top in zip(network.states, largest, strict=True):
            if name in species and top > 0.0:
                integrator.setIndividualTolerance(name, 1e-9 * float(top))
        names = [f"[{s}]" if s in species else s for s in network.states]
        self.selections = ["time", *names]
        self.times = list(times)

    def run(self, names: list[str], values: np.ndarray) -> tuple[float, np.ndarray]:
        """Simulate one parameter set; returns seconds and states."""
        self.runner.resetAll()
        for name, value in zip(names, values, strict=True):
            self.runner.setValue(name, float(value))
        self.runner.reset()
        began = time.process_time()
        table = self.runner.simulate(times=self.times, selections=self.selections)
        return time.process_time() - began, np.array(table)[:, 1:]


class Clocked:
    """A solver that notes how long it took."""

    def __init__(self, solver: EngineSolver) -> None:
        self.solver, self.seconds = solver, 0.0

    def solve(self, task: OdeTask) -> OdeSolution:
        """Pass a task on."""
        began = time.process_time()
        solution = self.solver.solve(task)
        self.seconds = time.process_time() - began
        return solution


def measure(name: str, sbml: str, end: float, rounds: int, count: int, method: str) -> None:
    """Print one block of the table."""
    began = time.process_time()
    network = compile_network(sbml)
    loaded = time.process_time() - began
    times = np.linspace(0.0, end, 51)
    rng = np.random.Generator(np.random.Philox(7))
    names = spread_parameters(sbml, network)
    base = dict(zip(network.parameters, network.defaults, strict=True))
    factors = np.exp(0.3 * rng.standard_normal((count, len(names))))
    sets = factors * np.array([base[n] for n in names])
    few = min(count, 16)

    def engine(rtol: float, size: int) -> tuple[float, np.ndarray, int]:
        given = dict(zip(names, sets[:size].T, strict=True))
        clocked = Clocked(EngineSolver(method=method))
        result = network.simulate(times, parameters=given, outputs=network.states, rtol=rtol, solver=clocked)
        return clocked.seconds, result.values, int(np.sum(result.status != 0))

    given = dict(zip(names, sets[:few].T, strict=True))
    precise = network.simulate(times, parameters=given, outputs=network.states, rtol=1e-12, solver=ScipySolver())
    reference = precise.values
    began = time.process_time()
    engine(1e-4, few)
    first = time.process_time() - began
    runner = Roadrunner(sbml, network, times, np.max(np.abs(reference), axis=(0, 1)))
    peer = np.array([runner.run(names, s)[1] for s in sets[:few]])
    peer_error = relative_error(peer, reference)
    peer_time, best = np.inf, dict.fromkeys(TOLERANCES, np.inf)
    for _ in range(rounds):
        peer_time = min(peer_time, float(np.mean([runner.run(names, s)[0] for s in sets[:few]])))
        for rtol in TOLERANCES:
            best[rtol] = min(best[rtol], engine(rtol, count)[0] / count)
    errors = {rtol: relative_error(engine(rtol, few)[1], reference) for rtol in TOLERANCES}
    failed = sum(engine(rtol, count)[2] for rtol in TOLERANCES)
    at_peer = equal_error_time(best, errors, peer_error)
    print(f"\n{name}: {len(network.states)} states, load {loaded:.2f} s, first call {first:.2f} s, {failed} failed")
    print(f"  libRoadRunner rtol 1e-6: {1e3 * peer_time:.3f} ms, error {peer_error:.1e}")
    for rtol in TOLERANCES:
        print(f"  {method} rtol {rtol:.0e}: {1e3 * best[rtol]:.3f} ms, error {errors[rtol]:.1e}")
    print(f"  at equal error: {1e3 * at_peer:.3f} ms, {peer_time / at_peer:.1f} times as fast", flush=True)


def spread_parameters(sbml: str, network: Network) -> list[str]:
    """Return the parameters that both engines can set: global, not zero, not a volume."""
    import roadrunner

    runner = roadrunner.RoadRunner(sbml)  # its model dies with it
    known = set(runner.model.getGlobalParameterIds())
    base = dict(zip(network.parameters, network.defaults, strict=True))
    return [n for n in network.parameters if n in known and base[n] > 0.0]


def equal_error_time(times: dict[float, float], errors: dict[float, float], target: float) -> float:
    """Interpolate the time at an error, logarithmically; the ends are not extrapolated."""
    pairs = sorted((errors[r], times[r]) for r in times)
    return float(np.exp(np.interp(np.log(target), np.log([e for e, _ in pairs]), np.log([t for _, t in pairs]))))


def main() -> None:
    """Read the arguments and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", help="MODEL.xml:END")
    parser.add_argument("--own", type=float, metavar="END", help="also measure the composed model of haptos")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--method", default="Rodas5P")
    given = parser.parse_args()
    for item in given.models:
        path, end = item.rsplit(":", 1)
        measure(Path(path).stem, Path(path).read_text(), float(end), given.rounds, given.count, given.method)
    if given.own:
        from haptos.signalling.model import composed_sbml

        measure("composed model", composed_sbml(), given.own, given.rounds, given.count, given.method)


if __name__ == "__main__":
    main()
