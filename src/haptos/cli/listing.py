"""Commands that list the library and start new experiments."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haptos.cli.console import out, plain_table, to_json

if TYPE_CHECKING:
    from rich.table import Table

__all__ = [
    "assays_command",
    "cells_command",
    "claims_schema_command",
    "compounds_command",
    "new_claims_command",
    "new_command",
    "schema_command",
]


def new_command(file: Path, assay: str) -> None:
    """Write the example of an assay to a new file."""
    from haptos.lab.experiments import write_example

    write_example(file, assay)
    out().print(f"wrote {file}; look at it, then: [bold]haptos run {file}[/bold]")


def new_claims_command(file: Path) -> None:
    """Write a commented file of claims to a new file."""
    from haptos.lab.check import write_claims_template

    write_claims_template(file)
    out().print(f"wrote {file}; look at it, then: [bold]haptos check {file}[/bold]")


def claims_schema_command() -> None:
    """Write the JSON Schema of files of claims."""
    from haptos.lab.check import claims_schema

    to_json(claims_schema())


def schema_command() -> None:
    """Write the JSON Schema of experiment files."""
    from haptos.lab.experiments import experiment_schema

    to_json(experiment_schema())


def cells_command(*, as_json: bool) -> None:
    """List the cell contexts, simulated ones first."""
    from haptos.lab.listing import list_cells

    rows = list_cells()
    if as_json:
        to_json(rows)
        return
    table = plain_table(["name", "what", "organism", "tissue"], fold=["what"])
    _print(table, rows, "cell contexts", lambda r: (r["name"], r["label"], r["organism"] or "–", r["tissue"] or "–"))


def compounds_command(*, as_json: bool) -> None:
    """List the compounds, known ones first."""
    from haptos.lab.listing import list_compounds

    rows = list_compounds()
    if as_json:
        to_json(rows)
        return
    table = plain_table(["name", "what", "also called"], fold=["what", "also called"])
    _print(table, rows, "compounds", lambda r: (r["name"], r["label"], ", ".join(r["aliases"])))


def assays_command(*, as_json: bool) -> None:
    """List the assays, those that can be run first."""
    from haptos.lab.listing import list_assays

    rows = list_assays()
    if as_json:
        to_json(rows)
        return
    table = plain_table(["name", "what", "reads"], fold=["what", "reads"])
    _print(table, rows, "assays", lambda r: (r["name"], r["label"], _measures(r)))


def _measures(row: dict[str, Any]) -> str:
    later = f" (to come: {', '.join(row['to_come'])})" if row["to_come"] else ""
    return ", ".join(row["measures"]) + later


def _print(
    table: Table, rows: list[dict[str, Any]], what: str, cells: Callable[[dict[str, Any]], tuple[str, ...]]
) -> None:
    """Print what can be simulated as a table and the names of the rest below it."""
    from rich.padding import Padding

    console = out()
    simulated = [row for row in rows if row["simulated"]]
    others = [row["name"] for row in rows if not row["simulated"]]
    if simulated:
        for row in simulated:
            table.add_row(*cells(row))
        console.print(table)
    console.print(f"\n{len(simulated)} of {len(rows)} {what} can be simulated.")
    if others:
        console.print("[dim]Known to the claims, not yet to the model:[/dim]")
        console.print(Padding(f"[dim]{', '.join(others)}[/dim]", (0, 0, 0, 2), expand=False))
