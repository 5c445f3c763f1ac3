"""Models that haptos does not take natively, simulated by libRoadRunner.

Slow on purpose and plain: every member is a model of its own, with its values written
into the SBML, so that what is overridden follows from the text alone.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from haptos.errors import MissingExtraError, ModelError, ParameterError, Status
from haptos.signalling._inputs import Values, batch_size, columns, unknown_name
from haptos.signalling._result import SimulationResult
from haptos.signalling._sbml.screen import screen_xml

__all__ = ["RoadRunnerNetwork", "open_in_roadrunner"]

Array = NDArray[np.float64]

_NOTHING: Final[Values] = MappingProxyType({})
_METHOD: Final = "libRoadRunner (CVODE)"


@dataclass(frozen=True, slots=True)
class RoadRunnerNetwork:
    """A model in the hands of libRoadRunner. Make one with ``open_network(text, solver="libroadrunner")``.

    Attributes
    ----------
    id : str
        Identifier of the model.
    species, parameters, observables, reactions : tuple of str
        Species; parameters and compartments that no rule gives; what assignment rules
        give; reactions.
    sbml : str
        The model.

    Notes
    -----
    Sequences of segments, steady states, sampling and stepping are not offered.
    """

    id: str
    species: tuple[str, ...]
    parameters: tuple[str, ...]
    observables: tuple[str, ...]
    reactions: tuple[str, ...]
    sbml: str = field(repr=False)

    @property
    def outputs(self) -> tuple[str, ...]:
        """What is returned by default: species, observables."""
        return tuple(dict.fromkeys([*self.species, *self.observables]))

    def simulate(
        self,
        times: ArrayLike,
        *,
        parameters: Values = _NOTHING,
        initial: Values = _NOTHING,
        outputs: Sequence[str] | None = None,
        start: float = 0.0,
        rtol: float = 1e-6,
        max_steps: int = 100_000,
    ) -> SimulationResult:
        """Simulate a batch of members, one after the other.

        Parameters
        ----------
        times : array_like, shape (T,)
            Output times in ascending order.
        parameters : mapping
            Values of parameters and compartments, each a number or an array of shape
            (B,); their initial assignments are dropped, those of others follow.
        initial : mapping
            Concentrations of species at the start.
        outputs : sequence of str, optional
            Species (concentrations), parameters, compartments, reactions (rates).
        start : float
            Time of the start.
        rtol : float
            Relative tolerance per step; the absolute one is ``1e-3 * rtol`` times the
            typical initial amount.
        max_steps : int
            Limit of internal steps between two outputs.

        Returns
        -------
        SimulationResult
            With ``method`` saying so; `n_steps` and `n_rhs` are -1: they are not reported.

        Raises
        ------
        ParameterError
            If a name does not exist or a time is not admissible.
        ModelError
            If libRoadRunner does not take the model.
        """
        grid = np.atleast_1d(np.asarray(times, dtype=np.float64))
        if grid.ndim != 1 or not np.all(np.isfinite(grid)) or np.any(np.diff(grid) < 0) or np.any(grid < start):
            raise ParameterError(f"times must be finite and ascending, from {start:g} on")
        names = self.outputs if outputs is None else tuple(outputs)
        known = (*self.species, *self.parameters, *self.observables, *self.reactions)
        for name in names:
            if name not in known:
                raise unknown_name(name, "quantity", known, {})
        size = batch_size([parameters, initial])
        fixed = columns(parameters, self.parameters, size, "parameter", dict.fromkeys(self.species, "it is a species"))
        begun = columns(initial, self.species, size, "species", dict.fromkeys(self.parameters, "it is a parameter"))
        values = np.full((size, len(grid), len(names)), np.nan)
        final = np.full((size, len(self.species)), np.nan)
        status = np.zeros(size, dtype=np.int64)
        for b in range(size):
            given = {self.parameters[i]: float(v[b]) for i, v in fixed.items()}
            concentrations = {self.species[i]: float(v[b]) for i, v in begun.items()}
            text = _with_values(self.sbml, given, concentrations)
            run = _Run(text, rtol, max_steps)
            status[b], rows = run.courses(
                [*map(self._selection, names), *map(self._selection, self.species)], start, grid
            )
            if status[b] == Status.OK:
                values[b] = rows[:, : len(names)]
                final[b] = rows[-1, len(names) :] if len(rows) else np.nan
        unknown = np.full(size, -1, dtype=np.int64)
        return SimulationResult(
            names=names,
            units=dict.fromkeys(names, ""),
            times=grid,
            values=values,
            status=status,
            n_steps=unknown,
            n_rhs=unknown.copy(),
            seconds=np.full(size, np.nan),
            final=final,
            method=_METHOD,
        )

    def _selection(self, name: str) -> str:
        return f"[{name}]" if name in self.species else name


class _Run:
    """One member in libRoadRunner."""

    def __init__(self, text: str, rtol: float, max_steps: int) -> None:
        self.runner = _load(text)
        integrator = self.runner.getIntegrator()
        integrator.setValue("relative_tolerance", rtol)
        integrator.setValue("maximum_num_steps", max_steps)
        integrator.setValue("absolute_tolerance", 1e-3 * rtol * self._typical())

    def _typical(self) -> float:
        amounts = np.abs(np.asarray(self.runner.model.getFloatingSpeciesAmounts(), dtype=np.float64))
        amounts = amounts[np.isfinite(amounts) & (amounts > 0.0)]
        return float(np.min(amounts)) if amounts.size else 1.0

    def courses(self, selections: Sequence[str], start: float, grid: Array) -> tuple[Status, Array]:
        """Return the selections at the times of the grid, shape (T, n)."""
        points, back = np.unique(np.concatenate([[start], grid]), return_inverse=True)
        try:
            self.runner.timeCourseSelections = ["time", *selections]
            if len(points) == 1:
                points, back = (
                    np.array([start, start + 1e-9 * max(1.0, abs(start))]),
                    np.zeros(len(grid) + 1, dtype=int),
                )
            table = np.array(self.runner.simulate(times=points.tolist()), dtype=np.float64)
        except RuntimeError as fault:
            return _status_of(str(fault)), np.zeros((0, 0))
        if table.shape[0] != len(points) or np.any(np.abs(table[:, 0] - points) > 1e-9 * (1.0 + np.abs(points))):
            return Status.STEP_TOO_SMALL, np.zeros((0, 0))
        return Status.OK, table[back[1:], 1:]


def _status_of(message: str) -> Status:
    """Read how CVODE gave up."""
    if "CV_TOO_MUCH_WORK" in message or "mxstep" in message.lower():
        return Status.MAX_STEPS
    if "nan" in message.lower() or "infinite" in message.lower():
        return Status.NON_FINITE
    return Status.STEP_TOO_SMALL


def open_in_roadrunner(text: str) -> RoadRunnerNetwork:
    """Read an SBML text for libRoadRunner.

    Raises
    ------
    MissingExtraError
        If libRoadRunner is not installed.
    ModelError
        If the text is not valid or libRoadRunner does not take it.
    """
    if importlib.util.find_spec("roadrunner") is None:
        raise MissingExtraError("libroadrunner", "roadrunner")
    import libsbml

    from haptos.signalling._sbml.checks import reader_errors, unknown_to_all

    clean = screen_xml(text)
    document = libsbml.readSBMLFromString(clean)
    model = document.getModel()
    reasons = reader_errors(document) if model is None else [*unknown_to_all(model), *reader_errors(document)]
    if model is None or reasons:
        lines = [f"  - {reason}" for reason in dict.fromkeys(reasons or ["no model"])]
        raise ModelError("\n".join(["libRoadRunner does not take this model either:", *lines]))
    _load(clean)
    assigned = {r.getVariable() for r in model.getListOfRules() if r.isAssignment()}
    species = tuple(s.getId() for s in model.getListOfSpecies())
    free = (*model.getListOfParameters(), *model.getListOfCompartments())
    return RoadRunnerNetwork(
        id=model.getId(),
        species=species,
        parameters=tuple(e.getId() for e in free if e.getId() not in assigned),
        observables=tuple(sorted(assigned - set(species))),
        reactions=tuple(r.getId() for r in model.getListOfReactions()),
        sbml=clean,
    )


def _load(text: str) -> Any:
    import roadrunner

    roadrunner.Logger.setLevel(roadrunner.Logger.LOG_FATAL)
    try:
        return roadrunner.RoadRunner(text)
    except RuntimeError as fault:
        raise ModelError(f"libRoadRunner does not take this model: {' '.join(str(fault).split())[:1000]}") from fault


def _with_values(text: str, parameters: Mapping[str, float], initial: Mapping[str, float]) -> str:
    """Return the SBML with other values; what they replace is removed."""
    if not (parameters or initial):
        return text
    import libsbml

    document = libsbml.readSBMLFromString(text)
    model = document.getModel()
    for name, value in {**parameters, **initial}.items():
        model.removeInitialAssignment(name)
        if name in initial:
            model.getSpecies(name).setInitialConcentration(value)
        elif model.getCompartment(name) is not None:
            model.getCompartment(name).setSize(value)
        else:
            model.getParameter(name).setValue(value)
    return str(libsbml.writeSBMLToString(document))
