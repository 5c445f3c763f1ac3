"""The report of a run: one HTML file that needs nothing else and can be printed."""

from __future__ import annotations

import base64
import math
from collections import Counter
from collections.abc import Callable, Sequence

from haptos.figures.board import EXPECTATIONS
from haptos.figures.data import BoardRow
from haptos.figures.lettering import fold_text
from haptos.figures.markup import Markup, doi_link, file_link, join, tag
from haptos.figures.overview import VERDICT_ORDER, by_system
from haptos.figures.page import page
from haptos.figures.report_data import Cell, LiteratureVerdict, ReportData, ReportFigure, Table

__all__ = ["report_html"]

_SIGNS = {"supported": "✓", "contradicted": "✗", "undecided": "?", "vacuous": "○"}
_ORDER = VERDICT_ORDER


def report_html(report: ReportData) -> str:
    """Return the report as one self-contained HTML document.

    All text is escaped; figures are embedded; nothing is fetched when it is opened.

    Parameters
    ----------
    report : ReportData
        What to say. Sections without content are left out.

    Examples
    --------
    >>> "<script>x" in report_html(ReportData(title="<script>x"))
    False
    """
    sections = [(key, heading, body) for key, heading, build in _SECTIONS if (body := build(report))]
    links = (tag("li", tag("a", heading, href=f"#{key}")) for key, heading, _ in sections)
    contents = tag("nav", tag("ul", *links), aria_label="Contents")
    header = tag(
        "header",
        tag("h1", report.title.strip() or "Untitled experiment"),
        tag("p", report.subtitle, class_="soft") if report.subtitle else "",
        contents if len(sections) > 1 else "",
    )
    main = tag(
        "main",
        _lead(report.warnings, "lead warn", "Before you rely on this"),
        _lead(report.findings, "lead", "In short"),
        *(tag("section", tag("h2", heading, id=key), body, aria_labelledby=key) for key, heading, body in sections),
        id="main",
    )
    footer = tag("footer", "Simulated with haptos. Simulations are no measurements: check at the bench what matters.")
    return page(report.title.strip() or "Untitled experiment", header, main, footer)


def _lead(sentences: Sequence[str], kind: str, label: str) -> Markup:
    if not sentences:
        return Markup("")
    return tag("div", *(tag("p", s) for s in sentences), class_=kind, role="note", aria_label=label)


def _paragraphs(sentences: Sequence[str]) -> Markup:
    return join(*(tag("p", sentence) for sentence in sentences))


def _question(report: ReportData) -> Markup:
    return _paragraphs(report.question)


def _figures(report: ReportData) -> Markup:
    return join(*(_figure(figure) for figure in report.figures))


def _figure(figure: ReportFigure) -> Markup:
    kind = "image/png" if figure.image.startswith(b"\x89PNG") else "image/svg+xml"
    address = f"data:{kind};base64,{base64.b64encode(figure.image).decode('ascii')}"
    width = _natural_width(figure.image)
    image = tag("img", src=address, alt=figure.alt, style=f"width:{width}px" if width else None)
    return tag(
        "figure",
        tag("h3", figure.title) if figure.title else "",
        tag("div", image, class_="sheet"),
        tag("figcaption", figure.caption) if figure.caption else "",
    )


def _natural_width(image: bytes) -> int | None:
    """Return the width [CSS px] at which an SVG is comfortable to read: 1.35 times its print size."""
    import re

    found = re.search(rb'<svg[^>]*\swidth="([0-9.]+)pt"', image[:2000])
    return round(float(found.group(1)) / 72 * 96 * 1.35) if found else None


def _arms(report: ReportData) -> Markup:
    return _table(report.arms) if report.arms else Markup("")


def _comparisons(report: ReportData) -> Markup:
    words = tag("ol", *(tag("li", sentence) for sentence in report.comparisons)) if report.comparisons else ""
    return join(words, _table(report.comparison_table) if report.comparison_table else "")


def _table(table: Table) -> Markup:
    columns = list(zip(*table.rows, strict=True)) or [()] * len(table.columns)
    numeric = [all(isinstance(cell, (int, float, type(None))) for cell in column) for column in columns]
    names = zip(table.columns, numeric, strict=True)
    head = tag("tr", *(tag("th", name, scope="col", class_="n" if right else None) for name, right in names))
    body = [
        tag("tr", *(_cell(cell, first=i == 0, numeric=n) for i, (cell, n) in enumerate(zip(row, numeric, strict=True))))
        for row in table.rows
    ]
    return _scrolling(table.caption, tag("thead", head), tag("tbody", *body))


def _cell(cell: Cell, *, first: bool, numeric: bool) -> Markup:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        text = "–"
    elif isinstance(cell, float):
        text = f"{cell:.3g}" if abs(cell) < 1e5 else f"{cell:.3e}"
    else:
        text = str(cell)
    kind = "n" if numeric else None
    return tag("th", text, scope="row", class_=kind) if first else tag("td", text, class_=kind)


def _scrolling(caption: str, *parts: str, sortable: bool = False) -> Markup:
    table = tag("table", tag("caption", caption) if caption else "", *parts, data_sortable="" if sortable else None)
    return tag("div", table, class_="wide", tabindex="0", role="region", aria_label=caption or "Table")


def _verdict(verdict: str) -> Markup:
    return tag("span", f"{_SIGNS.get(verdict, '–')} {verdict}", class_=f"verdict {_kind(verdict)}")


