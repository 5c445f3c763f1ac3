"""Runs an experiment file through the public path in a process of its own, in chunks of a given pace.

Usage: python driver.py FILE RUNS WORKERS MEMBERS PACE
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from haptos.lab.experiments import read_experiment
from haptos.lab.run import Bench, run_experiment
from haptos.signalling.ensemble import ensemble_size
from haptos.store.files import checksums
from haptos.store.runs import RunStore

#: Members of the runs.
MEMBERS = min(24, ensemble_size())


def start(file: Path, runs: Path, workers: int, pace: float = 0.0) -> subprocess.Popen[str]:
    """Start a run in a process group of its own."""
    arguments = [sys.executable, __file__, str(file), str(runs), str(workers), str(MEMBERS), str(pace)]
    return subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def finish(process: subprocess.Popen[str]) -> Path:
    """Return the folder of the run once it is done."""
    out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    return Path(out.strip())


def tasks(runs: Path) -> list[Path]:
    """Return the checkpoints of runs that are under way."""
    return sorted(runs.glob(".*.partial/tasks/*.task"))


def bits(folder: Path) -> dict[str, str]:
    """Return the checksums of what must not depend on when and how fast a run was made."""
    return dict(checksums(folder, leave_out=frozenset({"manifest.json", "log.txt"})))


if __name__ == "__main__":
    name, folder, workers, members, pace = sys.argv[1:]
    asked = read_experiment(name)
    bench = Bench(RunStore(Path(folder)), int(workers), pace=float(pace))
    result = run_experiment(asked.experiment, bench, members=int(members), file=asked)
    sys.stdout.write(f"{result.folder}\n")
