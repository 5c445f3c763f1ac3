"""Values at the start and in every segment: given, overridden, derived."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haptos.errors import ParameterError
from haptos.numerics import OdeSegment, Tape, build_tape
from haptos.numerics.paths import evaluate_paths
from haptos.signalling._compile import Roles, start_expressions
from haptos.signalling._inputs import Segment, Values, columns, unknown_name
from haptos.signalling._kinetic_model import KineticModel

__all__ = ["StartRule", "compile_start"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class StartRule:
    """Turns overrides into states and parameters.

    A *row* of a member holds the given value of every state and parameter, then a flag
    for each derived one: 1 where the given value wins over its formula.

    Attributes
    ----------
    states, parameters : tuple of str
        Names of the columns.
    fixed_species : tuple of str
        Parameters that are species.
    derived, held : tuple of str
        What has a formula; what of it keeps the value of the start in all segments.
    given : ndarray, shape (n_states + n_parameters,)
        Values of the model.
    tape : Tape
        Formulas of the derived ones over a row.
    advice : mapping of str to str
        For names of the wrong kind, what to do.
    """

    states: tuple[str, ...]
    parameters: tuple[str, ...]
    fixed_species: tuple[str, ...]
    derived: tuple[str, ...]
    held: tuple[str, ...]
    given: Array
    tape: Tape
    advice: Mapping[str, str]

    def rows(self, parameters: Values, initial: Values | Array, size: int) -> Array:
        """Return the rows of a batch, shape (B, n_states + n_parameters + n_derived)."""
        n = len(self.states)
        rows = np.tile(np.concatenate([self.given, np.zeros(len(self.derived))]), (size, 1))
        if not isinstance(initial, Mapping):
            if initial.shape != (size, n):
                raise ParameterError(f"initial must have shape {(size, n)}, not {initial.shape}")
            self._override(rows, dict(enumerate(initial.T)), 0)
            initial = {}
        twice = sorted(set(parameters) & set(initial))
        if twice:
            raise ParameterError(f"{', '.join(twice)}: given as parameter and as initial value")
        for name in initial:
            if name not in self.states and name not in self.fixed_species:
                raise unknown_name(name, "state", [*self.states, *self.fixed_species], self.advice)
        moving = {k: v for k, v in initial.items() if k in self.states}
        fixed = {k: v for k, v in initial.items() if k in self.fixed_species}
        self._override(rows, columns(moving, self.states, size, "state", {}), 0)
        known = columns({**parameters, **fixed}, self.parameters, size, "parameter", self.advice)
        self._override(rows, known, n)
        return rows

    def _override(self, rows: Array, values: Mapping[int, Array], offset: int) -> None:
        """Write given values and raise their flags."""
        flags = self._flags()
        for column, value in values.items():
            rows[:, offset + column] = value
            if offset + column in flags:
                rows[:, flags[offset + column]] = 1.0

    def _flags(self) -> dict[int, int]:
        """Return the column of the flag of every derived column."""
        width = len(self.states) + len(self.parameters)
        columns_of = {name: column for column, name in enumerate((*self.states, *self.parameters))}
        return {columns_of[name]: width + number for number, name in enumerate(self.derived)} if self.derived else {}

    def evaluate(self, rows: Array, time: float) -> tuple[Array, Array]:
        """Return states (B, n_states) and parameters (B, n_parameters), formulas evaluated."""
        n, width = len(self.states), len(self.states) + len(self.parameters)
        states, parameters = rows[:, :n].copy(), rows[:, n:width].copy()
        if self.derived:
            found = evaluate_paths(self.tape, np.zeros((len(rows), 1, 0)), rows, np.array([time]))[:, 0]
            for number, column in enumerate(self._flags()):
                (states if column < n else parameters)[:, column - (0 if column < n else n)] = found[:, number]
        return states, parameters

    def segment(self, piece: Segment, rows: Array, constants: Array) -> OdeSegment:
        """Return the arrays of a segment; `constants` are those of the start."""
        size, n = len(rows), len(self.states)
        scale, shift = self._changes(piece, size)
        if not piece.parameters:
            return OdeSegment(piece.start, piece.stop, constants, scale, shift)
        own = rows.copy()
        held = [self.parameters.index(name) for name in self.held]
        self._override(own, {column: constants[:, column] for column in held}, n)
        known = columns(piece.parameters, self.parameters, size, "parameter", self.advice)
        self._override(own, known, n)
        _, parameters = self.evaluate(own, piece.start)
        return OdeSegment(piece.start, piece.stop, parameters, scale, shift)

    def _changes(self, piece: Segment, size: int) -> tuple[Array | None, Array | None]:
        """Return factors and summands of the states at the start of a segment."""
        if not (piece.set or piece.add or piece.multiply):
            return None, None
        fresh, summands, factors = (
            columns(values, self.states, size, "state", self.advice)
            for values in (piece.set, piece.add, piece.multiply)
        )
        scale, shift = np.ones((size, len(self.states))), np.zeros((size, len(self.states)))
        for column, value in factors.items():
            scale[:, column] = value
        for column, value in summands.items():
            shift[:, column] = value
        for column, value in fresh.items():
            if column in summands or column in factors:
                name = self.states[column]
                raise ParameterError(f"{name!r}: set excludes add and multiply in one segment")
            scale[:, column], shift[:, column] = 0.0, value
        return scale, shift


def compile_start(model: KineticModel, roles: Roles) -> StartRule:
    """Compile the initial values and assignments of a model."""
    start = start_expressions(model, roles)
    width, names = len(start.values), [*roles.states, *roles.constants]
    derived = [start.values[names.index(name)] for name in start.derived]
    species = {s.id for s in model.species}
    return StartRule(
        states=roles.states,
        parameters=roles.constants,
        fixed_species=tuple(name for name in roles.constants if name in species),
        derived=start.derived,
        held=start.held,
        given=np.array(start.defaults, dtype=np.float64),
        tape=build_tape(start.graph, derived, width + len(start.derived), range(width)),
        advice=_advice(model, roles),
    )


def _advice(model: KineticModel, roles: Roles) -> dict[str, str]:
    """Say for names of the wrong kind where they belong."""
    computed = "it is computed by a rule of the model"
    changing = "the model changes it; give its value under 'initial' or in 'set'"
    constant = "it is held constant; give it under 'parameters'"
    return {
        **dict.fromkeys((r.id for r in model.reactions), "it is the rate of a reaction"),
        **dict.fromkeys((e.symbol for e in model.assignments), computed),
        **dict.fromkeys(roles.states, changing),
        **dict.fromkeys(roles.constants, constant),
    }
