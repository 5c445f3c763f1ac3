"""Rules that are never bent: one model for all cells, and results that know no claim."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any, TypeGuard

import pytest

from architecture.source import SOURCE, Module, modules
from haptos.core.located import load_yaml

#: What a cell-line file may say: what a cell contains, where it is, and where that is known from.
CELL_KEYS = {
    "id", "label", "basis", "confidence", "source", "profile", "like", "normal",
    "expression", "endogenous", "constitutive", "mutations", "totals", "integrins",
    "volumes", "geometry", "culture", "surroundings",
}  # fmt: skip
RATE = re.compile(r"(^|_)(k|kcat|km|kd|kon|koff|vmax|v_max|rate|tau|half_life|hill|ec50|ic50)(_|\d|$)", re.IGNORECASE)
RESULT_ROOMS = (
    "assays",
    "conditions",
    "core",
    "host",
    "inference",
    "motility",
    "numerics",
    "signalling",
    "store",
    "tissue",
)
#: calibration uses outcomes of claims as declared terms of its objective, not to produce a result
READERS_OF_EXPECTATIONS = ("evidence", "lab", "cli", "web", "inference")


def room_of(module: Module) -> str:
    parts = module.path.relative_to(SOURCE).parts
    return parts[0] if len(parts) > 1 else ""


def cell_files() -> list[Any]:
    return sorted((SOURCE / "library" / "cells").glob("*.yaml"))


def claim_ids() -> set[str]:
    files = (SOURCE / "library" / "claims").glob("*.yaml")
    return {i for f in files for i in re.findall(r"\bid: ([A-Z][A-Z0-9]*-\d\d)\b", f.read_text(encoding="utf-8"))}


def keys_in(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield str(key)
            yield from keys_in(value)
    elif isinstance(data, list):
        for value in data:
            yield from keys_in(value)


@pytest.mark.parametrize("file", cell_files(), ids=lambda f: f.name)
def test_cells_differ_only_in_what_they_contain_and_where_they_are(file: Any) -> None:
    data = load_yaml(file).data
    assert set(data) <= {"version", "profiles", "cells"}
    for cell in (*data.get("profiles", ()), *data["cells"]):
        assert set(cell) <= CELL_KEYS, cell["id"]
        assert [key for key in keys_in(cell) if RATE.search(key)] == [], cell["id"]


def test_there_are_cells_and_claims_to_check() -> None:
    assert cell_files()
    assert len(claim_ids()) > 100


def test_the_check_for_rate_constants_can_fail() -> None:
    assert [k for k in ("k_on", "kcat", "half_life_IKBA", "vmax", "ILK", "PIK3CA", "MMP9") if RATE.search(k)] == [
        "k_on", "kcat", "half_life_IKBA", "vmax",
    ]  # fmt: skip


def literal_claims(module: Module, ids: set[str]) -> list[str]:
    """Return the claim ids in code; they may stand in docstrings."""
    documented = {
        id(node.body[0].value)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and ast.get_docstring(node) is not None
    }
    return [
        f"{module.place}:{node.lineno}: {node.value!r}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in documented
        and ids & set(re.findall(r"[A-Z][A-Z0-9]*-\d\d", node.value))
    ]


def test_what_computes_results_names_no_claim() -> None:
    ids = claim_ids()
    assert [hit for m in modules() if room_of(m) in RESULT_ROOMS for hit in literal_claims(m, ids)] == []


def test_the_check_for_claims_can_fail() -> None:
    text = "def f(c):\n    'As in X-01.'\n    return 3 if c == 'X-01' else 4\n"
    assert len(literal_claims(Module(SOURCE / "core" / "x.py", text, ast.parse(text)), {"X-01"})) == 1


def test_only_judges_read_expectations() -> None:
    read = [
        f"{module.place}:{node.lineno}"
        for module in modules()
        if room_of(module) not in READERS_OF_EXPECTATIONS
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr == "expect"
    ]
    assert read == []


#: What turns a trial into an experiment, and an experiment into readings: nothing is judged there yet.
BEFORE_JUDGING = ("chunks", "cost", "execute", "experiments", "outcome", "plan", "run", "simulator", "trials")
#: What says who a claim is, what it states or what is thought of it.
OF_A_CLAIM = {"id", "expect", "relation", "conflicts", "kind", "verdict"}


def peeking(module: Module) -> list[str]:
    """Return where a module reads who a claim is or what it expects, or knows how claims are judged."""
    read = [
        f"{module.place}:{node.lineno}: .{node.attr}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute)
        and (node.attr == "expect" or (node.attr in OF_A_CLAIM and ast.unparse(node.value).endswith("claim")))
    ]
    lines = {line for node in ast.walk(module.tree) if is_for_types(node) for line in range(node.lineno, end_of(node))}
    judges = ("haptos.evidence.judge", "haptos.evidence.library", "haptos.lab.reproduce", "haptos.lab.board")
    known = {line for name, line in module.imports() if name.startswith(judges) and line not in lines}
    return read + [f"{module.place}:{line}: imports a judge" for line in sorted(known)]


def is_for_types(node: ast.AST) -> TypeGuard[ast.If]:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def end_of(node: ast.If) -> int:
    return (node.end_lineno or node.lineno) + 1


def test_nothing_looks_at_a_claim_before_it_is_judged() -> None:
    before = [m for m in modules() if m.name in {f"haptos.lab.{name}" for name in BEFORE_JUDGING}]
    assert len(before) == len(BEFORE_JUDGING)
    assert [hit for module in before for hit in peeking(module)] == []


def test_the_check_for_looking_ahead_can_fail() -> None:
    text = "from haptos.evidence.judge import judge\ndef f(claim):\n    return claim.id, claim.expect, claim.trial\n"
    assert len(peeking(Module(SOURCE / "lab" / "x.py", text, ast.parse(text)))) == 3


def test_models_and_assays_never_import_the_evidence() -> None:
    rooms = {"assays", "conditions", "motility", "numerics", "signalling"}
    found = [
        m.name for m in modules() if room_of(m) in rooms for n, _ in m.imports() if n.startswith("haptos.evidence")
    ]
    assert found == []


def test_judging_is_blind_to_identifiers() -> None:
    """No code compares or looks up a claim by a literal identifier."""
    ids = claim_ids()
    for module in modules():
        compared = [
            node.lineno
            for node in ast.walk(module.tree)
            if isinstance(node, ast.Compare | ast.Subscript | ast.Dict | ast.Match)
            for part in ast.walk(node)
            if isinstance(part, ast.Constant) and part.value in ids
        ]
        assert compared == [], module.name
