"""Checking numbers of the literature: courses, published ranges, and that a check can fail."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from pydantic import ValidationError

from haptos.errors import EvidenceError, Status
from haptos.evidence.judge import room_inside
from haptos.evidence.quantities import QuantityRecord
from haptos.lab.validation.courses import number_of, threshold
from haptos.lab.validation.fitting import RecordScorer, may_be_fitted
from haptos.lab.validation.published import Target, target_of
from haptos.lab.validation.running import Row, records_to_check, validate
from haptos.lab.validation.specs import Check, Validation
from haptos.lab.validation.table import as_data, cells_of, page, tally
from haptos.signalling.condition import Condition, Outcomes, Population

T = np.linspace(0.0, 400.0, 401)
WAVE = 2.0 + np.exp(-T / 400.0) * np.sin(2.0 * np.pi * T / 100.0)
DECAY = np.exp2(-T / 10.0)
RECORD = QuantityRecord(
    id="a-record",
    quantity="a made-up quantity",
    values={
        "half": 2.0, "series": (0.5, None, 2.0), "share": {"range": (30.0, 50.0)}, "open": {"range": (None, 20.0)},
        "low": 60.0, "high": 120.0, "mean": 50.0, "sd": 10.0, "closed": 0.998, "level": 4.0,
    },
    unit="h",
    units={
        "share": "%", "open": "%", "low": "min", "high": "min", "mean": "%", "sd": "%", "closed": "dimensionless",
        "level": "dimensionless",
    },
    confidence="from memory",
    use="validate",
)  # fmt: skip


def read(how: str, values: np.ndarray, *, at: float = 0.0, since: float = 0.0, place: int = 1, share: float = 0.5):
    return number_of(how, T, values, at=at, since=since, place=place, share=share)


@pytest.mark.parametrize(
    ("how", "choices", "expected", "tolerance"),
    [
        ("peak_time", {"place": 2}, 125.0, 3.0),
        ("trough_time", {}, 75.0, 3.0),
        ("period", {}, 100.0, 1.0),
        ("spacing", {}, 100.0, 1.0),
        ("peak_fold", {"place": 2}, (2 + math.exp(-125 / 400)) / (2 + math.exp(-25 / 400)), 0.01),
        ("count_peaks", {}, 4.0, 0.0),
        ("maximum_time", {}, 25.0, 3.0),
        ("maximum_fold", {}, (2 + math.exp(-25 / 400)) / 2, 0.01),
        ("at", {"at": 200.0}, 2.0, 1e-9),
        ("end", {}, 2.0, 1e-9),
    ],
)
def test_numbers_of_a_damped_wave(how: str, choices: dict[str, float], expected: float, tolerance: float) -> None:
    assert read(how, WAVE, **choices) == pytest.approx(expected, abs=tolerance)


def test_numbers_of_a_decay() -> None:
    assert read("half_time", DECAY) == pytest.approx(10.0)
    assert read("loss_time", DECAY, share=0.25) == 20.0
    assert read("fall_time", DECAY, share=0.25) == 20.0
    risen = np.r_[0.2, (0.2 + 0.8 * DECAY)[:-1]]
    assert read("settle_time", risen, share=0.25) == 20.0 + T[1]
    assert read("minimum_share", DECAY) == pytest.approx(2.0**-40)
    assert read("fold", DECAY, at=30.0, since=10.0) == pytest.approx(0.25)


def test_a_course_that_does_not_do_it_gives_no_number() -> None:
    assert math.isnan(read("peak_time", DECAY))
    assert math.isnan(read("half_time", np.ones_like(T)))
    assert math.isnan(read("return_time", DECAY))
    assert math.isnan(read("end", np.full_like(T, np.nan)))
    assert read("fall_time", np.ones_like(T)) == T[-1], "what lasts, lasts as long as it was looked at"


def test_a_return_counts_from_the_minimum() -> None:
    values = np.where(T < 50, 1.0 - T / 60.0, np.minimum(1.0, (T - 40.0) / 100.0))
    assert read("return_time", values) == 90.0


def test_the_second_pulse_is_compared_with_the_first() -> None:
    values = np.zeros_like(T)
    values[10], values[210] = 4.0, 3.0
    assert read("window_fold", values, at=200.0) == pytest.approx(0.75)


def test_thresholds() -> None:
    doses = np.array([0.0, 1.0, 10.0, 100.0])
    assert threshold(doses, 1 / (1 + doses / 10.0), level="half_of_first") == pytest.approx(10.0)
    assert threshold(doses[1:], np.array([0.0, 0.2, 1.0]), level="half_of_greatest") == pytest.approx(10 * 10**0.375)
    assert math.isnan(threshold(doses, np.ones(4), level="half_of_first"))


@pytest.mark.parametrize(
    ("published", "low", "high"),
    [
        ({"entry": "half"}, 60.0, 240.0),
        ({"entry": "half", "bound": "at_least"}, 120.0, math.inf),
        ({"entry": "half", "bound": "at_most"}, -math.inf, 120.0),
        ({"entry": "half", "between": ["low", "high"]}, 60.0, 120.0),
        ({"entry": "series", "index": 2}, 60.0, 240.0),
        ({"entry": "series", "index": 2, "relative_to": 0}, 2.0, 8.0),
        ({"entry": "series"}, 30.0, 120.0),
        ({"entry": "share"}, 0.3, 0.5),
        ({"entry": "open"}, -math.inf, 0.2),
        ({"entry": "mean", "sd": "sd"}, 0.3, 0.7),
        ({"direction": "increase", "resolved": 1.5}, 1.5, math.inf),
        ({"direction": "decrease", "resolved": 2.0}, -math.inf, 0.5),
        ({"direction": "no_change", "resolved": 2.0}, 0.5, 2.0),
        ({"low": 3.0}, 3.0, math.inf),
    ],
)
def test_what_agrees(published: dict[str, object], low: float, high: float) -> None:
    found = target_of(RECORD, Check(name="a number", read="level__X", published=published))
    assert (found.low, found.high) == pytest.approx((low, high))


def test_a_share_of_all_others_is_turned_round() -> None:
    check = Check(name="open", read="level__X", complement=True, published={"entry": "closed"})
    assert target_of(RECORD, check)[1:] == pytest.approx((0.001, 0.004))


def test_the_assay_decides_what_it_resolves() -> None:
    check = Check(name="a number", read="level__X", published={"direction": "increase"})
    assert target_of(RECORD, check, resolved=3.0).low == 3.0


def test_what_is_not_in_the_record_is_refused() -> None:
    with pytest.raises(EvidenceError, match="no value 'quarter'"):
        target_of(RECORD, Check(name="a number", read="level__X", published={"entry": "quarter"}))
    with pytest.raises(EvidenceError, match="no single number"):
        target_of(RECORD, Check(name="a number", read="level__X", published={"entry": "series", "index": 1}))


@pytest.mark.parametrize(
    "fault",
    [
        {"record": "a-record"},
        {"record": "a-record", "checks": [{"name": "a number", "read": "x", "published": {"entry": "half"}}]},
        {"record": "a-record", "reason": "x", "checks": [{"name": "a number", "read": "x", "published": {}}]},
        {
            "record": "a-record",
            "cells": "c",
            "arms": {"one": []},
            "checks": [{"name": "a number", "read": "x", "arm": "two", "published": {"entry": "half"}}],
        },
    ],
)
def test_incomplete_checks_are_refused(fault: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Validation.model_validate(fault)


class Doubles:
    """Cells whose level decays with a half-life of 10 min, of `slow` members in 400 min; `failed` ones break off."""

    def __init__(self, slow: Sequence[int] = (), failed: Sequence[int] = (), reasons: Sequence[str] = ()) -> None:
        self.slow, self.failed, self.missing, self.simulated = slow, failed, list(reasons), 0

    def expressibility(self, condition: Condition) -> list[str]:
        return self.missing

    def preculture(self, condition: Condition) -> str:
        return condition.cells

    def ensemble_size(self) -> int:
        return 4

    def fingerprint(self) -> str:
        return "doubles"

    def simulate_batch(
        self, conditions: Sequence[Condition], populations: Sequence[Population], *, seed: int
    ) -> list[Outcomes]:
        self.simulated += len(conditions)
        return [self._outcome(c, populations) for c in conditions]

    def _outcome(self, condition: Condition, populations: Sequence[Population]) -> Outcomes:
        half = np.array([400.0 if p.member in self.slow else 10.0 for p in populations])
        dosed = 1.0 + len(condition.interventions)
        rows = dosed * np.exp2(-np.array(condition.times) / half[:, None])
        broken = np.isin([p.member for p in populations], self.failed)
        rows[broken] = np.nan
        status = np.where(broken, int(Status.STEP_TOO_SMALL), int(Status.OK))
        return Outcomes(dict.fromkeys(condition.quantities, rows), {"cell_volume": 1000.0}, status)


#: A record of the library with a half-life (8 min, so 4 to 16 agree), and one without any check.
KNOWN = Validation(
    record="hoff-run-ikb",
    cells="fibroblast",
    arms={"one": (), "two": ({"inhibit": "ILK"},)},
    sampling={"until": "1 h", "every": "1 min"},
    checks=(
        Check(name="half gone [min]", read="level__NFKBIA", how="half_time", published={"entry": "half_min"}),
        Check(name="fold", read="level__NFKBIA", arm="two", against="one", published={"direction": "no_change"}),
    ),
)
SILENT = Validation(record="tay-digital", reason="needs single cells")


def rows_of(cells: Doubles) -> tuple[Row, ...]:
    return validate(simulator=cells, validations=(KNOWN, SILENT))


def test_numbers_are_set_beside_what_was_published() -> None:
    cells = Doubles()
    half, fold, silent = rows_of(cells)
    assert half.quantiles == pytest.approx((10.0, 10.0, 10.0))
    assert half.inside
    assert fold.quantiles[1] == pytest.approx(2.0)
    assert not fold.inside, "a twofold change is not no change"
    assert (silent.inside, silent.reason) == (None, "needs single cells")
    assert cells.simulated == 2, "both checks read the same two conditions"


def test_a_model_that_is_too_slow_does_not_agree() -> None:
    half = rows_of(Doubles(slow=(0, 1, 2, 3)))[0]
    assert math.isnan(half.quantiles[1])
    assert half.inside is False
    assert cells_of(half)[4:] == ("no value", "0 %", "no")


def test_members_without_a_number_do_not_agree() -> None:
    half = rows_of(Doubles(slow=(1,), failed=(2,)))[0]
    assert half.inside
    assert half.share_inside == 0.5
    assert as_data([half])[0]["without_number"] == 2


def test_what_the_model_cannot_do_is_said() -> None:
    half = rows_of(Doubles(reasons=["no such cells"]))[0]
    assert (half.inside, half.reason) == (None, "no such cells")


def test_the_summary_counts_dependent_records_apart() -> None:
    rows = rows_of(Doubles())
    assert rows[0].kin, "parameters come from the publication of this record"
    text = tally(rows)
    assert text.startswith(
        "0 of 0 numbers of 0 independent records agree, 0 of 0 of those that nobody had in view; "
        "1 of 2 of 1 records whose source"
    )
    assert "1 of 2 records to check are not expressed" in text
    assert "hoff-run-ikb †" in page(rows, members=4, checksum="x")


def test_a_record_that_was_in_view_is_marked() -> None:
    watched = KNOWN.model_copy(update={"in_view": "one rate"})
    rows = validate(simulator=Doubles(), validations=(watched, SILENT))
    assert cells_of(rows[0])[0] == "hoff-run-ikb † ‡"
    text = page(rows, members=4, checksum="x")
    assert "- **hoff-run-ikb**: one rate" in text.partition("on the screen\n")[2]
    assert as_data(rows)[0]["in_view"] == "one rate"


@pytest.mark.parametrize("target", [Target("", 2.0, 8.0), Target("", -math.inf, 8.0), Target("", 2.0, math.inf)])
def test_margins_are_negative_outside_the_range_only(target: Target) -> None:
    values = np.array([0.0, 1.9, 2.1, 4.0, 7.9, 8.1, np.nan])
    margins = room_inside(values, target.low, target.high)
    assert [bool(m >= 0) for m in margins] == [target.holds(v) for v in values]
    assert room_inside(np.array([4.0]), 2.0, 8.0)[0] == pytest.approx(math.log(2))


def test_only_records_that_may_be_fitted_are_fitted() -> None:
    records = records_to_check()
    assert len(may_be_fitted()) > 10
    assert {records[v.record].use for v in may_be_fitted()} == {"calibrate"}
    assert len(set(RecordScorer().names)) == sum(len(v.checks) for v in may_be_fitted())
