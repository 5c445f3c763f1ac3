"""Systems and tasks as the bare arrays that the kernels take."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from haptos.numerics.stochastic._layout import ragged
from haptos.numerics.stochastic._plan import Members, Plan
from haptos.numerics.stochastic.system import StochasticSystem
from haptos.numerics.stochastic.task import StochasticTask
from haptos.numerics.tape import Tape

__all__ = ["members_of", "plan_of", "workspaces"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


def members_of(task: StochasticTask) -> Members:
    """Return the rows of a task, none of them started."""
    size, system, count = task.n_members, task.system, len(task.times)
    events = system.events
    initial = np.zeros(0, dtype=np.uint8) if events is None else events.initial.astype(np.uint8)
    return Members(
        keys=np.array(task.keys, dtype=np.uint64, order="C"),
        state=np.zeros((size, system.n_states)),
        clock=np.zeros(size),
        used=np.zeros(size, dtype=np.uint64),
        n_events=np.zeros(size, dtype=np.int64),
        n_steps=np.zeros(size, dtype=np.int64),
        cursor=np.zeros(size, dtype=np.int64),
        status=np.zeros(size, dtype=np.int64),
        truth=np.tile(initial, (size, 1)),
        fired=np.zeros(size, dtype=np.uint8),
        moment=np.zeros(size),
        counts=np.zeros((size, count, system.n_counts), dtype=np.int64),
        levels=np.zeros((size, count, system.n_levels)),
    )


def workspaces(system: StochasticSystem) -> tuple[Array, Array, Array]:
    """Return fresh working arrays of the coefficients, the laws and the triggers."""
    spare = np.zeros(system.n_states + system.n_parameters + 1)
    triggers = spare if system.events is None else system.events.triggers.workspace()
    return system.coefficients.workspace(), system.tapes.work.copy(), triggers


def _tape_arrays(tape: Tape | None) -> tuple[Any, Any, Any, Integers]:
    if tape is None:
        nothing = np.zeros((0, 4), dtype=np.int32)
        return nothing, nothing, np.zeros(0, dtype=np.int32), np.zeros(4, dtype=np.int64)
    places = [tape.first_prologue, tape.first_body, tape.first_variable, tape.time_place]
    return tape.prologue, tape.body, tape.outputs, np.array(places, dtype=np.int64)


def plan_of(system: StochasticSystem) -> Plan:
    """Return the arrays of a system for the kernels, all read-only."""
    laws = system.tapes
    trigger = _tape_arrays(None if system.events is None else system.events.triggers)
    coefficient = _tape_arrays(system.coefficients)
    law_places = [laws.first_prologue, laws.first_body, laws.first_variable, laws.time_place]
    leaf = (8**system.depth - 1) // 7
    arrays = {
        "change_first": system.changes.first,
        "change_of": system.changes.flat,
        "change_by": system.change_by,
        "coefficient_prologue": coefficient[0],
        "coefficient_body": coefficient[1],
        "coefficient_output": coefficient[2],
        "coefficient_places": coefficient[3],
        "species": system.factors[:, :, 0],
        "offset": system.factors[:, :, 1].astype(np.float64),
        "n_factors": system.n_factors,
        "law_prologue": laws.prologue,
        "law_body": laws.body,
        "law_places": np.array(law_places, dtype=np.int64),
        "law_start": laws.start,
        "law_output": laws.output,
        "law_of": laws.law,
        "reads_first": system.reads.first,
        "reads": system.reads.flat,
        "orders": system.orders,
        "trigger_prologue": trigger[0],
        "trigger_body": trigger[1],
        "trigger_output": trigger[2],
        "trigger_places": trigger[3],
        "watched": system.watched.astype(np.uint8),
    }
    arrays |= _hot(system, leaf)
    locked = {name: _locked(array) for name, array in arrays.items()}
    sizes = {"n_counts": system.n_counts, "n_states": system.n_states, "depth": system.depth, "leaf": leaf}
    return Plan(**sizes, **locked)


def _hot(system: StochasticSystem, leaf: int) -> dict[str, NDArray[Any]]:
    """Return the lists that every jump goes through, unsigned and in the order of their use."""
    flat, first, split = system.depends.flat, system.depends.first, system.depends_split
    rows = range(system.n_jumps)
    short = ragged(flat[first[r] : split[r, 0]].tolist() for r in rows)
    long = ragged(flat[split[r, 0] : split[r, 1]].tolist() for r in rows)
    tape = ragged(system.tapes.law[flat[split[r, 1] : first[r + 1]]].tolist() for r in rows)
    pair = system.factors[short.flat, :2]
    table = ragged(range(max(int(n), 0)) for n in system.n_factors)
    owner = np.repeat(np.arange(system.n_jumps), np.diff(table.first))
    used = system.factors[owner, table.flat]
    whole = {
        "hot_change_first": system.changes.first,
        "hot_changes": system.changes.flat,
        "hot_node_first": system.nodes.first,
        "hot_nodes": system.nodes.flat,
        "short_first": short.first,
        "short_place": leaf + short.flat,
        "short_one": pair[:, 0, 0],
        "short_two": pair[:, 1, 0],
        "long_first": long.first,
        "long_laws": long.flat,
        "factor_first": table.first,
        "factors": used[:, 0],
        "tape_first": tape.first,
        "tape_laws": tape.flat,
        "tape_start": system.tapes.start,
        "tape_output": system.tapes.output,
        "tape_jump": system.tapes.jump,
        "law_at": np.array([system.tapes.first_variable, system.tapes.first_body]),
    }
    offsets = {"offset_one": pair[:, 0, 1], "offset_two": pair[:, 1, 1], "offsets": used[:, 1]}
    found: dict[str, NDArray[Any]] = {name: row.astype(np.uint64) for name, row in whole.items()}
    found |= {name: row.astype(np.float64) for name, row in offsets.items()}
    return found | {"short_jump": short.flat}


def _locked(array: NDArray[Any]) -> Any:
    """Return a contiguous read-only copy: one compiled version serves all systems."""
    copy = np.array(array, order="C")
    copy.flags.writeable = False
    return copy
