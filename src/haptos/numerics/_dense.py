"""Small dense linear algebra for many members (numba): same bits whatever else is solved.

Import this module only inside functions: it imports numba.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["conserved_directions", "solve_all"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Index = NDArray[np.int64]


@njit(cache=True, nogil=True, error_model="numpy")
def _largest(m: Array, first: int) -> tuple[int, int, float]:
    """Return row, column and size of the largest entry of the lower right corner."""
    row, column, size = first, first, 0.0
    for i in range(first, m.shape[0]):
        for j in range(first, m.shape[1]):
            if abs(m[i, j]) > size:
                row, column, size = i, j, abs(m[i, j])
    return row, column, size


@njit(cache=True, nogil=True, error_model="numpy")
def _exchange(m: Array, order: Index, first: int, row: int, column: int) -> None:
    """Bring a pivot to the corner; `order` remembers the rows."""
    order[first], order[row] = order[row], order[first]
    for j in range(m.shape[1]):
        m[first, j], m[row, j] = m[row, j], m[first, j]
    for i in range(m.shape[0]):
        m[i, first], m[i, column] = m[i, column], m[i, first]


@njit(cache=True, nogil=True, error_model="numpy")
def _eliminate(m: Array, order: Index, threshold: float) -> int:
    """Factorise in place with complete pivoting; returns the rank."""
    n: int = m.shape[0]
    limit = 0.0
    for k in range(n):
        row, column, size = _largest(m, k)
        limit = threshold * size if k == 0 else limit
        if size <= limit:
            return k
        _exchange(m, order, k, row, column)
        for i in range(k + 1, n):
            factor = m[i, k] / m[k, k]
            m[i, k] = factor
            if factor != 0.0:
                for j in range(k + 1, n):
                    m[i, j] -= factor * m[k, j]
    return n


@njit(cache=True, nogil=True, error_model="numpy")
def conserved_directions(matrices: Array, threshold: float) -> Array:
    """Return for every matrix the sum of ``w w'`` over a basis of ``w' M = 0``, each w of length one.

    Parameters
    ----------
    matrices : ndarray, shape (B, n, n)
        Finite; destroyed.
    threshold : float
        Pivots below this share of the largest entry count as zero.
    """
    size, n = matrices.shape[0], matrices.shape[1]
    result = np.zeros((size, n, n))
    order, w = np.empty(n, np.int64), np.empty(n)
    for b in range(size):
        m = matrices[b]
        for i in range(n):
            order[i] = i
        rank = _eliminate(m, order, threshold)
        for null in range(rank, n):
            w[:] = 0.0
            w[null], length = 1.0, 1.0
            for k in range(rank - 1, -1, -1):
                value = -m[null, k]
                for i in range(k + 1, rank):
                    value -= w[i] * m[i, k]
                w[k] = value
                length += value * value
            for i in range(n):
                for j in range(n):
                    result[b, order[i], order[j]] += w[i] * w[j] / length
    return result


@njit(cache=True, nogil=True, error_model="numpy")
def _solve(m: Array, x: Array) -> bool:
    """Solve ``m x = x`` in place with partial pivoting; False if singular."""
    n = m.shape[0]
    for k in range(n):
        pivot = k
        for i in range(k + 1, n):
            if abs(m[i, k]) > abs(m[pivot, k]):
                pivot = i
        if not abs(m[pivot, k]) > 0.0:
            return False
        x[k], x[pivot] = x[pivot], x[k]
        for j in range(n):
            m[k, j], m[pivot, j] = m[pivot, j], m[k, j]
        for i in range(k + 1, n):
            factor = m[i, k] / m[k, k]
            if factor != 0.0:
                x[i] -= factor * x[k]
                for j in range(k + 1, n):
                    m[i, j] -= factor * m[k, j]
    for k in range(n - 1, -1, -1):
        for j in range(k + 1, n):
            x[k] -= m[k, j] * x[j]
        x[k] /= m[k, k]
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def solve_all(matrices: Array, right: Array) -> Flags:
    """Solve a system per member in place; returns which were regular.

    Parameters
    ----------
    matrices : ndarray, shape (B, n, n)
        Destroyed.
    right : ndarray, shape (B, n)
        Right-hand sides; become the solutions.
    """
    regular = np.zeros(matrices.shape[0], np.bool_)
    for b in range(matrices.shape[0]):
        regular[b] = _solve(matrices[b], right[b])
    return regular
