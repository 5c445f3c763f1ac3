"""The compiled direct method: propensities, search, jumps (numba).

Import this module only inside functions: it imports numba. The readable twin is
:mod:`haptos.numerics.stochastic.reference`.
"""

# ruff: noqa: PLR0913, PLR0917, C901
# Kernels take bare arrays and run long by nature.

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haptos.errors import Status
from haptos.numerics._kernels import run
from haptos.numerics.stochastic._random import exponential, unit

__all__ = ["Members", "Plan", "Scratch", "all_propensities", "exact_piece", "examine", "record"]

Array = NDArray[np.float64]
Index = NDArray[np.int32]
Integers = NDArray[np.int64]
Words = NDArray[np.uint64]

_ZERO, _ONE, _TWO, _THREE = np.uint64(0), np.uint64(1), np.uint64(2), np.uint64(3)
_FOUR, _FIVE, _SIX, _SEVEN, _EIGHT = np.uint64(4), np.uint64(5), np.uint64(6), np.uint64(7), np.uint64(8)

MOST = 9007199254740992.0
"""2**53: counts beyond it are not exact and end a member."""

REACHED, FIRED, FAILED, PAUSED, DUE = 0, 1, 2, 3, 4
"""How jumping ended: at the end, at a trigger that turned true, with a status, after a budget of
steps, before an output."""

_MAX_STEPS, _NON_FINITE, _NEGATIVE = int(Status.MAX_STEPS), int(Status.NON_FINITE), int(Status.NEGATIVE)


class Plan(NamedTuple):
    """A system as bare arrays; see :class:`~haptos.numerics.stochastic.system.StochasticSystem`."""

    n_counts: int
    n_states: int
    all_short: bool
    depth: int
    leaf: int
    change_first: Index
    change_of: Index
    change_by: Array
    coefficient_prologue: Index
    coefficient_body: Index
    coefficient_output: Index
    coefficient_places: Integers  # first prologue, first body, first variable, time
    species: Index
    offset: Array
    n_factors: Index
    law_prologue: Index
    law_body: Index
    law_places: Integers
    law_start: Index
    law_output: Index
    law_jump: Index
    law_of: Index
    depends_first: Index
    depends: Index
    depends_split: Index
    nodes_first: Index
    nodes: Index
    reads_first: Index
    reads: Index
    orders: Array
    trigger_prologue: Index
    trigger_body: Index
    trigger_output: Index
    trigger_places: Integers
    watched: NDArray[np.uint8]
    hot_change_first: Words  # the hot lists once more, unsigned: no test for negative places
    hot_changes: Words
    hot_node_first: Words
    hot_nodes: Words
    short_first: Words  # dependent laws of up to two factors, by jump
    short_place: Words  # in the tree
    short_one: Words  # first and second species, with their offsets
    short_two: Words
    offset_one: Array
    offset_two: Array
    short_jump: Index


class Members(NamedTuple):
    """The rows of a batch: what each member is given and where it stands."""

    keys: NDArray[np.uint64]
    state: Array
    clock: Array
    used: NDArray[np.uint64]
    n_events: Integers
    n_steps: Integers
    cursor: Integers
    status: Integers
    truth: NDArray[np.uint8]
    fired: NDArray[np.uint8]
    moment: Array
    counts: Integers
    levels: Array


class Scratch(NamedTuple):
    """Working arrays of one thread."""

    x: Array
    tree: Array
    coefficients: Array
    short: Array  # coefficients in the order of the dependent laws
    coefficient_work: Array
    law_work: Array
    trigger_work: Array
    stream: NDArray[np.uint64]


