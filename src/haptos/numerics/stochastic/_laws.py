"""Compiled propensities: laws from tables and tapes, and the tree of their sums (numba).

Import this module only inside functions: it imports numba.
"""

# Kernels take bare arrays.

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from haptos.errors import Status
from haptos.numerics._kernels import run
from haptos.numerics.stochastic._jit import part_jit
from haptos.numerics.stochastic._plan import Plan, Scratch

__all__ = ["add_up", "all_propensities", "open_piece", "prepare"]

Array = NDArray[np.float64]
Index = NDArray[np.int32]

_ONE, _TWO, _THREE, _FOUR = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
_FIVE, _SIX, _SEVEN, _EIGHT = np.uint64(5), np.uint64(6), np.uint64(7), np.uint64(8)

_NON_FINITE, _NEGATIVE = int(Status.NON_FINITE), int(Status.NEGATIVE)


@njit(cache=True, nogil=True, inline="always")
def add_up(tree: Array, i: np.uint64) -> None:
    """Set an inner node to the sum of its children, in pairs."""
    c = _EIGHT * i + _ONE
    left = (tree[c] + tree[c + _ONE]) + (tree[c + _TWO] + tree[c + _THREE])
    right = (tree[c + _FOUR] + tree[c + _FIVE]) + (tree[c + _SIX] + tree[c + _SEVEN])
    tree[i] = left + right


@part_jit
def _table(x: Array, species: Index, offset: Array, n_factors: int, coefficient: float, r: int) -> float:
    """Evaluate a law of the table of any number of factors."""
    a = coefficient
    for f in range(n_factors):
        a *= x[species[r, f]] - offset[r, f]
    return float(a)


@part_jit
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


@part_jit
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


@part_jit
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
        add_up(s.tree, np.uint64(i))
    return 0 if np.isfinite(s.tree[0]) else _NON_FINITE
