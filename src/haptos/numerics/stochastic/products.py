"""Take rate laws apart: forward and backward parts, factors of a product, orders.

All functions read and build expressions over species, other variables and time; they
know nothing of units.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from haptos.numerics.expression import GraphBuilder
from haptos.numerics.operations import Op

__all__ = ["Parts", "Product", "factors_of", "falling", "order_of", "sign_bearers", "split_signs", "vanishes_without"]

_NEVER_NEGATIVE: Final = frozenset(
    {Op.EXP, Op.SQRT, Op.ABS, Op.COSH, Op.ACOS} | {Op.LT, Op.LE, Op.EQ, Op.NE, Op.AND, Op.OR, Op.XOR, Op.NOT}
)


_UNSIGNED: Final[Mapping[Op, tuple[int, ...]]] = {Op.POW: (1,), Op.SELECT: (0,)}
"""Operands whose sign does not decide that of the result."""


@dataclass(frozen=True, slots=True)
class Parts:
    """An expression as the difference ``plus - minus`` of two that are not negative.

    Attributes
    ----------
    plus, minus : int
        Expressions; the constant 0 if the part is empty.
    proven : bool
        Whether neither part can be negative as long as no variable is.
    """

    plus: int
    minus: int
    proven: bool


def split_signs(builder: GraphBuilder, root: int) -> Parts:
    """Split an expression into what is added and what is subtracted.

    Products are distributed over sums as far as needed, quotients over their numerator.

    Parameters
    ----------
    builder : GraphBuilder
        Where `root` lives and the parts are built.
    root : int
        The expression; variables count as not negative.

    Examples
    --------
    >>> b = GraphBuilder()
    >>> v, f, a, r, c = (b.variable(i) for i in range(5))
    >>> parts = split_signs(b, b.mul(v, b.sub(b.mul(f, a), b.mul(r, c))))
    >>> parts.proven, parts.plus == b.mul(v, b.mul(f, a)), parts.minus == b.mul(v, b.mul(r, c))
    (True, True, True)
    """
    done: dict[int, Parts] = {}
    for position in builder.reachable([root]):
        done[position] = _split_one(builder, position, done)
    return done[root]


def _split_one(b: GraphBuilder, position: int, done: Mapping[int, Parts]) -> Parts:
    op, operands, value = b.nodes[position]
    zero = b.constant(0.0)
    parts = [done[i] for i in operands]
    bearing = [p for i, p in enumerate(parts) if i not in _UNSIGNED.get(op, ())]
    proven = all(p.proven for p in bearing)
    if op is Op.CONSTANT:
        negative = value < 0.0
        return Parts(zero, b.constant(-value), proven=True) if negative else Parts(position, zero, proven=True)
    if op in (Op.VARIABLE, Op.TIME):
        return Parts(position, zero, proven=op is Op.VARIABLE)
    if all(p.minus == zero for p in bearing) and op in (Op.ADD, Op.MUL, Op.DIV, Op.POW, Op.MIN, Op.MAX, Op.SELECT):
        return Parts(position, zero, proven)
    rule = _RULES.get(op)
    split = rule(b, parts, operands) if rule is not None else None
    if split is not None:
        return Parts(*split, proven)
    return Parts(position, zero, proven=op in _NEVER_NEGATIVE)


def sign_bearers(builder: GraphBuilder, root: int) -> frozenset[int]:
    """Return the variables that :func:`split_signs` took as not negative."""
    found: set[int] = set()
    todo, seen = [root], {root}
    while todo:
        op, operands, value = builder.nodes[todo.pop()]
        if op is Op.VARIABLE:
            found.add(int(value))
        elif op not in _NEVER_NEGATIVE:
            bearing = {o for i, o in enumerate(operands) if i not in _UNSIGNED.get(op, ())} - seen
            seen |= bearing
            todo += bearing
    return frozenset(found)


def _sum(b: GraphBuilder, parts: Sequence[Parts], _: Sequence[int]) -> tuple[int, int]:
    x, y = parts
    return b.add(x.plus, y.plus), b.add(x.minus, y.minus)


def _difference(b: GraphBuilder, parts: Sequence[Parts], _: Sequence[int]) -> tuple[int, int]:
    x, y = parts
    return b.add(x.plus, y.minus), b.add(x.minus, y.plus)


def _negation(_: GraphBuilder, parts: Sequence[Parts], __: Sequence[int]) -> tuple[int, int]:
    return parts[0].minus, parts[0].plus


def _product(b: GraphBuilder, parts: Sequence[Parts], _: Sequence[int]) -> tuple[int, int]:
    x, y = parts
    plus = b.add(b.mul(x.plus, y.plus), b.mul(x.minus, y.minus))
    return plus, b.add(b.mul(x.plus, y.minus), b.mul(x.minus, y.plus))


def _quotient(b: GraphBuilder, parts: Sequence[Parts], operands: Sequence[int]) -> tuple[int, int] | None:
    if parts[1].minus != b.constant(0.0):
        return None
    return b.div(parts[0].plus, operands[1]), b.div(parts[0].minus, operands[1])


def _choice(b: GraphBuilder, parts: Sequence[Parts], operands: Sequence[int]) -> tuple[int, int]:
    condition, (_, yes, no) = operands[0], parts
    return b.select(condition, yes.plus, no.plus), b.select(condition, yes.minus, no.minus)


def _power(b: GraphBuilder, parts: Sequence[Parts], operands: Sequence[int]) -> tuple[int, int] | None:
    """Accept a base that cannot be negative with any exponent."""
    if parts[0].minus != b.constant(0.0):
        return None
    return b.apply(Op.POW, *operands), b.constant(0.0)


_Rule = Callable[[GraphBuilder, Sequence[Parts], Sequence[int]], tuple[int, int] | None]

_RULES: Final[Mapping[Op, _Rule]] = {
    Op.ADD: _sum,
    Op.SUB: _difference,
    Op.NEG: _negation,
    Op.MUL: _product,
    Op.DIV: _quotient,
    Op.SELECT: _choice,
    Op.POW: _power,
}


@dataclass(slots=True)
class Product:
    """Factors of an expression.

    Attributes
    ----------
    species : dict of (int, int) to int
        How often each factor ``variable - offset`` occurs, by (variable, offset).
    above, below : list of int
        Other expressions that multiply and divide.
    """

    species: dict[tuple[int, int], int] = field(default_factory=dict)
    above: list[int] = field(default_factory=list)
    below: list[int] = field(default_factory=list)

    def build(self, builder: GraphBuilder) -> int:
        """Return the product as an expression."""
        chosen = [factor for factor, times in sorted(self.species.items()) for _ in range(times)]
        numbers = [builder.sub(builder.variable(i), builder.constant(float(c))) for i, c in chosen]
        result = builder.product([*self.above, *numbers])
        return builder.div(result, builder.product(self.below)) if self.below else result

    def power(self, variable: int) -> int:
        """Return how often the plain `variable` is a factor."""
        return self.species.get((variable, 0), 0)


def factors_of(builder: GraphBuilder, root: int, is_species: Callable[[int], bool]) -> Product:
    """Take a product apart, down to whole powers of species and of ``species - whole number``.

    Examples
    --------
    >>> b = GraphBuilder()
    >>> x, k = b.variable(0), b.variable(1)
    >>> law = b.mul(b.mul(k, x), b.sub(x, b.constant(1.0)))
    >>> factors_of(b, law, lambda i: i == 0).species
    {(0, 0): 1, (0, 1): 1}
    """
    product = Product()
    todo: list[tuple[int, bool]] = [(root, True)]
    while todo:
        position, above = todo.pop()
        op, operands, _ = builder.nodes[position]
        factor = _species_factor(builder, position, is_species) if above else None
        if op is Op.MUL:
            todo += [(operands[1], above), (operands[0], above)]
        elif op is Op.DIV:
            todo += [(operands[1], not above), (operands[0], above)]
        elif factor is not None:
            key, times = factor
            product.species[key] = product.species.get(key, 0) + times
        else:
            (product.above if above else product.below).append(position)
    return product


def _species_factor(
    b: GraphBuilder, position: int, is_species: Callable[[int], bool]
) -> tuple[tuple[int, int], int] | None:
    """Recognise ``x``, ``x - 2``, ``x**3``; return ((variable, offset), times)."""
    op, operands, value = b.nodes[position]
    if op is Op.VARIABLE and is_species(int(value)):
        return (int(value), 0), 1
    if op is Op.POW:
        inner = _species_factor(b, operands[0], is_species)
        times = _whole(b, operands[1])
        if inner is not None and times is not None and 1 <= times <= 4:
            return inner[0], inner[1] * times
    if op is Op.SUB:
        inner = _species_factor(b, operands[0], is_species)
        offset = _whole(b, operands[1])
        if inner is not None and inner[1] == 1 and offset is not None and 0 <= offset <= 8:
            return (inner[0][0], inner[0][1] + offset), 1
    return None


def _whole(b: GraphBuilder, position: int) -> int | None:
    op, _, value = b.nodes[position]
    return int(value) if op is Op.CONSTANT and value == int(value) and abs(value) < 100 else None


def falling(product: Product, reactants: Mapping[int, int]) -> Product:
    """Replace powers by falling factorials where a reaction takes as many molecules.

    ``x**m`` becomes ``x (x - 1) ... (x - m + 1)`` for every species of which the reaction
    takes m >= 2 molecules and whose plain power in the law is exactly m: the number of
    ways to choose them, in the normalisation of deterministic laws.

    Parameters
    ----------
    product : Product
        The law.
    reactants : mapping of int to int
        Molecules of each species that the reaction takes.
    """
    species = dict(product.species)
    for variable, count in reactants.items():
        written_out = any(i == variable and offset > 0 for i, offset in species)
        if count >= 2 and product.power(variable) == count and not written_out:
            species[variable, 0] = 1
            species |= {(variable, offset): 1 for offset in range(1, count)}
    return Product(species, list(product.above), list(product.below))


def vanishes_without(builder: GraphBuilder, root: int, variable: int) -> bool:
    """Whether an expression is zero where a variable is, by its structure."""
    zero: dict[int, bool] = {}
    for position in builder.reachable([root]):
        op, operands, value = builder.nodes[position]
        known = [zero[i] for i in operands]
        if op is Op.CONSTANT:
            zero[position] = value == 0.0
        elif op is Op.VARIABLE:
            zero[position] = int(value) == variable
        elif op in (Op.MUL, Op.AND):
            zero[position] = any(known)
        elif op in (Op.ADD, Op.SUB, Op.MIN, Op.MAX):
            zero[position] = all(known)
        elif op is Op.SELECT:
            zero[position] = all(known[1:])
        elif op is Op.POW:
            exponent = builder.nodes[operands[1]]
            zero[position] = known[0] and exponent.op is Op.CONSTANT and exponent.value > 0.0
        else:
            zero[position] = known[0] and op in (Op.DIV, Op.NEG, Op.SQRT, Op.ABS)
    return zero[root]


def order_of(builder: GraphBuilder, root: int, species: Iterable[int]) -> float:
    """Bound the relative change of an expression by that of its species.

    Returns
    -------
    float
        g such that a relative change of all species by e changes the expression
        relatively by at most about g e; infinite if the structure proves no bound.

    Examples
    --------
    >>> b = GraphBuilder()
    >>> x, k = b.variable(0), b.variable(1)
    >>> order_of(b, b.div(b.mul(k, b.mul(x, x)), b.add(k, x)), [0])
    3.0
    """
    wanted = frozenset(species)
    g: dict[int, float] = {}
    for position in builder.reachable([root]):
        op, operands, value = builder.nodes[position]
        known = [g[i] for i in operands]
        if op is Op.VARIABLE:
            g[position] = 1.0 if int(value) in wanted else 0.0
        elif max(known, default=0.0) == 0.0:
            g[position] = 0.0
        elif op in (Op.MUL, Op.DIV):
            g[position] = known[0] + known[1]
        elif op in (Op.ADD, Op.MIN, Op.MAX) or (op is Op.SELECT and known[0] == 0.0):
            g[position] = max(known)
        elif op is Op.POW and builder.nodes[operands[1]].op is Op.CONSTANT:
            g[position] = known[0] * abs(builder.nodes[operands[1]].value)
        elif op is Op.SQRT:
            g[position] = 0.5 * known[0]
        else:
            g[position] = float("inf")
    return g[root]
