"""The compiled direct method: propensities, search, jumps (numba).

Import this module only inside functions: it imports numba. The readable twin is
:mod:`haptos.numerics.stochastic.reference`.
"""

# ruff: noqa: PLR0912, PLR0915, PLR0917, C901
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

MOST = 9007199254740992.0
"""2**53: counts beyond it are not exact and end a member."""

REACHED, FIRED, FAILED, PAUSED = 0, 1, 2, 3
"""How a piece ended: at its end, at a trigger that turned true, with a status, after a budget of steps."""

_MAX_STEPS, _NON_FINITE, _NEGATIVE = int(Status.MAX_STEPS), int(Status.NON_FINITE), int(Status.NEGATIVE)


class Plan(NamedTuple):
    """A system as bare arrays; see :class:`~haptos.numerics.stochastic.system.StochasticSystem`."""

    n_counts: int
    n_states: int
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
    coefficient_work: Array
    law_work: Array
    trigger_work: Array
    stream: NDArray[np.uint64]


@njit(cache=True, nogil=True)
def _add_up(tree: Array, i: int) -> None:
    """Set an inner node to the sum of its children, in pairs."""
    c = 8 * i + 1
    left = (tree[c] + tree[c + 1]) + (tree[c + 2] + tree[c + 3])
    right = (tree[c + 4] + tree[c + 5]) + (tree[c + 6] + tree[c + 7])
    tree[i] = left + right


@njit(cache=True, nogil=True, error_model="numpy")
def _choose(tree: Array, depth: int, leaf: int, mark: float) -> int:
    """Return the jump in whose stretch of [0, total) the mark lies; never one of propensity zero."""
    i = 0
    for _ in range(depth):
        c = 8 * i + 1
        p1 = tree[c]
        p2 = p1 + tree[c + 1]
        p3 = p2 + tree[c + 2]
        p4 = p3 + tree[c + 3]
        p5 = p4 + tree[c + 4]
        p6 = p5 + tree[c + 5]
        p7 = p6 + tree[c + 6]
        k = 0
        below = 0.0
        for p in (p1, p2, p3, p4, p5, p6, p7):
            over = mark >= p
            k += over
            below = p if over else below
        mark -= below
        while k > 0 and tree[c + k] <= 0.0:
            k -= 1
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
        _add_up(s.tree, i)
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
def _rise(x: Array, of: Index, by: Array, first: int, end: int) -> int:
    """Let a jump happen; returns a status."""
    for k in range(first, end):
        v = x[of[k]] + by[k]
        x[of[k]] = v
        if not 0.0 <= v <= MOST:
            return _NEGATIVE if v < 0.0 else _NON_FINITE
    return 0


@njit(cache=True, nogil=True, error_model="numpy")
def exact_piece(
    plan: Plan, s: Scratch, m: Members, b: int, times: Array, stop: float, moment: float, budget: int, max_steps: int
) -> int:
    """Jump from the clock of a member to `stop`; propensities must be up to date.

    Ends early at a trigger, a failure, or after `budget` jumps. ``moment`` is a time
    inside the piece, at which triggers are examined.
    """
    x, tree, coefficients, stream = s.x, s.tree, s.coefficients, s.stream
    change_first, change_of, change_by = plan.change_first, plan.change_of, plan.change_by
    depends_first, depends, split = plan.depends_first, plan.depends, plan.depends_split
    nodes_first, nodes, depth, leaf = plan.nodes_first, plan.nodes, plan.depth, plan.leaf
    species, offset, n_factors = plan.species, plan.offset, plan.n_factors
    law_of, law_start, law_body, law_output = plan.law_of, plan.law_start, plan.law_body, plan.law_output
    law_work, law_variable, law_first = s.law_work, plan.law_places[2], plan.law_places[1]
    watching = plan.trigger_output.shape[0] > 0
    t = m.clock[b]
    due = times[m.cursor[b]] if m.cursor[b] < times.shape[0] else np.inf
    n = 0
    most = min(budget, max_steps - m.n_steps[b])
    ended = REACHED
    while True:
        total = tree[0]
        if total <= 0.0:
            t = stop
            break
        if n >= most:
            ended = PAUSED
            break
        later = t + exponential(stream) / total
        if later >= stop:
            t = stop
            break
        t = later
        if due < t:
            record(plan, s, m, b, times, t, False)  # noqa: FBT003
            due = times[m.cursor[b]] if m.cursor[b] < times.shape[0] else np.inf
        r = _choose(tree, depth, leaf, unit(stream) * total)
        n += 1
        status = _rise(x, change_of, change_by, change_first[r], change_first[r + 1])
        for k in range(depends_first[r], split[r, 0]):
            j = depends[k]
            one = x[species[j, 0]] - offset[j, 0]
            tree[leaf + j] = coefficients[j] * one * (x[species[j, 1]] - offset[j, 1])
        for k in range(split[r, 0], split[r, 1]):
            j = depends[k]
            tree[leaf + j] = _table(x, species, offset, n_factors[j], coefficients[j], j)
        if split[r, 1] < depends_first[r + 1]:
            for k in range(change_first[r], change_first[r + 1]):
                law_work[law_variable + change_of[k]] = x[change_of[k]]
            for k in range(split[r, 1], depends_first[r + 1]):
                law = law_of[depends[k]]
                run(law_body[law_start[law] : law_start[law + 1]], law_first + law_start[law], law_work)
                a = law_work[law_output[law]]
                tree[leaf + depends[k]] = a
                if a < 0.0:
                    status = _NEGATIVE
        for k in range(nodes_first[r], nodes_first[r + 1]):
            _add_up(tree, nodes[k])
        if status == 0 and not tree[0] < np.inf:
            status = _NON_FINITE
        if status != 0:
            m.status[b] = status
            ended = FAILED
            break
        if watching and examine(plan, s, m.truth[b], moment):
            ended = FIRED
            break
    m.clock[b] = t
    m.n_events[b] += n
    m.n_steps[b] += n
    if ended == PAUSED and m.n_steps[b] >= max_steps:
        m.status[b] = _MAX_STEPS
        ended = FAILED
    return ended
