"""Time the first simulation of a model in a fresh process, beside libRoadRunner.

Usage::

    python benchmarks/first_simulation.py FOLDER [--models La24,S19] [--repeats 3] [--out docs/benchmarks]

Every measurement is a process of its own that starts Python, imports, loads the SBML,
simulates one member with 51 outputs, and then once more. haptos is measured

* ``cold``: a model never seen, no kernels kept on disk;
* ``warm``: its kernels kept by an earlier process;
* ``bare`` (first model only): also the driver not yet compiled, which happens once per
  installation.

Seconds of processor time (user and system, all threads) and of the clock, fastest of the
repeats each. Writes ``first.csv``.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

STAGES = ("import", "load", "first", "second")


def child(engine: str, path: Path, end: float, signed: bool) -> None:
    """Do one measurement and print the seconds of each stage: processor, clock."""
    marks = [(time.process_time(), time.perf_counter())]
    times = np.linspace(0.0, end, 51)
    simulate = _haptos(path, times, signed, marks) if engine == "haptos" else _roadrunner(path, times, marks)
    for _ in range(2):
        simulate()
        marks.append((time.process_time(), time.perf_counter()))
    spans = np.diff(np.array(marks), axis=0)
    spans[0, 0] += marks[0][0]  # what Python itself took
    print(json.dumps({name: span.tolist() for name, span in zip(STAGES, spans, strict=True)}))


def _haptos(path, times, signed, marks):
    from haptos.numerics.engine import EngineSolver
    from haptos.signalling.network import compile_network

    marks.append((time.process_time(), time.perf_counter()))
    network = compile_network(path.read_text(encoding="utf-8"), nonnegative=not signed)
    marks.append((time.process_time(), time.perf_counter()))
    solver = EngineSolver()

    def simulate():
        if np.any(network.simulate(times, solver=solver).status):
            sys.exit("the simulation failed")

    return simulate


def _roadrunner(path, times, marks):
    import roadrunner

    marks.append((time.process_time(), time.perf_counter()))
    runner = roadrunner.RoadRunner(path.read_text(encoding="utf-8"))
    marks.append((time.process_time(), time.perf_counter()))

    def simulate():
        runner.resetAll()
        runner.simulate(times=list(times))

    return simulate


def ask(engine: str, path: Path, end: float, signed: bool, settings: dict[str, str]) -> dict[str, list[float]]:
    """Run a child; returns the stages and ``total``, each as processor and clock seconds."""
    command = [sys.executable, __file__, "--child", engine, str(path), repr(end), str(int(signed))]
    began = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **settings})
    stages = json.loads(done.stdout)
    total = [sum(stages[name][0] for name in STAGES[:3]), time.perf_counter() - began - stages["second"][1]]
    return {**stages, "total": total}


def measure(key: str, path: Path, end: float, signed: bool, repeats: int, bare: bool) -> list[list[object]]:
    """Return the rows of one model."""
    found: dict[tuple[str, str], list[dict[str, list[float]]]] = {}
    with tempfile.TemporaryDirectory() as kept:
        ask("haptos", path, end, signed, {"HAPTOS_CACHE": kept})
        for number in range(repeats):
            with tempfile.TemporaryDirectory() as empty:
                states = [("cold", {"HAPTOS_CACHE": empty}), ("warm", {"HAPTOS_CACHE": kept})]
                if bare and number == 0:
                    states.append(("bare", {"HAPTOS_CACHE": f"{empty}/b", "NUMBA_CACHE_DIR": f"{empty}/n"}))
                for state, settings in states:
                    found.setdefault(("haptos", state), []).append(ask("haptos", path, end, signed, settings))
            found.setdefault(("libRoadRunner", ""), []).append(ask("libRoadRunner", path, end, signed, {}))
    rows: list[list[object]] = []
    for (engine, state), runs in found.items():
        best = {n: [min(r[n][k] for r in runs) for k in (0, 1)] for n in (*STAGES, "total")}
        rows.append([key, engine, state, *(f"{best[n][k]:.4g}" for n in (*STAGES, "total") for k in (0, 1))])
        stages = ", ".join(f"{n} {best[n][0]:.2f}" for n in STAGES[:3])
        total = best["total"]
        print(
            f"{key:6s} {engine:14s}{state:5s} {stages}; {total[0]:.2f} s of processor, {total[1]:.2f} s of clock",
            flush=True,
        )
    return rows


def main() -> None:
    """Read the arguments and print the table."""
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], Path(sys.argv[3]), float(sys.argv[4]), sys.argv[5] == "1")
        return
    from models import MODELS, read_model

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--models", default=",".join(m.key for m in MODELS))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for model in MODELS:
            if model.key in given.models.split(","):
                path = Path(scratch) / f"{model.key}.xml"
                path.write_text(read_model(model, given.folder), encoding="utf-8")
                rows += measure(model.key, path, model.end, model.signed, given.repeats, not rows)
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        with (given.out / "first.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, lineterminator="\n")
            spans = [f"{n}_{kind}_s" for n in (*STAGES, "total") for kind in ("cpu", "wall")]
            table.writerow(["model", "engine", "state", *spans])
            table.writerows(rows)


if __name__ == "__main__":
    main()
