"""Which entries of a sparse LU factorisation are not zero, and in which order to eliminate.

Pivots are taken from the diagonal in an order fixed once per model [Markowitz1957]_: at
every point the one with the least number of new products. The matrix I/(gamma h) - J of
a Rosenbrock step allows that, because the step size control shortens a step whose
result is not good.

References
----------
.. [Markowitz1957] H. M. Markowitz, Manag. Sci. 3, 255-269 (1957).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Elimination", "RowPlan", "plan_elimination"]


@dataclass(frozen=True, slots=True)
class RowPlan:
    """What is done to one row of the matrix.

    Attributes
    ----------
    row : int
        Which row, and so which unknown.
    diagonal : int
        Slot of the pivot; after elimination it holds the inverse of the pivot.
    lower : tuple of (int, int)
        Earlier pivots with an entry in this row: unknown and slot, in order of elimination.
    upper : tuple of (int, int)
        Later unknowns with an entry in this row: unknown and slot.
    pivots : tuple of int
        For each of `lower` the slot of that pivot (its inverse).
    updates : tuple of tuple of (int, int)
        For each of `lower` the pairs (target, source): target -= factor * source.
    """

    row: int
    diagonal: int
    lower: tuple[tuple[int, int], ...]
    upper: tuple[tuple[int, int], ...]
    pivots: tuple[int, ...]
    updates: tuple[tuple[tuple[int, int], ...], ...]


@dataclass(frozen=True, slots=True)
class Elimination:
    """A static plan of factorisation.

    Attributes
    ----------
    rows : tuple of RowPlan
        In order of elimination.
    slots : dict
        Position of every entry (row, column) in the array of values.
    n_slots : int
        Number of entries, fill-in included.
    n_products : int
        Multiply-subtract operations of one factorisation.
    """

    rows: tuple[RowPlan, ...]
    slots: dict[tuple[int, int], int]
    n_slots: int
    n_products: int


def plan_elimination(n: int, entries: Iterable[tuple[int, int]]) -> Elimination:
    """Order the pivots and find the fill-in.

    Parameters
    ----------
    n : int
        Number of rows.
    entries : iterable of (int, int)
        Row and column of every entry that is not identically zero; the diagonal is added.

    Examples
    --------
    >>> arrow = [(0, i) for i in range(4)] + [(i, 0) for i in range(4)]
    >>> plan = plan_elimination(4, arrow)
    >>> plan.n_slots, plan.rows[-2].row, plan.n_products
    (10, 0, 3)
    """
    order, right, below = _order(n, {*entries, *((i, i) for i in range(n))})
    slots: dict[tuple[int, int], int] = {}
    place = {row: position for position, row in enumerate(order)}
    plans = []
    lower_of: dict[int, list[int]] = {row: [] for row in order}
    for pivot in order:
        for row in below[pivot]:
            lower_of[row].append(pivot)
    n_products = 0
    for row in order:
        lower = lower_of[row]
        upper = sorted(right[row], key=place.__getitem__)
        for column in (*lower, row, *upper):
            slots[row, column] = len(slots)
        updates = tuple(
            tuple((slots[row, j], slots[k, j]) for j in sorted(right[k], key=place.__getitem__)) for k in lower
        )
        n_products += sum(len(u) for u in updates)
        plans.append(
            RowPlan(
                row=row,
                diagonal=slots[row, row],
                lower=tuple((k, slots[row, k]) for k in lower),
                upper=tuple((j, slots[row, j]) for j in upper),
                pivots=tuple(slots[k, k] for k in lower),
                updates=updates,
            )
        )
    return Elimination(tuple(plans), slots, len(slots), n_products)


def _order(n: int, entries: set[tuple[int, int]]) -> tuple[list[int], dict[int, list[int]], dict[int, list[int]]]:
    """Return the pivots, and for each its later columns and its later rows."""
    columns: list[set[int]] = [set() for _ in range(n)]
    rows: list[set[int]] = [set() for _ in range(n)]
    for i, j in entries:
        if i != j:
            columns[i].add(j)
            rows[j].add(i)
    left = set(range(n))
    order: list[int] = []
    right: dict[int, list[int]] = {}
    below: dict[int, list[int]] = {}
    while left:
        pivot = min(left, key=lambda i: (len(columns[i]) * len(rows[i]), i))
        left.remove(pivot)
        order.append(pivot)
        right[pivot], below[pivot] = sorted(columns[pivot]), sorted(rows[pivot])
        for i in below[pivot]:
            columns[i].discard(pivot)
            columns[i].update(j for j in right[pivot] if j != i)
        for j in right[pivot]:
            rows[j].discard(pivot)
            rows[j].update(i for i in below[pivot] if i != j)
    return order, right, below
