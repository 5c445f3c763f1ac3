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
_TONIC = "claims on ILK and Akt need tonic inputs to IKK, so that resting cells hold more NF-κB in the nucleus"
_FAST_IKK = "IKK with the constants of tay2010 is fully active in minutes"
_PULSE = "serum keeps ERK too low for the pulse of p21 that EGF and PDGF give"
_DRUGGED = "adhesion spares too few of these cells: the calibration took back some of what the table's values gave"
_MITOCHONDRIA = "doxycycline slows protein synthesis and blocks proteases, of which these cells need few to cross"
#: Numbers that do not agree, with why. A number that leaves its range fails the test until it stands here.
OUTSIDE = {
    "weber-jnk: cyclin D1 at 12 h without JNK [fold]": "JNK holds too large a share of the promoter of cyclin D1",
    "weber-jnk: entry into S phase without JNK [fold]": "follows cyclin D1",
    "erk-susp-time: ERK near basal in suspension [min]": "several steps need adhesion at once: it falls in minutes",
    "sphase-frac: share in S phase or beyond when attached": "a little too few, as serum keeps ERK low",
    "p21-kin: p21 greatest when attached [min]": _PULSE,
    "p21-kin: p21 down when attached [min]": _PULSE,
    "dox-lung: migration under doxycycline [fold]": _MITOCHONDRIA,
    "dox-lung: invasion under doxycycline [fold]": _MITOCHONDRIA,
    "sethi-prot: dead on fibronectin [fold]": _DRUGGED,
    "sethi-prot: dead on collagen [fold]": "these cells hold little receptor for collagen in the library",
    "damiano-prot: dead on fibronectin [fold]": _DRUGGED,
    "seed-adh-ratio: fibroblast over leukocyte": "farther apart since integrins and RhoA were mended; cause not found",
    "hoff-run-ikb: IκBα minimum [share of the start]": _FAST_IKK,
    "hoff-run-ikb: IκBα mRNA maximum [fold]": _TONIC,
    "lip-run: first nuclear maximum [min]": _FAST_IKK,
    "lip-run: second maximum over the first": "more strongly damped",
    "tay-run-frac: nuclear share at rest": _TONIC,
    "tnf-ikb-classic: IκBα gone [min]": _FAST_IKK,
    "tnf-ikb-classic: IκBα back [min]": "comes back early, as it is gone early",
    "cxcr4-surface: surface share in HeLa": "one share in all cells, at the edge of this range",
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
