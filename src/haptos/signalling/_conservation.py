"""Conserved totals of a reaction network, by rational arithmetic."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

__all__ = ["ConservationLaw", "conservation_laws"]


@dataclass(frozen=True, slots=True)
class ConservationLaw:
    """A weighted sum of amounts that no reaction changes.

    Attributes
    ----------
    species : tuple of str
        The pools in the sum.
    coefficients : tuple of int
        Their weights, without common factor. They weigh **amounts**: multiply
        concentrations by the size of the compartment.
    """

    species: tuple[str, ...]
    coefficients: tuple[int, ...]

    @property
    def name(self) -> str:
        """The sum as text, such as ``A + 2 B``."""
        text = ""
        for s, c in zip(self.species, self.coefficients, strict=True):
            sign = (" - " if c < 0 else " + ") if text else ("-" if c < 0 else "")
            text += f"{sign}{s}" if abs(c) == 1 else f"{sign}{abs(c)} {s}"
        return text


_Row = dict[int, Fraction]


def conservation_laws(species: Sequence[str], changes: Iterable[Mapping[str, float]]) -> tuple[ConservationLaw, ...]:
    """Return a basis of the left null space of the stoichiometric matrix.

    Parameters
    ----------
    species : sequence of str
        Pools that only the reactions change.
    changes : iterable of mapping
        For every reaction the net stoichiometry of its species; names that are not in
        `species` are ignored.

    Returns
    -------
    tuple of ConservationLaw
        Linearly independent, with non-negative weights where that was found by adding
        laws in pairs.

    Examples
    --------
    >>> laws = conservation_laws("ABC", [{"A": -1, "B": -1, "C": 1}])
    >>> [law.name for law in laws]
    ['A + C', 'B + C']
    """
    index = {s: i for i, s in enumerate(species)}
    rows = [
        {index[s]: Fraction(repr(float(v))) for s, v in change.items() if s in index and v != 0} for change in changes
    ]
    pivots = _reduced(rows)
    free = [i for i in range(len(species)) if i not in pivots]
    basis = [{f: Fraction(1), **{p: -row[f] for p, row in pivots.items() if f in row}} for f in free]
    rows = sorted(_without_minus(basis), key=sorted)
    return tuple(_law(species, row) for row in rows)


def _reduced(rows: Iterable[_Row]) -> dict[int, _Row]:
    """Bring sparse rows to reduced echelon form: pivot column to its row."""
    pivots: dict[int, _Row] = {}
    for row in rows:
        rest = dict(row)
        for column in [c for c in rest if c in pivots]:
            _subtract(rest, pivots[column], rest.get(column, Fraction(0)))
        if not rest:
            continue
        pivot = min(rest)
        inverse = 1 / rest[pivot]
        rest = {c: v * inverse for c, v in rest.items()}
        for other in pivots.values():
            if pivot in other:
                _subtract(other, rest, other[pivot])
        pivots[pivot] = rest
    return pivots


def _subtract(target: _Row, row: _Row, factor: Fraction) -> None:
    for column, value in row.items():
        left = target.get(column, Fraction(0)) - factor * value
        if left:
            target[column] = left
        else:
            target.pop(column, None)


def _without_minus(basis: Sequence[_Row]) -> list[_Row]:
    """Replace laws with negative weights by sums with other laws that have none."""
    rows = [dict(row) for row in basis]
    for i in range(len(rows)):
        for k, other in enumerate(rows):
            if k != i and min(other.values()) >= 0:
                rows[i] = _lifted(rows[i], other)
    return rows


def _lifted(row: _Row, other: _Row) -> _Row:
    """Add a law to another if that leaves fewer negative weights."""
    shared = [-row[c] / other[c] for c in row if row[c] < 0 and other.get(c, 0) > 0]
    if not shared:
        return row
    candidate = dict(row)
    _subtract(candidate, other, -max(shared))
    fewer = sum(v < 0 for v in candidate.values()) < sum(v < 0 for v in row.values())
    return candidate if fewer else row


def _law(species: Sequence[str], row: _Row) -> ConservationLaw:
    scale = math.lcm(*(v.denominator for v in row.values()))
    whole = {c: int(v * scale) for c, v in sorted(row.items())}
    common = math.gcd(*whole.values())
    return ConservationLaw(tuple(species[c] for c in whole), tuple(v // common for v in whole.values()))
