"""The check of an installation."""

from __future__ import annotations

from pathlib import Path

import typer

from haptos.cli.boundary import Exit
from haptos.cli.console import out, plain_table, to_json

__all__ = ["doctor_command"]


def doctor_command(runs: Path | None, *, as_json: bool) -> None:
    """Check versions, folders, disk and a small simulation; leave with 1 if something is wrong."""
    from dataclasses import asdict

    from haptos.core.settings import Settings
    from haptos.lab.doctor import examine

    settings = Settings.load()
    findings = examine(runs if runs is not None else settings.runs, settings.workers)
    if as_json:
        to_json([asdict(f) for f in findings])
    else:
        table = plain_table(["", "what", "found"], fold=["found"])
        for finding in findings:
            table.add_row("[green]ok[/green]" if finding.good else "[red]!![/red]", finding.what, finding.found)
        out().print(table)
    if not all(f.good for f in findings):
        raise typer.Exit(Exit.FAILED)
