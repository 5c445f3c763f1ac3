"""Scoring: which terms many parameter vectors meet, each distinct condition simulated once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from haptos.core.hashing import content_hash
from haptos.inference.terms import Term, load_terms
from haptos.signalling.cell import simulate_vectors
from haptos.signalling.condition import Condition, Outcomes

__all__ = ["Scorer", "score"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: Conditions after which vectors that fail too often are given up.
ROUND: Final = 48
#: Vectors simulated at once: bounds the memory.
_AT_ONCE: Final = 512


class Scorer:
    """Scores parameter vectors in batches.

    Parameters
    ----------
    terms : sequence of Term, optional
        The library's by default.
    threads : int
        Threads of the integrator; they change no bit.
    """

    def __init__(self, terms: Sequence[Term] | None = None, *, threads: int = 1) -> None:
        self.terms = tuple(load_terms() if terms is None else terms)
        self._threads = threads
        self._keys = [[_key(c) for c in term.conditions] for term in self.terms]
        self._conditions = self._merged()
        self._last = {key: t for t, keys in enumerate(self._keys) for key in keys}

    @property
    def n_conditions(self) -> int:
        """Number of distinct conditions, each simulated once for a vector."""
        return len(self._conditions)

    def __call__(self, vectors: Array, *, misses: ArrayLike | None = None) -> Flags:
        """Tell which terms the vectors meet, shape (B, n_terms).

        Parameters
        ----------
        vectors : ndarray, shape (B, n_parameters)
            In the order and units of the parameter table.
        misses : int or array of shape (B,), optional
            Stop for a vector once more terms than this are unmet; the rest count as unmet.
        """
        most = np.broadcast_to(np.asarray(len(self.terms) if misses is None else misses), (len(vectors),))
        parts = range(0, len(vectors), _AT_ONCE)
        found = [self._score(vectors[i : i + _AT_ONCE], most[i : i + _AT_ONCE]) for i in parts]
        return np.concatenate(found) if found else np.zeros((0, len(self.terms)), dtype=bool)

    def unmet(self, vectors: Array, misses: ArrayLike) -> NDArray[np.int64]:
        """Return how many terms the vectors do not meet, shape (B,); beyond `misses` not exactly."""
        return np.asarray(np.sum(~self(vectors, misses=misses), axis=1), dtype=np.int64)

    def _score(self, vectors: Array, misses: NDArray[np.int64]) -> Flags:
        met = np.zeros((len(vectors), len(self.terms)), dtype=bool)
        alive = np.arange(len(vectors))
        done: dict[str, Outcomes] = {}
        first = 0
        while first < len(self.terms) and alive.size:
            last = self._end_of_round(first, done)
            self._simulate(range(first, last), vectors[alive], done)
            for t in range(first, last):
                met[alive, t] = self.terms[t].met_each([done[key] for key in self._keys[t]])
            going = np.sum(~met[alive, :last], axis=1) <= misses[alive]
            met[alive[~going], last:] = False
            done = {key: _rows(found, going) for key, found in done.items() if self._last[key] >= last}
            alive, first = alive[going], last
        return met

    def _end_of_round(self, first: int, done: dict[str, Outcomes]) -> int:
        """Return the term before which a round of about `ROUND` new conditions ends."""
        new: set[str] = set()
        for t in range(first, len(self.terms)):
            new |= set(self._keys[t]) - set(done)
            if len(new) >= ROUND:
                return t + 1
        return len(self.terms)

    def _simulate(self, terms: range, vectors: Array, done: dict[str, Outcomes]) -> None:
        """Add the outcomes that some terms need."""
        missing = list(dict.fromkeys(key for t in terms for key in self._keys[t] if key not in done))
        conditions = [self._conditions[key] for key in missing]
        done.update(zip(missing, simulate_vectors(conditions, vectors, threads=self._threads), strict=True))

    def _merged(self) -> dict[str, Condition]:
        """Return the distinct conditions; those that differ in what is read only are one."""
        wanted: dict[str, set[str]] = {}
        whole: dict[str, Condition] = {}
        for term, keys in zip(self.terms, self._keys, strict=True):
            for condition, key in zip(term.conditions, keys, strict=True):
                wanted.setdefault(key, set()).update(condition.quantities)
                whole[key] = condition
        return {key: c.with_changes(quantities=tuple(sorted(wanted[key]))) for key, c in whole.items()}


def score(vector: Array, terms: Sequence[Term] | None = None, *, misses: int | None = None) -> tuple[bool, ...]:
    """Tell which terms one parameter vector meets, see :class:`Scorer`."""
    return tuple(bool(met) for met in Scorer(terms)(np.asarray(vector)[None], misses=misses)[0])


def _key(condition: Condition) -> str:
    return content_hash({**condition.canonical(), "quantities": []})


def _rows(outcomes: Outcomes, chosen: Flags) -> Outcomes:
    """Return the outcomes of some vectors."""
    return Outcomes(
        {name: rows[chosen] for name, rows in outcomes.quantities.items()},
        outcomes.geometry,
        outcomes.status[chosen],
        {name: values[chosen] for name, values in outcomes.parameters.items()},
    )
