"""How many cells cross a barrier, and when: a reduced model of confined migration.

A cell advances with ``v = speed · drive · passage``. The drive needs protrusion and is
helped by contraction; cells with an amoeboid gait have more speed.
Passage falls linearly with the open cross-section, from 1 where the
nucleus fits to 0 at a tenth of its cross-section [wolf-limit, wolf-frac, wolf-law]. The
matrix within reach of the front is digested at the rate ``degradation · activity`` and
renewed as the cell moves into fresh matrix; a digested matrix has wider pores. Cells differ
in speed and, independently, in the size of the nucleus (both log-normal). The same equations
and numbers serve every barrier.

Of cells with the same nucleus the slower never overtake: of two cells with the same surroundings, the one with
more speed, wider pores or more proteolysis is ahead at every time. So their crossed fraction is
the share of cells faster than the one that has just arrived (:func:`cross`);
:func:`crossed_share` averages it over sizes of the nucleus.

Not in the model: proliferation, crowding, death, matrix digested by other cells, and
recruitment of fibres; a later room replaces :func:`cross` behind the same arguments.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haptos.errors import ParameterError
from haptos.motility.barriers import Barrier
from haptos.motility.parameters import CrossingParameters

__all__ = ["Crossing", "Drives", "cross", "crossed_share", "drive", "passage"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: Standard normal scores of the cells that are followed, and the longest time step [min].
_SCORES = np.linspace(-4.0, 4.0, 65)
_STEP = 15.0
#: Standard normal scores of the sizes of nucleus that stand for all, and their weights (Gauss-Hermite, five points).
_SIZES = np.array([-2.85697001387281, -1.35562617997427, 0.0, 1.35562617997427, 2.85697001387281])
_WEIGHTS = np.array([0.0112574113277207, 0.222075922005613, 0.533333333333333, 0.222075922005613, 0.0112574113277207])


@dataclass(frozen=True)
class Drives:
    """What the cells of one or several samples bring with them.

    Attributes
    ----------
    times : ndarray, shape (n_times,)
        Times after the cells were seeded [min], from 0 or later, increasing.
    protrusion, contraction : ndarray, shape (n_samples, n_times)
        Drives, 0..1.
    proteolysis : ndarray, shape (n_samples, n_times)
        Pericellular matrix-degrading activity [nM].
    nucleus_area : ndarray, shape (n_samples,)
        Cross-section of the nucleus [µm²].
    amoeboid : ndarray, shape (n_samples, n_times), optional
        Share of the amoeboid speed, 0..1; none by default.
    """

    times: Array
    protrusion: Array
    contraction: Array
    proteolysis: Array
    nucleus_area: Array
    amoeboid: Array | None = None

    def __post_init__(self) -> None:
        shape = (self.nucleus_area.size, self.times.size)
        wrong = []
        if self.times.ndim != 1 or self.times.size < 2 or not np.all(np.diff(self.times) > 0) or self.times[0] < 0:
            wrong.append("times must be at least two increasing numbers from 0 on")
        for name, top in (("protrusion", 1.0), ("contraction", 1.0), ("proteolysis", math.inf), ("amoeboid", 1.0)):
            values = getattr(self, name)
            if values is None:
                continue
            if values.shape != shape:
                wrong.append(f"{name} has the shape {values.shape}, expected {shape}")
            elif not (np.all(np.isfinite(values)) and np.all(values >= -1e-9) and np.all(values <= top + 1e-9)):
                wrong.append(f"{name} must be finite and within 0..{top:g}")
        if not (np.all(np.isfinite(self.nucleus_area)) and np.all(self.nucleus_area > 0)):
            wrong.append("nucleus_area must be greater than 0")
        if wrong:
            raise ParameterError("; ".join(wrong))


@dataclass(frozen=True)
class Crossing:
    """What became of the cells.

    Attributes
    ----------
    times : ndarray, shape (n_times,)
        Times after seeding [min], those of the drives.
    crossed : ndarray, shape (n_samples, n_times)
        Share of the seeded cells that is through, 0..1, never falling.
    scores : ndarray, shape (n_cells,)
        Standard normal score of the speed of each cell that was followed.
    positions : ndarray, shape (n_samples, n_times, n_cells)
        Way behind each of these cells [µm], at most the length of the barrier.
    """

    times: Array
    crossed: Array
    scores: Array
    positions: Array


def drive(protrusion: Array, contraction: Array, parameters: CrossingParameters) -> Array:
    """Return the share of the full speed that the drives allow, 0..1."""
    rest = parameters.speed_without_contraction
    return np.clip(protrusion, 0.0, 1.0) * (rest + (1.0 - rest) * np.clip(contraction, 0.0, 1.0))


def passage(pore_share: Array, parameters: CrossingParameters) -> Array:
    """Return the share of the free speed in a pore of `pore_share` times the nuclear cross-section.

    Examples
    --------
    >>> from haptos.motility.parameters import crossing_parameters
    >>> passage(np.array([0.05, 0.1, 0.55, 1.0, 3.0]), crossing_parameters()).round(3).tolist()
    [0.0, 0.0, 0.5, 1.0, 1.0]
    """
    low, high = parameters.arrest_share, parameters.full_speed_share
    return np.clip((pore_share - low) / (high - low), 0.0, 1.0)


def cross(
    drives: Drives,
    barrier: Barrier | Sequence[Barrier],
    parameters: CrossingParameters | Sequence[CrossingParameters],
) -> Crossing:
    """Let cells cross a barrier.

    A row depends on its own sample only: the same bits in any batch.

    Parameters
    ----------
    drives : Drives
        Of all samples.
    barrier : Barrier or sequence of Barrier
        The same for all samples, or one for each, with equally many layers.
    parameters : CrossingParameters or sequence of CrossingParameters
        Numbers of the model, for all samples or for each.

    Returns
    -------
    Crossing
        Crossed share and front positions over time.
    """
    size = drives.nucleus_area.size
    numbers = _columns([parameters] * size if isinstance(parameters, CrossingParameters) else parameters)
    barriers = [barrier] * size if isinstance(barrier, Barrier) else barrier
    spread = np.sqrt(np.log1p(numbers.speed_variation**2))
    relative = np.exp(spread * _SCORES - 0.5 * spread**2)
    amoeboid = np.zeros_like(drives.protrusion) if drives.amoeboid is None else np.clip(drives.amoeboid, 0.0, 1.0)
    free = (numbers.speed_full_drive + numbers.speed_amoeboid * amoeboid) * numbers.directed_share
    free_speed = free * drive(drives.protrusion, drives.contraction, numbers)
    loss = numbers.degradation * np.clip(drives.proteolysis, 0.0, None)
    track = _Track.of(barriers, drives.nucleus_area, numbers)
    position = np.zeros(relative.size)
    left = np.ones_like(position)
    history = [position]
    start = 0.0
    for k, end in enumerate(drives.times):
        steps = max(1, math.ceil((end - start) / _STEP)) if end > start else 0
        for step in range(steps):
            weight = (step + 0.5) / steps if k else 1.0
            speed = (_between(free_speed, k, weight)[:, None] * relative).ravel()
            rate = np.repeat(_between(loss, k, weight), _SCORES.size)
            position, left = track.advance(position, left, speed, rate, (end - start) / steps)
        history.append(position)
        start = float(end)
    ways = np.stack(history[1:], axis=0).reshape(-1, size, _SCORES.size).transpose(1, 0, 2)
    lengths = np.array([b.length for b in barriers])[:, None, None]
    return Crossing(drives.times, _arrived(ways, lengths), _SCORES, np.minimum(ways, lengths))


def crossed_share(
    drives: Drives,
    barrier: Barrier | Sequence[Barrier],
    parameters: CrossingParameters | Sequence[CrossingParameters],
) -> Array:
    """Return the share of cells that is through, over nuclei of all sizes, shape (n_samples, n_times).

    The arguments are those of :func:`cross`; ``nucleus_area`` is the mean. A row depends on its own sample only.
    """
    size = drives.nucleus_area.size
    numbers = [parameters] * size if isinstance(parameters, CrossingParameters) else list(parameters)
    barriers = [barrier] * size if isinstance(barrier, Barrier) else list(barrier)
    spread = np.sqrt(np.log1p(np.array([p.nucleus_variation for p in numbers]) ** 2))[:, None]
    relative = np.exp(spread * _SIZES - 0.5 * spread**2)
    many = Drives(
        drives.times,
        np.repeat(drives.protrusion, _SIZES.size, axis=0),
        np.repeat(drives.contraction, _SIZES.size, axis=0),
        np.repeat(drives.proteolysis, _SIZES.size, axis=0),
        (drives.nucleus_area[:, None] * relative).ravel(),
        None if drives.amoeboid is None else np.repeat(drives.amoeboid, _SIZES.size, axis=0),
    )
    each = [i for i in range(size) for _ in _SIZES]
    found = cross(many, [barriers[i] for i in each], [numbers[i] for i in each]).crossed
    shares: Array = np.sum(found.reshape(size, _SIZES.size, -1) * (_WEIGHTS / _WEIGHTS.sum())[:, None], axis=1)
    return shares


def _columns(parameters: Sequence[CrossingParameters]) -> CrossingParameters:
    """Return parameters whose numbers are columns, shape (n_samples, 1)."""
    names = [f.name for f in fields(CrossingParameters)]
    table: dict[str, Any] = {n: np.array([[getattr(p, n)] for p in parameters], dtype=np.float64) for n in names}
    return CrossingParameters(**table)


def _between(values: Array, k: int, weight: float) -> Array:
    """Return values between the times k − 1 and k (before the first time: the first)."""
    return (1.0 - weight) * values[:, max(k - 1, 0)] + weight * values[:, k]


@dataclass(frozen=True)
class _Track:
    """The barriers of all cells in flat arrays; beyond its end the last layer goes on.

    ``ends``, ``tight`` and ``dense`` have the shape (n_layers, n), the others (n,).
    """

    ends: Array
    tight: Array
    dense: Array
    nucleus: Array
    reach: Array
    low: Array
    high: Array

    @classmethod
    def of(cls, barriers: Sequence[Barrier], nucleus_area: Array, numbers: CrossingParameters) -> _Track:
        def spread(rows: Array) -> Array:
            return np.repeat(rows, _SCORES.size, axis=-1)

        layers = [b.layers for b in barriers]
        ends = np.cumsum([[layer.thickness for layer in row] for row in layers], axis=1)
        ends[:, -1] = math.inf
        tight = np.array([[1.0 / layer.opening for layer in row] for row in layers])
        dense = np.array([[layer.density / layer.mesh for layer in row] for row in layers])
        columns: list[Any] = [numbers.reach, numbers.arrest_share, numbers.full_speed_share]
        reach, low, high = (spread(column[:, 0]) for column in columns)
        return cls(spread(ends.T), spread(tight.T), spread(dense.T), spread(nucleus_area), reach, low, high)

    def advance(self, position: Array, left: Array, speed: Array, rate: Array, step: float) -> tuple[Array, Array]:
        """Move every cell for `step` minutes, layer by layer.

        Parameters
        ----------
        position, left, speed, rate : ndarray, shape (n,)
            Way behind the cell [µm], share of the matrix left at its front, free speed
            [µm/min], rate of matrix loss [1/min].
        step : float
            Time to advance [min].
        """
        position, left = position.copy(), left.copy()
        who, remaining = np.arange(position.size), np.full_like(position, step)
        for _ in self.ends:
            here, matrix, pace, loss = position[who], left[who], speed[who], rate[who]
            layer = np.sum(here >= self.ends[:, who], axis=0)
            middle = self._digest(who, matrix, self._speed(who, layer, matrix, pace), loss, 0.5 * remaining)
            now = self._speed(who, layer, middle, pace)
            room = self.ends[layer, who] - here
            arrives = now * remaining >= room
            spent = np.where(arrives, room / np.where(arrives, now, 1.0), remaining)
            left[who] = self._digest(who, matrix, now, loss, spent)
            position[who] = np.where(arrives, self.ends[layer, who], here + now * spent)
            who, remaining = who[arrives], (remaining - spent)[arrives]
            if not who.size:
                break
        return position, left

    def _speed(self, who: Index, layer: Index, left: Array, speed: Array) -> Array:
        tightness = self.tight[layer, who] + left * self.dense[layer, who]
        with np.errstate(divide="ignore"):
            share = 1.0 / (tightness * self.nucleus[who])
        low, high = self.low[who], self.high[who]
        return speed * np.clip((share - low) / (high - low), 0.0, 1.0)

    def _digest(self, who: Index, left: Array, speed: Array, rate: Array, time: Array) -> Array:
        """Advance d left/dt = −rate · left + speed / reach · (1 − left), exactly for constant rates."""
        renewal = speed / self.reach[who]
        total = rate + renewal
        steady = np.divide(renewal, total, out=left.copy(), where=total > 0)
        return steady + (left - steady) * np.exp(-total * time)


def _arrived(ways: Array, lengths: Array) -> Array:
    """Return the share of cells at or beyond the `lengths` of shape (n_samples, 1, 1), shape (n_samples, n_times).

    The score of the cell that has just arrived is interpolated between the slowest cell that
    is through and the fastest that is not.
    """
    from scipy.special import ndtr

    through = ways >= lengths
    first = np.argmax(through, axis=2)
    slower = np.maximum(first - 1, 0)
    ahead = np.take_along_axis(ways, first[..., None], axis=2)[..., 0]
    behind = np.take_along_axis(ways, slower[..., None], axis=2)[..., 0]
    gap = np.where(ahead > behind, ahead - behind, 1.0)
    score = _SCORES[slower] + (_SCORES[first] - _SCORES[slower]) * (lengths[:, :, 0] - behind) / gap
    share = np.where(first == 0, 1.0, ndtr(-score))
    return np.maximum.accumulate(np.where(through.any(axis=2), share, 0.0), axis=1)
