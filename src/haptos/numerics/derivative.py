"""Symbolic derivatives, forward through the graph, keeping only what is not zero."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from types import MappingProxyType

from haptos.numerics.expression import GraphBuilder, Node
from haptos.numerics.operations import Op

__all__ = ["TIME_AXIS", "gradients"]

TIME_AXIS = -1
"""Stands for time in the place of a variable index."""

_Build = GraphBuilder
_Flat = frozenset({Op.FLOOR, Op.CEIL, Op.LT, Op.LE, Op.EQ, Op.NE, Op.AND, Op.OR, Op.XOR, Op.NOT})


def gradients(builder: GraphBuilder, roots: Sequence[int], variables: Collection[int]) -> list[dict[int, int]]:
    """Differentiate expressions with respect to variables.

    Parameters
    ----------
    builder : GraphBuilder
        Where `roots` live and the derivatives are built.
    roots : sequence of int
        Expressions to differentiate.
    variables : collection of int
        Indices of the variables; :data:`TIME_AXIS` stands for time.

    Returns
    -------
    list of dict
        For each root, variable index to the position of the derivative. Absent means
        identically zero.

    Notes
    -----
    Steps (comparisons, floor, ceil) have derivative zero; at a kink of ``abs``, ``min``,
    ``max`` or ``select`` the value of one side is taken.

    Examples
    --------
    >>> b = GraphBuilder()
    >>> x = b.variable(0)
    >>> [df] = gradients(b, [b.mul(x, x)], [0])
    >>> float(b.freeze().evaluate([df[0]], [3.0])[0])
    6.0
    """
    wanted = frozenset(variables)
    known: dict[int, dict[int, int]] = {}
    for position in builder.reachable(roots):
        node = builder.nodes[position]
        if node.op is Op.VARIABLE or node.op is Op.TIME:
            axis = TIME_AXIS if node.op is Op.TIME else int(node.value)
            known[position] = {axis: builder.constant(1.0)} if axis in wanted else {}
        else:
            known[position] = _chain(builder, position, node, known)
    return [known[root] for root in roots]


def _chain(b: GraphBuilder, position: int, node: Node, known: Mapping[int, dict[int, int]]) -> dict[int, int]:
    """Combine the gradients of the operands by the chain rule."""
    inner = [known[i] for i in node.operands]
    if node.op in _Flat or not any(inner):
        return {}
    zero = b.constant(0.0)
    rule = _RULES[node.op]
    result: dict[int, int] = {}
    for axis in dict.fromkeys(axis for gradient in inner for axis in gradient):
        slopes = [gradient.get(axis, zero) for gradient in inner]
        slope = rule(b, position, node.operands, slopes)
        if slope != zero:
            result[axis] = slope
    return result


_Rule = Callable[[GraphBuilder, int, tuple[int, ...], list[int]], int]


def _unary(outer: Callable[[GraphBuilder, int, int], int]) -> _Rule:
    """Make a rule from the derivative of a function of one operand: f(builder, x, f(x))."""

    def rule(b: _Build, position: int, operands: tuple[int, ...], slopes: list[int]) -> int:
        return b.mul(outer(b, operands[0], position), slopes[0])

    return rule


def _mul(b: _Build, _p: int, operands: tuple[int, ...], slopes: list[int]) -> int:
    zero = b.constant(0.0)
    if slopes[1] == zero:
        return b.mul(slopes[0], operands[1])
    if slopes[0] == zero:
        return b.mul(operands[0], slopes[1])
    return b.add(b.mul(slopes[0], operands[1]), b.mul(operands[0], slopes[1]))


def _div(b: _Build, position: int, operands: tuple[int, ...], slopes: list[int]) -> int:
    return b.div(b.sub(slopes[0], b.mul(position, slopes[1])), operands[1])


def _pow(b: _Build, position: int, operands: tuple[int, ...], slopes: list[int]) -> int:
    """Differentiate a^b; the term of the exponent is zero at a = 0, where ln a is not finite."""
    base, exponent = operands
    zero = b.constant(0.0)
    lowered = b.apply(Op.POW, base, b.sub(exponent, b.constant(1.0)))
    by_base = b.mul(b.mul(exponent, lowered), slopes[0])
    if slopes[1] == zero:
        return by_base
    logarithmic = b.mul(position, b.apply(Op.LN, base))
    safe = b.select(b.apply(Op.EQ, base, zero), zero, logarithmic)
    return b.add(by_base, b.mul(safe, slopes[1]))


def _min(b: _Build, _p: int, operands: tuple[int, ...], slopes: list[int]) -> int:
    return b.select(b.apply(Op.LT, operands[0], operands[1]), slopes[0], slopes[1])


def _max(b: _Build, _p: int, operands: tuple[int, ...], slopes: list[int]) -> int:
    return b.select(b.apply(Op.LT, operands[1], operands[0]), slopes[0], slopes[1])


def _select(b: _Build, _p: int, operands: tuple[int, ...], slopes: list[int]) -> int:
    return b.select(operands[0], slopes[1], slopes[2])


def _sign(b: _Build, x: int, _f: int) -> int:
    zero, one = b.constant(0.0), b.constant(1.0)
    below = b.select(b.apply(Op.LT, x, zero), b.constant(-1.0), zero)
    return b.select(b.apply(Op.LT, zero, x), one, below)


def _inverse(b: _Build, x: int) -> int:
    return b.div(b.constant(1.0), x)


def _one_plus(b: _Build, x: int) -> int:
    return b.add(b.constant(1.0), x)


def _one_minus_square(b: _Build, x: int) -> int:
    return b.sub(b.constant(1.0), b.mul(x, x))


def _root(b: _Build, x: int) -> int:
    return b.apply(Op.SQRT, x)


_LN10 = 2.302585092994045684

_RULES: Mapping[Op, _Rule] = MappingProxyType(
    {
        Op.NEG: lambda b, p, x, d: b.neg(d[0]),
        Op.ADD: lambda b, p, x, d: b.add(d[0], d[1]),
        Op.SUB: lambda b, p, x, d: b.sub(d[0], d[1]),
        Op.MUL: _mul,
        Op.DIV: _div,
        Op.POW: _pow,
        Op.MIN: _min,
        Op.MAX: _max,
        Op.SELECT: _select,
        Op.EXP: _unary(lambda b, x, f: f),
        Op.LN: _unary(lambda b, x, f: _inverse(b, x)),
        Op.LOG10: _unary(lambda b, x, f: _inverse(b, b.mul(b.constant(_LN10), x))),
        Op.SQRT: _unary(lambda b, x, f: b.div(b.constant(0.5), f)),
        Op.ABS: _unary(_sign),
        Op.SIN: _unary(lambda b, x, f: b.apply(Op.COS, x)),
        Op.COS: _unary(lambda b, x, f: b.neg(b.apply(Op.SIN, x))),
        Op.TAN: _unary(lambda b, x, f: _one_plus(b, b.mul(f, f))),
        Op.ASIN: _unary(lambda b, x, f: _inverse(b, _root(b, _one_minus_square(b, x)))),
        Op.ACOS: _unary(lambda b, x, f: b.neg(_inverse(b, _root(b, _one_minus_square(b, x))))),
        Op.ATAN: _unary(lambda b, x, f: _inverse(b, _one_plus(b, b.mul(x, x)))),
        Op.SINH: _unary(lambda b, x, f: b.apply(Op.COSH, x)),
        Op.COSH: _unary(lambda b, x, f: b.apply(Op.SINH, x)),
        Op.TANH: _unary(lambda b, x, f: _one_minus_square(b, f)),
        Op.ASINH: _unary(lambda b, x, f: _inverse(b, _root(b, _one_plus(b, b.mul(x, x))))),
        Op.ACOSH: _unary(lambda b, x, f: _inverse(b, _root(b, b.sub(b.mul(x, x), b.constant(1.0))))),
        Op.ATANH: _unary(lambda b, x, f: _inverse(b, _one_minus_square(b, x))),
    }
)
