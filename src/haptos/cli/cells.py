"""Commands over cell contexts: list, import, check."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from haptos.cli.console import out

__all__ = ["app"]

#: Names that are printed of a long list.
_SHOWN = 12

app = typer.Typer(
    help="List the cell lines and contexts; make one from transcripts.",
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
)


class Scale(StrEnum):
    """Scale of a table of transcripts."""

    LOG2 = "log2"
    LINEAR = "linear"


@app.callback()
def top(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON instead of tables.")] = False,
) -> None:
    """List the cell lines and contexts, and which of them can be simulated; or import one."""
    if context.invoked_subcommand is None:
        from haptos.cli.listing import cells_command

        cells_command(as_json=as_json)


@app.command("import")
def import_command(
    table: Annotated[Path, typer.Argument(help="CSV or TSV: a column of HGNC symbols, one per line.", exists=True)],
    reference: Annotated[str, typer.Option("--reference", help="Column of the reference line.", show_default=False)],
    line: Annotated[str, typer.Option("--line", help="Column of your line.", show_default=False)],
    name: Annotated[str | None, typer.Option("--name", help="Name of the context. [default: the column]")] = None,
    like: Annotated[
        str | None, typer.Option("--like", help="Library cell of the reference. [default: its column]")
    ] = None,
    scale: Annotated[Scale, typer.Option("--scale", help="log2 of TPM + 1, or linear TPM.")] = Scale.LOG2,
    file: Annotated[Path | None, typer.Option("--out", help="File to write. [default: NAME.yaml]")] = None,
) -> None:
    """Make a context from transcripts of your line and of a line that the library knows."""
    from haptos.lab.importing import import_cells

    done = import_cells(table, reference=reference, line=line, name=name, like=like, scale=scale.value, out=file)
    found, console = done.imported, out()
    console.print(f"wrote {done.file}: {len(found.cell.expression)} amounts, {len(found.cell.integrins)} integrins")
    renamed = tuple(f"{old} is {new}" for old, new in found.renamed.items() if old.upper() != new)
    cell = found.cell.id
    beside = "beside your experiment, or in a folder 'cells' there" if done.file.stem == cell else "in a folder 'cells'"
    console.print(f"use it: the file {beside}, and 'cells: {cell}' in the experiment", highlight=False)
    console.print(_listed("older names", renamed), highlight=False)
    console.print(_listed("clipped", found.clipped), highlight=False)
    console.print(_listed("not in the table, as in the reference", found.missing), highlight=False)
    console.print(_listed("not used by the model", found.unknown), highlight=False)


@app.command("check")
def check_command(
    files: Annotated[list[Path], typer.Argument(help="Cell files, in which cells may build on each other.")],
) -> None:
    """Check cell files of your own: every problem with its line."""
    from haptos.lab.contexts import load_contexts

    for cell in load_contexts(*files).values():
        counts = f"{len(cell.expression)} amounts, {len(cell.integrins)} integrins, {len(cell.mutations)} mutations"
        out().print(f"{cell.id}: {counts}", highlight=False)


def _listed(what: str, names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    return f"{what}: {shown or 'none'}"
