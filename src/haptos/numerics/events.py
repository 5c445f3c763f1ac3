"""Events: when a condition turns from false to true, states are set anew.

An :class:`EventSet` is frozen data that goes with a task
(:attr:`haptos.numerics.ode.OdeTask.events`). Events act without delay and without
priority. What is changed must be a state: a parameter that events change is declared as
a state with rate zero.

The meaning, shared by all solvers:

* An event fires when its trigger is true and was false before. Before the start of the
  task a trigger has the value `initial`; it is not reset at the borders of segments.
* Triggers are examined at the start, at every border of segments (after its change of
  state), at the times in `breaks`, and along the solution between.
* Events that fire at the same moment are executed in the order of their index. With
  `at_trigger` the new values of an event are those of the moment its trigger turned
  true, else those of the moment of execution: after the events before it.
* After every execution all triggers are examined again: events that turn true join the
  queue; an event that is not `persistent` and is false when its turn comes is dropped.
* More than :data:`STORM_LIMIT` executions at one moment are a storm.
* An output at the moment of an event shows the state after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haptos.errors import ParameterError
from haptos.numerics.breaks import time_breaks
from haptos.numerics.expression import Graph, GraphBuilder
from haptos.numerics.tape import Tape, build_tape

__all__ = ["STORM_LIMIT", "Event", "EventSet", "Firing", "build_events", "fire"]

STORM_LIMIT: Final = 1000
"""Most executions of events at one moment."""

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Event:
    """One event over the expressions of a graph.

    Attributes
    ----------
    trigger : int
        Expression of the condition; any number but zero is true.
    assignments : tuple of (int, int)
        State and the expression of its new value; each state at most once.
    initial : bool
        Value of the trigger before the start: if False, an event whose trigger is true
        at the start fires there.
    persistent : bool
        Whether it is executed although its trigger turned false while other events of
        the same moment were executed.
    at_trigger : bool
        Whether the new values are those of the moment the trigger turned true.
    """

    trigger: int
    assignments: tuple[tuple[int, int], ...] = field(default=())
    initial: bool = True
    persistent: bool = True
    at_trigger: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class EventSet:
    """All events of a system, compiled. Make one with :func:`build_events`.

    The variables of the tapes are the states followed by the parameters.

    Attributes
    ----------
    n_states, n_parameters : int
        Lengths of y and p.
    triggers : Tape
        One truth value per event.
    values : Tape
        New values, those of event 0 first.
    targets : ndarray of int32, shape (n_assignments,)
        State that each output of `values` is for.
    first : ndarray of int32, shape (n_events + 1,)
        Event `e` owns the assignments in ``[first[e], first[e + 1])``.
    initial, persistent, at_trigger : ndarray of bool, shape (n_events,)
        See :class:`Event`.
    breaks : Tape
        Times, from the parameters, at which a comparison of time with parameters turns;
        entries may be nan or outside the interval of interest. Solvers stop there.
    """

    n_states: int
    n_parameters: int
    triggers: Tape
    values: Tape
    targets: NDArray[np.int32]
    first: NDArray[np.int32]
    initial: Flags
    persistent: Flags
    at_trigger: Flags
    breaks: Tape

    @property
    def n_events(self) -> int:
        """Number of events."""
        return len(self.initial)


def build_events(graph: Graph, events: Sequence[Event], n_states: int, n_parameters: int) -> EventSet:
    """Compile events.

    Parameters
    ----------
    graph : Graph
        Expressions over variables: states first, then parameters.
    events : sequence of Event
        In the order in which simultaneous ones are executed.
    n_states, n_parameters : int
        Lengths of y and p.

    Raises
    ------
    ParameterError
        If a target is not a state or is set twice by one event.

    Examples
    --------
    >>> b = GraphBuilder()
    >>> from haptos.numerics.operations import Op
    >>> low = b.apply(Op.LT, b.variable(0), b.constant(1.0))
    >>> refill = Event(low, ((0, b.constant(5.0)),))
    >>> events = build_events(b.freeze(), [refill], n_states=1, n_parameters=0)
    >>> fire(events, 0.0, np.array([0.5]), np.zeros(0), np.array([False])).state.tolist()
    [5.0]
    """
    for number, event in enumerate(events):
        targets = [state for state, _ in event.assignments]
        if len(set(targets)) < len(targets) or not all(0 <= state < n_states for state in targets):
            raise ParameterError(f"event {number} must set different states below {n_states}, not {targets}")
    builder = GraphBuilder(graph)
    triggers = [event.trigger for event in events]
    times = time_breaks(builder, triggers, n_states).times
    frozen = builder.freeze()
    counts = [len(event.assignments) for event in events]
    pairs = [pair for event in events for pair in event.assignments]
    count, fixed = n_states + n_parameters, range(n_states, n_states + n_parameters)
    return EventSet(
        n_states=n_states,
        n_parameters=n_parameters,
        triggers=build_tape(frozen, triggers, count, fixed),
        values=build_tape(frozen, [expression for _, expression in pairs], count, fixed),
        targets=np.array([state for state, _ in pairs], dtype=np.int32),
        first=np.concatenate([[0], np.cumsum(counts)]).astype(np.int32),
        initial=np.array([event.initial for event in events], dtype=bool),
        persistent=np.array([event.persistent for event in events], dtype=bool),
        at_trigger=np.array([event.at_trigger for event in events], dtype=bool),
        breaks=build_tape(frozen, times, count, fixed),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Firing:
    """What happened at one moment.

    Attributes
    ----------
    state : ndarray, shape (n_states,)
        After all executions.
    truth : ndarray of bool, shape (n_events,)
        The triggers after all executions.
    executed : tuple of int
        Events in the order of their execution.
    storm : bool
        Whether the limit of executions was met; `state` is then meaningless.
    """

    state: Array
    truth: Flags
    executed: tuple[int, ...]
    storm: bool


def fire(events: EventSet, time: float, state: Array, parameters: Array, before: Flags) -> Firing:
    """Examine the triggers at one moment and execute what fires: the readable meaning.

    Parameters
    ----------
    events : EventSet
        The events.
    time : float
        The moment.
    state : ndarray, shape (n_states,)
        State when the moment is reached; not changed.
    parameters : ndarray, shape (n_parameters,)
        Parameters.
    before : ndarray of bool, shape (n_events,)
        Triggers just before the moment.
    """
    state = np.array(state, dtype=np.float64)
    queue: list[tuple[int, Array]] = []
    executed: list[int] = []
    truth = _examine(events, time, state, parameters, before, queue)
    while queue:
        if len(executed) == STORM_LIMIT:
            return Firing(state, truth, tuple(executed), storm=True)
        event, stored = queue.pop(0)
        if not events.persistent[event] and not truth[event]:
            continue
        own = slice(events.first[event], events.first[event + 1])
        now = stored if events.at_trigger[event] else _evaluate(events.values, time, state, parameters)
        state[events.targets[own]] = now[own]
        executed.append(event)
        truth = _examine(events, time, state, parameters, truth, queue)
    return Firing(state, truth, tuple(executed), storm=False)


def _examine(
    events: EventSet, time: float, state: Array, parameters: Array, before: Flags, queue: list[tuple[int, Array]]
) -> Flags:
    """Return the triggers; append events that turned true, with the values of now."""
    truth: Flags = np.asarray(_evaluate(events.triggers, time, state, parameters) != 0.0)
    turned = np.flatnonzero(truth & ~before)
    if turned.size:
        values = _evaluate(events.values, time, state, parameters)
        queue.extend((int(event), values) for event in turned)
    return truth


def _evaluate(tape: Tape, time: float, state: Array, parameters: Array) -> Array:
    from haptos.numerics.evaluator import evaluate_tape

    return np.asarray(evaluate_tape(tape, state[None, None], parameters[None], np.array([time]))[0, 0])
