"""Load and simulate the models of the PEtab benchmark collection.

    uv run tools/petab_collection.py FOLDER                   every problem
    uv run tools/petab_collection.py FOLDER --only Boehm      problems with this in their name
    uv run tools/petab_collection.py FOLDER --table docs/petab.md

FOLDER is ``Benchmark-Models`` of the collection (public; fetch it yourself, nothing of it
is kept here). Every problem is simulated with its nominal parameters under all its
conditions, pre-equilibration included; its observables are compared with the published
``simulatedData``. The deviation is the largest ``|ours - published|`` over all points, in
units of ``|published| + 1e-3 * largest |published| of the observable``. A problem agrees
if it is at most 1e-2, and nearly if 99 % of the points are. Where the published table
does not fit, the species are compared with libRoadRunner instead, and the note says how
close the two are: such tables were made with other parameters.

The exit code is 1 if anything crashed, hung or raised what it should not.
"""

from __future__ import annotations

import argparse
import math
import re
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import libsbml
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from ruamel.yaml import YAML

from guarded import each  # type: ignore[import-not-found]
from haptos.errors import HaptosError, ModelError
from haptos.numerics import GraphBuilder
from haptos.signalling._sbml.formulas import MathReader
from haptos.signalling.network import Network, compile_network, open_network

Array = NDArray[np.float64]
AGREES = 1e-2
RTOL = 1e-8
SECONDS = 900.0
_PLACEHOLDER = re.compile(r"observableParameter(\d+)_\w+")


@dataclass(frozen=True)
class Outcome:
    """What became of one problem."""

    name: str
    outcome: str
    note: str = ""
    states: int = 0
    reactions: int = 0
    conditions: int = 0
    points: int = 0
    typical: float = math.nan
    largest: float = math.nan
    seconds: float = math.nan


@dataclass(frozen=True)
class Problem:
    """The tables of one problem."""

    name: str
    text: str
    nominal: dict[str, float]
    conditions: pd.DataFrame
    observables: dict[str, str]
    readings: tuple[pd.DataFrame, ...]

    @classmethod
    def read(cls, folder: Path) -> Problem:
        """Read the tables that the YAML file of a folder names."""
        sheet = YAML(typ="safe").load(next(p for p in sorted(folder.glob("*.yaml")) if "_test" not in p.name))
        parts = sheet["problems"][0]
        observables = _tables(folder, parts["observable_files"]).set_index("observableId")["observableFormula"]
        data = _published(folder, _tables(folder, parts["measurement_files"]))
        parameters = _tables(folder, _listed(sheet["parameter_file"])).set_index("parameterId")["nominalValue"]
        return cls(
            name=folder.name,
            text=(folder / parts["sbml_files"][0]).read_text(encoding="utf-8"),
            nominal={str(k): float(v) for k, v in parameters.items()},
            conditions=_tables(folder, parts["condition_files"]).set_index("conditionId"),
            observables={str(k): str(v) for k, v in observables.items()},
            readings=data,
        )


def _published(folder: Path, measured: pd.DataFrame) -> tuple[pd.DataFrame, ...]:
    """Return the published simulation, as it names things and as the measurements do.

    Some published tables name conditions and observables by older names, or give
    parameters on a logarithmic scale; where rows and times are those of the measurements,
    their names are a second reading.
    """
    files = sorted(folder.glob("simulatedData*.tsv"))
    if not files:
        return ()
    data = pd.concat([pd.read_csv(f, sep="\t") for f in files]).reset_index(drop=True)
    data = data.rename(columns=_OLD_NAMES)
    same = len(data) == len(measured)
    if same and np.array_equal(data["time"].to_numpy(float), measured["time"].to_numpy(float)):
        return data, measured.reset_index(drop=True).assign(simulation=data["simulation"])
    return (data,)


_OLD_NAMES = {
    "simulationCondition": "simulationConditionId",
    "preequilibrationCondition": "preequilibrationConditionId",
}


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _tables(folder: Path, names: Iterable[str]) -> pd.DataFrame:
    return pd.concat([pd.read_csv(folder / name, sep="\t") for name in names])


