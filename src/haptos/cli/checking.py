"""``haptos check`` and ``haptos audit``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from haptos.cli.console import out, plain_table, to_json
from haptos.cli.running import bench_of, finish

if TYPE_CHECKING:
    from collections.abc import Mapping

    from haptos.errors import Issue
    from haptos.evidence.claims import Claim
    from haptos.lab.check import CheckPlan
    from haptos.signalling.cells import CellLine

__all__ = ["audit_command", "check_command", "plan_check_command"]


def check_command(
    file: Path,
    *,
    skip_faulty: bool,
    workers: int | None,
    members: int | None,
    runs: Path | None,
    as_json: bool,
    open_report: bool,
) -> None:
    """Judge the claims of a file and show the board; leave with 1 if one is contradicted.

    With `skip_faulty`, claims with problems are left out and listed, instead of nothing being judged.
    """
    from haptos.cli.showing import show_result
    from haptos.lab.check import check_file, check_sound

    bench = bench_of(runs, workers, quiet=as_json)
    faults: dict[str, tuple[Issue, ...]] = {}
    if skip_faulty:
        result, faults = check_sound(file, bench, members=members)
    else:
        result = check_file(file, bench, members=members)
    _left_out(faults, quiet=as_json)
    _remark(file, quiet=as_json)
    show_result(result, as_json=as_json)
    contradicted = result.manifest.headline["counts"].get("contradicted", 0)
    finish(result.folder, open_report=open_report, failed=bool(contradicted))


def plan_check_command(
    file: Path, *, skip_faulty: bool, workers: int | None, members: int | None, runs: Path | None, as_json: bool
) -> None:
    """Show what a check would do and cost; write nothing."""
    from haptos.lab.check import plan_check

    plan, faults = plan_check(file, bench_of(runs, workers, quiet=True), members=members, skip_faulty=skip_faulty)
    _left_out(faults, quiet=as_json)
    if as_json:
        to_json(_plain(plan))
        return
    console = out()
    count = len(plan.whole.claims)
    console.print(f"[bold]{count} claim{'s' if count != 1 else ''}[/bold], {len(plan.whole.plans)} to be simulated\n")
    table = plain_table(["claim", "cells", "assay", "arms"], right=["arms"])
    for name, planned in plan.whole.plans.items():
        table.add_row(name, planned.experiment.cells, planned.assay.name, str(len(planned.arms)))
    if plan.whole.plans:
        console.print(table)
    for name, reason in plan.whole.reasons.items():
        console.print(f"{name}: not simulated, {reason}", markup=False)
    _remark(file, quiet=False)
    console.print(f"\n{plan.conditions} distinct conditions × {plan.members} parameter sets; {plan.cost.text}")
    state = "is there already and would be shown again" if plan.folder.exists() else "would be written"
    console.print(f"{plan.folder} {state}", markup=False, soft_wrap=True)


def _left_out(faults: Mapping[str, tuple[Issue, ...]], *, quiet: bool) -> None:
    from haptos.lab.check import reason_left_out

    for name, found in faults.items():
        out(stderr=quiet).print(f"left out, {name}: {reason_left_out(name, found)}", markup=False)


def _remark(file: Path, *, quiet: bool) -> None:
    from haptos.lab.check import remarks

    for text in () if quiet else remarks(file):
        out().print(f"note: {text}", style="dim", markup=False)


def _plain(plan: CheckPlan) -> dict[str, object]:
    return {
        "claims": len(plan.whole.claims),
        "simulated": {name: [arm.key for arm in planned.arms] for name, planned in plan.whole.plans.items()},
        "not_simulated": dict(plan.whole.reasons),
        "conditions": plan.conditions,
        "members": plan.members,
        "simulations": plan.cost.simulations,
        "seconds": plan.cost.seconds,
        "folder": str(plan.folder),
        "finished": plan.folder.exists(),
    }


def audit_command(
    what: str,
    *,
    level: str | None,
    system: str | None,
    floor: int,
    workers: int | None,
    members: int | None,
    runs: Path | None,
    as_json: bool,
    open_report: bool,
) -> None:
    """Audit the claims of a source or file; leave with 1 if one is vacuous."""
    from haptos.cli.showing import show_result
    from haptos.lab.audit.auditing import audit_claims
    from haptos.lab.check import with_contexts

    title, claims, contexts = _claims(what, level, system)
    bench = with_contexts(bench_of(runs, workers, quiet=as_json), contexts)
    result = audit_claims(title, claims, bench, members=members, floor=floor)
    show_result(result, as_json=as_json)
    finish(result.folder, open_report=open_report, failed=bool(result.manifest.headline["counts"].get("vacuous", 0)))


def _claims(what: str, level: str | None, system: str | None) -> tuple[str, tuple[Claim, ...], Mapping[str, CellLine]]:
    """Return title and claims of a source, or of a file with the user's cells beside it."""
    from haptos.errors import EvidenceError, ParameterError
    from haptos.lab.check import read_own
    from haptos.lab.reproduce import source_claims

    if what.endswith((".yaml", ".yml", ".json")) or Path(what).is_file():
        title, claims, contexts = read_own(what)
        found = [c for c in claims if level in {None, c.level} and system in {None, c.system}]
        if not found:
            raise ParameterError(f"{what} has no claim of the level and system asked for")
        return title, tuple(found), contexts
    try:
        return *source_claims(what, level=level, system=system), {}
    except EvidenceError as error:
        raise ParameterError(str(error)) from error
