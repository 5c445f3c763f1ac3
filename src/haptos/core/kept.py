"""Results kept on disk for the next process: whole or not at all, rebuilt silently if damaged.

The key names everything that decides the content, so a kept file is never out of date; it
may be deleted at any time.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import math
import os
import sys
from collections.abc import Callable, Iterable
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from haptos.disk import WholeFiles

__all__ = ["KeptAnswers", "cache_folder", "code_checksum", "files_below", "kept", "load_kept", "save_kept"]

_FILES = WholeFiles(mark=b"haptos kept 1\n", suffix=".kept")


def cache_folder(kind: str) -> Path:
    """Return the folder of one kind of kept files.

    Below ``HAPTOS_CACHE`` if it is set, else below a folder for caches of the user.

    Examples
    --------
    >>> cache_folder("documents").name
    'documents'
    """
    given = os.environ.get("HAPTOS_CACHE")
    if given:
        return Path(given) / kind
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "haptos" / kind


def kept(kind: str, parts: Iterable[str | bytes], make: Callable[[], bytes]) -> bytes:
    """Return what was kept under a key, or make and keep it.

    Parameters
    ----------
    kind : str
        Folder of the cache.
    parts : iterable of str or bytes
        Everything that decides the content.
    make : callable
        Makes the content.
    """
    given = tuple(parts)
    found = load_kept(kind, given)
    if found is None:
        found = make()
        save_kept(kind, given, found)
    return found


def load_kept(kind: str, parts: Iterable[str | bytes]) -> bytes | None:
    """Return what was kept under a key, which then counts as just used; None if there is nothing or it is damaged."""
    folder = _folder(kind)
    return None if folder is None else _FILES.read(folder / _name(parts))


def save_kept(kind: str, parts: Iterable[str | bytes], content: bytes, *, most: int | None = None) -> None:
    """Keep a content; a disk that cannot be written is no error.

    Parameters
    ----------
    kind, parts, content
        As in :func:`kept`.
    most : int, optional
        Bytes of this kind from which what was not used for longest is removed, until
        four fifths are left. A content of more than a tenth of them is not kept.
    """
    folder = _folder(kind)
    if folder is None or (most is not None and 10 * len(content) > most):
        return
    if _FILES.write(folder / _name(parts), content) and most is not None:
        _FILES.tidy(folder, most)


def _folder(kind: str) -> Path | None:
    try:
        return cache_folder(kind)
    except RuntimeError:  # Path.home(), where there is none
        return None


class KeptAnswers:
    """Short answers by question, kept in one file; it is written when a process ends or has many new ones.

    Parameters
    ----------
    kind : str
        Folder of the cache.
    parts : iterable of str or bytes
        Everything that decides the answers besides their question.
    """

    _MOST = 4096  # answers in the file
    _BATCH = 256  # new answers after which it is written

    def __init__(self, kind: str, parts: Iterable[str | bytes]) -> None:
        self._kind = kind
        self._parts = tuple(parts)
        self._answers = self._read()
        self._new = 0

    def get(self, question: str) -> float | str | None:
        """Return the answer; None if it is not known."""
        return self._answers.get(question)

    def add(self, question: str, answer: float | str) -> None:
        """Remember an answer; not more than fit the file."""
        if len(self._answers) >= self._MOST or not (isinstance(answer, str) or math.isfinite(answer)):
            return
        self._answers[question] = answer
        self._new += 1
        if self._new == 1:
            atexit.register(self.save)
        if self._new % self._BATCH == 0:
            self.save()

    def save(self) -> None:
        """Write the file, with what other processes added."""
        together = {**self._read(), **self._answers}
        content = json.dumps(dict(list(together.items())[: self._MOST]), separators=(",", ":"))
        save_kept(self._kind, self._parts, content.encode("utf-8"))

    def _read(self) -> dict[str, float | str]:
        content = load_kept(self._kind, self._parts)
        return {} if content is None else dict(json.loads(content))


def _name(parts: Iterable[str | bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8") if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little") + data)
    return f"{digest.hexdigest()[:40]}.kept"


@cache
def code_checksum(*places: str, suffixes: tuple[str, ...] = (".py",)) -> str:
    """Return a checksum of the files below folders or files of the package, by their names in it.

    Examples
    --------
    >>> code_checksum("core/kept.py") == code_checksum("core/units.py")
    False
    """
    root = resources.files("haptos")
    digest = hashlib.sha256()
    for place in places:
        for file in files_below(root / place):
            if file.name.endswith(suffixes):
                content = file.read_bytes()
                digest.update(f"{file.name}\0{len(content)}\0".encode())
                digest.update(content)
    return digest.hexdigest()[:16]


def files_below(place: Traversable) -> list[Traversable]:
    """Return the files of a folder and of its folders, by name; a file is itself."""
    if place.is_file():
        return [place]
    if not place.is_dir():
        return []
    found = sorted(place.iterdir(), key=lambda f: f.name)
    return [g for f in found if f.name != "__pycache__" for g in files_below(f)]
