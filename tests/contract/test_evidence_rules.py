"""Every rule of the evidence linter: named, explained, silent on a sound library, loud on a broken one."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from haptos.evidence.library import Library
from haptos.evidence.lint import RULES, Rule, lint

SOUND = Path(__file__).parents[1] / "unit" / "evidence" / "small_library"

CLAIM, HOST, TERMS = "claims/S01-small.yaml", "claims/S13-small.yaml", "vocabulary/entities.yaml"
NUMBERS = "quantities/small.yaml"

#: Rule: file, text, replacement, part of the message expected.
BREAKS: list[tuple[str, str, str, str, str]] = [
    ("readable", CLAIM, "priority: 1", "priority: 9", "9 is not known here"),
    ("readable", CLAIM, "outcome: increase, test: [test]", "outcome: increase, test: [tset]", "missing arms: tset"),
    ("readable", CLAIM, "claims:", "claims: [", "not valid YAML"),
    ("readable", NUMBERS, "NFKB: 1e5", "NFKB: '1e5'", "where a number is expected"),
    ("readable", CLAIM, "reference: reference}", "}", "either 'reference' or 'references'"),
    ("readable", CLAIM, "reference: reference}", "reference: null}", "in quotes, 'null'"),
    ("known-names", CLAIM, "subject: [ILK], predicate: upregulates", "subject: [IKL], predicate: upregulates", "'IKL'"),
    ("known-names", CLAIM, "cells: lung_carcinoma", "cells: lung_karcinoma", "'lung_karcinoma'"),
    ("known-names", CLAIM, "assay: western_blot", "assay: westernblot", "'westernblot'"),
    ("unique-ids", CLAIM, "id: ZHAO-02", "id: ZHAO-01", "claim ZHAO-01 stands twice"),
    ("unique-ids", TERMS, "id: RELA,", "id: ILK,", "term of entities ILK stands twice"),
    ("claim-prefix", CLAIM, "id: ZHAO-03", "id: VIVO-03", "does not belong to zhao2013"),
    ("numbered", CLAIM, "id: ZHAO-03", "id: ZHAO-third", "ZHAO-third is not of the form PREFIX-NN"),
    ("located", CLAIM, "lines: [[7, 7]]", "lines: [[7, 49]]", "lines 7 to 49"),
    ("located", CLAIM, "lines: [[3, 4]]", "lines: [[4, 3]]", "lines 4 to 3"),
    ("level-fits-room", HOST, "level: organism", "level: signalling", "the room host"),
    ("level-fits-room", CLAIM, "level: none", "level: tissue", "there is no trial"),
    ("measure-of-assay", HOST, "measure: metastases", "measure: level", "xenograft does not report 'level'"),
    ("measure-of-assay", HOST, "    readout: {measure: migrated}\n", "", "has no readout"),
    ("measure-of-assay", CLAIM, "assay: registry_check", "assay: western_blot", "a count belongs"),
    ("comparisons", CLAIM, "test: [{overexpress: ILK}]\n", "test: []\n", "do the same"),
    ("comparisons", CLAIM, "test: [test], reference: reference}\n", "test: [test], reference: test}\n", "itself"),
    ("comparisons", CLAIM, ", low: 1}", "}", "neither a lower nor an upper bound"),
    ("comparisons", CLAIM, ", low: 1}", ", low: 3, high: 2}", "above the upper bound"),
    ("comparisons", CLAIM, "increase, test: [test], reference: reference", "biphasic, test: [test]", "is scanned"),
    ("comparisons", CLAIM, "increase, test: [test], reference: reference", "rising, test: [test,test,test]", "itself"),
    ("used-arms", HOST, "test: [dox, ligand]", "test: [dox]", "does not use the arm 'ligand'"),
    ("conflict-links", CLAIM, "  conflicts: [K01]\n  text_errors", "  text_errors", "ZHAO-02 does not list K01"),
    ("conflict-links", "claims/conflicts.yaml", "side_b: [ZHAO-02]", "side_b: [ZHAO-99]", "unknown claim 'ZHAO-99'"),
    ("conflict-links", CLAIM, "conflicts: [K01]", "conflicts: [K07]", "unknown 'K07'"),
    ("conflict-sides", "claims/conflicts.yaml", "side_b: [ZHAO-02]", "side_b: [ZHAO-02, ZHAO-01]", "more than once"),
    ("text-error-links", CLAIM, "  text_errors: [T01]\n", "", "ZHAO-02 does not list T01"),
    ("gene-symbols", TERMS, "{id: RELA,", "{id: rela_p65,", "has not the form"),
    ("gene-symbols", TERMS, "id: RELA_pS536", "id: some_state", "does not begin or end"),
    ("known-terms", TERMS, "members: [MMP9]", "members: [MMP99]", "unknown member 'MMP99'"),
    ("known-terms", "vocabulary/predicates.yaml", "inverse: requires", "inverse: needs", "unknown inverse"),
    ("unique-aliases", TERMS, "aliases: [p65]", "aliases: [ILK]", "means both ILK and RELA"),
    ("curies", TERMS, "curie: hgnc.symbol:ILK", "curie: hgnc.symbol:PTK2", "names PTK2"),
    ("curies", TERMS, "chebi:50845", "cebi:50845", "unknown prefix"),
    ("unused-terms", "vocabulary/cells.yaml", "id: fibroblast,", "id: astrocyte,", "astrocyte (cells) is not used"),
    ("units", NUMBERS, "unit: molecules", "unit: frogs", "'frogs' is no unit"),
    ("units", NUMBERS, "level: uM", "level: not given", "is not given"),
    ("cited-sources", NUMBERS, "sources: [tay2010]", "sources: [tay2011]", "unknown source 'tay2011'"),
    ("cited-sources", NUMBERS, "  sources: [tay2010]\n  confidence: full", "  confidence: full", "no source"),
    ("cited-sources", NUMBERS, "obtained: recalled, ", "", "does not go with"),
    ("unused-references", "references.bib", "@article{tay2010,", "@article{tay2009,", "tay2009 is not cited"),
    ("validate-only", "parameters/small.yaml", "records: [tay-copies]", "records: [peak-time]", "for validation only"),
    ("retractions", "sources/sources.yaml", "status: none_found", "status: retracted", "was retracted"),
    ("retractions", "sources/sources.yaml", ", on: '2024-01-02'", "", "the day of the retraction check"),
]  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_is_named_explained_and_silent_on_a_sound_library(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.id)
    assert rule.severity in ("error", "warning")
    explanation = (type(rule).__doc__ or "").strip()
    assert explanation
    assert explanation.split("\n")[0].endswith(".")
    assert list(rule.check(Library(SOUND))) == []


def test_rules_differ_and_each_can_fail() -> None:
    names = [rule.id for rule in RULES]
    assert len(set(names)) == len(names)
    assert {rule for rule, *_ in BREAKS} == set(names)


@pytest.mark.parametrize(("rule", "file", "old", "new", "said"), BREAKS, ids=lambda value: str(value)[:24])
def test_a_broken_library_is_reported_with_its_place(
    tmp_path: Path, rule: str, file: str, old: str, new: str, said: str
) -> None:
    root = tmp_path / "broken"
    shutil.copytree(SOUND, root)
    text = (root / file).read_text(encoding="utf-8")
    assert old in text
    (root / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    found = [issue for issue in lint(Library(root, name="broken")) if issue.rule == rule]
    assert any(said in issue.message for issue in found), found
    for issue in found:
        assert re.match(r"broken/[\w/.-]+:\d+", issue.where), issue.where


def test_all_problems_are_reported_together(tmp_path: Path) -> None:
    root = tmp_path / "broken"
    shutil.copytree(SOUND, root)
    file = root / CLAIM
    text = file.read_text(encoding="utf-8")
    for old, new in (
        ("priority: 1", "priority: 9"),
        ("[[7, 7]]", "[[7, 49]]"),
        ("conflicts: [K01]", "conflicts: [K07]"),
    ):
        text = text.replace(old, new, 1)
    file.write_text(text, encoding="utf-8")
    found = lint(Library(root))
    assert {"readable", "located", "conflict-links"} <= {issue.rule for issue in found}
    lines = [(i.where.split(":")[0], int(i.where.split(":")[1].split(" ")[0])) for i in found]
    assert lines == sorted(lines)
