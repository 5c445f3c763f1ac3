"""Numbers made of time courses, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from haptos.assays.base import Value
from haptos.assays.registry import ASSAYS
from haptos.evidence.claims import Readout, Trial
from haptos.lab.judging import reading_of
from haptos.lab.summaries import SUMMARIES, delays, relative_to, summarised
from haptos.lab.trials import experiment_of, missing_part

TIMES = np.linspace(0.0, 600.0, 121)


def trial(assay: str, **readout: object) -> Trial:
    data = {"cells": "epithelial", "arms": {"test": [{"detach": "cells"}]}, "assay": assay, "readout": readout}
    return Trial.model_validate(data)


@pytest.mark.parametrize(
    ("step", "over"),
    [({"knockdown": "ERBB3"}, "loading"), ({"knockout": "ERBB3"}, "loading"), ({"knockdown": "ERBB2"}, "total"),
     ({"overexpress": "ERBB3"}, "total")],
)  # fmt: skip
def test_a_site_is_read_over_loading_where_an_arm_takes_its_protein_away(step, over):
    data = {"cells": "T47D", "arms": {"test": [step], "control": []}, "assay": "phospho_blot"}
    asked = Trial.model_validate(data | {"readout": {"measure": "phosphorylation", "of": ["ERBB3"]}})
    assert experiment_of(asked, ASSAYS).assay.over == over


def test_rate_of_change_is_relative_and_per_hour():
    decay = 7.0 * np.exp(-TIMES / 300.0)
    rates = summarised(np.array([decay, 3.0 * decay, 1.0 + 0.0 * TIMES]), "rate_of_change", TIMES)
    assert rates[:, 0] == pytest.approx([-0.2, -0.2, 0.0])
    assert np.isnan(summarised(np.zeros((1, 121)), "rate_of_change", TIMES)).all()


def test_half_life_of_a_decay():
    rows = np.array([np.exp2(-TIMES / 90.0), 1.0 + TIMES, np.zeros(121)])
    found = summarised(rows, "half_life", TIMES)[:, 0]
    assert found[0] == pytest.approx(90.0, abs=0.1)
    assert np.isnan(found[1:]).all()


def test_integral_and_peak():
    rows = np.array([TIMES, 600.0 - TIMES])
    assert summarised(rows, "integral", TIMES)[:, 0] == pytest.approx([180_000.0, 180_000.0])
    assert summarised(rows, "peak", TIMES)[:, 0].tolist() == [600.0, 600.0]
    assert summarised(rows, "endpoint", TIMES)[:, 0].tolist() == [600.0, 0.0]
    assert summarised(rows, "time_course", TIMES) is rows


def test_delay_is_the_time_between_half_rises():
    early, late = np.clip(TIMES / 100.0, 0.0, 1.0), np.clip((TIMES - 200.0) / 100.0, 0.0, 1.0)
    assert delays(np.array([late]), early, TIMES)[0, 0] == pytest.approx(200.0)
    assert delays(np.array([early]), late, TIMES)[0, 0] == pytest.approx(-200.0)
    flat = np.full(121, 2.0)
    assert np.isnan(delays(np.array([late]), flat, TIMES)).all()
    assert np.isnan(delays(np.array([flat]), early, TIMES)).all()


def test_a_delay_is_read_between_two_measures():
    values = (
        Value("apoptotic_fraction", "", np.zeros(121), "1"),
        Value("caspase_activity", "CASP3", np.clip((TIMES - 300.0) / 100.0, 0.0, 1.0), "a.u."),
        Value("unbound", "BMF", np.clip(TIMES / 100.0, 0.0, 1.0), "1"),
    )
    readout = Readout(measure="caspase_activity", of=("CASP3",), over=("BMF",), summary="delay")
    assert reading_of(values, readout, TIMES).values[0, 0] == pytest.approx(300.0)


def test_an_epitope_is_divided_by_the_receptors_beside_it():
    values = (Value("surface", "integrins", 8.0, "a.u."), Value("active_epitope", "integrins", 2.0, "a.u."))
    readout = Readout(measure="active_epitope", of=("integrins",), over=("integrins",))
    assert reading_of(values, readout, TIMES).final[0] == pytest.approx(0.25)


def test_quotients_of_one_measure_stay_quotients_of_that_measure():
    values = tuple(
        Value(measure, of, value, "a.u.")
        for measure, of, value in (
            ("phosphorylation", "ERK", 6.0),
            ("level", "EGFR", 100.0),
            ("phosphorylation", "EGFR", 3.0),
        )
    )
    readout = Readout(measure="phosphorylation", of=("ERK",), over=("EGFR",))
    assert reading_of(values, readout, TIMES).final[0] == pytest.approx(2.0)


@pytest.mark.parametrize("summary", SUMMARIES)
def test_every_summary_finds_a_protocol(summary):
    asked = trial("apoptosis", measure="caspase_activity", of=["CASP3"], over=["BMF"], summary=summary)
    assert missing_part(asked, ASSAYS) is None
    protocol = experiment_of(asked, ASSAYS).assay
    assert (protocol.every is None) == (summary == "endpoint")
    assert {n.name for n in ASSAYS["apoptosis"].needs(protocol)} >= {"caspase__CASP3", "unbound__BMF", "level__BMF"}


def test_a_delay_needs_something_it_follows():
    asked = trial("apoptosis", measure="caspase_activity", of=["CASP3"], summary="delay")
    assert "over" in (missing_part(asked, ASSAYS) or "")


def test_courses_last_some_hours_unless_the_trial_says_when_they_end():
    free = trial("clustering", measure="clustered", of=["ITGA4:ITGB1"], summary="time_course")
    fixed = trial("clustering", measure="clustered", of=["ITGA4:ITGB1"], summary="time_course", at="90 min")
    for asked, end in ((free, 360.0), (fixed, 90.0)):
        times = ASSAYS["clustering"].times(experiment_of(asked, ASSAYS).assay)
        assert times[-1] == end
        assert np.diff(times).max() <= 5.0 + 1e-9


def test_a_course_that_ends_too_early_is_said_to_be(monkeypatch):
    from haptos.evidence.claims import Claim
    from haptos.lab import coverage

    monkeypatch.setattr(coverage, "trial_expressibility", lambda *_: None)
    asked = trial("clustering", measure="clustered", of=["ITGA4:ITGB1"], summary="time_course")
    data = {
        "id": "T-01", "source": "zhao2013", "lines": [[1, 1]], "system": "S4", "kind": "perturbation_outcome",
        "level": "signalling", "priority": 1, "trial": asked.with_changes(arms={"control": [], **asked.arms}),
        "relation": {"subject": ["ILK"], "predicate": "upregulates", "object": ["MMP9"]},
    }  # fmt: skip
    expect = {"outcome": "sustained", "test": ["test"], "reference": "control"}
    assert coverage.expressibility(Claim.model_validate(data | {"expect": expect | {"until": "5 h"}})) is None
    late = coverage.expressibility(Claim.model_validate(data | {"expect": expect | {"until": "20 h"}}))
    assert late == "the course ends at 6 h, but the expectation speaks of 20 h; give the readout a later 'at'"


def test_a_course_relative_to_an_earlier_reading_is_what_is_left_of_it():
    fall = 8.0 * np.exp(-np.log(2.0) * TIMES / 60.0)
    rows = relative_to(np.array([fall, np.zeros_like(fall)]), 60.0, TIMES)
    assert rows[0, -1] == pytest.approx(2.0 ** (1.0 - TIMES[-1] / 60.0))
    assert np.isnan(rows[1]).all()


def test_since_makes_a_course_of_the_assay_and_comes_before_the_reading():
    asked = trial("western_blot", measure="level", of=["CDKN1A"], at="14 h", since="8 h")
    protocol = experiment_of(asked, ASSAYS).assay
    assert protocol.every is not None
    assert protocol.duration.value == 14 * 60
    values = [Value("level", "CDKN1A", np.array([4.0, 2.0, 1.0]), "a.u.")]
    read = reading_of(values, asked.readout, np.array([0.0, 480.0, 840.0]))
    assert read.final.tolist() == [0.5]
    with pytest.raises(ValidationError, match="before 'at'"):
        trial("western_blot", measure="level", of=["CDKN1A"], at="8 h", since="14 h")


def test_a_reading_at_the_start_is_refused_with_advice() -> None:
    with pytest.raises(ValidationError, match="later than 0 h"):
        Readout(measure="phosphorylation", of=("ERK",), at="0 h")
