"""What a report says, as plain frozen data; who fills it need know nothing of HTML."""

from __future__ import annotations

from dataclasses import dataclass

from haptos.figures.data import BoardRow

__all__ = ["Assumption", "FileNote", "LiteratureVerdict", "ReportData", "ReportFigure", "Table"]

Cell = str | float | int | None


@dataclass(frozen=True, slots=True)
class ReportFigure:
    """A figure in the report.

    Attributes
    ----------
    title : str
        Heading above it.
    image : bytes
        SVG (see :func:`haptos.figures.as_svg`) or PNG.
    alt : str
        What it shows, for readers who cannot see it.
    caption : str
        Text below.
    """

    title: str
    image: bytes
    alt: str
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table; numbers are set right, text left, None as a dash."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class LiteratureVerdict:
    """One simulated comparison held against one published claim.

    Attributes
    ----------
    comparison : str
        What was simulated, in a sentence.
    published : str
        What was published, in a sentence.
    verdict : str
        See :class:`haptos.figures.BoardRow`.
    claim : str
        Identifier of the claim.
    source, doi : str
        Citation and DOI (without address; may be empty).
    explanation : str
        Why the verdict is what it is.
    fraction : float or None
        Share of the ensemble members that agree, 0 to 1.
    """

    comparison: str
    published: str
    verdict: str
    claim: str
    source: str
    doi: str = ""
    explanation: str = ""
    fraction: float | None = None


@dataclass(frozen=True, slots=True)
class Assumption:
    """One thing that entered the result: measured, fitted or assumed, with its source."""

    what: str
    status: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class FileNote:
    """A file of the run folder: path relative to the report, and what it holds."""

    path: str
    holds: str


@dataclass(frozen=True, slots=True)
class ReportData:
    """Everything a report shows. Sections without content are left out.

    Attributes
    ----------
    title, subtitle : str
        Heading, and a line below it (run name, date, version).
    question : tuple of str
        What was asked, in plain sentences.
    findings : tuple of str
        The result in a few sentences, shown first.
    warnings : tuple of str
        What the reader must know before believing anything.
    figures : tuple of ReportFigure
        Result figures.
    arms : Table or None
        One row per arm.
    comparisons : tuple of str
        Each comparison in words, with effect, interval, p and test.
    comparison_table : Table or None
        The same as numbers.
    verdicts : tuple of LiteratureVerdict
        Comparisons that the library's claims also make.
    literature_note : str
        Said where there is no such claim, or to explain the match.
    tables : tuple of Table
        Tables that sum up the board.
    board : tuple of BoardRow
        Verdict board of a reproduction.
    methods : tuple of (str, str)
        Heading and text of each part: assay, noise, statistics, model, ensemble, seed.
    command : str
        The command that repeats the run.
    assumptions : tuple of Assumption
        What is assumed and what is measured.
    files : tuple of FileNote
        The files beside the report.
    """

    title: str
    subtitle: str = ""
    question: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    figures: tuple[ReportFigure, ...] = ()
    arms: Table | None = None
    comparisons: tuple[str, ...] = ()
    comparison_table: Table | None = None
    verdicts: tuple[LiteratureVerdict, ...] = ()
    literature_note: str = ""
    tables: tuple[Table, ...] = ()
    board: tuple[BoardRow, ...] = ()
    methods: tuple[tuple[str, str], ...] = ()
    command: str = ""
    assumptions: tuple[Assumption, ...] = ()
    files: tuple[FileNote, ...] = ()
