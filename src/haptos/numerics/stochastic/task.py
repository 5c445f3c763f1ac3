"""A batch of jump processes: what is to be sampled, and what came out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haptos.errors import ParameterError, Status
from haptos.numerics.ode import OdeSegment
from haptos.numerics.spans import check_shape, check_times
from haptos.numerics.stochastic.system import StochasticSystem, jumps_without_bound

__all__ = ["StochasticSolution", "StochasticTask", "explain"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

_EXPLANATIONS: Final = {
    Status.MAX_STEPS: "the limit of steps was reached; raise max_steps, or let method='leap' take many jumps at once",
    Status.NON_FINITE: "a propensity or parameter was infinite or not a number, or a count passed 2**53",
    Status.NEGATIVE: (
        "a reaction took more molecules than there were, or a propensity or rate constant was negative; "
        "a rate must be zero where its reactants are used up"
    ),
}


def explain(status: int) -> str:
    """Say in one sentence how a member ended.

    Examples
    --------
    >>> explain(0)
    'finished'
    """
    known = Status(int(status))
    return _EXPLANATIONS.get(known, known.explanation)


@dataclass(frozen=True, slots=True, eq=False)
class StochasticTask:
    """What is to be sampled.

    Attributes
    ----------
    system : StochasticSystem
        The process.
    initial : ndarray, shape (B, n_states)
        Counts, then levels, at the start of the first segment, before its change. Counts
        are rounded to the nearest whole number, halves to the even one.
    segments : sequence of OdeSegment
        Contiguous, in order; the changes of state are in molecules and are rounded too.
    times : ndarray, shape (T,)
        Output times, not descending, within the segments.
    keys : ndarray of uint64, shape (B, 2)
        Philox key of every member, see :func:`haptos.numerics.streams.stream_key`.
    method : str
        ``"exact"`` (direct method) or ``"leap"`` (adaptive tau-leaping).
    tolerance : float
        Share by which a leap may change any propensity, in [1e-4, 0.5].
    max_steps : int
        Limit of jumps and leaps of one member over the whole task.
    """

    system: StochasticSystem
    initial: Array
    segments: Sequence[OdeSegment]
    times: Array
    keys: NDArray[np.uint64]
    method: str = "exact"
    tolerance: float = 0.03
    max_steps: int = 1_000_000_000

    def __post_init__(self) -> None:
        """Check shapes and ranges."""
        _check(self)

    @property
    def n_members(self) -> int:
        """B, the number of members."""
        return len(self.initial)


@dataclass(frozen=True, slots=True, eq=False)
class StochasticSolution:
    """What came out.

    Attributes
    ----------
    counts : ndarray of int64, shape (B, T, n_counts)
        Molecules at the output times; -1 for members that failed.
    levels : ndarray, shape (B, T, n_levels)
        The other states; nan for members that failed.
    final : ndarray, shape (B, n_states)
        Counts and levels at the end; nan for members that failed.
    status : ndarray of int, shape (B,)
        :class:`haptos.errors.Status` of every member.
    n_events : ndarray of int, shape (B,)
        Reactions that happened.
    n_steps : ndarray of int, shape (B,)
        Jumps and leaps: equal to `n_events` for the direct method.
    """

    counts: Integers
    levels: Array
    final: Array
    status: Integers
    n_events: Integers
    n_steps: Integers


def _check(task: StochasticTask) -> None:
    system, size = task.system, len(task.initial)
    shapes = {"initial": (task.initial.shape, (size, system.n_states)), "keys": (task.keys.shape, (size, 2))}
    for number, s in enumerate(task.segments):
        shapes[f"parameters of segment {number}"] = (s.parameters.shape, (size, system.n_parameters))
        for what, change in (("scale", s.scale), ("shift", s.shift)):
            if change is not None:
                shapes[f"{what} of segment {number}"] = (change.shape, (size, system.n_states))
    for name, (found, wanted) in shapes.items():
        check_shape(name, found, wanted)
    if task.keys.dtype != np.uint64:
        raise ParameterError("keys must be of type uint64; make them with stream_key")
    if task.method not in ("exact", "leap"):
        raise ParameterError(f"the method must be 'exact' or 'leap', not {task.method!r}")
    if not 1e-4 <= task.tolerance <= 0.5:
        raise ParameterError(f"the tolerance of leaping must be in [1e-4, 0.5], not {task.tolerance}")
    if not 1 <= task.max_steps < 2**53:
        raise ParameterError(f"max_steps must be in [1, 2**53), not {task.max_steps}")
    unbounded = jumps_without_bound(system)
    if task.method == "leap" and unbounded:
        raise ParameterError(
            f"leaping cannot bound how fast the rate of {', '.join(unbounded)} changes; use method='exact'"
        )
    check_times(task.segments, task.times)
