"""Index lists behind a jump process: ragged rows, search tree, laws on tapes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haptos.numerics.tape import Tape

__all__ = ["LawTapes", "Ragged", "ancestors", "depth_of", "ragged", "stack_tapes"]

Index = NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class Ragged:
    """Rows of different length.

    Attributes
    ----------
    flat : ndarray of int32
        All rows, one after the other.
    first : ndarray of int32, shape (n_rows + 1,)
        Row `r` is ``flat[first[r]:first[r + 1]]``.
    """

    flat: Index
    first: Index

    def row(self, r: int) -> list[int]:
        """Return one row."""
        return [int(i) for i in self.flat[self.first[r] : self.first[r + 1]]]


def ragged(rows: Iterable[Sequence[int]]) -> Ragged:
    """Put rows one after the other.

    Examples
    --------
    >>> ragged([[3, 4], [], [5]]).first.tolist()
    [0, 2, 2, 3]
    """
    listed = [list(row) for row in rows]
    flat = np.array([i for row in listed for i in row], dtype=np.int32)
    return Ragged(flat, np.concatenate([[0], np.cumsum([len(row) for row in listed])]).astype(np.int32))


def depth_of(n_jumps: int) -> int:
    """Return the levels below the root that an eightfold tree needs for so many leaves."""
    depth = 1
    while 8**depth < n_jumps:
        depth += 1
    return depth


def ancestors(leaves: Iterable[int], depth: int) -> list[int]:
    """Return the inner nodes above some leaves, children before parents.

    Nodes are numbered level by level from the root, 0; the children of `i` are ``8 i + 1``
    to ``8 i + 8``, leaf `r` is ``(8**depth - 1)/7 + r``.

    Examples
    --------
    >>> ancestors([0, 9], depth=2)
    [2, 1, 0]
    """
    level = {(8**depth - 1) // 7 + r for r in leaves}
    found: set[int] = set()
    while level - {0}:
        level = {(i - 1) // 8 for i in level if i}
        found |= level
    return sorted(found, reverse=True)


@dataclass(frozen=True, slots=True, eq=False)
class LawTapes:
    """Laws on tapes over one working array, each a stretch of instructions of its own.

    Attributes
    ----------
    work : ndarray, shape (n_places,)
        Fresh working array with the constants in place: constants, variables, time,
        prologues, bodies.
    prologue, body : ndarray of int32, shape (., 4)
        Instructions of all laws, one after the other.
    first_variable, time_place, first_prologue, first_body : int
        Where the parts of the working array begin.
    start : ndarray of int32, shape (n_laws + 1,)
        Law `k` is ``body[start[k]:start[k + 1]]``.
    output : ndarray of int32, shape (n_laws,)
        Place of its result.
    jump : ndarray of int32, shape (n_laws,)
        Jump it belongs to.
    law : ndarray of int32, shape (n_jumps,)
        Law of every jump; -1 if it has none.
    """

    work: NDArray[np.float64]
    prologue: Index
    body: Index
    first_variable: int
    time_place: int
    first_prologue: int
    first_body: int
    start: Index
    output: Index
    jump: Index
    law: Index


def stack_tapes(tapes: Sequence[Tape], jumps: Sequence[int], n_jumps: int, n_variables: int) -> LawTapes:
    """Put tapes of one output each behind each other.

    Parameters
    ----------
    tapes : sequence of Tape
        All over the same `n_variables`.
    jumps : sequence of int
        Jump that each tape belongs to.
    n_jumps, n_variables : int
        Numbers of jumps and variables.
    """
    first_variable = sum(len(t.constants) for t in tapes)
    first_prologue = first_variable + n_variables + 1
    first_body = first_prologue + sum(len(t.prologue) for t in tapes)
    work = np.zeros(first_body + sum(len(t.body) for t in tapes))
    prologue: list[Index] = []
    body: list[Index] = []
    output: list[int] = []
    constant, fixed, moving = 0, first_prologue, first_body
    for tape in tapes:
        place = np.concatenate(
            [
                constant + np.arange(len(tape.constants)),
                first_variable + np.arange(n_variables + 1),
                fixed + np.arange(len(tape.prologue)),
                moving + np.arange(len(tape.body)),
            ]
        ).astype(np.int32)
        work[constant : constant + len(tape.constants)] = tape.constants
        prologue.append(_moved(tape.prologue, place))
        body.append(_moved(tape.body, place))
        output.append(int(place[tape.outputs[0]]))
        constant, fixed, moving = constant + len(tape.constants), fixed + len(tape.prologue), moving + len(tape.body)
    law = np.full(n_jumps, -1, dtype=np.int32)
    law[list(jumps)] = np.arange(len(tapes))
    nothing = np.zeros((0, 4), dtype=np.int32)
    return LawTapes(
        work=work,
        prologue=np.concatenate([nothing, *prologue]),
        body=np.concatenate([nothing, *body]),
        first_variable=first_variable,
        time_place=first_variable + n_variables,
        first_prologue=first_prologue,
        first_body=first_body,
        start=np.concatenate([[0], np.cumsum([len(t.body) for t in tapes])]).astype(np.int32),
        output=np.array(output, dtype=np.int32),
        jump=np.array(jumps, dtype=np.int32),
        law=law,
    )


def _moved(code: Index, place: Index) -> Index:
    """Rename the operand places of instructions; unused operands stay any valid place."""
    moved = np.array(code, dtype=np.int32)
    if len(moved):
        moved[:, 1:] = place[code[:, 1:]]
    return moved
