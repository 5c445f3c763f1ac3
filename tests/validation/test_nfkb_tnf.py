"""The TNF response of the NF-κB module beside the records it is checked against, never fitted to.

Run with ``-s`` to see the table. Bounds: the range of the record, else a factor of two.
"""

from __future__ import annotations

import numpy as np
import pytest

from haptos.conditions.experiment import Culture
from haptos.evidence.library import load_library
from haptos.signalling.cell import ensemble_size, simulate
from haptos.signalling.condition import Condition
from haptos.signalling.courses import half_time, landmarks

pytestmark = pytest.mark.validation

TIMES = tuple(float(t) for t in range(601))
READ = ("nuclear__RELA_NFKB1_free", "level__NFKBIA", "mrna__NFKBIA", "level__RELA")
#: What is compared: name, record, entry of the record, and the bounds if the record gives a range.
COMPARED = (
    ("first nuclear maximum [min]", "hoff-run-peak", 30.0, None),
    ("first trough [min]", "hoff-run-peak", 90.0, None),
    ("second maximum [min]", "hoff-run-peak", 138.0, None),
    ("period [min]", "nelson-period", 100.0, (60.0, 120.0)),
    ("period [min] ", "turner-period", 100.0, None),
    ("IκBα half gone [min]", "hoff-run-ikb", 8.0, None),
    ("IκBα minimum [share]", "hoff-run-ikb", 0.133, None),
    ("IκBα minimum at [min]", "hoff-run-ikb", 23.0, None),
    ("IκBα mRNA maximum at [min]", "hoff-run-ikb", 59.0, None),
)
#: Known to lie outside, median and interval of the ensemble: less IκBα is left than in the rerun, which has three
#: isoforms. Validate records are never fitted.
OUTSIDE = {"IκBα minimum [share]"}


def response(member):
    tnf = Condition(
        cells="lung_carcinoma",
        culture=Culture(),
        interventions=({"add": "TNF", "dose": "10 ng/mL"},),
        times=TIMES,
        quantities=READ,
    )
    found = simulate(tnf, member=member, seed=0, replicate=None).quantities
    times = np.array(TIMES)
    nuclear = landmarks(times, found["nuclear__RELA_NFKB1_free"])
    inhibitor, mrna = found["level__NFKBIA"], found["mrna__NFKBIA"]
    early = times <= 150
    return {
        "first nuclear maximum [min]": nuclear.peaks[0],
        "first trough [min]": nuclear.troughs[0],
        "second maximum [min]": nuclear.peaks[1] if len(nuclear.peaks) > 1 else np.nan,
        "period [min]": nuclear.period,
        "period [min] ": nuclear.period,
        "IκBα half gone [min]": half_time(times, inhibitor),
        "IκBα minimum [share]": float(inhibitor[early].min() / inhibitor[0]),
        "IκBα minimum at [min]": float(times[early][inhibitor[early].argmin()]),
        "IκBα mRNA maximum at [min]": float(times[early][mrna[early].argmax()]),
    }


@pytest.fixture(scope="module")
def responses():
    members = range(0, ensemble_size(), 4)
    return response(None), [response(m) for m in members]


def test_records_are_for_validation_only():
    records = {r.id: r for r in load_library().quantities()}
    assert {records[name].use for _, name, _, _ in COMPARED} == {"validate"}


def test_tnf_response_beside_the_records(responses, capsys):
    _, members = responses
    rows, outside, apart = [], [], []
    for name, record, expected, bounds in COMPARED:
        low, high = bounds or (expected / 2, expected * 2)
        values = np.array([m[name] for m in members], dtype=float)
        interval = np.nanquantile(values, [0.05, 0.5, 0.95])
        inside = low <= interval[1] <= high
        rows.append(
            f"{name:28s} {record:14s} {expected:8.3g} {interval[1]:8.3g} "
            f"[{interval[0]:.3g}, {interval[2]:.3g}] {'inside' if inside else 'OUTSIDE'}"
        )
        outside += [] if inside else [name]
        apart += [] if interval[0] <= high and interval[2] >= low else [name]
    with capsys.disabled():
        print("\nTNF 10 ng/mL" + " " * 16 + "record           value    median  5-95 % of the ensemble")  # noqa: T201
        print("\n".join(rows))  # noqa: T201
    assert set(outside) <= OUTSIDE
    assert set(apart) <= OUTSIDE


def test_oscillation_is_damped(responses):
    reference, _ = responses
    assert (
        reference["second maximum [min]"] > reference["first trough [min]"] > reference["first nuclear maximum [min]"]
    )
