"""Run the stochastic SBML test suite and print how every case went.

The suite is the folder ``cases/stochastic`` of the SBML test suite. Every case is run many
times and compared with its published means and standard deviations by the suite's own
numbers, for every output time:

* ``Z = sqrt(n) (mean - mu) / sigma``, which must lie in the range of the settings (-3, 3);
* ``Y = sqrt(n / 2) (variance / sigma**2 - 1)``, in (-5, 5).

Times with sigma = 0 demand equality. A correct simulator leaves the range now and then:
|Z| > 3 has probability 0.0027, so a case of 50 times is off once in every eight. And Y takes
the counts for normal: where most runs have died out and few are large, its own spread is
many times 1. The rule here: a case **passes** if its excursions are at most as many as a
correct simulator has with probability 1 - 1e-4 (independent times, binomial), counting Z and
Y apart, and no Z exceeds 6; an excursion of Y counts only if Y also leaves its range when it
is measured in units of its standard error by the fourth moment of the runs (those that do not
are listed under "tail"). ``--seed`` tells chance from error: an error stays. Usage::

    uv run python tools/dsmts.py FOLDER [--runs 10000] [--seed 1] [--method exact]
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from haptos.errors import HaptosError
from haptos.signalling.network import Network, SampleResult, SampleSettings, compile_network

FALSE_ALARM = 1e-4
BEYOND_CHANCE = 6.0
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """How one case went: ``pass``, ``FAIL`` or ``refused``, with figures or the reason."""

    case: str
    verdict: str
    times: int = 0
    z_out: int = 0
    y_out: int = 0
    tail: int = 0
    worst_z: float = 0.0
    worst_y: float = 0.0
    seconds: float = 0.0
    reason: str = ""


def settings_of(folder: Path) -> dict[str, str]:
    """Return the settings file of a case by key."""
    text = next(folder.glob("*-settings.txt")).read_text(encoding="utf-8")
    pairs = (line.partition(":") for line in text.splitlines() if ":" in line)
    return {key.strip(): value.strip() for key, _, value in pairs}


def bounds(text: str) -> tuple[float, float]:
    """Return the two ends of a range.

    Examples
    --------
    >>> bounds("(-3, 3)")
    (-3.0, 3.0)
    """
    low, high = re.findall(r"[-+0-9.e]+", text)
    return float(low), float(high)


def allowed(trials: int, rate: float) -> int:
    """Return how many excursions a correct simulator stays below, but for a false alarm in 10,000.

    Examples
    --------
    >>> allowed(50, 0.0027)
    3
    """
    from scipy.stats import binom

    return int(binom.isf(FALSE_ALARM, max(trials, 1), rate))


def completed(text: str) -> str:
    """Give compartments without a size the size 1 where no formula and no concentration needs it.

    Most models of the suite leave the size out and count molecules; haptos refuses to
    guess a size, so it is stated here, and only where it cannot matter.
    """
    import libsbml

    document = libsbml.readSBMLFromString(text)
    model = document.getModel()
    formulas = [e for e in model.getListOfAllElements() if callable(getattr(e, "getMath", None)) and e.isSetMath()]
    named = " ".join(libsbml.formulaToL3String(e.getMath()) for e in formulas)
    concentrations = {s.getCompartment() for s in model.getListOfSpecies() if not s.getHasOnlySubstanceUnits()}
    for c in model.getListOfCompartments():
        meaningless = c.getId() not in concentrations and not re.search(rf"\b{c.getId()}\b", named)
        if not c.isSetSize() and meaningless:
            c.setSize(1.0)
    return str(libsbml.writeSBMLToString(document))


def sampled(network: Network, result: SampleResult, name: str, *, amount: bool) -> Array:
    """Return the runs of a variable, amounts where the case asks for them, shape (N, T)."""
    if name in result.species:
        counts = np.asarray(result[name], dtype=np.float64)
        return counts if amount else result.concentration(name)
    values = np.asarray(result[name], dtype=np.float64)
    place = network.places.get(name)
    size = float(network.defaults[network.parameters.index(place)]) if place and amount else 1.0
    return values * size


def run_case(folder: Path, runs: int, seed: int, method: str) -> Outcome:
    """Sample one case and compare it with the published moments."""
    case, began = folder.name, time.perf_counter()
    settings = settings_of(folder)
    text = max(folder.glob("*-sbml-l*.xml")).read_text(encoding="utf-8")
    expected = pd.read_csv(next(folder.glob("*-results.csv")))
    names = [n.strip() for n in settings["variables"].split(",")]
    amounts = {n.strip() for n in settings["amount"].split(",")}
    try:
        network = compile_network(completed(text))
        others = [n for n in names if n not in network.states]
        grid = expected.iloc[:, 0].to_numpy(float)
        how = SampleSettings(threads=2)
        result = network.sample(grid, seed=seed, replicates=runs, outputs=others, method=method, settings=how)
    except HaptosError as fault:
        reasons = [line.strip(" -") for line in str(fault).splitlines()[1:]] or [str(fault)]
        return Outcome(case, "refused", reason="; ".join(reasons))
    if not result.ok.all():
        return Outcome(case, "FAIL", reason=result.explanation(int(np.argmin(result.ok))))
    z, y, spread, exact = [], [], [], True
    for wanted in (o.strip() for o in settings["output"].split(",")):
        name, _, moment = wanted.rpartition("-")
        draws = sampled(network, result, name, amount=name in amounts)
        mu, sigma = expected[f"{name}-mean"].to_numpy(float), expected[f"{name}-sd"].to_numpy(float)
        moving = sigma > 0.0
        exact &= bool(np.all(draws[:, ~moving] == mu[~moving]))
        mean, variance = draws.mean(axis=0)[moving], draws.var(axis=0, ddof=1)[moving]
        if moment == "mean":
            z.append(np.sqrt(runs) * (mean - mu[moving]) / sigma[moving])
        else:
            fourth = np.mean((draws[:, moving] - mean) ** 4, axis=0)
            y.append(np.sqrt(runs / 2) * (variance / sigma[moving] ** 2 - 1.0))
            spread.append(np.sqrt(np.maximum((fourth - variance**2) / (2.0 * sigma[moving] ** 4), 1.0)))
    rows = [np.concatenate([*parts, []]) for parts in (z, y, spread)]
    return replace(judged(case, rows, settings, exact), seconds=time.perf_counter() - began)


def judged(case: str, rows: list[Array], settings: dict[str, str], exact: bool) -> Outcome:
    """Apply the rule stated above to Z, Y and the spread of Y."""
    z, y, spread = rows
    z_range, y_range = bounds(settings["meanRange"]), bounds(settings["sdRange"])
    z_out = int(np.sum((z <= z_range[0]) | (z >= z_range[1])))
    off, real = ((v <= y_range[0]) | (v >= y_range[1]) for v in (y, y / spread))
    y_out, tail = int(np.sum(off & real)), int(np.sum(off & ~real))
    worst_z, worst_y = float(np.max(np.abs(z), initial=0.0)), float(np.max(np.abs(y), initial=0.0))
    few = z_out <= allowed(len(z), 0.0027) and y_out <= allowed(len(y), 1e-4)
    good = exact and few and worst_z < BEYOND_CHANCE
    reason = "" if exact else "a moment without spread differs"
    return Outcome(case, "pass" if good else "FAIL", len(z), z_out, y_out, tail, worst_z, worst_y, 0.0, reason)


def outcomes(root: Path, runs: int, seed: int, method: str) -> Iterator[Outcome]:
    """Run the cases of a folder in order."""
    for folder in sorted(p for p in root.iterdir() if p.is_dir() and p.name.isdigit()):
        yield run_case(folder, runs, seed, method)


def main(arguments: list[str] | None = None) -> int:
    """Print one line per case and the totals; return 1 if any case fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--method", choices=["exact", "leap"], default="exact")
    options = parser.parse_args(arguments)
    found = []
    heads = ["points", "Z out", "Y out", "tail", "max|Z|", "max|Y|", "s"]
    print(f"{'case':6} {'verdict':8} {' '.join(f'{h:>7}' for h in heads)}  reason")
    for o in outcomes(options.folder, options.runs, options.seed, options.method):
        found.append(o)
        figures = (
            f"{o.times:6d} {o.z_out:6d} {o.y_out:6d} {o.tail:5d} {o.worst_z:7.2f} {o.worst_y:7.2f} {o.seconds:6.2f}"
        )
        shown = figures if o.verdict != "refused" else " " * len(figures)
        print(f"{o.case:6} {o.verdict:8} {shown}  {o.reason[:110]}", flush=True)
    count = {verdict: sum(o.verdict == verdict for o in found) for verdict in ("pass", "FAIL", "refused")}
    points, z_out = sum(o.times for o in found), sum(o.z_out for o in found)
    print(f"{len(found)} cases: {count['pass']} pass, {count['FAIL']} fail, {count['refused']} refused")
    print(f"Z out of range at {z_out} of {points} points; {0.0027 * points:.0f} expected by chance")
    return int(count["FAIL"] > 0)


if __name__ == "__main__":
    sys.exit(main())
