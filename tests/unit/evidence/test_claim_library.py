"""The claims and the vocabulary that ship with haptos: complete, closed and able to fail."""

from __future__ import annotations

from collections import Counter
from functools import cache
from importlib.resources import files
from typing import Any, cast

import pytest
from pydantic import ValidationError

from haptos.conditions.catalogue import load_catalogue
from haptos.conditions.interventions import Intervention, SwapCells
from haptos.core.identifiers import is_gene_symbol
from haptos.core.located import parse_yaml
from haptos.core.specs import KnownName
from haptos.evidence.claims import Claim, Conflict, Readout, TextError, Trial
from haptos.signalling.cells import cell_lines

LIBRARY = files("haptos") / "library"
PER_SYSTEM = {
    "S1": 25, "S2": 26, "S3": 11, "S4": 63, "S5": 49, "S6": 43, "S7": 16,
    "S8": 31, "S9": 56, "S10": 18, "S11": 39, "S12": 36, "S13": 27, "S14": 11,
}  # fmt: skip


@cache
def raw(folder: str, name: str, key: str) -> tuple[dict[str, Any], ...]:
    file = LIBRARY / folder / name
    return tuple(parse_yaml(file.read_text(encoding="utf-8"), name=name).data[key])


@cache
def vocabulary(key: str) -> dict[str, dict[str, Any]]:
    return {term["id"]: term for term in raw("vocabulary", f"{key}.yaml", key)}


def claim_files() -> list[str]:
    return sorted(f.name for f in (LIBRARY / "claims").iterdir() if f.name.startswith("S"))


@cache
def claims() -> dict[str, Claim]:
    catalogue = load_catalogue()
    records = [record for name in claim_files() for record in raw("claims", name, "claims")]
    found = [Claim.model_validate(record, context=catalogue) for record in records]
    assert len({c.id for c in found}) == len(found)
    return {c.id: c for c in found}


def arms(trial: Trial) -> dict[str, tuple[Intervention, ...]]:
    return cast("dict[str, tuple[Intervention, ...]]", trial.arms)


def steps(trial: Trial) -> list[Intervention]:
    return [step for arm in arms(trial).values() for step in arm]


def trials() -> list[tuple[Claim, Trial]]:
    return [(c, c.trial) for c in claims().values() if c.trial is not None]


def readouts() -> list[tuple[Claim, Trial, Readout]]:
    return [(c, t, t.readout) for c, t in trials() if t.readout is not None]


def test_every_claim_of_the_sources_is_there() -> None:
    assert Counter(c.system for c in claims().values()) == PER_SYSTEM
    assert Counter(c.source for c in claims().values()) == {
        "zhao2013": 22, "helbig2003": 27, "jci2002-invasive-growth": 402,
    }  # fmt: skip
    assert Counter(c.priority for c in claims().values()) == {1: 204, 2: 213, 3: 34}
    assert sum(c.untestable is not None for c in claims().values()) == 15


@pytest.mark.parametrize("name", claim_files())
def test_each_file_holds_one_system_in_the_order_of_the_source(name: str) -> None:
    records = [claims()[r["id"]] for r in raw("claims", name, "claims")]
    assert {c.system for c in records} == {f"S{int(name[1:3])}"}
    series = [c.id.rpartition("-") for c in records]
    for prefix in {p for p, _, _ in series}:
        numbers = [int(n) for p, _, n in series if p == prefix]
        assert numbers == sorted(numbers)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("relation", "subject"), ["ILKK"]),
        (("relation", "predicate"), "upregulate"),
        (("trial", "cells"), "lung_cancer"),
        (("trial", "assay"), "westernblot"),
        (("trial", "readout", "measure"), "levels"),
        (("trial", "arms", "test"), [{"knockdown": "p65"}]),
        (("expect", "reference"), "untreated"),
        (("system",), "S15"),
    ],
)
def test_a_changed_record_is_refused(path: tuple[str, ...], value: Any) -> None:
    def changed(record: Any, keys: tuple[str, ...]) -> Any:
        return {**record, keys[0]: changed(record[keys[0]], keys[1:])} if keys else value

    record = next(r for r in raw("claims", claim_files()[0], "claims") if r["id"] == "ZHAO-18")
    Claim.model_validate(record, context=load_catalogue())
    with pytest.raises(ValidationError):
        Claim.model_validate(changed(record, path), context=load_catalogue())


