"""The table of the checks as plain rows, for JSON, the terminal and the page of the documentation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from haptos.lab.validation.running import Row

__all__ = ["COLUMNS", "as_data", "cells_of", "page", "tally"]

COLUMNS = ("record", "number", "cells", "published", "median (5 to 95 %)", "members inside", "agrees")


def as_data(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the rows as plain data."""
    return [_data(row) for row in rows]


def _data(row: Row) -> dict[str, Any]:
    low, median, high = row.quantiles if row.values.size else (math.nan,) * 3
    target = row.target
    return {
        "record": row.record,
        "use": row.use,
        "informs": list(row.informs),
        "same_source": list(row.kin),
        "number": row.name,
        "cells": row.cells,
        "published": target.text if target else "",
        "accepted": [target.low, target.high] if target else None,
        "median": median,
        "low": low,
        "high": high,
        "members": int(row.values.size),
        "without_number": int(sum(not math.isfinite(v) for v in row.values)),
        "share_inside": row.share_inside,
        "inside": row.inside,
        "reason": row.reason,
        "assumed": row.assumed,
        "in_view": row.in_view,
    }


def tally(rows: Sequence[Row]) -> str:
    """Return how many numbers agree, in words; what is no independent evidence is counted apart."""
    checked = [r for r in rows if r.inside is not None]
    free = [r for r in checked if r.use == "validate" and not r.kin]
    unseen = [r for r in free if not r.in_view]
    kin = [r for r in checked if r.use == "validate" and r.kin]
    inputs = [r for r in checked if r.use != "validate"]
    whole = {r.record for r in rows if r.use == "validate"}
    expressed = {r.record for r in (*free, *kin)}
    return (
        f"{_agreeing(free)} numbers of {len({r.record for r in free})} independent records agree, "
        f"{_agreeing(unseen)} of those that nobody had in view; "
        f"{_agreeing(kin)} of {len({r.record for r in kin})} records whose source also gave parameters; "
        f"{_agreeing(inputs)} of {len({r.record for r in inputs})} records that may be fitted; "
        f"{len(whole - expressed)} of {len(whole)} records to check are not expressed"
    )


def _agreeing(rows: Sequence[Row]) -> str:
    return f"{sum(bool(r.inside) for r in rows)} of {len(rows)}"


def cells_of(row: Row) -> tuple[str, ...]:
    """Return a row in words, in the order of :data:`COLUMNS`; daggers mark what is weaker evidence."""
    record = row.record + (" †" if row.kin else "") + (" ‡" if row.in_view else "")
    published = row.target.text if row.target else ""
    if row.inside is None:
        return (
            row.record,
            row.name or "–",
            row.cells or "–",
            published or "–",
            "–",
            "–",
            f"not expressed: {row.reason}",
        )
    low, median, high = row.quantiles
    seen = "no value" if math.isnan(median) else f"{_number(median)} ({_number(low)} to {_number(high)})"
    agrees = "yes" if row.inside else "no"
    return (record, row.name, row.cells, published, seen, f"{100 * row.share_inside:.0f} %", agrees)


def _number(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def page(rows: Sequence[Row], *, members: int, checksum: str) -> str:
    """Return the page of the documentation."""
    checks = [r for r in rows if r.use == "validate" and r.inside is not None]
    fitted = [r for r in rows if r.use != "validate" and r.inside is not None]
    silent = [r for r in rows if r.inside is None]
    notes = {r.record: r.assumed for r in rows if r.assumed}
    seen = {r.record: r.in_view for r in checks if r.in_view}
    parts = [
        "# Numbers that are checked and never fitted",
        "",
        f"Written by `tools/validation.py`. Ensemble: {members} members; checksum of model and ensemble `{checksum}`.",
        "",
        "A number agrees if the median of the ensemble lies in the published range, within a factor of two of a",
        "number published without one, or within two standard deviations where they were published; a direction, if",
        "the change is one that the assay resolves. What was published comes from the records of the library; how",
        "each is expressed stands in `library/validation`.",
        "†: parameters of the model come from the same publication (for NF-κB, from the very models that were rerun),",
        "so that agreement shows that the whole network keeps their behaviour, and is no independent evidence.",
        "‡: values of the model were chosen while the record was on the screen (below): weaker evidence.",
        "",
        f"**{tally(rows)}.**",
        "",
        *_markdown(checks),
        "",
        "## Records that may be fitted",
        "",
        "All are terms of the calibration: agreement shows that the ensemble keeps them, and is no prediction.",
        "",
        *_markdown(fitted, inputs=True),
        "",
        "## Not expressed, or not in full",
        "",
        *[f"- **{r.record}**{f', {r.name}' if r.name else ''}: {r.reason}" for r in silent],
        "",
        "## What was added to the records",
        "",
        *[f"- **{record}**: {text}" for record, text in notes.items()],
        "",
        "## What was chosen with a record on the screen",
        "",
        "None of these records is a term of the calibration or was fitted by a program.",
        "",
        *[f"- **{record}**: {text}" for record, text in seen.items()],
        "",
    ]
    return "\n".join(parts)


def _markdown(rows: Sequence[Row], *, inputs: bool = False) -> list[str]:
    head = (*COLUMNS, "sets parameters") if inputs else COLUMNS
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    for row in rows:
        extra = (", ".join(row.informs) or "–",) if inputs else ()
        lines.append(f"| {' | '.join((*cells_of(row), *extra))} |")
    return lines
