"""``haptos evidence``: look at the claims, sources and numbers, and check them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from haptos.conditions.catalogue import CellTerm
    from haptos.errors import Issue
    from haptos.evidence.claims import Claim
    from haptos.evidence.coverage import Expressible

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    help="Claims, sources and quantities of the library: look, cite, check.",
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
System = Annotated[str | None, typer.Option(help="System, S1 to S14.")]


@app.command("lint")
def lint_command(
    file: Annotated[Path | None, typer.Argument(help="Own claims; default: the library.")] = None,
    strict: Annotated[bool, typer.Option(help="Count warnings as errors.")] = False,
    rules: Annotated[bool, typer.Option("--rules", help="Explain the rules instead.")] = False,
    json: Json = False,
) -> None:
    """Check the evidence, or a file of your own claims; every problem with its line."""
    from haptos.cli import evidence_view as view

    if rules:
        view.rules(json=json)
        return
    issues = _checked(file)
    view.issues(issues, json=json)
    if any(issue.severity == "error" or strict for issue in issues):
        raise typer.Exit(1)


def _cells_beside(file: Path) -> tuple[CellTerm, ...]:
    """Return the user's cells that a file of claims may name."""
    from haptos.core.located import load_yaml
    from haptos.lab.contexts import contexts_beside, own_terms

    return own_terms(contexts_beside(file, load_yaml(file)))


def _checked(file: Path | None) -> tuple[Issue, ...]:
    from haptos.errors import SpecError
    from haptos.evidence.library import load_library
    from haptos.evidence.lint import lint
    from haptos.evidence.own import check_claims

    if file is None:
        return lint(load_library())
    try:
        return check_claims(file, _cells_beside(file))[1]
    except SpecError as error:
        return error.issues


@app.command("list")
def list_command(
    *,
    system: System = None,
    source: Annotated[str | None, typer.Option(help="Source of the claim.")] = None,
    level: Annotated[str | None, typer.Option(help="none, signalling, mechanics, tissue or organism.")] = None,
    priority: Annotated[int | None, typer.Option(min=1, max=3, help="1 is the highest.")] = None,
    assay: Annotated[str | None, typer.Option(help="Assay of the trial.")] = None,
    cells: Annotated[str | None, typer.Option(help="Cells of the trial.")] = None,
    text: Annotated[str | None, typer.Option(help="Words in the sentences or names of the claim.")] = None,
    json: Json = False,
) -> None:
    """List claims, all or those that meet every condition."""
    from haptos.cli import evidence_view as view
    from haptos.evidence.library import load_library

    library = load_library()
    with _readable():
        names = {k: tuple(library.catalogue.names.get(k, ())) for k in ("source", "assay", "cells")}
        chosen = {"system": _system(system), "level": _one_of("level", level, _levels())}
        chosen |= {k: _one_of(k, v, names[k]) for k, v in (("source", source), ("assay", assay), ("cells", cells))}
        found: Sequence[Claim] = library.claims(priority=priority, **chosen)
        if text is not None:
            found = [claim for claim in found if view.mentions(claim, text, library)]
        view.claims(found, library, json=json)


@app.command("show")
def show_command(identifier: Annotated[str, typer.Argument(metavar="ID")], json: Json = False) -> None:
    """Show a claim with its experiment, a conflict group, a misprint, a source or a quantity."""
    from haptos.cli import evidence_view as view
    from haptos.evidence.library import load_library

    library = load_library()
    with _readable():
        if identifier in library.claim_ids():
            view.claim(library.claim(identifier), library, json=json)
            return
        others: dict[str, Callable[[], None]] = {}
        others |= {c.id: partial(view.conflicts, [c], json=json, library=library) for c in library.conflicts}
        others |= {t.id: partial(view.text_errors, [t], json=json) for t in library.text_errors}
        others |= {s.id: partial(view.sources, [s], json=json, full=True) for s in library.sources}
        others |= {q.id: partial(view.quantity, q, library, json=json) for q in library.quantities()}
        if identifier not in others:
            _usage("claim, conflict, misprint, source or quantity", identifier, (*library.claim_ids(), *others))
        others[identifier]()


