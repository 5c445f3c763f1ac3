"""Batches of conditions and populations: the same bits however they are put together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from haptos.conditions.experiment import Culture
from haptos.core.packing import pack
from haptos.errors import ModelError, Status
from haptos.signalling import cell
from haptos.signalling import model as shared
from haptos.signalling.cell import preculture, simulate, simulate_batch, simulate_vectors
from haptos.signalling.condition import Condition, Outcomes, Population
from haptos.signalling.ensemble import member_vector
from haptos.signalling.model import model
from haptos.signalling.schedule import ADAPTING, model_of, schedule_of

READ = ("level__ILK", "mrna__RELA", "pro__MMP9", "activity__IKBKB")
DONE = ((), ({"add": "TNF", "at": "6 h"},), ({"overexpress": "ILK"},), ({"knockdown": "RELA", "at": "-24 h"},),
        ({"overexpress": "ILK"}, {"treat": "BAY-11-7082", "at": "2 h"}))  # fmt: skip
WHO = (Population(3), Population(None, 0), Population(), Population(7), Population(None, 2), *map(Population, range(8)))


def condition(*steps: dict[str, str], **more: object) -> Condition:
    given = {"culture": Culture(), "cells": "lung_carcinoma", "times": (0.0, 720.0), "quantities": READ, **more}
    return Condition(interventions=steps, **given)


CONDITIONS = [condition(*steps) for steps in DONE]


def same(a: Outcomes, b: Outcomes, rows: list[int]) -> bool:
    return all(np.array_equal(a.quantities[q][rows], b.quantities[q]) for q in READ)


@pytest.fixture(scope="module")
def whole() -> list[Outcomes]:
    return simulate_batch(CONDITIONS, WHO, seed=5)


def test_a_batch_is_its_single_simulations(whole: list[Outcomes]) -> None:
    for c, p in ((0, 0), (1, 1), (2, 4), (3, 2), (4, 12)):
        alone = simulate(CONDITIONS[c], member=WHO[p].member, seed=5, replicate=WHO[p].replicate)
        found = whole[c][p]
        assert found.status is alone.status is Status.OK
        assert found.parameters == alone.parameters
        assert found.geometry == alone.geometry
        for q in READ:
            assert np.array_equal(found.quantities[q], alone.quantities[q])


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_order_and_threads_change_no_bit(whole: list[Outcomes], threads: int) -> None:
    rows = [int(i) for i in np.random.default_rng(threads).permutation(len(WHO))]
    shuffled = simulate_batch(CONDITIONS[::-1], [WHO[i] for i in rows], seed=5, threads=threads)
    for a, b in zip(whole, shuffled[::-1], strict=True):
        assert same(a, b, rows)


def test_repeats_depend_on_the_seed_and_members_do_not(whole: list[Outcomes]) -> None:
    [other] = simulate_batch(CONDITIONS[:1], WHO, seed=6)
    varied = [i for i, p in enumerate(WHO) if p.replicate is not None]
    equal = [bool(np.array_equal(whole[0][i].quantities["level__ILK"], other[i].quantities["level__ILK"]))
             for i in range(len(WHO))]  # fmt: skip
    assert [i for i, e in enumerate(equal) if not e] == varied


def test_conditions_share_what_is_the_same_before_their_first_event() -> None:
    keys = [preculture(c) for c in CONDITIONS]
    assert keys[0] == keys[1] == keys[3]
    assert keys[2] == keys[4] != keys[0]
    assert preculture(condition(times=(0.0, 5.0))) == keys[0]
    for other in ({"culture": Culture(density="1e6 / mL")}, {"cells": "T_cell"}):
        assert preculture(condition(**other)) not in keys


def test_cells_settle_in_their_normal_culture_and_change_it_a_day_before() -> None:
    """The culture of the experiment does not decide the settled state, but what comes after."""
    starved = condition(culture=Culture(serum="0 %"), times=(0.0,))
    assert preculture(starved) == preculture(CONDITIONS[0])
    schedules = [schedule_of(c, model_of(c)) for c in (starved, CONDITIONS[0])]
    assert [s.borders[0] for s in schedules] == [ADAPTING, 0.0]
    assert schedules[0].home["growth_factor"] == schedules[1].culture["growth_factor"] == 1.0
    assert schedules[0].culture["growth_factor"] == 0.0
    fed, hungry = (simulate(c, member=None, seed=1, replicate=None) for c in (CONDITIONS[0], starved))
    assert hungry.quantities["activity__IKBKB"][0] != pytest.approx(fed.quantities["activity__IKBKB"][0], rel=1e-3)


def test_each_preculture_is_settled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    settled: list[str] = []
    original = cell._settle
    monkeypatch.setattr(cell, "_settle", lambda s, *rest: settled.append(s.preculture) or original(s, *rest))
    simulate_batch(CONDITIONS, WHO[:2], seed=1)
    assert len(settled) == len(set(settled)) == 2


def test_a_population_that_cannot_settle_takes_no_other_with_it() -> None:
    vectors = np.array([member_vector(m) for m in (0, 1, 2)])
    good = simulate_vectors(CONDITIONS[:2], vectors)
    vectors[1] = np.nan
    bad = simulate_vectors(CONDITIONS[:2], vectors)
    for a, b in zip(good, bad, strict=True):
        assert [Status(int(s)) for s in b.status] == [Status.OK, Status.NON_FINITE, Status.OK]
        assert np.isnan(b.quantities["level__ILK"][1]).all()
        for q in READ:
            assert np.array_equal(a.quantities[q][[0, 2]], b.quantities[q][[0, 2]])


def test_a_condition_that_cannot_be_expressed_is_refused_before_anything_is_simulated() -> None:
    with pytest.raises(ModelError, match="no cell line file for HeLa_x"):
        simulate_batch([*CONDITIONS, condition(cells="HeLa_x")], WHO, seed=1)


def test_the_compiled_model_is_kept_and_comes_back_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAPTOS_CACHE", str(tmp_path))
    for function in (shared.model, shared.composed_sbml):
        function.cache_clear()
    compiled = pack(model())
    for function in (shared.model, shared.composed_sbml):
        function.cache_clear()
    assert pack(shared.model()) == compiled
    kept = sorted((tmp_path / "models").glob("*.kept"))
    assert len(kept) == 2
    monkeypatch.setattr(shared, "compile_network", None)  # not compiled again
    shared.model.cache_clear()
    assert pack(shared.model()) == compiled
    monkeypatch.undo()
    monkeypatch.setenv("HAPTOS_CACHE", str(tmp_path))
    for file in kept:
        file.write_bytes(file.read_bytes()[:-5])
    for function in (shared.model, shared.composed_sbml):
        function.cache_clear()
    assert pack(shared.model()) == compiled, "damaged files are built anew"