def _kind(verdict: str) -> str:
    """Return the CSS class of a verdict; none for a word that is no verdict."""
    return verdict.replace(" ", "-") if verdict in _ORDER else ""


def _share(fraction: float | None, verdict: str) -> Markup:
    if fraction is None:
        return join("–")
    percent = f"{100 * min(max(fraction, 0.0), 1.0):.0f}"
    fill = tag("i", style=f"width:{percent}%")
    bar = tag("span", fill, class_=f"bar {_kind(verdict)}", aria_hidden="true")
    return tag("span", bar, f"{percent} %", class_="keep")


def _literature(report: ReportData) -> Markup:
    note = tag("p", report.literature_note) if report.literature_note else ""
    if not report.verdicts:
        return join(note)
    columns = ("Simulated", "Published", "Verdict", "Members that agree", "Source")
    head = tag("tr", *(tag("th", c, scope="col") for c in columns))
    rows = [_literature_row(v) for v in report.verdicts]
    caption = "Simulated comparisons beside published ones"
    return join(note, _scrolling(caption, tag("thead", head), tag("tbody", *rows)))


def _literature_row(v: LiteratureVerdict) -> Markup:
    why = join(tag("br"), tag("span", v.explanation, class_="soft small")) if v.explanation else ""
    doi = join(tag("br"), doi_link(v.doi)) if v.doi else ""
    return tag(
        "tr",
        tag("th", v.comparison, scope="row"),
        tag("td", v.published),
        tag("td", _verdict(v.verdict), why),
        tag("td", _share(v.fraction, v.verdict)),
        tag("td", v.source, " ", tag("span", v.claim, class_="soft keep"), doi),
    )


def _board(report: ReportData) -> Markup:
    if not report.board:
        return Markup("")
    counts = Counter(row.verdict for row in report.board)
    known = [v for v in _ORDER if counts[v]] + [v for v in counts if v not in _ORDER]
    chips = tag("ul", *(tag("li", f"{counts[v]} ", _verdict(v)) for v in known), class_="counts")
    grouped = any(row.system for row in report.board)
    columns = ("Claim", "Statement", "Expected", "Effect (5–95 %)", "Members", "Verdict", "Why")
    head = tag("tr", *(tag("th", c, scope="col") for c in columns))
    shown = [row for group in by_system(report.board).values() for row in group] if grouped else report.board
    rows = [_board_row(row) for row in shown]
    caption = "Effect: fold of the reference arm, median of the ensemble."
    return join(chips, _scrolling(caption, tag("thead", head), tag("tbody", *rows), sortable=True))


def _summaries(report: ReportData) -> Markup:
    return join(*(_table(table) for table in report.tables))


def _board_row(row: BoardRow) -> Markup:
    sign, word = EXPECTATIONS.get(row.expectation, ("", row.expectation.replace("_", " ")))
    span = f" ({fold_text(row.low)}–{fold_text(row.high)})" if row.low is not None and row.high is not None else ""
    effect = "–" if row.effect is None else f"{fold_text(row.effect)}{span}"
    rank = _ORDER.index(row.verdict) if row.verdict in _ORDER else len(_ORDER)
    source = join(tag("br"), tag("span", row.source, class_="soft small")) if row.source else ""
    return tag(
        "tr",
        tag("th", row.claim, *_basis(row), scope="row", class_="keep"),
        tag("td", row.sentence, source, class_="statement"),
        tag("td", f"{sign} {word}".strip()),
        tag("td", effect, data_key=_key(row.effect)),
        tag("td", _share(row.fraction, row.verdict), data_key=_key(row.fraction)),
        tag("td", _verdict(row.verdict), data_key=str(rank)),
        tag("td", row.reason, class_="small"),
        data_verdict=row.verdict,
        data_system=row.system or None,
        data_basis=row.basis or None,
    )


def _basis(row: BoardRow) -> tuple[Markup, ...]:
    """Return the small line under the identifier: its system, and whether it is calibrated or predicted."""
    words = " · ".join(part for part in (row.system, row.basis) if part)
    return (tag("br"), tag("span", words, class_="soft small")) if words else ()


def _key(value: float | None) -> str:
    """Return what a column is sorted by; missing values come last."""
    return "" if value is None else repr(float(value))


def _methods(report: ReportData) -> Markup:
    described = (join(tag("dt", name), tag("dd", text)) for name, text in report.methods)
    parts = tag("dl", *described) if report.methods else ""
    command = join(tag("h3", "To repeat this run"), tag("pre", tag("code", report.command))) if report.command else ""
    return join(parts, command)


def _assumptions(report: ReportData) -> Markup:
    if not report.assumptions:
        return Markup("")
    rows = tuple((a.what, a.status, a.source) for a in report.assumptions)
    return _table(Table("What entered the result, and how well it is known", ("What", "Status", "Source"), rows))


def _files(report: ReportData) -> Markup:
    if not report.files:
        return Markup("")
    return tag("ul", *(tag("li", file_link(f.path), f" – {f.holds}" if f.holds else "") for f in report.files))


_SECTIONS: tuple[tuple[str, str, Callable[[ReportData], Markup]], ...] = (
    ("question", "What was asked", _question),
    ("result", "Result", _figures),
    ("arms", "Arms", _arms),
    ("comparisons", "Comparisons", _comparisons),
    ("literature", "Against the literature", _literature),
    ("summaries", "In numbers", _summaries),
    ("board", "Verdict board", _board),
    ("methods", "Methods", _methods),
    ("assumptions", "Measured and assumed", _assumptions),
    ("files", "Files", _files),
)
