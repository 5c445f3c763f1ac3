"""Certify that members are at rest: an exact root nearby, the same totals, nothing that grows.

The linear algebra is done on ``y / (|y| + scale)``, a similarity, so eigenvalues keep
their meaning and small species their weight.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haptos.numerics._blas import one_blas_thread
from haptos.numerics.paths import evaluate_paths
from haptos.numerics.system import OdeSystem

__all__ = ["Candidates", "Certificate", "Certifier"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]

_NEWTON_LIMIT: Final = 12
_RANK: Final = 1e-14
"""Times the number of states: the share of the largest entry below which a pivot is zero."""
_NUMBERS: Final = 1 << 22
"""Most numbers in the matrices that are worked on at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Certifier:
    """What is the same for all members.

    Attributes
    ----------
    system : OdeSystem
        Equations without explicit time.
    who : ndarray of int
        States that must come to rest.
    blocks : tuple of ndarray
        Judged states that act on each other, as positions in `who`: the eigenvalues of the
        Jacobian are those of its blocks.
    """

    system: OdeSystem
    who: Index
    blocks: tuple[Index, ...]

    @classmethod
    def of(cls, system: OdeSystem, who: Index) -> Certifier:
        """Find the blocks of a system."""
        return _certifier(system, tuple(who.tolist()))

    def candidates(self, parameters: Array, scale: Array, states: Array) -> Candidates:
        """Return members that may be at rest."""
        return Candidates(self, parameters, scale, states)


@lru_cache(maxsize=64)
def _certifier(system: OdeSystem, judged: tuple[int, ...]) -> Certifier:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    n, who = system.n_states, np.array(judged, dtype=np.intp)
    pattern = coo_array((np.ones(len(system.rows)), (system.rows, system.columns)), shape=(n, n)).tocsr()
    if not who.size:
        return Certifier(system, who, ())
    count, block_of = connected_components(pattern[who][:, who], directed=True, connection="strong")
    return Certifier(system, who, tuple(np.flatnonzero(block_of == block) for block in range(count)))