@njit(cache=True, nogil=True, inline="always")
def _add_up(tree: Array, i: np.uint64) -> None:
    """Set an inner node to the sum of its children, in pairs."""
    c = _EIGHT * i + _ONE
    left = (tree[c] + tree[c + _ONE]) + (tree[c + _TWO] + tree[c + _THREE])
    right = (tree[c + _FOUR] + tree[c + _FIVE]) + (tree[c + _SIX] + tree[c + _SEVEN])
    tree[i] = left + right


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _choose(tree: Array, depth: int, leaf: np.uint64, mark: float) -> np.uint64:
    """Return the jump in whose stretch of [0, total) the mark lies; never one of propensity zero."""
    i = _ZERO
    for _ in range(depth):
        c = _EIGHT * i + _ONE
        pair, half = tree[c + _TWO] + tree[c + _THREE], tree[c + _FOUR] + tree[c + _FIVE]
        p1 = tree[c]
        p2 = p1 + tree[c + _ONE]
        p3 = p2 + tree[c + _TWO]
        p4 = p2 + pair
        p5 = p4 + tree[c + _FOUR]
        p6 = p4 + half
        p7 = p6 + tree[c + _SIX]
        k = np.uint64(mark >= p1) + np.uint64(mark >= p2) + np.uint64(mark >= p3) + np.uint64(mark >= p4)
        k += np.uint64(mark >= p5) + np.uint64(mark >= p6) + np.uint64(mark >= p7)
        below = p1 if mark >= p1 else 0.0
        below = p2 if mark >= p2 else below
        below = p3 if mark >= p3 else below
        below = p4 if mark >= p4 else below
        below = p5 if mark >= p5 else below
        below = p6 if mark >= p6 else below
        below = p7 if mark >= p7 else below
        mark -= below
        if tree[c + k] <= 0.0:  # only by rounding at the end of a stretch
            while k > _ZERO and tree[c + k] <= 0.0:
                k -= _ONE
        i = c + k
    return i - leaf


@njit(cache=True, nogil=True, error_model="numpy")
def _table(x: Array, species: Index, offset: Array, n_factors: int, coefficient: float, r: int) -> float:
    """Evaluate a law of the table of any number of factors."""
    a = coefficient
    for f in range(n_factors):
        a *= x[species[r, f]] - offset[r, f]
    return float(a)


@njit(cache=True, nogil=True, error_model="numpy")
def prepare(plan: Plan, s: Scratch, parameters: Array) -> int:
    """Take the parameters of a member; returns a status."""
    for k in range(parameters.shape[0]):
        if not np.isfinite(parameters[k]):
            return _NON_FINITE
        if plan.watched[k] and parameters[k] < 0.0:
            return _NEGATIVE
    for k in range(parameters.shape[0]):
        s.coefficient_work[plan.coefficient_places[2] + plan.n_states + k] = parameters[k]
        s.law_work[plan.law_places[2] + plan.n_states + k] = parameters[k]
        s.trigger_work[plan.trigger_places[2] + plan.n_states + k] = parameters[k]
    run(plan.coefficient_prologue, plan.coefficient_places[0], s.coefficient_work)
    run(plan.law_prologue, plan.law_places[0], s.law_work)
    run(plan.trigger_prologue, plan.trigger_places[0], s.trigger_work)
    return 0


@njit(cache=True, nogil=True, error_model="numpy")
def open_piece(plan: Plan, s: Scratch, moment: float) -> int:
    """Evaluate what is constant between two breaks, at a time between them; returns a status."""
    places = plan.coefficient_places
    for i in range(plan.n_states):
        s.coefficient_work[places[2] + i] = s.x[i]
    s.coefficient_work[places[3]] = moment
    run(plan.coefficient_body, places[1], s.coefficient_work)
    for r in range(plan.coefficient_output.shape[0]):
        c = s.coefficient_work[plan.coefficient_output[r]]
        s.coefficients[r] = c
        if not np.isfinite(c):
            return _NON_FINITE
        if c < 0.0:
            return _NEGATIVE
    for k in range(plan.short_jump.shape[0]):
        s.short[k] = s.coefficients[plan.short_jump[k]]
    s.law_work[plan.law_places[3]] = moment
    return all_propensities(plan, s)


@njit(cache=True, nogil=True, error_model="numpy")
def all_propensities(plan: Plan, s: Scratch) -> int:
    """Evaluate all laws and the whole tree; returns a status."""
    for i in range(plan.n_states):
        s.law_work[plan.law_places[2] + i] = s.x[i]
    for r in range(plan.n_factors.shape[0]):
        if plan.n_factors[r] >= 0:
            a = _table(s.x, plan.species, plan.offset, plan.n_factors[r], s.coefficients[r], r)
        else:
            law = plan.law_of[r]
            first, end = plan.law_start[law], plan.law_start[law + 1]
            run(plan.law_body[first:end], plan.law_places[1] + first, s.law_work)
            a = s.law_work[plan.law_output[law]]
        if a < 0.0:
            return _NEGATIVE
        s.tree[plan.leaf + r] = a
    for i in range(plan.leaf - 1, -1, -1):
        _add_up(s.tree, np.uint64(i))
    return 0 if np.isfinite(s.tree[0]) else _NON_FINITE


