"""How large the states of a network get, to set absolute tolerances."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haptos.signalling._conservation import ConservationLaw

__all__ = ["Magnitudes"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Magnitudes:
    """The rule that estimates magnitudes.

    Attributes
    ----------
    states, parameters : tuple of str
        Names of the columns.
    places : mapping of str to str
        Compartment of every species.
    laws : sequence of ConservationLaw
        Conserved totals.
    declared : mapping of str to float
        Magnitudes that are given.
    quiet : tuple of str
        States that only events change; they say nothing about the others.
    """

    states: tuple[str, ...]
    parameters: tuple[str, ...]
    places: Mapping[str, str]
    laws: Sequence[ConservationLaw]
    declared: Mapping[str, float]
    quiet: tuple[str, ...] = ()

    def estimate(self, states: Array, constants: Array) -> Array:
        """Estimate the magnitude of every state of every member.

        In this order: what is declared; the larger of the initial value and the bound by
        a conserved total; a thousandth of the median of those known; a thousandth of the
        largest fixed species; a thousandth. Nothing is below a millionth of that median.

        Parameters
        ----------
        states : ndarray, shape (B, n_states)
            Values at the start.
        constants : ndarray, shape (B, n_parameters)
            Parameters at the start.

        Returns
        -------
        ndarray, shape (B, n_states)
            All above zero.
        """
        known = np.fmax(np.abs(states), self._bounds(states, constants))
        known = np.where(np.isfinite(known) & (known > 0.0), known, np.nan)
        fixed = [i for i, name in enumerate(self.parameters) if name in self.places]
        spare = np.max(np.abs(constants[:, fixed]), axis=1, initial=0.0)
        result = np.empty_like(known)
        loud = np.array([name not in self.quiet for name in self.states], dtype=bool)
        for b, row in enumerate(known):
            seen = row[loud & ~np.isnan(row)]
            middle = float(np.median(seen)) if seen.size else float(spare[b])
            middle = middle if np.isfinite(middle) and middle > 0.0 else 1.0
            result[b] = np.fmax(np.where(np.isnan(row), 1e-3 * middle, row), 1e-6 * middle)
        for name, scale in self.declared.items():
            result[:, self.states.index(name)] = scale
        return result

    def _bounds(self, states: Array, constants: Array) -> Array:
        """Return the most each state can reach by conservation; nan where nothing bounds it."""
        bounds = np.full(states.shape, np.nan)
        size_of = {name: constants[:, i] for i, name in enumerate(self.parameters)}
        index = {name: i for i, name in enumerate(self.states)}
        for law in self.laws:
            if min(law.coefficients) < 0:
                continue
            weights = [
                (index[s], c * size_of[self.places[s]]) for s, c in zip(law.species, law.coefficients, strict=True)
            ]
            with np.errstate(all="ignore"):
                total = sum((w * states[:, i] for i, w in weights), np.zeros(len(states)))
                for i, weight in weights:
                    bounds[:, i] = np.fmin(bounds[:, i], total / weight)
        return bounds
