"""Linear tapes: expressions as a list of instructions over one working array.

A tape is plain arrays. The working array holds, in this order::

    constants | variables | time | results of the prologue | results of the body

and instruction `k` writes its result into the next free place, so it only names its
operation and three operand places. The *prologue* is the part that depends on nothing
but constants and variables declared fixed (parameters); it is run once per simulation
segment, the *body* at every evaluation.

Two evaluators read a tape: :meth:`Tape.evaluate` here, in readable NumPy, and the
compiled one in :mod:`haptos.numerics._kernels`. The tests hold them against each other.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from haptos.errors import ParameterError
from haptos.numerics.expression import Graph, Node
from haptos.numerics.operations import OPERATIONS, Op, apply_operation

__all__ = ["Tape", "build_tape"]

Instructions = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Tape:
    """Instructions that evaluate a set of expressions.

    Attributes
    ----------
    n_variables : int
        Number of variables the tape reads.
    constants : ndarray, shape (n_constants,)
        The numbers in the expressions.
    prologue : ndarray of int32, shape (n_prologue, 4)
        Operation and three operand places; unused operands are 0. Depends on fixed
        variables only.
    body : ndarray of int32, shape (n_body, 4)
        The rest, in order of evaluation.
    outputs : ndarray of int32, shape (n_outputs,)
        Places of the results.
    uses_time : bool
        Whether any result depends on time explicitly.
    """

    n_variables: int
    constants: NDArray[np.float64]
    prologue: Instructions
    body: Instructions
    outputs: NDArray[np.int32]
    uses_time: bool

    @property
    def n_outputs(self) -> int:
        """Number of results."""
        return len(self.outputs)

    @property
    def first_variable(self) -> int:
        """Place of variable 0."""
        return len(self.constants)

    @property
    def time_place(self) -> int:
        """Place of time."""
        return self.first_variable + self.n_variables

    @property
    def first_prologue(self) -> int:
        """Place of the first result of the prologue."""
        return self.time_place + 1

    @property
    def first_body(self) -> int:
        """Place of the first result of the body."""
        return self.first_prologue + len(self.prologue)

    @property
    def n_places(self) -> int:
        """Length of the working array."""
        return self.first_body + len(self.body)

    def reads(self) -> list[int]:
        """Return the variables that the results depend on, ascending."""
        table = np.concatenate([self.prologue, self.body])
        arity = np.array([OPERATIONS[Op(code)].arity for code in table[:, 0].tolist()], dtype=np.int64)
        operands = [table[arity > column, column + 1] for column in range(3)]
        places = np.unique(np.concatenate([*operands, self.outputs])) - self.first_variable
        return [int(i) for i in places if 0 <= i < self.n_variables]

    def workspace(self) -> NDArray[np.float64]:
        """Return a working array, shape (n_places,), with the constants in place."""
        work = np.zeros(self.n_places)
        work[: self.first_variable] = self.constants
        return work

    def evaluate(self, variables: ArrayLike, time: ArrayLike = 0.0) -> NDArray[np.float64]:
        """Evaluate in NumPy: the readable reference of the compiled evaluator.

        Parameters
        ----------
        variables : array_like, shape (n_variables, ...)
            Values of the variables; trailing axes are evaluated element by element.
        time : array_like
            Time, broadcast against the trailing axes.

        Returns
        -------
        ndarray, shape (n_outputs, ...)
            The results.

        Raises
        ------
        ParameterError
            If the first axis does not match the number of variables.
        """
        given = np.asarray(variables, dtype=np.float64)
        if given.shape[:1] != (self.n_variables,):
            raise ParameterError(f"the tape reads {self.n_variables} variables; the array has shape {given.shape}")
        now = np.asarray(time, dtype=np.float64)
        places: list[NDArray[np.float64]] = [np.asarray(c) for c in self.constants]
        places += [*given, now]
        for code, *operands in [*self.prologue.tolist(), *self.body.tolist()]:
            op = Op(code)
            used = operands[: OPERATIONS[op].arity]
            places.append(apply_operation(op, *(places[i] for i in used)))
        shape = np.broadcast_shapes(given.shape[1:], now.shape)
        results = [np.broadcast_to(places[i], shape) for i in self.outputs]
        return np.stack(results) if results else np.zeros((0, *shape))


def build_tape(graph: Graph, roots: Sequence[int], n_variables: int, fixed: Collection[int] = ()) -> Tape:
    """Turn expressions into a tape; common sub-expressions are evaluated once.

    Parameters
    ----------
    graph : Graph
        Where `roots` live.
    roots : sequence of int
        The expressions to evaluate, in the order of the outputs.
    n_variables : int
        Number of variables; every index in the expressions must be below it.
    fixed : collection of int
        Indices of variables that change between segments only; what depends on
        nothing else goes into the prologue.

    Returns
    -------
    Tape
        Frozen arrays.

    Raises
    ------
    ParameterError
        If an expression uses a variable beyond `n_variables`.

    Examples
    --------
    >>> from haptos.numerics import GraphBuilder
    >>> b = GraphBuilder()
    >>> x, k = b.variable(0), b.variable(1)
    >>> rate = b.mul(b.mul(k, k), x)
    >>> tape = build_tape(b.freeze(), [rate], 2, fixed=[1])
    >>> len(tape.prologue), len(tape.body), tape.evaluate([3.0, 2.0]).tolist()
    (1, 1, [12.0])
    """
    order = graph.reachable(roots)
    beyond = sorted(i for i in graph.variables(*roots) if i >= n_variables)
    if beyond:
        raise ParameterError(f"variables {beyond} are beyond the {n_variables} declared")
    steady, moving = _split(graph.nodes, order, frozenset(fixed))
    constants, places = _leaf_places(graph.nodes, order, n_variables)
    for count, position in enumerate([*steady, *moving]):
        places[position] = len(constants) + n_variables + 1 + count
    return Tape(
        n_variables=n_variables,
        constants=_frozen(np.array(constants, dtype=np.float64)),
        prologue=_instructions(graph.nodes, steady, places),
        body=_instructions(graph.nodes, moving, places),
        outputs=_frozen(np.array([places[r] for r in roots], dtype=np.int32)),
        uses_time=graph.uses_time(*roots),
    )


def _split(nodes: Sequence[Node], order: Sequence[int], fixed: frozenset[int]) -> tuple[list[int], list[int]]:
    """Split the operations into those of fixed variables only and the others."""
    is_steady: dict[int, bool] = {}
    steady: list[int] = []
    moving: list[int] = []
    for position in order:
        op, operands, value = nodes[position]
        if op is Op.CONSTANT:
            is_steady[position] = True
        elif op is Op.VARIABLE:
            is_steady[position] = int(value) in fixed
        elif op is Op.TIME:
            is_steady[position] = False
        else:
            is_steady[position] = all(is_steady[i] for i in operands)
            (steady if is_steady[position] else moving).append(position)
    return steady, moving


def _leaf_places(nodes: Sequence[Node], order: Sequence[int], n_variables: int) -> tuple[list[float], dict[int, int]]:
    """Give every constant, variable and time its place."""
    constants = [i for i in order if nodes[i].op is Op.CONSTANT]
    places = {position: place for place, position in enumerate(constants)}
    for position in order:
        if nodes[position].op is Op.VARIABLE:
            places[position] = len(constants) + int(nodes[position].value)
        elif nodes[position].op is Op.TIME:
            places[position] = len(constants) + n_variables
    return [nodes[i].value for i in constants], places


def _instructions(nodes: Sequence[Node], positions: Sequence[int], places: dict[int, int]) -> Instructions:
    table = np.zeros((len(positions), 4), dtype=np.int32)
    for row, position in enumerate(positions):
        op, operands, _ = nodes[position]
        table[row, 0] = op
        for column, operand in enumerate(operands, start=1):
            table[row, column] = places[operand]
    return _frozen(table)


def _frozen[A: np.ndarray](array: A) -> A:
    array.flags.writeable = False
    return array
