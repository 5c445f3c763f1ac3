"""Consoles and small pieces that all commands print with."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console
    from rich.table import Table

__all__ = ["VERDICT_STYLES", "out", "plain_table", "rows_of", "share", "to_json"]

#: Colours of the verdict words; the word itself always stands there too.
VERDICT_STYLES = {
    "supported": "green",
    "agrees": "green",
    "contradicted": "red",
    "disagrees": "red",
    "undecided": "yellow",
    "vacuous": "yellow",
}


def out(*, stderr: bool = False) -> Console:
    """Return a console for results (standard output) or for what happens meanwhile (standard error)."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=False, emoji=False)


def to_json(data: Any) -> None:
    """Write plain data as JSON to standard output; NaN becomes null."""
    sys.stdout.write(json.dumps(_finite(data), indent=1, ensure_ascii=False, default=str) + "\n")


def _finite(data: Any) -> Any:
    if isinstance(data, float) and not math.isfinite(data):
        return None
    if isinstance(data, dict):
        return {str(k): _finite(v) for k, v in data.items()}
    if isinstance(data, (list, tuple)):
        return [_finite(v) for v in data]
    return data


def plain_table(columns: Sequence[str], *, right: Iterable[str] = (), fold: Iterable[str] = ()) -> Table:
    """Return an empty table with a rule below its head and nothing else.

    Parameters
    ----------
    columns : sequence of str
        Headings.
    right : iterable of str
        Columns of numbers, set right and never broken.
    fold : iterable of str
        Columns of text that may take several lines.
    """
    from rich import box
    from rich.table import Table

    numbers, texts = set(right), set(fold)
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in columns:
        table.add_column(
            name,
            justify="right" if name in numbers else "left",
            no_wrap=name not in texts,
            overflow="fold",
        )
    return table


def rows_of(table: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Return the rows of a table as plain dictionaries; none if there is no table."""
    if table is None:
        return []
    return [{str(name): value for name, value in row.items()} for row in table.to_dict(orient="records")]


def share(value: Any) -> str:
    """Return a share as a percentage; missing values are a dash.

    Examples
    --------
    >>> share(0.953), share(None)
    ('95 %', '–')
    """
    return "–" if value is None or math.isnan(value) else f"{100 * float(value):.0f} %"
