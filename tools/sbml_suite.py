"""Run the SBML semantic test suite and print what haptos makes of it.

    uv run tools/sbml_suite.py FOLDER                     the highest level of every case
    uv run tools/sbml_suite.py FOLDER --files l2v4,l3v1   these levels and versions
    uv run tools/sbml_suite.py FOLDER --files all         every file
    uv run tools/sbml_suite.py FOLDER --table docs/sbml_suite.md

FOLDER is ``cases/semantic`` of the suite (public; fetch it yourself, nothing of it is
kept here). Every file ends as one of

* ``passed``: all values within the suite's own tolerances;
* ``refused``: haptos says by name what it does not support;
* ``failed``: the integration ended with a status other than ok;
* ``WRONG``: values beyond the tolerances;
* ``error``, ``crash``, ``hang``: faults of haptos.

The exit code is 1 if anything is wrong, an error, a crash or a hang.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from guarded import each  # type: ignore[import-not-found]
from haptos.errors import HaptosError, ModelError, Status
from haptos.numerics import ScipySolver
from haptos.numerics.engine import EngineSolver
from haptos.signalling.network import Network, compile_network

BAD = ("WRONG", "error", "crash", "hang")
OUTCOMES = ("passed", "refused", "failed", *BAD)
RTOL = 1e-9
SECONDS = 600.0


@dataclass(frozen=True)
class Outcome:
    """What became of one file."""

    path: Path
    outcome: str
    reasons: tuple[str, ...] = ()
    signed: bool = False
    warned: bool = False

    @property
    def case(self) -> str:
        """Number of the case."""
        return self.path.name[:5]


def settings_of(folder: Path) -> dict[str, str]:
    """Read the settings of a case."""
    text = next(folder.glob("*-settings.txt")).read_text(encoding="utf-8")
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}


def tags_of(folder: Path) -> dict[str, list[str]]:
    """Read component tags, test tags and type of a case."""
    text = next(folder.glob("*-model.m")).read_text(encoding="utf-8", errors="replace")
    found = re.findall(r"^(componentTags|testTags|testType|packagesPresent):[ \t]*(.*)$", text, re.MULTILINE)
    return {key: [tag.strip() for tag in value.split(",") if tag.strip()] for key, value in found}


def names_in(text: str) -> list[str]:
    """Split a list of names."""
    return [name.strip() for name in text.split(",") if name.strip()]


def run_case(path: Path, solver: str = "Rodas5P") -> Outcome:
    """Simulate one file and compare with the published results."""
    text = path.read_text(encoding="utf-8")
    try:
        network = compile_network(text)
        values, status, warned = simulate(network, path.parent, solver)
        signed = status == "negative"
        if signed:
            network = compile_network(text, nonnegative=False)
            values, status, warned = simulate(network, path.parent, solver)
        return replace(judge(path, values, status), signed=signed, warned=warned)
    except ModelError as fault:
        return Outcome(path, "refused", tuple(reasons_of(str(fault))))
    except HaptosError as fault:
        return Outcome(path, "refused", (f"other: {fault}",))
    except Exception as fault:  # noqa: BLE001 - a fault of haptos is what is looked for
        return Outcome(path, "error", (f"{type(fault).__name__}: {fault}",))


def simulate(network: Network, folder: Path, solver: str) -> tuple[Mapping[str, Any], str, bool]:
    """Return the wanted quantities at the wanted times, how it ended, and whether there was a warning."""
    settings = settings_of(folder)
    start, steps = float(settings["start"]), int(settings["steps"])
    times = np.linspace(start, start + float(settings["duration"]), steps + 1)
    wanted, amounts = names_in(settings["variables"]), names_in(settings.get("amount", ""))
    places = {name: network.places[name] for name in wanted if name in network.places}
    needed = dict.fromkeys([*wanted, *(places[name] for name in amounts if name in places)])
    clock = {"time"} - {*network.species, *network.states, *network.parameters, *network.observables}
    chosen = ScipySolver() if solver == "LSODA" else EngineSolver(solver)
    result = network.simulate(times, outputs=[n for n in needed if n not in clock], rtol=RTOL, solver=chosen)
    values: dict[str, Any] = {}
    for name in wanted:
        values[name] = times if name in clock else result[name][0]
        if name in amounts and name in places:
            values[name] = values[name] * result[places[name]][0]
    status = "ok" if result.ok[0] else Status(int(result.status[0])).name.lower()
    return values, status, bool(result.warnings)


def judge(path: Path, values: Mapping[str, Any], status: str) -> Outcome:
    """Compare values with the results of the suite at the suite's tolerances."""
    if status != "ok":
        return Outcome(path, "failed", (status,))
    settings = settings_of(path.parent)
    absolute, relative = float(settings["absolute"]), float(settings["relative"])
    table = pd.read_csv(next(path.parent.glob("*-results.csv")), skipinitialspace=True)
    wrong = []
    for column, name in enumerate(names_in(settings["variables"]), start=1):
        expected = table.iloc[:, column].to_numpy(dtype=np.float64)
        got = np.asarray(values[name])
        with np.errstate(invalid="ignore"):
            close = np.abs(got - expected) <= absolute + relative * np.abs(expected)
        close |= (got == expected) | (np.isnan(got) & np.isnan(expected))
        if not np.all(close):
            at = int(np.flatnonzero(~close)[0])
            moment = table.iloc[:, 0].to_numpy(dtype=np.float64)[at]
            wrong.append(f"{name} at {moment:g}: {got[at]:.9g}, not {expected[at]:.9g}")
    return Outcome(path, "WRONG" if wrong else "passed", tuple(wrong))


