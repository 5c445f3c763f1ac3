"""The engines that are compared, each doing the same simulations.

A run simulates the parameter sets of a :class:`Job` at one relative tolerance and returns
processor seconds per simulation, states and the number of failures. Absolute tolerances are
``1e-3 * rtol`` times what each state reaches; AMICI has only one for all states and gets
that of the median state. Setting parameters is not timed, integration with its output is.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import libsbml
import numpy as np
from numpy.typing import NDArray

from haptos.numerics import OdeSegment, OdeTask
from haptos.numerics.engine import EngineSolver
from haptos.signalling.network import Network

__all__ = ["Amici", "Competitor", "Engine", "Job", "Roadrunner", "Run", "shared_parameters"]

Array = NDArray[np.float64]
MAX_STEPS = 100_000


@dataclass(frozen=True, eq=False)
class Job:
    """What every engine simulates.

    Attributes
    ----------
    sbml, network : str, Network
        The normalised model.
    names, sets : list of str, ndarray of shape (B, len(names))
        Parameters that differ and their values.
    times : ndarray
        Output times, from 0.
    reach : ndarray, shape (n_states,)
        What each state reaches, as a concentration.
    """

    sbml: str
    network: Network
    names: list[str]
    sets: Array
    times: Array
    reach: Array

    def task(self, rtol: float, count: int, atol: Array | None = None) -> OdeTask:
        """Return the first parameter sets as a task of haptos."""
        given = dict(zip(self.names, self.sets[:count].T, strict=True))
        states, constants = self.network.start_values(parameters=given)
        whole = OdeSegment(0.0, float(self.times[-1]), constants)
        floor = 1e-3 * rtol * self.reach if atol is None else atol
        return OdeTask(self.network.system, states, [whole], self.times, rtol, floor, MAX_STEPS)

    def sizes(self) -> Array:
        """Return the compartment size of every state, 1 for what is no species."""
        known = dict(zip(self.network.parameters, self.network.defaults, strict=True))
        return np.array([known.get(self.network.places.get(name, ""), 1.0) for name in self.network.states])

    def reach_in_amounts(self) -> dict[str, float]:
        """Return what each state reaches, species as amounts."""
        return dict(zip(self.network.states, (self.sizes() * self.reach).tolist(), strict=True))


@dataclass(frozen=True, eq=False)
class Run:
    """What came out: seconds per simulation, states, failures; AMICI also its seconds inside C++."""

    seconds: float
    states: Array
    failed: int
    inner: float = float("nan")


class Competitor(Protocol):
    """An engine with a model loaded."""

    name: str

    def run(self, rtol: float, count: int) -> Run:
        """Simulate the first `count` parameter sets."""
        ...


class Engine:
    """haptos: all parameter sets as one batch on one thread."""

    def __init__(self, job: Job, method: str = "Rodas5P") -> None:
        self.name, self.job = "haptos", job
        self.solver = EngineSolver(method=method)

    def run(self, rtol: float, count: int) -> Run:
        """Simulate the first `count` parameter sets."""
        task = self.job.task(rtol, count)
        began = time.process_time()
        solution = self.solver.solve(task)
        seconds = time.process_time() - began
        return Run(seconds / count, solution.states, int(np.sum(solution.status != 0)))


class Roadrunner:
    """libRoadRunner: CVODE, one parameter set after the other, its own settings but the tolerances."""

    def __init__(self, job: Job) -> None:
        import roadrunner

        self.name, self.job = "libRoadRunner", job
        roadrunner.Logger.disableLogging()
        self.runner = roadrunner.RoadRunner(job.sbml)
        self.runner.integrator.maximum_num_steps = MAX_STEPS
        species = set(self.runner.model.getFloatingSpeciesIds())
        self.selections = ["time", *(f"[{s}]" if s in species else s for s in job.network.states)]
        self.amounts = {n: r for n, r in job.reach_in_amounts().items() if n in species}

    def run(self, rtol: float, count: int) -> Run:
        """Simulate the first `count` parameter sets."""
        integrator = self.runner.integrator
        integrator.relative_tolerance = rtol
        for name, reach in self.amounts.items():
            integrator.setIndividualTolerance(name, 1e-3 * rtol * reach)
        states = np.full((count, len(self.job.times), len(self.job.network.states)), np.nan)
        times, seconds, failed = list(self.job.times), 0.0, 0
        for number, row in enumerate(self.job.sets[:count]):
            self.runner.resetAll()
            for name, value in zip(self.job.names, row, strict=True):
                self.runner.setValue(name, float(value))
            self.runner.reset()
            began = time.process_time()
            try:
                table = self.runner.simulate(times=times, selections=self.selections)
            except RuntimeError:
                table, failed = None, failed + 1
            seconds += time.process_time() - began
            if table is not None:
                states[number] = np.asarray(table)[:, 1:]
        return Run(seconds / count, states, failed)


class Amici:
    """AMICI in a Python of its own: CVODES with a symbolic sparse Jacobian, one set after the other."""

    def __init__(self, job: Job, python: Path, store: Path) -> None:
        self.name, self.job = "AMICI", job
        self.scratch = tempfile.TemporaryDirectory()
        folder = Path(self.scratch.name)
        model, sets = folder / "model.xml", folder / "sets.npy"
        model.write_text(job.sbml, encoding="utf-8")
        np.save(sets, job.sets)
        command = [str(python), str(Path(__file__).with_name("amici_child.py"))]
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        form = {"model": str(model), "sets": str(sets), "names": job.names, "store": str(store)}
        form |= {"states": list(job.network.states), "times": list(job.times), "max_steps": MAX_STEPS}
        self.compile_seconds = self._ask(form)["compile"]
        amounts = _only_amounts(job.sbml)
        sizes = job.sizes()
        self.units = np.array([s if n in amounts else 1.0 for n, s in zip(job.network.states, sizes, strict=True)])

    def _ask(self, question: dict) -> dict:
        self.child.stdin.write(json.dumps(question) + "\n")
        self.child.stdin.flush()
        answer = self.child.stdout.readline()
        if not answer:
            raise RuntimeError("the child with AMICI ended early")
        return json.loads(answer)

    def run(self, rtol: float, count: int) -> Run:
        """Simulate the first `count` parameter sets."""
        out = str(Path(self.scratch.name) / "states.npy")
        atol = 1e-3 * rtol * float(np.median(self.job.reach * self.units))
        answer = self._ask({"rtol": rtol, "atol": atol, "count": count, "out": out})
        return Run(answer["seconds"] / count, np.load(out) / self.units, answer["failed"], answer["inner"] / count)

    def close(self) -> None:
        """End the child."""
        self.child.stdin.close()
        self.child.wait(60)
        self.scratch.cleanup()


def _only_amounts(sbml: str) -> set[str]:
    """Return the species that AMICI holds as amounts, as the model says."""
    model = libsbml.readSBMLFromString(sbml).getModel()
    return {s.getId() for s in model.getListOfSpecies() if s.getHasOnlySubstanceUnits()}


def shared_parameters(sbml: str, network: Network) -> list[str]:
    """Return the parameters that all engines can set: global, above zero, no volume, no rule."""
    import roadrunner

    runner = roadrunner.RoadRunner(sbml)  # its model dies with it
    known = set(runner.model.getGlobalParameterIds())
    base = dict(zip(network.parameters, network.defaults, strict=True))
    return [n for n in network.parameters if n in known and base[n] > 0.0]
