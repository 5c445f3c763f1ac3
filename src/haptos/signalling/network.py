"""A reaction network compiled for simulation.

``compile_network`` turns a model into a :class:`Network`: tapes and names, picklable,
free of libSBML. All concentrations, amounts and times are in the units of the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from haptos.errors import ParameterError
from haptos.numerics import (
    EventSet,
    Graph,
    OdeSegment,
    OdeSolver,
    OdeSystem,
    OdeTask,
    ScipySolver,
    SteadyTask,
    build_system,
    build_tape,
    evaluate_tape,
    find_steady_state,
)
from haptos.signalling._compile import Roles, compile_events, dynamics, find_roles, net_changes
from haptos.signalling._conservation import ConservationLaw, conservation_laws
from haptos.signalling._inputs import Segment, Values, batch_size, columns, unknown_name
from haptos.signalling._jumps import build_jumps
from haptos.signalling._kinetic_model import KineticModel
from haptos.signalling._magnitudes import Magnitudes
from haptos.signalling._methods import Citation, citations, method_of
from haptos.signalling._result import SimulationResult, SteadyResult
from haptos.signalling._sample_result import SampleResult
from haptos.signalling._start import StartRule, compile_start
from haptos.signalling._stochastic import SampleSettings, Sampling, sample_network
from haptos.signalling.sbml import read_sbml

if TYPE_CHECKING:
    from haptos.signalling._roadrunner import RoadRunnerNetwork

__all__ = [
    "Citation",
    "ConservationLaw",
    "Network",
    "SampleResult",
    "SampleSettings",
    "Segment",
    "SimulationResult",
    "SteadyResult",
    "citations",
    "compile_network",
    "open_network",
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
        What is integrated: species that reactions change, targets of rate rules, and
        what events change.
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
    events : EventSet or None
        The events, for use without names; None if the model has none.
    places : mapping of str to str
        Compartment of every species.
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
    events: EventSet | None = field(repr=False)
    places: Mapping[str, str] = field(repr=False)
    _graph: Graph = field(repr=False)
    _values: Mapping[str, int] = field(repr=False)
    _start: StartRule = field(repr=False)
    _magnitudes: Magnitudes = field(repr=False)
    _source: KineticModel = field(repr=False)

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
        changes = [g for s in plan for g in (s.parameters, s.set, s.add, s.multiply)]
        rows = self._rows(parameters, initial, changes)
        state, constants = self._start.evaluate(rows, plan[0].start)
        pieces = [self._start.segment(piece, rows, constants) for piece in plan]
        task = OdeTask(
            system=self.system,
            initial=state,
            segments=pieces,
            times=grid,
            rtol=rtol,
            atol=1e-3 * rtol * self.magnitudes(state, constants),
            max_steps=max_steps,
            events=self.events,
        )
        chosen = solver or ScipySolver()
        solution = chosen.solve(task)
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
            method=method_of(chosen),
        )

    def sample(
        self,
        times: ArrayLike,
        *,
        seed: int,
        replicates: int = 1,
        parameters: Values = _NOTHING,
        initial: Values | Array = _NOTHING,
        segments: Sequence[Segment] = (),
        outputs: Sequence[str] = (),
        start: float = 0.0,
        method: str = "exact",
        settings: SampleSettings | None = None,
    ) -> SampleResult:
        """Sample counts of molecules: the network as a Markov jump process.

        Parameters
        ----------
        times, parameters, initial, segments, start
            As in :meth:`simulate`: concentrations, which become molecules through the
            size of the compartment and are rounded to the nearest whole number, halves
            to the even one.
        seed : int
            Seed, at least 0.
        replicates : int
            Independent runs of every member.
        outputs : sequence of str
            Quantities to return beside the counts, species as concentrations.
        method : str
            ``exact``: every reaction, one by one; ``leap``: many at once where that
            changes no propensity by more than a tolerance.
        settings : SampleSettings, optional
            Names of random streams, molecules per unit, tolerance, limits, threads.

        Returns
        -------
        SampleResult
            One row per run; a run that fails has a status and -1, others are not affected.

        Raises
        ------
        ModelError
            Naming what cannot be sampled: rate rules, fractional stoichiometries, rates
            that may be negative, rates that follow time smoothly.
        ParameterError
            If a name does not exist or a shape, time or number is not admissible.
        """
        grid = np.atleast_1d(np.asarray(times, dtype=np.float64))
        plan = list(segments) or [Segment(start, float(np.max(grid, initial=start)))]
        changes = [g for s in plan for g in (s.parameters, s.set, s.add, s.multiply)]
        rows = self._rows(parameters, initial, changes)
        state, constants = self._start.evaluate(rows, plan[0].start)
        pieces = [self._start.segment(piece, rows, constants) for piece in plan]
        chosen = settings or SampleSettings()
        jumps = build_jumps(self._source, chosen.molecules_per_unit, combinatorial=chosen.combinatorial)
        how = Sampling(seed, replicates, method, tuple(outputs), chosen)
        return sample_network(self, jumps, grid, state, pieces, self._evaluate_outputs, how)

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
            If the rates depend on time, the model has events, or a name does not exist.
        """
        if self.events is not None:
            raise ParameterError("a model with events has no steady state that could be certified; use simulate")
        state, constants = self._start.evaluate(self._rows(parameters, initial), 0.0)
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
        values = self._evaluate_outputs(self.outputs, found.states[:, None], [whole], np.zeros(1))[:, 0]
        values[found.status != 0] = np.nan
        return SteadyResult(
            names=self.outputs,
            values=values,
            states=found.states,
            converged=found.converged,
            status=found.status,
            residual=found.residual,
            growth=found.growth,
            explanations=tuple(found.explanation(b) for b in range(len(state))),
        )

    def start_values(
        self, *, parameters: Values = _NOTHING, initial: Values = _NOTHING, start: float = 0.0
    ) -> tuple[Array, Array]:
        """Return states (B, n_states) and parameters (B, n_parameters) at the start."""
        return self._start.evaluate(self._rows(parameters, initial), start)

    def _rows(self, parameters: Values, initial: Values | Array, changes: Sequence[Values] = ()) -> Array:
        """Return the given values and flags of every member."""
        if isinstance(initial, Mapping):
            return self._start.rows(parameters, initial, batch_size([parameters, initial, *changes]))
        states = np.asarray(initial, dtype=np.float64)
        return self._start.rows(parameters, states, batch_size([parameters, *changes], states))

    def magnitudes(self, states: Array, constants: Array) -> Array:
        """Estimate how large each state gets, shape (B, n_states).

        See :meth:`haptos.signalling._magnitudes.Magnitudes.estimate`; the absolute
        tolerance of a state is ``1e-3 * rtol`` times its magnitude.
        """
        return self._magnitudes.estimate(states, constants)

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
    rated = {e.symbol for e in kinetic.rates}
    pools = [s.id for s in kinetic.species if s.id in roles.states and s.id not in {*rated, *roles.quiet}]
    guarded = [nonnegative and s in pools for s in roles.states]
    names = [*roles.states, *roles.constants]
    laws = conservation_laws(_conserved(kinetic, pools), [net_changes(r) for r in kinetic.reactions])
    places = {s.id: s.compartment for s in kinetic.species}
    declared = _checked_scales(scales or {}, roles)
    start = compile_start(kinetic, roles)
    initial, defaults = start.evaluate(start.rows({}, {}, 1), 0.0)
    return Network(
        id=kinetic.id,
        states=roles.states,
        species=tuple(s.id for s in kinetic.species),
        parameters=roles.constants,
        observables=tuple(e.symbol for e in kinetic.assignments),
        reactions=tuple(r.id for r in kinetic.reactions),
        units=_units(kinetic),
        time_units=kinetic.time_units,
        initial=initial[0],
        defaults=defaults[0],
        laws=laws,
        system=build_system(graph, derivatives, len(roles.constants), guarded, names),
        events=compile_events(kinetic, roles, graph, derivatives, values),
        places=places,
        _graph=graph,
        _values=values,
        _start=start,
        _magnitudes=Magnitudes(roles.states, roles.constants, places, laws, declared, roles.quiet),
        _source=kinetic,
    )