_KINDS = (
    ("algebraic rule", "algebraic rules"),
    ("delay()", "delay() in formulas"),
    ("rateOf()", "rateOf() in formulas"),
    ("its delay", "events with delay"),
    ("its priority", "events with priority"),
    ("sets the stoichiometry", "variable stoichiometries"),
    ("among other events", "sizes set by formulas among other events"),
    ("event", "other events"),
    ("declared fast", "fast reactions"),
    ("conversion factor", "conversion factors"),
    ("package", "packages that change the mathematics"),
    ("is a formula", "stoichiometries as formulas"),
    ("is set by a rule", "variable stoichiometries"),
    ("stoichiometry", "stoichiometries not given"),
    ("its size changes", "compartments that change"),
    ("no dimension", "compartments without dimension"),
    ("its size is not given", "sizes not given"),
    ("it has no rate", "reactions without rate"),
    ("not given", "values not given"),
    ("has no value", "values not given"),
    ("formula is missing", "formulas not given"),
    ("factorial", "factorial of variables"),
    ("not linear in time", "conditions on time that cannot be located"),
    ("define each other", "rules in a circle"),
    ("changed by more than one", "over-determined quantities"),
    ("Level 1", "Level 1"),
)


def kind_of(reason: str) -> str:
    """Sort a reason into the kinds of the table.

    Examples
    --------
    >>> kind_of("compartment 'c': its size changes with time")
    'compartments that change'
    """
    return next((kind for part, kind in _KINDS if part in reason), "not valid for libSBML")


def reasons_of(message: str) -> list[str]:
    """Return the single reasons of a refusal."""
    lines = [line.strip()[2:] for line in message.splitlines() if line.strip().startswith("- ")]
    return lines or message.splitlines()[:1]


_FILE = re.compile(r"sbml-l(\d)v(\d)\.xml$")


def files_of(root: Path, wanted: str) -> list[Path]:
    """Return the files to run: the highest level of each case, all, or some levels."""
    chosen: list[Path] = []
    for folder in sorted(path for path in root.iterdir() if path.is_dir() and path.name.isdigit()):
        found = sorted((p for p in folder.glob("*.xml") if _FILE.search(p.name)), key=lambda p: p.name)
        if wanted == "highest":
            found = found[-1:]
        elif wanted != "all":
            found = [p for p in found if any(p.name.endswith(f"-{level}.xml") for level in names_in(wanted))]
        chosen += found
    return chosen


def not_fast(path: Path) -> bool:
    """Whether a file lacks the attribute ``fast`` that other files of its case have (one of Level 2 Version 5)."""

    def fast(file: Path) -> bool:
        return 'fast="true"' in file.read_text(encoding="utf-8")

    about = "FastReaction" in tags_of(path.parent).get("testTags", [])
    return about and not fast(path) and any(fast(other) for other in path.parent.glob("*.xml"))


