"""The verdict board in the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from haptos.cli.console import VERDICT_STYLES, rows_of, share
from haptos.lab.words import number

if TYPE_CHECKING:
    from rich.console import Console

    from haptos.lab.run import RunResult

__all__ = ["show_board"]

_SHORT = {
    "share of the induced part left": "induced part",
    "share of the gap closed": "gap closed",
    "share of the rise left": "rise left",
    "gain over the sum of the single gains": "gain over the sum",
    "maximum over the higher end": "maximum over ends",
    "largest over smallest effect": "spread of effects",
}
_SIMULATED = ("supported", "contradicted", "undecided", "vacuous")


def show_board(console: Console, result: RunResult) -> None:
    """Print one row per judged claim, the others by reason, and the tally."""
    from rich.padding import Padding

    head = result.manifest.headline
    console.print(f"\n[bold]{_safe(head['title'])}[/bold]")
    console.print(f"{sum(head['counts'].values())} claims · {head['members']} parameter sets\n", style="dim")
    rows = rows_of(result.tables["board"])
    for r in (r for r in rows if r["verdict"] in _SIMULATED):
        style = VERDICT_STYLES.get(r["verdict"], "")
        verdict = f"[{style}]{r['verdict']:<12}[/{style}]"
        basis = f" · {r['basis']}" if r["basis"] else ""
        console.print(f"{r['claim']:<10} {verdict} {share(r['fraction']):>5}  [dim]{_safe(_outcome(r))}{basis}[/dim]")
        console.print(Padding(_safe(r["sentence"]), (0, 0, 0, 11), expand=False))
    _show_others(console, [r for r in rows if r["verdict"] not in _SIMULATED])
    console.print(f"\n[bold]{_safe(head['verdict'])}[/bold]")
    if head["basis"]:
        console.print(f"{_tally(head['basis'], 'predicted')}; {_tally(head['basis'], 'calibrated')}", style="dim")


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