@dataclass(frozen=True, slots=True, eq=False)
class Certificate:
    """What became of the candidates, one row each.

    Attributes
    ----------
    certified : ndarray of bool, shape (M,)
        Whether the rest is certified.
    states : ndarray, shape (M, n_states)
        The root, or the candidate as it was.
    growth, residual : ndarray, shape (M,)
        See :class:`haptos.numerics.steady.SteadyState`.
    """

    certified: Flags
    states: Array
    growth: Array
    residual: Array


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Members that may be at rest: parameters (M, p), scale and states (M, n_states)."""

    certifier: Certifier
    parameters: Array
    scale: Array
    states: Array

    def distance(self, other: Array) -> Array:
        """Return the largest relative difference of the judged states, shape (M,)."""
        gap = np.abs(self.states - other) / (np.abs(self.states) + self.scale)
        return np.asarray(np.max(gap[:, self.certifier.who], axis=1, initial=0.0))

    def certify(self, rows: Index, elapsed: float, tolerance: float) -> Certificate:
        """Move some members to the root nearby if it is near, stable and not negative."""
        certified = np.zeros(len(self.states), dtype=bool)
        states, growth = self.states.copy(), np.full(len(self.states), np.nan)
        with np.errstate(all="ignore"):
            for part in self._parts(rows):
                self._certify(part, elapsed, tolerance, certified, states, growth)
            slopes = self._slopes(np.arange(len(states)), states)
        return Certificate(certified, states, growth, np.max(np.abs(slopes), axis=1, initial=0.0))

    def _certify(
        self, part: Index, elapsed: float, tolerance: float, certified: Flags, states: Array, growth: Array
    ) -> None:
        """Write what becomes of some members into the rows of all."""
        near, roots = self._roots(part, tolerance)
        near &= self._some(part).distance(roots) <= tolerance
        part, roots = part[near], roots[near]
        matrices = self._matrices(part, roots)
        growth[part] = self._growth(matrices)
        rounding = 1e-9 * np.max(np.abs(matrices), axis=(1, 2), initial=0.0)
        stable = growth[part] <= np.maximum(1.0 / elapsed, rounding)
        certified[part[stable]] = True
        states[part[stable]] = roots[stable]

    def _parts(self, rows: Index) -> Iterator[Index]:
        """Cut members into groups whose matrices fit into memory."""
        length = max(1, _NUMBERS // max(1, len(self.certifier.who) ** 2))
        return (rows[first : first + length] for first in range(0, len(rows), length))

    def _some(self, rows: Index) -> Candidates:
        return Candidates(self.certifier, self.parameters[rows], self.scale[rows], self.states[rows])

    def _slopes(self, rows: Index, states: Array) -> Array:
        """Relative rates of change of the judged states [1/time]; nan if any rate is not finite."""
        system = self.certifier.system
        lifted = np.maximum(states, system.floor)[:, None]
        rates = evaluate_paths(system.rhs, lifted, self.parameters[rows], np.zeros(1))[:, 0]
        rates[~np.all(np.isfinite(rates), axis=1)] = np.nan
        return np.asarray((rates / (np.abs(states) + self.scale[rows]))[:, self.certifier.who])

    def _matrices(self, rows: Index, states: Array) -> Array:
        """Jacobians of the judged states in relative units [1/time], shape (M, m, m)."""
        system, who = self.certifier.system, self.certifier.who
        lifted = np.maximum(states, system.floor)[:, None]
        entries = evaluate_paths(system.jacobian, lifted, self.parameters[rows], np.zeros(1))[:, 0]
        entries = np.where(np.isfinite(entries), entries, 0.0)
        weight = np.abs(states) + self.scale[rows]
        entries = entries * weight[:, system.columns] / weight[:, system.rows]
        place = np.full(system.n_states, -1)
        place[who] = np.arange(len(who))
        inside = (place[system.rows] >= 0) & (place[system.columns] >= 0)
        matrices = np.zeros((len(rows), len(who), len(who)))
        matrices[:, place[system.rows[inside]], place[system.columns[inside]]] = entries[:, inside]
        return matrices

    def _growth(self, matrices: Array) -> Array:
        """Return the largest real part of the eigenvalues of every matrix; nan if not finite."""
        growth = np.full(len(matrices), -np.inf)
        growth[~np.all(np.isfinite(matrices), axis=(1, 2))] = np.nan
        finite = np.flatnonzero(~np.isnan(growth))
        for block in self.certifier.blocks:
            part = matrices[np.ix_(finite, block, block)]
            found = part[:, :, 0] if len(block) == 1 else _eigenvalues(part).real
            growth[finite] = np.maximum(growth[finite], np.max(found, axis=1))
        return growth

    def _roots(self, rows: Index, tolerance: float) -> tuple[Flags, Array]:
        """Newton's method along the directions that leave conserved totals alone.

        Returns which members have a root that is not negative, and the roots.
        """
        from haptos.numerics._dense import conserved_directions, solve_all

        who, floor = self.certifier.who, self.certifier.system.floor
        states, scale = self.states[rows], self.scale[rows]
        weight = (np.abs(states) + scale)[:, who]
        matrices = self._matrices(rows, states)
        largest = np.max(np.abs(matrices), axis=(1, 2), initial=0.0)
        largest = np.where(largest > 0.0, largest, 1.0)
        kept = conserved_directions(matrices, _RANK * max(1, len(who)))
        found, moving = np.zeros(len(rows), dtype=bool), np.flatnonzero(np.isfinite(largest))
        for _ in range(_NEWTON_LIMIT):
            now = (np.abs(states[moving]) + scale[moving])[:, who]
            ratio = now / weight[moving]
            held = largest[moving, None, None] * ratio[:, :, None] * kept[moving] * ratio[:, None, :]
            step = np.ascontiguousarray(-self._slopes(rows[moving], states[moving]))
            regular = solve_all(self._matrices(rows[moving], states[moving]) + held, step)
            regular &= np.all(np.isfinite(step), axis=1)
            moving, step, now = moving[regular], step[regular], now[regular]
            states[moving[:, None], who] += step * now
            done = np.max(np.abs(step), axis=1, initial=0.0) <= 1e-4 * tolerance
            found[moving[done]] = True
            moving = moving[~done]
            if not moving.size:
                break
        found &= ~np.any(states < floor - tolerance * scale, axis=1)
        return found, np.maximum(states, floor)


def _eigenvalues(matrices: Array) -> NDArray[np.complex128]:
    """Return the eigenvalues of finite matrices; nan where the iteration fails."""
    try:
        with one_blas_thread():
            return np.asarray(np.linalg.eigvals(matrices), dtype=np.complex128)
    except np.linalg.LinAlgError:
        if len(matrices) == 1:
            return np.full(matrices.shape[:2], np.nan, dtype=np.complex128)
        return np.concatenate([_eigenvalues(m[None]) for m in matrices])
