"""Tables and cards of ``haptos evidence``; every view can also be JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from json import dumps
from typing import TYPE_CHECKING, Any, cast

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from haptos.cli.console import out, plain_table, to_json
from haptos.errors import Issue
from haptos.evidence.claims import Claim, Compared, Conflict, TextError
from haptos.evidence.coverage import STATES, Status, tally
from haptos.evidence.library import Library
from haptos.evidence.quantities import Interval, QuantityRecord
from haptos.evidence.sources import Source
from haptos.evidence.wording import relation_sentence, sentence, trial_sentence

if TYPE_CHECKING:
    from haptos.conditions.catalogue import Term
    from haptos.conditions.interventions import Intervention

_STYLES = {"error": "red", "warning": "yellow", "judged": "green", "not yet expressible": "yellow", "untestable": "dim"}


_ONE_LINE = ("id", "sys", "P", "rule", "use", "kind", "claims", "names", "all", *STATES)
_NUMBERS = ("names", "claims", "all", *STATES)


def _table(*columns: str) -> Table:
    return plain_table(columns, fold=[c for c in columns if c not in _ONE_LINE], right=_NUMBERS)


# --- linter --------------------------------------------------------------------------------


def issues(found: Sequence[Issue], *, json: bool) -> None:
    """Print issues by line, and their number."""
    if json:
        fields = ("rule", "severity", "where", "message", "allowed", "hint")
        to_json([{field: getattr(issue, field) for field in fields} for issue in found])
        return
    console = Console(soft_wrap=True, highlight=False)
    for issue in found:
        style = _STYLES.get(issue.severity, "")
        console.print(f"[{style}]{issue.severity}[/] {escape(str(issue))} [dim]({issue.rule})[/]")
    errors = sum(issue.severity == "error" for issue in found)
    console.print(f"{errors} errors, {len(found) - errors} warnings")


def rules(*, json: bool) -> None:
    """Print the rules of the linter with their explanations."""
    from haptos.evidence.lint import RULES

    texts = [(rule.id, rule.severity, " ".join((rule.__doc__ or "").split())) for rule in RULES]
    if json:
        to_json([{"id": name, "severity": severity, "text": text} for name, severity, text in texts])
        return
    table = _table("rule", "severity", "what must hold")
    for row in texts:
        table.add_row(*map(escape, row))
    out().print(table)


# --- claims --------------------------------------------------------------------------------


def claim_data(claim: Claim, library: Library) -> dict[str, Any]:
    """Return a claim as plain data, with its sentences."""
    said = {"sentence": sentence(claim, library.vocabulary), "says": relation_sentence(claim, library.vocabulary)}
    return {**claim.model_dump(mode="json", exclude_none=True), **said}


def mentions(claim: Claim, text: str, library: Library) -> bool:
    """Tell whether every word of `text` occurs in the sentences or the record of a claim."""
    here = dumps(claim_data(claim, library), ensure_ascii=False).casefold()
    return all(word in here for word in text.casefold().split())


def claims(found: Sequence[Claim], library: Library, *, json: bool) -> None:
    """Print a table of claims."""
    if json:
        to_json([claim_data(claim, library) for claim in found])
        return
    table = _table("id", "sys", "P", "level", "claim")
    for claim in found:
        what = escape(relation_sentence(claim, library.vocabulary))
        table.add_row(claim.id, claim.system, str(claim.priority), claim.level, what)
    console = out()
    console.print(table)
    console.print(f"{len(found)} claims")


def claim(claim: Claim, library: Library, *, json: bool) -> None:
    """Print one claim with everything that belongs to it."""
    conflicts_here = [c for c in library.conflicts if c.id in claim.conflicts]
    errors_here = [t for t in library.text_errors if t.id in claim.text_errors]
    if json:
        groups: dict[str, Sequence[Conflict | TextError]] = {
            "conflict_groups": conflicts_here,
            "misprints": errors_here,
        }
        to_json(claim_data(claim, library) | {k: [r.model_dump(mode="json") for r in v] for k, v in groups.items()})
        return
    console, card = out(), Table.grid(padding=(0, 2))
    console.print(Text(claim.id, style="bold") + Text(f"  {relation_sentence(claim, library.vocabulary)}", style=""))
    for name, value in _card(claim, library):
        card.add_row(Text(name, style="dim"), Text(value))
    for c in conflicts_here:
        others = [name for name in (*c.side_a, *c.side_b) if name != claim.id]
        card.add_row(Text(f"conflict {c.id}", style="yellow"), f"{c.nature.replace('_', ' ')} with {', '.join(others)}")
        card.add_row("", escape(c.note))
    for t in errors_here:
        card.add_row(Text(f"misprint {t.id}", style="yellow"), escape(f"'{t.printed}', read as '{t.read_as}'"))
    console.print(card)


def _card(claim: Claim, library: Library) -> Iterable[tuple[str, str]]:
    """Yield the rows of the card of a claim."""
    lines = ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in claim.lines)
    cited = {s.id: s.cite() for s in library.sources}
    cites = f", references {', '.join(map(str, claim.cites))}" if claim.cites else ""
    yield (
        "experiment",
        trial_sentence(claim, library.vocabulary) or f"none ({(claim.untestable or '').replace('_', ' ')})",
    )
    yield "source", f"{cited.get(claim.source, claim.source)}; {claim.section}, lines {lines}{cites}"
    yield "class", f"{claim.system}, {claim.kind.replace('_', ' ')}, level {claim.level}, priority {claim.priority}"
    if claim.trial is not None and claim.expect is not None:
        yield "cells", claim.trial.cells
        arms = cast("Mapping[str, tuple[Intervention, ...]]", claim.trial.arms)
        for label, steps in arms.items():
            yield f"arm {label}", _steps(steps)
        yield "read", _reading(claim)
        yield "expect", _expectation(claim)
    if claim.assumed:
        yield "assumed", f"{', '.join(claim.assumed)} (added here, not in the source)"
    if claim.note:
        yield "note", claim.note


def _steps(steps: Sequence[Intervention]) -> str:
    from haptos.conditions.interventions import describe

    return "; ".join(describe(step) for step in steps) or "untreated"


def _reading(claim: Claim) -> str:
    trial = claim.trial
    if trial is None or trial.readout is None:
        return trial.assay if trial is not None else ""
    readout = trial.readout
    of = f" of {', '.join(readout.of)}" if readout.of else ""
    over = f" over {', '.join(readout.over)}" if readout.over else ""
    at = f" at {readout.at}" if readout.at is not None else ""
    return f"{trial.assay}: {readout.measure}{of}{over}{at}"


def _expectation(claim: Claim) -> str:
    """Return the expectation by its arms, then its bounds."""
    expect: Any = claim.expect
    data = expect.model_dump(mode="json", exclude_none=True)
    text = str(data.pop("outcome")).replace("_", " ")
    if isinstance(expect, Compared):
        text += f": {'; '.join(f'{test} against {reference}' for test, reference in expect.pairs())}"
        data = {k: v for k, v in data.items() if k not in ("test", "reference", "references")}
    extras = [f"{k.replace('_', ' ')}: {_plain(v)}" for k, v in data.items() if v not in ([], False)]
    return "; ".join([text, *extras])


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value).replace("_", " ")


# --- conflicts, misprints, coverage --------------------------------------------------------


def conflicts(found: Sequence[Conflict], *, json: bool, library: Library | None = None) -> None:
    """Print conflict groups: both sides and our remark; with the claims' sentences if a library is given."""
    if json:
        to_json([record.model_dump(mode="json") for record in found])
        return
    console, table = out(), _table("id", "conflict")
    for record in found:
        sides = f"{', '.join(record.side_a)} [dim]against[/] {', '.join(record.side_b)}"
        table.add_row(record.id, f"[bold]{record.nature.replace('_', ' ')}[/]: {sides}")
        table.add_row("", escape(record.note))
        if library is None:
            continue
        for name in (*record.side_a, *record.side_b):
            said = sentence(library.claim(name), library.vocabulary)
            table.add_row("", f"[bold]{name}[/] {escape(said)}")
    console.print(table)


