"""Write the factorisation of I/(gamma h) - J and the solution with it.

Small and middle-sized plans are written out without loops; from :data:`UNROLLED`
products on, the factorisation reads its plan from tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from haptos.numerics.engine.layout import Layout
from haptos.numerics.engine.structure import Elimination, RowPlan
from haptos.numerics.engine.vectors import Function, Module, Value, entry_of, table

__all__ = ["UNROLLED", "emit_factor", "emit_solve"]

UNROLLED: Final = 6000
"""Most products that are written out: beyond it compiling takes longer than it saves."""

_PART: Final = 1200
"""Products per function."""


def emit_factor(module: Module, plan: Elimination, layout: Layout, unrolled: int = UNROLLED) -> list[str]:
    """Write the factorisation; returns the names of the functions to call in turn."""
    if plan.n_products > unrolled:
        return [_listed(module, plan, layout)]
    names: list[str] = []
    for rows in _parts([(r, sum(len(u) for u in r.updates) + 2) for r in plan.rows]):
        f = Function(module)
        shift = f.load(layout.shift)
        for row in rows:
            _factor_row(f, row, layout, shift)
        f.line("ret void")
        names.append(f"factor{len(names)}")
        module.add(f.text(f"internal void @{names[-1]}(ptr noalias %w)"))
    return names


def _factor_row(f: Function, row: RowPlan, layout: Layout, shift: Value) -> None:
    """Eliminate one row; its entries stay in registers meanwhile."""
    slots = [slot for _, slot in row.lower] + [row.diagonal] + [slot for _, slot in row.upper]
    entry = {slot: f.load(layout.matrix + slot) for slot in slots}
    entry[row.diagonal] = f.arithmetic("add", entry[row.diagonal], shift)
    for (_, slot), inverse_slot, updates in zip(row.lower, row.pivots, row.updates, strict=True):
        factor = f.arithmetic("mul", entry[slot], f.load(layout.matrix + inverse_slot))
        entry[slot], negative = factor, f.rounded("fneg", factor)
        for target, source in updates:
            entry[target] = f.fused(negative, f.load(layout.matrix + source), entry[target])
    entry[row.diagonal] = f.arithmetic("div", f.number(1.0), entry[row.diagonal])
    for slot in slots:
        f.store(entry[slot], layout.matrix + slot)


def _listed(module: Module, plan: Elimination, layout: Layout) -> str:
    """Write the factorisation as loops over tables."""
    ops = [op for row in plan.rows for op in zip(row.lower, row.pivots, row.updates, strict=True)]
    ends, total, row_ends = [0], 0, [0]
    for _, _, updates in ops:
        total += len(updates)
        ends.append(total)
    for row in plan.rows:
        row_ends.append(row_ends[-1] + len(row.lower))
    at = layout.matrix
    module.add(table("row_ends", row_ends))
    module.add(table("diagonals", (at + row.diagonal for row in plan.rows)))
    module.add(table("factors", (at + slot for (_, slot), _, _ in ops)))
    module.add(table("pivots", (at + pivot for _, pivot, _ in ops)))
    module.add(table("ends", ends))
    module.add(table("targets", (at + t for _, _, updates in ops for t, _ in updates)))
    module.add(table("sources", (at + s for _, _, updates in ops for _, s in updates)))
    f = Function(module)
    shift, one = f.load(layout.shift), f.number(1.0)
    with f.loop("0", str(len(plan.rows))) as row_turn:
        diagonal = entry_of(f, "diagonals", row_turn.index)
        f.store(f.arithmetic("add", f.load(diagonal), shift), diagonal)
        first, last = entry_of(f, "row_ends", row_turn.index), entry_of(f, "row_ends", f.plus(row_turn.index, 1))
        with _unless_empty(f, first, last), f.loop(first, last) as op_turn:
            place = entry_of(f, "factors", op_turn.index)
            factor = f.arithmetic("mul", f.load(place), f.load(entry_of(f, "pivots", op_turn.index)))
            f.store(factor, place)
            negative = f.rounded("fneg", factor)
            begin, end = entry_of(f, "ends", op_turn.index), entry_of(f, "ends", f.plus(op_turn.index, 1))
            with _unless_empty(f, begin, end), f.loop(begin, end) as turn:
                target = entry_of(f, "targets", turn.index)
                source = f.load(entry_of(f, "sources", turn.index))
                f.store(f.fused(negative, source, f.load(target)), target)
        f.store(f.arithmetic("div", one, f.load(diagonal)), diagonal)
    f.line("ret void")
    module.add(f.text("internal void @factor(ptr noalias %w)"))
    return "factor"


@contextmanager
def _unless_empty(f: Function, first: str, last: str) -> Iterator[None]:
    """Skip what is written inside where first == last."""
    some, inside, after = f.fresh("s"), f.fresh("I")[1:], f.fresh("E")[1:]
    f.line(f"{some} = icmp slt i64 {first}, {last}")
    f.line(f"br i1 {some}, label %{inside}, label %{after}")
    f.line(f"{inside}:")
    yield
    f.line(f"br label %{after}")
    f.line(f"{after}:")


def emit_solve(module: Module, plan: Elimination, layout: Layout) -> list[str]:
    """Write the solution for the right-hand side ``rates + carried``, into ``%u``.

    Returns the names of the functions to call in turn, as ``name(w, u)``.
    """
    names: list[str] = []
    for backward in (False, True):
        ordered = list(reversed(plan.rows)) if backward else list(plan.rows)
        sized = [(row, len(row.upper if backward else row.lower) + 2) for row in ordered]
        for rows in _parts(sized):
            f = Function(module)
            known: dict[int, Value] = {}
            for row in rows:
                _substitute(f, row, layout, known, backward)
            f.line("ret void")
            names.append(f"solve{len(names)}")
            module.add(f.text(f"internal void @{names[-1]}(ptr noalias %w, ptr noalias %u)"))
    return names


def _substitute(f: Function, row: RowPlan, layout: Layout, known: dict[int, Value], backward: bool) -> None:
    """Compute one unknown of the forward or backward substitution."""
    if backward:
        value = f.load(row.row, "%u")
    else:
        value = f.arithmetic("add", f.load(layout.rates + row.row), f.load(layout.carried + row.row))
    for other, slot in row.upper if backward else row.lower:
        if other not in known:
            known[other] = f.load(other, "%u")
        value = f.fused(f.rounded("fneg", f.load(layout.matrix + slot)), known[other], value)
    if backward:
        value = f.arithmetic("mul", value, f.load(layout.matrix + row.diagonal))
    known[row.row] = value
    f.store(value, row.row, "%u")


def _parts(rows: list[tuple[RowPlan, int]]) -> list[list[RowPlan]]:
    """Cut rows with their lengths into groups of limited length."""
    parts: list[list[RowPlan]] = []
    length = _PART
    for row, size in rows:
        if length >= _PART:
            parts.append([])
            length = 0
        parts[-1].append(row)
        length += size
    return parts