class Bench:
    """Simulates the conditions of a problem."""

    def __init__(self, problem: Problem, network: Network) -> None:
        self.problem, self.network = problem, network
        model = libsbml.readSBMLFromString(problem.text).getModel()
        self.amounts = {s.getId(): s.getCompartment() for s in model.getListOfSpecies() if s.getHasOnlySubstanceUnits()}
        known = {*network.parameters, *network.states}
        self.base = {name: value for name, value in problem.nominal.items() if name in known}

    def overrides(self, condition: str) -> dict[str, float]:
        """Return what a condition sets, numbers and names of parameters resolved."""
        found: dict[str, float] = {}
        known = {*self.network.parameters, *self.network.states, *self.network.species, *self.network.observables}
        for name, cell in self.problem.conditions.loc[condition].items():
            if name != "conditionName" and name in known and not _empty(cell):
                found[str(name)] = self.number(cell)
        return found

    def number(self, cell: Any) -> float:
        """Read a number or the name of a parameter."""
        try:
            return float(cell)
        except ValueError:
            if str(cell) in self.problem.nominal:
                return self.problem.nominal[str(cell)]
            return float(self.network.defaults[self.network.parameters.index(str(cell))])

    def run(self, before: str, condition: str, times: Array, names: list[str]) -> dict[str, Array]:
        """Return named quantities at the times, infinite ones included, shape (T,)."""
        begun = self.split(self.overrides(condition))
        if before:
            rest = self.rest(*self.split(self.overrides(before)))
            begun = (begun[0], {**rest, **begun[1]})
        finite = np.unique(times[np.isfinite(times)])
        sizes = [self.amounts[n] for n in names if n in self.amounts]
        wanted = list(dict.fromkeys([*names, *sizes]))
        columns: dict[str, Array] = {n: np.full(len(times), np.nan) for n in wanted}
        if finite.size:
            result = self.network.simulate(
                finite, parameters=begun[0], initial=begun[1], outputs=wanted, rtol=RTOL, max_steps=1_000_000
            )
            if not result.ok[0]:
                raise Failed(f"{condition}: {result.explanation(0)}")
            where = np.searchsorted(finite, times[np.isfinite(times)])
            for name in wanted:
                columns[name][np.isfinite(times)] = result[name][0][where]
        if np.any(np.isinf(times)):
            for name, value in self.rest(*begun, outputs=wanted).items():
                columns[name][np.isinf(times)] = value
        for name in names:
            if name in self.amounts:
                columns[name] = columns[name] * columns[self.amounts[name]]
        return columns

    def split(self, changes: Mapping[str, float]) -> tuple[dict[str, float], dict[str, float]]:
        """Sort values into parameters and initial concentrations."""
        parameters: dict[str, float] = {}
        initial: dict[str, float] = {}
        sizes = dict(zip(self.network.parameters, self.network.defaults.tolist(), strict=True))
        for name, value in {**self.base, **changes}.items():
            if name in self.network.states or name in self.network.places:
                initial[name] = value
            else:
                parameters[name] = value
        sizes |= parameters
        for name in sorted(set(initial) & set(changes) & set(self.amounts)):
            initial[name] = initial[name] / sizes[self.amounts[name]]
        return parameters, initial

    def rest(
        self, parameters: dict[str, float], initial: dict[str, float], outputs: list[str] | None = None
    ) -> dict[str, float]:
        """Integrate until nothing changes any more: for ten times longer, until two ends agree."""
        names = list(self.network.states) if outputs is None else outputs
        last = np.full(len(names), np.inf)
        for horizon in 10.0 ** np.arange(3, 10):
            result = self.network.simulate(
                [horizon], parameters=parameters, initial=initial, outputs=names, rtol=RTOL, max_steps=1_000_000
            )
            if not result.ok[0]:
                raise Failed(f"pre-equilibration: {result.explanation(0)}")
            now = result.values[0, 0]
            settled = np.all(np.abs(now - last) <= 1e-6 * np.abs(now) + 1e-9 * np.max(np.abs(now)))
            last = now
            if settled:
                break
        return dict(zip(names, last.tolist(), strict=True))


class Failed(Exception):
    """A simulation that ended with a status."""


def _empty(cell: Any) -> bool:
    return cell is None or (isinstance(cell, float) and math.isnan(cell)) or str(cell).strip() in ("", "NaN", "nan")


