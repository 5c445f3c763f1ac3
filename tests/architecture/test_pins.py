"""Pins: exact, sorted, without addresses, and the ones that are installed."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import distributions

import pin
from architecture.source import ROOT

project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PINS: list[str] = project["tool"]["uv"]["constraint-dependencies"]

LOCK = """
[[package]]
name = "haptos"
version = "0.1.0"
source = { editable = "." }

[[package]]
name = "b"
version = "2.0"
source = { registry = "an address" }

[[package]]
name = "c"
version = "1.0"

[[package]]
name = "c"
version = "1.1"

[[package]]
name = "a"
version = "1"
"""


def test_pins_are_exact_names_and_versions_in_order() -> None:
    assert len(PINS) > 50
    assert sorted(PINS, key=lambda p: p.split("==")[0]) == PINS
    assert [p for p in PINS if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*==[0-9][A-Za-z0-9.+!]*", p)] == []


def test_what_is_installed_is_what_is_pinned() -> None:
    pinned = dict(p.split("==") for p in PINS)
    installed = {re.sub(r"[-_.]+", "-", d.metadata["Name"]).lower(): d.version for d in distributions()}
    both = pinned.keys() & installed.keys()
    assert len(both) > 20
    assert {n: (pinned[n], installed[n]) for n in both if pinned[n] != installed[n]} == {}


def test_every_dependency_is_pinned() -> None:
    names = {p.split("==")[0] for p in PINS}
    extras = [d for group in project["project"]["optional-dependencies"].values() for d in group]
    wanted = [re.match(r"[A-Za-z0-9._-]+", d) for d in [*project["project"]["dependencies"], *extras]]
    assert {re.sub(r"[-_.]+", "-", w.group()).lower() for w in wanted if w} <= names


def test_the_tool_takes_names_and_versions_only() -> None:
    assert pin.pins_of(LOCK) == ["a==1", "b==2.0"]


def test_pinning_twice_replaces_the_block_and_keeps_the_rest() -> None:
    text = "[project]\nname = 'x'\n"
    once = pin.with_pins(text, ["a==1", "b==2"])
    twice = pin.with_pins(once + "\n[tool.other]\n", ["a==3"])
    assert tomllib.loads(twice)["tool"]["uv"]["constraint-dependencies"] == ["a==3"]
    assert twice.startswith(text)
    assert "[tool.other]" in twice
