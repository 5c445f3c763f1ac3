"""Calibration: sampling the prior conditioned on every term, by many short chains.

Each chain starts from its own draw of the prior and walks in the space of standard normal
deviations with steps that leave the prior unchanged (preconditioned Crank-Nicolson, Cotter
et al. 2013, doi:10.1214/13-STS421). A step is taken if it does not leave more terms unmet;
once all are met the chain goes on inside the admissible region for a fixed number of steps,
and its last state is one member of the ensemble.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haptos.core.hashing import content_hash
from haptos.inference.terms import Term, load_terms
from haptos.numerics import philox_stream
from haptos.signalling.cell import simulate
from haptos.signalling.condition import Condition, Outcome
from haptos.signalling.parameters import load_parameters

__all__ = ["Chain", "Prior", "diversity", "score", "walk"]

Array = NDArray[np.float64]
#: Deviations beyond this are outside the prior.
LIMIT = 3.0


@dataclass(frozen=True)
class Prior:
    """The log-normal prior of the free parameters.

    Attributes
    ----------
    centre, spread, ceiling : ndarray, shape (n_parameters,)
        In the order of the table; spread 0 fixes a parameter.
    """

    centre: Array
    spread: Array
    ceiling: Array

    @classmethod
    def of_table(cls) -> Prior:
        """Return the prior of the library's table."""
        table = list(load_parameters().values())
        return cls(
            np.array([p.value for p in table]),
            np.array([p.spread for p in table]),
            np.array([np.inf if p.upper is None else p.upper for p in table]),
        )

    @property
    def n_free(self) -> int:
        """Number of free parameters."""
        return int(np.sum(self.spread > 0))

    def vector(self, deviations: Array) -> Array:
        """Return parameter values of standard deviations, shape (n_free,) -> (n_parameters,)."""
        values = self.centre.copy()
        free = self.spread > 0
        values[free] = self.centre[free] * np.exp(self.spread[free] * deviations)
        return np.minimum(values, self.ceiling)


@dataclass(frozen=True, slots=True)
class Chain:
    """The outcome of one chain.

    Attributes
    ----------
    deviations : ndarray, shape (n_free,)
        Last state, in standard deviations of the prior.
    unmet : int
        Terms unmet at the end; 0 makes it a member.
    found_after : int
        Steps until all terms were met, -1 if never.
    accepted : float
        Share of the steps taken.
    """

    deviations: Array
    unmet: int
    found_after: int
    accepted: float


def score(vector: Array, terms: Sequence[Term] | None = None, *, misses: int | None = None) -> tuple[bool, ...]:
    """Tell which terms a parameter vector meets.

    Parameters
    ----------
    vector : ndarray, shape (n_parameters,)
        In the order and units of the parameter table.
    terms : sequence of Term, optional
        The library's by default.
    misses : int, optional
        Stop once more terms than this are unmet; the rest count as unmet.
    """
    terms = load_terms() if terms is None else terms
    values = dict(zip(load_parameters(), (float(v) for v in vector), strict=True))
    everything = tuple(sorted({q for term in terms for q in term.read}))
    done: dict[str, Outcome] = {}

    def simulated(condition: Condition) -> Outcome:
        """Simulate equal conditions once, whatever each term reads of them."""
        wanted = everything if set(condition.quantities) <= set(everything) else condition.quantities
        shared = condition.with_changes(quantities=wanted)
        key = content_hash(shared.canonical())
        if key not in done:
            done[key] = simulate(shared, member=None, seed=0, replicate=None, parameters=values)
        return done[key]

    met: list[bool] = []
    for term in terms:
        stopped = misses is not None and met.count(False) > misses
        met.append(not stopped and term.met(simulated))
    return tuple(met)


def walk(
    index: int,
    *,
    seed: int,
    n_free: int,
    unmet: Callable[[Array, int], int],
    step: float = 0.25,
    search: int = 400,
    mixing: int = 25,
) -> Chain:
    """Run one chain.

    Parameters
    ----------
    index : int
        Which chain; start and steps are a function of (seed, index).
    seed : int
        Root seed.
    n_free : int
        Number of free parameters.
    unmet : callable
        Number of unmet terms of a state, shape (n_free,); it may stop counting beyond its
        second argument.
    step : float
        Length of a step in (0, 1]; 1 draws anew from the prior.
    search, mixing : int
        Most steps until all terms are met, and steps after that.

    Returns
    -------
    Chain
        Its last state.
    """
    rng = philox_stream(seed, "calibration", 0, index)
    state = _inside(rng, n_free)
    left = unmet(state, 10**6)
    found = 0 if left == 0 else -1
    taken = total = 0
    while (found < 0 and total < search) or (found >= 0 and total < found + mixing):
        total += 1
        proposal = np.sqrt(1.0 - step**2) * state + step * rng.standard_normal(n_free)
        if np.all(np.abs(proposal) <= LIMIT) and (then := unmet(proposal, left)) <= left:
            state, left, taken = proposal, then, taken + 1
        if found < 0 and left == 0:
            found = total
    return Chain(state, left, found, taken / max(total, 1))


def _inside(rng: np.random.Generator, n: int) -> Array:
    """Draw standard normal deviations within the limit."""
    draw = rng.standard_normal(n)
    while np.any(outside := np.abs(draw) > LIMIT):
        draw[outside] = rng.standard_normal(int(np.sum(outside)))
    return draw


def diversity(deviations: Array) -> float:
    """Return the mean distance between members over that expected of prior draws.

    Parameters
    ----------
    deviations : ndarray, shape (n_members, n_free)
        At least two members.

    Returns
    -------
    float
        0 if all members are equal, about 1 if they are as spread out as the prior.
    """
    gaps = deviations[:, None] - deviations[None]
    distance = np.sqrt(np.sum(gaps**2, axis=-1))
    n, n_free = deviations.shape
    expected = 2.0 * math.exp(math.lgamma((n_free + 1) / 2) - math.lgamma(n_free / 2))
    return float(distance.sum() / (n * (n - 1)) / expected)
