"""Finished pieces of an unfinished run: one checksummed file each."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haptos.errors import ParameterError, StoreError
from haptos.store.files import told, write_whole

__all__ = ["Checkpoints"]

_SUFFIX = ".task"
_KEY = re.compile(r"^[0-9a-z][0-9a-z._-]*$")
_DIGEST = 32


class Checkpoints:
    """Arrays by task, kept in a folder so that a killed run can go on.

    A file is the SHA-256 of its payload followed by the payload (an uncompressed ``npz``); it
    is renamed into place when complete. What does not match its checksum is discarded.

    Parameters
    ----------
    folder : Path
        Where the files are; made at the first save.

    Examples
    --------
    >>> import tempfile
    >>> kept = Checkpoints(Path(tempfile.mkdtemp()))
    >>> kept.save("a1", {"x": np.arange(3.0)})
    >>> kept.load("a1")["x"]
    array([0., 1., 2.])
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, key: str, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Keep the arrays of one task; the same task saved again gives the same bytes.

        Raises
        ------
        StoreError
            If they cannot be written.
        ParameterError
            If the key is not a plain file name, or an array holds Python objects.
        """
        payload = _pack(arrays)
        with told("make the folder", self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
        write_whole(self._file(key), hashlib.sha256(payload).digest() + payload, sync=False)

    def load(self, key: str) -> dict[str, NDArray[Any]]:
        """Return the arrays of one task.

        Raises
        ------
        StoreError
            If the task is missing or its file is torn.
        """
        path = self._file(key)
        with told("read", path):
            data = path.read_bytes()
        payload = data[_DIGEST:]
        if len(data) <= _DIGEST or hashlib.sha256(payload).digest() != data[:_DIGEST]:
            raise StoreError(f"{path} is damaged; run the same command again to compute it anew")
        return _unpack(payload)

    def sift(self) -> tuple[set[str], list[str]]:
        """Check every file; return the keys that are sound and the names of those discarded."""
        sound: set[str] = set()
        discarded: list[str] = []
        for path in self._files():
            key = path.name.removesuffix(_SUFFIX)
            try:
                self.load(key)
            except StoreError:
                with told("remove", path):
                    path.unlink()
                discarded.append(path.name)
            else:
                sound.add(key)
        return sound, discarded

    def _files(self) -> Iterator[Path]:
        if self._folder.is_dir():
            for rest in self._folder.glob(".*.part"):
                rest.unlink(missing_ok=True)
            yield from sorted(self._folder.glob(f"*{_SUFFIX}"))

    def _file(self, key: str) -> Path:
        if not _KEY.match(key):
            raise ParameterError(f"{key!r} is no key of a task; use lower-case letters, digits, '.', '_' and '-'")
        return self._folder / f"{key}{_SUFFIX}"


def _pack(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return an uncompressed ``npz`` whose bytes depend on nothing but the arrays."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(arrays):
            part = io.BytesIO()
            array = np.asarray(arrays[name])
            if array.dtype.hasobject:
                raise ParameterError(f"the array {name!r} holds Python objects, which cannot be kept")
            np.lib.format.write_array(part, array, version=(1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), part.getvalue())
    return stream.getvalue()


def _unpack(payload: bytes) -> dict[str, NDArray[Any]]:
    try:
        with np.load(io.BytesIO(payload), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (ValueError, zipfile.BadZipFile) as error:
        raise StoreError(f"a task file cannot be read: {error}") from error
