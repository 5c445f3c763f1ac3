"""The folder of machine code: whole objects only, bounded in size, safe to share."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from haptos.numerics.engine.code_store import read_code, tidy, write_code


def test_what_was_written_is_read(tmp_path: Path) -> None:
    write_code(tmp_path / "new", "k", b"code")
    assert read_code(tmp_path / "new", "k") == b"code"
    assert read_code(tmp_path / "new", "other") is None


def test_damaged_code_counts_as_absent(tmp_path: Path) -> None:
    write_code(tmp_path, "k", b"code" * 50)
    place = tmp_path / "k.o"
    raw = bytearray(place.read_bytes())
    raw[-1] ^= 1
    place.write_bytes(raw)
    assert read_code(tmp_path, "k") is None
    place.write_bytes(raw[:20])
    assert read_code(tmp_path, "k") is None


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    for number in range(10):
        write_code(tmp_path, f"k{number}", bytes(1000))
        os.utime(tmp_path / f"k{number}.o", (number, number))
    foreign = tmp_path / "notes.txt"
    foreign.write_text("mine")
    assert read_code(tmp_path, "k0") is not None  # just used
    tidy(tmp_path, limit=5000)
    left = {p.stem for p in tmp_path.glob("*.o")}
    assert left == {"k0", "k9", "k8"}
    assert foreign.exists()


def test_leftovers_of_dead_processes_go(tmp_path: Path) -> None:
    old, new = tmp_path / "a.part", tmp_path / "b.part"
    old.write_bytes(b"x")
    new.write_bytes(b"x")
    os.utime(old, (0, 0))
    tidy(tmp_path)
    assert (old.exists(), new.exists()) == (False, True)


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    write_code(tmp_path / "file" / "below", "k", b"code")
    assert read_code(tmp_path / "file" / "below", "k") is None
    tidy(tmp_path / "absent")


def test_readers_see_all_or_nothing_while_others_write_and_tidy(tmp_path: Path) -> None:
    payload = {f"k{n}": bytes([n]) * 50_000 for n in range(8)}
    wrong: list[str] = []
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            for key, code in payload.items():
                write_code(tmp_path, key, code)
                tidy(tmp_path, limit=200_000)

    def read() -> None:
        for _ in range(200):
            for key, code in payload.items():
                if read_code(tmp_path, key) not in (None, code):
                    wrong.append(key)

    writers = [threading.Thread(target=write) for _ in range(2)]
    for thread in writers:
        thread.start()
    read()
    stop.set()
    for thread in writers:
        thread.join()
    assert wrong == []
    tidy(tmp_path, limit=200_000)
    assert sum(p.stat().st_size for p in tmp_path.glob("*.o")) <= 200_000


def test_without_a_folder_nothing_is_kept() -> None:
    write_code(None, "k", b"code")
    assert read_code(None, "k") is None
