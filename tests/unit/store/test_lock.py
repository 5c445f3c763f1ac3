"""One process per run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from haptos.errors import StoreError
from haptos.store.lock import Holder, locked

_HOLD = """
import sys, time
from pathlib import Path
from haptos.store.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path):
    process = subprocess.Popen([sys.executable, "-c", _HOLD, str(tmp_path / "lock")], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_process_is_told_who_holds_it(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=f"process {holder.pid} on "), locked(tmp_path / "lock", wait=0.0):
        pytest.fail("two holders")


def test_waiting_begins_with_one_word_and_ends_with_the_holder(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    told: list[Holder | None] = []
    threading.Timer(0.5, holder.terminate).start()
    start = time.monotonic()
    with locked(tmp_path / "lock", on_wait=told.append):
        assert time.monotonic() - start > 0.3
    assert [h.pid for h in told if h is not None] == [holder.pid]


def test_the_lock_of_a_killed_process_is_stale_and_taken_over(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert (tmp_path / "lock").exists(), "a killed process cannot clean up"
    with locked(tmp_path / "lock", wait=0.0) as stale:
        assert stale is not None
        assert stale.pid == holder.pid
    assert not (tmp_path / "lock").exists()


@pytest.mark.parametrize("rest", ["", "{", '{"pid": 1}', "\x00\xff"])
def test_a_torn_lock_file_is_taken_over(tmp_path: Path, rest: str) -> None:
    (tmp_path / "lock").write_text(rest)
    with locked(tmp_path / "lock", wait=0.0) as stale:
        assert stale is None


def test_the_lock_is_free_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), locked(tmp_path / "lock"):
        raise RuntimeError
    with locked(tmp_path / "lock", wait=0.0):
        pass
