"""Where things are: rooms, data, tests; and that the import rules speak of all rooms."""

from __future__ import annotations

import ast
import tomllib

import pytest

from architecture.source import ROOT, SOURCE, Module, modules

ROOMS = {
    "assays", "cli", "conditions", "core", "evidence", "exchange", "figures", "host", "inference", "lab", "library",
    "motility", "numerics", "screens", "signalling", "store", "tissue", "web",
}  # fmt: skip
KINDS = {"architecture", "contract", "e2e", "property", "reference", "statistical", "unit", "validation"}

rules = {
    rule["id"]: rule
    for rule in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
}


def rooms() -> set[str]:
    return {p.name for p in SOURCE.iterdir() if p.is_dir() and p.name != "__pycache__"}


def packages() -> list[Module]:
    return [m for m in modules() if m.path.name == "__init__.py"]


def test_rooms_are_those_of_the_design() -> None:
    assert rooms() <= ROOMS


def test_the_library_holds_data_only() -> None:
    code = [p for p in (SOURCE / "library").rglob("*.py") if p.name != "__init__.py"]
    assert code == []


def test_every_folder_of_modules_is_a_package() -> None:
    folders = {m.path.parent for m in modules()}
    assert [f for f in folders if not (f / "__init__.py").is_file()] == []


def test_every_package_says_what_it_is_for() -> None:
    assert [m.name for m in packages() if not ast.get_docstring(m.tree)] == []


def test_tests_are_arranged_by_kind_of_evidence() -> None:
    folders = {p.name for p in (ROOT / "tests").iterdir() if p.is_dir() and not p.name.startswith(".")}
    assert folders - {"__pycache__"} <= KINDS  # hidden folders are caches of tools, which git ignores


def test_unit_tests_mirror_the_rooms() -> None:
    folders = {p.name for p in (ROOT / "tests" / "unit").iterdir() if p.is_dir() and p.name != "__pycache__"}
    assert folders <= ROOMS


@pytest.mark.parametrize(
    ("rule", "excused"),
    [("drawing", {"figures"}), ("front", {"cli", "web"}), ("blind", {"evidence", "lab", "cli", "web"})],
)
def test_import_rules_leave_no_room_out(rule: str, excused: set[str]) -> None:
    named = {name.removeprefix("haptos.") for name in rules[rule]["source_modules"]}
    above = {"figures", "inference", "core", "errors"} if rule == "blind" else set()
    assert rooms() - {"library"} - excused - above <= named


def test_the_layers_are_exhaustive() -> None:
    assert rules["layers"]["exhaustive"] is True
    assert rules["layers"]["containers"] == ["haptos"]