def text_errors(found: Sequence[TextError], *, json: bool) -> None:
    """Print misprints and how they are read."""
    if json:
        to_json([record.model_dump(mode="json") for record in found])
        return
    table = _table("id", "certainty", "printed", "read as", "claims")
    for t in found:
        table.add_row(t.id, t.certainty.replace("_", " "), escape(t.printed), escape(t.read_as), ", ".join(t.claims))
    out().print(table)


def coverage_table(found: Sequence[Status], *, listed: bool, json: bool) -> None:
    """Print the counts by system and state, then what is missing, or each claim if `listed`."""
    if json:
        fields = ("claim", "system", "state", "reason")
        to_json([{field: getattr(status, field) for field in fields} for status in found])
        return
    console, table = out(), _table("sys", *STATES, "all")
    counts = tally(found)
    for system, of_state in counts.items():
        table.add_row(system, *(str(of_state[state]) for state in STATES), str(sum(of_state.values())))
    table.add_row("all", *(str(sum(row[s] for row in counts.values())) for s in STATES), str(len(found)), style="bold")
    console.print(table)
    console.print()
    reasons = _table("id", "state", "reason") if listed else _table("claims", "state", "reason")
    for row in _each(found) if listed else _by_reason(found):
        reasons.add_row(*row)
    console.print(reasons)


def _each(found: Sequence[Status]) -> Iterable[tuple[str, str, str]]:
    for status in found:
        yield status.claim, f"[{_STYLES[status.state]}]{status.state}[/]", escape(status.reason)


def _by_reason(found: Sequence[Status]) -> Iterable[tuple[str, str, str]]:
    counts: dict[tuple[str, str], int] = {}
    for status in found:
        counts[status.state, status.reason] = counts.get((status.state, status.reason), 0) + 1
    for (state, reason), n in sorted(counts.items(), key=lambda item: (STATES.index(item[0][0]), -item[1])):
        yield str(n), f"[{_STYLES[state]}]{state}[/]", escape(reason)


