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
MEMBERS = 8
_REST = "resting cells hold more NF-κB in the nucleus than the published model, so that its targets rise less"
_SLOW_IKK = (
    "IKK takes ten minutes to its greatest activity under 10 ng/mL TNF, half an hour to a third of that under 1 ng/mL"
)
_SERUM = "serum hardly drives the receptors, and adhesion alone keeps ERK at half of what it is with serum"
_MYELOMA = "these cells cluster hardly any integrins on fibronectin, so that adhesion spares few"
_SCLC = "doxycycline acts on proteases only, of which these cells make little"
_UPTAKE = "uptake and return leave more than half of the receptors at the surface"
_SURFACE = "one set of traffic rates for all cells: no difference between lines"
#: Numbers that do not agree, with why. A number that leaves its range fails the test until it stands here.
OUTSIDE = {
    "cxcr4-intern: surface CXCR4 left at 30 min": _UPTAKE,
    "cxcr4-intern: surface CXCR4 left at 60 min": _UPTAKE,
    "weber-jnk: cyclin D1 at 12 h without JNK [fold]": "cyclin D1 halves without JNK",
    "weber-jnk: entry into S phase without JNK [fold]": "follows cyclin D1",
    "erk-susp-time: ERK fallen in suspension [min]": _SERUM,
    "sphase-frac: share in S phase or beyond when attached": _SERUM,
    "p21-kin: p21 greatest when attached [min]": _SERUM,
    "p21-kin: p21 down when attached [min]": _SERUM,
    "p27-kin: p27 half gone when attached [min]": _SERUM,
    "a4b1-sdf: α4β1 affinity greatest at [min]": "Rap1 itself is greatest after three minutes only",
    "dox-lung: migration under doxycycline [fold]": _SCLC,
    "dox-lung: invasion under doxycycline [fold]": _SCLC,
    "dox-lung: entry into S phase under doxycycline [fold]": _SCLC,
    "sethi-prot: dead on collagen [fold]": "these cells hold no receptor for collagen in the library",
    "damiano-prot: dead on fibronectin [fold]": _MYELOMA,
    "damiano-ic50: IC50 on fibronectin over suspension": _MYELOMA,
    "seed-adh-ratio: fibroblast over leukocyte": "leukocytes at rest cluster hardly any integrins on fibronectin",
    "seed-erk-windows: ERK lasts on fibronectin [min]": "EGFR is still half active after a day, and ERK with it",
    "cxcr4-surface: surface share in U937": _SURFACE,
    "cxcr4-surface: surface share in CEM": _SURFACE,
    "a5b1-states: open share at rest": "eight times as many are open as in K562",
    "hoff-run-ikb: IκBα mRNA maximum [fold]": _REST,
    "tay-run-frac: nuclear share at rest": _REST,
    "tay-run-frac: nuclear share at the first maximum at 0.1 ng/mL": _SLOW_IKK,
    "tay-run-ikb: IκBα half gone at 10 ng/mL [min]": _SLOW_IKK,
    "tay-run-ikb: IκBα half gone at 1 ng/mL [min]": _SLOW_IKK,
    "lip-run: second maximum over the first": "more strongly damped",
    "ashall-pulse: second peak over first, 100 min apart": "recovers within 100 min",
    "tnf-ikb-classic: IκBα back [min]": "comes back within half an hour of its minimum",
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
