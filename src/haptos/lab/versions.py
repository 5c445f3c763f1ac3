"""Checksums of what decides a result besides the experiment: code, parameters, claims."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING

from haptos.core.kept import code_checksum, files_below

if TYPE_CHECKING:
    from haptos.evidence.library import Library

__all__ = ["claims_checksum", "code_fingerprint"]

#: Rooms whose code decides what is simulated and read.
_ROOMS = ("assays", "conditions", "motility", "numerics", "signalling")


def code_fingerprint() -> str:
    """Return a checksum of the code and parameters that turn an experiment into readings."""
    return code_checksum(*_ROOMS, "library/parameters", suffixes=(".py", ".yaml"))


def claims_checksum(library: Library | None = None) -> str:
    """Return a checksum of the claims, conflicts and sources that results are compared with."""
    root = files("haptos") / "library" if library is None else library.root
    found = (f for part in ("claims", "sources") for f in files_below(root / part))
    return _checksum(f for f in found if f.name.endswith(".yaml"))


def _checksum(found: Iterable[Traversable]) -> str:
    digest = hashlib.sha256()
    for file in found:
        content = file.read_bytes()
        digest.update(f"{file.name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()[:16]
