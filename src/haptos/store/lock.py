"""One process per run: a lock that dies with its holder and says who holds it."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from haptos.errors import StoreError
from haptos.store.files import told

__all__ = ["Holder", "locked"]

_POLL = 0.2  # [s]


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds a lock.

    Attributes
    ----------
    pid : int
        Process number.
    host : str
        Name of its machine.
    since : str
        When it took the lock, ISO 8601, UTC.
    """

    pid: int
    host: str
    since: str

    @classmethod
    def me(cls) -> Holder:
        """Return this process."""
        return cls(os.getpid(), socket.gethostname(), datetime.now(UTC).isoformat(timespec="seconds"))

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, since {self.since}"


@contextmanager
def locked(
    path: Path, *, wait: float | None = None, on_wait: Callable[[Holder | None], None] | None = None
) -> Iterator[Holder | None]:
    """Hold the lock file `path` while the block runs.

    The operating system drops the lock when its holder dies, however it dies, so a file left
    by a killed process is stale and is taken over.

    Parameters
    ----------
    path : Path
        The lock file; its folder must exist.
    wait : float, optional
        Longest time to wait [s]; None waits as long as it takes.
    on_wait : callable, optional
        Called once, with the present holder, when waiting begins.

    Yields
    ------
    Holder or None
        The dead process whose stale lock was taken over, or None.

    Raises
    ------
    StoreError
        If another process still holds it after `wait`, or the file cannot be made.
    """
    handle = _acquire(path, wait, on_wait)
    try:
        stale = _read(handle)
        with told("write the lock file", path):
            os.ftruncate(handle, 0)
            os.lseek(handle, 0, os.SEEK_SET)
            os.write(handle, json.dumps(asdict(Holder.me())).encode())
        yield stale
    finally:
        with told("remove the lock file", path):
            path.unlink(missing_ok=True)
        os.close(handle)


def _acquire(path: Path, wait: float | None, on_wait: Callable[[Holder | None], None] | None) -> int:
    start, told_user = time.monotonic(), False
    while True:
        with told("make the lock file", path):
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        if _try_lock(handle) and _is_same_file(handle, path):
            return handle
        holder = _read(handle)
        os.close(handle)
        if wait is not None and time.monotonic() - start >= wait:
            who = str(holder) if holder else "another process"
            raise StoreError(f"this run is being worked on by {who}; wait until it is done or stop it ({path.name})")
        if on_wait is not None and not told_user:
            on_wait(holder)
            told_user = True
        time.sleep(_POLL)


def _try_lock(handle: int) -> bool:
    """Take the lock of the operating system without waiting."""
    try:
        if os.name == "posix":
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:  # pragma: no cover - Windows
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    except OSError:
        return False
    return True


def _is_same_file(handle: int, path: Path) -> bool:
    """Tell whether `path` is still the file we opened (its last holder may have removed it)."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _read(handle: int) -> Holder | None:
    try:
        os.lseek(handle, 0, os.SEEK_SET)
        data = json.loads(os.read(handle, 4096))
        return Holder(int(data["pid"]), str(data["host"]), str(data["since"]))
    except (ValueError, KeyError, TypeError):
        return None
