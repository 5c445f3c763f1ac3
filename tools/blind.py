"""Write the figures of docs/blind.md and blind2.md to blind5.md: claims written before the model was read, judged.

What stands above the heading "As the model stands" is kept as it is. To be run again whenever the ensemble or the
modules change. Usage::

    uv run python tools/blind.py [MEMBERS]
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from haptos.lab.run import Bench
from haptos.lab.validation.blind import HEADING, blind_page, blind_tally, judge_blind
from haptos.signalling.cell import ensemble_size, fingerprint
from haptos.store.runs import RunStore

ROOT = Path(__file__).resolve().parent.parent
CLAIMS = ROOT / "tests" / "validation" / "data"
SETS = tuple(sorted(file.stem for file in CLAIMS.glob("blind*.yaml")))


def main(members: int | None) -> None:
    """Judge all claims and write the pages."""
    for name in SETS:
        page = ROOT / "docs" / f"{name}.md"
        with tempfile.TemporaryDirectory() as folder:
            rows = judge_blind(CLAIMS / f"{name}.yaml", Bench(RunStore(Path(folder))), members=members)
        first = page.read_text(encoding="utf-8").partition(HEADING)[0]
        text = blind_page(rows, first, members=members or ensemble_size(), checksum=fingerprint()[:12])
        page.write_text(text, encoding="utf-8")
        sys.stderr.write(f"{blind_tally(rows)}\nwritten to {page}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else None)
