"""Finished runs in the terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from haptos.cli.console import VERDICT_STYLES, out, plain_table, rows_of, share, to_json
from haptos.lab.words import number, p_text, readout_text

if TYPE_CHECKING:
    from rich.console import Console

    from haptos.lab.run import RunResult

__all__ = ["show_result"]

Row = Mapping[str, Any]


def show_result(result: RunResult, *, as_json: bool) -> None:
    """Show a finished run: arms, comparisons, literature, folder; or everything as JSON."""
    if as_json:
        to_json(_plain(result))
        return
    console = out()
    if result.manifest.kind in {"reproduction", "audit"}:
        from haptos.cli.board import show_board

        show_board(console, result)
    else:
        _show_experiment(console, result)
    _show_folder(console, result)


def _plain(result: RunResult) -> dict[str, Any]:
    manifest = result.manifest
    return {
        "run": manifest.name,
        "folder": str(result.folder),
        "reused": result.reused,
        "headline": dict(manifest.headline),
        "seed": manifest.seed,
        "fingerprint": manifest.fingerprint,
        **{name: rows_of(table) for name, table in result.tables.items() if name not in {"values", "ensemble"}},
    }


def _show_experiment(console: Console, result: RunResult) -> None:
    head = result.manifest.headline
    title = str(head["title"]) or f"{head['assay_label']} of {head['cells']}"
    console.print(f"\n[bold]{_safe(title)}[/bold]")
    facts = (head["assay_label"], head["cells"], f"{head['repeats']} repeats", f"{head['members']} parameter sets")
    console.print(_safe(" · ".join((*map(str, facts), f"seed {result.manifest.seed}"))), style="dim")
    if head["shared"]:
        console.print(_safe(f"in all arms: {head['shared']}"), style="dim")
    for warning in head["warnings"]:
        console.print(f"[yellow]![/yellow] {_safe(warning)}")
    summary, comparisons = rows_of(result.tables.get("summary")), rows_of(result.tables.get("comparisons"))
    folds = rows_of(result.tables.get("folds"))
    for measure, of in dict.fromkeys((r["measure"], r["of"]) for r in summary):
        console.print()
        _show_readout(
            console,
            head,
            [r for r in summary if (r["measure"], r["of"]) == (measure, of)],
            [r for r in comparisons if (r["measure"], r["of"]) == (measure, of)],
            {(r["test"], r["against"]): r for r in folds if (r["measure"], r["of"]) == (measure, of)},
        )
    tests = dict.fromkeys(r["words"] for r in comparisons)
    console.print()
    for words in tests:
        console.print(f"{words[:1].upper()}{words[1:]}.", style="dim", markup=False)
    _show_literature(console, result)


def _show_readout(
    console: Console, head: Row, arms: list[dict[str, Any]], tests: list[dict[str, Any]], folds: Mapping[Any, Row]
) -> None:
    """Print one readout: its arms, then its comparisons."""
    first = arms[0]
    relative = first["measure"] in head["relative"]
    unit = f"relative to {first['arm']}" if relative else first["unit"]
    console.print(f"[bold]{_safe(readout_text(first['measure'], first['of']))}[/bold] [dim]({_safe(unit)})[/dim]")
    table = plain_table(
        ["arm", "done to the cells", "n", "mean", "sd"], right=["n", "mean", "sd"], fold=["arm", "done to the cells"]
    )
    for r in arms:
        table.add_row(
            _safe(r["arm"]), _safe(head["done"].get(r["arm"], "")), str(r["n"]), number(r["mean"]), number(r["sd"])
        )
    console.print(table)
    if not tests:
        return
    console.print()
    table = plain_table(
        ["comparison", "ratio", "95 %", "p", "model 5–95 %"],
        right=["ratio", "95 %", "p", "model 5–95 %"],
        fold=["comparison"],
    )
    for r in tests:
        fold = folds.get((r["test"], r["against"]), {})
        table.add_row(
            _safe(f"{r['test']} : {r['against']}"),
            number(r["ratio"]),
            _interval(r),
            p_text(r["p_adjusted"]),
            _interval(fold),
        )
    console.print(table)


def _interval(row: Row) -> str:
    low, high = row.get("low"), row.get("high")
    return "–" if low is None or math.isnan(low) else f"{number(low)}–{number(high)}"


def _show_literature(console: Console, result: RunResult) -> None:
    from rich.padding import Padding

    console.print("\n[bold]Literature[/bold]")
    for r in rows_of(result.tables.get("literature")):
        style = VERDICT_STYLES.get(r["verdict"], "")
        console.print(
            f"[{style}]{r['verdict']}[/{style}]  {_safe(r['test'])} : {_safe(r['against'])}  [dim]{r['claim']}[/dim]"
        )
        console.print(Padding(_safe(r["published"]), (0, 0, 0, 2), expand=False))
        doi = f", doi:{r['doi']}" if r["doi"] else ""
        held = f"holds in {share(r['fraction'])} of the parameter sets"
        notes = "; ".join(text for text in (held, r["reason"], r["caveats"]) if text)
        console.print(Padding(_safe(f"{r['source']}{doi}; {notes}"), (0, 0, 0, 2), expand=False), style="dim")
    note = result.manifest.headline.get("literature_note")
    if note:
        console.print(_safe(note))


def _show_folder(console: Console, result: RunResult) -> None:
    console.print()
    if result.reused:
        console.print("[dim]computed before, verified and shown again[/dim]")
    console.print(f"[dim]folder[/dim]  {_safe(result.folder)}", soft_wrap=True)
    console.print(f"[dim]report[/dim]  {_safe(result.folder / 'report.html')}", soft_wrap=True)


def _safe(text: Any) -> str:
    from rich.markup import escape

    return escape(str(text))
