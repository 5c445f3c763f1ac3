"""Events of one moment whose order decides the result: found and reported.

The standard leaves the order of simultaneous events open, haptos takes that of the file.
Where two events can disturb each other at all, a simulation is repeated with the order
turned round. Nothing else of a simulation depends on that order, so it shows, bit for
bit, whether it mattered.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from haptos.numerics import EventSet, OdeSolution, OdeSolver, OdeTask, Tape
from haptos.signalling._kinetic_model import KineticModel, ModelEvent

if TYPE_CHECKING:
    from haptos.signalling._network.network import Network

__all__ = ["order_conflicts", "order_warnings"]


def order_conflicts(model: KineticModel) -> tuple[tuple[str, str], ...]:
    """Return the pairs of events whose order may matter should they happen at once.

    A pair is listed if both set the same quantity differently, or if one sets what the
    other reads.
    """
    called = [event.id or f"number {number}" for number, event in enumerate(model.events, start=1)]
    pairs = combinations(range(len(model.events)), 2)
    return tuple((called[i], called[j]) for i, j in pairs if _disturb(model, model.events[i], model.events[j]))


def _disturb(model: KineticModel, first: ModelEvent, second: ModelEvent) -> bool:
    """Whether what one event does can change, or undo, what the other does."""
    sets = {a.symbol: a.expression for a in first.assignments}
    for a in second.assignments:
        if a.symbol in sets and (a.expression != sets[a.symbol] or model.graph.variables(a.expression)):
            return True
    return _reads(model, second, set(sets)) or _reads(model, first, {a.symbol for a in second.assignments})


def _reads(model: KineticModel, event: ModelEvent, names: set[str]) -> bool:
    """Whether the trigger or the new values of an event depend on any of some quantities."""
    read = model.graph.variables(event.trigger, *(a.expression for a in event.assignments))
    return not _moved(model, names).isdisjoint(model.symbols[i] for i in read)


def _moved(model: KineticModel, names: set[str]) -> set[str]:
    """Return some quantities and all that rules and reactions compute from them."""
    moved = set(names)
    computed = [(e.symbol, e.expression) for e in model.assignments] + [(r.id, r.rate) for r in model.reactions]
    while True:
        more = {
            symbol
            for symbol, expression in computed
            if symbol not in moved and any(model.symbols[i] in moved for i in model.graph.variables(expression))
        }
        if not more:
            return moved
        moved |= more


def order_warnings(network: Network, task: OdeTask, solution: OdeSolution, solver: OdeSolver) -> tuple[str, ...]:
    """Repeat a simulation with the events in reverse order and say where it differs."""
    if task.events is None or not network.conflicts:
        return ()
    other = solver.solve(replace(task, events=_reversed(task.events)))
    same = (solution.status == other.status) & np.all(
        (solution.states == other.states) | np.isnan(solution.states), axis=(1, 2)
    )
    same &= np.all((solution.final == other.final) | np.isnan(solution.final), axis=1)
    members = np.flatnonzero(~same)
    if not members.size:
        return ()
    pairs = ", ".join(f"{a} and {b}" for a, b in network.conflicts[:5])
    more = ", ..." if len(network.conflicts) > 5 else ""
    count = "the result" if len(same) == 1 else f"the result of {members.size} of {len(same)} members"
    warning = (
        f"events happen at the same moment and {count} depends on their order, which the model leaves open; "
        f"haptos took that of the file (events that can disturb each other: {pairs}{more})"
    )
    return (warning,)


@lru_cache(maxsize=64)
def _reversed(events: EventSet) -> EventSet:
    """Return the same events in the opposite order."""
    order = np.arange(events.n_events)[::-1]
    owned = [np.arange(events.first[e], events.first[e + 1]) for e in order]
    places = np.concatenate(owned)
    return replace(
        events,
        triggers=_picked(events.triggers, order),
        values=_picked(events.values, places),
        targets=events.targets[places],
        first=np.concatenate([[0], np.cumsum([len(o) for o in owned])]).astype(np.int32),
        initial=events.initial[order],
        persistent=events.persistent[order],
        at_trigger=events.at_trigger[order],
    )


def _picked(tape: Tape, outputs: NDArray[np.intp]) -> Tape:
    return replace(tape, outputs=tape.outputs[outputs])