@njit(cache=True, nogil=True, error_model="numpy")
def examine(plan: Plan, s: Scratch, truth: NDArray[np.uint8], time: float) -> bool:
    """Evaluate the triggers at a time; True, and no note of it, if any turned true."""
    places = plan.trigger_places
    for i in range(plan.n_states):
        s.trigger_work[places[2] + i] = s.x[i]
    s.trigger_work[places[3]] = time
    run(plan.trigger_body, places[1], s.trigger_work)
    for e in range(plan.trigger_output.shape[0]):
        if s.trigger_work[plan.trigger_output[e]] != 0.0 and truth[e] == 0:
            return True
    for e in range(plan.trigger_output.shape[0]):
        truth[e] = s.trigger_work[plan.trigger_output[e]] != 0.0
    return False


@njit(cache=True, nogil=True)
def record(plan: Plan, s: Scratch, m: Members, b: int, times: Array, limit: float, including: bool) -> None:
    """Write the state to all output times below a limit (or up to it) that are still open."""
    k = m.cursor[b]
    while k < times.shape[0] and (times[k] < limit or (including and times[k] == limit)):
        for i in range(plan.n_counts):
            m.counts[b, k, i] = np.int64(s.x[i])
        for i in range(plan.n_counts, plan.n_states):
            m.levels[b, k, i - plan.n_counts] = s.x[i]
        k += 1
    m.cursor[b] = k


@njit(cache=True, nogil=True, error_model="numpy")
def _short_jumps(
    x: Array,
    tree: Array,
    stream: Words,
    short: Array,
    change_first: Words,
    changes: Words,
    change_by: Array,
    short_first: Words,
    short_place: Words,
    short_one: Words,
    short_two: Words,
    offset_one: Array,
    offset_two: Array,
    node_first: Words,
    nodes: Words,
    depth: int,
    first_leaf: np.uint64,
    clock: float,
    pending: float,
    due: float,
    stop: float,
    most: int,
) -> tuple[int, float, float, int]:
    """Jump where all laws are in the table with up to two factors: the loop that decides the speed.

    Returns why it ended, the clock, the time of a jump that was drawn but waits for an
    output at `due` to be written first (nan if none), and the number of jumps. The reason
    is REACHED, PAUSED (budget), DUE, or minus a status.
    """
    t = clock
    n = 0
    while True:
        total = tree[0]
        if total <= 0.0:
            return REACHED, stop, np.nan, n
        if not pending > t:
            if n >= most:
                return PAUSED, t, np.nan, n
            pending = t + exponential(stream) / total
            if pending >= stop:
                return REACHED, stop, np.nan, n
            if due < pending:
                return DUE, t, pending, n
        t = pending
        pending = np.nan
        r = _choose(tree, depth, first_leaf, unit(stream) * total)
        n += 1
        for k in range(change_first[r], change_first[r + _ONE]):
            v = x[changes[k]] + change_by[k]
            x[changes[k]] = v
            if not 0.0 <= v <= MOST:
                return (-_NEGATIVE if v < 0.0 else -_NON_FINITE), t, np.nan, n
        for k in range(short_first[r], short_first[r + _ONE]):
            one = x[short_one[k]] - offset_one[k]
            tree[short_place[k]] = short[k] * one * (x[short_two[k]] - offset_two[k])
        for k in range(node_first[r], node_first[r + _ONE]):
            _add_up(tree, nodes[k])
        if not tree[0] < np.inf:
            return -_NON_FINITE, t, np.nan, n


@njit(cache=True, nogil=True, error_model="numpy")
def _other_laws(plan: Plan, s: Scratch, r: int) -> int:
    """Evaluate the laws of more than two factors and those on tapes that a jump changes; returns a status."""
    for k in range(plan.depends_split[r, 0], plan.depends_split[r, 1]):
        j = plan.depends[k]
        s.tree[plan.leaf + j] = _table(s.x, plan.species, plan.offset, plan.n_factors[j], s.coefficients[j], j)
    for k in range(plan.change_first[r], plan.change_first[r + 1]):
        s.law_work[plan.law_places[2] + plan.change_of[k]] = s.x[plan.change_of[k]]
    for k in range(plan.depends_split[r, 1], plan.depends_first[r + 1]):
        law = plan.law_of[plan.depends[k]]
        first, end = plan.law_start[law], plan.law_start[law + 1]
        run(plan.law_body[first:end], plan.law_places[1] + first, s.law_work)
        a = s.law_work[plan.law_output[law]]
        if a < 0.0:
            return _NEGATIVE
        s.tree[plan.leaf + plan.depends[k]] = a
    return 0


