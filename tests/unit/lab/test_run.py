"""The whole path from an experiment to its run folder, with made-up cells."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from haptos.errors import ParameterError, SpecError, StoreError
from haptos.lab.chunks import Chunk, from_arrays, keys_in, to_arrays
from haptos.lab.plan import plan_experiment
from haptos.lab.progress import Silent
from haptos.lab.run import Bench, run_experiment
from haptos.signalling.condition import Population
from haptos.store.arrays import read_arrays
from haptos.store.checkpoints import Checkpoints
from haptos.store.files import checksums
from haptos.store.manifest import damage


def _data(folder: Path) -> dict[str, str]:
    """Return the checksums of everything but what says when it was made."""
    return checksums(folder, leave_out=frozenset({"manifest.json", "log.txt"}))


def test_a_run_folder_holds_everything(bench: Bench, asked: Any) -> None:
    result = run_experiment(asked.experiment, bench, file=asked)
    assert not result.reused
    assert not result.failed
    assert damage(result.folder) == []
    present = {p.relative_to(result.folder).as_posix() for p in result.folder.rglob("*") if p.is_file()}
    for name in (
        "manifest.json",
        "experiment.yaml",
        "log.txt",
        "report.html",
        "figures/figure.svg",
        "figures/figure.png",
    ):
        assert name in present
    for name in ("values", "summary", "comparisons", "ensemble", "folds"):
        assert {f"tables/{name}.csv", f"tables/{name}.parquet"} <= present
    assert (result.folder / "experiment.yaml").read_text() == asked.text
    assert len(result.tables["values"]) == 3 * 3 * 2 * 2
    assert len(result.tables["ensemble"]) == 3 * 5 * 2
    assert set(result.tables["comparisons"]["test"]) == {"ILK", "both"}


def test_the_numbers_follow_the_cells(bench: Bench, asked: Any) -> None:
    tables = run_experiment(asked.experiment, bench).tables
    folds = tables["folds"].set_index(["test", "against", "of"])
    assert folds.loc[("ILK", "vector", "ILK"), "median"] == pytest.approx(4.0)
    assert folds.loc[("ILK", "vector", "MMP9"), "median"] == pytest.approx(1 + 0.9 * 3)
    assert folds.loc[("ILK", "vector", "MMP9"), "low"] < folds.loc[("ILK", "vector", "MMP9"), "high"]
    ensemble = tables["ensemble"].set_index(["arm", "member", "of"])["value"]
    assert ensemble["ILK", 0, "MMP9"] == pytest.approx(1 + 0.5 * 3)
    values = tables["values"]
    vector = values[(values["arm"] == "vector") & (values["of"] == "ILK")].groupby("replicate")["value"].mean()
    assert vector.mean() == pytest.approx(1.0), "values are relative to the first arm"


def test_a_finished_run_is_verified_and_shown_again(bench: Bench, asked: Any, cells: Any) -> None:
    first = run_experiment(asked.experiment, bench)
    before, calls = checksums(first.folder), len(cells.calls)
    again = run_experiment(asked.experiment, bench)
    assert again.reused
    assert again.folder == first.folder
    assert len(cells.calls) == calls
    assert checksums(first.folder) == before
    for name, table in first.tables.items():
        assert table.equals(again.tables[name])


def test_another_seed_model_or_number_of_members_is_another_run(bench: Bench, asked: Any, fake_cells: Any) -> None:
    folders = {
        run_experiment(asked.experiment, bench).folder,
        run_experiment(asked.experiment, bench, members=2).folder,
        run_experiment(asked.experiment.with_changes(seed=2), bench).folder,
        run_experiment(asked.experiment, replace(bench, simulator=fake_cells(name="other"))).folder,
    }
    assert len(folders) == 4


def test_a_damaged_run_is_reported_and_computed_again_with_the_same_bits(bench: Bench, asked: Any, whole: Path) -> None:
    notes: list[str] = []

    class Listening:
        def begin(self, what: str, total: int, done: int) -> None: ...
        def advance(self, n: int = 1) -> None: ...
        def end(self) -> None: ...
        def note(self, message: str) -> None:
            notes.append(message)

    first = run_experiment(asked.experiment, bench)
    (first.folder / "tables" / "values.csv").write_text("tampered")
    again = run_experiment(asked.experiment, replace(bench, progress=Listening()))
    assert not again.reused
    assert _data(again.folder) == _data(whole)
    assert "was damaged and is kept as" in notes[0]
    assert any("tables/values.csv: changed" in n for n in notes)


@pytest.mark.parametrize("stop_after", [0, 1, 7, 23])
def test_an_interrupted_run_resumes_with_the_same_bits(
    tmp_path: Path, asked: Any, fake_cells: Any, whole: Path, stop_after: int
) -> None:
    store = RunStoreAt(tmp_path / "broken")
    with pytest.raises(KeyboardInterrupt):
        run_experiment(asked.experiment, Bench(store, simulator=fake_cells(stop_after=stop_after), pace=0.0))
    assert store.names() == []
    assert len(store.unfinished()) == 1
    files = sorted((store.root / f".{store.unfinished()[0]}.partial").glob("tasks/*.task"))
    kept = {path: Checkpoints(path.parent).load(path.stem)["keys"].size for path in files}
    assert stop_after - 8 <= sum(kept.values()) <= stop_after, "at most the chunk under way is lost"
    for path in files[:1]:
        path.write_bytes(path.read_bytes()[:-1])
        kept[path] = 0
    later = fake_cells()
    result = run_experiment(asked.experiment, Bench(store, simulator=later))
    assert len(later.calls) == 3 * (3 + 5) - sum(kept.values())
    assert _data(result.folder) == _data(whole)
    assert f"resumed with {sum(kept.values())} finished simulations" in (result.folder / "log.txt").read_text()


@pytest.mark.parametrize(("workers", "pace"), [(1, 0.0), (2, 0.0), (3, 10.0)])
def test_chunks_and_threads_change_no_bit(
    tmp_path: Path, asked: Any, fake_cells: Any, whole: Path, workers: int, pace: float
) -> None:
    seen: list[int] = []

    class Listening(Silent):
        def advance(self, n: int = 1) -> None:
            seen.append(n)

    bench = Bench(RunStoreAt(tmp_path), workers, simulator=fake_cells(), pace=pace, progress=Listening())
    assert _data(run_experiment(asked.experiment, bench).folder) == _data(whole)
    assert sum(seen) == 3 * (3 + 5)
    assert len(seen) > 2


def RunStoreAt(path: Path) -> Any:
    from haptos.store.runs import RunStore

    return RunStore(path)


def test_a_failing_member_is_a_status_not_an_exception(bench: Bench, asked: Any, fake_cells: Any) -> None:
    result = run_experiment(asked.experiment, replace(bench, simulator=fake_cells(failing=(1, 3))))
    assert not result.failed
    assert result.manifest.headline["failed_members"] == 2
    ensemble = result.tables["ensemble"]
    lost = ensemble[(ensemble["arm"] == "both") & ensemble["member"].isin([1, 3])]
    assert lost["value"].isna().all()
    assert len(lost) == 4
    folds = result.tables["folds"].set_index(["test", "of"])
    assert folds.loc[("both", "MMP9"), "members"] == 3
    assert set(result.tables["failures"]["status"]) == {"MAX_STEPS"}
    assert "2 of 5 parameter sets could not be simulated" in (result.folder / "report.html").read_text()
    arrays = read_arrays(result.folder / "arrays.zarr")
    statuses = [a for name, a in arrays.items() if name.endswith("ensemble/status")]
    assert sorted(int(s.sum()) for s in statuses) == [0, 0, 2]


def test_an_arm_without_any_repeat_is_a_failed_run(bench: Bench, asked: Any, fake_cells: Any) -> None:
    class Broken(fake_cells):  # type: ignore[misc]
        def simulate(self, condition: Any, *, member: Any, seed: int, replicate: Any) -> Any:
            found = super().simulate(condition, member=member, seed=seed, replicate=replicate)
            from haptos.errors import Status

            return replace(found, status=Status.NON_FINITE) if len(condition.interventions) == 1 else found

    result = run_experiment(asked.experiment, replace(bench, simulator=Broken()))
    assert result.failed
    assert result.manifest.headline["failed"] == ["ILK"]
    assert "could not be simulated" in result.manifest.headline["verdict"]
    assert set(result.tables["values"]["arm"]) == {"vector", "both"}
    assert result.tables["comparisons"].empty if "comparisons" in result.tables else True


def test_nothing_is_written_for_an_experiment_that_cannot_be_run(bench: Bench, parse: Any, text: str) -> None:
    bad = text.replace("{knockdown: RELA}", "{inhibit: ILK}").replace("genes: [MMP9, ILK]", "genes: [CXCR4]")
    asked = parse(bad)
    with pytest.raises(SpecError) as error:
        run_experiment(asked.experiment, bench, file=asked)
    found = {(i.where, i.message) for i in error.value.issues}
    assert found == {
        ("made_up.yaml:6 (arms.both[1])", "no way to inhibit"),
        ("made_up.yaml:7 (assay)", "no mrna__CXCR4"),
    }
    with pytest.raises(ParameterError, match="the ensemble holds 1 to 5"):
        run_experiment(parse(text).experiment, bench, members=6)
    assert not bench.store.root.exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, asked: Any, cells: Any) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot make the folder of runs"):
        run_experiment(asked.experiment, Bench(RunStoreAt(tmp_path / "file"), simulator=cells))


def test_outcomes_survive_their_checkpoint(cells: Any, asked: Any, tmp_path: Path) -> None:
    plan = plan_experiment(asked.experiment, cells)
    populations = (Population(2), Population(None, 1))
    chunk = Chunk((plan.arms[1].key, plan.arms[2].key), populations, 1)
    batch = cells.simulate_batch([plan.conditions[c] for c in chunk.conditions], populations, seed=1)
    batch[0] = replace(batch[0], parameters={"v_max": np.array([0.25, 0.5])})
    Checkpoints(tmp_path).save(chunk.key, to_arrays(chunk, batch))
    kept = Checkpoints(tmp_path).load(chunk.key)
    assert keys_in(kept) == [key for keys in chunk.task_keys() for key in keys]
    back = from_arrays(kept)
    assert list(back) == keys_in(kept)
    for c, keys in enumerate(chunk.task_keys()):
        for p, key in enumerate(keys):
            outcome = batch[c][p]
            found = back[key]
            assert (found.status, found.geometry, found.parameters) == (
                outcome.status,
                outcome.geometry,
                outcome.parameters,
            )
            for name, series in outcome.quantities.items():
                np.testing.assert_array_equal(found.quantities[name], series)


def test_the_manifest_names_what_decided_the_result(bench: Bench, asked: Any) -> None:
    manifest = json.loads((run_experiment(asked.experiment, bench).folder / "manifest.json").read_text())
    assert manifest["specification"]["experiment"] == asked.experiment.canonical()
    assert manifest["specification"]["members"] == [0, 1, 2, 3, 4]
    assert manifest["fingerprint"] == "fake-1"
    assert manifest["seed"] == 1
    assert manifest["claims"]
    assert manifest["software"]["numpy"]
    assert manifest["machine"]["system"]
