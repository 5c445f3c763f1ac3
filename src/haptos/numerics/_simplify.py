"""Local simplifications applied while a graph is built.

Each rule looks at one operation and its operands. No rule changes the rounding of a
finite result, except that ``x^2`` becomes ``x*x`` and ``x^-1`` becomes ``1/x``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haptos.numerics.operations import Op, apply_operation

if TYPE_CHECKING:
    from haptos.numerics.expression import GraphBuilder

__all__ = ["constant_result", "simpler"]

_CONSTANT, _NEG = Op.CONSTANT, Op.NEG  # looked up for every node


def constant_result(builder: GraphBuilder, op: Op, operands: tuple[int, ...]) -> float | None:
    """Return the value of an operation on constants, or None if not all are constant."""
    nodes, values = builder.nodes, []
    for i in operands:
        op_of, _, value = nodes[i]
        if op_of is not _CONSTANT:
            return None
        values.append(value)
    return float(apply_operation(op, *values))


def simpler(builder: GraphBuilder, op: Op, operands: tuple[int, ...]) -> int | None:
    """Return the position of an equal, simpler expression, or None if no rule applies."""
    match op:
        case Op.NEG:
            return _neg(builder, operands[0])
        case Op.ADD:
            return _add(builder, *operands)
        case Op.SUB:
            return _sub(builder, *operands)
        case Op.MUL:
            return _mul(builder, *operands)
        case Op.DIV:
            return _div(builder, *operands)
        case Op.POW:
            return _pow(builder, *operands)
        case Op.MIN | Op.MAX:
            return operands[0] if operands[0] == operands[1] else None
        case Op.AND | Op.OR:
            return _and_or(builder, op, *operands)
        case Op.SELECT:
            return _select(builder, *operands)
        case _:
            return None


def _constant(builder: GraphBuilder, position: int) -> float | None:
    op, _, value = builder.nodes[position]
    return value if op is _CONSTANT else None


def _negated(builder: GraphBuilder, position: int) -> int | None:
    op, operands, _ = builder.nodes[position]
    return operands[0] if op is _NEG else None


def _neg(builder: GraphBuilder, a: int) -> int | None:
    node = builder.nodes[a]
    if node.op is Op.NEG:
        return node.operands[0]
    if node.op is Op.SUB:
        return builder.sub(node.operands[1], node.operands[0])
    return None


def _add(builder: GraphBuilder, a: int, b: int) -> int | None:
    if _constant(builder, a) == 0.0:
        return b
    if _constant(builder, b) == 0.0:
        return a
    if (inner := _negated(builder, b)) is not None:
        return builder.sub(a, inner)
    if (inner := _negated(builder, a)) is not None:
        return builder.sub(b, inner)
    return None


def _sub(builder: GraphBuilder, a: int, b: int) -> int | None:
    if _constant(builder, b) == 0.0:
        return a
    if _constant(builder, a) == 0.0:
        return builder.neg(b)
    if a == b:
        return builder.constant(0.0)
    if (inner := _negated(builder, b)) is not None:
        return builder.add(a, inner)
    return None


def _mul(builder: GraphBuilder, a: int, b: int) -> int | None:
    for one, other in ((a, b), (b, a)):
        value = _constant(builder, one)
        if value == 0.0:
            return builder.constant(0.0)
        if value == 1.0:
            return other
        if value == -1.0:
            return builder.neg(other)
        if (inner := _negated(builder, one)) is not None:
            return builder.neg(builder.mul(inner, other))
    return None


def _div(builder: GraphBuilder, a: int, b: int) -> int | None:
    divisor = _constant(builder, b)
    if divisor == 1.0:
        return a
    if divisor == -1.0:
        return builder.neg(a)
    if _constant(builder, a) == 0.0 and divisor != 0.0:
        return builder.constant(0.0)
    if (inner := _negated(builder, a)) is not None:
        return builder.neg(builder.div(inner, b))
    return None


def _pow(builder: GraphBuilder, a: int, b: int) -> int | None:
    exponent = _constant(builder, b)
    if exponent == 0.0 or _constant(builder, a) == 1.0:
        return builder.constant(1.0)
    if exponent == 1.0:
        return a
    if exponent == 2.0:
        return builder.mul(a, a)
    if exponent == -1.0:
        return builder.div(builder.constant(1.0), a)
    return None


def _and_or(builder: GraphBuilder, op: Op, a: int, b: int) -> int | None:
    """Decide by a constant operand that settles the outcome: ``0 && x``, ``1 || x``."""
    settles = op is Op.OR
    for one in (a, b):
        value = _constant(builder, one)
        if value is not None and (value != 0.0) is settles:
            return builder.constant(float(settles))
    return None


def _select(builder: GraphBuilder, condition: int, yes: int, no: int) -> int | None:
    value = _constant(builder, condition)
    if value is not None:
        return yes if value != 0.0 else no
    return yes if yes == no else None