def test_measures_belong_to_their_assay() -> None:
    allowed = {a: {m["id"] for m in term["measures"]} for a, term in vocabulary("assays").items()}
    assert not [c.id for c, trial, readout in readouts() if readout.measure not in allowed[trial.assay]]


def test_every_assay_is_used_and_only_library_checks_read_nothing() -> None:
    for_experimenters = {"elisa"}
    assert {t.assay for _, t in trials()} == set(vocabulary("assays")) - for_experimenters
    assert {t.assay for _, t in trials() if t.readout is None} == {"registry_check"}
    assert all((t.cells == "model_registry") == (t.assay == "registry_check") for _, t in trials())


def test_arms_differ_and_each_is_compared() -> None:
    for claim, trial in trials():
        assert claim.expect is not None
        assert set(trial.arms) == set(claim.expect.arms()), claim.id
        assert len({repr(arm) for arm in trial.arms.values()}) == len(trial.arms), claim.id


def test_common_surroundings_stand_in_the_culture() -> None:
    for claim, trial in trials():
        if len(trial.arms) < 2:
            continue
        places = [{repr(s) for s in arm if s.verb in ("plate_on", "embed_in")} for arm in arms(trial).values()]
        assert not set.intersection(*places), claim.id


def test_an_expectation_with_its_own_controls_names_one_for_each_arm() -> None:
    claim = claims()["AFFSIG-33"]
    assert claim.expect is not None
    assert claim.expect.outcome == "abolished"
    assert claim.expect.induced() == (
        ("pro_B_HRAS_PI3K", "pro_B_HRAS", "pro_B"),
        ("myeloid_RRAS_PI3K", "myeloid_RRAS", "myeloid"),
    )
    record = claim.model_dump(mode="json", exclude_none=True)
    with pytest.raises(ValidationError, match="one entry for each"):
        Claim.model_validate({**record, "expect": {**record["expect"], "controls": ["pro_B"]}})


def test_conflicts_and_misprints_are_symmetric() -> None:
    catalogue = load_catalogue()
    conflicts = [Conflict.model_validate(r, context=catalogue) for r in raw("claims", "conflicts.yaml", "conflicts")]
    errors = [TextError.model_validate(r, context=catalogue) for r in raw("claims", "text_errors.yaml", "text_errors")]
    assert [k.id for k in conflicts] == [f"K{n:02}" for n in range(1, 44)]
    assert [t.id for t in errors] == [f"T{n:02}" for n in range(1, 24)]
    assert {(c.id, k) for c in claims().values() for k in c.conflicts} == {
        (name, k.id) for k in conflicts for name in (*k.side_a, *k.side_b)
    }
    assert {(c.id, t) for c in claims().values() for t in c.text_errors} == {
        (name, t.id) for t in errors for name in t.claims
    }
    assert not [k.id for k in conflicts if set(k.side_a) & set(k.side_b)]


def test_every_entity_is_used_and_every_member_is_known() -> None:
    entities = vocabulary("entities")
    used = {name for c in claims().values() for name in named(c)}
    for _ in entities:
        more = {m for name in used for m in entities[name].get("members", ())} - used
        if not more:
            break
        used |= more
    assert used <= set(entities)
    for_experimenters = {name for name in set(entities) - used if entities[name].get("roles")}
    only_read = {"NFKB_reporter", "RELA_pS536", "NFKBIA_pS32", "AKT1_pT308", "GSK3B_pS9", "JUN_pS63", "MAPK8_pT183"}
    assert set(entities) - used - for_experimenters == only_read


