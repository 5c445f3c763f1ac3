"""Claims as sentences: every outcome, several arms, contrasts, and the record as the only source."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from haptos.conditions.catalogue import Vocabulary
from haptos.evidence.claims import Claim
from haptos.evidence.library import Library, load_library
from haptos.evidence.wording import relation_sentence, sentence, trial_sentence

SMALL = Library(Path(__file__).parent / "small_library")
WORDS = SMALL.vocabulary
ILK, SIRNA, DOX = {"overexpress": "ILK"}, {"knockdown": "RELA"}, {"treat": "doxycycline"}


def claim(arms: dict[str, list[Any]], expect: dict[str, Any], **trial: Any) -> Claim:
    """Return a claim about the level of MMP9 in lung carcinoma cells."""
    return Claim.model_validate(
        {
            "id": "TEST-01", "source": "x", "lines": [[1, 1]], "system": "S1", "kind": "mechanism",
            "level": "signalling", "priority": 1,
            "relation": {"subject": ["ILK"], "predicate": "upregulates", "object": ["MMP9"]},
            "trial": {
                "cells": "lung_carcinoma", "arms": arms, "assay": "western_blot",
                "readout": {"measure": "level", "of": ["MMP9"]},
            } | trial,
            "expect": {"test": ["test"]} | expect,
        }
    )  # fmt: skip


def told(arms: dict[str, list[Any]], expect: dict[str, Any], **trial: Any) -> str:
    return trial_sentence(claim(arms, expect, **trial), WORDS)


@pytest.mark.parametrize(
    ("arms", "expect", "said"),
    [
        ({"r": [], "test": [ILK]}, {"outcome": "increase", "reference": "r"},
         "In lung carcinoma cells, ILK overexpression raises the level of MMP9 (western blot)."),
        ({"r": [], "test": [ILK]}, {"outcome": "increase", "reference": "r", "at_least": 3},
         "In lung carcinoma cells, ILK overexpression raises the level of MMP9 at least 3-fold (western blot)."),
        ({"r": [ILK], "test": [ILK, DOX]}, {"outcome": "decrease", "reference": "r"},
         "In lung carcinoma cells with ILK overexpression, doxycycline lowers the level of MMP9 (western blot)."),
        ({"r": [], "test": [DOX]}, {"outcome": "no_change", "reference": "r"},
         "In lung carcinoma cells, doxycycline leaves the level of MMP9 unchanged (western blot)."),
        ({"c": [], "r": [ILK], "test": [ILK, SIRNA]}, {"outcome": "abolished", "reference": "r", "control": "c"},
         "In lung carcinoma cells, p65 siRNA abolishes the ILK-induced rise of the level of MMP9 (western blot)."),
        ({"r": [ILK], "test": [ILK, SIRNA]}, {"outcome": "abolished", "reference": "r"},
         "In lung carcinoma cells with ILK overexpression, p65 siRNA abolishes the level of MMP9 (western blot)."),
        ({"c": [], "r": [SIRNA], "test": [SIRNA, ILK]}, {"outcome": "restored", "reference": "r", "control": "c"},
         "In lung carcinoma cells, ILK overexpression restores the level of MMP9 despite p65 siRNA (western blot)."),
        ({"r": [], "test": [ILK]}, {"outcome": "transient", "reference": "r", "back_by": "1 h"},
         ("In lung carcinoma cells, ILK overexpression raises the level of MMP9 for a time, back within 1 h "
         "(western blot).")),
        ({"r": [], "test": [ILK]}, {"outcome": "transient", "reference": "r", "back_by": "1 h", "change": "fall"},
         ("In lung carcinoma cells, ILK overexpression lowers the level of MMP9 for a time, back within 1 h "
         "(western blot).")),
        ({"r": [], "test": [ILK]}, {"outcome": "sustained", "reference": "r", "until": "5 h"},
         "In lung carcinoma cells, ILK overexpression raises the level of MMP9 for at least 5 h (western blot)."),
        ({"test": [{"scan": "ILK", "low": 0.1, "high": 10}]}, {"outcome": "biphasic"},
         "In lung carcinoma cells, the level of MMP9 has its maximum at an intermediate amount of ILK (western blot)."),
        ({"test": [], "b": [{"add": "CXCL12", "dose": "1 nM"}], "c": [{"add": "CXCL12", "dose": "10 nM"}]},
         {"outcome": "rising", "test": ["test", "b", "c"]},
         ("In lung carcinoma cells, the level of MMP9 rises from none to CXCL12 (1 nM) to CXCL12 (10 nM) "
         "(western blot).")),
        ({"test": [ILK], "b": [ILK, DOX], "c": [ILK, DOX, SIRNA]},
         {"outcome": "biphasic", "test": ["test", "b", "c"], "extreme": "minimum"},
         ("In lung carcinoma cells with ILK overexpression, the level of MMP9 has its minimum inside the series none; "
         "doxycycline; doxycycline and p65 siRNA (western blot).")),
        ({"test": [ILK]}, {"outcome": "range", "low": 1, "high": 2},
         "In lung carcinoma cells with ILK overexpression, the level of MMP9 lies between 1 and 2 (western blot)."),
        ({"test": []}, {"outcome": "range", "low": 1, "low_excluded": True},
         "In lung carcinoma cells, the level of MMP9 is above 1 (western blot)."),
        ({"r": [{"swap_cells": "fibroblast"}], "test": []},
         {"outcome": "ratio", "reference": "r", "low": 3, "high": 20},
         "The level of MMP9 in lung carcinoma cells is 3- to 20-fold that in fibroblasts (western blot)."),
        ({"r": [{"swap_cells": "fibroblast"}], "test": []}, {"outcome": "increase", "reference": "r"},
         "The level of MMP9 is higher in lung carcinoma cells than in fibroblasts (western blot)."),
        ({"c": [], "a": [ILK], "b": [DOX], "test": [ILK, DOX]},
         {"outcome": "synergy", "parts": ["a", "b"], "control": "c"},
         ("In lung carcinoma cells, ILK overexpression together with doxycycline raises the level of MMP9 "
         "by more than the single gains add up to (western blot).")),
        ({"r": [], "f": [{"swap_cells": "fibroblast"}], "test": [DOX], "t": [{"swap_cells": "fibroblast"}, DOX]},
         {"outcome": "varies", "test": ["test", "t"], "references": ["r", "f"]},
         ("The effect of doxycycline on the level of MMP9 differs between lung carcinoma cells and fibroblasts "
         "(western blot).")),
    ],
)  # fmt: skip
def test_every_outcome_reads_as_a_sentence(arms: dict[str, list[Any]], expect: dict[str, Any], said: str) -> None:
    assert told(arms, expect) == said


def test_alternatives_act_each_and_share_their_verb() -> None:
    inhibit = [{"inhibit": name} for name in ("ILK", "RELA", "MMP9")]
    arms = {"r": [], "test": [inhibit[0]], "t2": [inhibit[1]], "t3": [inhibit[2]]}
    text = told(arms, {"outcome": "decrease", "test": ["test", "t2", "t3"], "reference": "r"})
    assert text.startswith("In lung carcinoma cells, inhibition of ILK, of p65 and of MMP9 each lower the level")


def test_equal_effects_in_several_cells_and_settings_are_joined() -> None:
    fib = {"swap_cells": "fibroblast"}
    arms = {"r": [], "test": [ILK], "r2": [fib], "t2": [fib, ILK]}
    text = told(arms, {"outcome": "increase", "test": ["test", "t2"], "references": ["r", "r2"]})
    assert text.startswith("In lung carcinoma cells and fibroblasts, ILK overexpression raises")
    arms = {"r": [], "test": [ILK], "r2": [DOX], "t2": [DOX, ILK]}
    text = told(arms, {"outcome": "increase", "test": ["test", "t2"], "references": ["r", "r2"]})
    assert text.startswith("In lung carcinoma cells, alone and with doxycycline, ILK overexpression raises")


def test_inducers_of_an_abolished_rise_are_joined() -> None:
    add = {"add": "CXCL12"}
    arms = {"c": [], "r": [ILK], "r2": [add], "test": [ILK, DOX], "t2": [add, DOX]}
    text = told(arms, {"outcome": "abolished", "test": ["test", "t2"], "references": ["r", "r2"], "control": "c"})
    assert "doxycycline abolishes the ILK- and CXCL12-induced rise of" in text


def test_an_effect_that_hangs_on_a_treatment_names_both_settings() -> None:
    arms = {"r": [], "f": [ILK], "test": [DOX], "t": [ILK, DOX]}
    text = told(arms, {"outcome": "varies", "test": ["test", "t"], "references": ["r", "f"]})
    assert "differs between otherwise untreated cells and cells with ILK overexpression" in text


def test_an_obstacle_in_the_reference_only_is_told_from_its_side() -> None:
    text = told({"r": [DOX], "test": []}, {"outcome": "increase", "reference": "r"})
    assert "doxycycline lowers the level of MMP9" in text


def test_arms_that_differ_in_strength_say_how() -> None:
    weak, strong = ({"activate": "ILK", "until": time} for time in ("45 min", "10 h"))
    text = told({"r": [weak], "test": [strong]}, {"outcome": "increase", "reference": "r"})
    assert "activation of ILK (until 10 h) than with activation of ILK (until 45 min)" in text


def test_surroundings_measure_time_and_reference_of_the_readout_are_told() -> None:
    readout = {"measure": "level", "of": ["RELA"], "over": ["RELA"], "at": "24 h", "summary": "peak"}
    culture = {"coating": "FN1", "serum": "0 %"}
    expect = {"outcome": "increase", "reference": "r"}
    text = told({"r": [], "test": [ILK]}, expect, readout=readout, culture=culture)
    assert text == (
        "In lung carcinoma cells on fibronectin without serum, ILK overexpression raises the peak of the level of p65 "
        "relative to its total (western blot, 24 h)."
    )


def test_relations_agree_in_number_and_article() -> None:
    assert relation_sentence(SMALL.claim("ZHAO-02"), WORDS) == "p65 is required for ILK-induced MMP9."
    assert relation_sentence(SMALL.claim("ZHAO-03"), WORDS) == "ILK is a MMPs."
    many = SMALL.claim("VIVO-02").model_copy(
        update={"relation": SMALL.claim("VIVO-02").relation.model_copy(update={"subject": ("ILK", "RELA")})}
    )
    assert relation_sentence(many, WORDS) == "ILK and p65 increase cell migration."


def test_without_experiment_the_relation_is_the_sentence() -> None:
    assert trial_sentence(SMALL.claim("ZHAO-03"), WORDS) == ""
    assert sentence(SMALL.claim("ZHAO-03"), WORDS) == relation_sentence(SMALL.claim("ZHAO-03"), WORDS)
    assert sentence(SMALL.claim("ZHAO-04"), WORDS).startswith("The library holds at least 1 members of the MMP family")


def test_identifier_note_and_source_do_not_change_a_sentence() -> None:
    one = SMALL.claim("ZHAO-01")
    other = one.model_copy(update={"id": "OTHER-99", "note": "abolished", "source": "y", "priority": 3})
    assert sentence(one, WORDS) == sentence(other, WORDS)


def test_unknown_names_read_as_they_are() -> None:
    text = trial_sentence(SMALL.claim("ZHAO-01"), Vocabulary({}))
    assert text == "In lung carcinoma, ILK overexpression raises the level of MMP9 (western blot)."


@pytest.mark.skipif(not (load_library().root / "claims").is_dir(), reason="no claims yet")
def test_every_shipped_claim_reads_cleanly() -> None:
    library = load_library()
    for item in library.claims():
        for text in (relation_sentence(item, library.vocabulary), sentence(item, library.vocabulary)):
            assert text.endswith("."), text
            for slip in ("  ", "_", " the the ", " a a ", " with with ", "None", "{", " ,", "with it it"):
                assert slip not in text, f"{item.id}: {text}"
