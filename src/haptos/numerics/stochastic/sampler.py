"""Sample a batch of jump processes: segments, events and threads around the kernels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from haptos.errors import ParameterError, Status
from haptos.numerics.evaluator import evaluate_tape
from haptos.numerics.events import fire
from haptos.numerics.ode import OdeSegment
from haptos.numerics.stochastic._layout import ragged
from haptos.numerics.stochastic.lane_layout import runs_in_lanes
from haptos.numerics.stochastic.lanes import lane_kernel
from haptos.numerics.stochastic.system import StochasticSystem
from haptos.numerics.stochastic.task import StochasticSolution, StochasticTask
from haptos.numerics.tape import Tape

if TYPE_CHECKING:
    from haptos.numerics.stochastic._plan import Members, Plan

__all__ = ["change_state", "sample"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

_MOST = 2.0**53
_ANY = 2**53
_FEW, _GLANCE, _WORTH = 4, 20_000, 1e6
"""Members, jumps of the first one, and expected jumps altogether, from which lanes pay."""


def sample(task: StochasticTask, threads: int = 1, lanes: bool | None = None) -> StochasticSolution:
    """Sample all members of a task.

    Parameters
    ----------
    task : StochasticTask
        The process, its members and their random streams.
    threads : int
        Threads that share the members; the bits do not depend on it.
    lanes : bool, optional
        Whether to compile a kernel for this system that runs several members in the lanes
        of a vector, where :func:`~haptos.numerics.stochastic.lane_layout.runs_in_lanes`; by
        default if a glance at the first member promises that it pays. The bits do not
        depend on it.

    Returns
    -------
    StochasticSolution
        Failure is a status per member, never an exception.

    Notes
    -----
    The direct method [Gillespie1977]_ with a dependency graph and an eightfold tree of
    partial sums, in which the next reaction is searched; sums are added up anew, never
    corrected by differences, so nothing drifts. Leaping follows [Cao2006]_, with half the
    gross flow through a species bounded like its net flow (else fast equilibria get a
    variance several times too large): critical
    reactions happen one at a time, a leap that would make a species negative is drawn
    again over half the time, and where a leap is not worth it 100 exact jumps are made.

    References
    ----------
    .. [Gillespie1977] D. T. Gillespie, J. Phys. Chem. 81, 2340-2361 (1977).
    .. [Cao2006] Y. Cao, D. T. Gillespie, L. R. Petzold, J. Chem. Phys. 124, 044109 (2006).
    """
    if threads < 1:
        raise ParameterError(f"threads must be at least 1, not {threads}")
    run = _Run(task, threads, lanes)
    with np.errstate(invalid="ignore", over="ignore"):
        for number in range(len(task.segments)):
            run.segment(number)
    return run.solution()


def change_state(system: StochasticSystem, state: Array, segment: OdeSegment, b: int) -> tuple[Array, Status]:
    """Return the state of a member after the change at the start of a segment, counts rounded."""
    if segment.scale is not None:
        state = state * segment.scale[b]
    if segment.shift is not None:
        state = state + segment.shift[b]
    return whole(system, state)


def whole(system: StochasticSystem, state: Array) -> tuple[Array, Status]:
    """Round the counts of a state to the nearest whole numbers; say whether they are admissible."""
    n = system.n_counts
    rounded = np.concatenate([np.rint(state[:n]) + 0.0, state[n:]])
    if not np.all(np.isfinite(rounded)) or np.any(rounded[:n] > _MOST):
        return rounded, Status.NON_FINITE
    return rounded, Status.NEGATIVE if np.any(rounded[:n] < 0.0) else Status.OK


class _Run:
    """One task on its way."""

    def __init__(self, task: StochasticTask, threads: int, lanes: bool | None) -> None:
        self.task, self.threads = task, threads
        fit = task.method == "exact" and runs_in_lanes(task.system)
        self.lanes = lanes if fit else False
        self.plan = _plan(task.system)
        self.members = _members(task)
        self.times = np.array(task.times, dtype=np.float64)
        for b, row in enumerate(np.array(task.initial, dtype=np.float64)):
            self._place(b, *whole(task.system, row))

    def _place(self, b: int, state: Array, status: Status) -> None:
        self.members.state[b] = state
        if self.members.status[b] == Status.OK:
            self.members.status[b] = status

    def segment(self, number: int) -> None:
        """Bring all members through one segment, stopping wherever events fire."""
        segment, members = self.task.segments[number], self.members
        for b in np.flatnonzero(members.status == Status.OK):
            members.clock[b] = segment.start
            if segment.scale is not None or segment.shift is not None:
                self._place(int(b), *change_state(self.task.system, members.state[b], segment, int(b)))
        parameters = np.array(segment.parameters, dtype=np.float64)
        breaks = _breaks(self.task.system.breaks, self.task.system.n_states, parameters)
        rows = np.flatnonzero(members.status == Status.OK).astype(np.int64)
        while rows.size:
            self._advance(number, rows, parameters, breaks)
            waiting = (members.fired[rows] != 0) & (members.status[rows] == Status.OK)
            rows = rows[waiting]
            for b in rows:
                self._fire(int(b), parameters[b])

    def _advance(self, number: int, rows: Integers, parameters: Array, breaks: Array) -> None:
        from haptos.numerics.stochastic._advance import advance

        task = self.task
        tolerance = task.tolerance if task.method == "leap" else 0.0
        piece = (parameters, breaks, self.times, float(task.segments[number].stop), number == len(task.segments) - 1)

        def work(part: Integers, budget: int = _ANY) -> None:
            spaces = _workspaces(task.system)
            advance(self.plan, self.members, part, *piece, tolerance, budget, task.max_steps, *spaces)

        def work_in_lanes(part: Integers) -> None:
            from haptos.numerics.stochastic._lane_driver import advance_lanes

            kernel, spaces = lane_kernel(task.system), _workspaces(task.system)
            given = (kernel.address, kernel.memory(), kernel.places())
            advance_lanes(self.plan, self.members, part, *piece, task.max_steps, *given, *spaces)

        if self._pays(number, rows, work):
            lane_kernel(task.system)
            self._deal(rows, work_in_lanes)
        else:
            self._deal(rows, work)

    def _pays(self, number: int, rows: Integers, work: Callable[[Integers, int], None]) -> bool:
        """Whether to go on in lanes: if the first member, given a start, has many jumps before it."""
        if self.lanes is not None:
            return self.lanes
        segment, first, members = self.task.segments[number], rows[0], self.members
        if len(rows) < _FEW or not segment.start < segment.stop:
            return False
        before = members.n_events[first]
        work(rows[:1], _GLANCE)
        share = (members.clock[first] - segment.start) / (segment.stop - segment.start)
        made = float(members.n_events[first] - before)
        return made * len(rows) > _WORTH * max(share, 1e-9)

    def _deal(self, rows: Integers, work: Callable[[Integers], None]) -> None:
        """Deal rows out to the threads."""
        parts = list(_parts(rows, self.threads))
        if len(parts) == 1:
            work(parts[0])
        else:
            with ThreadPoolExecutor(self.threads) as pool:
                list(pool.map(work, parts))

    def _fire(self, b: int, parameters: Array) -> None:
        """Execute the events of a member whose trigger turned true."""
        members, events = self.members, self.task.system.events
        if events is None:
            return
        now = float(members.clock[b])
        after = now + 4.0 * float(np.spacing(abs(now)))
        moments = [now if members.fired[b] == 1 else after, float(members.moment[b])]
        before = members.truth[b] != 0
        firing = None
        for moment in moments:
            firing = fire(events, moment, members.state[b], parameters, before)
            if firing.executed or firing.storm:
                break
        if firing is None or firing.storm or not firing.executed:
            members.status[b] = Status.EVENT_STORM
            return
        self._place(b, *whole(self.task.system, firing.state))
        members.truth[b] = firing.truth

    def solution(self) -> StochasticSolution:
        """Return the rows, those of failed members blanked."""
        members = self.members
        failed = members.status != Status.OK
        counts, levels, final = members.counts, members.levels, members.state.copy()
        counts[failed], levels[failed], final[failed] = -1, np.nan, np.nan
        return StochasticSolution(counts, levels, final, members.status, members.n_events, members.n_steps)


def _parts(rows: Integers, threads: int) -> Iterator[Integers]:
    """Deal rows out in stretches, several per thread, so that none waits long."""
    count = 1 if threads == 1 else min(len(rows), 8 * threads)
    yield from np.array_split(rows, count)


def _breaks(tape: Tape, n_states: int, parameters: Array) -> Array:
    """Return the times at which laws jump, shape (B, K); inf where there is none."""
    nowhere = np.zeros((len(parameters), 1, n_states))
    found = evaluate_tape(tape, nowhere, parameters, np.zeros(1))[:, 0]
    return np.where(np.isfinite(found), found, np.inf)


def _members(task: StochasticTask) -> Members:
    from haptos.numerics.stochastic._plan import Members

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


def _workspaces(system: StochasticSystem) -> tuple[Array, Array, Array]:
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


def _plan(system: StochasticSystem) -> Plan:
    """Return the arrays of a system for the kernels, all read-only."""
    from haptos.numerics.stochastic._plan import Plan

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
