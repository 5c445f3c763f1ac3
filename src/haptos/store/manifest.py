"""The manifest: what a run folder is, where it came from, and the checksum of every file in it."""

from __future__ import annotations

import json
import platform
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from haptos.core.hashing import content_hash
from haptos.errors import StoreError
from haptos.store.files import checksums, told, write_whole

__all__ = ["MANIFEST", "Manifest", "RunKey", "damage", "now", "read_manifest", "slug", "software", "write_manifest"]

#: File name of the manifest.
MANIFEST = "manifest.json"
_FORMAT = 1
_PACKAGES = ("haptos", "numpy", "scipy", "pandas", "duckdb", "zarr", "matplotlib")


@dataclass(frozen=True)
class RunKey:
    """What names a run: a readable slug and everything that decides its data.

    Attributes
    ----------
    kind : str
        ``experiment`` or ``reproduction``.
    title : str
        Free text, from which the slug is made.
    specification : mapping
        Plain data; two runs with equal specifications have equal data.
    """

    kind: str
    title: str
    specification: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """Hash of kind and specification, 12 hexadecimal digits."""
        return content_hash({"kind": self.kind, "specification": self.specification}, length=12)

    @property
    def name(self) -> str:
        """Folder name, ``<slug>-<hash>``."""
        return f"{slug(self.title) or self.kind}-{self.digest}"


@dataclass(frozen=True)
class Manifest:
    """Contents of ``manifest.json``.

    Attributes
    ----------
    name, kind, hash : str
        Folder name, kind of run, and hash of the specification.
    specification : mapping
        See :class:`RunKey`.
    seed : int
        Root seed of all random streams.
    fingerprint : str
        Checksum of the model (modules, parameters, ensemble).
    claims : str
        Checksum of the claims that were compared with.
    headline : mapping
        Plain facts for listings: title, assay, cells, arms, members, failed, verdicts, ...
    started, finished : str
        ISO 8601, UTC.
    software, machine : mapping
        Versions of packages; platform.
    files : mapping of str to str
        SHA-256 of every other file by its path in the folder.
    """

    name: str
    kind: str
    hash: str
    specification: Mapping[str, Any]
    seed: int
    fingerprint: str
    claims: str
    headline: Mapping[str, Any]
    started: str
    finished: str = ""
    software: Mapping[str, str] = field(default_factory=dict)
    machine: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    format: int = _FORMAT


def slug(text: str, *, longest: int = 40) -> str:
    """Return `text` as part of a file name: lower-case letters, digits and single hyphens.

    Examples
    --------
    >>> slug("p65 siRNA & invasion of ILK-high A549")
    'p65-sirna-invasion-of-ilk-high-a549'
    """
    words = re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-")
    if len(words) <= longest:
        return words
    return words[: longest + 1].rpartition("-")[0] or words[:longest]


def now() -> str:
    """Return the present time, ISO 8601, UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def software() -> dict[str, str]:
    """Return the versions of Python and of the packages that decide or write the results."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # running from a source tree that was never installed
            found[name] = "unknown"
    return found


def machine() -> dict[str, str]:
    """Return the platform."""
    return {"system": platform.platform(), "processor": platform.machine(), "byteorder": sys.byteorder}


def write_manifest(folder: Path, manifest: Manifest) -> Manifest:
    """Add software, machine, end time and checksums to `manifest`, write it into `folder`, return it."""
    complete = replace(
        manifest,
        finished=now(),
        software=software(),
        machine=machine(),
        files=checksums(folder, leave_out=frozenset({MANIFEST})),
    )
    text = json.dumps(asdict(complete), indent=1, ensure_ascii=False, allow_nan=False)
    write_whole(folder / MANIFEST, text.encode() + b"\n")
    return complete


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a run folder.

    Raises
    ------
    StoreError
        If it is missing, torn or of another format.
    """
    path = folder / MANIFEST
    with told("read", path):
        text = path.read_text(encoding="utf-8", errors="replace")
    try:
        data = json.loads(text)
        manifest = Manifest(**data)
    except (ValueError, TypeError) as error:
        raise StoreError(f"{path} is damaged ({error})") from error
    if manifest.format != _FORMAT:
        raise StoreError(f"{path} has format {manifest.format}; this haptos reads format {_FORMAT}")
    return manifest


def damage(folder: Path) -> list[str]:
    """Compare a run folder with its manifest; return what is wrong, empty if nothing.

    Checked are the manifest itself, the hash of its specification, the folder name and the
    checksum of every file; files that the manifest does not know are reported too.
    """
    try:
        manifest = read_manifest(folder)
    except StoreError as error:
        return [str(error)]
    wrong = []
    expected = RunKey(manifest.kind, "", manifest.specification).digest
    if expected != manifest.hash or not manifest.name.endswith(expected):
        wrong.append(f"{MANIFEST}: the specification does not have the hash {manifest.hash}")
    if not folder.name.startswith(manifest.name):
        wrong.append(f"{MANIFEST}: it belongs to {manifest.name}")
    with told("read", folder):
        present = checksums(folder, leave_out=frozenset({MANIFEST}))
    wrong += [f"{name}: missing" for name in manifest.files if name not in present]
    wrong += [f"{name}: changed" for name, found in present.items() if manifest.files.get(name, found) != found]
    wrong += [f"{name}: not in the manifest" for name in present if name not in manifest.files]
    return wrong
