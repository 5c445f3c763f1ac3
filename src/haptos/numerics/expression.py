"""Expressions as a directed acyclic graph without duplicates.

An expression is a position in a :class:`Graph`: a tuple of nodes in which every operand
stands before its user. Positions are therefore already in the order of evaluation, and
every algorithm is a loop: deep expressions meet no recursion limit. Equal
sub-expressions are one node ("hash consing"), so equality of positions is equality of
structure.

A :class:`GraphBuilder` makes graphs; the graph itself is frozen data and can be pickled.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from haptos.errors import ParameterError
from haptos.numerics._simplify import constant_result, simpler
from haptos.numerics.operations import OPERATIONS, Op, apply_operation

__all__ = ["Graph", "GraphBuilder", "Node"]


class Node(NamedTuple):
    """One node: operation, positions of the operands, and the payload of a leaf.

    `value` is the number of a constant, the index of a variable (as float), else zero.
    """

    op: Op
    operands: tuple[int, ...] = ()
    value: float = 0.0


@dataclass(frozen=True, slots=True)
class Graph:
    """Frozen nodes in order of evaluation.

    Attributes
    ----------
    nodes : tuple of Node
        Operands precede their users.
    """

    nodes: tuple[Node, ...] = ()

    def reachable(self, roots: Iterable[int]) -> list[int]:
        """Return the positions `roots` depend on, themselves included, ascending."""
        return _reachable(self.nodes, roots)

    def variables(self, *roots: int) -> frozenset[int]:
        """Return the indices of the variables that `roots` depend on."""
        nodes = (self.nodes[i] for i in self.reachable(roots))
        return frozenset(int(n.value) for n in nodes if n.op is Op.VARIABLE)

    def uses_time(self, *roots: int) -> bool:
        """Whether any of `roots` depends on time explicitly."""
        return any(self.nodes[i].op is Op.TIME for i in self.reachable(roots))

    def evaluate(self, roots: Sequence[int], variables: ArrayLike, time: ArrayLike = 0.0) -> list[NDArray[np.float64]]:
        """Evaluate by walking the graph: slow, readable, the meaning of everything else.

        Parameters
        ----------
        roots : sequence of int
            Positions to evaluate.
        variables : array_like, shape (n_variables, ...)
            Values of the variables; trailing axes are broadcast.
        time : array_like
            Value of time, broadcast against the trailing axes.

        Returns
        -------
        list of ndarray
            One array per root.
        """
        given = np.asarray(variables, dtype=np.float64)
        values: dict[int, NDArray[np.float64]] = {}
        for position in self.reachable(roots):
            op, operands, payload = self.nodes[position]
            if op is Op.CONSTANT:
                values[position] = np.asarray(payload)
            elif op is Op.VARIABLE:
                values[position] = given[int(payload)]
            elif op is Op.TIME:
                values[position] = np.asarray(time, dtype=np.float64)
            else:
                values[position] = apply_operation(op, *(values[i] for i in operands))
        return [values[root] for root in roots]


def _reachable(nodes: Sequence[Node], roots: Iterable[int]) -> list[int]:
    seen = set(roots)
    if seen and (min(seen) < 0 or max(seen) >= len(nodes)):
        raise ParameterError("an expression is not in this graph: was it built after freezing?")
    stack = list(seen)
    while stack:
        for operand in nodes[stack.pop()].operands:
            if operand not in seen:
                seen.add(operand)
                stack.append(operand)
    return sorted(seen)


class GraphBuilder:
    """Build expressions, merging duplicates and simplifying while building.

    Parameters
    ----------
    graph : Graph, optional
        Nodes to start from; their positions stay valid.

    Notes
    -----
    The simplifications (:mod:`haptos.numerics._simplify`) never reassociate a sum or a
    product, so values keep their rounding. Two rules assume finite operands:
    ``0*x = 0`` and ``0/x = 0``; symbolic derivatives would not be sparse without them.

    Examples
    --------
    >>> b = GraphBuilder()
    >>> x = b.variable(0)
    >>> f = b.mul(b.add(x, b.constant(0.0)), b.constant(3.0))
    >>> float(b.freeze().evaluate([f], [2.0])[0])
    6.0
    """

    def __init__(self, graph: Graph | None = None) -> None:
        self._nodes: list[Node] = list(graph.nodes) if graph is not None else []
        self._positions: dict[Node, int] = {}
        for position, node in enumerate(self._nodes):
            self._positions.setdefault(node, position)

    @property
    def nodes(self) -> Sequence[Node]:
        """The nodes built so far."""
        return self._nodes

    def freeze(self) -> Graph:
        """Return what was built so far as a frozen graph."""
        return Graph(tuple(self._nodes))

    def reachable(self, roots: Iterable[int]) -> list[int]:
        """Return the positions `roots` depend on, themselves included, ascending."""
        return _reachable(self._nodes, roots)

    def _intern(self, node: Node) -> int:
        position = self._positions.setdefault(node, len(self._nodes))
        if position == len(self._nodes):
            self._nodes.append(node)
        return position

    def constant(self, value: float) -> int:
        """Return the position of a constant; minus zero becomes zero."""
        return self._intern(Node(Op.CONSTANT, (), float(value) + 0.0))

    def variable(self, index: int) -> int:
        """Return the position of variable `index` (>= 0)."""
        if index < 0:
            raise ParameterError(f"the index of a variable must be at least 0, not {index}")
        return self._intern(Node(Op.VARIABLE, (), float(index)))

    def time(self) -> int:
        """Return the position of time."""
        return self._intern(Node(Op.TIME))

    def apply(self, op: Op, *operands: int) -> int:
        """Return the position of `op` applied to `operands`, simplified.

        Raises
        ------
        ParameterError
            If the number of operands is not the arity of `op`.
        """
        if op not in OPERATIONS or len(operands) != OPERATIONS[op].arity:
            raise ParameterError(f"{op.name} cannot be applied to {len(operands)} operands")
        folded = constant_result(self, op, operands)
        if folded is not None:
            return self.constant(folded)
        simple = simpler(self, op, operands)
        if simple is not None:
            return simple
        if op in _COMMUTATIVE:
            operands = tuple(sorted(operands))
        return self._intern(Node(op, operands))

    def add(self, a: int, b: int) -> int:
        """Return ``a + b``."""
        return self.apply(Op.ADD, a, b)

    def sub(self, a: int, b: int) -> int:
        """Return ``a - b``."""
        return self.apply(Op.SUB, a, b)

    def mul(self, a: int, b: int) -> int:
        """Return ``a * b``."""
        return self.apply(Op.MUL, a, b)

    def div(self, a: int, b: int) -> int:
        """Return ``a / b``."""
        return self.apply(Op.DIV, a, b)

    def neg(self, a: int) -> int:
        """Return ``-a``."""
        return self.apply(Op.NEG, a)

    def select(self, condition: int, yes: int, no: int) -> int:
        """Return ``yes`` where `condition` holds, else ``no``."""
        return self.apply(Op.SELECT, condition, yes, no)

    def total(self, terms: Iterable[int]) -> int:
        """Return the sum of `terms`, added from left to right; zero if there are none."""
        result = self.constant(0.0)
        for term in terms:
            result = self.add(result, term)
        return result

    def product(self, factors: Iterable[int]) -> int:
        """Return the product of `factors`, from left to right; one if there are none."""
        result = self.constant(1.0)
        for factor in factors:
            result = self.mul(result, factor)
        return result

    def copy_from(
        self,
        graph: Graph,
        roots: Sequence[int],
        variables: Mapping[int, int] | None = None,
        time: int | None = None,
    ) -> list[int]:
        """Rebuild expressions of another graph here, replacing variables on the way.

        Parameters
        ----------
        graph : Graph
            Where `roots` live.
        roots : sequence of int
            Expressions to copy.
        variables : mapping of int to int, optional
            Position (here) that replaces each variable index; others stay as they are.
        time : int, optional
            Position (here) that replaces time.

        Returns
        -------
        list of int
            Positions here, one per root.
        """
        replaced = variables or {}
        here: dict[int, int] = {}
        for position in graph.reachable(roots):
            op, operands, value = graph.nodes[position]
            if op is Op.CONSTANT:
                here[position] = self.constant(value)
            elif op is Op.VARIABLE:
                index = int(value)
                here[position] = replaced[index] if index in replaced else self.variable(index)
            elif op is Op.TIME:
                here[position] = self.time() if time is None else time
            else:
                here[position] = self.apply(op, *(here[i] for i in operands))
        return [here[root] for root in roots]


_COMMUTATIVE = frozenset({Op.ADD, Op.MUL, Op.EQ, Op.NE, Op.AND, Op.OR, Op.XOR})
