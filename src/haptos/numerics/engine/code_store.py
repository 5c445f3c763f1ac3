"""A folder of machine code, bounded in size and shared by any number of processes.

Every object is one file, named by its key. An object that cannot be read or was damaged counts as
absent. What was not used for longest goes first.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from haptos.disk import WholeFiles

__all__ = ["LIMIT", "read_code", "tidy", "write_code"]

LIMIT: Final = 500 * 2**20
"""Most bytes kept in a folder."""

_OBJECTS: Final = WholeFiles(mark=b"haptos kernel 1\n", suffix=".o")


def read_code(folder: Path | None, key: str) -> bytes | None:
    """Return the kept code of a key, if it is whole; it then counts as just used."""
    return None if folder is None else _OBJECTS.read(folder / f"{key}.o")


def write_code(folder: Path | None, key: str, code: bytes) -> None:
    """Keep the code of a key; nothing is kept if the folder cannot be written."""
    if folder is not None and _OBJECTS.write(folder / f"{key}.o", code):
        tidy(folder)


def tidy(folder: Path, limit: int = LIMIT) -> None:
    """Remove what was not used for longest; see :meth:`haptos.disk.WholeFiles.tidy`."""
    _OBJECTS.tidy(folder, limit)
