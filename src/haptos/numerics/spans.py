"""Checks that every task in segments needs: contiguous segments, output times within them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from haptos.errors import ParameterError

__all__ = ["check_shape", "check_times"]


class _Span(Protocol):
    @property
    def start(self) -> float: ...

    @property
    def stop(self) -> float: ...


def check_times(segments: Sequence[_Span], times: ArrayLike) -> None:
    """Refuse segments with gaps and output times outside them.

    Parameters
    ----------
    segments : sequence
        Things with ``start`` and ``stop``.
    times : array_like, shape (T,)
        Output times.

    Raises
    ------
    ParameterError
        At the first thing wrong.
    """
    if not segments:
        raise ParameterError("a task needs at least one segment")
    ends = np.array([(s.start, s.stop) for s in segments], dtype=np.float64)
    if not np.all(np.isfinite(ends)) or np.any(ends[:, 1] < ends[:, 0]):
        raise ParameterError("segments must have finite times and must not stop before they start")
    if np.any(ends[1:, 0] != ends[:-1, 1]):
        raise ParameterError("each segment must start exactly where the one before it stops")
    grid = np.asarray(times, dtype=np.float64)
    if grid.ndim != 1 or np.any(np.diff(grid) < 0.0) or not np.all(np.isfinite(grid)):
        raise ParameterError("times must be a row of finite numbers in ascending order")
    if grid.size and (grid[0] < ends[0, 0] or grid[-1] > ends[-1, 1]):
        raise ParameterError(
            f"output times {grid[0]:g} to {grid[-1]:g} leave the simulated interval {ends[0, 0]:g} to {ends[-1, 1]:g}"
        )


def check_shape(name: str, found: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    """Refuse an array of another shape.

    Raises
    ------
    ParameterError
        If the shapes differ.
    """
    if found != wanted:
        raise ParameterError(f"{name} must have shape {wanted}, not {found}")
