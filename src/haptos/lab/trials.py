"""From the trial of a claim to an experiment, and back: which claims an experiment also tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from haptos.conditions.experiment import Comparison, Culture, Experiment, Protocol
from haptos.conditions.interventions import Intervention, Knockdown, Knockout, Scan, SwapCells
from haptos.core.units import Quantity
from haptos.errors import ParameterError
from haptos.lab.judging import is_quotient
from haptos.lab.summaries import SUMMARIES, TWO_COURSES

if TYPE_CHECKING:
    from haptos.assays.base import AbstractAssay
    from haptos.evidence.claims import Trial

#: Longest interval of a time course, and least length of one whose length nobody gives [min].
_INTERVAL, _COURSE = 5.0, 360.0
#: Field of every protocol that has ``every``.
_DURATION = "duration"

__all__ = ["Match", "experiment_of", "match_arms", "missing_part", "same_culture", "same_kind"]


def missing_part(trial: Trial, assays: Mapping[str, AbstractAssay]) -> str | None:
    """Return what the lab lacks to run a trial (assay, measure, way of reading); None if nothing."""
    if trial.assay not in assays:
        return _missing_assay(trial.assay)
    if trial.readout is None:
        return "the trial reads nothing"
    assay, readout = assays[trial.assay], trial.readout
    if readout.measure not in assay.measures:
        return f"the assay {assay.name} does not read {readout.measure!r} yet"
    if readout.summary not in SUMMARIES:
        return f"the reading {readout.summary.replace('_', ' ')!r} of a time course is not built yet"
    if readout.summary == TWO_COURSES and not readout.over:
        return "a delay needs a second readout ('over') after which it is counted"
    if any(isinstance(step, Scan) for arm in trial.arms.values() for step in arm):
        return "series over an amount (scan) are not built yet"
    try:
        experiment_of(trial, assays)
    except ParameterError as error:
        return str(error)
    return None


def _missing_assay(name: str) -> str:
    from haptos.conditions.catalogue import load_vocabulary

    term = load_vocabulary().assays.get(name)
    room = f" (room {term.room})" if term is not None else ""
    return f"the assay {name} is not built yet{room}"


def experiment_of(trial: Trial, assays: Mapping[str, AbstractAssay], *, seed: int = 1) -> Experiment:
    """Return the experiment of a trial, as a user would write it.

    Only the trial is looked at: not what claim it belongs to, nor what that claim expects.

    Raises
    ------
    ParameterError
        If the assay cannot read what the trial asks for.
    """
    if trial.readout is None or not trial.arms:
        raise ParameterError("a trial without arms or readout is no experiment")
    readout, assay = trial.readout, assays[trial.assay]
    end = readout.at or trial.duration
    names = tuple(dict.fromkeys((*readout.of, *readout.over))) if is_quotient(readout) else readout.of
    protocol = assay.protocol_for(readout.measure, names, duration=end.value if end is not None else None)
    if readout.summary != "endpoint" or readout.since is not None:
        protocol = _as_course(protocol, readout.summary, fixed=end is not None)
    if _loses(protocol, trial.arms):
        protocol = protocol.with_changes(over="loading")
    arms = list(trial.arms)
    return Experiment(
        cells=trial.cells,
        culture=trial.culture or Culture(),
        arms=trial.arms,
        assay=protocol,
        compare=tuple(Comparison(test=a, against=arms[0]) for a in arms[1:]),
        seed=seed,
    )


def _loses(protocol: Protocol, arms: Mapping[str, Sequence[Intervention]]) -> bool:
    """Tell whether an arm takes away a protein over whose total a phospho band would be read."""
    lost = {
        step.knockdown if isinstance(step, Knockdown) else step.knockout
        for steps in arms.values()
        for step in steps
        if isinstance(step, Knockdown | Knockout)
    }
    return "over" in type(protocol).model_fields and not lost.isdisjoint(getattr(protocol, "proteins", ()))


def _as_course(protocol: Protocol, summary: str, *, fixed: bool) -> Protocol:
    """Return the protocol read over time instead of at its end, for some hours if its length is not fixed."""
    if "every" not in type(protocol).model_fields:
        raise ParameterError(f"the assay {protocol.name} gives no time course, which the reading {summary!r} needs")
    end = getattr(protocol, _DURATION).value
    if not fixed and end < _COURSE:
        end, protocol = _COURSE, protocol.with_changes(**{_DURATION: f"{_COURSE!r} min"})
    return protocol.with_changes(every=f"{min(_INTERVAL, max(end / 240, 1.0))!r} min")


# --- matching ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Match:
    """A trial whose arms an experiment holds.

    Attributes
    ----------
    arms : mapping of str to str
        Arm of the trial to arm of the experiment.
    same_cells : bool
        Whether the cells are the same, not only of the same kind.
    same_amounts : bool
        Whether doses, folds and times are the same, too.
    """

    arms: Mapping[str, str]
    same_cells: bool
    same_amounts: bool


def match_arms(experiment: Experiment, trial: Trial, wanted: Iterable[str]) -> Match:
    """Find the arms of a trial among those of an experiment.

    Two arms are the same if their interventions agree in verb, target and everything else but
    amounts and times, and their cells are the same or of the same kind.

    Parameters
    ----------
    experiment : Experiment
        The user's experiment.
    trial : Trial
        The trial of a claim.
    wanted : iterable of str
        Arms of the trial to look for; those that are not found are left out.
    """
    ours = {
        label: _arm(experiment.cells, (*experiment.shared, *arm)) for label, arm in experiment.arms.items()
    }  # fmt: skip
    arms: dict[str, str] = {}
    same_cells = same_amounts = True
    for name in wanted:
        theirs = _arm(trial.cells, trial.arms[name])
        found = [label for label, arm in ours.items() if _same(arm, theirs)]
        exact = [label for label in found if _same_amounts(ours[label], theirs)]
        if found:
            arms[name] = (exact or found)[0]
            same_cells &= ours[arms[name]][0] == theirs[0]
            same_amounts &= bool(exact)
    return Match(arms, same_cells, same_amounts)


_Arm = tuple[str, tuple[Intervention, ...]]


def _arm(cells: str, interventions: Iterable[Intervention]) -> _Arm:
    steps = tuple(interventions)
    swaps = [i.swap_cells for i in steps if isinstance(i, SwapCells)]
    return (swaps or [cells])[-1], tuple(i for i in steps if not isinstance(i, SwapCells))


def _same(ours: _Arm, theirs: _Arm) -> bool:
    if sorted(map(_signature, ours[1])) != sorted(map(_signature, theirs[1])):
        return False
    return ours[0] == theirs[0] or same_kind(ours[0], theirs[0])


def _signature(step: Intervention) -> str:
    """Return what an intervention is without its amounts and times; folds keep their direction."""
    parts = [step.verb]
    for name in type(step).model_fields:
        value = getattr(step, name)
        if isinstance(value, Quantity):
            parts += [f"{name}{(value.value > 1) - (value.value < 1):+d}"] if name == "fold" else []
        elif value is not None:
            parts.append(f"{name}={value}")
    return "|".join(parts)


def _same_amounts(ours: _Arm, theirs: _Arm) -> bool:
    """Tell whether every amount and time that the trial names is that of the experiment."""
    pairs = zip(sorted(ours[1], key=_signature), sorted(theirs[1], key=_signature), strict=True)
    return all(getattr(a, name) == getattr(b, name) for a, b in pairs for name in b.model_fields_set)


def same_kind(ours: str, theirs: str) -> bool:
    """Tell whether cells are an example of the general context a claim speaks of.

    They are if the context is a cell type of the same tissue, organism and state of
    transformation, without a genotype of its own.
    """
    from haptos.conditions.catalogue import load_vocabulary

    terms = load_vocabulary().cells
    a, b = terms.get(ours), terms.get(theirs)
    if a is None or b is None or b.kind != "cell_type" or b.genotype is not None or a.genotype is not None:
        return False
    return (a.organism, a.tissue, a.transformed) == (b.organism, b.tissue, b.transformed) and a.tissue is not None


def same_culture(ours: Culture, theirs: Culture | None) -> bool:
    """Tell whether a claim's surroundings, where it names any, are those of the experiment."""
    if theirs is None:
        return True
    named = theirs.model_fields_set & {"coating", "geometry"}
    return all(getattr(ours, name) == getattr(theirs, name) for name in named)
