"""Time the batched engine beside libRoadRunner, and AMICI if asked, at equal error, per core.

Usage::

    python benchmarks/fetch_models.py FOLDER --origin ORIGIN
    python benchmarks/engine_vs_roadrunner.py FOLDER [--models K10,H140] [--rounds 3] [--quick]
        [--amici PYTHON --amici-store FOLDER] [--out docs/benchmarks]

Every engine simulates the same parameter sets (all positive global parameters times
log-normal factors, sigma 0.3) with the same 51 output times and all states as outputs, at
a sweep of tolerances. The reference is SciPy's LSODA at rtol 1e-12, or the tightest it can
do, for the first 32 sets (CVODE for the one model of 500 states); the error is that of
:mod:`precision`. Rounds are interleaved over engines and tolerances; times are processor
times of one thread; a run shorter than 0.1 s is repeated; the fastest round counts.

The ratio compares the work at the error that libRoadRunner has at rtol 1e-6, interpolated
in logarithms along each engine's best points. Its band covers the errors of libRoadRunner
at rtol 1e-5 to 1e-8, its scatter the rounds. Writes ``points.csv`` and ``ratios.csv``;
rows of models that are not measured stay.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from competitors import Amici, Competitor, Engine, Roadrunner, Run
from models import MODELS, Model
from precision import error_of, time_at
from references import prepare

from haptos.numerics.engine import EngineSolver

LEAST = 0.1
SWEEPS = {
    "haptos": (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8),
    "libRoadRunner": (1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9),
    "AMICI": (1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-9),
}
ANCHOR, BAND = 1e-6, (1e-5, 1e-6, 1e-7, 1e-8)
Array = np.ndarray


@dataclasses.dataclass
class Point:
    """One engine at one tolerance: seconds per simulation in every round, error, failures."""

    engine: str
    rtol: float
    error: float = float("nan")
    failed: int = 0
    seconds: list[float] = dataclasses.field(default_factory=list)
    inner: list[float] = dataclasses.field(default_factory=list)

    def add(self, run: Run, reference: Array) -> None:
        """Take over a round."""
        if not self.seconds:
            self.error, self.failed = error_of(run.states[: len(reference)], reference), run.failed
        self.seconds.append(run.seconds)
        self.inner.append(run.inner)


def sweep(engines: Sequence[Competitor], reference: Array, count: int, rounds: int) -> list[Point]:
    """Run all engines at all their tolerances, round by round."""
    points = [Point(engine.name, rtol) for engine in engines for rtol in SWEEPS[engine.name]]
    order = sorted(points, key=lambda p: (-p.rtol, p.engine))
    by_name = {engine.name: engine for engine in engines}
    for _ in range(rounds):
        for point in order:
            point.add(timed(by_name[point.engine], point.rtol, count), reference)
    return points


def timed(engine: Competitor, rtol: float, count: int) -> Run:
    """Run an engine for at least 0.1 s of processor time; the mean counts."""
    runs = [engine.run(rtol, count)]
    while sum(run.seconds for run in runs) * count < LEAST:
        runs.append(engine.run(rtol, count))
    seconds, inner = (float(np.mean([getattr(run, name) for run in runs])) for name in ("seconds", "inner"))
    return dataclasses.replace(runs[0], seconds=seconds, inner=inner)


def equal_error(points: list[Point], engine: str, target: float, number: int | None = None) -> float:
    """Return the seconds of an engine at an error: of one round, or of the fastest rounds."""
    own = [p for p in points if p.engine == engine]
    times = [min(p.seconds) if number is None else p.seconds[number] for p in own]
    return time_at(target, [p.error for p in own], times)


def summary(points: list[Point], rounds: int) -> dict[str, float]:
    """Compare the engines of one model."""
    peer = {p.rtol: p for p in points if p.engine == "libRoadRunner"}
    target = peer[ANCHOR].error
    ratios = {
        rtol: equal_error(points, "libRoadRunner", peer[rtol].error) / equal_error(points, "haptos", peer[rtol].error)
        for rtol in BAND
    }
    each = [
        equal_error(points, "libRoadRunner", target, k) / equal_error(points, "haptos", target, k)
        for k in range(rounds)
    ]
    own = equal_error(points, "haptos", target)
    beside = equal_error(points, "libRoadRunner", target)
    row = {"error": target, "roadrunner_ms": 1e3 * beside, "haptos_ms": 1e3 * own}
    row |= {
        "ratio": ratios[ANCHOR],
        "band_low": np.nanmin([*ratios.values()]),
        "band_high": np.nanmax([*ratios.values()]),
    }
    row |= {"scatter_low": min(each), "scatter_high": max(each)}
    if any(p.engine == "AMICI" for p in points):
        amici = equal_error(points, "AMICI", target)
        inside = [p for p in points if p.engine == "AMICI"]
        inner = time_at(target, [p.error for p in inside], [min(p.inner) for p in inside])
        row |= {"amici_ms": 1e3 * amici, "amici_ratio": amici / own, "amici_inner_ratio": inner / own}
    for name in dict.fromkeys(p.engine for p in points):
        row[f"failed_{name}"] = sum(p.failed for p in points if p.engine == name)
    return row


def measure(model: Model, given: argparse.Namespace) -> tuple[list[Point], dict[str, object]]:
    """Measure one model and print its part of the table."""
    count = given.sets or (32 if given.quick else model.sets)
    rounds = 1 if given.quick else given.rounds
    job, reference, precise = prepare(model, given.folder, count)
    engines: list[Competitor] = [Engine(job), Roadrunner(job)]
    if given.amici:
        engines.append(Amici(job, given.amici, given.amici_store))
    for engine in engines:
        engine.run(1e-4, min(count, 8))  # compiles, and warms caches
    control = EngineSolver().solve(job.task(1e-10, len(reference))).states
    points = sweep(engines, reference, count, rounds)
    about = {"model": model.key, "states": len(job.network.states), "reactions": len(job.network.reactions)}
    about |= {"sets": count, "rounds": rounds, "reference": model.reference, "reference_rtol": precise}
    about |= {"reference_against_haptos_1e-10": error_of(control, reference)}
    row = {**about, **summary(points, rounds)}
    report(points, row)
    for engine in engines:
        if isinstance(engine, Amici):
            engine.close()
    return points, row


def report(points: list[Point], row: dict[str, object]) -> None:
    """Print what was measured of one model."""
    print(
        f"\n{row['model']}: {row['states']} states, {row['sets']} sets; reference {row['reference']} at rtol "
        f"{row['reference_rtol']:.0e}, haptos at 1e-10 differs from it by {row['reference_against_haptos_1e-10']:.1e}"
    )
    for p in points:
        inner = f" (inside {1e3 * min(p.inner):.3f})" if p.engine == "AMICI" else ""
        print(
            f"  {p.engine:14s} {p.rtol:.0e} {1e3 * min(p.seconds):10.4f} ms{inner}  "
            f"error {p.error:.1e}  {p.failed} failed"
        )
    print(
        f"  at error {row['error']:.1e}: {row['roadrunner_ms']:.3f} against {row['haptos_ms']:.4f} ms, ratio "
        f"{row['ratio']:.1f}, band {row['band_low']:.1f} to {row['band_high']:.1f}, rounds "
        f"{row['scatter_low']:.1f} to {row['scatter_high']:.1f}",
        end="",
    )
    print(f"; AMICI {row['amici_ratio']:.1f} ({row['amici_inner_ratio']:.1f})" if "amici_ms" in row else "", flush=True)


def write(folder: Path, measured: list[tuple[list[Point], dict[str, object]]]) -> None:
    """Write both tables; models that were not measured now keep their rows."""
    folder.mkdir(parents=True, exist_ok=True)
    points = [
        {
            "model": row["model"],
            "engine": p.engine,
            "rtol": p.rtol,
            "error": p.error,
            "ms": 1e3 * min(p.seconds),
            "slowest_round_ms": 1e3 * max(p.seconds),
            "inner_ms": 1e3 * min(p.inner),
            "failed": p.failed,
        }
        for own, row in measured
        for p in own
    ]
    order = {model.key: number for number, model in enumerate(MODELS)}
    for path, rows in ((folder / "points.csv", points), (folder / "ratios.csv", [row for _, row in measured])):
        new = pd.DataFrame(rows)
        if path.exists():
            old = pd.read_csv(path)
            new = pd.concat([old[~old["model"].isin(new["model"])], new])
        new = new.sort_values("model", key=lambda keys: keys.map(order), kind="stable")
        new.to_csv(path, index=False, float_format="%.5g", lineterminator="\n")


def main() -> None:
    """Read the arguments, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="where fetch_models.py put the models")
    parser.add_argument("--models", default=",".join(m.key for m in MODELS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sets", type=int, help="parameter sets of every model, instead of its own number")
    parser.add_argument("--quick", action="store_true", help="32 sets, one round")
    parser.add_argument("--amici", type=Path, help="a Python that has amici")
    parser.add_argument("--amici-store", type=Path, default=Path("amici_models"), help="where its models are kept")
    parser.add_argument("--out", type=Path, help="folder of the tables")
    given = parser.parse_args()
    wanted = given.models.split(",")
    if unknown := set(wanted) - {m.key for m in MODELS}:
        sys.exit(f"no such model: {', '.join(sorted(unknown))}")
    measured = []
    for model in MODELS:
        if model.key in wanted:
            measured.append(measure(model, given))
            if given.out:
                write(given.out, measured)


if __name__ == "__main__":
    main()
