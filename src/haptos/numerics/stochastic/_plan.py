"""The bare arrays that the stochastic kernels share, and how a stretch of jumps ends."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["DUE", "FAILED", "FIRED", "MOST", "PAUSED", "REACHED", "Members", "Plan", "Scratch"]

Array = NDArray[np.float64]
Index = NDArray[np.int32]
Integers = NDArray[np.int64]
Words = NDArray[np.uint64]

MOST: Final = 9007199254740992.0
"""2**53: counts beyond it are not exact and end a member."""

REACHED, FIRED, FAILED, PAUSED, DUE = 0, 1, 2, 3, 4
"""How jumping ended: at the end, at a trigger that turned true, with a status, after a budget of steps,
before an output."""


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
    law_of: Index
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
    long_first: Words  # dependent laws of more factors, by jump
    long_laws: Words
    factor_first: Words  # factors of every law in the table
    factors: Words
    offsets: Array
    tape_first: Words  # dependent laws on tapes, by jump
    tape_laws: Words
    tape_start: Words
    tape_output: Words
    tape_jump: Words
    law_at: Words  # first variable, first place of the bodies


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
