"""Quantities of a network from its states: what is read, copied or evaluated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from haptos.numerics import Graph, OdeSegment, Op, Tape, build_tape
from haptos.numerics.paths import evaluate_paths
from haptos.signalling._inputs import unknown_name

__all__ = ["OutputRule"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class OutputRule:
    """How every quantity of a network follows from states, parameters and time.

    Attributes
    ----------
    n_states, n_parameters : int
        Variables of the graph: the states, then the parameters.
    graph : Graph
        Expressions.
    values : mapping of str to int
        Expression of every quantity.
    """

    n_states: int
    n_parameters: int
    graph: Graph
    values: Mapping[str, int]

    def evaluate(self, names: tuple[str, ...], states: Array, pieces: Sequence[OdeSegment], times: Array) -> Array:
        """Evaluate outputs with the parameters of the segment each time falls into.

        Parameters
        ----------
        names : tuple of str
            What to evaluate.
        states : ndarray, shape (B, T, n_states)
            States.
        pieces : sequence of OdeSegment
            Segments in order.
        times : ndarray, shape (T,)
            Times, not descending.

        Returns
        -------
        ndarray, shape (B, T, n_outputs)

        Raises
        ------
        ParameterError
            If a name does not exist.
        """
        columns = _columns(self, names)
        starts = np.array([piece.start for piece in pieces])
        borders = [0, *np.searchsorted(times, starts[1:], side="left").tolist(), len(times)]
        values = np.empty((len(states), len(times), len(names)))
        for piece, first, stop in zip(pieces, borders[:-1], borders[1:], strict=True):
            if first < stop:
                columns.fill(values[:, first:stop], states[:, first:stop], piece.parameters, times[first:stop])
        return values


@dataclass(frozen=True, slots=True, eq=False)
class _Columns:
    """The columns of a table of outputs.

    Attributes
    ----------
    states, state_sources : list of int or slice
        Columns that are states, and which.
    parameters, parameter_sources : list of int or slice
        Columns that are parameters, and which.
    computed : list of int or slice
        Columns that `tape` evaluates.
    tape : Tape
        Expressions of the others.
    """

    states: list[int] | slice
    state_sources: list[int] | slice
    parameters: list[int] | slice
    parameter_sources: list[int] | slice
    computed: list[int] | slice
    tape: Tape

    def fill(self, values: Array, states: Array, parameters: Array, times: Array) -> None:
        """Fill a table, shape (B, T, n_outputs)."""
        values[:, :, self.states] = states[:, :, self.state_sources]
        values[:, :, self.parameters] = parameters[:, None, self.parameter_sources]
        if not self.tape.n_outputs:
            return
        if isinstance(self.computed, slice):
            evaluate_paths(self.tape, states, parameters, times, out=values[:, :, self.computed])
        else:
            values[:, :, self.computed] = evaluate_paths(self.tape, states, parameters, times)


@lru_cache(maxsize=256)
def _columns(rule: OutputRule, names: tuple[str, ...]) -> _Columns:
    """Sort names into copies and computed quantities; kept for the next call.

    States out of order are left to the tape, whose code copies them faster.
    """
    n, p = rule.n_states, rule.n_parameters
    kinds: tuple[list[tuple[int, int]], ...] = ([], [], [])
    for column, name in enumerate(names):
        if name not in rule.values:
            raise unknown_name(name, "quantity", list(rule.values), {})
        node = rule.graph.nodes[rule.values[name]]
        if node.op is not Op.VARIABLE:
            kinds[2].append((column, rule.values[name]))
        elif node.value < n:
            kinds[0].append((column, int(node.value)))
        else:
            kinds[1].append((column, int(node.value) - n))
    if not all(isinstance(_plain([pair[side] for pair in kinds[0]]), slice) for side in (0, 1)):
        roots = [(column, rule.values[names[column]]) for column, _ in kinds[0]]
        kinds = ([], kinds[1], sorted(roots + kinds[2]))
    places = [_plain([number for number, _ in kind]) for kind in kinds]
    sources = [_plain([source for _, source in kind]) for kind in kinds[:2]]
    tape = build_tape(rule.graph, [root for _, root in kinds[2]], n + p, range(n, n + p))
    return _Columns(places[0], sources[0], places[1], sources[1], places[2], tape)


def _plain(numbers: list[int]) -> list[int] | slice:
    """Return neighbours as a slice, which copies nothing."""
    first = numbers[0] if numbers else 0
    stop = first + len(numbers)
    return slice(first, stop) if numbers == list(range(first, stop)) else numbers
