"""Write propensities, their eightfold tree and the search in it for W lanes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from haptos.numerics.engine.program import operate
from haptos.numerics.engine.vectors import Function, Value
from haptos.numerics.expression import Node
from haptos.numerics.operations import OPERATIONS, Op
from haptos.numerics.stochastic.lane_layout import LaneLayout
from haptos.numerics.stochastic.system import StochasticSystem

__all__ = ["LaneLaws", "Search", "Stretch", "changes_of", "either", "invert", "tree"]

EVERYWHERE: Final = Value("splat (i1 true)", "i1")


def changes_of(system: StochasticSystem) -> list[list[tuple[int, float]]]:
    """Return species and change of every jump."""
    first = system.changes.first
    return [
        [(i, float(system.change_by[first[r] + k])) for k, i in enumerate(system.changes.row(r))]
        for r in range(system.n_jumps)
    ]


def either(f: Function, masks: Sequence[Value]) -> list[Value]:
    """Return the union of masks, if there are any."""
    found = list(masks)
    while len(found) > 1:
        found = [*found[2:], f.logic("or", found[0], found[1])]
    return found


def invert(f: Function, mask: Value) -> Value:
    """Return where a mask does not hold."""
    return f.logic("xor", mask, EVERYWHERE)


class LaneLaws:
    """The laws of a system in lanes.

    Parameters
    ----------
    f : Function
        Where to write.
    system : StochasticSystem
        The process.
    layout : LaneLayout
        Its working memory.
    """

    def __init__(self, f: Function, system: StochasticSystem, layout: LaneLayout) -> None:
        self.f, self.system, self.layout = f, system, layout

    def propensities(self, x: Mapping[int, Value]) -> tuple[list[Value], list[Value]]:
        """Return the propensities of the states `x`, and masks of where one is negative."""
        on_tape = self._tapes(x)
        laws = self.system.tapes.law
        found = [self._table(r, x) if laws[r] < 0 else on_tape[int(laws[r])] for r in range(self.system.n_jumps)]
        negative = [self.f.compare("lt", a, self.f.number(0.0)) for a in on_tape]
        return found, either(self.f, negative)

    def _table(self, r: int, x: Mapping[int, Value]) -> Value:
        f, a = self.f, self.f.load(self.layout.coefficients + r)
        for i, offset in self.system.factors[r, : self.system.n_factors[r]].tolist():
            free = f.arithmetic("sub", x[i], f.number(float(offset))) if offset else x[i]
            a = f.arithmetic("mul", a, free)
        return a

    def _tapes(self, x: Mapping[int, Value]) -> list[Value]:
        """Run the bodies of all laws on tapes."""
        tapes, f = self.system.tapes, self.f
        known = {tapes.first_variable + i: x[i] for i in range(self.system.n_counts)}
        known |= {p: f.load(self.layout.fixed + k) for k, p in enumerate(self.layout.fixed_places)}
        known |= {p: f.number(float(tapes.work[p])) for p in range(tapes.first_variable)}
        for k, (code, *places) in enumerate(tapes.body.tolist()):
            op = Op(code)
            operands = [known[p] for p in places[: OPERATIONS[op].arity]]
            known[tapes.first_body + k] = operate(f, Node(op), operands, None)
        return [known[int(p)] for p in tapes.output]

    def may_fall_short(self, i: int) -> bool:
        """Whether a jump could take more molecules of a species than there are.

        It cannot if its law has a factor that vanishes for every number below what it takes.
        """
        system = self.system
        for r, row in enumerate(changes_of(system)):
            taken = max((-by for species, by in row if species == i), default=0.0)
            factors = system.factors[r, : max(int(system.n_factors[r]), 0)].tolist()
            if any([i, lower] not in factors for lower in range(int(taken))):
                return True
        return False


@dataclass(frozen=True, slots=True)
class Stretch:
    """A node of the tree: its sum, the sums before each child, the children or the jump."""

    total: Value
    before: tuple[Value, ...] = ()
    children: tuple[Stretch, ...] = ()
    jump: int = -1


def tree(f: Function, propensities: Sequence[Value]) -> Stretch:
    """Add up propensities eight by eight, in pairs; missing ones are nothing."""
    level = [Stretch(a, jump=r) for r, a in enumerate(propensities)]
    while len(level) > 1 or not level[0].children:
        level = [_node(f, level[i : i + 8]) for i in range(0, len(level), 8)]
    return level[0]


def _node(f: Function, children: Sequence[Stretch]) -> Stretch:
    """Return a node with the partial sums of the kernel's search."""
    s: list[Value | None] = [c.total for c in children]
    s += [None] * (8 - len(s))

    def add(a: Value | None, b: Value | None) -> Value | None:
        return a if b is None else b if a is None else f.arithmetic("add", a, b)

    two, four = add(s[0], s[1]), add(add(s[0], s[1]), add(s[2], s[3]))
    pair = add(s[4], s[5])
    six = add(four, pair)
    total = add(four, add(pair, add(s[6], s[7])))
    before = [s[0], two, add(two, s[2]), four, add(four, s[4]), six, add(six, s[6])]
    assert total is not None
    known = tuple(value for value in before[: len(children)] if value is not None)
    return Stretch(total, known if len(children) < 8 else known[:7], tuple(children))


class Search:
    """Where the mark of each lane lies.

    Attributes
    ----------
    chosen : dict
        Mask of every jump: the lanes that chose it.
    odd : list
        Masks of lanes that rounding leads beyond the last possible child.
    """

    def __init__(self, f: Function) -> None:
        self.f = f
        self.chosen: dict[int, Value] = {}
        self.odd: list[Value] = []

    def below(self, node: Stretch, mark: Value, inside: Value = EVERYWHERE) -> None:
        """Search the children of a node in the lanes that are `inside` it."""
        f, count = self.f, len(node.children)
        reached = [f.logic("and", f.compare("le", start, mark), inside) for start in node.before]
        self.odd.append(self._beyond(node, reached))
        parts = [inside, *reached[: count - 1]]
        for k in range(count - 1):
            parts[k] = f.logic("and", parts[k], invert(f, reached[k]))
        if not node.children[0].children:
            self.chosen |= {child.jump: part for child, part in zip(node.children, parts, strict=True)}
            return
        start = f.number(0.0)
        for k in range(1, count):
            start = f.select(reached[k - 1], node.before[k - 1], start)
        for child, part in zip(node.children, parts, strict=True):
            self.below(child, f.arithmetic("sub", mark, start), part)

    def _beyond(self, node: Stretch, reached: Sequence[Value]) -> Value:
        """Return the lanes in which the kernel would have to walk back to a child with a propensity."""
        f, count = self.f, len(node.children)
        last = f.compare("le", node.children[-1].total, f.number(0.0))
        if count == 8:
            return f.logic("and", reached[6], last)
        walked = reached[count - 1]
        return walked if count == 1 else f.logic("or", walked, f.logic("and", reached[count - 2], last))