# --- vocabulary, sources, quantities -------------------------------------------------------


def kinds(library: Library, *, json: bool) -> None:
    """Print the kinds of names and how many there are of each."""
    counts = {kind: len(names) for kind, names in library.catalogue.names.items()}
    if json:
        to_json(counts)
        return
    table = _table("kind", "names")
    for kind, n in counts.items():
        table.add_row(kind, str(n))
    out().print(table)
    out().print("'haptos evidence vocabulary KIND' lists them")


def terms(kind: str, text: str, library: Library, *, json: bool) -> None:
    """Print the names of one kind with their labels."""
    found = library.vocabulary.of_kind(kind)
    names = {**dict.fromkeys(library.catalogue.names.get(kind, ())), **found}
    other = library.catalogue.aliases.get(kind, {})
    rows = [(n, t.label if t else "", _also(n, t, other)) for n, t in names.items()]
    rows = [row for row in rows if text.casefold() in " ".join(row).casefold()]
    if json:
        to_json([{"id": n, "label": label} for n, label, _ in rows])
        return
    table = _table("id", "label", "also called") if any(row[2] for row in rows) else _table("id", "label")
    for row in rows:
        table.add_row(*map(escape, row[: len(table.columns)]))
    out().print(table)
    out().print(f"{len(rows)} names")


def _also(name: str, term: Term | None, other: Mapping[str, str]) -> str:
    """Return other names, the stand-in for several genes among them."""
    label = term.label if term is not None else ""
    return ", ".join(alias for alias, meant in other.items() if meant == name and alias != label)


def sources(found: Sequence[Source], *, json: bool, full: bool = False) -> None:
    """Print sources of claims: citation, what was available, retraction check."""
    if json:
        to_json([record.model_dump(mode="json", exclude_none=True) for record in found])
        return
    table = _table("id", "source")
    for s in found:
        place = f"{s.volume}:{s.pages}" if s.volume and s.pages else ""
        who = f"{', '.join(s.authors[:3])}{' et al.' if len(s.authors) > 3 else ''}" or "authors not given"
        told = s.retraction.status.replace("_", " ") + (f" ({s.retraction.on})" if s.retraction.on else "")
        where = " ".join(str(part) for part in (s.journal, s.year, place) if part)
        doubt = f"inferred: {', '.join(s.inferred)}" if s.inferred else ""
        lines = [who, s.title or "title not given", where, f"doi:{s.doi}" if s.doi else "", doubt]
        lines += [f"{s.text.replace('_', ' ')}, {s.line_count} lines; retraction: {told}", s.note if full else ""]
        table.add_row(s.id, escape("\n".join(line for line in lines if line)))
    out().print(table)


def quantities(found: Sequence[QuantityRecord], *, json: bool) -> None:
    """Print quantities: what, how much, and what for."""
    if json:
        to_json([record.model_dump(mode="json", exclude_defaults=True) for record in found])
        return
    table = _table("id", "quantity", "value", "use")
    for q in found:
        table.add_row(q.id, escape(q.quantity), escape(_value(q)), q.use)
    out().print(table)
    out().print(f"{len(found)} quantities")


def quantity(q: QuantityRecord, library: Library, *, json: bool) -> None:
    """Print one quantity with every field."""
    if json:
        to_json(q.model_dump(mode="json", exclude_defaults=True))
        return
    console, card = out(), Table.grid(padding=(0, 2))
    console.print(Text(q.id, style="bold") + Text(f"  {q.quantity}"))
    cited = {r.key: r.cite() for r in library.bibliography} | {s.id: s.cite() for s in library.sources}
    where = "; ".join(cited.get(key, key) for key in q.sources) or "none"
    rows = [("value", _value(q)), ("finding", q.finding), ("system", q.system), ("conditions", q.conditions)]
    rows += [("source", where), ("place", q.locator), ("obtained", q.obtained), ("confidence", q.confidence)]
    for name, value in (*rows, ("use", q.use), ("note", q.note)):
        if value:
            card.add_row(Text(name, style="dim"), Text(value))
    console.print(card)


def _value(q: QuantityRecord) -> str:
    """Return the values of a quantity in a few words, or its direction or finding."""
    if not q.values:
        return "not found" if q.missing else (q.direction or q.finding).replace("_", " ")
    lines = []
    for name, value in q.values.items():
        unit = q.unit_of(name)
        told = "" if unit in ("dimensionless", "1") else f" {unit}"
        lines.append(f"{_told(value)}{told}" if len(q.values) == 1 else f"{name}: {_told(value)}{told}")
    return "\n".join(lines)


def _told(value: Any) -> str:
    match value:
        case Interval():
            low, high = value.range
            if low is None or high is None:
                return f"at most {high:g}" if low is None else f"at least {low:g}"
            return f"{low:g} to {high:g}"
        case dict():
            return ", ".join(f"{x:g}: {y:g}" for x, y in value.items())
        case tuple():
            return ", ".join("none" if x is None else f"{x:g}" for x in value)
        case _:
            return f"{value:g}"
