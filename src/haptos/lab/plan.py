"""From an experiment to the simulations it needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from haptos.conditions.interventions import Add, Intervention, SwapCells
from haptos.core.hashing import content_hash
from haptos.core.located import Document, Path
from haptos.errors import Issue, ParameterError, SpecError
from haptos.signalling.condition import Condition

if TYPE_CHECKING:
    from haptos.assays.base import AbstractAssay
    from haptos.conditions.experiment import Experiment
    from haptos.lab.simulator import Simulator
    from haptos.signalling.cells import CellLine

__all__ = ["Plan", "PlannedArm", "Task", "condition_of", "plan_experiment", "share_conditions", "unique_tasks"]


@dataclass(frozen=True, slots=True)
class Task:
    """One simulation.

    Attributes
    ----------
    condition : str
        Content hash of the condition.
    member : int or None
        Parameter vector; None is the reference.
    replicate : int or None
        Biological repeat; None is without biological variation.
    seed : int
        Root seed.
    """

    condition: str
    member: int | None
    replicate: int | None
    seed: int

    @property
    def key(self) -> str:
        """Name under which its result is kept; equal tasks have equal keys."""
        who = "ref" if self.member is None else f"m{self.member}"
        repeat = "" if self.replicate is None else f"-r{self.replicate}-s{self.seed}"
        return f"{self.condition}-{who}{repeat}"


@dataclass(frozen=True)
class PlannedArm:
    """An arm of the experiment as the simulator sees it."""

    label: str
    condition: Condition

    @cached_property
    def key(self) -> str:
        """Content hash of the condition."""
        return content_hash(self.condition.canonical())


@dataclass(frozen=True)
class Plan:
    """An experiment that can be run.

    Attributes
    ----------
    experiment : Experiment
        What was asked.
    assay : AbstractAssay
        The assay.
    arms : tuple of PlannedArm
        In the order of the experiment.
    members : tuple of int
        Ensemble members to simulate.
    replicates : int
        Biological repeats of the reference vector; 0 where no bench data are wanted.
    contexts : mapping of str to CellLine
        The user's own cells that the experiment may name.
    """

    experiment: Experiment
    assay: AbstractAssay
    arms: tuple[PlannedArm, ...]
    members: tuple[int, ...]
    replicates: int
    contexts: Mapping[str, CellLine] = field(default_factory=dict)

    def task(self, arm: PlannedArm, *, member: int | None = None, replicate: int | None = None) -> Task:
        """Return the simulation of an arm for an ensemble member or for a biological repeat."""
        return Task(arm.key, member, replicate, 0 if replicate is None else self.experiment.seed)

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Every simulation, each once: the repeats of the reference first, then the ensemble."""
        repeats = (self.task(arm, replicate=r) for arm in self.arms for r in range(self.replicates))
        ensemble = (self.task(arm, member=m) for m in self.members for arm in self.arms)
        return tuple(dict.fromkeys(chain(repeats, ensemble)))

    @property
    def conditions(self) -> dict[str, Condition]:
        """Conditions by content hash."""
        return {arm.key: arm.condition for arm in self.arms}

    @property
    def smallest_fold(self) -> float:
        """Smallest fold change that the assay resolves with this protocol."""
        return self.assay.noise(self.experiment.assay).smallest_fold


def plan_experiment(
    experiment: Experiment,
    simulator: Simulator,
    *,
    members: int | None = None,
    replicates: int | None = None,
    document: Document | None = None,
    assays: Mapping[str, AbstractAssay] | None = None,
    contexts: Mapping[str, CellLine] | None = None,
) -> Plan:
    """Work out the simulations of an experiment. Nothing is written.

    Parameters
    ----------
    experiment : Experiment
        The checked specification.
    simulator : Simulator
        Asked whether each arm can be simulated.
    members : int, optional
        How many members of the ensemble; the default is all.
    replicates : int, optional
        Biological repeats; the default is those of the experiment.
    document : Document, optional
        The file, for the places in messages.
    assays : mapping, optional
        Assays by name; the default is the registry.
    contexts : mapping of str to CellLine, optional
        The user's own cells.

    Raises
    ------
    SpecError
        With every reason why it cannot be run, each at its place.
    ParameterError
        If the ensemble does not hold so many members.
    """
    assay = (registered_assays() if assays is None else assays)[experiment.assay.name]
    chosen = ensemble_members(simulator, members)
    own = dict(contexts or {})
    arms = tuple(PlannedArm(label, condition_of(experiment, label, assay, own)) for label in experiment.arms)
    issues = list(chain.from_iterable(_problems(arm, experiment, simulator, document) for arm in arms))
    if issues:
        raise SpecError(_once(issues))
    count = experiment.replicates.biological if replicates is None else replicates
    return Plan(experiment, assay, arms, chosen, count, own)


def registered_assays() -> Mapping[str, AbstractAssay]:
    """Return the assays of the registry by name."""
    from haptos.assays.registry import ASSAYS

    return ASSAYS


