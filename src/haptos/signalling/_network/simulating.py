"""Simulate a planned batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from haptos.errors import Status
from haptos.numerics import EventSet, OdeSegment, OdeSolution, OdeSolver, OdeSystem, OdeTask, SteadyState
from haptos.signalling._methods import method_of
from haptos.signalling._network.order import order_warnings
from haptos.signalling._network.planning import Plan
from haptos.signalling._network.resting import Rest, settle
from haptos.signalling._result import SimulationResult

if TYPE_CHECKING:
    from haptos.signalling._network.network import Network

__all__ = ["simulate_plan"]

Array = NDArray[np.float64]


def simulate_plan(
    network: Network,
    plan: Plan,
    names: tuple[str, ...],
    rest: Rest,
    *,
    rtol: float,
    max_steps: int,
    solver: OdeSolver,
) -> SimulationResult:
    """Simulate a planned batch and evaluate the outputs called `names`."""
    state, before = plan.state, None
    if plan.settling is not None:
        before = settle(network, plan, rest, rtol=rtol, max_steps=max_steps, solver=solver)
        state = before.states
    task = OdeTask(
        system=network.system,
        initial=state,
        segments=_for_rates(network, plan.pieces),
        times=plan.times,
        rtol=rtol,
        atol=1e-3 * rtol * network.magnitudes(plan.state, plan.constants),
        max_steps=max_steps,
        events=network.events,
    )
    solution = _with_before(solver.solve(task), before)
    values = network.output_rule.evaluate(names, solution.states, plan.pieces, plan.times)
    values[solution.status != Status.OK] = np.nan
    return SimulationResult(
        names=names,
        units={name: network.units.get(name, "") for name in names},
        times=plan.times,
        values=values,
        status=solution.status,
        n_steps=solution.n_steps,
        n_rhs=solution.n_rhs,
        seconds=solution.seconds,
        final=solution.final,
        method=method_of(solver),
        warnings=order_warnings(network, task, solution, solver),
    )


def _for_rates(network: Network, pieces: Sequence[OdeSegment]) -> list[OdeSegment]:
    """Return the segments with zero for what is infinite or not a number and no rate or event reads."""
    if all(np.all(np.isfinite(piece.parameters)) for piece in pieces):
        return list(pieces)
    idle = _idle(network.system, network.events)
    values = [np.where(idle & ~np.isfinite(piece.parameters), 0.0, piece.parameters) for piece in pieces]
    return [replace(piece, parameters=own) for piece, own in zip(pieces, values, strict=True)]


def _idle(system: OdeSystem, events: EventSet | None) -> NDArray[np.bool_]:
    """Return which parameters nothing depends on while time goes on."""
    tapes = [system.rhs, system.jacobian, system.breaks]
    tapes += [] if events is None else [events.triggers, events.values, events.breaks]
    idle = np.ones(system.n_states + system.n_parameters, dtype=bool)
    for tape in tapes:
        idle[tape.reads()] = False
    return idle[system.n_states :]


def _with_before(solution: OdeSolution, before: SteadyState | None) -> OdeSolution:
    """Add the work and the failures of the time before the first segment."""
    if before is None:
        return solution
    return replace(
        solution,
        status=np.where(before.status != Status.OK, before.status, solution.status),
        n_steps=solution.n_steps + before.n_steps,
        n_rhs=solution.n_rhs + before.n_rhs,
    )
