"""Runs an experiment file through the public path in a process of its own, in chunks of a given pace.

Usage: python driver.py FILE RUNS WORKERS MEMBERS PACE
"""

from __future__ import annotations

import sys
from pathlib import Path

from haptos.lab.experiments import read_experiment
from haptos.lab.run import Bench, run_experiment
from haptos.store.runs import RunStore

if __name__ == "__main__":
    name, runs, workers, members, pace = sys.argv[1:]
    asked = read_experiment(name)
    bench = Bench(RunStore(Path(runs)), int(workers), pace=float(pace))
    result = run_experiment(asked.experiment, bench, members=int(members), file=asked)
    sys.stdout.write(f"{result.folder}\n")
