"""One model: no cell, experiment, agent, mutant or claim touches a rate constant.

A rate constant is any number of ``library/parameters`` and of ``library/integrins``. Two sides
are looked at: what the files of the library say, and what comes out when every trial of the
library is translated for the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

import pytest

from haptos.conditions.interventions import SwapCells
from haptos.core.located import parse_yaml
from haptos.core.parameters import load_table
from haptos.evidence.library import load_library
from haptos.lab.experiments import example_text, examples, parse_experiment
from haptos.signalling.actions import changes_of_arm, surroundings_of
from haptos.signalling.actions.change import Change
from haptos.signalling.building.integrins import heterodimers
from haptos.signalling.building.modules import ON_DEMAND
from haptos.signalling.building.parameters import handles, load_parameters
from haptos.signalling.cells import cell_line, cell_lines
from haptos.signalling.model import model

LIBRARY = resources.files("haptos.library")
FOLDERS = ("cells", "compounds", "ligands", "variants", "experiments", "claims", "validation")
#: Set by the culture, not by the cell: what the medium holds. No constant of any reaction, and known exactly.
SURROUNDINGS = frozenset(load_table("surroundings"))


@cache
def rate_constants() -> frozenset[str]:
    return frozenset(load_parameters()) - SURROUNDINGS


def files() -> list[Any]:
    found = [f for folder in FOLDERS for f in (LIBRARY / folder).iterdir() if f.name.endswith(".yaml")]
    return sorted(found, key=str)


def scalars(data: Any) -> Iterator[str]:
    """Yield every key and every text of a document."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield str(key)
            yield from scalars(value)
    elif isinstance(data, list | tuple):
        for value in data:
            yield from scalars(value)
    elif isinstance(data, str):
        yield data


def named_rates(data: Any) -> set[str]:
    return set(scalars(data)) & rate_constants()


@pytest.mark.parametrize("file", files(), ids=lambda f: f"{f.parent.name}/{f.name}")
def test_no_file_of_experiments_cells_or_claims_names_a_rate_constant(file: Any) -> None:
    assert named_rates(parse_yaml(file.read_text(encoding="utf-8"), name=file.name).data) == set()


def test_the_check_of_files_can_fail() -> None:
    assert len(rate_constants()) > 500
    cell = {"cells": [{"id": "x", "expression": {"ILK": 2.0}, "totals": {"kcat_ILK_S473": 1.0}}]}
    assert named_rates(cell) == {"kcat_ILK_S473"}
    assert named_rates({"arms": {"a": [{"set_expression": "KD_ITGA5_ITGB1_FN1", "fold": 2}]}})


def test_surroundings_are_few_and_without_spread() -> None:
    assert {name: p.spread for name, p in load_table("surroundings").items()} == {"growth_factor": 0.0, "zinc": 0.0}


def test_no_handle_looks_like_a_rate_constant() -> None:
    """What experiments act on is told by its name, and no table has such a name."""
    assert [name for name in rate_constants() if "__" in name] == []
    assert [kind for kind in handles() if kind in rate_constants()] == []


def arms() -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Yield cells and interventions of every arm of every trial and example."""
    for claim in load_library().claims():
        if claim.trial is not None:
            yield from ((claim.trial.cells, arm) for arm in claim.trial.arms.values())
    for name in examples():
        experiment = parse_experiment(example_text(name), name=name).experiment
        yield from ((experiment.cells, (*experiment.shared, *arm)) for arm in experiment.arms.values())


@cache
def changes() -> tuple[Change, ...]:
    offered = model(frozenset({*heterodimers(), *ON_DEMAND})).offered
    found: list[Change] = []
    for cells, steps in arms():
        swapped = [s.swap_cells for s in steps if isinstance(s, SwapCells)] or [cells]
        expression = cell_line(swapped[-1]).expression if swapped[-1] in cell_lines() else {}
        found += changes_of_arm(steps, offered, expression)[0]
    return tuple(found)


def forbidden(found: Iterator[Change]) -> set[str]:
    """Return what changes act on that is neither a handle nor a solute nor the medium."""
    medium = {*model(frozenset({*heterodimers(), *ON_DEMAND})).medium, *SURROUNDINGS, "medium"}
    return {c.name for c in found if c.name not in medium and c.name.partition("__")[0] not in handles()}


def test_interventions_act_on_handles_and_on_the_medium_only() -> None:
    assert len(changes()) > 500
    assert forbidden(iter(changes())) == set()
    assert {c.name for c in changes() if c.how == "dose"} <= set(model(frozenset({*heterodimers(), *ON_DEMAND})).medium)


def test_the_check_of_interventions_can_fail() -> None:
    assert forbidden(iter([Change("set", "kcat_ILK_S473", 1.0), Change("dose", "RELA_mRNA", 1.0)])) == {
        "kcat_ILK_S473",
        "RELA_mRNA",
    }


def test_cells_and_their_surroundings_set_handles_only() -> None:
    for name, cell in cell_lines().items():
        assert {handle.partition("__")[0] for handle in cell.settings()} <= set(handles()), name
        culture = surroundings_of(cell.normal) if cell.normal is not None else {}
        assert {n for n in culture if n.partition("__")[0] not in handles()} <= SURROUNDINGS, name
