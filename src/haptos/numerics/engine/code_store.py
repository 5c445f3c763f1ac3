"""A folder of machine code, bounded in size and shared by any number of processes.

Every object is one file, named by its key, that holds a hash of its content; it is written
to a temporary name and renamed, so that readers see all or nothing. An object that
cannot be read or was damaged counts as absent. What was not used for longest goes first.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from pathlib import Path
from typing import Final

__all__ = ["LIMIT", "read_code", "tidy", "write_code"]

LIMIT: Final = 500 * 2**20
"""Most bytes kept in a folder."""

_MARK: Final = b"haptos kernel 1\n"
_STALE: Final = 3600.0
"""Age from which a temporary file belongs to no living process [s]."""


def read_code(folder: Path | None, key: str) -> bytes | None:
    """Return the kept code of a key, if it is whole; it then counts as just used."""
    if folder is None:
        return None
    place = folder / f"{key}.o"
    try:
        raw = place.read_bytes()
    except OSError:
        return None
    head, code = raw[: len(_MARK) + 32], raw[len(_MARK) + 32 :]
    if head != _MARK + hashlib.sha256(code).digest():
        return None
    try:
        os.utime(place)
    except OSError:
        return code  # a folder that is only read
    return code


def write_code(folder: Path | None, key: str, code: bytes) -> None:
    """Keep the code of a key; nothing is kept if the folder cannot be written."""
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=key[:8], suffix=".part", delete=False) as file:
            file.write(_MARK + hashlib.sha256(code).digest() + code)
        Path(file.name).replace(folder / f"{key}.o")
    except OSError:
        return
    tidy(folder)


def tidy(folder: Path, limit: int = LIMIT) -> None:
    """Remove what was not used for longest, until four fifths of the limit are left.

    Parameters
    ----------
    folder : Path
        Folder of kept code. Files that are not ours are left alone.
    limit : int
        Bytes from which something is removed.

    Notes
    -----
    Processes may do this at once: a file that is gone already is passed over, and a file
    that another process has read stays readable to it.
    """
    kept: list[tuple[float, int, Path]] = []
    for place in _listed(folder):
        try:
            found = place.stat()
            if place.suffix == ".o":
                kept.append((found.st_mtime, found.st_size, place))
            elif place.suffix == ".part" and time.time() - found.st_mtime > _STALE:
                place.unlink()
        except OSError:
            continue
    total = sum(size for _, size, _ in kept)
    if total <= limit:
        return
    for _, size, place in sorted(kept):
        if total <= 0.8 * limit:
            return
        total -= size
        try:
            place.unlink()
        except OSError:
            continue


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
