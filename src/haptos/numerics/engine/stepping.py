"""Advance many networks by one interval: the mode of tissues, arrays in and out."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from haptos.numerics.engine.solver import EngineSolver, integrate
from haptos.numerics.ode import OdeSegment, OdeTask
from haptos.numerics.system import OdeSystem

__all__ = ["Stepped", "Stepper"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Stepped:
    """Networks after an interval.

    Attributes
    ----------
    states : ndarray, shape (N, n_states)
        States; nan for members that failed.
    step_sizes : ndarray, shape (N,)
        Steps to try first in the next interval.
    status : ndarray of int, shape (N,)
        :class:`haptos.errors.Status` of every member.
    n_steps : ndarray of int, shape (N,)
        Attempted steps.
    """

    states: Array
    step_sizes: Array
    status: NDArray[np.int64]
    n_steps: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Stepper:
    """Advances members of one system from interval to interval.

    Parameters
    ----------
    system : OdeSystem
        The equations.
    atol : ndarray, shape (n_states,)
        Absolute tolerance of every state, > 0.
    rtol : float
        Relative tolerance.
    solver : EngineSolver
        How; Rodas4 suits short intervals.
    max_steps : int
        Most attempts of one member in one interval.

    Notes
    -----
    The step size is carried over, so that an interval usually costs one or two steps. A
    Rosenbrock method has no memory of other steps: inputs may jump between intervals. The
    result of an interval is a pure function of a member's own row.

    Examples
    --------
    >>> from haptos.numerics import GraphBuilder, build_system
    >>> b = GraphBuilder()
    >>> decay = b.neg(b.mul(b.variable(1), b.variable(0)))
    >>> stepper = Stepper(build_system(b.freeze(), [decay], 1, [True]), np.array([1e-9]))
    >>> first = stepper.step(np.ones((2, 1)), np.array([[1.0], [2.0]]), np.zeros(2), 0.0, 1.0)
    >>> first.states[:, 0].round(3).tolist()
    [0.368, 0.135]
    """

    system: OdeSystem
    atol: Array
    rtol: float = 1e-4
    solver: EngineSolver = field(default=EngineSolver(method="Rodas4"))
    max_steps: int = 10_000

    def step(self, states: Array, parameters: Array, step_sizes: Array, time: float, interval: float) -> Stepped:
        """Advance all members by an interval.

        Parameters
        ----------
        states : ndarray, shape (N, n_states)
            States at the start.
        parameters : ndarray, shape (N, n_parameters)
            Parameters during the interval.
        step_sizes : ndarray, shape (N,)
            Steps to try first, from the interval before; 0 to choose one.
        time, interval : float
            Start and length of the interval, > 0.

        Raises
        ------
        ParameterError
            If a shape or number is not admissible.
        """
        task = OdeTask(
            system=self.system,
            initial=states,
            segments=[OdeSegment(time, time + interval, parameters)],
            times=np.zeros(0),
            rtol=self.rtol,
            atol=self.atol,
            max_steps=self.max_steps,
        )
        solution, following = integrate(self.solver, task, step_sizes)
        return Stepped(solution.final, following, solution.status, solution.n_steps)
