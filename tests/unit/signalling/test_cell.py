"""Simulating a condition: schedule, doses, variation, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from haptos.conditions.experiment import Culture
from haptos.errors import ModelError, Status
from haptos.signalling import model as model_module
from haptos.signalling.building.modules import ON_DEMAND
from haptos.signalling.building.parameters import load_parameters
from haptos.signalling.cell import expressibility, simulate
from haptos.signalling.cells import cell_line, cell_lines
from haptos.signalling.condition import Condition
from haptos.signalling.model import _deciding_files, composition, fingerprint
from unit.signalling.repertoires import SEVERAL, cells_by_repertoire, repertoire_of

READ = (
    "level__ILK",
    "level__RELA",
    "mrna__RELA",
    "level__MMP9",
    "pro__MMP9",
    "activity__IKBKB",
    "nuclear__RELA",
    "phosphorylation__AKT1",
)


def condition(*interventions, times=(0.0, 720.0, 1440.0), cells="lung_carcinoma", **more):
    return Condition(cells=cells, culture=Culture(), interventions=interventions, times=times, quantities=READ, **more)


def run(*interventions, replicate=None, seed=1, **more):
    return simulate(condition(*interventions, **more), member=None, seed=seed, replicate=replicate)


def test_overexpression_raises_the_protein_by_its_fold():
    control, high = run(), run({"overexpress": "ILK", "fold": 5})
    assert control.status is Status.OK
    assert high.quantities["level__ILK"] / control.quantities["level__ILK"] == pytest.approx(5.0, rel=1e-4)


def test_a_lost_tumour_suppressor_can_be_put_back_by_overexpression():
    null = {"cells": "prostate_carcinoma_PTEN_null"}
    control, restored = run(**null), run({"overexpress": "PTEN"}, **null)
    assert restored.quantities["phosphorylation__AKT1"][-1] < 0.7 * control.quantities["phosphorylation__AKT1"][-1]


def test_sirna_lowers_mrna_at_once_and_protein_later():
    control, silenced = run(), run({"knockdown": "RELA", "remaining": "20 %", "at": "0 h"})
    mrna = silenced.quantities["mrna__RELA"] / control.quantities["mrna__RELA"]
    protein = silenced.quantities["level__RELA"] / control.quantities["level__RELA"]
    assert mrna[0] == pytest.approx(1.0, rel=1e-4)
    assert mrna[-1] == pytest.approx(0.2, rel=0.02)
    assert protein[0] == pytest.approx(1.0, rel=1e-4)
    assert 0.4 < protein[-1] < 0.9


def test_a_compound_acts_only_from_its_time_on():
    late = run({"treat": "BAY-11-7082", "at": "12 h"}).quantities["activity__IKBKB"]
    control = run().quantities["activity__IKBKB"]
    assert late[:2] == pytest.approx(control[:2], rel=1e-4)
    assert late[2] < 0.3 * control[2]


def test_washing_out_ends_a_dose():
    times = (0.0, 30.0, 120.0, 600.0)
    washed = run({"add": "TNF", "until": "30 min"}, times=times).quantities["activity__IKBKB"]
    kept = run({"add": "TNF"}, times=times).quantities["activity__IKBKB"]
    assert washed[1] == pytest.approx(kept[1], rel=1e-3)
    assert washed[2] < kept[2]


def test_fresh_medium_starts_without_secreted_protein():
    fresh, conditioned = run(fresh_medium=True), run()
    assert fresh.quantities["pro__MMP9"][0] == 0.0
    assert conditioned.quantities["pro__MMP9"][0] > fresh.quantities["pro__MMP9"][-1]


def test_biological_repeats_differ_and_are_paired():
    first, second = (run(replicate=r).quantities["level__ILK"][-1] for r in (0, 1))
    high = run({"overexpress": "ILK", "fold": 5}, replicate=0).quantities["level__ILK"][-1]
    assert first != second
    assert high / first == pytest.approx(5.0, rel=1e-4)
    assert run(replicate=0).quantities["level__ILK"][-1] == first
    assert run(replicate=0, seed=2).quantities["level__ILK"][-1] != first


def test_swapped_cells_replace_the_cells_of_the_condition():
    swapped = run({"swap_cells": "fibroblast"})
    assert np.array_equal(swapped.quantities["level__ILK"], run(cells="fibroblast").quantities["level__ILK"])


def test_every_reason_is_collected():
    steps = ({"overexpress": "FOO"}, {"set_heterogeneity": "cells", "fold": 2})
    wrong = condition(*steps).model_copy(update={"quantities": ("mrna__FOO", "mrna__BAR")})
    reasons = expressibility(wrong)
    assert len(reasons) == 4
    for part in ("overexpress FOO", "tissue or host room", "no mrna of FOO", "no mrna of BAR"):
        assert part in "\n".join(reasons)
    with pytest.raises(ModelError, match="cannot be simulated"):
        simulate(wrong, member=None, seed=1, replicate=None)


def test_nowhere_to_be_and_nothing_to_be_on_is_said_first():
    wrong = Condition(cells="HeLa_x", culture=Culture(coating="jelly"), times=(0.0,), quantities=READ)
    reasons = expressibility(wrong)
    assert reasons == ["no cell line file for HeLa_x", "the coating 'jelly' is not in the library yet"]
    with pytest.raises(ModelError, match=r"HeLa_x.*\n.*jelly"):
        simulate(wrong, member=None, seed=1, replicate=None)


@pytest.mark.parametrize("name", list(cell_lines()))
def test_every_cell_sets_only_what_the_model_offers(name):
    """What a cell has is in its own network or in modules on demand; what it lacks is in that of all heterodimers."""
    offered, widest = (
        set(composition(names).handles) for names in (repertoire_of(name) | set(ON_DEMAND), SEVERAL["all"])
    )
    settings = cell_line(name).settings()
    assert {handle for handle, value in settings.items() if value != 0} <= offered
    assert set(settings) <= widest


@pytest.mark.parametrize("name", list(cells_by_repertoire().values()))
def test_every_repertoire_can_be_simulated(name):
    found = run(cells=name)
    assert found.status is Status.OK
    assert all((np.isfinite(course) & (course >= 0.0)).all() for course in found.quantities.values())


def test_fingerprint_is_stable_within_a_process():
    assert fingerprint() == fingerprint()
    assert len(fingerprint()) == 16


@pytest.mark.parametrize(("change", "kept"), [({"note": "other words"}, True), ({"value": 2.0}, False)])
def test_what_is_compiled_is_kept_by_numbers_and_not_by_notes(monkeypatch, change, kept):
    before = model_module._deciding.__wrapped__()
    table = dict(load_parameters())
    name = next(iter(table))
    table[name] = table[name].model_copy(update=change)
    monkeypatch.setattr(model_module, "load_parameters", lambda: table)
    assert (model_module._deciding.__wrapped__() == before) is kept


def test_the_fingerprint_covers_the_members_and_not_what_is_told_of_them():
    names = [name for name, _ in _deciding_files()]
    assert "ensemble/members.csv" in names
    assert "cells/cells.yaml" in names
    assert not [name for name in names if name.endswith(".json")]
