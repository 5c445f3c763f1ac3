"""Write an expression as text, for messages and for the eye."""

from __future__ import annotations

from collections.abc import Callable

from haptos.numerics.expression import Graph
from haptos.numerics.operations import OPERATIONS, Op

__all__ = ["formula"]

_INFIX = frozenset({Op.ADD, Op.SUB, Op.MUL, Op.DIV, Op.POW, Op.LT, Op.LE, Op.EQ, Op.NE, Op.AND, Op.OR})


def formula(graph: Graph, root: int, name: Callable[[int], str]) -> str:
    """Return the infix text of an expression, fully bracketed.

    Parameters
    ----------
    graph : Graph
        Where `root` lives.
    root : int
        The expression.
    name : callable
        Name of a variable from its index.

    Examples
    --------
    >>> from haptos.numerics import GraphBuilder, Op
    >>> b = GraphBuilder()
    >>> f = b.apply(Op.EXP, b.mul(b.variable(0), b.time()))
    >>> formula(b.freeze(), f, lambda i: f"k{i}")
    'exp((k0 * time))'
    """
    texts: dict[int, str] = {}
    for position in graph.reachable([root]):
        op, operands, value = graph.nodes[position]
        if op is Op.CONSTANT:
            texts[position] = f"{value:g}" if float(f"{value:g}") == value else repr(value)
        elif op is Op.VARIABLE:
            texts[position] = name(int(value))
        elif op is Op.TIME:
            texts[position] = "time"
        else:
            texts[position] = _apply(op, [texts[i] for i in operands])
    return texts[root]


def _apply(op: Op, operands: list[str]) -> str:
    symbol = OPERATIONS[op].symbol
    if op in _INFIX:
        return f"({operands[0]} {symbol} {operands[1]})"
    if op in (Op.NEG, Op.NOT):
        return f"{symbol}{operands[0]}"
    return f"{symbol}({', '.join(operands)})"
