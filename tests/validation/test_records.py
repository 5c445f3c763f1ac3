"""The records that are only checked: none is left out, none was fitted, and how the ensemble stands beside them.

Run with ``-m slow -s`` to see the table; ``tools/validation.py`` writes it to the documentation.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from haptos.inference.terms import load_terms
from haptos.lab.validation.fitting import may_be_fitted
from haptos.lab.validation.published import target_of
from haptos.lab.validation.running import informed_by, records_to_check, validate
from haptos.lab.validation.specs import load_validations
from haptos.lab.validation.table import cells_of, tally
from haptos.signalling.cell import ensemble_size, fingerprint

pytestmark = pytest.mark.validation

PAGE = Path(__file__).resolve().parents[2] / "docs" / "validation.md"
#: How many members the slow test simulates.
MEMBERS = 64
_SLOWER = "messages need time to leave the nucleus, and IKK takes two minutes to start: slower than tay2010"
_PULSE = "serum keeps ERK too low for the pulse of p21 that EGF and PDGF give"
_COLLAGEN = "these cells hold little receptor for collagen in the library"
#: Numbers that do not agree, with why. A number that leaves its range fails the test until it stands here.
OUTSIDE = {
    "weber-jnk: entry into S phase without JNK [fold]": "JNK still adds to cyclin D1, and entry is a switch",
    "erk-susp-time: ERK near basal in suspension [min]": "several steps need adhesion: it falls in 40 minutes",
    "sphase-frac: share in S phase or beyond when attached": "on the edge: inside with all members",
    "p21-kin: p21 greatest when attached [min]": _PULSE,
    "sethi-prot: dead on collagen [fold]": _COLLAGEN,
    "sethi-prot: dead on collagen, doxorubicin [fold]": _COLLAGEN,
    "seed-adh-ratio: fibroblast over leukocyte": "resting leukocytes hold a fifteenth of the α5β1 of fibroblasts here",
    "hoff-run-ikb: IκBα minimum [share of the start]": "one IκB isoform: the rerun has three",
    "hoff-run-ikb: IκBα mRNA maximum [fold]": "half as high as in the rerun",
    "lip-run: first nuclear maximum [min]": "twice as early, near the limit",
    "tay-run-ikb: IκBα half gone at 10 ng/mL [min]": _SLOWER,
    "tnf-ikb-classic: IκBα back [min]": "a minute early, on the edge",
    "tay-run-frac: nuclear share at rest": "tonic IKK leaves a half of a per cent of RELA in the nucleus",
}


def to_check() -> set[str]:
    return {record.id for record in records_to_check().values() if record.use == "validate"}


def test_every_record_is_expressed_or_has_a_reason() -> None:
    counted = Counter(v.record for v in load_validations())
    assert to_check() - set(counted) == set()
    assert [name for name, n in counted.items() if n > 1 or name not in records_to_check()] == []


def test_no_parameter_was_set_from_a_record_to_check() -> None:
    assert {name: informed_by(name) for name in to_check() if informed_by(name)} == {}
    assert informed_by("cxcl12-kd"), "the look-up can find something"


def test_no_term_of_the_calibration_is_a_record_to_check() -> None:
    fitted = {term.record for term in load_terms()} | {v.record for v in may_be_fitted()}
    assert fitted & to_check() == set()


def test_published_numbers_come_from_the_records() -> None:
    records = records_to_check()
    targets = [target_of(records[v.record], c) for v in load_validations() for c in v.checks]
    assert len(targets) > 50
    assert [t for t in targets if not t.low < t.high] == []


def test_numbers_of_our_own_are_declared() -> None:
    own = [
        v for v in load_validations() for c in v.checks if c.published.low is not None or c.published.high is not None
    ]
    assert own
    assert [v.record for v in own if not v.assumed] == []


@pytest.mark.slow
def test_the_page_is_of_this_model() -> None:
    assert fingerprint()[:12] in PAGE.read_text(encoding="utf-8"), "run tools/validation.py"


@pytest.mark.slow
def test_numbers_of_the_ensemble(capsys: pytest.CaptureFixture[str]) -> None:
    rows = validate(members=min(MEMBERS, ensemble_size()))
    with capsys.disabled():
        print("\n" + "\n".join(" | ".join(cells_of(row)) for row in rows))  # noqa: T201
        print(tally(rows))  # noqa: T201
    outside = {f"{row.record}: {row.name}" for row in rows if row.inside is False}
    assert outside - set(OUTSIDE) == set()
    assert [row.record for row in rows if row.name and row.inside is None] == [], "all checks are expressible"
