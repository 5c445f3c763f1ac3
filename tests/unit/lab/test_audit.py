"""Audits on a made-up model whose mechanism is known: what must turn turns, what cannot is found out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from haptos.conditions.catalogue import load_vocabulary
from haptos.conditions.experiment import Culture
from haptos.conditions.interventions import Overexpress
from haptos.evidence.claims import Claim
from haptos.lab.audit.auditing import audit_claims
from haptos.lab.audit.baseline import shortest_sign, walk_sign
from haptos.lab.audit.floor import floor_of, prior_vectors
from haptos.lab.audit.judging import Audited
from haptos.lab.audit.mechanism import Mechanism, mechanism_of
from haptos.lab.run import Bench
from haptos.signalling.condition import Condition, Outcome, Outcomes, Population
from haptos.signalling.influence import SignedGraph
from haptos.signalling.steps import Step
from haptos.store.manifest import damage
from haptos.store.runs import RunStore

#: ILK acts on the making of MMP9; a second reaction is annotated with a claim it has no part in.
STEPS = {
    "make_MMP9": Step("make_MMP9", "∅ → MMP9", ("MMP9",), {"act_ILK": frozenset({"act_ILK"})}, ("A-01", "A-03")),
    "lose_JUN": Step("lose_JUN", "JUN → ∅", ("JUN",), {}, ("A-02",)),
}
#: The normal culture of the cells, in which RELA counts.
HOME = Culture.model_validate({"serum": "1 %"})


@dataclass
class Cuttable:
    """MMP9 = 1 + ILK; the cuts of its arrow and of its making work."""

    calls: list[tuple[str, ...]] = field(default_factory=list)

    def expressibility(self, condition: Condition) -> list[str]:
        return []

    def ensemble_size(self) -> int:
        return 4

    def fingerprint(self) -> str:
        return "cuttable"

    def preculture(self, condition: Condition) -> str:
        return condition.cells

    def simulate_batch(
        self, conditions: Any, populations: Any, *, seed: int
    ) -> list[Outcomes]:  # fmt: skip
        return [Outcomes.stacked([self._one(c, p) for p in populations]) for c in conditions]

    def _one(self, condition: Condition, population: Population) -> Outcome:
        self.calls.append(condition.cuts)
        amounts = {"ILK": 1.0, "RELA": 1.0}
        for step in condition.interventions:
            if isinstance(step, Overexpress):
                amounts[step.target] = amounts.get(step.target, 1.0) * step.fold.value
        seen = 0.0 if "cut__make_MMP9__of__act_ILK" in condition.cuts else amounts["ILK"]
        amounts["MMP9"] = 0.0 if "cut__make_MMP9" in condition.cuts else 1.0 + seen
        if "cut__mrna__MMP9__of__FOSL1" not in condition.cuts:
            amounts["MMP9"] *= amounts.get("FOSL1", 1.0)
        if condition.culture == HOME:
            amounts["MMP9"] *= amounts["RELA"]
        shape = np.ones(len(condition.times))
        geometry = {"cell_volume": 2494.0, "nucleus_volume": 540.0, "nucleus_area": 80.0, "medium_volume": 2e6}
        return Outcome({q: shape * amounts.get(q.partition("__")[2], 1.0) for q in condition.quantities}, geometry)


class Parts:
    """The anatomy of the made-up model."""

    inert = False
    elsewhere = False

    def steps(self, condition: Condition) -> Mapping[str, Step]:
        return STEPS

    def readouts(self, condition: Condition) -> Mapping[str, Step]:
        parts = {"FOSL1": frozenset({"FOSL1"}), "act_FOSL1": frozenset({"act_FOSL1", "FOSL1"})}
        return {q: Step(q, acting=parts) for q in condition.quantities if q == "mrna__MMP9"}

    def at_home(self, condition: Condition) -> Condition:
        return condition.with_changes(culture=HOME) if self.elsewhere else condition

    def inputs(self, condition: Condition) -> tuple[str, ...]:
        return () if self.inert else ("cut__make_MMP9__of__act_ILK",)

    def quantities(self, condition: Condition) -> tuple[str, ...]:
        return ("mrna__ILK", "mrna__MMP9", "mrna__RELA")


def _claim(name: str, outcome: str = "increase", subject: str = "ILK", **changes: Any) -> Claim:
    data: dict[str, Any] = {
        "id": name,
        "source": "zhao2013",
        "lines": [[43, 43]],
        "system": "S1",
        "kind": "mechanism",
        "level": "signalling",
        "priority": 1,
        "relation": {"subject": [subject], "predicate": "upregulates", "object": ["MMP9"]},
        "trial": {
            "cells": "lung_carcinoma",
            "arms": {"reference": [], "test": [{"overexpress": "ILK", "fold": 4}]},
            "assay": "qpcr",
            "readout": {"measure": "mrna", "of": ["MMP9"]},
        },
        "expect": {"outcome": outcome, "test": ["test"], "reference": "reference"},
    }
    return Claim.model_validate(data | changes)


def _still(name: str, overexpressed: str) -> Claim:
    trial = {
        "cells": "lung_carcinoma",
        "arms": {"reference": [], "test": [{"overexpress": overexpressed, "fold": 4}]},
        "assay": "qpcr",
        "readout": {"measure": "mrna", "of": ["MMP9"]},
    }
    return _claim(name, "no_change", overexpressed, trial=trial)


@pytest.fixture
def bench(tmp_path: Any) -> Bench:
    return Bench(RunStore(tmp_path / "runs"), simulator=Cuttable())


def _findings(claims: list[Claim], bench: Bench, parts: Parts | None = None) -> dict[str, str]:
    result = audit_claims("made up", claims, bench, floor=0, anatomy=parts or Parts())
    return dict(result.tables["audit"].set_index("claim")["finding"])


def test_a_cut_turns_what_rests_on_it_and_shows_what_does_not(bench: Bench) -> None:
    claims = [_claim("A-01"), _claim("A-02", subject="JUN"), _claim("A-04"), _claim("A-05", "decrease")]
    assert _findings(claims, bench) == {
        "A-01": "earned",
        "A-02": "vacuous",  # its carrier has no part in the readout
        "A-04": "no carrier",
        "A-05": "not audited",  # contradicted to begin with
    }


def test_the_board_after_the_audit_calls_vacuous_claims_by_their_name(bench: Bench) -> None:
    result = audit_claims("made up", [_claim("A-01"), _claim("A-02", subject="JUN")], bench, floor=0, anatomy=Parts())
    assert dict(result.tables["board"].set_index("claim")["verdict"]) == {"A-01": "supported", "A-02": "vacuous"}
    assert result.manifest.headline["counts"] == {"supported": 1, "vacuous": 1}
    assert damage(result.folder) == []
    assert {row["finding"] for row in json.loads((result.folder / "audit.json").read_text())["claims"]} == {
        "earned", "vacuous",
    }  # fmt: skip
    assert "vacuous" in (result.folder / "report.html").read_text()


def test_a_cut_that_takes_the_readout_is_called_coarse(bench: Bench) -> None:
    result = audit_claims("made up", [_claim("A-03", subject="MMP9")], bench, floor=0, anatomy=Parts())
    row = result.tables["audit"].iloc[0]
    assert (row["finding"], row["how"], bool(row["coarse"])) == ("earned", "reactions", True)
    arrow = audit_claims("made up", [_claim("A-01")], bench, floor=0, anatomy=Parts()).tables["audit"].iloc[0]
    assert (arrow["how"], bool(arrow["coarse"]), arrow["readout_left"]) == ("arrows", False, 0.5)


def test_a_cut_that_takes_no_more_than_the_trial_does_is_not_coarse() -> None:
    def found(left: float, lowest: float, outcome: str = "increase") -> bool:
        return Audited(_claim("A-01", outcome), "earned", Mechanism((), (), "arrows"), "", 0.0, left, lowest).coarse

    assert found(0.01, 0.5)
    assert not found(0.01, 0.01)  # the trial itself takes nearly all
    assert not found(0.2, 1.0)
    assert found(0.01, float("nan"))
    assert not found(0.01, 1.0, "no_change")  # there the readout is meant to go


def test_what_acts_on_the_readout_in_a_rule_is_cut_there(bench: Bench) -> None:
    arms = {"reference": [], "test": [{"overexpress": "FOSL1", "fold": 4}]}
    trial = {**_claim("A-10").trial.model_dump(exclude_unset=True), "arms": arms}  # type: ignore[union-attr]
    result = audit_claims("made up", [_claim("A-10", subject="FOSL1", trial=trial)], bench, floor=0, anatomy=Parts())
    row = result.tables["audit"].iloc[0]
    assert (row["finding"], row["how"], row["cuts"]) == ("earned", "readout", 1)  # the lowest of both


def test_a_claim_that_describes_names_no_mechanism(bench: Bench) -> None:
    relation = {"subject": ["ILK"], "predicate": "correlates_with", "object": ["MMP9"]}
    assert _findings([_claim("A-11", relation=relation)], bench) == {"A-11": "no mechanism"}
    assert _findings([_claim("A-01", relation=relation)], bench) == {"A-01": "earned"}  # annotated all the same


def test_absence_must_have_been_able_to_fail(bench: Bench) -> None:
    assert _findings([_still("A-06", "RELA")], bench) == {"A-06": "earned"}
    inert = Parts()
    inert.inert = True  # nothing acts on the readout: it could not have moved
    assert _findings([_still("A-07", "RELA")], bench, inert) == {"A-07": "vacuous"}
    inert.elsewhere = True  # but in the normal culture of the cells it does
    assert _findings([_still("A-12", "RELA")], bench, inert) == {"A-12": "earned"}
    assert _findings([_still("A-08", "JUNB")], bench) == {"A-08": "vacuous"}  # nothing in the model changes


def test_the_verdicts_before_the_audit_are_a_run_of_their_own(bench: Bench) -> None:
    audit_claims("made up", [_claim("A-01")], bench, floor=0, anatomy=Parts())
    names = sorted(name.split("-")[0] for name in bench.store.names())
    assert names == ["audit", "reproduce"]
    before = len(bench.simulator.calls)  # type: ignore[attr-defined]
    assert audit_claims("made up", [_claim("A-01")], bench, floor=0, anatomy=Parts()).reused
    assert len(bench.simulator.calls) == before  # type: ignore[attr-defined]


def test_the_floor_counts_draws_of_the_prior(bench: Bench) -> None:
    claims = [_claim("A-01"), _claim("A-02", subject="JUN")]
    margins = np.array([[1.0, -1.0], [1.0, np.nan], [1.0, 1.0], [1.0, 1.0]])
    result = audit_claims("made up", claims, bench, floor=4, anatomy=Parts(), score=lambda _w, _v: margins)
    floor = result.tables["floor"].set_index("name")
    assert dict(floor["supported"]) == {"ensemble": 2, "prior": 1}
    assert floor.loc["prior", "rate"] == pytest.approx(0.75)
    assert floor_of({"a": 1.0}, {}, {}) == []


def test_draws_of_the_prior_do_not_depend_on_how_many_there_are() -> None:
    few, many = prior_vectors(2), prior_vectors(3)
    assert np.array_equal(few, many[:2])
    assert not np.array_equal(many[0], many[1])


@pytest.mark.parametrize(
    ("subject", "via", "cuts", "how"),
    [
        ("ILK", (), ("cut__R__of__act_ILK",), "arrows"),
        ("JUN:FOS", (), ("cut__R__of__AP1",), "arrows"),  # by what it is made of
        ("MMP9", (), ("cut__R",), "reactions"),  # turned over
        ("ILK", ("MMP9",), ("cut__R__of__act_ILK",), "arrows"),
        ("TNF", (), ("cut__R",), "reactions"),  # only the object is found
        ("ILK2", (), ("cut__R",), "reactions"),  # no part of a name
    ],
)
def test_the_mechanism_is_looked_for_where_the_claim_says(
    subject: str, via: tuple[str, ...], cuts: tuple[str, ...], how: str
) -> None:
    acting = {"act_ILK": frozenset({"act_ILK", "ILK_active"}), "AP1": frozenset({"AP1", "JUN_FOS", "JUN"})}
    steps = {"R": Step("R", "∅ → MMP9_mRNA", ("MMP9_mRNA",), acting, ("A-01",))}
    relation = {"subject": [subject], "predicate": "upregulates", "object": ["MMP9"], "via": list(via)}
    found = mechanism_of(_claim("A-01", relation=relation), steps, load_vocabulary())
    assert (found.cuts, found.how, found.carriers) == (cuts, how, ("R",))
    others = {**steps, "S": Step("S", acting={"act_ILK": frozenset()}), "T": Step("T", turned=("ILK",))}
    elsewhere = mechanism_of(_claim("A-01", relation=relation), others, load_vocabulary()).elsewhere
    assert elsewhere == (("S",) if subject == "ILK" else ())
    assert mechanism_of(_claim("A-09"), steps, load_vocabulary()).how == "none"


@pytest.mark.parametrize(
    ("relation", "cuts"),
    [
        ({"subject": ["MMP9"], "predicate": "requires", "object": ["ILK"]}, ("cut__R__of__act_ILK",)),
        ({"subject": ["integrin_ligation"], "predicate": "upregulates", "object": ["MMP9"]}, ("cut__R__of__adhesion",)),
    ],
)
def test_what_is_required_acts_and_what_acts_may_have_another_name(
    relation: dict[str, Any], cuts: tuple[str, ...]
) -> None:
    acting = {name: frozenset({name}) for name in ("act_ILK", "adhesion")}
    acting["adhesion"] |= {"process__integrin_signalling"}
    steps = {"R": Step("R", "∅ → MMP9_mRNA", ("MMP9_mRNA",), acting, ("A-01",))}
    assert mechanism_of(_claim("A-01", relation=relation), steps, load_vocabulary()).cuts == cuts


@pytest.mark.parametrize(
    ("subject", "read", "cuts"),
    [
        ("CDKN1A", "CDK2", ("cut__R__of__act_CDK2", "cut__activity__CDK2__of__CDKN1A")),  # on both ways
        ("CDK2", "CDK2", ("cut__R__of__act_CDK2",)),  # what is read is no act on it
        ("CDK2", "CCNE1:CDK2", ("cut__R__of__act_CDK2",)),  # nor is a part of it
        ("RB1", "CDK2", ("cut__R",)),  # nor what the carrier makes
        ("E2F1", "CDK2", ("cut__R",)),  # nor what is only made of the subject
    ],
)
def test_the_subject_is_cut_off_its_carriers_and_off_the_readout(
    subject: str, read: str, cuts: tuple[str, ...]
) -> None:
    made = frozenset({"CDK2_free", "CDKN1A", "CDK2"})
    rule = {"act_CDK2": made | {"act_CDK2"}, "CDKN1A": frozenset({"CDKN1A"}), "RB1": frozenset({"RB1"})}
    rule |= {"share": frozenset({"share", "E2F1"})}
    steps = {"R": Step("R", "RB1 → RB1_p", ("RB1", "RB1_p"), {"act_CDK2": made}, ("A-01",))}
    readouts = {f"activity__{read}": Step(f"activity__{read}".replace(":", "_"), acting=rule)}
    trial = {
        "cells": "lung_carcinoma",
        "arms": {"reference": [], "test": [{"overexpress": "CDKN1A"}]},
        "assay": "phospho_blot",
        "readout": {"measure": "activity", "of": [read]},
    }
    relation = {"subject": [subject], "predicate": "inhibits", "object": ["RB1"]}
    found = mechanism_of(_claim("A-01", relation=relation, trial=trial), steps, load_vocabulary(), readouts)
    assert found.cuts == cuts


GRAPH = SignedGraph(
    {
        "drug": (("kinase", -1),),
        "kinase": (("target", 1), ("loss", 1)),
        "loss": (("slow", -1),),
        "slow": (("target", 1),),
        "up": (("tie", 1), ("other", -1)),
        "other": (("tie", 1),),
        "both": (("x", 1), ("y", -1)),
        "x": (("z", 1),),
        "y": (("z", 1),),
    },
    {},
)


@pytest.mark.parametrize("sign", [shortest_sign, walk_sign])
def test_signs_are_carried_along_the_paths(sign: Any) -> None:
    assert sign(GRAPH, {"drug": 1}, [("target", 1)]) == -1
    assert sign(GRAPH, {"drug": -1}, [("target", 1)]) == 1
    assert sign(GRAPH, {"drug": 1}, [("target", -1)]) == 1
    assert sign(GRAPH, {"target": 1}, [("drug", 1)]) == 0
    assert sign(GRAPH, {"both": 1}, [("z", 1)]) is None
    assert sign(GRAPH, {"up": 1}, [("tie", 1)]) == 1
