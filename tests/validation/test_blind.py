"""Claims that were written before the model was read: all are judged, or it is said why not.

What they come to stands in docs/blind.md and blind2.md to blind5.md and is not asserted: they are never fitted.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from haptos.core.located import load_yaml
from haptos.evidence.own import sound_claims
from haptos.lab.run import Bench
from haptos.lab.validation.blind import blind_page, judge_blind
from haptos.store.runs import RunStore

pytestmark = pytest.mark.validation

SETS = sorted((Path(__file__).parent / "data").glob("blind*.yaml"))
#: How many members the slow test simulates.
MEMBERS = 4


def _written(file: Path) -> list[str]:
    return [claim["id"] for claim in load_yaml(file).data["claims"]]


@pytest.fixture(params=SETS, ids=lambda file: file.stem)
def claims_file(request: pytest.FixtureRequest) -> Path:
    return request.param


def test_every_claim_can_be_read_or_has_a_reason(claims_file: Path) -> None:
    claims, faults = sound_claims(claims_file)
    assert sorted([*(claim.id for claim in claims), *faults]) == sorted(_written(claims_file))
    assert all(issue.message for found in faults.values() for issue in found)


def test_only_unknown_names_and_units_are_in_the_way(claims_file: Path) -> None:
    _, faults = sound_claims(claims_file)
    messages = [issue.message for found in faults.values() for issue in found]
    assert not [text for text in messages if "unknown" not in text and "is not a concentration" not in text]


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_all_are_judged_or_say_why_not(claims_file: Path, tmp_path: Path) -> None:
    rows = judge_blind(claims_file, Bench(RunStore(tmp_path), workers=2), members=MEMBERS)
    assert sorted(row["claim"] for row in rows) == sorted(_written(claims_file))
    assert all(row["reason"] for row in rows if row["verdict"] == "not expressible")
    assert "## Contradicted" in blind_page(rows, "# Blind", members=MEMBERS, checksum="0")