class Formula:
    """An observable formula over named quantities."""

    def __init__(self, text: str) -> None:
        settings = libsbml.L3ParserSettings()
        settings.setParseLog(libsbml.L3P_PARSE_LOG_AS_LN)
        root = libsbml.parseL3FormulaWithSettings(text.replace("**", "^"), settings)
        if root is None:
            raise Failed(f"the formula {text!r} cannot be read")
        self.names = sorted(_names(root))
        builder = GraphBuilder()
        symbols = {name: builder.variable(i) for i, name in enumerate(self.names)}
        self.root = MathReader(builder, symbols, {}).read(root)
        self.graph = builder.freeze()

    def __call__(self, values: Mapping[str, Any], times: Array) -> Array:
        """Evaluate with the values of the names, each a number or of shape (T,)."""
        rows = np.zeros((len(self.names), *times.shape))
        for number, name in enumerate(self.names):
            rows[number] = values[name]
        return np.broadcast_to(self.graph.evaluate([self.root], rows, times)[0], times.shape)


def _names(root: Any) -> set[str]:
    found, stack = set(), [root]
    while stack:
        node = stack.pop()
        if node.getType() == libsbml.AST_NAME:
            found.add(node.getName())
        stack.extend(node.getChild(i) for i in range(node.getNumChildren()))
    return found


def deviations(bench: Bench, data: pd.DataFrame) -> Array:
    """Simulate everything and return the scaled deviation of every point."""
    problem, network = bench.problem, bench.network
    formulas = {name: Formula(problem.observables[name]) for name in data["observableId"].unique()}
    known = {*network.species, *network.states, *network.parameters, *network.observables, *network.reactions}
    if "preequilibrationConditionId" not in data:
        data["preequilibrationConditionId"] = ""
    keys = ["preequilibrationConditionId", "simulationConditionId"]
    ours = np.full(len(data), np.nan)
    for (before, condition), part in data.fillna({keys[0]: ""}).groupby(keys, sort=False):
        used = sorted({n for o in part["observableId"].unique() for n in formulas[o].names} & known)
        times = part["time"].to_numpy(dtype=np.float64)
        values = {**problem.nominal, **bench.run(str(before), str(condition), times, used)}
        place = part.index.to_numpy()
        for name in part["observableId"].unique():
            here = (part["observableId"] == name).to_numpy()
            own: dict[str, Any] = {
                key: np.broadcast_to(np.asarray(value), times.shape)[here] for key, value in values.items()
            }
            own |= placeholders(bench, formulas[name].names, part[here])
            ours[place[here]] = formulas[name](own, times[here])
    published = data["simulation"].to_numpy(dtype=np.float64)
    scale = data["simulation"].abs().groupby(data["observableId"]).transform("max").to_numpy(dtype=np.float64)
    gap = np.abs(ours - published) / np.maximum(np.abs(published) + 1e-3 * scale, 1e-300)
    return np.asarray(gap[np.isfinite(published)])


def placeholders(bench: Bench, names: Iterable[str], part: pd.DataFrame) -> dict[str, Array]:
    """Return the values of the observable parameters of every row."""
    found = {}
    for name in names:
        match = _PLACEHOLDER.fullmatch(name)
        if match is not None:
            cells = [str(cell).split(";")[int(match.group(1)) - 1] for cell in part["observableParameters"]]
            found[name] = np.array([bench.number(cell) for cell in cells])
    return found


def run_problem(folder: Path) -> Outcome:
    """Load, simulate and compare one problem."""
    name, began = folder.name, time.perf_counter()
    try:
        problem = Problem.read(folder)
    except (OSError, StopIteration) as fault:
        return Outcome(name, "incomplete", f"a file is missing: {Path(str(getattr(fault, 'filename', ''))).name}")
    try:
        network = compile_network(problem.text, nonnegative=False)
    except ModelError as fault:
        return Outcome(name, "refused", "; ".join(line.strip(" -") for line in str(fault).splitlines()[1:4]))
    size = {"states": len(network.states), "reactions": len(network.reactions)}
    if not problem.readings:
        result = network.simulate([0.0, 1.0])
        return Outcome(name, "simulated" if result.ok[0] else "failed", "no published simulation", **size)
    outcomes = []
    for number, data in enumerate(problem.readings):
        note = "row by row with the names of the measurements" if number else ""
        outcomes.append(compare(Bench(problem, network), data, note, size, began))
    best = min(outcomes, key=lambda o: (_ORDER.index(o.outcome), o.largest))
    if best.outcome in ("DIFFERS", "unreadable"):
        gap = second_opinion(Bench(problem, network))
        best = replace(best, note=f"libRoadRunner and haptos agree to {gap:.1e}; {best.note[:60]}")
    return best


