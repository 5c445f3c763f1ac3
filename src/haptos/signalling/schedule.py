"""From what is done to cells to the segments of their simulation.

A population is kept undisturbed in the normal culture of its kind for a long time (the
pre-culture), then brought into the culture of the experiment a day before it, then observed.
What is in force before the first event decides the settled state, and nothing else does:
conditions with equal pre-cultures start from the very same state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haptos.conditions.catalogue import load_vocabulary
from haptos.conditions.experiment import Culture
from haptos.conditions.interventions import EmbedIn, PlateOn, SetDensity, SwapCells
from haptos.core.hashing import content_hash
from haptos.signalling.actions import Change, changes_of_arm, surroundings_of
from haptos.signalling.actions.variants import find_variant
from haptos.signalling.agents import compound_named, ligands
from haptos.signalling.building.instances import heterodimers_for
from haptos.signalling.building.modules import on_demand
from haptos.signalling.cells import CellLine, cell_line
from haptos.signalling.condition import Condition
from haptos.signalling.model import Model, model
from haptos.signalling.network import Segment

__all__ = ["ADAPTING", "Schedule", "Values", "cell_of", "model_of", "parts_needed", "schedule_of"]

#: When cells come into the culture of the experiment: overnight before it, as on the bench [min].
ADAPTING: Final = -60.0 * 24.0

#: What is done to the surface that cells stand on; its proteins are not those that cells make.
_ON_SURFACES: Final = (SwapCells, PlateOn, EmbedIn, SetDensity)

#: Parameters by name: a number for all populations, or an array of shape (B,).
Values = Mapping[str, "float | NDArray[np.float64]"]


@dataclass(frozen=True)
class Schedule:
    """What happens to the cells of one condition, in terms of the model.

    Attributes
    ----------
    cell : CellLine
        The cells.
    parts : frozenset of str
        Heterodimers and modules on demand of the network.
    own : mapping of str to float
        Parameters that the cells set: contents, volumes.
    home, culture : mapping of str to float
        Parameters that the normal culture of the cells and that of the experiment set.
    lasting : tuple of Change
        In force since long before the first event.
    timed : tuple of Change
        Everything, in the order in which it was declared.
    borders : tuple of float
        Start of every stretch, the first event (at most 0) first [min].
    end : float
        Last sampling time [min].
    fresh_medium : bool
        Whether the medium is replaced at time 0.
    """

    cell: CellLine
    parts: frozenset[str]
    own: Mapping[str, float]
    home: Mapping[str, float]
    culture: Mapping[str, float]
    lasting: tuple[Change, ...]
    timed: tuple[Change, ...]
    borders: tuple[float, ...]
    end: float
    fresh_medium: bool

    @property
    def preculture(self) -> str:
        """Hash of all that decides the settled state, besides parameter vector and repeat."""
        changes = [[c.how, c.name, c.value] for c in self.lasting]
        surroundings = {**self.own, **self.home}
        return content_hash({"parts": sorted(self.parts), "surroundings": surroundings, "changes": changes})

    def settling(self, values: Values, compiled: Model) -> dict[str, float | NDArray[np.float64]]:
        """Return the parameters of the pre-culture."""
        return _in_force(self.lasting, {**values, **self.home}, compiled)[0]

    def segments(self, values: Values, compiled: Model) -> list[Segment]:
        """Return the stretches from the first event to the last sampling time."""
        before = _in_force(self.lasting, values, compiled)[1]
        found = []
        stops = [*self.borders[1:], max(self.end, self.borders[-1])]
        for begin, finish in zip(self.borders, stops, strict=True):
            active = [c for c in self.timed if c.start <= begin < c.stop]
            around = self.home if begin < min(ADAPTING, 0.0) else self.culture
            parameters, doses = _in_force(active, {**values, **around}, compiled)
            fresh = begin == 0.0 and self.fresh_medium
            found.append(Segment(begin, finish, parameters=parameters, set=_resets(before, doses, fresh, compiled)))
            before = doses
        return found


def cell_of(condition: Condition) -> CellLine:
    """Return the cells of a condition: the last that were swapped in.

    Raises
    ------
    ModelError
        If neither the condition nor the library has such cells.
    """
    swaps = [i.swap_cells for i in condition.interventions if isinstance(i, SwapCells)]
    return cell_line(swaps[-1] if swaps else condition.cells, condition.contexts)


def parts_needed(condition: Condition) -> frozenset[str]:
    """Return what of the network depends on the condition.

    These are the heterodimers that the cells make or that are brought into them, and the modules on demand
    that hold something which is done, read, or a mutation of the cells.
    """
    cell = cell_of(condition)
    targets = [i.target for i in condition.interventions if not isinstance(i, SwapCells)]
    mutants = (find_variant(i.target, getattr(i, "variant", "")) for i in condition.interventions)
    within = [i.target for i in condition.interventions if not isinstance(i, _ON_SURFACES)]
    named = {word for target in within for word in _meant(target)} | {*condition.quantities, *cell.mutations}
    named |= {effect.target for mutant in mutants if mutant is not None for effect in mutant.effects}
    guests = {name for name, held in on_demand().items() if held & named}
    return heterodimers_for(cell.integrins, targets) | guests


def _meant(target: str) -> set[str]:
    """Return what a target of an intervention is in the modules: itself, its members, its species, what it hits."""
    term = load_vocabulary().entities.get(target)
    names = {target, *(term.members if term is not None else ())}
    compound = compound_named(target)
    if compound is not None:
        names |= {t.name for t in compound.targets} | ({compound.species} if compound.species else set())
    species = {ligands()[name].species for name in names if name in ligands()}
    written = {name.replace(":", "_").replace("-", "_") for name in names}
    return written | {name for name in species if name is not None}


def model_of(condition: Condition) -> Model:
    """Return the compiled model that a condition needs; with multipliers of reactions where some are cut."""
    return model(parts_needed(condition), cuttable=bool(condition.cuts))


def schedule_of(condition: Condition, compiled: Model) -> Schedule:
    """Translate a condition that the model can express."""
    cell = cell_of(condition)
    changes, _ = changes_of_arm(condition.interventions, compiled.offered, cell.expression)
    end = condition.times[-1]
    home, culture = (_inputs(c, compiled) for c in (cell.normal or condition.culture, condition.culture))
    marks = {0.0, *(t for c in changes for t in (c.start, c.stop) if np.isfinite(t) and t < end)}
    borders = sorted(marks | ({ADAPTING} if home != culture else set()))
    return Schedule(
        cell=cell,
        parts=compiled.parts,
        own=_contents(cell, condition, compiled),
        home=home,
        culture=culture,
        lasting=tuple(c for c in changes if c.start < borders[0]),
        timed=tuple(changes),
        borders=tuple(borders),
        end=end,
        fresh_medium=condition.fresh_medium,
    )


def _inputs(culture: Culture, compiled: Model) -> dict[str, float]:
    return {name: value for name, value in surroundings_of(culture).items() if name in compiled.offered}


def _contents(cell: CellLine, condition: Condition, compiled: Model) -> dict[str, float]:
    volumes = {
        "cytoplasm": cell.volumes.cytoplasm.value,
        "nucleus": cell.volumes.nucleus.value,
        "medium": 1.0 / condition.culture.density.value,
    }
    cuts = dict.fromkeys((name for name in condition.cuts if name in compiled.offered), 0.0)
    return {**volumes, **{name: value for name, value in cell.settings().items() if name in compiled.offered}, **cuts}


def _in_force(
    changes: Sequence[Change], values: Values, compiled: Model
) -> tuple[dict[str, float | NDArray[np.float64]], dict[str, float]]:
    """Return parameters and doses under some changes."""
    parameters = dict(values)
    doses: dict[str, float] = {}
    free: dict[str, float] = {}
    for change in changes:
        if change.how == "dose":
            doses[change.name] = doses.get(change.name, 0.0) + change.value
        elif change.how == "bind":
            free[change.name] = free.get(change.name, 1.0) * change.value
        elif change.how == "set":
            parameters[change.name] = change.value
        else:
            parameters[change.name] = parameters.get(change.name, compiled.default(change.name)) * change.value
    return parameters, {name: dose * free.get(name, 1.0) for name, dose in doses.items()}


def _resets(before: Mapping[str, float], now: Mapping[str, float], fresh: bool, compiled: Model) -> dict[str, float]:
    """Return the species of the medium to set: new doses, wash-outs, and all if it is replaced."""
    if fresh:
        return {name: now.get(name, 0.0) for name in compiled.medium}
    changed = {name: dose for name, dose in now.items() if before.get(name) != dose}
    washed = {name: 0.0 for name in before if name not in now}
    return {**changed, **washed}
