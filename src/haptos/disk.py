"""Folders of whole files: written to a temporary name and renamed, checked when read, bounded in size.

Any number of processes may read, write and tidy a folder at once. A file that cannot be read or
was damaged counts as absent, and a disk that cannot be written is no error: what is kept here
can be made again.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["WholeFiles"]

_DIGEST: Final = 32
_ABANDONED: Final = 3600.0  # age from which a temporary file belongs to no living process [s]


@dataclass(frozen=True)
class WholeFiles:
    """Files of one kind, each with a mark and a checksum before its content.

    Parameters
    ----------
    mark : bytes
        First bytes of every file; names kind and format.
    suffix : str
        How the names end, with the dot.

    Examples
    --------
    >>> WholeFiles(b"notes 1", ".note").read(Path("absent.note")) is None
    True
    """

    mark: bytes
    suffix: str

    def read(self, place: Path) -> bytes | None:
        """Return the content of a file, if it is whole; it then counts as just used."""
        try:
            raw = place.read_bytes()
        except OSError:
            return None
        head, content = raw[: len(self.mark) + _DIGEST], raw[len(self.mark) + _DIGEST :]
        if head != self.mark + hashlib.sha256(content).digest():
            return None
        with suppress(OSError):  # a folder that is only read
            os.utime(place)
        return content

    def write(self, place: Path, content: bytes) -> bool:
        """Keep a content; tells whether it could be written."""
        temporary = None
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=place.parent, suffix=".part", delete=False) as file:
                temporary = Path(file.name)
                file.write(self.mark + hashlib.sha256(content).digest() + content)
            temporary.replace(place)
        except OSError:
            if temporary is not None:
                with suppress(OSError):
                    temporary.unlink(missing_ok=True)
            return False
        return True

    def tidy(self, folder: Path, limit: int) -> None:
        """Remove what was not used for longest, until four fifths of the limit are left.

        Parameters
        ----------
        folder : Path
            Files of other kinds are left alone, but for temporary ones that nobody writes any more.
        limit : int
            Bytes from which something is removed.

        Notes
        -----
        A file that is gone already is passed over, and a file that another process has opened
        stays readable to it.
        """
        found: list[tuple[float, int, Path]] = []
        for place in _listed(folder):
            with suppress(OSError):
                about = place.stat()
                if place.suffix == self.suffix:
                    found.append((about.st_mtime, about.st_size, place))
                elif place.suffix == ".part" and time.time() - about.st_mtime > _ABANDONED:
                    place.unlink()
        total = sum(size for _, size, _ in found)
        if total <= limit:
            return
        for _, size, place in sorted(found):
            if total <= 0.8 * limit:
                return
            total -= size
            with suppress(OSError):
                place.unlink(missing_ok=True)


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