def second_opinion(bench: Bench) -> float:
    """Return the scaled deviation from libRoadRunner over all species, up to 12 conditions."""
    network, data = bench.network, bench.problem.readings[0]
    other = open_network(bench.problem.text, solver="libroadrunner")
    times = np.linspace(0.0, float(data["time"][np.isfinite(data["time"])].max()), 41)
    worst = 0.0
    for condition in bench.problem.conditions.index[:12]:
        parameters, initial = bench.split(bench.overrides(condition))
        ours = network.simulate(times, parameters=parameters, initial=initial, outputs=network.species, rtol=RTOL)
        every = {**parameters, **initial}
        theirs = other.simulate(
            times,
            parameters={k: v for k, v in every.items() if k in other.parameters},
            initial={k: v for k, v in every.items() if k in other.species},
            outputs=network.species,
            rtol=RTOL,
        )
        size = np.abs(theirs.values)
        scale = size + 1e-3 * np.max(size, axis=(0, 1)) + 1e-9 * np.max(size, initial=1e-290)
        worst = max(worst, float(np.max(np.abs(ours.values - theirs.values) / scale)))
    return worst


_ORDER = ("error", "agrees", "nearly", "DIFFERS", "failed", "unreadable")


def compare(bench: Bench, data: pd.DataFrame, note: str, size: dict[str, int], began: float) -> Outcome:
    """Compare with one reading of the published table."""
    name = bench.problem.name
    try:
        gaps = deviations(bench, data)
    except Failed as fault:
        return Outcome(name, "failed", str(fault), **size)
    except (KeyError, ValueError, IndexError) as fault:
        return Outcome(name, "unreadable", f"the published table says {fault}, which the problem does not", **size)
    except HaptosError as fault:
        return Outcome(name, "error", f"{type(fault).__name__}: {fault}", **size)
    largest = float(np.max(gaps)) if np.all(np.isfinite(gaps)) else math.inf
    few = float(np.mean(gaps <= AGREES)) >= 0.99
    count = len(data.groupby("simulationConditionId"))
    return Outcome(
        name,
        "agrees" if largest <= AGREES else "nearly" if few else "DIFFERS",
        note,
        **size,
        conditions=count,
        points=len(gaps),
        typical=float(np.median(gaps)),
        largest=largest,
        seconds=time.perf_counter() - began,
    )


def report(outcomes: list[Outcome]) -> str:
    """Return the table as Markdown."""
    lines = [
        "| problem | outcome | states | reactions | conditions | points | median deviation | largest | s | note |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---|",
    ]
    lines += [
        f"| {o.name} | {o.outcome} | {o.states} | {o.reactions} | {o.conditions} | {o.points} | {o.typical:.1e} "
        f"| {o.largest:.1e} | {o.seconds:.1f} | {o.note[:200]} |"
        for o in outcomes
    ]
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Run the collection; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="Benchmark-Models of the collection")
    parser.add_argument("--only", default="", help="part of a name")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--table", type=Path, help="write the table to this file")
    options = parser.parse_args(arguments)
    folders = sorted(p for p in options.folder.iterdir() if p.is_dir() and options.only in p.name)
    outcomes = []
    for folder, result in each(run_problem, folders, workers=options.workers, limit=SECONDS):
        outcome = result if isinstance(result, Outcome) else Outcome(folder.name, result)
        outcomes.append(outcome)
        print(f"{outcome.outcome:10} {outcome.name} {outcome.largest:.1e} {outcome.note}", file=sys.stderr, flush=True)
    text = report(sorted(outcomes, key=lambda o: o.name))
    print(text)
    if options.table is not None:
        options.table.write_text(HEADING.format(rtol=RTOL, agrees=AGREES) + text, encoding="utf-8")
    return int(any(o.outcome in ("error", "crash", "hang") for o in outcomes))


HEADING = """# The PEtab benchmark collection

Written by `tools/petab_collection.py`: every problem of the collection with its nominal
parameters, under all its conditions, pre-equilibration included, integrated by the engine
(Rodas5P) at a relative tolerance of {rtol:g} and compared with the published `simulatedData`.
The deviation of a point is `|ours - published|` in units of `|published|` plus a thousandth
of the largest value of that observable. A problem *agrees* if the largest deviation is at
most {agrees:g}, and *nearly* if 99 % of the points are.

*DIFFERS* and *unreadable* are published tables that do not follow from the problem as it is
published: most likely made with other parameters, or naming conditions and observables that
the problem does not have. Of these all species are compared with libRoadRunner under up to
twelve conditions instead, and the note says how close the two are: where they agree, the
difference lies in the table or its reading and not in the integration.

"""


if __name__ == "__main__":
    sys.exit(main())
