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
        loud = np.array([name not in self.quiet for name in self.states], dtype=bool)
        middle = _medians(known[:, loud])
        middle = np.where(np.isnan(middle), spare, middle)
        middle = np.where(np.isfinite(middle) & (middle > 0.0), middle, 1.0)[:, None]
        result = np.fmax(np.where(np.isnan(known), 1e-3 * middle, known), 1e-6 * middle)
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


def _medians(rows: Array) -> Array:
    """Return the median of the numbers of every row, nan if there are none."""
    counts = np.sum(~np.isnan(rows), axis=1)
    if not rows.shape[1]:
        return np.full(len(rows), np.nan)
    ordered, at, last = np.sort(rows, axis=1), np.arange(len(rows)), rows.shape[1] - 1
    lower = ordered[at, np.maximum((counts - 1) // 2, 0)]
    upper = ordered[at, np.minimum(counts // 2, last)]
    return np.where(counts > 0, np.where(counts % 2 == 1, lower, 0.5 * (lower + upper)), np.nan)
