"""A system of ordinary differential equations as tapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from haptos.errors import ModelError, ParameterError
from haptos.numerics.breaks import time_breaks
from haptos.numerics.derivative import gradients
from haptos.numerics.expression import Graph, GraphBuilder
from haptos.numerics.formula import formula
from haptos.numerics.tape import Tape, build_tape

__all__ = ["OdeSystem", "build_system"]


@dataclass(frozen=True, slots=True, eq=False)
class OdeSystem:
    """dy/dt = f(t, y, p) with its sparse Jacobian, ready for any solver.

    The variables of the tapes are the states followed by the parameters.

    Attributes
    ----------
    n_states, n_parameters : int
        Lengths of y and p.
    rhs : Tape
        The n_states time derivatives; parameter-only parts are in its prologue.
    jacobian : Tape
        The entries of df/dy that are not identically zero, by row, then column.
    rows, columns : ndarray of int32, shape (nnz,)
        Where those entries stand.
    floor : ndarray, shape (n_states,)
        0 for states that cannot be negative, -inf for the others. Solvers evaluate f
        at max(y, floor), which changes nothing where the model has a meaning.
    breaks : Tape
        Times at which f jumps, from the parameters; entries may be nan or outside the
        interval of interest. Solvers must stop there.
    """

    n_states: int
    n_parameters: int
    rhs: Tape
    jacobian: Tape
    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    floor: NDArray[np.float64]
    breaks: Tape

    @property
    def autonomous(self) -> bool:
        """Whether f does not depend on time explicitly."""
        return not self.rhs.uses_time


def build_system(
    graph: Graph,
    derivatives: Sequence[int],
    n_parameters: int,
    nonnegative: Sequence[bool] | NDArray[np.bool_] | None = None,
    name: Sequence[str] | None = None,
) -> OdeSystem:
    """Differentiate and compile a right-hand side.

    Parameters
    ----------
    graph : Graph
        Expressions over variables: states first, then parameters.
    derivatives : sequence of int
        The expression of dy/dt for every state.
    n_parameters : int
        Number of parameters.
    nonnegative : sequence of bool, optional
        Which states cannot be negative; none by default.
    name : sequence of str, optional
        Names of the variables, for messages.

    Raises
    ------
    ModelError
        If a condition on time cannot be solved for time.

    Examples
    --------
    >>> b = GraphBuilder()
    >>> y, k = b.variable(0), b.variable(1)
    >>> decay = b.neg(b.mul(k, y))
    >>> system = build_system(b.freeze(), [decay], n_parameters=1, nonnegative=[True])
    >>> system.jacobian.evaluate([2.0, 0.5]).tolist()
    [-0.5]
    """
    n = len(derivatives)
    flags = np.zeros(n, dtype=bool) if nonnegative is None else np.asarray(nonnegative, dtype=bool)
    if flags.shape != (n,):
        raise ParameterError(f"nonnegative must have {n} entries, not shape {flags.shape}")
    builder = GraphBuilder(graph)
    entries = [
        (row, column, position)
        for row, gradient in enumerate(gradients(builder, derivatives, range(n)))
        for column, position in sorted(gradient.items())
    ]
    breaks = time_breaks(builder, derivatives, n)
    frozen = builder.freeze()
    _refuse_unlocated(frozen, breaks.unlocated, name)
    fixed = range(n, n + n_parameters)
    return OdeSystem(
        n_states=n,
        n_parameters=n_parameters,
        rhs=build_tape(frozen, derivatives, n + n_parameters, fixed),
        jacobian=build_tape(frozen, [e[2] for e in entries], n + n_parameters, fixed),
        rows=np.array([e[0] for e in entries], dtype=np.int32),
        columns=np.array([e[1] for e in entries], dtype=np.int32),
        floor=np.where(flags, 0.0, -np.inf),
        breaks=build_tape(frozen, breaks.times, n + n_parameters, fixed),
    )


def _refuse_unlocated(graph: Graph, positions: Sequence[int], name: Sequence[str] | None) -> None:
    def called(index: int) -> str:
        return name[index] if name is not None else f"v{index}"

    if positions:
        texts = ", ".join(formula(graph, i, called) for i in positions)
        raise ModelError(
            f"the rates jump where {texts} changes, which is not linear in time, so the moment "
            "of the jump cannot be found; compare time itself with a parameter, or give the "
            "schedule as segments of the simulation"
        )
