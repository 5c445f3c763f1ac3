"""What is kept on disk: whole or rebuilt, never trusted when damaged."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from haptos.core import kept as keeping
from haptos.core.kept import KeptAnswers, cache_folder, code_checksum, kept, load_kept, save_kept
from haptos.core.located import parse_yaml
from haptos.core.units import parse_quantity
from haptos.errors import SpecError, UnitError
from haptos.numerics.engine.jit import default_cache

TEXT = "- id: a\n  when: [1, 2.5, true, null]\n- {id: é}\n"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAPTOS_CACHE", str(tmp_path / "cache"))


def files(kind: str) -> list[Path]:
    return sorted(cache_folder(kind).glob("*"))


def test_all_that_is_kept_stands_in_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_folder("kernels") == default_cache()
    monkeypatch.delenv("HAPTOS_CACHE")
    assert cache_folder("kernels") == default_cache()


def test_a_content_is_made_once() -> None:
    made: list[int] = []

    def make() -> bytes:
        made.append(1)
        return b"content"

    assert [kept("things", ("a", b"b"), make) for _ in range(3)] == [b"content"] * 3
    assert len(made) == 1
    assert kept("things", ("ab", b""), make) == b"content"
    assert len(made) == 2, "parts do not run into each other"


@pytest.mark.parametrize("damage", [b"", b"haptos kept 1\n", b"x" * 200, None])
def test_a_damaged_file_is_made_anew(damage: bytes | None) -> None:
    save_kept("things", ("k",), b"content")
    [file] = files("things")
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] if damage is None else damage)
    assert load_kept("things", ("k",)) is None
    assert kept("things", ("k",), lambda: b"content") == b"content"
    assert file.read_bytes() == whole
    assert files("things") == [file], "nothing half-written is left"


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HAPTOS_CACHE", str(tmp_path / "file"))
    assert kept("things", ("k",), lambda: b"content") == b"content"
    assert parse_yaml(TEXT, keep=True).data == parse_yaml(TEXT).data


def test_a_kept_document_is_the_document(monkeypatch: pytest.MonkeyPatch) -> None:
    first = parse_yaml(TEXT, name="one.yaml", keep=True)
    assert len(files("documents")) == 1
    monkeypatch.setattr("haptos.core.located._parse", None)  # the parser is not asked again
    again = parse_yaml(TEXT, name="two.yaml", keep=True)
    assert (again.data, again.lines, again.name) == (first.data, first.lines, "two.yaml")
    assert again.where((1, "id")) == "two.yaml:3 ([1].id)"


@pytest.mark.parametrize("text", ["at: 2001-01-01\n", "1: x\n", "x: .nan\n", "x: .inf\n"])
def test_what_json_cannot_hold_is_not_kept(text: str) -> None:
    found = [parse_yaml(text, keep=True).data for _ in range(2)]
    assert repr(found[0]) == repr(found[1]) == repr(parse_yaml(text).data)
    assert files("documents") == []


def test_a_faulty_document_is_never_kept() -> None:
    for _ in range(2):
        with pytest.raises(SpecError, match="stands twice"):
            parse_yaml("a: 1\na: 2\n", keep=True)
    assert files("documents") == []


def test_answers_survive_a_process() -> None:
    first = KeptAnswers("answers", ("1",))
    first.add("a", 0.1)
    first.add("b", "what is wrong")
    first.add("c", math.inf)
    first.save()
    other = KeptAnswers("answers", ("1",))
    assert [other.get(q) for q in "abcd"] == [0.1, "what is wrong", None, None]
    assert KeptAnswers("answers", ("2",)).get("a") is None
    [file] = files("answers")
    file.write_bytes(b"torn")
    assert KeptAnswers("answers", ("1",)).get("a") is None


def test_remembered_conversions_are_those_of_pint(monkeypatch: pytest.MonkeyPatch) -> None:
    from haptos.core import units

    units._answers.cache_clear()
    try:
        first = [parse_quantity(t, "concentration").value for t in ("20 µM", "0.3 nM", "5 mol/m³")]
        with pytest.raises(UnitError) as fresh:
            parse_quantity("3 h", "concentration")
        units._answers().save()
        units._answers.cache_clear()
        monkeypatch.setattr(units, "_convert", None)  # pint is not asked again
        assert [parse_quantity(t, "concentration").value for t in ("20 µM", "0.3 nM", "5 mol/m³")] == first
        with pytest.raises(UnitError) as again:
            parse_quantity("3 h", "concentration")
        assert str(again.value) == str(fresh.value)
    finally:
        units._answers.cache_clear()


def test_checksums_of_code_follow_names_and_contents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping.resources, "files", lambda _: tmp_path)
    found = set()
    for name, text in (("a.py", "1"), ("a.py", "2"), ("b.py", "2")):
        for old in tmp_path.glob("*.py"):
            old.unlink()
        (tmp_path / name).write_text(text)
        code_checksum.cache_clear()
        found.add(code_checksum("."))
    code_checksum.cache_clear()
    assert len(found) == 3


def test_a_bounded_kind_loses_what_was_not_used_for_longest() -> None:
    for number in range(10):
        save_kept("bounded", (str(number),), bytes(1000))
        place = cache_folder("bounded") / keeping._name((str(number),))
        os.utime(place, (number + 1, number + 1))
    assert load_kept("bounded", ("0",)) is not None  # just used
    save_kept("bounded", ("large",), bytes(1001), most=10_000)
    assert load_kept("bounded", ("large",)) is None, "more than a tenth is not kept"
    save_kept("bounded", ("new",), bytes(500), most=10_000)
    left = [n for n in (*map(str, range(10)), "new") if load_kept("bounded", (n,)) is not None]
    assert left == ["0", "4", "5", "6", "7", "8", "9", "new"]