@njit(cache=True, nogil=True, error_model="numpy")
def _any_jumps(
    plan: Plan, s: Scratch, clock: float, pending: float, due: float, stop: float, most: int
) -> tuple[int, float, float, int]:
    """Do what :func:`_short_jumps` does, for laws of all kinds."""
    x, tree, stream, short = s.x, s.tree, s.stream, s.short
    change_first, changes, change_by = plan.hot_change_first, plan.hot_changes, plan.change_by
    short_first, short_place, short_one, short_two = plan.short_first, plan.short_place, plan.short_one, plan.short_two
    offset_one, offset_two = plan.offset_one, plan.offset_two
    node_first, nodes, depth, first_leaf = plan.hot_node_first, plan.hot_nodes, plan.depth, np.uint64(plan.leaf)
    split, depends_first = plan.depends_split, plan.depends_first
    t = clock
    n = 0
    while True:
        total = tree[0]
        if total <= 0.0:
            return REACHED, stop, np.nan, n
        if not pending > t:
            if n >= most:
                return PAUSED, t, np.nan, n
            pending = t + exponential(stream) / total
            if pending >= stop:
                return REACHED, stop, np.nan, n
            if due < pending:
                return DUE, t, pending, n
        t = pending
        pending = np.nan
        r = _choose(tree, depth, first_leaf, unit(stream) * total)
        n += 1
        for k in range(change_first[r], change_first[r + _ONE]):
            v = x[changes[k]] + change_by[k]
            x[changes[k]] = v
            if not 0.0 <= v <= MOST:
                return (-_NEGATIVE if v < 0.0 else -_NON_FINITE), t, np.nan, n
        for k in range(short_first[r], short_first[r + _ONE]):
            one = x[short_one[k]] - offset_one[k]
            tree[short_place[k]] = short[k] * one * (x[short_two[k]] - offset_two[k])
        if split[r, 0] < depends_first[r + _ONE]:
            status = _other_laws(plan, s, int(r))
            if status != 0:
                return -status, t, np.nan, n
        for k in range(node_first[r], node_first[r + _ONE]):
            _add_up(tree, nodes[k])
        if not tree[0] < np.inf:
            return -_NON_FINITE, t, np.nan, n


@njit(cache=True, nogil=True, error_model="numpy")
def exact_piece(
    plan: Plan, s: Scratch, m: Members, b: int, times: Array, stop: float, moment: float, budget: int, max_steps: int
) -> int:
    """Jump from the clock of a member to `stop`; propensities must be up to date.

    Ends early at a trigger, a failure, or after `budget` jumps. ``moment`` is a time
    inside the piece, at which triggers are examined.
    """
    watching = plan.trigger_output.shape[0] > 0
    most = min(budget, max_steps - m.n_steps[b])
    pending = np.nan
    ended = REACHED
    while True:
        due = times[m.cursor[b]] if m.cursor[b] < times.shape[0] else np.inf
        if plan.all_short and not watching:
            ended, t, later, n = _short_jumps(
                s.x,
                s.tree,
                s.stream,
                s.short,
                plan.hot_change_first,
                plan.hot_changes,
                plan.change_by,
                plan.short_first,
                plan.short_place,
                plan.short_one,
                plan.short_two,
                plan.offset_one,
                plan.offset_two,
                plan.hot_node_first,
                plan.hot_nodes,
                plan.depth,
                np.uint64(plan.leaf),
                m.clock[b],
                pending,
                due,
                stop,
                most,
            )
        else:
            step = min(most, 1) if watching else most
            ended, t, later, n = _any_jumps(plan, s, m.clock[b], pending, due, stop, step)
        m.clock[b] = t
        m.n_events[b] += n
        m.n_steps[b] += n
        most -= n
        pending = np.nan
        if ended == DUE:
            record(plan, s, m, b, times, later, False)  # noqa: FBT003
            pending = later
        elif ended < 0:
            m.status[b] = -ended
            return FAILED
        elif watching and n > 0 and examine(plan, s, m.truth[b], moment):
            return FIRED
        elif ended == REACHED or most == 0:
            break
    if ended == PAUSED and m.n_steps[b] >= max_steps:
        m.status[b] = _MAX_STEPS
        ended = FAILED
    return ended
