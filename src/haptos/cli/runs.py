"""Commands over finished runs: list, show, verify."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from haptos.cli.boundary import Exit
from haptos.cli.console import out, to_json

if TYPE_CHECKING:
    from haptos.store.runs import RunStore

__all__ = ["app"]

app = typer.Typer(
    help="List, show and verify finished runs.",
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode=None,
)
RunsFolder = Annotated[
    Path | None, typer.Option("--runs", help="Folder of the run folders.", envvar="HAPTOS_RUNS", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON instead of tables.")]


@app.callback()
def top(context: typer.Context, runs: RunsFolder = None, as_json: AsJson = False) -> None:
    """List, show and verify finished runs; without a command: list."""
    if context.invoked_subcommand is None:
        _list(runs, as_json=as_json)


@app.command("list")
def list_runs(
    runs: RunsFolder = None,
    text: Annotated[str, typer.Option("--text", help="Part of the name, title or verdict.")] = "",
    assay: Annotated[str, typer.Option("--assay", help="Only runs of this assay.")] = "",
    cells: Annotated[str, typer.Option("--cells", help="Only runs with these cells.")] = "",
    kind: Annotated[str, typer.Option("--kind", help="experiment or reproduction.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the finished runs, newest first."""
    _list(runs, text=text, assay=assay, cells=cells, kind=kind, as_json=as_json)


@app.command("show")
def show(
    run: Annotated[str, typer.Argument(help="Name of the run, or the beginning of its name or hash.")],
    runs: RunsFolder = None,
    as_json: AsJson = False,
) -> None:
    """Show a finished run again."""
    from haptos.cli.showing import show_result
    from haptos.lab.run import load_run

    show_result(load_run(_store(runs).find(run)), as_json=as_json)


@app.command("verify")
def verify(
    run: Annotated[str | None, typer.Argument(help="One run; without a name all are verified.")] = None,
    runs: RunsFolder = None,
    as_json: AsJson = False,
) -> None:
    """Compare run folders with the checksums in their manifests."""
    from haptos.store.manifest import damage

    store = _store(runs)
    folders = [store.find(run)] if run is not None else [store.root / name for name in store.names()]
    found = {folder.name: damage(folder) for folder in folders}
    if as_json:
        to_json(found)
    else:
        console = out()
        for name, wrong in found.items():
            console.print(f"[red]damaged[/red]  {name}" if wrong else f"[green]sound[/green]    {name}")
            for line in wrong:
                console.print(f"         {line}", markup=False)
        console.print(f"{len(found)} runs, {sum(map(bool, found.values()))} damaged")
    if any(found.values()):
        raise typer.Exit(Exit.FAILED)


def _store(runs: Path | None) -> RunStore:
    from haptos.core.settings import Settings
    from haptos.store.runs import RunStore

    return RunStore(runs if runs is not None else Settings.load().runs)


def _list(
    runs: Path | None, *, text: str = "", assay: str = "", cells: str = "", kind: str = "", as_json: bool
) -> None:
    from dataclasses import asdict

    from rich.padding import Padding

    from haptos.store.index import list_runs as query

    store = _store(runs)
    entries, problems = query(store, text=text, assay=assay, cells=cells, kind=kind)
    unfinished = store.unfinished()
    if as_json:
        to_json({"runs": [asdict(e) for e in entries], "problems": problems, "unfinished": unfinished})
        return
    console = out()
    for e in entries:
        facts = " · ".join((e.finished[:16].replace("T", " "), e.assay or e.kind, e.verdict or "–"))
        console.print(f"[bold]{e.name}[/bold]", soft_wrap=True)
        console.print(Padding(facts, (0, 0, 0, 2), expand=False), style="dim")
    if entries:
        console.print(f"\n{len(entries)} runs in {store.root}", soft_wrap=True)
    else:
        console.print(f"no finished runs in {store.root}")
    for name in unfinished:
        console.print(f"[yellow]unfinished[/yellow]  {name}; the same command goes on from where it stopped")
    for problem in problems:
        console.print(f"[red]problem[/red]  {problem}")
