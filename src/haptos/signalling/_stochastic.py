"""Sample a network: names and concentrations in, counts of molecules out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from haptos.errors import ParameterError
from haptos.numerics import OdeSegment, stream_key
from haptos.numerics.stochastic import StochasticSolution, StochasticTask, sample
from haptos.signalling._jumps import JumpModel
from haptos.signalling._sample_result import SampleResult

if TYPE_CHECKING:
    from haptos.signalling.network import Network

__all__ = ["SampleSettings", "Sampling", "sample_network"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Evaluate = Callable[[tuple[str, ...], Array, Sequence[OdeSegment], Array], Array]


@dataclass(frozen=True, slots=True, eq=False)
class SampleSettings:
    """What few samplings need to change.

    Attributes
    ----------
    entities : sequence of int or str, shape (B,), optional
        What names the random stream of each member; its position by default. A run is a
        function of seed, method, replicate, entity and the member's own values alone.
    tolerance : float
        Share by which a leap may change any propensity, in [1e-4, 0.5].
    molecules_per_unit : float, optional
        Molecules per unit of substance, if the model does not declare that unit.
    combinatorial : bool
        Whether ``x^m`` in the rate of a reaction that takes m molecules of x counts the
        ways to choose them, ``x (x - 1) ...``, as it must where rates were written for
        concentrations; otherwise rates are taken as written.
    max_steps : int
        Limit of jumps and leaps per run.
    threads : int
        Threads that share the runs; the bits do not depend on it.
    """

    entities: Sequence[int | str] | None = None
    tolerance: float = 0.03
    molecules_per_unit: float | None = None
    combinatorial: bool = True
    max_steps: int = 1_000_000_000
    threads: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Sampling:
    """What is sampled: seed, replicates per member, method, outputs and settings."""

    seed: int
    replicates: int
    method: str
    outputs: tuple[str, ...]
    settings: SampleSettings


def sample_network(
    network: Network,
    model: JumpModel,
    times: Array,
    state: Array,
    pieces: Sequence[OdeSegment],
    evaluate: Evaluate,
    how: Sampling,
) -> SampleResult:
    """Sample from concentrations at the start and segments in concentrations.

    Parameters
    ----------
    network : Network
        For names and outputs.
    model : JumpModel
        The same network as jumps.
    times : ndarray, shape (T,)
        Output times.
    state : ndarray, shape (B, n_states)
        Start, in the order of ``network.states``.
    pieces : sequence of OdeSegment
        Segments of the network.
    evaluate : callable
        Evaluates outputs from their names, states (N, T, n_states), segments and times.
    how : Sampling
        What else was asked for.
    """
    if how.replicates < 1:
        raise ParameterError(f"replicates must be at least 1, not {how.replicates}")
    size, outputs = len(state), how.outputs
    factor = _molecules(network, model, pieces)
    order = [network.states.index(name) for name in (*model.counts, *model.levels)]
    member = np.repeat(np.arange(size), how.replicates)
    scaled = [_in_molecules(piece, factor, order, member) for piece in pieces]
    task = StochasticTask(
        system=model.system,
        initial=(state[:, order] * factor)[member],
        segments=scaled,
        times=times,
        keys=_keys(how, size),
        method=how.method,
        tolerance=how.settings.tolerance,
        max_steps=how.settings.max_steps,
    )
    solution = sample(task, how.settings.threads)
    return SampleResult(
        species=model.counts,
        times=times,
        counts=solution.counts,
        outputs=outputs,
        units={name: network.units.get(name, "") for name in outputs},
        values=_blanked(evaluate(outputs, _concentrations(solution, factor[member], order), scaled, times), solution),
        molecules=factor[member][:, : len(model.counts)],
        status=solution.status,
        n_events=solution.n_events,
        n_steps=solution.n_steps,
        member=member,
        replicate=np.tile(np.arange(how.replicates), size),
        method=how.method,
    )


def _keys(how: Sampling, size: int) -> NDArray[np.uint64]:
    entities = range(size) if how.settings.entities is None else how.settings.entities
    if len(entities) != size or len(set(entities)) != size:
        raise ParameterError(f"entities must name each of the {size} members differently")
    purpose = f"stochastic.{how.method}"
    keys = [stream_key(how.seed, purpose, r, entity) for entity in entities for r in range(how.replicates)]
    return np.array(keys, dtype=np.uint64).reshape(-1, 2)


def _molecules(network: Network, model: JumpModel, pieces: Sequence[OdeSegment]) -> Array:
    """Return molecules per unit of concentration of every count, and 1 for levels, shape (B, n_states)."""
    names = [network.parameters.index(network.places[name]) for name in model.counts]
    sizes = pieces[0].parameters[:, names]
    for piece in pieces[1:]:
        if not np.array_equal(piece.parameters[:, names], sizes):
            raise ParameterError("the size of a compartment cannot change between segments while molecules are counted")
    return np.concatenate([model.unit * sizes, np.ones((len(sizes), len(model.levels)))], axis=1)


def _in_molecules(piece: OdeSegment, factor: Array, order: Sequence[int], member: Integers) -> OdeSegment:
    """Return a segment for every run, with its change of state in molecules."""
    return OdeSegment(
        piece.start,
        piece.stop,
        piece.parameters[member],
        None if piece.scale is None else piece.scale[:, order][member],
        None if piece.shift is None else (piece.shift[:, order] * factor)[member],
    )


def _concentrations(solution: StochasticSolution, factor: Array, order: Sequence[int]) -> Array:
    """Return the states as the network knows them, shape (N, T, n_states)."""
    n = solution.counts.shape[2]
    states = np.empty((*solution.counts.shape[:2], len(order)))
    with np.errstate(divide="ignore", invalid="ignore"):
        states[:, :, order[:n]] = solution.counts / factor[:, None, :n]
    states[:, :, order[n:]] = solution.levels
    return states


def _blanked(values: Array, solution: StochasticSolution) -> Array:
    values[solution.status != 0] = np.nan
    return values
