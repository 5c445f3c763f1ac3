"""Pictures of results: experiment panels, time courses, verdict boards and the HTML report.

The only room that imports matplotlib, and only when something is drawn.
"""

from __future__ import annotations

from haptos.figures.board import board_figure
from haptos.figures.courses import Mark, time_course_figure
from haptos.figures.data import BoardRow, Published
from haptos.figures.experiment import experiment_figure
from haptos.figures.overview import overview_figure
from haptos.figures.report import report_html
from haptos.figures.report_data import (
    Assumption,
    FileNote,
    LiteratureVerdict,
    ReportData,
    ReportFigure,
    Table,
)
from haptos.figures.saving import as_png, as_svg, save

__all__ = [
    "Assumption",
    "BoardRow",
    "FileNote",
    "LiteratureVerdict",
    "Mark",
    "Published",
    "ReportData",
    "ReportFigure",
    "Table",
    "as_png",
    "as_svg",
    "board_figure",
    "experiment_figure",
    "overview_figure",
    "report_html",
    "save",
    "time_course_figure",
]
