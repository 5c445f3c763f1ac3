"""The folder of run folders: find, verify, set aside, stage, publish."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from haptos.core.hashing import canonical_json
from haptos.errors import StoreError, nearest
from haptos.store.checkpoints import Checkpoints
from haptos.store.files import remove_tree, sync_folder, sync_tree, told, write_whole
from haptos.store.lock import Holder, locked
from haptos.store.manifest import MANIFEST, Manifest, RunKey, damage, now, read_manifest, write_manifest

__all__ = ["RunStore", "Staging"]

_ASIDE = ".damaged-"


@dataclass(frozen=True)
class Staging:
    """The hidden folder of a run that is being computed.

    Attributes
    ----------
    folder : Path
        ``<runs>/.<name>.partial``; survives a killed process.
    key : RunKey
        What the run is.
    resumed : bool
        Whether an earlier process left something to go on from.
    started : str
        When the first process began it, ISO 8601, UTC.
    """

    folder: Path
    key: RunKey
    resumed: bool
    started: str

    @property
    def checkpoints(self) -> Checkpoints:
        """The finished tasks."""
        return Checkpoints(self.folder / "tasks")

    @property
    def result(self) -> Path:
        """The folder that becomes the run folder."""
        return self.folder / "result"

    def clear_result(self) -> Path:
        """Empty the result folder (an earlier process may have died while it wrote) and return it."""
        remove_tree(self.result)
        with told("make the folder", self.result):
            self.result.mkdir(parents=True)
        return self.result

    def log(self, message: str) -> None:
        """Add a line to the log of the run."""
        with told("write the log", self.folder), (self.folder / "log.txt").open("a", encoding="utf-8") as stream:
            stream.write(f"{now()}  {message}\n")

    def log_text(self) -> str:
        """Return the log so far."""
        path = self.folder / "log.txt"
        return path.read_text(encoding="utf-8") if path.exists() else ""


class RunStore:
    """The runs below one folder. Making the object touches nothing on the disk.

    Parameters
    ----------
    root : Path
        Folder of the run folders; made when the first run begins.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, key: RunKey) -> Path:
        """Return where the finished run is or will be."""
        return self.root / key.name

    @contextmanager
    def lock(
        self, key: RunKey, *, wait: float | None = None, on_wait: Callable[[Holder | None], None] | None = None
    ) -> Iterator[Holder | None]:
        """Let only one process at a time work on a run; see :func:`haptos.store.lock.locked`."""
        with told("make the folder of runs", self.root):
            self.root.mkdir(parents=True, exist_ok=True)
        with locked(self.root / f".{key.name}.lock", wait=wait, on_wait=on_wait) as stale:
            yield stale

    def finished(self, key: RunKey) -> tuple[Path | None, list[str]]:
        """Return the finished run, verified, and what was wrong with a damaged one.

        A damaged run is set aside under a new name and never used.
        """
        folder = self.folder(key)
        if not folder.exists():
            return None, []
        wrong = damage(folder)
        if not wrong:
            return folder, []
        aside = self._set_aside(folder)
        return None, [f"{folder.name} was damaged and is kept as {aside.name}", *wrong]

    def stage(self, key: RunKey) -> Staging:
        """Open the hidden folder of an unfinished run, or make it. Hold the lock while using it."""
        folder = self.root / f".{key.name}.partial"
        note = folder / "specification.json"
        wanted = canonical_json({"kind": key.kind, "specification": key.specification})
        begun = self._begun(note, wanted)
        if begun is not None:
            return Staging(folder, key, resumed=True, started=begun)
        remove_tree(folder)
        with told("make the folder", folder):
            folder.mkdir(parents=True)
        started = now()
        write_whole(note, json.dumps({"started": started, "run": wanted}).encode())
        return Staging(folder, key, resumed=False, started=started)

    def publish(self, staging: Staging, manifest: Manifest) -> Path:
        """Turn the result folder into the finished run, in one step.

        Everything is on the disk before the folder gets its name. An existing folder of that
        name is never replaced.

        Raises
        ------
        StoreError
            If the folder cannot be synced or renamed, or the name is taken.
        """
        final = self.folder(staging.key)
        staging.log("finished")
        write_whole(staging.result / "log.txt", staging.log_text().encode())
        write_manifest(staging.result, manifest)
        with told("publish the run", final):
            sync_tree(staging.result)
            if final.exists():
                raise StoreError(f"{final} appeared while the run was computed; it is left as it is")
            staging.result.rename(final)
            sync_folder(self.root)
        remove_tree(staging.folder)
        return final

    def names(self) -> list[str]:
        """Return the names of the folders that hold a manifest, sorted."""
        if not self.root.is_dir():
            return []
        with told("list", self.root):
            folders = [p for p in self.root.iterdir() if (p / MANIFEST).is_file()]
        return sorted(p.name for p in folders if not p.name.startswith(".") and _ASIDE not in p.name)

    def unfinished(self) -> list[str]:
        """Return the names of the runs that were begun and not finished."""
        if not self.root.is_dir():
            return []
        return sorted(p.name[1:].removesuffix(".partial") for p in self.root.glob(".*.partial") if p.is_dir())

    def find(self, text: str) -> Path:
        """Return the run folder whose name or hash is, begins or ends with `text`.

        Raises
        ------
        StoreError
            If there is none, or more than one.
        """
        names = self.names()
        found = [n for n in names if n == text] or [
            n for n in names if n.startswith(text) or n.rpartition("-")[2].startswith(text)
        ]
        if len(found) == 1:
            return self.root / found[0]
        if found:
            raise StoreError(f"{text!r} fits {len(found)} runs: {', '.join(found)}; write more of the name")
        near = nearest(text, names)
        hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else "; 'haptos runs' lists them"
        raise StoreError(f"no run {text!r} in {self.root}{hint}")

    def read(self, name: str) -> Manifest:
        """Return the manifest of a run."""
        return read_manifest(self.root / name)

    def _begun(self, note: Path, wanted: str) -> str | None:
        """Return when the partial folder was begun, or None if there is none that can be used."""
        try:
            data = json.loads(note.read_text(encoding="utf-8"))
            return str(data["started"]) if data["run"] == wanted else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _set_aside(self, folder: Path) -> Path:
        stamp = now().replace(":", "").replace("+0000", "Z")
        names = (folder.with_name(f"{folder.name}{_ASIDE}{stamp}{extra}") for extra in ("", *map(str, range(2, 100))))
        aside = next(n for n in names if not n.exists())
        with told("set the damaged run aside", folder):
            folder.rename(aside)
        return aside
