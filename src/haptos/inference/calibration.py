"""Calibration: sampling the prior conditioned on every term, by many short chains at once.

Each chain starts from its own draw of the prior and walks in the space of standard normal
deviations with steps that leave the prior unchanged (preconditioned Crank-Nicolson, Cotter
et al. 2013, doi:10.1214/13-STS421). A step is taken if it does not leave more terms unmet;
once all are met the chain goes on inside the admissible region for a fixed number of steps,
and its last state is one member of the ensemble.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haptos.numerics import philox_stream
from haptos.signalling.building.parameters import load_parameters

__all__ = ["Chain", "Prior", "Unmet", "advance", "begin_chain", "diversity", "walk"]

Array = NDArray[np.float64]
#: Number of unmet terms of states, given up to what number it matters.
Unmet = Callable[[Array, NDArray[np.int64]], NDArray[np.int64]]
_COUNT_ALL: Final = 2**62
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
        """Return parameter values of standard deviations, shape (..., n_free) -> (..., n_parameters)."""
        z = np.asarray(deviations, dtype=np.float64)
        values = np.tile(self.centre, (*z.shape[:-1], 1))
        free = self.spread > 0
        values[..., free] = self.centre[free] * np.exp(self.spread[free] * z)
        return np.minimum(values, self.ceiling)


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """Where a chain stands.

    Attributes
    ----------
    index : int
        Which chain; its start and every step are a function of (seed, index, step).
    deviations : ndarray, shape (n_free,)
        State, in standard deviations of the prior.
    unmet : int
        Terms unmet there; 0 makes it a member, -1 says that it was not scored yet.
    found_after : int
        Steps until all terms were met, -1 if not yet.
    steps, taken : int
        Steps tried and taken.
    """

    index: int
    deviations: Array
    unmet: int = -1
    found_after: int = -1
    steps: int = 0
    taken: int = 0

    @property
    def accepted(self) -> float:
        """Share of the steps taken."""
        return self.taken / max(self.steps, 1)

    def over(self, search: int, mixing: int) -> bool:
        """Whether it went on for `mixing` steps after meeting all terms, or searched in vain."""
        if self.unmet < 0:
            return False
        return self.steps >= (search if self.found_after < 0 else self.found_after + mixing)


def begin_chain(index: int, *, seed: int, n_free: int) -> Chain:
    """Return the start of a chain: a draw of the prior."""
    return Chain(index, _inside(philox_stream(seed, "calibration", 0, index), n_free))


def advance(chains: Sequence[Chain], *, seed: int, unmet: Unmet, step: float = 0.25) -> list[Chain]:
    """Advance chains by one step each, all in one batch.

    Parameters
    ----------
    chains : sequence of Chain
        Of any age.
    seed : int
        Root seed.
    unmet : callable
        Number of unmet terms of states, shape (B, n_free), as an array of shape (B,); it may
        stop counting beyond the numbers in its second argument, shape (B,).
    step : float
        Length of a step in (0, 1]; 1 draws anew from the prior.
    """
    proposals = [_proposal(c, seed, step) for c in chains]
    tried = [i for i, z in enumerate(proposals) if np.all(np.abs(z) <= LIMIT)]
    counts = np.full(len(chains), _COUNT_ALL)
    if tried:
        most = np.array([_COUNT_ALL if chains[i].unmet < 0 else chains[i].unmet for i in tried])
        counts[tried] = unmet(np.array([proposals[i] for i in tried]), most)
    return [_moved(c, z, int(n)) for c, z, n in zip(chains, proposals, counts, strict=True)]


def _proposal(chain: Chain, seed: int, step: float) -> Array:
    if chain.unmet < 0:
        return chain.deviations
    rng = philox_stream(seed, "calibration", 0, chain.index, step=chain.steps + 1)
    return np.asarray(np.sqrt(1.0 - step**2) * chain.deviations + step * rng.standard_normal(len(chain.deviations)))


def _moved(chain: Chain, proposal: Array, unmet: int) -> Chain:
    """Return the chain after its proposal was scored."""
    if chain.unmet < 0:
        return replace(chain, unmet=unmet, found_after=0 if unmet == 0 else -1)
    steps = chain.steps + 1
    if unmet > chain.unmet:
        return replace(chain, steps=steps)
    found = steps if chain.found_after < 0 and unmet == 0 else chain.found_after
    return replace(chain, deviations=proposal, unmet=unmet, found_after=found, steps=steps, taken=chain.taken + 1)


def walk(
    chains: Iterable[Chain],
    *,
    seed: int,
    unmet: Unmet,
    step: float = 0.25,
    search: int = 400,
    mixing: int = 25,
    live: int = 64,
    kept: Callable[[Sequence[Chain]], None] | None = None,
) -> Iterator[Chain]:
    """Run chains to their end, many at once; each as it ends.

    Parameters
    ----------
    chains : iterable of Chain
        Begun or resumed. What a chain becomes does not depend on the others.
    seed, unmet, step
        See :func:`advance`.
    search, mixing : int
        Most steps until all terms are met, and steps after that.
    live : int
        Chains that are advanced together.
    kept : callable, optional
        Told of all live chains after every step, to write them down.
    """
    waiting = iter(chains)
    together = list(islice(waiting, live))
    while together:
        together = advance(together, seed=seed, unmet=unmet, step=step)
        ended = [c for c in together if c.over(search, mixing)]
        together = [c for c in together if not c.over(search, mixing)]
        together += islice(waiting, len(ended))
        yield from ended
        if kept is not None:
            kept(together)


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