def open_network(text: str, *, solver: str = "haptos") -> Network | RoadRunnerNetwork:
    """Open an SBML text with haptos, or with libRoadRunner if that is asked for.

    Parameters
    ----------
    text : str
        SBML.
    solver : str
        ``haptos``, or ``libroadrunner`` (the extra ``roadrunner``): it also takes models
        that haptos refuses, among them those with delayed events. It is never chosen
        for you, and results say so in ``method``.

    Raises
    ------
    MissingExtraError
        If libRoadRunner is asked for and not installed.
    ModelError
        If the model is not valid or not supported.
    ParameterError
        If there is no such solver.
    """
    if solver == "libroadrunner":
        from haptos.signalling._roadrunner import open_in_roadrunner

        return open_in_roadrunner(text)
    if solver != "haptos":
        raise ParameterError(f"solver must be 'haptos' or 'libroadrunner', not {solver!r}")
    return compile_network(text)


def _conserved(model: KineticModel, pools: Sequence[str]) -> list[str]:
    """Return the pools that nothing but reactions changes, all counted in the same extent."""
    set_anew = {a.symbol for event in model.events for a in event.assignments}
    found = [s for s in model.species if s.id in pools and s.id not in set_anew]
    factors = [s.conversion for s in found]
    common = max(sorted(set(factors)), key=factors.count, default="")
    return [s.id for s in found if s.conversion == common]


def _checked_scales(scales: Mapping[str, float], roles: Roles) -> dict[str, float]:
    for name, scale in scales.items():
        if name not in roles.states:
            raise unknown_name(name, "state", roles.states, {})
        if not (np.isfinite(scale) and scale > 0.0):
            raise ParameterError(f"the scale of {name!r} must be above zero, not {scale}")
    return dict(scales)


def _units(model: KineticModel) -> dict[str, str]:
    known = {c.id: c.units for c in model.compartments}
    known |= {s.id: s.units for s in model.species}
    known |= {p.id: p.units for p in model.parameters}
    both = model.extent_units and model.time_units
    rate = f"({model.extent_units}) / ({model.time_units})" if both else ""
    return {**known, **{r.id: rate for r in model.reactions}}
