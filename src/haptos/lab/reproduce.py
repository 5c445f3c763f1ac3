"""Run every experiment that a set of claims rests on, and judge the claims by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haptos.core.settings import Settings
from haptos.errors import EvidenceError, nearest
from haptos.evidence.claims import Count
from haptos.lab.coverage import trial_expressibility
from haptos.lab.judging import judge_readings, reason_of
from haptos.lab.outcome import read_all
from haptos.lab.plan import Plan, plan_experiment, registered_assays, share_conditions, unique_tasks
from haptos.lab.run import Bench, RunResult, compute
from haptos.lab.static import judge_count, missing_registry
from haptos.lab.trials import experiment_of

if TYPE_CHECKING:
    from haptos.assays.base import AbstractAssay
    from haptos.evidence.claims import Claim
    from haptos.evidence.judge import Judgement
    from haptos.evidence.library import Library
    from haptos.signalling.condition import Outcome
    from haptos.store.manifest import RunKey
    from haptos.store.runs import Staging

__all__ = [
    "ALL",
    "Judged",
    "Reproduction",
    "judge_all",
    "plan_reproduction",
    "reproduce",
    "reproduce_claims",
    "reproduction_key",
    "source_claims",
]

#: Stands for every source.
ALL = "all"


@dataclass(frozen=True)
class Reproduction:
    """The trials of a set of claims, ready to run.

    Attributes
    ----------
    title : str
        Heading.
    claims : tuple of Claim
        Every claim asked for, in order.
    plans : mapping of str to Plan
        By claim; simulations that several claims need are the same.
    reasons : mapping of str to str
        Why the other claims cannot be judged, by claim.
    """

    title: str
    claims: tuple[Claim, ...]
    plans: Mapping[str, Plan]
    reasons: Mapping[str, str]


@dataclass(frozen=True)
class Judged:
    """One claim and its verdict.

    Attributes
    ----------
    claim : Claim
        The claim.
    verdict : str
        ``supported``, ``contradicted``, ``undecided``, ``not expressible`` or ``untestable``.
    reason : str
        Why.
    judgement : Judgement or None
        The numbers, where something was simulated.
    smallest_fold : float or None
        Smallest fold change the assay resolves.
    """

    claim: Claim
    verdict: str
    reason: str
    judgement: Judgement | None = None
    smallest_fold: float | None = None


def reproduce(
    source: str,
    *,
    level: str | None = None,
    system: str | None = None,
    runs: Path | str | None = None,
    members: int | None = None,
    workers: int = 1,
) -> RunResult:
    """Judge every claim of a publication by its own experiment.

    Parameters
    ----------
    source : str
        Key of the source, its beginning (``jci2002``), or ``all``.
    level, system : str, optional
        Only claims tested at this level, or of this system.
    runs : path, optional
        Folder of the run folders; the default is that of the settings.
    members : int, optional
        Ensemble members to simulate; the default is all.
    workers : int
        Threads; see :func:`haptos.run`.

    Raises
    ------
    EvidenceError
        If there is no such source, or no claim meets the conditions.
    """
    from haptos.store.runs import RunStore

    bench = Bench(RunStore(Path(runs) if runs is not None else Settings.load().runs), workers)
    title, claims = source_claims(source, level=level, system=system)
    return reproduce_claims(title, claims, bench, members=members)


def source_claims(
    source: str, *, level: str | None = None, system: str | None = None, library: Library | None = None
) -> tuple[str, tuple[Claim, ...]]:
    """Return a title and the claims of a source, or of all.

    Parameters
    ----------
    source : str
        Key of the source, its beginning if no other begins so, or ``all``.
    level, system : str, optional
        Only claims tested at this level, or of this system.
    library : Library, optional
        The shipped library by default.

    Raises
    ------
    EvidenceError
        If there is no such source, or no claim meets the conditions.
    """
    from haptos.evidence.library import load_library

    known = library or load_library()
    sources = {s.id: s for s in known.sources}
    chosen = None if source == ALL else _source_key(source, list(sources))
    claims = known.claims(source=chosen, system=system, level=level)
    if not claims:
        wanted = " and ".join(text for text in (level and f"level {level}", system and f"system {system}") if text)
        where = f" --source {chosen}" if chosen else ""
        raise EvidenceError(f"{source} has no claim of {wanted}; 'haptos evidence list{where}' lists them")
    limits = "".join(f", {text}" for text in (level, system) if text)
    return f"{sources[chosen].cite() if chosen else 'All sources'}{limits}", claims


def _source_key(asked: str, known: Sequence[str]) -> str:
    """Return the key that is asked for, or begins so."""
    found = [asked] if asked in known else [key for key in known if asked and key.startswith(asked)]
    if len(found) == 1:
        return found[0]
    near = found or nearest(asked, [*known, ALL]) or [*known, ALL]
    raise EvidenceError(f"there is no source {asked!r}; did you mean {' or '.join(map(repr, near))}?")


def plan_reproduction(title: str, claims: Sequence[Claim], bench: Bench, *, members: int | None = None) -> Reproduction:
    """Work out which claims can be judged and the simulations they need; nothing is written."""
    assays = registered_assays() if bench.assays is None else bench.assays
    plans: dict[str, Plan] = {}
    reasons: dict[str, str] = {}
    for claim in claims:
        plan = _plan(claim, bench, assays, members)
        if isinstance(plan, str):
            reasons[claim.id] = plan
        elif plan is not None:
            plans[claim.id] = plan
    shared = share_conditions(list(plans.values()))
    return Reproduction(title, tuple(claims), dict(zip(plans, shared, strict=True)), reasons)


def _plan(claim: Claim, bench: Bench, assays: Mapping[str, AbstractAssay], members: int | None) -> Plan | str | None:
    """Return the plan of a claim, the reason why there is none, or None if nothing needs simulating."""
    if claim.trial is None:
        return (claim.untestable or "no trial").replace("_", " ")
    if isinstance(claim.expect, Count):
        return missing_registry(claim.expect)
    reason = trial_expressibility(claim.trial, bench.simulator, assays, bench.contexts)
    if reason is not None:
        return reason
    experiment = experiment_of(claim.trial, assays)
    return plan_experiment(
        experiment, bench.simulator, members=members, replicates=0, assays=assays, contexts=bench.contexts
    )


def reproduce_claims(
    title: str, claims: Sequence[Claim], bench: Bench, *, members: int | None = None, name: str | None = None
) -> RunResult:
    """Plan, simulate, judge, draw and publish a set of claims. See :func:`reproduce`.

    Parameters
    ----------
    title : str
        Heading.
    claims : sequence of Claim
        The claims.
    bench : Bench
        With what and where.
    members : int, optional
        Ensemble members to simulate; the default is all.
    name : str, optional
        How the run folder begins; the default names the sources.
    """
    from haptos.lab.board import write_board

    whole = plan_reproduction(title, claims, bench, members=members)
    plans = tuple(whole.plans.values())
    conditions = {key: condition for plan in plans for key, condition in plan.conditions.items()}

    def finish(staging: Staging, outcomes: Mapping[str, Outcome]) -> Mapping[str, Any]:
        return write_board(staging, whole, judge_all(whole, outcomes), outcomes, bench)

    key = reproduction_key(whole, bench, name)
    return compute(key, unique_tasks(plans), conditions, bench, seed=1, finish=finish)


def reproduction_key(whole: Reproduction, bench: Bench, name: str | None = None) -> RunKey:
    """Return what names the run: the claims, the model, the code and the members."""
    from haptos.lab.contexts import cells_in
    from haptos.lab.versions import code_fingerprint
    from haptos.store.manifest import RunKey

    members = next((list(plan.members) for plan in whole.plans.values()), [])
    specification = {
        "claims": [claim.canonical() for claim in whole.claims],
        "model": bench.simulator.fingerprint(),
        "code": code_fingerprint(),
        "members": members,
        **cells_in(arm.condition for plan in whole.plans.values() for arm in plan.arms),
    }
    sources = dict.fromkeys(claim.source for claim in whole.claims)
    return RunKey("reproduction", name or f"reproduce {' '.join(sources)}", specification)


def judge_all(whole: Reproduction, outcomes: Mapping[str, Outcome]) -> tuple[Judged, ...]:
    """Judge every claim: by its own trial where it could be run, else by the reason why not."""
    return tuple(_judge(claim, whole, outcomes) for claim in whole.claims)


def _judge(claim: Claim, whole: Reproduction, outcomes: Mapping[str, Outcome]) -> Judged:
    if isinstance(claim.expect, Count) and claim.id not in whole.reasons:
        counted = judge_count(claim.expect)
        return Judged(claim, counted.verdict, "counted in the composed model; nothing is simulated", counted)
    plan = whole.plans.get(claim.id)
    expect, readout = claim.expect, claim.trial.readout if claim.trial is not None else None
    if plan is None or expect is None or readout is None or expect.outcome == "count":
        verdict = "untestable" if claim.trial is None else "not expressible"
        return Judged(claim, verdict, whole.reasons.get(claim.id, "nothing to simulate"))
    readings = read_all(plan, outcomes)
    judgement = judge_readings(readings, expect, readout, {label: label for label in plan.experiment.arms})
    fold = readings.smallest_fold
    return Judged(claim, judgement.verdict, reason_of(judgement, fold), judgement, fold)
