"""Simulating the cells of conditions: the bridge from what is done to what is seen.

Conditions and populations are simulated as batches. The result of a population is a function
of its own condition, parameter vector and repeat: the same bits in any batch, order or thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haptos.conditions.interventions import SwapCells
from haptos.errors import ModelError, Status
from haptos.numerics import philox_stream
from haptos.numerics.engine import EngineSolver
from haptos.signalling.actions import changes_of_arm
from haptos.signalling.agents import coatings
from haptos.signalling.building.modules import readable_measures
from haptos.signalling.building.parameters import load_parameters
from haptos.signalling.cells import cell_lines
from haptos.signalling.condition import Condition, Outcome, Outcomes, Population
from haptos.signalling.cuts import CUT
from haptos.signalling.ensemble import ensemble_size, member_vector
from haptos.signalling.model import Model, fingerprint, model
from haptos.signalling.network import Segment, SimulationResult
from haptos.signalling.readouts import gathered, outputs_for, parts_of
from haptos.signalling.schedule import Schedule, Values, cell_of, model_of, schedule_of

__all__ = [
    "ensemble_size",
    "expressibility",
    "fingerprint",
    "preculture",
    "simulate",
    "simulate_batch",
    "simulate_vectors",
]

Array = NDArray[np.float64]

#: Time given to a cell population to settle before the first event [min].
SETTLING: Final = 60.0 * 24.0 * 20.0
#: Relative tolerance of the integration: errors of a few 1e-5, far below what any assay resolves (1.17-fold).
RTOL: Final = 1e-4
#: Steps in which a population must come to rest before its first event; typical ones need some hundreds. One
#: that needs more oscillates at rest, and is reported as failed.
RESTLESS: Final = 5_000
#: Coefficient of variation of protein amounts between biological repeats (assumed).
VARIATION: Final = 0.1
#: Where amounts of proteins are set.
_AMOUNT: Final = "expression__"
_METHOD: Final = "Rodas5P"


def expressibility(condition: Condition) -> list[str]:
    """Return the reasons why a condition cannot be simulated yet; none means that it can."""
    reasons = []
    names = [condition.cells, *(i.swap_cells for i in condition.interventions if isinstance(i, SwapCells))]
    known = {*cell_lines(), *(cell.id for cell in condition.contexts)}
    reasons += [f"no cell line file for {name}" for name in names if name not in known]
    if condition.culture.coating not in coatings():
        reasons.append(f"the coating {condition.culture.coating!r} is not in the library yet")
    if reasons:
        return list(dict.fromkeys(reasons))
    compiled = model_of(condition)
    reasons += changes_of_arm(condition.interventions, compiled.offered, cell_of(condition).expression)[1]
    missing = [q for q in condition.quantities if not parts_of(q, compiled.quantities)]
    reasons += [f"the modules at hand have no {_spoken(q)}" for q in missing]
    return list(dict.fromkeys(reasons))


def _spoken(quantity: str) -> str:
    """Return a quantity that is missing in words, with what can be read of the same entity."""
    measure, _, entity = quantity.partition("__")
    others = ", ".join(readable_measures(entity))
    return f"{measure} of {entity}" + (f"; what can be read of it: {others}" if others else "")


def preculture(condition: Condition) -> str:
    """Return a key: conditions of equal key settle to the same state before their first event."""
    return schedule_of(condition, model_of(condition)).preculture


def simulate(
    condition: Condition,
    *,
    member: int | None,
    seed: int,
    replicate: int | None,
    parameters: Mapping[str, float] | None = None,
) -> Outcome:
    """Simulate one condition with one parameter vector and one biological repeat.

    A pure function of its arguments and of the library: the batch of one.

    Parameters
    ----------
    condition : Condition
        What is done and what is read.
    member, replicate : int or None
        See :class:`haptos.signalling.condition.Population`.
    seed : int
        Root seed of the run.
    parameters : mapping of str to float, optional
        Values that replace those of the vector.

    Returns
    -------
    Outcome
        Quantities at the sampling times, NaN with a status where the integration failed.

    Raises
    ------
    ModelError
        If the condition cannot be expressed; all reasons at once.
    """
    changed = {name: np.array([value]) for name, value in (parameters or {}).items()}
    vectors = member_vector(member)[None]
    return simulate_vectors([condition], vectors, replicates=[replicate], seed=seed, changed=changed)[0][0]


def simulate_batch(
    conditions: Sequence[Condition], populations: Sequence[Population], *, seed: int, threads: int = 1
) -> list[Outcomes]:
    """Simulate every population in every condition.

    Parameters
    ----------
    conditions : sequence of Condition
        What is done and what is read.
    populations : sequence of Population
        Members of the ensemble and repeats.
    seed : int
        Root seed of the run.
    threads : int
        Threads of the integrator; they change no bit.

    Returns
    -------
    list of Outcomes
        One per condition, with one row per population.

    Raises
    ------
    ModelError
        If a condition cannot be expressed.
    """
    vectors = np.array([member_vector(p.member) for p in populations]).reshape(len(populations), -1)
    return simulate_vectors(
        conditions, vectors, replicates=[p.replicate for p in populations], seed=seed, threads=threads
    )


def simulate_vectors(
    conditions: Sequence[Condition],
    vectors: Array,
    *,
    replicates: Sequence[int | None] | None = None,
    seed: int = 0,
    threads: int = 1,
    changed: Mapping[str, Array] | None = None,
) -> list[Outcomes]:
    """Simulate conditions with given parameter vectors.

    Each distinct pre-culture is settled once, and all its conditions start from there.

    Parameters
    ----------
    conditions : sequence of Condition
        What is done and what is read.
    vectors : ndarray, shape (B, n_parameters)
        In the order and units of the parameter table.
    replicates : sequence of int or None, optional
        Biological repeat of every vector; without variation by default.
    seed : int
        Root seed of the repeats.
    threads : int
        Threads of the integrator; they change no bit.
    changed : mapping of str to ndarray of shape (B,), optional
        Values that replace those of the vectors; also shares of reactions, see
        :func:`haptos.signalling.cuts.cut_name`.

    Returns
    -------
    list of Outcomes
        One per condition.

    Raises
    ------
    ModelError
        If a condition cannot be expressed.
    """
    solver = EngineSolver(_METHOD, threads=threads)
    everything = {**dict(zip(load_parameters(), vectors.T, strict=True)), **(changed or {})}
    cuttable = any(name.startswith(CUT) for name in changed or ())
    found: dict[int, Outcomes] = {}
    for members in _by_preculture(conditions).values():
        first, shared = members[0]
        compiled = model(shared.parts, cuttable=cuttable or bool(conditions[first].cuts))
        absent = {name: np.asarray(v) for name, v in everything.items() if name not in compiled.offered}
        elsewhere = {name: v for name, v in absent.items() if not name.startswith(CUT)}
        given = {name: v for name, v in everything.items() if name in compiled.offered}
        factors = _factors(replicates or [None] * len(vectors), seed, compiled)
        values = _values(shared, given, factors, compiled)
        start = _settle(shared, values, compiled, solver)
        for number, schedule in members:
            result = _observe(conditions[number], schedule, values, start, compiled, solver)
            found[number] = _outcomes(conditions[number], schedule, result, elsewhere)
    return [found[i] for i in range(len(conditions))]


def _by_preculture(conditions: Sequence[Condition]) -> dict[str, list[tuple[int, Schedule]]]:
    """Check and translate the conditions, and group them by what they settle in."""
    groups: dict[str, list[tuple[int, Schedule]]] = {}
    for number, condition in enumerate(conditions):
        reasons = expressibility(condition)
        if reasons:
            raise ModelError("this condition cannot be simulated:\n  " + "\n  ".join(reasons))
        schedule = schedule_of(condition, model_of(condition))
        groups.setdefault(schedule.preculture, []).append((number, schedule))
    return groups


def _factors(replicates: Sequence[int | None], seed: int, compiled: Model) -> dict[str, Array]:
    """Return a log-normal factor (mean 1) for every amount and population; 1 without a repeat."""
    if all(r is None for r in replicates):
        return {}
    sigma = float(np.sqrt(np.log1p(VARIATION**2)))
    names = sorted(name for name in compiled.offered if name.startswith(_AMOUNT))
    drawn = {
        r: np.exp([philox_stream(seed, "biological", r, name).normal(-0.5 * sigma**2, sigma) for name in names])
        for r in {r for r in replicates if r is not None}
    }
    table = np.array([np.ones(len(names)) if r is None else drawn[r] for r in replicates])
    return dict(zip(names, table.T, strict=True))


def _values(
    schedule: Schedule, given: Mapping[str, Array], factors: Mapping[str, Array], compiled: Model
) -> dict[str, float | Array]:
    """Return the parameters of every population with the contents of the cells of a schedule."""
    values: dict[str, float | Array] = {**given, **schedule.own}
    return {**values, **{name: values.get(name, compiled.default(name)) * f for name, f in factors.items()}}


def _settle(schedule: Schedule, values: Values, compiled: Model, solver: EngineSolver) -> SimulationResult:
    """Let every population come to rest in its pre-culture."""
    parameters = schedule.settling(values, compiled)
    rest = [Segment(-SETTLING, 0.0, parameters=parameters)]
    return compiled.network.simulate(
        [0.0], parameters=parameters, segments=rest, outputs=(), rtol=RTOL, max_steps=RESTLESS, solver=solver
    )


def _observe(
    condition: Condition,
    schedule: Schedule,
    values: Values,
    settled: SimulationResult,
    compiled: Model,
    solver: EngineSolver,
) -> tuple[Array, NDArray[np.int64]]:
    """Go on from the settled states; return outputs, shape (B, n_times, n_quantities), and status."""
    wanted = tuple(dict.fromkeys(condition.quantities))
    outputs = outputs_for(wanted, compiled.quantities)
    status = settled.status.copy()
    series = np.full((len(status), len(condition.times), len(wanted)), np.nan)
    sound = np.flatnonzero(status == Status.OK)
    if sound.size:
        own = {name: v if np.ndim(v) == 0 else np.asarray(v)[sound] for name, v in values.items()}
        result = compiled.network.simulate(
            np.array(condition.times),
            parameters=own,
            initial=settled.final[sound],
            segments=schedule.segments(own, compiled),
            outputs=outputs,
            rtol=RTOL,
            solver=solver,
        )
        series[sound] = gathered(result.values, outputs, wanted, compiled.quantities)
        status[sound] = result.status
    return series, status


def _outcomes(
    condition: Condition,
    schedule: Schedule,
    observed: tuple[Array, NDArray[np.int64]],
    elsewhere: Mapping[str, Array],
) -> Outcomes:
    series, status = observed
    quantities = {name: series[:, :, i] for i, name in enumerate(dict.fromkeys(condition.quantities))}
    geometry = {**schedule.cell.geometry, "medium_volume": 1.0 / condition.culture.density.value}
    return Outcomes(quantities, geometry, status, elsewhere)
