"""Which steps of the model carry an effect: each reaction and each arrow is cut in turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from haptos.lab.explain.contrast import Contrast, Effects, Simulate, effects
from haptos.signalling.cuts import cut_name

if TYPE_CHECKING:
    from haptos.lab.audit.anatomy import Anatomy
    from haptos.signalling.steps import Step

__all__ = ["Carrier", "Ranking", "rank"]

Array = NDArray[np.float64]

#: A readout of which less than this is left was cut itself.
_GONE = 0.05
#: Smallest share of the effect that is told.
_LEAST = 0.05
#: Changes closer than this are one chain of steps.
_ALIKE = 1e-3


@dataclass(frozen=True)
class Carrier:
    """One step, or a chain of steps whose cuts do the same.

    Attributes
    ----------
    step : Step
        The reaction.
    quantity : str
        What acts on it, where only this arrow was cut; empty for the reaction.
    fold : float
        The effect without it, in the reference parameters.
    share : float
        Share of the effect that goes with it: 1 is all, below 0 it works against it. Of the shares of the
        difference between the arms and of the logarithm of their quotient the smaller one; 0 where they
        disagree in sign, because both arms move.
    left : float
        Reading of the arm of reference without it, relative to that with it.
    folds : tuple of float
        The effect without it in a few members.
    same : tuple of str
        Further cuts with the same result.
    """

    step: Step
    quantity: str
    fold: float
    share: float
    left: float = 1.0
    folds: tuple[float, ...] = ()
    same: tuple[str, ...] = ()

    @property
    def scenery(self) -> bool:
        """Whether the cut moves both arms rather than the effect: it sets the scene."""
        return self.share == 0.0


@dataclass(frozen=True)
class Ranking:
    """What carries a contrast.

    Attributes
    ----------
    contrast : Contrast
        The effect.
    fold : float
        Its size in the reference parameters.
    folds : tuple of float
        Its size in a few members.
    carriers : tuple of Carrier
        Those that carry it, then those that set the scene; largest change first.
    needed : tuple of str
        Cuts that take the readout itself.
    tried, failed : int
        Cuts that were tried, and that could not be simulated.
    """

    contrast: Contrast
    fold: float
    folds: tuple[float, ...]
    carriers: tuple[Carrier, ...]
    needed: tuple[str, ...]
    tried: int
    failed: int


def rank(
    contrast: Contrast, anatomy: Anatomy, simulate: Simulate, reference: Array, members: Array, *, most: int = 12
) -> Ranking:
    """Cut every reaction and every arrow in turn, in one batch.

    Parameters
    ----------
    contrast : Contrast
        The effect to explain.
    anatomy : Anatomy
        The parts of the model.
    simulate : callable
        The cells.
    reference : ndarray, shape (n_parameters,)
        The vector for which everything is cut.
    members : ndarray, shape (M, n_parameters)
        Further vectors in which the largest changes are checked; may be none.
    most : int
        Steps to tell of.
    """
    steps = {**anatomy.steps(contrast.reference), **anatomy.steps(contrast.test)}
    cuts = _all_cuts(steps)
    names = list(cuts)
    found = effects(contrast, simulate, np.repeat(reference[None], len(names) + 1, axis=0), _one_each(names))
    intact, below = float(found.logs[0]), float(found.below[0])
    logs, left = found.logs[1:], found.below[1:] / below if below > 0 else np.ones(len(names))
    share, size = _shares(found)
    gone = left < _GONE
    told = np.flatnonzero(np.isfinite(size) & ~gone & (size >= _LEAST))
    chains = _chains(sorted(told, key=lambda i: -size[i]), logs, left)
    scenery = [share[chain[0]] == 0.0 for chain in chains]
    carrying = [chain for chain, scene in zip(chains, scenery, strict=True) if not scene]
    setting = [chain for chain, scene in zip(chains, scenery, strict=True) if scene]
    chains = carrying[:most] + setting[: most // 2]
    heads = [chain[0] for chain in chains]
    checked = _checked(contrast, simulate, [names[i] for i in heads], members)
    carriers = tuple(
        Carrier(
            *cuts[names[chain[0]]],
            fold=float(np.exp(logs[chain[0]])),
            share=float(share[chain[0]]),
            left=float(left[chain[0]]),
            folds=checked[1 + n],
            same=tuple(names[i] for i in chain[1:]),
        )
        for n, chain in enumerate(chains)
    )
    needed = tuple(names[i] for i in np.flatnonzero(gone))
    failed = int(np.sum(~np.isfinite(logs)))
    return Ranking(contrast, float(np.exp(intact)), checked[0], carriers, needed, len(names), failed)


def _shares(found: Effects) -> tuple[Array, Array]:
    """Return the share of the effect that goes with each cut, and how much the cut changes anything."""
    with np.errstate(divide="ignore", invalid="ignore"):
        by_gap = 1.0 - found.gap[1:] / found.gap[0]
        by_log = 1.0 - found.logs[1:] / found.logs[0]
    smaller = np.where(np.abs(by_gap) < np.abs(by_log), by_gap, by_log)
    agree = (np.sign(by_gap) == np.sign(by_log)) & (np.abs(smaller) >= _LEAST)
    return np.where(agree, smaller, 0.0), np.where(agree, np.abs(smaller), np.maximum(np.abs(by_gap), np.abs(by_log)))


def _all_cuts(steps: Mapping[str, Step]) -> dict[str, tuple[Step, str]]:
    """Return every cut with its reaction and, for arrows, what acts."""
    found: dict[str, tuple[Step, str]] = {}
    for step in steps.values():
        found |= {cut_name(step.id, name): (step, name) for name in step.acting}
        found[cut_name(step.id)] = (step, "")
    return found


def _one_each(names: Sequence[str]) -> dict[str, Array]:
    """Return multipliers: in row 0 nothing is cut, in row i the cut i - 1."""
    table = np.ones((len(names), len(names) + 1))
    table[np.arange(len(names)), np.arange(1, len(names) + 1)] = 0.0
    return dict(zip(names, table, strict=True))


def _chains(order: Sequence[int], logs: Array, left: Array) -> list[list[int]]:
    """Put cuts with the same result together, the largest change first."""
    chains: list[list[int]] = []
    for i in order:
        like = [c for c in chains if abs(logs[c[0]] - logs[i]) < _ALIKE and abs(left[c[0]] - left[i]) < _ALIKE]
        if like:
            like[0].append(i)
        else:
            chains.append([i])
    return chains


def _checked(contrast: Contrast, simulate: Simulate, names: Sequence[str], members: Array) -> list[tuple[float, ...]]:
    """Return the effect without anything cut and with each cut, in the members."""
    if not len(members):
        return [()] * (len(names) + 1)
    rows = len(names) + 1
    vectors = np.repeat(members, rows, axis=0)
    changed = {name: np.tile(row, len(members)) for name, row in _one_each(names).items()}
    found: Effects = effects(contrast, simulate, vectors, changed)
    table = np.exp(found.logs.reshape(len(members), rows))
    return [tuple(float(v) for v in column if np.isfinite(v)) for column in table.T]
