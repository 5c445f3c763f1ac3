"""Run folders: staged, published once, verified, set aside."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from haptos.errors import StoreError
from haptos.store.files import write_whole
from haptos.store.index import INDEX, list_runs
from haptos.store.manifest import MANIFEST, Manifest, RunKey, damage, read_manifest, slug
from haptos.store.runs import RunStore

_KEY = RunKey("experiment", "ILK & MMP-9", {"x": 1, "y": [1.5, "a"]})


def _manifest(key: RunKey, **headline: object) -> Manifest:
    return Manifest(key.name, key.kind, key.digest, key.specification, 1, "model", "claims", headline, "2026-01-01")


def _publish(store: RunStore, key: RunKey = _KEY, **headline: object) -> Path:
    with store.lock(key):
        staging = store.stage(key)
        staging.log("begun")
        write_whole(staging.clear_result() / "data.csv", b"1,2\n")
        return store.publish(staging, _manifest(key, **headline))


def test_the_name_is_a_slug_and_the_hash_of_the_specification() -> None:
    assert _KEY.name.startswith("ilk-mmp-9-")
    same = RunKey("experiment", "other title", {"y": [1.5, "a"], "x": 1})
    other = RunKey("experiment", "ILK & MMP-9", {"x": 2, "y": [1.5, "a"]})
    assert same.digest == _KEY.digest
    assert other.digest != _KEY.digest
    assert slug("") == ""
    assert slug("Ä ÷ !") == ""
    assert len(slug("word " * 30)) <= 40


def test_a_published_run_is_complete_and_sound(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs")
    folder = _publish(store, title="t")
    assert sorted(p.name for p in folder.iterdir()) == ["data.csv", "log.txt", MANIFEST]
    assert damage(folder) == []
    assert [p.name for p in (tmp_path / "runs").iterdir()] == [folder.name], "nothing hidden is left"
    manifest = read_manifest(folder)
    assert set(manifest.files) == {"data.csv", "log.txt"}
    assert manifest.finished
    assert manifest.software["numpy"] == np.__version__
    assert store.finished(_KEY) == (folder, [])


def test_making_a_store_writes_nothing(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs")
    assert store.names() == store.unfinished() == []
    assert list_runs(store) == ([], [])
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("harm", ["change", "remove", "add", "manifest", "no manifest", "specification"])
def test_a_damaged_run_is_set_aside_and_never_used(tmp_path: Path, harm: str) -> None:
    store = RunStore(tmp_path)
    folder = _publish(store)
    path = folder / MANIFEST
    match harm:
        case "change":
            (folder / "data.csv").write_bytes(b"1,3\n")
        case "remove":
            (folder / "data.csv").unlink()
        case "add":
            (folder / "more.csv").write_bytes(b"")
        case "manifest":
            path.write_text(path.read_text()[:-20])
        case "no manifest":
            path.unlink()
        case "specification":
            data = json.loads(path.read_text())
            data["specification"]["x"] = 5
            path.write_text(json.dumps(data))
    found, wrong = store.finished(_KEY)
    assert found is None
    assert "is kept as" in wrong[0]
    assert len(wrong) > 1
    assert not folder.exists()
    aside = [p for p in tmp_path.iterdir() if ".damaged-" in p.name]
    assert len(aside) == 1
    assert _publish(store) == folder
    assert store.finished(_KEY) == (folder, [])
    assert store.names() == [folder.name], "a damaged run is not listed"


def test_publishing_never_replaces_a_folder(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    folder = _publish(store)
    before = read_manifest(folder)
    with pytest.raises(StoreError, match="appeared"):
        _publish(store)
    assert read_manifest(folder) == before


def test_an_unfinished_run_keeps_its_tasks_and_its_beginning(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    first = store.stage(_KEY)
    first.checkpoints.save("a", {"x": np.arange(3.0)})
    write_whole(first.clear_result() / "half", b"")
    assert store.unfinished() == [_KEY.name]
    again = store.stage(_KEY)
    assert again.resumed
    assert not first.resumed
    assert again.started == first.started
    assert again.checkpoints.sift() == ({"a"}, [])
    assert list(again.clear_result().iterdir()) == []


def test_a_torn_staging_folder_is_begun_anew(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    staging = store.stage(_KEY)
    (staging.folder / "specification.json").write_text("{")
    staging.checkpoints.save("a", {"x": np.arange(3.0)})
    again = store.stage(_KEY)
    assert not again.resumed
    assert again.checkpoints.sift() == (set(), [])


def test_find_takes_the_beginning_of_name_or_hash(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    folder = _publish(store)
    other = _publish(store, RunKey("experiment", "ILK other", {"x": 9}))
    assert store.find(folder.name) == store.find(_KEY.digest[:5]) == store.find("ilk-mmp") == folder
    with pytest.raises(StoreError, match="fits 2 runs"):
        store.find("ilk")
    with pytest.raises(StoreError, match="did you mean"):
        store.find(other.name.replace("other", "othre"))
    with pytest.raises(StoreError, match="'haptos runs' lists them"):
        store.find("zzz")


def test_the_index_follows_the_folders(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    a = _publish(store, title="A title", assay="qpcr", cells="A549", arms=2, members=3, verdict="fine")
    b = _publish(store, RunKey("experiment", "b", {"z": 1}), assay="zymography")
    entries, problems = list_runs(store)
    assert {e.name for e in entries} == {a.name, b.name}
    assert problems == []
    assert [e.name for e in list_runs(store, assay="qpcr")[0]] == [a.name]
    assert [e.name for e in list_runs(store, text="A TIT", cells="A549")[0]] == [a.name]
    assert list_runs(store, text="'; DROP TABLE runs; --")[0] == []
    shutil.rmtree(b)
    assert [e.name for e in list_runs(store)[0]] == [a.name]
    (tmp_path / INDEX).write_bytes(b"no database")
    assert [e.name for e in list_runs(store)[0]] == [a.name]
    (a / MANIFEST).write_text("{")
    entries, problems = list_runs(store)
    assert entries == []
    assert "damaged" in problems[0]


def test_the_folder_of_runs_cannot_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(StoreError, match="cannot make the folder of runs"):
        _publish(RunStore(tmp_path / "runs"))
