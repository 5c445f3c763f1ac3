"""Whole-or-absent files and operating-system errors in words."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from haptos.errors import StoreError
from haptos.store.files import checksums, remove_tree, sync_tree, told, write_whole


def test_write_whole_replaces_in_one_step_and_leaves_no_rest(tmp_path: Path) -> None:
    target = tmp_path / "a.bin"
    write_whole(target, b"first")
    write_whole(target, b"second", sync=False)
    assert target.read_bytes() == b"second"
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


def test_a_full_disk_is_a_store_error_and_leaves_the_old_file(tmp_path: Path) -> None:
    """A file size limit stands in for the full disk: the write itself fails, as there."""
    script = textwrap.dedent(
        """
        import resource, sys
        from pathlib import Path
        from haptos.errors import StoreError
        from haptos.store.files import write_whole

        target = Path(sys.argv[1])
        write_whole(target, b"old")
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            write_whole(target, bytes(5000))
        except StoreError as error:
            print(error)
        print(sorted(p.name for p in target.parent.iterdir()), target.read_bytes())
        """
    )
    pytest.importorskip("resource")
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "a.bin")], capture_output=True, text=True, check=True, timeout=60
    )
    assert "cannot write" in done.stdout
    assert "size limit" in done.stdout
    assert "['a.bin'] b'old'" in done.stdout


def test_a_file_in_the_way_of_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="part of the path is a file"):
        write_whole(tmp_path / "file" / "a", b"")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_read_only_folder_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(StoreError, match="no permission"):
            write_whole(tmp_path / "a", b"")
    finally:
        tmp_path.chmod(0o755)


def test_told_leaves_store_errors_and_other_errors_alone(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"^mine$"), told("write", tmp_path):
        raise StoreError("mine")
    with pytest.raises(KeyError), told("write", tmp_path):
        raise KeyError("x")


def test_checksums_see_every_change(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a").write_bytes(b"1")
    (tmp_path / "b").write_bytes(b"2")
    before = checksums(tmp_path, leave_out=frozenset({"b"}))
    assert list(before) == ["sub/a"]
    (tmp_path / "sub" / "a").write_bytes(b"3")
    assert checksums(tmp_path, leave_out=frozenset({"b"})) != before
    sync_tree(tmp_path)
    remove_tree(tmp_path / "sub")
    remove_tree(tmp_path / "sub")
    assert list(checksums(tmp_path)) == ["b"]
