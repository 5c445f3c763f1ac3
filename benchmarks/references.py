"""What every engine is asked to do, and the states it should find."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from competitors import Job, Roadrunner, shared_parameters
from models import Model, read_model
from numpy.typing import NDArray

from haptos.numerics.engine import EngineSolver
from haptos.numerics.scipy_solver import ScipySolver
from haptos.signalling.network import compile_network

__all__ = ["prepare"]

Array = NDArray[np.float64]
OUTPUTS, SIGMA, CHECKED = 51, 0.3, 32


def prepare(model: Model, folder: Path, count: int) -> tuple[Job, Array, float]:
    """Return the job, the reference states of its first sets, and the tolerance of the reference."""
    sbml = read_model(model, folder)
    network = compile_network(sbml, nonnegative=not model.signed)
    names = shared_parameters(sbml, network)
    base = dict(zip(network.parameters, network.defaults, strict=True))
    rng = np.random.Generator(np.random.Philox(7))
    sets = np.exp(SIGMA * rng.standard_normal((count, len(names)))) * np.array([base[n] for n in names])
    times = np.linspace(0.0, model.end, OUTPUTS)
    job = Job(sbml, network, names, sets, times, np.ones(len(network.states)))
    make = {"LSODA": by_lsoda, "CVODE": by_cvode}[model.reference]
    reference, rtol = make(job, min(count, CHECKED))
    return dataclasses.replace(job, reach=reach_of(reference)), reference, rtol


def reach_of(states: Array) -> Array:
    """Return what each state reaches, at least 1e-9 of the largest."""
    top = np.max(np.abs(states), axis=(0, 1))
    return np.maximum(top, 1e-9 * np.max(top))


def by_lsoda(job: Job, checked: int) -> tuple[Array, float]:
    """Return the reference by SciPy at the tightest tolerance it can do."""
    for rtol in (1e-12, 1e-11, 1e-10):
        first = job.task(rtol, checked)
        floor = 1e-3 * rtol * job.network.magnitudes(first.initial, first.segments[0].parameters)
        solution = ScipySolver().solve(dataclasses.replace(first, atol=floor))
        if not np.any(solution.status):
            return solution.states, rtol
    raise RuntimeError("LSODA gives no reference")


def by_cvode(job: Job, checked: int) -> tuple[Array, float]:
    """Return the reference by libRoadRunner; haptos only says how large the states get."""
    first = job.task(1e-6, checked)
    floor = 1e-9 * job.network.magnitudes(first.initial, first.segments[0].parameters)
    rough = EngineSolver().solve(dataclasses.replace(first, atol=floor))
    run = Roadrunner(dataclasses.replace(job, reach=reach_of(rough.states))).run(1e-12, checked)
    if run.failed:
        raise RuntimeError("CVODE gives no reference")
    return run.states, 1e-12
