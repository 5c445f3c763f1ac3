"""Write docs/validation.md: the shipped ensemble beside numbers of the literature that are never fitted.

To be run again whenever the ensemble, the modules or the records change. Usage::

    uv run python tools/validation.py
"""

from __future__ import annotations

import sys
from pathlib import Path

from haptos.lab.validation.running import validate
from haptos.lab.validation.table import page, tally
from haptos.signalling.cell import ensemble_size, fingerprint

PAGE = Path(__file__).resolve().parent.parent / "docs" / "validation.md"


def main() -> None:
    """Check all records and write the page."""
    rows = validate(note=_note)
    text = page(rows, members=ensemble_size(), checksum=fingerprint()[:12])
    PAGE.write_text(text, encoding="utf-8")
    sys.stderr.write(f"\n{tally(rows)}\nwritten to {PAGE}\n")


def _note(done: int, whole: int) -> None:
    sys.stderr.write(f"\r{done}/{whole} records")


if __name__ == "__main__":
    main()
