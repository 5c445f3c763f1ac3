"""The commands and their lazy groups."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from haptos.cli.boundary import Boundary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["app", "run_command_line"]

RunsFolder = Annotated[
    Path | None, typer.Option("--runs", help="Folder of the run folders.", envvar="HAPTOS_RUNS", show_default=False)
]
Workers = Annotated[
    int | None, typer.Option("--workers", min=1, help="Threads; the answer does not depend on it. [default: cores]")
]
Members = Annotated[
    int | None, typer.Option("--members", min=1, help="Members of the parameter ensemble. [default: all]")
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON instead of tables.")]
OpenReport = Annotated[bool, typer.Option("--open/--no-open", help="Open the report in the browser.")]
Level = Annotated[str | None, typer.Option("--level", help="Only claims tested at this level.")]
System = Annotated[str | None, typer.Option("--system", help="Only claims of this system (S1 to S14).")]


class _Top(TyperGroup):
    """The commands under headings; groups of :data:`LAZY` are imported when one of them is used."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands in the order of the help."""
        return [*super().list_commands(ctx), *LAZY]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return one command, loading its group if need be."""
        if cmd_name not in LAZY:
            return super().get_command(ctx, cmd_name)
        from importlib import import_module

        command = typer.main.get_command(import_module(LAZY[cmd_name][0]).app)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands below their headings."""
        rows: dict[str, list[tuple[str, str]]] = {}
        for name in super().list_commands(ctx):
            command = super().get_command(ctx, name)
            heading = str(getattr(command, "rich_help_panel", None) or "Commands")
            rows.setdefault(heading, []).append((name, command.get_short_help_str(limit=100) if command else ""))
        for name, (_, text, heading) in LAZY.items():
            rows.setdefault(heading, []).append((name, text))
        for heading, commands in rows.items():
            with formatter.section(heading):
                formatter.write_dl(commands, col_max=12)


#: Groups that live in modules of their own: module, help, heading.
LAZY: Mapping[str, tuple[str, str, str]] = {
    "runs": ("haptos.cli.runs", "List, show and verify finished runs.", "Experiments"),
    "evidence": ("haptos.cli.evidence", "Claims, sources and quantities of the library.", "Literature"),
    "cells": ("haptos.cli.cells", "List the cell lines and contexts; make one from transcripts.", "Library"),
    "model": ("haptos.cli.model", "Look at, simulate and sample any SBML or Antimony file.", "Models"),
}

app = typer.Typer(
    name="haptos",
    cls=_Top,
    help="A virtual laboratory for invasive growth: an experiment in, a figure with reasons out.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,  # rich help costs 0.15 s at every start
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(wanted: bool) -> None:
    if wanted:
        import haptos

        typer.echo(f"haptos {haptos.__version__}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the stack trace of an internal error.")] = False,
) -> None:
    """Take what every command takes: nothing but these two switches."""


