"""Audit a set of claims: judge them, cut the mechanisms of the supported ones, judge these again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from haptos.lab.audit.anatomy import Anatomy, CellAnatomy
from haptos.lab.audit.floor import Score, predicted_by_signs, prior_fractions, score_margins
from haptos.lab.audit.judging import FINDINGS, Audited, audit_one
from haptos.lab.audit.mechanism import Mechanism
from haptos.lab.audit.preparing import Prepared, prepare
from haptos.lab.plan import Plan, unique_tasks
from haptos.lab.reproduce import Reproduction, plan_reproduction, reproduce_claims, reproduction_key
from haptos.lab.run import Bench, RunResult, compute

if TYPE_CHECKING:
    from haptos.evidence.claims import Claim
    from haptos.signalling.condition import Outcome
    from haptos.store.manifest import RunKey
    from haptos.store.runs import Staging

__all__ = ["FLOOR", "audit_claims"]

#: Draws of the prior for the floor.
FLOOR = 64


def audit_claims(
    title: str,
    claims: Sequence[Claim],
    bench: Bench,
    *,
    members: int | None = None,
    floor: int = FLOOR,
    anatomy: Anatomy | None = None,
    score: Score | None = None,
) -> RunResult:
    """Judge claims, cut the mechanisms of the supported ones and judge these again.

    Parameters
    ----------
    title : str
        Heading.
    claims : sequence of Claim
        The claims.
    bench : Bench
        With what and where.
    members : int, optional
        Ensemble members; the default is all.
    floor : int
        Draws of the prior and signs to compare with; 0 leaves the floor out.
    anatomy : Anatomy, optional
        The parts of the model; the default is the one that ships.
    score : callable, optional
        Scores prior draws; the default simulates them.

    Returns
    -------
    RunResult
        With the tables ``board`` (verdicts after the audit), ``audit`` and ``floor``. The verdicts before
        the audit are a run of their own.
    """
    from haptos.evidence.library import load_library
    from haptos.lab.audit.record import write_audit

    first = reproduce_claims(title, claims, bench, members=members)
    whole = plan_reproduction(title, claims, bench, members=members)
    board = first.tables["board"]
    supported = set(board.loc[board["verdict"] == "supported", "claim"])
    vocabulary = (bench.library or load_library()).vocabulary
    chosen = [claim for claim in claims if claim.id in supported]
    prepared = prepare(chosen, whole.plans, anatomy or CellAnatomy(), vocabulary)
    looks = [_look(plan) for plan in whole.plans.values()] if floor else []
    plans = [plan for item in prepared for plan in item.plans] + looks

    def finish(staging: Staging, outcomes: Mapping[str, Outcome]) -> Mapping[str, Any]:
        audited = _audited(claims, prepared, outcomes)
        prior = prior_fractions(whole, floor, score or score_margins(bench.workers))
        looked = dict(zip(whole.plans, looks, strict=True)) if looks else {}
        signs = predicted_by_signs(claims, looked, outcomes) if score is None else {}
        return write_audit(staging, whole, board, audited, (prior, signs), bench)

    conditions = {key: condition for plan in plans for key, condition in plan.conditions.items()}
    return compute(_key(whole, bench, floor), unique_tasks(plans), conditions, bench, seed=1, finish=finish)


def _look(plan: Plan) -> Plan:
    """Return the first arm in the first member: an example of what the assay reads."""
    return replace(plan, arms=plan.arms[:1], members=plan.members[:1])


def _audited(
    claims: Sequence[Claim], prepared: Sequence[Prepared], outcomes: Mapping[str, Outcome]
) -> tuple[Audited, ...]:
    done = {item.claim.id: audit_one(item, outcomes) for item in prepared}
    nothing = Mechanism((), (), "none")
    return tuple(done.get(c.id) or Audited(c, "not audited", nothing, FINDINGS["not audited"]) for c in claims)


def _key(whole: Reproduction, bench: Bench, floor: int) -> RunKey:
    """Return what names the run: all that names the verdicts, and the floor."""
    from haptos.core.kept import code_checksum
    from haptos.store.manifest import RunKey

    verdicts = reproduction_key(whole, bench)
    audit = code_checksum("lab/audit")
    specification = {**verdicts.specification, "floor": floor, "audit": audit}
    return RunKey("audit", verdicts.title.replace("reproduce", "audit"), specification)
