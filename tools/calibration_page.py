"""Write the figures of docs/calibration.md: what the ensemble meets, and the systems left out.

Between ``<!-- NAME -->`` and ``<!-- end -->`` the page is written anew; the rest is kept. To be run after
tools/calibrate.py. Usage::

    uv run python tools/calibration_page.py
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from haptos.signalling.building.parameters import load_parameters

ROOT = Path(__file__).resolve().parent.parent
ENSEMBLE = ROOT / "src" / "haptos" / "library" / "ensemble"
PAGE = ROOT / "docs" / "calibration.md"
#: Share of the members below which a term is listed.
LISTED = 0.9


def ensemble(report: Mapping[str, Any]) -> str:
    """Return what was calibrated, in three lines."""
    met = report["share_met"]
    held = sum(share >= LISTED for share in met.values())
    table = load_parameters().values()
    lines = (
        f"{len(met)} terms, {len(report['calibrated_claims'])} of them claims; nine tenths of the members meet {held}.",
        f"{report['members']} of {report['drawn']} members; diversity {report['diversity']:.2f}.",
        f"Start at {report['spread']} of the prior's spread; turns: {report['turns']}, rounds: {report['rounds']}.",
        f"{sum(p.claims_in_view for p in table)} of {len(table)} parameters are marked `claims_in_view`.",
    )
    return "\n".join(f"- {line}" for line in lines)


def missed(report: Mapping[str, Any]) -> str:
    """Return the terms that fewer than nine tenths of the members meet."""
    low = sorted((share, name) for name, share in report["share_met"].items() if share < LISTED)
    return "\n".join(f"- {name}: {100 * share:.0f} %" for share, name in low)


def systems(cross: Mapping[str, Any]) -> str:
    """Return the table of the systems left out, one group of columns for each spread."""
    spreads = sorted(cross["by_spread"], key=float)
    found = {spread: {row["system"]: row for row in cross["by_spread"][spread]["systems"]} for spread in spreads}
    names = list(found[spreads[0]])
    lines = [
        "| system | claims | " + " | ".join(f"{s}: supported | share | floor" for s in spreads) + " |",
        "|---" * (2 + 3 * len(spreads)) + "|",
    ]
    for name in names:
        parts = [f"{r['supported']} | {r['share']:.2f} | {r['floor']:.2f}" for r in (found[s][name] for s in spreads)]
        lines.append(f"| {name} | {found[spreads[0]][name]['claims']} | " + " | ".join(parts) + " |")
    parts = [_sum(list(found[s].values())) for s in spreads]
    lines.append(f"| all | {sum(r['claims'] for r in found[spreads[0]].values())} | " + " | ".join(parts) + " |")
    return "\n".join(lines)


def _sum(rows: list[Mapping[str, Any]]) -> str:
    claims = sum(row["claims"] for row in rows)
    supported = sum(row["supported"] for row in rows)
    floor = sum(row["floor"] * row["claims"] for row in rows)
    return f"{supported} | {supported / claims:.2f} | {floor / claims:.2f}"


def filled(text: str, blocks: Mapping[str, str]) -> str:
    """Return a page with its blocks written anew."""
    for name, block in blocks.items():
        parts = re.split(rf"(?<=<!-- {name} -->\n)(.*?)(?=\n<!-- end -->)", text, flags=re.DOTALL)
        if len(parts) != 3:  # before, the block, after
            raise SystemExit(f"{PAGE.name} has {len(parts) // 2} blocks {name!r}, not one")
        text = parts[0] + block + parts[2]
    return text


def main() -> None:
    """Write the page."""
    report = json.loads((ENSEMBLE / "calibration.json").read_text(encoding="utf-8"))
    cross = json.loads((ENSEMBLE / "cross_validation.json").read_text(encoding="utf-8"))
    blocks = {"ensemble": ensemble(report), "missed": missed(report), "systems": systems(cross)}
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8"), blocks), encoding="utf-8")
    sys.stderr.write(f"written to {PAGE.name}\n")


if __name__ == "__main__":
    main()