def named(claim: Claim) -> set[str]:
    """Return the entities a claim names, whatever the field."""
    relation = claim.relation
    found = {*relation.subject, *relation.object, *relation.of, *relation.where, *relation.via, *relation.induced_by}
    found |= {claim.context} - {None}  # type: ignore[arg-type]
    found |= set(getattr(claim.expect, "of", ()))
    if claim.trial is None:
        return found
    if claim.trial.culture is not None and "coating" in claim.trial.culture.model_fields_set:
        found.add(claim.trial.culture.coating)
    if claim.trial.readout is not None:
        found |= {*claim.trial.readout.of, *claim.trial.readout.over}
    return found | {step.target for step in steps(claim.trial) if step.target in vocabulary("entities")}


def test_roles_cover_what_experiments_do() -> None:
    roles = {name: set(term.get("roles", ())) for name, term in vocabulary("entities").items()}
    for claim, trial in trials():
        for step in steps(trial):
            kinds = [m.kind for m in type(step).model_fields[step.verb].metadata if isinstance(m, KnownName)]
            if kinds and kinds != ["cells"]:
                assert kinds[0] in roles[step.target], (claim.id, step.target)


def test_small_vocabularies_hold_nothing_unused() -> None:
    assert {c.relation.predicate for c in claims().values()} == set(vocabulary("predicates"))
    swapped = {s.swap_cells for _, t in trials() for s in steps(t) if isinstance(s, SwapCells)}
    for_experimenters = {name for name, term in vocabulary("cells").items() if term["kind"] == "cell_line"}
    for_experimenters |= set(cell_lines())  # whatever the library describes can be used
    used = {t.cells for _, t in trials()} | swapped
    assert used <= set(vocabulary("cells"))
    assert set(vocabulary("cells")) - used <= for_experimenters
    counted = {c.expect.registry for c in claims().values() if c.expect is not None and c.expect.outcome == "count"}
    assert counted == set(vocabulary("registries"))


def test_genes_have_symbols_and_integrins_their_subunits() -> None:
    terms = vocabulary("entities")
    genes = {name for name, term in terms.items() if term["kind"] == "gene" and "symbol" not in term}
    assert [name for name, term in terms.items() if term["kind"] == "gene" and "symbol" in term] == ["TAP-20"]
    assert not [name for name in genes if not is_gene_symbol(name)]
    assert {vocabulary("entities")[name]["curie"] for name in genes} == {f"hgnc.symbol:{name}" for name in genes}
    heterodimers = vocabulary("entities")["integrins"]["members"]
    assert len(heterodimers) == len(set(heterodimers)) == 24
    assert all(name.split(":") == vocabulary("entities")[name]["members"] for name in heterodimers)
    subunits = {unit for name in heterodimers for unit in name.split(":")}
    assert subunits == set(vocabulary("entities")["integrin_subunits"]["members"])
    assert Counter(unit[:4] for unit in subunits) == {"ITGA": 18, "ITGB": 8}


def test_what_was_added_to_a_source_is_marked() -> None:
    for claim, trial in trials():
        times = [s for s in steps(trial) if {"at", "until"} & s.model_fields_set]
        timed = trial.readout is not None and trial.readout.at is not None
        if times or timed:
            assert "time" in claim.assumed, claim.id
        amounts = [getattr(s, f) for s in steps(trial) for f in ("dose", "fold") if f in s.model_fields_set]
        if any(float(amount) != 0 for amount in amounts):
            assert "dose" in claim.assumed, claim.id


def test_abolished_parts_that_a_stimulus_induces_have_a_control() -> None:
    for claim, _ in trials():
        if claim.expect is not None and claim.expect.outcome == "abolished" and claim.relation.induced_by:
            assert claim.expect.control is not None or claim.expect.controls, claim.id
