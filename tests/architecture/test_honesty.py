"""Rules that are never bent: one model for all cells, and results that know no claim."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

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
