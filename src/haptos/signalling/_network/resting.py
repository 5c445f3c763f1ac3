"""Bring the members of a network to rest: as a result, or before a simulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from haptos.errors import ParameterError, Status
from haptos.numerics import OdeSegment, OdeSolver, SteadyState, SteadyTask, find_steady_state
from haptos.signalling._inputs import columns
from haptos.signalling._network.planning import Plan
from haptos.signalling._result import SteadyResult

if TYPE_CHECKING:
    from haptos.signalling._network.network import Network

__all__ = ["Rest", "find_rest", "settle", "steady_result"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Rest:
    """What counts as rest.

    Attributes
    ----------
    ignore : sequence of str
        States that may go on changing (sinks); nothing else may depend on them.
    max_time : float
        Time after which a member is given up, in the time unit of the model.
    tolerance : float
        Largest relative distance between the integrated state and the exact root.
    """

    ignore: Sequence[str] = ()
    max_time: float = 1e6
    tolerance: float = 1e-4


def find_rest(
    network: Network, state: Array, constants: Array, rest: Rest, *, rtol: float, max_steps: int, solver: OdeSolver
) -> SteadyState:
    """Bring members to rest from states, with parameters.

    Raises
    ------
    ParameterError
        If the rates depend on time, the model has events, or a name does not exist.
    """
    if network.events is not None:
        raise ParameterError("a model with events has no steady state that could be certified; use simulate")
    judged = np.ones(len(network.states), dtype=bool)
    judged[list(columns(dict.fromkeys(rest.ignore, 0.0), network.states, 1, "state", {}))] = False
    task = SteadyTask(
        system=network.system,
        initial=state,
        parameters=constants,
        scale=network.magnitudes(state, constants),
        max_time=rest.max_time,
        tolerance=rest.tolerance,
        judged=judged,
        rtol=rtol,
        max_steps=max_steps,
    )
    return find_steady_state(task, solver)


def settle(network: Network, plan: Plan, rest: Rest, *, rtol: float, max_steps: int, solver: OdeSolver) -> SteadyState:
    """Apply the first, endless segment of a plan: where its members come to rest.

    The states of members that did not are nan, and their status says why.
    """
    piece = plan.settling
    if piece is None:
        raise ParameterError("the schedule does not begin with a segment from -inf")
    state = plan.state if piece.scale is None else plan.state * piece.scale
    state = state if piece.shift is None else state + piece.shift
    found = find_rest(network, state, piece.parameters, rest, rtol=rtol, max_steps=max_steps, solver=solver)
    found.status[(found.status == Status.OK) & ~found.converged] = Status.NO_REST
    found.states[found.status != Status.OK] = np.nan
    return found


def steady_result(network: Network, found: SteadyState, constants: Array) -> SteadyResult:
    """Return steady states with their outputs."""
    whole = OdeSegment(0.0, 0.0, constants)
    values = network.output_rule.evaluate(network.outputs, found.states[:, None], [whole], np.zeros(1))[:, 0]
    values[found.status != Status.OK] = np.nan
    return SteadyResult(
        names=network.outputs,
        values=values,
        states=found.states,
        converged=found.converged,
        status=found.status,
        residual=found.residual,
        growth=found.growth,
        explanations=tuple(found.explanation(b) for b in range(len(found.states))),
    )