def table_by(outcomes: Iterable[Outcome], keys: Mapping[Path, list[str]], heading: str) -> list[str]:
    """Return a Markdown table of outcomes by tag."""
    counts: dict[str, Counter[str]] = {}
    for outcome in outcomes:
        for key in keys[outcome.path]:
            counts.setdefault(key, Counter())[outcome.outcome] += 1
    shown = [o for o in OUTCOMES if o not in ("error", "crash", "hang") or any(c[o] for c in counts.values())]
    lines = [f"| {heading} | files | {' | '.join(shown)} |", f"|---|---:|{'---:|' * len(shown)}"]
    for key in sorted(counts):
        row = counts[key]
        lines.append(f"| {key} | {row.total()} | {' | '.join(str(row[o]) for o in shown)} |")
    return lines


def report(outcomes: list[Outcome], skipped: Counter[str]) -> str:
    """Return the whole table as Markdown."""
    paths = [o.path for o in outcomes]
    tags = {path: tags_of(path.parent) for path in paths}
    levels = {path: [_FILE.sub(r"Level \1 Version \2", path.name.split("-", 1)[1])] for path in paths}
    reasons = Counter(kind for o in outcomes if o.outcome == "refused" for kind in {kind_of(r) for r in o.reasons})
    alone = Counter(
        kinds.pop() for o in outcomes if o.outcome == "refused" and len(kinds := {kind_of(r) for r in o.reasons}) == 1
    )
    signed = sum(o.signed and o.outcome == "passed" for o in outcomes)
    warned = sum(o.warned and o.outcome == "passed" for o in outcomes)
    total = {path: ["all"] for path in paths}
    parts = [
        *table_by(outcomes, total, "time courses"),
        "",
        f"{signed} of the passed let species fall below zero (`nonnegative=False`).",
        f"{warned} of the passed were reported to depend on the order of simultaneous events.",
        *(f"{count} files were left out: {kind}." for kind, count in skipped.items()),
        "",
        *table_by(outcomes, levels, "file"),
        "",
        "| reason of refusal | files | only reason |",
        "|---|---:|---:|",
        *(f"| {kind} | {count} | {alone[kind]} |" for kind, count in reasons.most_common()),
        "",
        *table_by(outcomes, {p: t.get("componentTags", []) or ["(none)"] for p, t in tags.items()}, "component"),
        "",
        *table_by(outcomes, {p: t.get("testTags", []) or ["(none)"] for p, t in tags.items()}, "feature"),
    ]
    return "\n".join(parts) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Run the suite; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="cases/semantic of the suite")
    parser.add_argument("--files", default="highest", help="highest, all, or levels such as l2v4,l3v1")
    parser.add_argument("--cases", default="", help="only these numbers, such as 00026,00041")
    parser.add_argument("--solver", default="Rodas5P", choices=["Rodas5P", "Rodas4", "LSODA"], help="integrator")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--table", type=Path, help="write the table to this file")
    options = parser.parse_args(arguments)
    files = files_of(options.folder, options.files)
    if options.cases:
        files = [path for path in files if path.parent.name in names_in(options.cases)]
    kinds = {path: "".join(tags_of(path.parent).get("testType", ["unknown"])) for path in files}
    kinds |= {path: "file without the fast attribute that its case is about" for path in files if not_fast(path)}
    courses = [path for path in files if kinds[path] == "TimeCourse"]
    skipped = Counter(kinds[path] for path in files if kinds[path] != "TimeCourse")
    outcomes = []
    for path, result in each(partial(run_case, solver=options.solver), courses, workers=options.workers, limit=SECONDS):
        outcome = result if isinstance(result, Outcome) else Outcome(path, result)
        outcomes.append(outcome)
        if outcome.outcome in (*BAD, "failed") or outcome.warned:
            kind = "order" if outcome.outcome == "passed" else outcome.outcome
            print(f"{kind:8} {path.name}: {'; '.join(outcome.reasons)}", file=sys.stderr, flush=True)
    text = report(sorted(outcomes, key=lambda o: o.path.name), skipped)
    print(text)
    if options.table is not None:
        options.table.write_text(HEADING.format(solver=options.solver, rtol=RTOL) + text, encoding="utf-8")
    return int(any(o.outcome in BAD for o in outcomes))


HEADING = """# The SBML semantic test suite

Written by `tools/sbml_suite.py`: every time course of the suite, integrated by {solver} at a
relative tolerance of {rtol:g} and compared at the suite's own tolerances. *Refused* means that
haptos named what it does not support; *WRONG* means a value beyond the tolerances.

"""


if __name__ == "__main__":
    sys.exit(main())
