"""The verdict board in the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from haptos.cli.console import VERDICT_STYLES, plain_table, rows_of, share
from haptos.lab.words import number

if TYPE_CHECKING:
    from rich.console import Console

    from haptos.lab.run import RunResult

__all__ = ["show_board"]

_SHORT = {
    "share of the induced part left": "induced part",
    "share of the gap closed": "gap closed",
    "share of the change left": "change left",
    "gain over the sum of the single gains": "gain over the sum",
    "maximum over the higher end": "maximum over ends",
    "largest over smallest effect": "spread of effects",
}
#: Claims beyond which only those are listed that are not supported; the report has all.
_MANY = 60
_SIMULATED = ("supported", "contradicted", "undecided", "vacuous")


def show_board(console: Console, result: RunResult) -> None:
    """Print one row per judged claim, the others by reason, and the tally."""
    from rich.padding import Padding

    head = result.manifest.headline
    console.print(f"\n[bold]{_safe(head['title'])}[/bold]")
    console.print(f"{sum(head['counts'].values())} claims · {head['members']} parameter sets\n", style="dim")
    rows = rows_of(result.tables["board"])
    many = len(rows) > _MANY
    if many:
        _show_systems(console, head)
    for r in (r for r in rows if r["verdict"] in _SIMULATED and not (many and r["verdict"] == "supported")):
        style = VERDICT_STYLES.get(r["verdict"], "")
        verdict = f"[{style}]{r['verdict']:<12}[/{style}]"
        basis = f" · {r['basis']}" if r["basis"] else ""
        console.print(f"{r['claim']:<10} {verdict} {share(r['fraction']):>5}  [dim]{_safe(_outcome(r))}{basis}[/dim]")
        console.print(Padding(_safe(r["sentence"]), (0, 0, 0, 11), expand=False))
    _show_others(console, [r for r in rows if r["verdict"] not in _SIMULATED])
    if result.manifest.kind == "audit":
        _show_audit(console, result)
    console.print(f"\n[bold]{_safe(head['verdict'])}[/bold]")
    if head["basis"]:
        console.print(f"{_tally(head['basis'], 'predicted')}; {_tally(head['basis'], 'calibrated')}", style="dim")


def _show_systems(console: Console, head: Mapping[str, Any]) -> None:
    """Print the verdicts by system."""
    words = [v for v in VERDICT_STYLES if v in head["counts"]]
    words += [v for v in head["counts"] if v not in words]
    table = plain_table(["system", *words, "claims"], right=[*words, "claims"])
    for system, counts in head["systems"].items():
        table.add_row(system or "–", *(str(counts.get(v, 0)) for v in words), str(sum(counts.values())))
    table.add_row(
        "all", *(str(head["counts"].get(v, 0)) for v in words), str(sum(head["counts"].values())), style="bold"
    )
    console.print(table)
    console.print("\n[bold]Not supported[/bold] [dim](the report lists all)[/dim]\n")


def _show_audit(console: Console, result: RunResult) -> None:
    """Print what the audit found, and the floor."""
    head = result.manifest.headline
    console.print("\n[bold]Audit[/bold]")
    for finding, count in head["audit"].items():
        names = [r["claim"] for r in rows_of(result.tables["audit"]) if r["finding"] == finding]
        listed = f": {', '.join(names)}" if finding not in {"earned", "not audited"} else ""
        console.print(f"  {count} {finding}{listed}", soft_wrap=True)
    if head["coarse"]:
        console.print(f"  of the earned, {head['coarse']} by a cut that takes the readout itself", style="dim")
    floor = rows_of(result.tables["floor"])
    if floor:
        console.print()
        table = plain_table(
            ["held against", "claims", "supported", "mean share"], right=["claims", "supported", "mean share"]
        )
        for r in floor:
            table.add_row(r["name"], str(r["claims"]), str(r["supported"]), share(r["rate"]))
        console.print(table)


def _tally(counts: Mapping[str, int], basis: str) -> str:
    """Return the verdicts of one basis in words."""
    words = {key.removeprefix(f"{basis} "): n for key, n in counts.items() if key.startswith(basis)}
    return f"{basis}: " + (", ".join(f"{n} {word}" for word, n in sorted(words.items())) or "none")


def _outcome(row: Mapping[str, Any]) -> str:
    """Return the deciding number with its interval."""
    what = _SHORT.get(row["quantity"], row["quantity"])
    if not row["members"]:
        return f"{what}: {row['effect']:g}"
    return f"{what} {number(row['effect'])} ({number(row['low'])} to {number(row['high'])})"


def _show_others(console: Console, rows: list[dict[str, Any]]) -> None:
    from rich.padding import Padding

    if rows:
        console.print()
    groups: dict[tuple[str, str], list[str]] = {}
    for r in rows:
        groups.setdefault((r["verdict"], r["reason"]), []).append(r["claim"])
    for (verdict, reason), claims in groups.items():
        line = f"{verdict}: {reason} ({', '.join(claims)})"
        console.print(Padding(_safe(line), (0, 0, 0, 0), expand=False), style="dim")


def _safe(text: Any) -> str:
    from rich.markup import escape

    return escape(str(text))
