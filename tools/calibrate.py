"""Calibrate the parameter ensemble, ship it as data, and cross-validate.

An ensemble drawn from the prior is moved towards every term of the calibration (measured
findings) and every claim of the signalling level in a few rounds of a smoother
(haptos.inference.assimilation); claims and terms are inequalities, and only what a member does
not meet pulls it. Members that meet too few are replaced by a shrunken mixture of better ones
before the next round. Every round is a checkpoint file; an interrupted run goes on from the
last one with the same result. Usage::

    uv run python tools/calibrate.py ensemble --members 256 --rounds 6
    uv run python tools/calibrate.py cross --members 64 --rounds 4
    uv run python tools/calibrate.py floor --members 256
    uv run python tools/calibrate.py ship
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from haptos.core.settings import usable_cores
from haptos.evidence.library import load_library
from haptos.inference.assimilation import assimilate
from haptos.inference.calibration import Prior, diversity
from haptos.inference.terms import load_terms
from haptos.lab.reproduce import Reproduction, plan_reproduction
from haptos.lab.run import Bench
from haptos.lab.scoring import ClaimScorer
from haptos.numerics import philox_stream
from haptos.signalling.building.parameters import load_parameters
from haptos.signalling.cell import simulate_vectors
from haptos.store.runs import RunStore

Array = NDArray[np.float64]
LIBRARY = Path(__file__).resolve().parent.parent / "src" / "haptos" / "library"
SEED = 20261
#: Spread of a claim's margin that noise in what was published may hide [natural logarithm].
NOISE = 0.1
#: Margin that is enough.
SLACK = 0.15
#: Inflation of the first rounds; later ones repeat the last.
INFLATION = 4.0


class Objective:
    """Margins of all terms and claims for parameter vectors.

    Parameters
    ----------
    whole : Reproduction
        The claims.
    left_out : str
        System whose claims are not used ("" for none); terms shared with them are left out, too.
    """

    def __init__(self, whole: Reproduction, left_out: str = "") -> None:
        claims = {c.id: c for c in whole.claims}
        used = {k: p for k, p in whole.plans.items() if not left_out or claims[k].system != left_out}
        gone = {k for k, c in claims.items() if left_out and c.system == left_out}
        self.scorer = ClaimScorer(
            Reproduction(whole.title, whole.claims, used, whole.reasons), threads=usable_cores(), note=_dot
        )
        self.terms = [t for t in load_terms() if not gone & set(t.shared_with)]
        self.names = (*self.scorer.names, *(f"term {t.record}" for t in self.terms))

    def __call__(self, vectors: Array) -> Array:
        """Return the margins, shape (B, n_names)."""
        claims = self.scorer.margins(vectors)
        columns = []
        for term in self.terms:
            found = simulate_vectors(term.conditions, vectors, threads=usable_cores())
            columns.append(term.margins_each(found))
        return np.column_stack([claims, *columns])


def _dot(done: int, whole: int) -> None:
    sys.stderr.write(f"\r  {done} of {whole} conditions ")
    sys.stderr.flush()


def planned(system: str | None = None) -> Reproduction:
    """Return the plans of all claims of the signalling level."""
    claims = [c for c in load_library().claims(level="signalling", system=system) if c.trial is not None]
    return plan_reproduction("calibration", claims, Bench(RunStore(Path("unused"))), members=1)


def prior_draws(n: int, prior: Prior, spread: float) -> Array:
    """Return standard deviations of members, drawn from the (narrowed) prior."""
    draws = philox_stream(SEED, "calibration.start", 0, n).standard_normal((n, prior.n_free))
    return np.clip(spread * draws, -3.0, 3.0)


def rounds(
    objective: Objective, prior: Prior, folder: Path, *, n: int, n_rounds: int, spread: float
) -> tuple[Array, Array]:
    """Run the rounds that are not done yet; return the last deviations and their margins."""
    folder.mkdir(parents=True, exist_ok=True)
    noise = np.full(len(objective.names), NOISE)
    members, margins = prior_draws(n, prior, spread), np.zeros(0)
    for number in range(n_rounds + 1):
        file = folder / f"round{number}.npz"
        if file.exists():
            with np.load(file) as kept:
                members, margins = kept["members"], kept["margins"]
        else:
            began = time.monotonic()
            margins = objective(np.array([prior.vector(z) for z in members]))
            part = folder / "part.npz"
            np.savez(part, members=members, margins=margins)
            part.replace(file)
            _tell(number, margins, time.monotonic() - began)
        if number < n_rounds:
            draws = philox_stream(SEED, "calibration.noise", number, n).standard_normal(margins.shape)
            members = assimilate(
                members, margins, noise=noise, inflation=INFLATION, draws=draws, slack=SLACK
            )
    return members, margins


def _tell(number: int, margins: Array, seconds: float) -> None:
    met = np.nan_to_num(margins, nan=-1.0) >= 0
    supported = np.mean(met, axis=0) >= 0.9
    sys.stderr.write(
        f"\nround {number}: met {met.mean():.3f}, supported {supported.mean():.3f} ({supported.sum()}), "
        f"median member {np.median(met.mean(axis=1)):.3f}, {seconds:.0f} s\n"
    )


def best(members: Array, margins: Array, n: int) -> Array:
    """Return which members to ship: those that meet most, in the order of their index."""
    met = np.mean(np.nan_to_num(margins, nan=-1.0) >= 0, axis=1)
    return np.sort(np.argsort(-met, kind="stable")[:n])


def ship(folder: Path, objective: Objective, prior: Prior, n: int) -> None:
    """Write the last round into the library."""
    last = sorted(folder.glob("round*.npz"), key=lambda f: int(f.stem.removeprefix("round")))[-1]
    with np.load(last) as kept:
        members, margins = kept["members"], kept["margins"]
    chosen = best(members, margins, n)
    members, margins = members[chosen], margins[chosen]
    table = list(load_parameters().values())
    free = [i for i, p in enumerate(table) if p.spread > 0]
    with (LIBRARY / "ensemble" / "members.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([table[i].id for i in free])
        writer.writerows([[f"{prior.vector(z)[i]:.5g}" for i in free] for z in members])
    met = np.nan_to_num(margins, nan=-1.0) >= 0
    narrowed = {table[i].id: round(float(s), 3) for i, s in zip(free, members.std(axis=0), strict=True)}
    report = {
        "seed": SEED,
        "members": len(members),
        "method": "ensemble smoother with multiple data assimilation on the margins of claims and terms",
        "rounds": int(last.stem.removeprefix("round")),
        "diversity": round(diversity(members), 4),
        "share_met": {name: round(float(m), 4) for name, m in zip(objective.names, met.mean(axis=0), strict=True)},
        "calibrated_claims": [name for name in objective.names if not name.startswith("term ")],
        "posterior_sd_over_prior_sd": narrowed,
    }
    text = json.dumps(report, indent=1, ensure_ascii=False)
    (LIBRARY / "ensemble" / "calibration.json").write_text(text + "\n", encoding="utf-8")


def cross(whole: Reproduction, prior: Prior, folder: Path, options: argparse.Namespace) -> None:
    """Leave one system out at a time and predict its claims."""
    systems = dict.fromkeys(c.system for c in whole.claims)
    rows = []
    for system in systems:
        objective = Objective(whole, left_out=system)
        members, _ = rounds(
            objective, prior, folder / system, n=options.members, n_rounds=options.rounds, spread=options.spread
        )
        rest = Objective(whole)
        judged = ClaimScorer(
            Reproduction(
                whole.title,
                whole.claims,
                {k: p for k, p in whole.plans.items() if k not in objective.names},
                whole.reasons,
            ),
            threads=usable_cores(),
        )
        met = np.nan_to_num(judged.margins(np.array([prior.vector(z) for z in members])), nan=-1.0) >= 0
        supported = met.mean(axis=0) >= 0.9
        rows.append({"system": system, "claims": len(judged.names), "supported": int(supported.sum())})
        sys.stderr.write(f"\n{rows[-1]} ({len(rest.names)} terms in all)\n")
    (LIBRARY / "ensemble" / "cross_validation.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("ensemble", "cross", "floor", "ship"))
    parser.add_argument("--members", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--spread", type=float, default=1.0, help="of the start, relative to the prior")
    parser.add_argument("--folder", type=Path, default=Path("calibration"))
    options = parser.parse_args(arguments)
    prior, whole = Prior.of_table(), planned()
    if options.step == "cross":
        cross(whole, prior, options.folder / "cross", options)
        return
    objective = Objective(whole)
    if options.step == "floor":
        margins = objective(np.array([prior.vector(z) for z in prior_draws(options.members, prior, options.spread)]))
        _tell(0, margins, 0.0)
    elif options.step == "ship":
        ship(options.folder / "ensemble", objective, prior, options.members)
    else:
        rounds(
            objective,
            prior,
            options.folder / "ensemble",
            n=options.members,
            n_rounds=options.rounds,
            spread=options.spread,
        )


if __name__ == "__main__":
    main()
