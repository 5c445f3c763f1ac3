"""Calibrate the parameter ensemble, ship it as data, and cross-validate.

The objective is every term of the calibration (measured findings) and every claim of the
signalling level as an inequality; what a member meets does not pull it. Sensitivities of all
margins are computed once, at the centre of the prior, by differences. Each member starts from
its own draw of the narrowed prior and is corrected in a few rounds
(haptos.inference.assimilation), with exact margins in every round. All steps are checkpoint
files; an interrupted run goes on from the last one with the same result. Usage::

    uv run python tools/calibrate.py sensitivities
    uv run python tools/calibrate.py ensemble --members 256 --rounds 3
    uv run python tools/calibrate.py ship
    uv run python tools/calibrate.py cross --members 32
    uv run python tools/calibrate.py floor --members 128
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
from haptos.inference.assimilation import correct
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
#: Shortfall of a margin [natural logarithm or share] that weighs as much as one prior standard deviation.
NOISE = 0.1
#: Margin that is enough.
SLACK = 0.1
#: Difference at which sensitivities are computed [prior standard deviations].
STEP = 0.3
#: Vectors scored at once, and kept at once.
CHUNK = 128


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


def sensitivities(objective: Objective, prior: Prior, folder: Path) -> tuple[Array, Array]:
    """Return the margins at the centre, shape (m,), and their derivatives, shape (m, p)."""
    points = np.vstack([np.zeros(prior.n_free), STEP * np.eye(prior.n_free)])
    parts = []
    for first in range(0, len(points), CHUNK):
        chunk = points[first : first + CHUNK]
        parts.append(_kept(folder / f"sensitivities{first}.npz", chunk, objective, prior))
    margins = np.vstack(parts)
    return margins[0], (margins[1:] - margins[0]).T / STEP


def _kept(file: Path, members: Array, objective: Objective, prior: Prior) -> Array:
    """Return margins from a checkpoint, or compute and keep them."""
    if file.exists():
        with np.load(file) as kept:
            if kept["members"].shape == members.shape and np.array_equal(kept["members"], members):
                return np.asarray(kept["margins"])
    file.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    margins = objective(np.array([prior.vector(z) for z in members]))
    part = file.with_suffix(".part.npz")
    np.savez(part, members=members, margins=margins)
    part.replace(file)
    _tell(file.stem, margins, time.monotonic() - began)
    return margins


def corrected(start: Array, centre: Array, slopes: Array) -> Array:
    """Return members corrected by what the sensitivities predict, before anything is simulated."""
    members = start
    for _ in range(3):
        members = correct(members, centre + members @ slopes.T, slopes, noise=NOISE, slack=SLACK)
    return members


def rounds(
    objective: Objective, prior: Prior, folder: Path, *, n: int, n_rounds: int, spread: float
) -> tuple[Array, Array]:
    """Run the rounds that are not done yet; return the last deviations and their margins."""
    centre, slopes = sensitivities(objective, prior, folder)
    members = corrected(prior_draws(n, prior, spread), centre, np.nan_to_num(slopes))
    margins = _kept(folder / "round0.npz", members, objective, prior)
    for number in range(1, n_rounds + 1):
        members = correct(members, margins, slopes, noise=NOISE, slack=SLACK, longest=2.0)
        margins = _kept(folder / f"round{number}.npz", members, objective, prior)
    return members, margins


def _tell(what: str, margins: Array, seconds: float) -> None:
    met = np.nan_to_num(margins, nan=-1.0) >= 0
    supported = np.mean(met, axis=0) >= 0.9
    sys.stderr.write(
        f"\n{what}: met {met.mean():.3f}, supported {supported.mean():.3f} ({supported.sum()}), "
        f"median member {np.median(met.mean(axis=1)):.3f}, {seconds:.0f} s\n"
    )


def best(margins: Array, n: int) -> Array:
    """Return which members to ship: those that meet most, in the order of their index."""
    met = np.mean(np.nan_to_num(margins, nan=-1.0) >= 0, axis=1)
    return np.sort(np.argsort(-met, kind="stable")[:n])


def ship(folder: Path, objective: Objective, prior: Prior, n: int) -> None:
    """Write the last round into the library."""
    last = sorted(folder.glob("round*.npz"), key=lambda f: int(f.stem.removeprefix("round")))[-1]
    with np.load(last) as kept:
        members, margins = kept["members"], kept["margins"]
    chosen = best(margins, n)
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
        "method": "randomised maximum likelihood on the margins of claims and terms, shared sensitivities",
        "rounds": int(last.stem.removeprefix("round")),
        "diversity": round(diversity(members), 4),
        "share_met": {name: round(float(m), 4) for name, m in zip(objective.names, met.mean(axis=0), strict=True)},
        "calibrated_claims": [name for name in objective.names if not name.startswith("term ")],
        "posterior_sd_over_prior_sd": narrowed,
    }
    text = json.dumps(report, indent=1, ensure_ascii=False)
    (LIBRARY / "ensemble" / "calibration.json").write_text(text + "\n", encoding="utf-8")


def cross(whole: Reproduction, prior: Prior, folder: Path, options: argparse.Namespace) -> None:
    """Leave one system out at a time and predict its claims.

    The members of a fold are prior draws after the first correction, on the claims and terms of
    the other systems alone: a lower bound of what the full rounds would predict. Beside it stand the
    same draws without any correction.
    """
    everything = Objective(whole)
    centre, slopes = sensitivities(everything, prior, folder)
    system_of = {c.id: c.system for c in whole.claims}
    start = prior_draws(options.members, prior, options.spread)
    rows = []
    for system in dict.fromkeys(system_of[name] for name in everything.scorer.names):
        used = set(Objective(whole, system).names)
        rest = np.array([name in used for name in everything.names])
        own = {k: p for k, p in whole.plans.items() if system_of[k] == system}
        scorer = ClaimScorer(Reproduction(whole.title, whole.claims, own, whole.reasons), threads=usable_cores())
        moved = corrected(start, centre[rest], np.nan_to_num(slopes[rest]))
        fitted, floor = (scorer.margins(np.array([prior.vector(z) for z in v])) for v in (moved, start))
        rows.append({"system": system, **_score(fitted), "floor": _score(floor)["share"]})
        sys.stderr.write(f"\n{rows[-1]}\n")
    report = {"members": options.members, "spread": options.spread, "systems": rows}
    target = LIBRARY / "ensemble" / "cross_validation.json"
    target.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _score(margins: Array) -> dict[str, float]:
    """Return how many claims are supported by at least 0.9 of the members."""
    share = np.mean(np.nan_to_num(margins, nan=-1.0) >= 0, axis=0)
    supported = int(np.sum(share >= 0.9))
    return {"claims": len(share), "supported": supported, "share": round(supported / max(len(share), 1), 3)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("sensitivities", "ensemble", "cross", "floor", "ship"))
    parser.add_argument("--members", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--spread", type=float, default=0.5, help="of the start, relative to the prior")
    parser.add_argument("--folder", type=Path, default=Path("calibration"))
    options = parser.parse_args(arguments)
    prior, whole = Prior.of_table(), planned()
    if options.step == "cross":
        cross(whole, prior, options.folder, options)
        return
    objective = Objective(whole)
    if options.step == "sensitivities":
        sensitivities(objective, prior, options.folder)
    elif options.step == "floor":
        margins = objective(np.array([prior.vector(z) for z in prior_draws(options.members, prior, options.spread)]))
        _tell("floor", margins, 0.0)
    elif options.step == "ship":
        ship(options.folder, objective, prior, options.members)
    else:
        rounds(
            objective,
            prior,
            options.folder,
            n=options.members,
            n_rounds=options.rounds,
            spread=options.spread,
        )


if __name__ == "__main__":
    main()
