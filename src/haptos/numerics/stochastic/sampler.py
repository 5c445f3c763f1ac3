"""Sample a batch of jump processes: segments, events and threads around the kernels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from haptos.errors import ParameterError, Status
from haptos.numerics.evaluator import evaluate_tape
from haptos.numerics.events import fire
from haptos.numerics.ode import OdeSegment
from haptos.numerics.stochastic._arrays import members_of, plan_of, workspaces
from haptos.numerics.stochastic.lane_layout import runs_in_lanes
from haptos.numerics.stochastic.lanes import lane_kernel
from haptos.numerics.stochastic.system import StochasticSystem
from haptos.numerics.stochastic.task import StochasticSolution, StochasticTask
from haptos.numerics.tape import Tape

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
    corrected by differences, so nothing drifts. Leaps are made by the weak trapezoidal
    rule, of second order in mean and variance [Anderson2012]_: half a leap with the
    propensities at hand, the other half with twice those it led to less those at hand. How
    long a leap may be follows [Cao2006]_, with half the gross flow through a species
    bounded like its net flow (explicit leaps are unstable in fast equilibria): critical
    reactions happen one at a time, a leap that would make a species negative is drawn
    again over half the time, and where a leap is not worth it 100 exact jumps are made.

    References
    ----------
    .. [Gillespie1977] D. T. Gillespie, J. Phys. Chem. 81, 2340-2361 (1977).
    .. [Cao2006] Y. Cao, D. T. Gillespie, L. R. Petzold, J. Chem. Phys. 124, 044109 (2006).
    .. [Anderson2012] D. F. Anderson, M. Koyama, Multiscale Model. Simul. 10, 1493-1524 (2012).
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
        self.plan = plan_of(task.system)
        self.members = members_of(task)
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
            spaces = workspaces(task.system)
            advance(self.plan, self.members, part, *piece, tolerance, budget, task.max_steps, *spaces)

        def work_in_lanes(part: Integers) -> None:
            from haptos.numerics.stochastic._lane_driver import advance_lanes

            kernel, spaces = lane_kernel(task.system), workspaces(task.system)
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
        return bool(made * len(rows) > _WORTH * max(float(share), 1e-9))

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
