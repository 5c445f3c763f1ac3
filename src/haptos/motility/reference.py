"""The crossing model in slow, plain Python, to check the fast one against."""

from __future__ import annotations

import math
from collections.abc import Callable

from haptos.motility.barriers import Barrier, Layer
from haptos.motility.parameters import CrossingParameters

__all__ = ["reference_front"]


def reference_front(
    drives_at: Callable[[float], tuple[float, float, float, float]],
    nucleus_area: float,
    barrier: Barrier,
    parameters: CrossingParameters,
    *,
    relative_speed: float,
    duration: float,
    step: float = 0.05,
) -> float:
    """Return the way behind one cell after `duration` minutes [µm], by explicit Euler steps.

    Parameters
    ----------
    drives_at : callable
        Protrusion, contraction, proteolysis [nM] and share of the amoeboid speed at a time [min].
    nucleus_area : float
        Cross-section of the nucleus [µm²].
    barrier, parameters
        As in :func:`haptos.motility.crossing.cross`.
    relative_speed : float
        Speed of the cell over the mean of all cells.
    duration, step : float
        Time to follow the cell and length of a step [min].
    """
    position, left = 0.0, 1.0
    for i in range(round(duration / step)):
        protrusion, contraction, proteolysis, amoeboid = drives_at((i + 0.5) * step)
        rest = parameters.speed_without_contraction
        allowed = protrusion * (rest + (1 - rest) * contraction)
        top = parameters.speed_full_drive + parameters.speed_amoeboid * amoeboid
        free = relative_speed * top * parameters.directed_share * allowed
        share = _layer_at(position, barrier).pore_area(left) / nucleus_area
        span = parameters.full_speed_share - parameters.arrest_share
        speed = free * min(1.0, max(0.0, (share - parameters.arrest_share) / span))
        change = -parameters.degradation * proteolysis * left + speed / parameters.reach * (1 - left)
        position, left = position + speed * step, left + change * step
    return min(position, barrier.length)


def _layer_at(position: float, barrier: Barrier) -> Layer:
    end = 0.0
    for layer in barrier.layers:
        end = math.fsum((end, layer.thickness))
        if position < end:
            return layer
    return barrier.layers[-1]