@app.command("run", rich_help_panel="Experiments")
def run(
    file: Annotated[Path, typer.Argument(help="Experiment file (YAML).", show_default=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and its cost; simulate nothing.")] = False,
    workers: Workers = None,
    members: Members = None,
    runs: RunsFolder = None,
    as_json: AsJson = False,
    open_report: OpenReport = False,
) -> None:
    """Run an experiment: table, statistics, figure, and what the literature says."""
    from haptos.cli.running import plan_command, run_command

    if dry_run:
        plan_command(file, workers=workers, members=members, runs=runs, as_json=as_json)
    else:
        run_command(file, workers=workers, members=members, runs=runs, as_json=as_json, open_report=open_report)


@app.command("new", rich_help_panel="Experiments")
def new(
    file: Annotated[Path, typer.Argument(help="File to write; it must not exist.", show_default=False)],
    assay: Annotated[str, typer.Option("--assay", help="Which example ('haptos assays' lists them).")] = "western_blot",
    claims: Annotated[bool, typer.Option("--claims", help="Claims to be judged, instead of an experiment.")] = False,
) -> None:
    """Write a commented example that runs as it is."""
    from haptos.cli.listing import new_claims_command, new_command

    if claims:
        new_claims_command(file)
    else:
        new_command(file, assay)


@app.command("check", rich_help_panel="Literature")
def check(  # noqa: PLR0917 - typer passes by name
    file: Annotated[Path, typer.Argument(help="Claims (YAML); 'haptos new FILE --claims' starts one.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and its cost; simulate nothing.")] = False,
    skip_faulty: Annotated[
        bool, typer.Option("--skip-faulty", help="Leave out claims with problems and judge the others.")
    ] = False,
    workers: Workers = None,
    members: Members = None,
    runs: RunsFolder = None,
    as_json: AsJson = False,
    open_report: OpenReport = False,
) -> None:
    """Judge claims of your own, each by its experiment."""
    from haptos.cli.checking import check_command, plan_check_command

    if dry_run:
        plan_check_command(file, skip_faulty=skip_faulty, workers=workers, members=members, runs=runs, as_json=as_json)
    else:
        check_command(
            file,
            skip_faulty=skip_faulty,
            workers=workers,
            members=members,
            runs=runs,
            as_json=as_json,
            open_report=open_report,
        )


@app.command("audit", rich_help_panel="Literature")
def audit(  # noqa: PLR0917 - typer passes by name
    what: Annotated[str, typer.Argument(metavar="[SOURCE|FILE]", help="A source, 'all', or a file of claims.")] = "all",
    level: Level = None,
    system: System = None,
    floor: Annotated[int, typer.Option("--floor", min=0, help="Prior draws to compare with; 0: none.")] = 64,
    workers: Workers = None,
    members: Members = None,
    runs: RunsFolder = None,
    as_json: AsJson = False,
    open_report: OpenReport = False,
) -> None:
    """Cut the mechanism that each supported claim names: its verdict must turn."""
    from haptos.cli.checking import audit_command

    audit_command(
        what,
        level=level,
        system=system,
        floor=floor,
        workers=workers,
        members=members,
        runs=runs,
        as_json=as_json,
        open_report=open_report,
    )


@app.command("explain", rich_help_panel="Literature")
def explain(
    what: Annotated[
        str,
        typer.Argument(
            metavar="CLAIM|FILE",
            help="A claim, a conflict, an experiment file, or a claim of a file (my_claims.yaml:MINE-01).",
        ),
    ],
    most: Annotated[int, typer.Option("--most", min=1, help="Steps to tell of.")] = 12,
    workers: Workers = None,
    runs: RunsFolder = None,
    as_json: AsJson = False,
) -> None:
    """Say which reactions carry an effect, with their claims and sources."""
    from haptos.cli.explaining import explain_command

    explain_command(what, workers=workers, runs=runs, most=most, as_json=as_json)


@app.command("reproduce", rich_help_panel="Literature")
def reproduce(  # noqa: PLR0917 - typer passes by name
    source: Annotated[str, typer.Argument(help="zhao2013, helbig2003, jci2002 or all.", show_default=False)],
    level: Level = None,
    system: System = None,
    workers: Workers = None,
    members: Members = None,
    runs: RunsFolder = None,
    as_json: AsJson = False,
    open_report: OpenReport = False,
) -> None:
    """Run every experiment a publication rests on and judge its claims."""
    from haptos.cli.reproducing import reproduce_command

    reproduce_command(
        source,
        level=level,
        system=system,
        workers=workers,
        members=members,
        runs=runs,
        as_json=as_json,
        open_report=open_report,
    )


@app.command("compounds", rich_help_panel="Library")
def compounds(as_json: AsJson = False) -> None:
    """List the compounds, and which of them the model knows."""
    from haptos.cli.listing import compounds_command

    compounds_command(as_json=as_json)


@app.command("assays", rich_help_panel="Library")
def assays(as_json: AsJson = False) -> None:
    """List the assays and what they read."""
    from haptos.cli.listing import assays_command

    assays_command(as_json=as_json)


@app.command("schema", rich_help_panel="Library")
def schema(
    claims: Annotated[bool, typer.Option("--claims", help="Of files of claims, instead of experiments.")] = False,
) -> None:
    """Write the JSON Schema of experiment files, or of files of claims, for editors."""
    from haptos.cli.listing import claims_schema_command, schema_command

    if claims:
        claims_schema_command()
    else:
        schema_command()


@app.command("doctor", rich_help_panel="Help")
def doctor(runs: RunsFolder = None, as_json: AsJson = False) -> None:
    """Check the installation: versions, folders, disk, and the time of a small simulation."""
    from haptos.cli.doctor import doctor_command

    doctor_command(runs, as_json=as_json)


def run_command_line(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        Arguments after the program name; the default is those of the process.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    boundary = Boundary(debug="--debug" in given)
    with boundary:
        app(args=[a for a in given if a != "--debug"], prog_name="haptos")
    return int(boundary.code)
