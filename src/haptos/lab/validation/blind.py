"""Claims that were written before the model was read: how it stands beside them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from haptos.errors import Issue
from haptos.lab.check import check_sound, reason_left_out
from haptos.lab.run import Bench

__all__ = ["HEADING", "blind_page", "blind_tally", "judge_blind"]

#: Heading of what is written anew; what stands above it is kept.
HEADING = "## As the model stands"
_ORDER = ("supported", "undecided", "contradicted", "not expressible")
Row = Mapping[str, Any]


def judge_blind(file: Path, bench: Bench, *, members: int | None = None) -> list[dict[str, Any]]:
    """Judge every claim of a file; return one row each: claim, sentence, verdict, share of the members, reason."""
    result, faults = check_sound(file, bench, members=members)
    rows = [
        {
            "claim": row["claim"],
            "sentence": row["sentence"],
            "verdict": row["verdict"],
            "share": row["fraction"],
            "reason": row["reason"],
        }
        for row in result.tables["board"].to_dict("records")
    ]
    return rows + [_left_out(name, found) for name, found in faults.items()]


def _left_out(name: str, found: Sequence[Issue]) -> dict[str, Any]:
    why = reason_left_out(name, found)
    return {"claim": name, "sentence": "", "verdict": "not expressible", "share": None, "reason": why}


def blind_tally(rows: Sequence[Row]) -> str:
    """Return the figures in words.

    Examples
    --------
    >>> blind_tally([{"verdict": "supported"}, {"verdict": "supported"}, {"verdict": "contradicted"}])
    '3 claims: 2 supported, 1 contradicted; of 3 judged, 67 % supported and 33 % contradicted'
    """
    counts = Counter(row["verdict"] for row in rows)
    judged = sum(counts[word] for word in _ORDER[:3])
    parts = ", ".join(f"{counts[word]} {word}" for word in _ORDER if counts[word])
    shares = " and ".join(f"{100 * counts[w] / max(judged, 1):.0f} % {w}" for w in ("supported", "contradicted"))
    return f"{len(rows)} claims: {parts}; of {judged} judged, {shares}"


def blind_page(rows: Sequence[Row], first: str, *, members: int, checksum: str) -> str:
    """Return the page of the documentation; `first` is the part that is written by hand."""
    parts = [
        first.rstrip(),
        "",
        HEADING,
        "",
        f"Written by `tools/blind.py`. {members} members; checksum of model and ensemble `{checksum}`.",
        "",
        f"**{blind_tally(rows)}.**",
        "",
        *_by_topic(rows),
    ]
    for word in ("contradicted", "undecided", "not expressible"):
        own = [row for row in rows if row["verdict"] == word]
        parts += ["", f"## {word.capitalize()}", "", *[_line(row) for row in own]]
    return "\n".join([*parts, ""])


def _by_topic(rows: Sequence[Row]) -> list[str]:
    topics = list(dict.fromkeys(_topic(row) for row in rows))
    counts = Counter((_topic(row), row["verdict"]) for row in rows)
    lines = [f"| topic | {' | '.join(_ORDER)} |", "|---|---|---|---|---|"]
    return lines + [f"| {t} | {' | '.join(str(counts[t, word]) for word in _ORDER)} |" for t in topics]


def _topic(row: Row) -> str:
    return str(row["claim"]).rpartition("-")[0]


def _line(row: Row) -> str:
    share = row["share"]
    seen = f" ({100 * share:.0f} % of the members)" if isinstance(share, float) and share == share else ""  # noqa: PLR0124
    return f"- **{row['claim']}**{seen} {row['sentence']} {row['reason']}".rstrip()
