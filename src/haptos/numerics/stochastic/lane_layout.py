"""Where the quantities of a jump process stand in the working memory of W lanes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from haptos.numerics.operations import OPERATIONS, Op
from haptos.numerics.stochastic.system import StochasticSystem

__all__ = ["MOST_JUMPS", "LaneLayout", "lane_layout", "runs_in_lanes"]

MOST_JUMPS: Final = 128
"""Lanes gain a factor of 4.6 at 16 jumps, 1.9 at 128, 1.2 at 256, where compiling begins to cost."""

_LARGEST_CHANGE: Final = 64

_EXACT: Final = frozenset({
    Op.NEG, Op.ADD, Op.SUB, Op.MUL, Op.DIV, Op.SQRT, Op.ABS, Op.FLOOR, Op.CEIL, Op.MIN, Op.MAX,
    Op.LT, Op.LE, Op.EQ, Op.NE, Op.AND, Op.OR, Op.XOR, Op.NOT, Op.SELECT,
})  # fmt: skip
"""Operations whose bits are the same everywhere."""


@dataclass(frozen=True, slots=True)
class LaneLayout:
    """Rows of the working memory, each of W numbers.

    Attributes
    ----------
    live : int
        1 where a member runs.
    clock, bound : int
        Time; the first number beyond the times up to which the lane may jump unattended.
    pending, total : int
        Time of the next jump and sum of propensities when the kernel returned.
    flag : int
        0, or one of the codes of :mod:`haptos.numerics.stochastic.lane_jumps`.
    keys, first, position : int
        Key of the stream (two rows); whole blocks used before the pairs at hand; how many of
        the pairs at hand are used (whole numbers).
    times, marks : int
        The pairs: exponential deviates and numbers in [0, 1), `pairs` rows each.
    x, coefficients, fixed : int
        States; coefficients of the jumps; what the tapes read and the lane does not change.
    fixed_places : tuple of int
        Where the latter stand in the working array of the tapes.
    n_rows : int
        Rows altogether.
    """

    x: int
    coefficients: int
    fixed: int
    fixed_places: tuple[int, ...]
    n_rows: int
    live: int = 0
    clock: int = 1
    bound: int = 2
    pending: int = 3
    total: int = 4
    flag: int = 5
    keys: int = 6
    first: int = 8
    position: int = 9
    times: int = 10
    marks: int = 42
    pairs: int = 32


def lane_layout(system: StochasticSystem) -> LaneLayout:
    """Lay out the working memory of a system."""
    places = _fixed_places(system)
    x = 74
    coefficients = x + system.n_states
    fixed = coefficients + system.n_jumps
    return LaneLayout(x, coefficients, fixed, places, fixed + len(places))


def _fixed_places(system: StochasticSystem) -> tuple[int, ...]:
    """Return the places that law bodies read: levels, parameters, time, results of prologues."""
    tapes = system.tapes
    moving = tapes.first_variable + system.n_counts
    read = {int(p) for code, *places in tapes.body.tolist() for p in places[: OPERATIONS[Op(code)].arity]}
    read |= {int(p) for p in tapes.output}
    return tuple(sorted(p for p in read if moving <= p < tapes.first_body))


def runs_in_lanes(system: StochasticSystem) -> bool:
    """Whether a system is small enough for lanes, and all its laws have the same bits there."""
    codes = {Op(code) for code in system.tapes.body[:, 0].tolist()}
    changes = system.change_by
    small = 0 < system.n_jumps <= MOST_JUMPS and (changes.size == 0 or abs(changes).max() <= _LARGEST_CHANGE)
    return bool(small and system.events is None and codes <= _EXACT)
