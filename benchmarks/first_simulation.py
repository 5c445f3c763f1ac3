"""Time the first simulation of a model in a fresh process, beside libRoadRunner.

Usage::

    python benchmarks/first_simulation.py FOLDER [--models La24,S19] [--repeats 3] [--out docs/benchmarks]

Every measurement is a process of its own that starts Python, imports, loads the SBML,
simulates one member with 51 outputs, and then once more. haptos is measured

* ``cold``: a model never seen, nothing of it kept on disk;
* ``warm``: its network and kernels kept by an earlier process;
* ``next``: a model never seen, in a process that simulated another one before; what that
  one took is not counted;
* ``bare`` (first model only): also the driver not yet compiled, which happens once per
  installation.

Python may keep bytecode (in a folder of its own, filled beforehand), as in any
installation: without it libSBML's Python module alone takes 0.4 s to compile.

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

_SMALL = """<sbml xmlns="http://www.sbml.org/sbml/level2/version4" level="2" version="4"><model id="small">
<listOfCompartments><compartment id="c" size="1"/></listOfCompartments>
<listOfSpecies><species id="A" compartment="c" initialConcentration="1"/></listOfSpecies>
<listOfReactions><reaction id="r" reversible="false"><listOfReactants><speciesReference species="A"/></listOfReactants>
<kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML"><ci>A</ci></math></kineticLaw></reaction></listOfReactions>
</model></sbml>"""
"""What the process of ``next`` simulates before."""


def child(engine: str, path: Path, end: float, signed: bool, before: str) -> None:
    """Do one measurement and print the seconds of each stage: processor, clock."""
    if before:
        _haptos(Path(before), np.linspace(0.0, 1.0, 51), signed, [])()
    marks = [(time.process_time(), time.perf_counter())]
    times = np.linspace(0.0, end, 51)
    simulate = _haptos(path, times, signed, marks) if engine == "haptos" else _roadrunner(path, times, marks)
    for _ in range(2):
        simulate()
        marks.append((time.process_time(), time.perf_counter()))
    spans = np.diff(np.array(marks), axis=0)
    spans[0, 0] += 0.0 if before else marks[0][0]  # what Python itself took
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


def ask(
    engine: str, path: Path, end: float, signed: bool, settings: dict[str, str], before: Path | str = ""
) -> dict[str, list[float]]:
    """Run a child; returns the stages and ``total``, each as processor and clock seconds."""
    command = [sys.executable, __file__, "--child", engine, str(path), repr(end), str(int(signed)), str(before)]
    around = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**around, **settings})
    clock = time.perf_counter() - began
    stages = json.loads(done.stdout)
    counted = [sum(stages[name][k] for name in STAGES[:3]) for k in (0, 1)]
    return {**stages, "total": [counted[0], counted[1] if before else clock - stages["second"][1]]}


def measure(
    key: str, path: Path, end: float, signed: bool, repeats: int, bare: bool, other: Path
) -> list[list[object]]:
    """Return the rows of one model; `other` is what the process of ``next`` simulates before."""
    found: dict[tuple[str, str], list[dict[str, list[float]]]] = {}
    with tempfile.TemporaryDirectory() as kept:
        code = {"PYTHONPYCACHEPREFIX": f"{kept}/bytecode", "NUMBA_CACHE_DIR": f"{kept}/driver"}
        ask("haptos", path, end, signed, {**code, "HAPTOS_CACHE": kept})
        ask("libRoadRunner", path, end, signed, code)
        for number in range(repeats):
            with tempfile.TemporaryDirectory() as empty:
                fresh = {**code, "HAPTOS_CACHE": empty}
                states = [("cold", fresh, ""), ("warm", {**code, "HAPTOS_CACHE": kept}, "")]
                states.append(("next", {**fresh, "HAPTOS_CACHE": f"{empty}/next"}, other))
                if bare and number == 0:
                    states.append(
                        ("bare", {**fresh, "HAPTOS_CACHE": f"{empty}/b", "NUMBA_CACHE_DIR": f"{empty}/n"}, "")
                    )
                for state, settings, before in states:
                    found.setdefault(("haptos", state), []).append(ask("haptos", path, end, signed, settings, before))
            found.setdefault(("libRoadRunner", ""), []).append(ask("libRoadRunner", path, end, signed, code))
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
        child(sys.argv[2], Path(sys.argv[3]), float(sys.argv[4]), sys.argv[5] == "1", sys.argv[6])
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
        other = Path(scratch) / "other.xml"
        other.write_text(_SMALL, encoding="utf-8")
        for model in MODELS:
            if model.key in given.models.split(","):
                path = Path(scratch) / f"{model.key}.xml"
                path.write_text(read_model(model, given.folder), encoding="utf-8")
                rows += measure(model.key, path, model.end, model.signed, given.repeats, not rows, other)
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        with (given.out / "first.csv").open("w", newline="", encoding="utf-8") as file:
            table = csv.writer(file, lineterminator="\n")
            spans = [f"{n}_{kind}_s" for n in (*STAGES, "total") for kind in ("cpu", "wall")]
            table.writerow(["model", "engine", "state", *spans])
            table.writerows(rows)


if __name__ == "__main__":
    main()
