"""A reaction network compiled for simulation.

``compile_network`` turns a model into a :class:`Network`: tapes and names, picklable,
free of libSBML. All concentrations, amounts and times are in the units of the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from haptos.errors import ParameterError
from haptos.numerics import (
    Graph,
    OdeSegment,
    OdeSolver,
    OdeSystem,
    OdeTask,
    ScipySolver,
    SteadyTask,
    Tape,
    build_system,
    build_tape,
    evaluate_tape,
    find_steady_state,
)
from haptos.signalling._compile import (
    Roles,
    dynamics,
    find_roles,
    net_changes,
    start_expressions,
)
from haptos.signalling._conservation import ConservationLaw, conservation_laws
from haptos.signalling._inputs import Segment, Values, batch_size, columns, unknown_name
from haptos.signalling._kinetic_model import KineticModel
from haptos.signalling._result import SimulationResult, SteadyResult
from haptos.signalling.sbml import read_sbml

__all__ = [
    "ConservationLaw",
    "Network",
    "Segment",
    "SimulationResult",
    "SteadyResult",
    "compile_network",
]

Array = NDArray[np.float64]

_NOTHING: Final[Values] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Network:
    """A network ready to simulate. Make one with :func:`compile_network`.

    Attributes
    ----------
    id : str
        Identifier of the model.
    states : tuple of str
        What is integrated: species that reactions change and targets of rate rules.
    species : tuple of str
        All species: changing, fixed and assigned.
    parameters : tuple of str
        What can be set: parameters, compartment sizes, fixed species.
    observables : tuple of str
        Quantities that assignment rules compute.
    reactions : tuple of str
        Reactions; as outputs they stand for their rates [extent per time].
    units : mapping of str to str
        Unit text of every name.
    time_units : str
        Unit text of time.
    initial, defaults : ndarray, shape (n_states,), (n_parameters,)
        Values at the start if nothing is overridden, formulas evaluated at time 0.
    laws : tuple of ConservationLaw
        Conserved totals.
    system : OdeSystem
        The equations, for use without names.
    """

    id: str
    states: tuple[str, ...]
    species: tuple[str, ...]
    parameters: tuple[str, ...]
    observables: tuple[str, ...]
    reactions: tuple[str, ...]
    units: Mapping[str, str] = field(repr=False)
    time_units: str
    initial: Array = field(repr=False)
    defaults: Array = field(repr=False)
    laws: tuple[ConservationLaw, ...] = field(repr=False)
    system: OdeSystem = field(repr=False)
    scales: Mapping[str, float] = field(repr=False)
    _graph: Graph = field(repr=False)
    _values: Mapping[str, int] = field(repr=False)
    _start: Tape = field(repr=False)
    _derived: tuple[str, ...] = field(repr=False)
    _held: tuple[str, ...] = field(repr=False)
    _given: Array = field(repr=False)
    _places: Mapping[str, str] = field(repr=False)

    @property
    def outputs(self) -> tuple[str, ...]:
        """What is returned by default: species, other states, observables."""
        return tuple(dict.fromkeys([*self.species, *self.states, *self.observables]))

    def simulate(
        self,
        times: ArrayLike,
        *,
        parameters: Values = _NOTHING,
        initial: Values | Array = _NOTHING,
        segments: Sequence[Segment] = (),
        outputs: Sequence[str] | None = None,
        start: float = 0.0,
        rtol: float = 1e-6,
        max_steps: int = 100_000,
        solver: OdeSolver | None = None,
    ) -> SimulationResult:
        """Simulate a batch of members.

        Parameters
        ----------
        times : array_like, shape (T,)
            Output times in ascending order.
        parameters : mapping
            Values that replace the model's, each a number or an array of shape (B,).
            Initial assignments follow them, unless their target is given too.
        initial : mapping or ndarray of shape (B, n_states)
            Concentrations at the start; they win over initial assignments.
        segments : sequence of Segment
            The schedule; one stretch from `start` to the last output if empty.
        outputs : sequence of str, optional
            Names to return: any species, parameter, observable or reaction.
        start : float
            Time of the start, if there are no segments.
        rtol : float
            Relative tolerance per step. The absolute tolerance of a state is
            ``1e-3 * rtol`` times its magnitude, see :meth:`magnitudes`.
        max_steps : int
            Limit of internal steps per member.
        solver : OdeSolver, optional
            The integrator; SciPy's LSODA by default.

        Returns
        -------
        SimulationResult
            One row per member; a member that fails has a status and nan, the others
            are not affected.

        Raises
        ------
        ParameterError
            If a name does not exist or a shape, time or number is not admissible.

        Notes
        -----
        In every segment, parameters with a formula of other parameters are computed
        anew; those whose formula involves states or time keep the value of the start.
        """
        grid = np.atleast_1d(np.asarray(times, dtype=np.float64))
        plan = list(segments) or [Segment(start, float(np.max(grid, initial=start)))]
        array = None if isinstance(initial, Mapping) else np.asarray(initial, dtype=np.float64)
        groups = [g for s in plan for g in (s.parameters, s.set, s.add, s.multiply)]
        named = initial if isinstance(initial, Mapping) else _NOTHING
        size = batch_size([parameters, named, *groups], array)
        base = self._base(parameters, named, array, size)
        state, constants = self._evaluate_start(base, plan[0].start)
        pieces = [self._segment(piece, base, constants) for piece in plan]
        scale = self.magnitudes(state, constants)
        task = OdeTask(
            system=self.system,
            initial=state,
            segments=pieces,
            times=grid,
            rtol=rtol,
            atol=1e-3 * rtol * scale,
            max_steps=max_steps,
        )
        solution = (solver or ScipySolver()).solve(task)
        names = self.outputs if outputs is None else tuple(outputs)
        values = self._evaluate_outputs(names, solution.states, pieces, grid)
        values[solution.status != 0] = np.nan
        return SimulationResult(
            names=names,
            units={name: self.units.get(name, "") for name in names},
            times=grid,
            values=values,
            status=solution.status,
            n_steps=solution.n_steps,
            n_rhs=solution.n_rhs,
            seconds=solution.seconds,
            final=solution.final,
        )

    def steady_state(
        self,
        *,
        parameters: Values = _NOTHING,
        initial: Values | Array = _NOTHING,
        ignore: Sequence[str] = (),
        max_time: float = 1e6,
        tolerance: float = 1e-4,
        rtol: float = 1e-6,
        max_steps: int = 100_000,
        solver: OdeSolver | None = None,
    ) -> SteadyResult:
        """Bring a batch of members to rest and certify it.

        Parameters
        ----------
        parameters, initial, rtol, max_steps, solver
            As in :meth:`simulate`. The start sets the conserved totals.
        ignore : sequence of str
            States that may go on changing (sinks); nothing else may depend on them.
        max_time : float
            Time after which a member is given up, in the time unit of the model.
        tolerance : float
            Largest relative distance between the integrated state and the exact root.

        Raises
        ------
        ParameterError
            If the rates depend on time, or a name does not exist.
        """
        array = None if isinstance(initial, Mapping) else np.asarray(initial, dtype=np.float64)
        named = initial if isinstance(initial, Mapping) else _NOTHING
        size = batch_size([parameters, named], array)
        base = self._base(parameters, named, array, size)
        state, constants = self._evaluate_start(base, 0.0)
        judged = np.ones(len(self.states), dtype=bool)
        judged[list(columns(dict.fromkeys(ignore, 0.0), self.states, 1, "state", {}))] = False
        task = SteadyTask(
            system=self.system,
            initial=state,
            parameters=constants,
            scale=self.magnitudes(state, constants),
            max_time=max_time,
            tolerance=tolerance,
            judged=judged,
            rtol=rtol,
            max_steps=max_steps,
        )
        found = find_steady_state(task, solver or ScipySolver())
        whole = OdeSegment(0.0, 0.0, constants)
        values = self._evaluate_outputs(
            self.outputs, found.states[:, None], [whole], np.zeros(1)
        )[:, 0]
        values[found.status != 0] = np.nan
        return SteadyResult(
            names=self.outputs,
            values=values,
            states=found.states,
            converged=found.converged,
            status=found.status,
            residual=found.residual,
            growth=found.growth,
            explanations=tuple(found.explanation(b) for b in range(size)),
        )

    def start_values(
        self, *, parameters: Values = _NOTHING, initial: Values = _NOTHING, start: float = 0.0
    ) -> tuple[Array, Array]:
        """Return states (B, n_states) and parameters (B, n_parameters) at the start."""
        size = batch_size([parameters, initial])
        return self._evaluate_start(self._base(parameters, initial, None, size), start)

    def magnitudes(self, states: Array, constants: Array) -> Array:
        """Estimate how large each state gets, to set absolute tolerances.

        In this order: the scale declared when compiling; the larger of the initial value
        and the bound by a conserved total; a thousandth of the median of those known; a
        thousandth of the largest fixed species; one. Nothing is below a millionth of
        that median.

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
        fixed = [i for i, name in enumerate(self.parameters) if name in self._places]
        spare = np.nanmax(np.abs(constants[:, fixed]), axis=1, initial=0.0)
        result = np.empty_like(known)
        for b, row in enumerate(known):
            middle = float(np.median(row[~np.isnan(row)])) if not np.all(np.isnan(row)) else spare[b]
            middle = middle if np.isfinite(middle) and middle > 0.0 else 1.0
            result[b] = np.fmax(np.where(np.isnan(row), 1e-3 * middle, row), 1e-6 * middle)
        for name, scale in self.scales.items():
            result[:, self.states.index(name)] = scale
        return result

    def _bounds(self, states: Array, constants: Array) -> Array:
        """Return the most each state can reach by conservation; nan where nothing bounds it."""
        bounds = np.full(states.shape, np.nan)
        size_of = {n: constants[:, i] for i, n in enumerate(self.parameters)}
        index = {name: i for i, name in enumerate(self.states)}
        for law in self.laws:
            if min(law.coefficients) < 0:
                continue
            weights = [
                (index[s], c * size_of[self._places[s]])
                for s, c in zip(law.species, law.coefficients, strict=True)
            ]
            total = sum((w * states[:, i] for i, w in weights), np.zeros(len(states)))
            for i, weight in weights:
                with np.errstate(all="ignore"):
                    bounds[:, i] = np.fmin(bounds[:, i], total / weight)
        return bounds

    def _base(
        self, parameters: Values, initial: Values, array: Array | None, size: int
    ) -> Array:
        """Return given values and override flags, shape (B, n_states + n_parameters + n_derived)."""
        n = len(self.states)
        if array is not None and array.shape != (size, n):
            raise ParameterError(f"initial must have shape {(size, n)}, not {array.shape}")
        movable = [name for name in self.parameters if name in self._places]
        twice = sorted(set(parameters) & set(initial))
        if twice:
            raise ParameterError(f"{', '.join(twice)}: given as parameter and as initial value")
        for name in initial:
            if name not in self.states and name not in movable:
                raise unknown_name(name, "state", [*self.states, *movable], self._advice())
        states = {k: v for k, v in initial.items() if k in self.states}
        base = np.tile(np.concatenate([self._given, np.zeros(len(self._derived))]), (size, 1))
        self._override(base, columns(states, self.states, size, "state", {}), 0)
        fixed = {**parameters, **{k: v for k, v in initial.items() if k in movable}}
        found = columns(fixed, self.parameters, size, "parameter", self._advice())
        self._override(base, found, n)
        if array is not None:
            self._override(base, dict(enumerate(array.T)), 0)
        return base

    def _override(self, base: Array, values: Mapping[int, Array], offset: int) -> None:
        """Write given values and raise their flags."""
        names = [*self.states, *self.parameters]
        for column, value in values.items():
            base[:, offset + column] = value
            if names[offset + column] in self._derived:
                flag = len(names) + self._derived.index(names[offset + column])
                base[:, flag] = 1.0

    def _evaluate_start(self, base: Array, time: float) -> tuple[Array, Array]:
        """Return states and constants at the start, formulas evaluated."""
        nothing = np.zeros((len(base), 1, 0))
        values = evaluate_tape(self._start, nothing, base, np.array([time]))[:, 0]
        n = len(self.states)
        return np.ascontiguousarray(values[:, :n]), np.ascontiguousarray(values[:, n:])

    def _segment(self, piece: Segment, base: Array, constants: Array) -> OdeSegment:
        """Return the arrays of a segment."""
        size, n = len(base), len(self.states)
        own = base.copy()
        held = {self.parameters.index(h): constants[:, self.parameters.index(h)] for h in self._held}
        self._override(own, held, n)
        found = columns(piece.parameters, self.parameters, size, "parameter", self._advice())
        self._override(own, found, n)
        _, parameters = self._evaluate_start(own, piece.start)
        changes = [
            columns(values, self.states, size, "state", self._advice())
            for values in (piece.set, piece.add, piece.multiply)
        ]
        if not any(changes):
            return OdeSegment(piece.start, piece.stop, parameters)
        scale, shift = np.ones((size, n)), np.zeros((size, n))
        for column, factor in changes[2].items():
            scale[:, column] = factor
        for column, amount in changes[1].items():
            shift[:, column] = amount
        for column, value in changes[0].items():
            if column in changes[1] or column in changes[2]:
                name = self.states[column]
                raise ParameterError(f"{name!r}: set excludes add and multiply in one segment")
            scale[:, column], shift[:, column] = 0.0, value
        return OdeSegment(piece.start, piece.stop, parameters, scale, shift)

    def _evaluate_outputs(
        self, names: tuple[str, ...], states: Array, pieces: Sequence[OdeSegment], times: Array
    ) -> Array:
        """Evaluate outputs with the parameters of the segment each time falls into."""
        for name in names:
            if name not in self._values:
                raise unknown_name(name, "quantity", list(self._values), {})
        n, p = len(self.states), len(self.parameters)
        roots = [self._values[name] for name in names]
        tape = build_tape(self._graph, roots, n + p, range(n, n + p))
        starts = np.array([piece.start for piece in pieces])
        belongs = np.searchsorted(starts, times, side="right") - 1
        values = np.empty((len(states), len(times), len(names)))
        for number, piece in enumerate(pieces):
            here = belongs == number
            if np.any(here):
                values[:, here] = evaluate_tape(tape, states[:, here], piece.parameters, times[here])
        return values

    def _advice(self) -> dict[str, str]:
        """Say for names of the wrong kind where they belong."""
        computed = "it is computed by a rule of the model"
        changing = "the model changes it; give its value under 'initial' or in 'set'"
        constant = "it is held constant; give it under 'parameters'"
        return {
            **dict.fromkeys(self.reactions, "it is the rate of a reaction"),
            **dict.fromkeys(self.observables, computed),
            **dict.fromkeys(self.states, changing),
            **dict.fromkeys(self.parameters, constant),
        }


