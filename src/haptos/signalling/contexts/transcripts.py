"""A cell context from a table of transcripts: the user's line beside a line that the library knows."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal

from haptos.conditions.catalogue import load_vocabulary
from haptos.core.located import parse_yaml
from haptos.core.specs import Spec, read_spec
from haptos.errors import Issue, SpecError, nearest
from haptos.signalling.building.integrins import heterodimers
from haptos.signalling.building.modules import library_text, module_names
from haptos.signalling.cells import CellLine

__all__ = [
    "CLIP",
    "Imported",
    "Transcripts",
    "context_from",
    "context_text",
    "pool_of",
    "proteins_of_modules",
    "read_transcripts",
]

#: Range of folds that is believed; what lies beyond is clipped.
CLIP = (0.02, 50.0)
#: Transcripts per million below which a gene counts as silent, and above which it counts as expressed.
SILENT, EXPRESSED = 0.5, 5.0
#: Largest amount of a heterodimer relative to the reference amount.
_MOST = 5.0
_SYMBOLS = ("symbol", "gene", "gene_symbol", "hgnc_symbol", "hgnc symbol", "gene symbol", "gene_name")
#: log2 values above this are taken for linear ones (2^25 transcripts per million do not exist).
_LARGEST_LOG = 20.0

Scale = Literal["log2", "linear"]


class _Names(Spec):
    version: Literal[1]
    pools: dict[str, tuple[str, ...]]
    former: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Transcripts:
    """Transcripts per million of two lines.

    Attributes
    ----------
    line, reference : mapping of str to float
        By the symbol of the library.
    renamed : mapping of str to str
        Symbols of the library by the name in the table, where they differ.
    """

    line: Mapping[str, float]
    reference: Mapping[str, float]
    renamed: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Imported:
    """A context and what became of the table.

    Attributes
    ----------
    cell : CellLine
        The context.
    clipped : tuple of str
        Entries whose fold was clipped to :data:`CLIP`, or that take the amount of the parameter table
        because the reference cell has none.
    unknown : tuple of str
        Symbols of the table that the model does not use.
    missing : tuple of str
        Names of the model without a transcript in the table: as in the reference.
    renamed : mapping of str to str
        See :class:`Transcripts`.
    """

    cell: CellLine
    clipped: tuple[str, ...]
    unknown: tuple[str, ...]
    missing: tuple[str, ...]
    renamed: Mapping[str, str]


@cache
def _names() -> _Names:
    text = (resources.files("haptos.library") / "registries" / "symbols.yaml").read_text(encoding="utf-8")
    return read_spec(_Names, parse_yaml(text, name="registries/symbols.yaml"))


@cache
def _synonyms() -> dict[str, str]:
    """Return current symbols by older names; names that mean several genes are left out."""
    found: dict[str, set[str]] = {}
    for term in load_vocabulary().entities.values():
        if term.kind == "gene":
            for alias in term.aliases:
                found.setdefault(alias.upper(), set()).add(term.id)
    for symbol, names in _names().former.items():
        for name in names:
            found.setdefault(name, set()).add(symbol)
    return {alias: symbols.pop() for alias, symbols in found.items() if len(symbols) == 1}


def read_transcripts(file: Path, line: str, reference: str, *, scale: Scale = "log2") -> Transcripts:
    """Read a table of transcripts (comma or tab separated, one row per gene).

    Parameters
    ----------
    file : Path
        The table: a column of symbols (`symbol`, `gene`, ...) and a column for each line.
    line, reference : str
        Columns of the user's line and of the reference line.
    scale : str
        ``log2`` of transcripts per million plus one, or ``linear`` transcripts per million.

    Raises
    ------
    SpecError
        With every problem of the table.
    """
    text = file.read_text(encoding="utf-8-sig")
    rows = csv.DictReader(text.splitlines(), delimiter="\t" if "\t" in text.split("\n", 1)[0] else ",")
    columns = [c for c in rows.fieldnames or () if c is not None]
    symbols = next((c for c in columns if c.strip().lower() in _SYMBOLS), None)
    issues = _missing_columns(file, columns, symbols, line, reference)
    if issues or symbols is None:
        raise SpecError(issues)
    return _read_rows(file, rows, (symbols, line, reference), scale)


def _missing_columns(file: Path, columns: list[str], symbols: str | None, line: str, reference: str) -> list[Issue]:
    issues = []
    if symbols is None:
        issues.append(Issue("no column of gene symbols", f"{file.name}:1", allowed=", ".join(_SYMBOLS)))
    for name in dict.fromkeys((line, reference)):
        if name not in columns:
            near = ", ".join(nearest(name, columns)) or ", ".join(columns)
            issues.append(Issue(f"no column {name!r}", f"{file.name}:1", hint=f"columns near it: {near}"))
    if line == reference:
        issues.append(Issue(f"the line and its reference are the same column, {line!r}", f"{file.name}:1"))
    return issues


def _read_rows(file: Path, rows: csv.DictReader[str], columns: tuple[str, str, str], scale: Scale) -> Transcripts:
    symbols, *lines = columns
    values: dict[str, tuple[float, float]] = {}
    renamed: dict[str, str] = {}
    places: dict[str, int] = {}
    issues: list[Issue] = []
    for row in rows:
        where = f"{file.name}:{rows.line_num}"
        written = (row[symbols] or "").strip()
        if not written:
            issues.append(Issue("a row without a symbol", where))
            continue
        symbol = _synonyms().get(written.upper(), written.upper()) if written not in _model_genes() else written
        found = [_number(row[c], scale, f"{where} ({c})", issues) for c in lines]
        if symbol in places:
            issues.append(Issue(f"{symbol} stands twice, first in line {places[symbol]}", where))
        places.setdefault(symbol, rows.line_num)
        if symbol != written:
            renamed[written] = symbol
        values[symbol] = (found[0], found[1])
    if not values:
        issues.append(Issue("the table has no rows", file.name))
    if issues:
        raise SpecError(issues)
    own, other = ({s: v[i] for s, v in values.items()} for i in (0, 1))
    return Transcripts(own, other, renamed)


def _number(text: str | None, scale: Scale, where: str, issues: list[Issue]) -> float:
    """Return transcripts per million; problems are added to `issues`."""
    try:
        value = float(text or "")
    except ValueError:
        issues.append(Issue(f"{text!r} is not a number", where))
        return 0.0
    if not math.isfinite(value) or value < 0.0:
        issues.append(Issue(f"{text} is not a number of at least 0", where))
        return 0.0
    if scale == "log2" and value > _LARGEST_LOG:
        issues.append(Issue(f"{text} is no log2 value", where, hint="if the table holds TPM, say --scale linear"))
        return 0.0
    return 2.0**value - 1.0 if scale == "log2" else value


@cache
def _model_genes() -> frozenset[str]:
    """Return the genes that pools and heterodimers are made of."""
    pooled = {gene for genes in _names().pools.values() for gene in genes}
    return frozenset(pooled | {u for h in heterodimers().values() for u in (h.alpha, h.beta)})


@cache
def proteins_of_modules() -> tuple[str, ...]:
    """Return the names that ``expression`` of a cell may hold: all amounts of the modules, without integrins."""
    texts = (re.sub(r"//.*", "", library_text(f"{name}.ant")) for name in module_names())
    return tuple(sorted({name for text in texts for name in re.findall(r"\bexpression__(\w+)", text)}))


def context_from(table: Transcripts, like: CellLine, name: str) -> Imported:
    """Make a context: amounts of a known cell times the folds of the transcripts.

    Parameters
    ----------
    table : Transcripts
        Both lines.
    like : CellLine
        The library's cell for the reference line.
    name : str
        Identifier of the context.

    Notes
    -----
    A fold is (x + 1)/(r + 1) of the transcripts per million, clipped to :data:`CLIP`; a gene that is
    silent (below 0.5) where the reference expresses it (above 5) counts as lost. A heterodimer follows
    the scarcer of its subunits; one that the reference cell lacks is scaled like its others.
    """
    proteins = proteins_of_modules()
    expression, clipped, missing = _amounts(proteins, table, like)
    used = {g for n in proteins for g in _names().pools.get(n, (n,))} | _model_genes()
    cell = CellLine(
        id=name,
        label=name,
        basis=f"transcripts per million relative to those of {like.id}, whose amounts they multiply",
        confidence="assumed",
        profile=like.profile,
        integrins=_heterodimers(table, like),
        expression=expression,
        endogenous=like.endogenous,
        constitutive=like.constitutive,
        mutations={},
        volumes=like.volumes,
        normal=like.normal,
    )
    unknown = tuple(sorted(set(table.line) - used))
    return Imported(cell, tuple(clipped), unknown, tuple(missing), table.renamed)


def _amounts(
    names: tuple[str, ...], table: Transcripts, like: CellLine
) -> tuple[dict[str, float], list[str], list[str]]:
    """Return amounts by name, which of them were clipped, and names without transcripts."""
    amounts = dict(like.expression)
    clipped: list[str] = []
    missing: list[str] = []
    for name in names:
        genes = [g for g in _names().pools.get(name, (name,)) if g in table.line]
        if not genes:
            missing.append(name)
            continue
        own, other = (sum(side[g] for g in genes) for side in (table.line, table.reference))
        there = like.expression.get(name, 1.0)
        if there == 0.0 and own > EXPRESSED:  # nothing to scale: the amount of the parameter table
            amounts[name] = 1.0
            clipped.append(f"{name} (absent from the reference)")
            continue
        fold, outside = _fold(own, other)
        clipped += [name] if outside else []
        amounts[name] = _rounded(min(there * fold, 1000.0))
    return amounts, clipped, missing


def _fold(own: float, other: float) -> tuple[float, bool]:
    if own < SILENT and other > EXPRESSED:
        return 0.0, False
    fold = (own + 1.0) / (other + 1.0)
    held = min(max(fold, CLIP[0]), CLIP[1])
    return held, held != fold


def _heterodimers(table: Transcripts, like: CellLine) -> dict[str, float]:
    """Return the integrins: what the reference cell makes, times the fold of the scarcer subunit."""
    made: dict[str, float] = {}
    scales = []
    for h in heterodimers().values():
        amount = like.integrins.get(h.id, 0.0)
        if h.alpha not in table.line or h.beta not in table.line:
            made |= {h.id: amount} if amount > 0 else {}
        elif amount > 0:
            own, other = (min(side[h.alpha], side[h.beta]) for side in (table.line, table.reference))
            made[h.id] = min(amount * _fold(own, other)[0], _MOST)
            scales.append(math.log(amount / (other + 1.0)))
    scale = math.exp(sum(scales) / len(scales)) if scales else 0.0
    for h in heterodimers().values():
        scarcer = min(table.line.get(h.alpha, 0.0), table.line.get(h.beta, 0.0))
        if h.id not in made and scarcer > EXPRESSED:
            made[h.id] = min(scale * scarcer, _MOST)
    return {name: _rounded(amount) for name, amount in made.items() if amount > 0}


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


def context_text(found: Imported) -> str:
    """Return a context as a cell file; equal contexts give equal texts."""
    cell = found.cell
    lines = [
        f"# Made by 'haptos cells import'. Folds are held within {CLIP[0]:g} to {CLIP[1]:g}; RNA is not protein.",
        "# Mutations are not in a table of transcripts: add them by hand. Tonic inputs are those of the reference.",
        "version: 1",
        "cells:",
        f"- id: {_quoted(cell.id)}",
        f"  label: {_quoted(cell.label)}",
        f"  basis: {cell.basis}",
        f"  confidence: {cell.confidence}",
    ]
    for block in ("integrins", "expression", "endogenous", "constitutive"):
        entries = getattr(cell, block)
        if entries:
            lines += [f"  {block}:", *(f"    {key}: {entries[key]:g}" for key in sorted(entries))]
    volumes = {k: getattr(cell.volumes, k).value for k in ("cytoplasm", "nucleus")}
    lines.append("  volumes: {" + ", ".join(f'{k}: "{v:g} µm³"' for k, v in volumes.items()) + "}")
    if cell.normal is not None:
        kept = cell.normal.model_dump(mode="json", exclude_unset=True, exclude_none=True)
        always = {"coating": cell.normal.coating, "geometry": cell.normal.geometry}
        lines.append("  normal: {" + ", ".join(f"{k}: {_quoted(str(v))}" for k, v in {**always, **kept}.items()) + "}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Return a text as a YAML scalar; in quotes, where it would read as something else."""
    try:
        plain = parse_yaml(text).data == text and "," not in text
    except SpecError:
        plain = False
    return text if plain else f'"{text}"'


def pool_of(symbol: str) -> str | None:
    """Return the name of the model that a gene is counted in; None if it has none but its own.

    Examples
    --------
    >>> pool_of("KRAS"), pool_of("ILK")
    ('HRAS', None)
    """
    return next((pool for pool, genes in _names().pools.items() if symbol in genes and symbol != pool), None)
