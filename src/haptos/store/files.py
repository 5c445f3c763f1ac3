"""Files that are whole or absent, and operating-system errors told in words."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from haptos.errors import StoreError

__all__ = ["checksum", "checksums", "remove_tree", "sync_folder", "sync_tree", "told", "write_whole"]

_WORDS = {
    errno.ENOSPC: "the disk is full; free some space and run the same command again",
    errno.EDQUOT: "the disk quota is used up; free some space and run the same command again",
    errno.EFBIG: "the file grew beyond the size limit of this account or file system",
    errno.EROFS: "the file system is read-only; choose another folder with --runs",
    errno.EACCES: "no permission; choose another folder with --runs or change its permissions",
    errno.EPERM: "not permitted; choose another folder with --runs or change its permissions",
    errno.ENOTDIR: "part of the path is a file, not a folder; choose another folder with --runs",
    errno.EEXIST: "something of that name is in the way; move it or choose another folder with --runs",
}


@contextmanager
def told(action: str, path: Path) -> Iterator[None]:
    """Turn an operating-system error into a :class:`StoreError` that says what to do.

    Parameters
    ----------
    action : str
        What was being done, for instance ``write the table``.
    path : Path
        The file or folder it was done to.

    Raises
    ------
    StoreError
        In place of any OSError.
    """
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        reason = _WORDS.get(error.errno or 0) or f"{error.strerror or error}"
        raise StoreError(f"cannot {action} ({path}): {reason}") from error


def write_whole(path: Path, data: bytes, *, sync: bool = True) -> None:
    """Write a file so that it is either there in full or not there at all.

    Parameters
    ----------
    path : Path
        Where to write; an existing file is replaced in one step.
    data : bytes
        The content.
    sync : bool
        Whether to wait until it is on the disk (needed for power loss, not for a killed process).

    Raises
    ------
    StoreError
        If it cannot be written; nothing is left under `path` that was not there before.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    with told("write", path):
        try:
            with part.open("wb") as stream:
                stream.write(data)
                if sync:
                    stream.flush()
                    os.fsync(stream.fileno())
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        if sync:
            sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Wait until the entries of `folder` are on the disk (where the system offers it)."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(folder: Path) -> None:
    """Wait until every file and folder below `folder` is on the disk."""
    for where, _folders, files in os.walk(folder, topdown=False):
        for name in files:
            with (Path(where) / name).open("rb+") as stream:
                os.fsync(stream.fileno())
        sync_folder(Path(where))


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def checksums(folder: Path, *, leave_out: frozenset[str] = frozenset()) -> dict[str, str]:
    """Return the SHA-256 of every file below `folder` by its path, sorted.

    Parameters
    ----------
    folder : Path
        Folder to walk.
    leave_out : frozenset of str
        Relative paths that are not listed.
    """
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    named = {p.relative_to(folder).as_posix(): p for p in files}
    return {name: checksum(path) for name, path in sorted(named.items()) if name not in leave_out}


def remove_tree(folder: Path) -> None:
    """Remove a folder of ours; what is gone already is no error.

    Raises
    ------
    StoreError
        If something cannot be removed.
    """
    with told("remove", folder):
        if folder.exists():
            shutil.rmtree(folder)