def compile_network(
    model: KineticModel | str,
    *,
    scales: Mapping[str, float] | None = None,
    nonnegative: bool = True,
) -> Network:
    """Compile a model.

    Parameters
    ----------
    model : KineticModel or str
        The model, or SBML text.
    scales : mapping of str to float, optional
        Typical concentrations of states, > 0, for their absolute tolerances.
    nonnegative : bool
        Whether species changed by reactions cannot be negative: rates are then evaluated
        at zero instead of below, and falling below is a status. Targets of rate rules
        may always be negative.

    Returns
    -------
    Network
        Picklable.

    Raises
    ------
    ModelError
        If the model cannot be read, or its rules form a circle, or its rates jump at
        times that cannot be found.

    Examples
    --------
    >>> from haptos.signalling.sbml import antimony_to_sbml
    >>> text = "model m; A -> B; k*A; A = 2; B = 0; k = 1; T := A + B; end"
    >>> network = compile_network(antimony_to_sbml(text))
    >>> network.states, network.observables, network.laws[0].name
    (('A', 'B'), ('T',), 'A + B')
    >>> result = network.simulate([0, 1], parameters={"k": [1.0, 2.0]})
    >>> result["A"].round(4).tolist()
    [[2.0, 0.7358], [2.0, 0.2707]]
    """
    kinetic = read_sbml(model) if isinstance(model, str) else model
    roles = find_roles(kinetic)
    graph, derivatives, values = dynamics(kinetic, roles)
    start = start_expressions(kinetic, roles)
    rated = {e.symbol for e in kinetic.rates}
    pools = [s.id for s in kinetic.species if s.id in roles.states and s.id not in rated]
    n, p = len(roles.states), len(roles.constants)
    names = [*roles.states, *roles.constants]
    tape = build_tape(start.graph, start.values, n + p + len(start.derived), range(len(names)))
    guarded = [nonnegative and s in pools for s in roles.states]
    base = np.concatenate([start.defaults, np.zeros(len(start.derived))])
    usual = evaluate_tape(tape, np.zeros((1, 1, 0)), base[None], np.zeros(1))[0, 0]
    return Network(
        id=kinetic.id,
        states=roles.states,
        species=tuple(s.id for s in kinetic.species),
        parameters=roles.constants,
        observables=tuple(e.symbol for e in kinetic.assignments),
        reactions=tuple(r.id for r in kinetic.reactions),
        units=_units(kinetic),
        time_units=kinetic.time_units,
        initial=usual[:n],
        defaults=usual[n:],
        laws=conservation_laws(pools, [net_changes(r) for r in kinetic.reactions]),
        system=build_system(graph, derivatives, p, guarded, names),
        scales=_checked_scales(scales or {}, roles),
        _graph=graph,
        _values=values,
        _start=tape,
        _derived=start.derived,
        _held=start.held,
        _given=np.array(start.defaults, dtype=np.float64),
        _places={s.id: s.compartment for s in kinetic.species},
    )


def _checked_scales(scales: Mapping[str, float], roles: Roles) -> dict[str, float]:
    for name, scale in scales.items():
        if name not in roles.states:
            raise unknown_name(name, "state", roles.states, {})
        if not (np.isfinite(scale) and scale > 0.0):
            raise ParameterError(f"the scale of {name!r} must be above zero, not {scale}")
    return dict(scales)


def _units(model: KineticModel) -> dict[str, str]:
    parts = (*model.compartments, *model.species, *model.parameters)
    known = {part.id: part.units for part in parts}
    both = model.extent_units and model.time_units
    rate = f"({model.extent_units}) / ({model.time_units})" if both else ""
    return {**known, **{r.id: rate for r in model.reactions}}
