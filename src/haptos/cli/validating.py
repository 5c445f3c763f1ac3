"""``haptos evidence validate``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from haptos.cli.console import out, plain_table, to_json
from haptos.errors import ParameterError, nearest

if TYPE_CHECKING:
    from haptos.lab.validation.running import Row

__all__ = ["validate_command"]

_STYLES = {"yes": "green", "no": "red"}


def validate_command(records: Sequence[str], *, members: int | None, as_json: bool) -> None:
    """Set the numbers of the ensemble beside those that were published and never fitted."""
    from haptos.lab.validation.running import validate
    from haptos.lab.validation.table import as_data, tally

    rows = validate(_known(records), members=members)
    if as_json:
        to_json({"summary": tally(rows), "rows": as_data(rows)})
        return
    _show(rows)
    out().print(tally(rows))


def _known(records: Sequence[str]) -> tuple[str, ...]:
    from haptos.lab.validation.specs import load_validations

    names = [v.record for v in load_validations()]
    for record in records:
        if record not in names:
            near = ", ".join(nearest(record, names))
            hint = f"; did you mean {near}?" if near else "; 'haptos evidence quantities' lists them"
            raise ParameterError(f"no check of a record {record!r}{hint}")
    return tuple(records)


def _show(rows: Sequence[Row]) -> None:
    from rich.markup import escape

    from haptos.lab.validation.table import COLUMNS, cells_of

    checked = [row for row in rows if row.inside is not None]
    if checked:
        table = plain_table(COLUMNS, right=("members inside",), fold=("number", "published", "cells"))
        for row in checked:
            *cells, agrees = cells_of(row)
            table.add_row(*map(escape, cells), f"[{_STYLES[agrees]}]{agrees}[/]")
        out().print(table)
    silent = [row for row in rows if row.inside is None]
    if silent:
        table = plain_table(("record", "not expressed, or not in full"), fold=("not expressed, or not in full",))
        for row in silent:
            table.add_row(row.record, escape(f"{row.name}: {row.reason}" if row.name else row.reason))
        out().print(table)
