"""Is this installation fit for work? Versions, folders, disk, one small simulation."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from haptos.conditions.experiment import Culture
from haptos.errors import HaptosError, Status, StoreError
from haptos.lab.simulator import CellSimulator, Simulator
from haptos.signalling.condition import Condition, Population
from haptos.store.files import write_whole
from haptos.store.manifest import software

__all__ = ["Finding", "examine"]

_ENOUGH = 500_000_000  # [bytes] of free disk


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at.

    Attributes
    ----------
    what : str
        What was looked at.
    found : str
        What was found.
    good : bool
        Whether work can go on.
    """

    what: str
    found: str
    good: bool = True


def examine(runs: Path, workers: int, simulator: Simulator | None = None) -> list[Finding]:
    """Look at everything an experiment needs.

    Parameters
    ----------
    runs : Path
        Folder of the run folders; nothing stays behind in it.
    workers : int
        Threads in use.
    simulator : Simulator, optional
        The cells; the default is the shipped model.
    """
    versions = ", ".join(f"{name} {number}" for name, number in software().items())
    cells = simulator or CellSimulator()
    return [
        Finding("versions", versions),
        Finding("workers", f"{workers} of {os.cpu_count() or 1} cores"),
        _checked("folder of runs", lambda: _folder(runs)),
        _disk(runs),
        _checked("library", _library),
        _checked("model", lambda: f"fingerprint {cells.fingerprint()}, {cells.ensemble_size()} parameter vectors"),
        _checked("simulation", lambda: _simulation(cells)),
    ]


def _checked(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, look())
    except HaptosError as error:
        return Finding(what, str(error), good=False)


def _existing(folder: Path) -> Path:
    """Return the folder or the nearest parent that exists."""
    return next(p for p in (folder.absolute(), *folder.absolute().parents) if p.exists())


def _folder(runs: Path) -> str:
    home = _existing(runs)
    if not home.is_dir():
        raise StoreError(f"{home} is a file, not a folder; choose another folder with --runs")
    trial = home / f".haptos-doctor-{os.getpid()}"
    write_whole(trial, b"")
    trial.unlink()
    return f"{runs.absolute()} ({'exists' if home == runs.absolute() else 'is made at the first run'})"


def _disk(runs: Path) -> Finding:
    free = shutil.disk_usage(_existing(runs)).free
    return Finding("free disk", f"{free / 1e9:.1f} GB", good=free > _ENOUGH)


def _library() -> str:
    from haptos.evidence.library import load_library
    from haptos.lab.experiments import examples

    return f"{len(load_library().claim_ids())} claims, {len(examples())} example experiments"


def _simulation(cells: Simulator) -> str:
    from haptos.lab.listing import list_cells

    name = next((row["name"] for row in list_cells(cells) if row["simulated"]), None)
    if name is None:
        raise HaptosError("no cell context of the library can be simulated; the installation is incomplete")
    condition = Condition(cells=name, culture=Culture(), times=(0.0, 60.0, 1440.0), quantities=())
    cells.simulate_batch([condition], [Population()], seed=0)
    start = time.perf_counter()
    outcome = cells.simulate_batch([condition], [Population()], seed=0)[0][0]
    seconds = time.perf_counter() - start
    if outcome.status is not Status.OK:
        raise HaptosError(f"24 h of {name} did not finish: {outcome.status.explanation}")
    return f"24 h of {name} in {seconds * 1000:.0f} ms"
