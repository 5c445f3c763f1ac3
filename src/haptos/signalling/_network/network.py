"""The class of compiled networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from haptos.errors import ParameterError
from haptos.numerics import EngineSolver, EventSet, OdeSegment, OdeSolver, OdeSystem, Stepped
from haptos.signalling._conservation import ConservationLaw
from haptos.signalling._inputs import Segment, Values
from haptos.signalling._jumps import build_jumps
from haptos.signalling._kinetic_model import KineticModel
from haptos.signalling._magnitudes import Magnitudes
from haptos.signalling._network.outputs import OutputRule
from haptos.signalling._network.planning import plan_batch, rows_of
from haptos.signalling._network.resting import Rest, find_rest, steady_result
from haptos.signalling._network.simulating import simulate_plan
from haptos.signalling._network.stepping import parameter_rows, step_network, stepper_of
from haptos.signalling._result import SimulationResult, SteadyResult
from haptos.signalling._sample_result import SampleResult
from haptos.signalling._start import StartRule
from haptos.signalling._stochastic import SampleSettings, Sampling, sample_network

__all__ = ["Network"]

Array = NDArray[np.float64]

_NOTHING: Final[Values] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Network:
    """A network ready to simulate. Make one with :func:`haptos.signalling.network.compile_network`.

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
    conflicts : tuple of (str, str)
        Pairs of events whose order may matter should they happen at the same moment.
    output_rule, start_rule, magnitude_rule
        How quantities follow from states, how a start follows from what is given, how
        large the states get.
    source : KineticModel
        What the network was compiled from.
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
    conflicts: tuple[tuple[str, str], ...] = field(repr=False)
    output_rule: OutputRule = field(repr=False)
    start_rule: StartRule = field(repr=False)
    magnitude_rule: Magnitudes = field(repr=False)
    source: KineticModel = field(repr=False)

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
        rest: Rest | None = None,
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
            The schedule; one stretch from `start` to the last output if empty. If the
            first segment starts at ``-inf``, its members are brought to certified rest
            before it stops (pre-equilibration).
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
            The integrator; by default the engine's Rodas5P on one thread.
        rest : Rest
            What counts as rest, for a first segment from ``-inf``.

        Returns
        -------
        SimulationResult
            One row per member; a member that fails has a status and nan, the others
            are not affected. A member that does not come to rest has the status
            ``NO_REST``.

        Raises
        ------
        ParameterError
            If a name does not exist or a shape, time or number is not admissible.

        Notes
        -----
        In every segment, parameters with a formula of other parameters are computed
        anew; those whose formula involves states or time keep the value of the start.

        If the model has events that can disturb each other, it is simulated twice, the
        second time with the order of simultaneous events turned round;
        ``result.warnings`` says whether that made a difference.
        """
        names = self.outputs if outputs is None else tuple(outputs)
        plan = plan_batch(self.start_rule, times, parameters, initial, segments, start)
        chosen = solver or EngineSolver()
        return simulate_plan(self, plan, names, rest or Rest(), rtol=rtol, max_steps=max_steps, solver=chosen)

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
        plan = plan_batch(self.start_rule, times, parameters, initial, segments, start)
        if plan.settling is not None:
            raise ParameterError(
                "a sampling cannot begin with a segment from -inf: whole molecules do not come to rest"
            )
        chosen = settings or SampleSettings()
        jumps = build_jumps(self.source, chosen.molecules_per_unit, combinatorial=chosen.combinatorial)
        how = Sampling(seed, replicates, method, tuple(outputs), chosen)
        return sample_network(self, jumps, plan.times, plan.state, plan.pieces, self.output_rule.evaluate, how)

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
        state, constants = self.start_rule.evaluate(rows_of(self.start_rule, parameters, initial), 0.0)
        rest, chosen = Rest(tuple(ignore), max_time, tolerance), solver or EngineSolver()
        found = find_rest(self, state, constants, rest, rtol=rtol, max_steps=max_steps, solver=chosen)
        return steady_result(self, found, constants)

    def step(
        self,
        states: ArrayLike,
        parameters: Values | Array,
        interval: float,
        *,
        step_sizes: ArrayLike | None = None,
        time: float = 0.0,
        rtol: float = 1e-4,
        scale: Array | None = None,
        max_steps: int = 10_000,
        solver: EngineSolver | None = None,
    ) -> Stepped:
        """Advance many cells by one interval: the mode of tissues.

        Parameters
        ----------
        states : array_like, shape (N, n_states)
            Concentrations of every cell, as in `states`.
        parameters : mapping or ndarray of shape (N, n_parameters)
            What holds during the interval. Names and values are completed by those of the
            model, formulas included; an array, such as :meth:`start_values` returns, is
            taken as it is, which is faster.
        interval : float
            Length of the interval, > 0, in the time unit of the model.
        step_sizes : array_like, shape (N,), optional
            Steps to try first, from the interval before; 0 to choose one.
        time : float
            Start of the interval, for rates that depend on time.
        rtol : float
            Relative tolerance per step.
        scale : ndarray, shape (n_states,), optional
            Magnitudes of the states, > 0; the absolute tolerance is ``1e-3 * rtol`` times
            them. Those of the model's own start by default.
        max_steps : int
            Limit of internal steps per cell.
        solver : EngineSolver, optional
            The integrator; Rodas4 by default, which suits short intervals.

        Returns
        -------
        Stepped
            States, step sizes and status per cell. A cell that fails is a row of nan; the
            others are not affected. Each row is a pure function of the cell's own.

        Raises
        ------
        ParameterError
            If a name does not exist, a shape or number is not admissible, or the model
            has events.

        Notes
        -----
        All cells of a call share one network. Cells of different kinds that differ in
        values are rows of one call; those that differ in reactions are one call per
        network.
        """
        stepper = stepper_of(self, rtol, scale, solver, max_steps)
        return step_network(self, states, parameters, interval, step_sizes=step_sizes, time=time, stepper=stepper)

    def observe(
        self, outputs: Sequence[str], states: ArrayLike, parameters: Values | Array = _NOTHING, *, time: float = 0.0
    ) -> Array:
        """Evaluate quantities of many cells at one moment, shape (N, n_outputs).

        Parameters
        ----------
        outputs : sequence of str
            Names: any species, parameter, observable or reaction.
        states, parameters, time
            As in :meth:`step`.
        """
        now = np.atleast_2d(np.asarray(states, dtype=np.float64))
        moment = OdeSegment(time, time, parameter_rows(self, parameters, len(now), time))
        return self.output_rule.evaluate(tuple(outputs), now[:, None], [moment], np.array([time]))[:, 0]

    def start_values(
        self, *, parameters: Values = _NOTHING, initial: Values = _NOTHING, start: float = 0.0
    ) -> tuple[Array, Array]:
        """Return states (B, n_states) and parameters (B, n_parameters) at the start."""
        return self.start_rule.evaluate(rows_of(self.start_rule, parameters, initial), start)

    def magnitudes(self, states: Array, constants: Array) -> Array:
        """Estimate how large each state gets, shape (B, n_states).

        See :meth:`haptos.signalling._magnitudes.Magnitudes.estimate`; the absolute
        tolerance of a state is ``1e-3 * rtol`` times its magnitude.
        """
        return self.magnitude_rule.estimate(states, constants)
