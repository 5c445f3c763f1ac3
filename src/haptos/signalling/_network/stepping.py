"""Advance cells of one network by an interval: names or arrays in, arrays out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from haptos.errors import ParameterError
from haptos.numerics import EngineSolver, Stepped, Stepper
from haptos.signalling._inputs import Segment, Values, batch_size
from haptos.signalling._network.planning import rows_of

if TYPE_CHECKING:
    from haptos.signalling._network.network import Network

__all__ = ["parameter_rows", "step_network", "stepper_of"]

Array = NDArray[np.float64]


def step_network(
    network: Network,
    states: ArrayLike,
    parameters: Values | Array,
    interval: float,
    *,
    step_sizes: ArrayLike | None,
    time: float,
    stepper: Stepper,
) -> Stepped:
    """Advance all cells by an interval, see :meth:`Network.step`."""
    now = np.atleast_2d(np.asarray(states, dtype=np.float64))
    size = len(now)
    sizes = np.zeros(size) if step_sizes is None else np.asarray(step_sizes, dtype=np.float64)
    if sizes.shape != (size,) or not np.all(sizes >= 0.0):
        raise ParameterError(f"step_sizes must be {size} numbers of at least zero, not of shape {sizes.shape}")
    if not (np.isfinite(interval) and interval > 0.0):
        raise ParameterError(f"the interval must be above zero, not {interval}")
    return stepper.step(now, parameter_rows(network, parameters, size, time), sizes, time, interval)


def parameter_rows(network: Network, parameters: Values | Array, size: int, time: float) -> Array:
    """Return the parameters of all cells, shape (N, n_parameters).

    Names and values are completed by those of the model, formulas included; an array is
    taken as it is.
    """
    if not isinstance(parameters, Mapping):
        return np.asarray(parameters, dtype=np.float64)
    if batch_size([parameters]) not in (1, size):
        raise ParameterError(f"parameters must be numbers or rows of {size} numbers, as there are {size} cells")
    given = {name: np.broadcast_to(np.asarray(value, dtype=np.float64), (size,)) for name, value in parameters.items()}
    if not given:
        return np.tile(network.defaults, (size, 1))
    rows = rows_of(network.start_rule, given, {})
    _, constants = network.start_rule.evaluate(rows, time)
    return network.start_rule.segment(Segment(time, time), rows, constants).parameters


def stepper_of(
    network: Network, rtol: float, scale: Array | None, solver: EngineSolver | None, max_steps: int
) -> Stepper:
    """Return the stepper of a network.

    Raises
    ------
    ParameterError
        If the model has events: whether their triggers were true is not carried over.
    """
    if network.events is not None:
        raise ParameterError("a model with events cannot be stepped; use simulate, or do what its events do in between")
    typical = network.magnitudes(network.initial[None], network.defaults[None])[0] if scale is None else scale
    shape = np.shape(typical)
    if shape != (len(network.states),) or not np.all(np.asarray(typical) > 0.0):
        raise ParameterError(f"scale must be {len(network.states)} numbers above zero, not of shape {shape}")
    return Stepper(network.system, 1e-3 * rtol * typical, rtol, solver or EngineSolver("Rodas4"), max_steps)
