"""Write an audit into its run folder."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from haptos.lab.audit.floor import Floor, floor_of
from haptos.lab.audit.judging import FINDINGS, Audited
from haptos.lab.board import board_report, draw_board, shown_rows, system_counts, tally_text
from haptos.store.arrays import write_tables
from haptos.store.files import write_whole

if TYPE_CHECKING:
    import pandas as pd

    from haptos.figures import Table
    from haptos.lab.reproduce import Reproduction
    from haptos.lab.run import Bench
    from haptos.store.runs import Staging

__all__ = ["audit_table", "write_audit"]

_AUDIT = (
    "For each supported claim the mechanism that it names is cut and its trial is run again over the ensemble. "
    "The reactions annotated with the claim carry it. Where its subject, or what lies between, acts on them, only "
    "these arrows are cut; where it is turned over, the reaction; where it is neither, the same for stimulus and "
    "object, else all of the reactions. Where no reaction carries the claim, the arrows of the subject onto the "
    "readout are cut. The verdict must turn; a claim whose verdict stands is vacuous."
)
_ABSENCE = (
    "Their verdict cannot turn by a cut. Instead it is asked whether they could have failed: what is done to the "
    "cells must change something in the model, and the readout must move in the arm of reference when all that acts "
    "on it is cut, or change when the same is done in the normal culture of the cells."
)
_FLOOR = (
    "Prior: parameter sets drawn from the table of parameters, with no calibration. Signs: the direction that the "
    "wiring alone predicts, by the majority of the shortest paths or by the sum over all walks; what nothing reaches "
    "does not change, and what is no direction counts as not predicted."
)
_METHODS = (("Audit", _AUDIT), ("Audit of claims that nothing changes", _ABSENCE), ("Floor", _FLOOR))


def write_audit(
    staging: Staging,
    whole: Reproduction,
    board: pd.DataFrame,
    audited: Sequence[Audited],
    floors: tuple[Mapping[str, float], Mapping[str, Mapping[str, bool]]],
    bench: Bench,
) -> dict[str, Any]:
    """Write everything but log and manifest; return the headline for the manifest.

    Parameters
    ----------
    staging : Staging
        Where to.
    whole : Reproduction
        The trials.
    board : DataFrame
        The verdicts before the audit.
    audited : sequence of Audited
        One per claim, in the order of the board.
    floors : tuple of mappings
        Share of prior draws in which each claim holds; what signs predict of it. May be empty.
    bench : Bench
        With what it was simulated.
    """
    table, final = audit_table(audited, floors), _after(board, audited)
    simulated = board[board["members"] + board["failed"] > 0]
    own = dict(zip(map(str, simulated["claim"]), map(float, simulated["fraction"]), strict=True))
    floor = floor_of(own, *floors)
    write_tables(staging.result / "tables", {"board": final, "audit": table, "floor": _floor_frame(floor)})
    content = json.dumps(_plain(table, floor), indent=1, ensure_ascii=False)
    write_whole(staging.result / "audit.json", f"{content}\n".encode())
    rows = shown_rows(final)
    figure = draw_board(rows, f"Audit: {whole.title}", staging.result / "figures")
    tables = (_findings(audited), _floor_table(floor)) if floor else (_findings(audited),)
    titled = replace(whole, title=f"Audit: {whole.title}")
    report = board_report(staging.key.name, titled, rows, figure, bench, tables=tables, methods=_METHODS)
    write_whole(staging.result / "report.html", report.encode())
    counts = Counter(str(v) for v in final["verdict"])
    return {
        "title": f"Audit: {whole.title}",
        "assay": "",
        "cells": sorted({plan.experiment.cells for plan in whole.plans.values()}),
        "arms": sum(len(plan.arms) for plan in whole.plans.values()),
        "members": next((len(plan.members) for plan in whole.plans.values()), 0),
        "counts": dict(counts),
        "verdict": tally_text(counts),
        "basis": dict(Counter(f"{b} {v}" for b, v in zip(final["basis"], final["verdict"], strict=True) if b)),
        "systems": system_counts(rows),
        "audit": dict(Counter(item.finding for item in audited)),
        "coarse": sum(item.coarse for item in audited),
        "failed": [],
    }


def audit_table(
    audited: Sequence[Audited], floors: tuple[Mapping[str, float], Mapping[str, Mapping[str, bool]]]
) -> pd.DataFrame:
    """Return one row per claim: what was cut, what became of the verdict, what the floor says."""
    import pandas as pd

    prior, signs = floors
    return pd.DataFrame(
        [
            {
                "claim": item.claim.id,
                "kind": item.claim.kind,
                "finding": item.finding,
                "how": item.mechanism.how,
                "carriers": ", ".join(item.mechanism.carriers),
                "cuts": len(item.mechanism.cuts),
                "fraction_cut": item.fraction,
                "readout_left": item.readout_left,
                "readout_lowest": item.readout_lowest,
                "coarse": item.coarse,
                "reason": item.reason,
                "prior": prior.get(item.claim.id, math.nan),
                **{f"signs_{method}": right for method, right in signs.get(item.claim.id, {}).items()},
            }
            for item in audited
        ]
    )


def _after(board: pd.DataFrame, audited: Sequence[Audited]) -> pd.DataFrame:
    """Return the board in which vacuous claims say so."""
    final = board.copy()
    for item in audited:
        if item.finding == "vacuous":
            mine = final["claim"] == item.claim.id
            final.loc[mine, "verdict"] = "vacuous"
            final.loc[mine, "reason"] = item.reason
    return final


def _findings(audited: Sequence[Audited]) -> Table:
    from haptos.figures import Table

    counts = Counter(item.finding for item in audited)
    coarse = sum(item.coarse for item in audited)
    rows: list[tuple[str | int, ...]] = [
        (name, counts[name], words) for name, words in FINDINGS.items() if counts[name]
    ]
    rows += [("of the earned, coarse", coarse, "the cut takes the readout itself, which turns nearly any verdict")]
    return Table("What the audit found", ("finding", "claims", "meaning"), tuple(rows))


def _floor_table(floor: Sequence[Floor]) -> Table:
    from haptos.figures import Table

    rows = tuple((f.name, f.claims, f.supported, f.rate) for f in floor)
    return Table("The ensemble beside the floor", ("held against", "claims", "supported", "mean share"), rows)


def _floor_frame(floor: Sequence[Floor]) -> pd.DataFrame:
    import pandas as pd

    rows = [{"name": f.name, "claims": f.claims, "supported": f.supported, "rate": f.rate} for f in floor]
    return pd.DataFrame(rows, columns=["name", "claims", "supported", "rate"])


def _plain(table: pd.DataFrame, floor: Sequence[Floor]) -> dict[str, Any]:
    rows = [{str(k): _finite(v) for k, v in row.items()} for row in table.to_dict(orient="records")]
    return {"claims": rows, "floor": [{"name": f.name, "supported": f.supported, "rate": f.rate} for f in floor]}


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