@app.command("conflicts")
def conflicts_command(json: Json = False) -> None:
    """List where the sources disagree."""
    from haptos.cli import evidence_view as view
    from haptos.evidence.library import load_library

    with _readable():
        view.conflicts(load_library().conflicts, json=json)


@app.command("coverage")
def coverage_command(system: System = None, json: Json = False) -> None:
    """Tell which claims can be judged, and what the others wait for."""
    from haptos.cli import evidence_view as view
    from haptos.evidence.coverage import coverage
    from haptos.evidence.library import load_library

    with _readable():
        found = coverage(load_library().claims(system=_system(system)), expressible_by_lab())
        view.coverage_table(found, listed=system is not None, json=json)


@app.command("vocabulary")
def vocabulary_command(
    kind: Annotated[str | None, typer.Argument(help="Kind of names; without it, the kinds are listed.")] = None,
    text: Annotated[str | None, typer.Option(help="Only names with these words.")] = None,
    json: Json = False,
) -> None:
    """List the names that claims and experiments may use."""
    from haptos.cli import evidence_view as view
    from haptos.conditions.catalogue import KINDS
    from haptos.evidence.library import load_library

    with _readable():
        if kind is None:
            view.kinds(load_library(), json=json)
            return
        view.terms(str(_one_of("kind", kind, KINDS)), text or "", load_library(), json=json)


@app.command("sources")
def sources_command(json: Json = False) -> None:
    """List the sources of the claims."""
    from haptos.cli import evidence_view as view
    from haptos.evidence.library import load_library

    with _readable():
        view.sources(load_library().sources, json=json)


@app.command("quantities")
def quantities_command(
    use: Annotated[str | None, typer.Option(help="calibrate or validate.")] = None,
    text: Annotated[str | None, typer.Option(help="Only quantities with these words.")] = None,
    json: Json = False,
) -> None:
    """List the numbers of the literature."""
    from haptos.cli import evidence_view as view
    from haptos.evidence.library import load_library

    with _readable():
        found = load_library().quantities(use=_one_of("use", use, ("calibrate", "validate")))
        words = (text or "").casefold()
        found = tuple(q for q in found if words in f"{q.id} {q.quantity} {q.system} {' '.join(q.sources)}".casefold())
        view.quantities(found, json=json)


@app.command("validate")
def validate_command(
    records: Annotated[list[str] | None, typer.Argument(help="Records; default: all.")] = None,
    members: Annotated[int | None, typer.Option(min=1, help="Members of the ensemble; default: all.")] = None,
    json: Json = False,
) -> None:
    """Set the ensemble beside numbers of the literature that were never fitted."""
    from haptos.cli.validating import validate_command as validate

    validate(records or [], members=members, as_json=json)


def expressible_by_lab() -> Expressible:
    """Return the lab's answer to 'can this claim be judged?'; without a lab, nothing can."""
    from importlib.util import find_spec

    try:
        present = find_spec("haptos.lab.coverage") is not None
    except ModuleNotFoundError:
        present = False
    if not present:
        return lambda claim: "the lab is missing"
    from importlib import import_module

    function: Expressible = import_module("haptos.lab.coverage").expressibility
    return function


@contextmanager
def _readable() -> Iterator[None]:
    """Print the problems of unreadable files and end with code 1."""
    from haptos.errors import SpecError

    try:
        yield
    except SpecError as error:
        for issue in error.issues:
            typer.echo(str(issue), err=True)
        typer.echo("'haptos evidence lint' checks everything", err=True)
        raise typer.Exit(1) from error


def _levels() -> tuple[str, ...]:
    from typing import get_args

    from haptos.evidence.claims import Level

    return get_args(Level)


def _system(name: str | None) -> str | None:
    return _one_of("system", name.upper() if name is not None else None, tuple(f"S{i}" for i in range(1, 15)))


def _one_of(what: str, name: str | None, known: tuple[str, ...]) -> str | None:
    if name is not None and known and name not in known:
        _usage(what, name, known)
    return name


def _usage(what: str, name: str, known: tuple[str, ...]) -> NoReturn:
    """Say what does not exist and what is near it, and end with code 2."""
    from haptos.evidence.library import unknown

    typer.echo(unknown(what, name, known), err=True)
    if len(known) <= 15:
        typer.echo(f"    allowed: {', '.join(known)}", err=True)
    raise typer.Exit(2)
