"""From what a user names to the arrays of a simulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from haptos.errors import ParameterError
from haptos.numerics import OdeSegment
from haptos.signalling._inputs import Segment, Values, batch_size
from haptos.signalling._start import StartRule

__all__ = ["Plan", "plan_batch", "rows_of"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A batch of members and its schedule.

    Attributes
    ----------
    times : ndarray, shape (T,)
        Output times.
    state : ndarray, shape (B, n_states)
        States at the start.
    constants : ndarray, shape (B, n_parameters)
        Parameters at the start.
    pieces : list of OdeSegment
        Segments of finite length.
    settling : OdeSegment or None
        What holds until rest before the first of them; of length zero.
    """

    times: Array
    state: Array
    constants: Array
    pieces: list[OdeSegment]
    settling: OdeSegment | None


def plan_batch(
    rule: StartRule,
    times: ArrayLike,
    parameters: Values,
    initial: Values | Array,
    segments: Sequence[Segment],
    start: float,
) -> Plan:
    """Turn names and values into the arrays of a batch.

    Raises
    ------
    ParameterError
        If a name does not exist or a shape is not admissible.
    """
    grid = np.atleast_1d(np.asarray(times, dtype=np.float64))
    schedule = list(segments) or [Segment(start, float(np.max(grid, initial=start)))]
    settles = schedule[0].start == -np.inf
    if settles:
        schedule[0] = _at_its_end(schedule[0])
    changes = [g for s in schedule for g in (s.parameters, s.set, s.add, s.multiply)]
    rows = rows_of(rule, parameters, initial, changes)
    state, constants = rule.evaluate(rows, schedule[0].start)
    pieces = [rule.segment(piece, rows, constants) for piece in schedule]
    if not settles:
        return Plan(grid, state, constants, pieces, None)
    first, rest = pieces[0], pieces[1:]
    return Plan(grid, state, constants, rest or [OdeSegment(first.start, first.stop, first.parameters)], first)


def _at_its_end(segment: Segment) -> Segment:
    """Return a segment that began an infinite time ago as one of length zero."""
    if not np.isfinite(segment.stop):
        raise ParameterError(f"a segment from -inf must stop at a finite time, not {segment.stop}")
    return Segment(segment.stop, segment.stop, segment.parameters, segment.set, segment.add, segment.multiply)


def rows_of(rule: StartRule, parameters: Values, initial: Values | Array, changes: Sequence[Values] = ()) -> Array:
    """Return the given values and flags of every member."""
    if isinstance(initial, Mapping):
        return rule.rows(parameters, initial, batch_size([parameters, initial, *changes]))
    states = np.asarray(initial, dtype=np.float64)
    return rule.rows(parameters, states, batch_size([parameters, *changes], states))