def ensemble_members(simulator: Simulator, wanted: int | None) -> tuple[int, ...]:
    """Return the first `wanted` members of the ensemble, or all.

    Raises
    ------
    ParameterError
        If there are not so many.
    """
    size = simulator.ensemble_size()
    count = size if wanted is None else wanted
    if not 1 <= count <= size:
        raise ParameterError(f"{count} ensemble members were asked for; the ensemble holds 1 to {size}")
    return tuple(range(count))


def condition_of(
    experiment: Experiment, label: str, assay: AbstractAssay, contexts: Mapping[str, CellLine] | None = None
) -> Condition:
    """Return what is simulated for one arm; it holds the user's context, if its cells are of `contexts`."""
    protocol = experiment.assay
    cells, interventions = _resolve(experiment.cells, (*experiment.shared, *experiment.arms[label]))
    interventions = tuple(map(_as_met, interventions)) if assay.two_chambers else interventions
    return Condition(
        cells=cells,
        culture=experiment.culture,
        interventions=interventions,
        fresh_medium=assay.fresh_medium(protocol),
        times=tuple(float(t) for t in assay.times(protocol)),
        quantities=tuple(sorted({need.name for need in assay.needs(protocol)})),
        contexts=(contexts[cells],) if contexts and cells in contexts else (),
    )


def _as_met(intervention: Intervention) -> Intervention:
    """Return a ligand of the lower chamber as the cells in the pores meet it: at its dose.

    The crossing model moves all cells towards the other side, so that a gradient acts through their drive alone.
    """
    if isinstance(intervention, Add) and intervention.gradient:
        return intervention.with_changes(gradient=False)
    return intervention


def _resolve(cells: str, interventions: Sequence[Intervention]) -> tuple[str, tuple[Intervention, ...]]:
    """Apply exchanges of cells: the last one decides which cells the arm holds."""
    swaps = [i.swap_cells for i in interventions if isinstance(i, SwapCells)]
    return (swaps or [cells])[-1], tuple(i for i in interventions if not isinstance(i, SwapCells))


def share_conditions(plans: Sequence[Plan]) -> tuple[Plan, ...]:
    """Let arms that differ only in what is read share one simulation that returns all of it."""
    wanted: dict[str, set[str]] = {}
    for arm in chain.from_iterable(plan.arms for plan in plans):
        wanted.setdefault(_without_quantities(arm), set()).update(arm.condition.quantities)
    merged = {
        key: next(
            a.condition for p in plans for a in p.arms if _without_quantities(a) == key
        ).with_changes(quantities=tuple(sorted(names)))
        for key, names in wanted.items()
    }  # fmt: skip
    return tuple(
        replace(plan, arms=tuple(PlannedArm(a.label, merged[_without_quantities(a)]) for a in plan.arms))
        for plan in plans
    )


def unique_tasks(plans: Iterable[Plan]) -> tuple[Task, ...]:
    """Return the simulations of several plans, each once."""
    return tuple(dict.fromkeys(chain.from_iterable(plan.tasks for plan in plans)))


def _without_quantities(arm: PlannedArm) -> str:
    return content_hash({**arm.condition.canonical(), "quantities": []})


def _problems(arm: PlannedArm, experiment: Experiment, simulator: Simulator, document: Document | None) -> list[Issue]:
    """Return why an arm cannot be simulated, each at the line that causes it."""
    reasons = simulator.expressibility(arm.condition)
    if not reasons:
        return []
    causes = _causes(arm, experiment, simulator)
    found = []
    for reason in reasons:
        path = next((path for path, solved in causes if reason in solved), ("cells",))
        where = document.where(path) if document is not None else f"arm {arm.label!r}"
        found.append(Issue(reason, where, hint="'haptos evidence coverage' tells what the model covers", rule="model"))
    return found


def _causes(arm: PlannedArm, experiment: Experiment, simulator: Simulator) -> list[tuple[Path, set[str]]]:
    """Return, for each place of the file, the reasons that go away without it."""
    present = set(simulator.expressibility(arm.condition))

    def solved(condition: Condition) -> set[str]:
        return present - set(simulator.expressibility(condition))

    written = experiment.arms[arm.label]
    places: list[Path] = [("shared", i) for i in range(len(experiment.shared))]
    places += [("arms", arm.label, i) for i in range(len(written))]
    causes = []
    for place, intervention in zip(places, (*experiment.shared, *written), strict=True):
        rest = tuple(i for i in arm.condition.interventions if i is not intervention)
        if isinstance(intervention, SwapCells):
            causes.append((place, solved(arm.condition.with_changes(cells=experiment.cells))))
        else:
            causes.append((place, solved(arm.condition.with_changes(interventions=rest))))
    causes.append((("assay",), solved(arm.condition.with_changes(quantities=()))))
    causes.append((("culture",), solved(arm.condition.with_changes(culture=type(experiment.culture)()))))
    return causes


def _once(issues: Iterable[Issue]) -> list[Issue]:
    """Keep one issue for each reason and line."""
    return list({(i.message, i.where): i for i in issues}.values())
