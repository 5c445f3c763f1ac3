"""Calibrate the parameter ensemble and write it into the library.

Runs one chain per member (haptos.inference.calibration) and ships their last states, with a
report: how many terms prior draws meet without calibration, how far the members spread, and
how much narrower than the prior each parameter became. Finished chains are kept in a
checkpoint file, so an interrupted run continues. Usage::

    uv run python tools/calibrate.py --members 64
"""

from __future__ import annotations

import argparse
import csv
import json
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from haptos.core.settings import usable_cores
from haptos.inference.calibration import Prior, diversity, score, walk
from haptos.inference.terms import load_terms
from haptos.signalling.model import model
from haptos.signalling.parameters import load_parameters, prior_sample

LIBRARY = Path(__file__).resolve().parent.parent / "src" / "haptos" / "library"
SEED = 20130


def run_chain(index: int) -> dict[str, Any]:
    """Run one chain and return it as plain data."""
    prior = Prior.of_table()
    chain = walk(
        index,
        seed=SEED,
        n_free=prior.n_free,
        unmet=lambda z, most: score(prior.vector(z), misses=most).count(False),
    )
    return {
        "index": index,
        "deviations": [float(f"{d:.6g}") for d in chain.deviations],
        "unmet": chain.unmet,
        "found_after": chain.found_after,
        "accepted": round(chain.accepted, 3),
    }


def chains(n: int, checkpoint: Path) -> list[dict[str, Any]]:
    """Return chains until `n` of them met every term, in the order of their index."""
    done = {c["index"]: c for c in map(json.loads, checkpoint.read_text().splitlines())} if checkpoint.exists() else {}
    model()
    with ProcessPoolExecutor(usable_cores()) as pool, checkpoint.open("a", encoding="utf-8") as file:
        start = 0
        while sum(c["unmet"] == 0 for c in done.values()) < n or start < n:
            missing = [i for i in range(start, start + n) if i not in done]
            for chain in pool.map(run_chain, missing):
                done[chain["index"]] = chain
                file.write(json.dumps(chain) + "\n")
                file.flush()
            start += n
    return [c for _, c in sorted(done.items()) if c["unmet"] == 0][:n]


def floor(n: int) -> np.ndarray:
    """Return which terms prior draws meet, shape (n, n_terms)."""
    with ProcessPoolExecutor(usable_cores()) as pool:
        return np.array(list(pool.map(score, prior_sample(n, seed=SEED), chunksize=4)))


def main() -> None:
    """Run the calibration."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=64)
    parser.add_argument("--floor", type=int, default=128, help="prior draws scored for the report")
    parser.add_argument("--checkpoint", type=Path, default=Path("calibration.jsonl"))
    options = parser.parse_args()
    table, prior = list(load_parameters().values()), Prior.of_table()
    found = chains(options.members, options.checkpoint)
    deviations = np.array([c["deviations"] for c in found])
    met = floor(options.floor)
    free = [i for i, p in enumerate(table) if p.spread > 0]
    folder = LIBRARY / "ensemble"
    with (folder / "members.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([table[i].id for i in free])
        writer.writerows([[f"{prior.vector(z)[i]:.9g}" for i in free] for z in deviations])
    narrowed = {table[i].id: round(float(s), 3) for i, s in zip(free, deviations.std(axis=0), strict=True)}
    found_after = [int(c["found_after"]) for c in found]
    shares = zip(load_terms(), met.mean(axis=0), strict=True)
    report = {
        "seed": SEED,
        "members": len(found),
        "steps_until_met": {"median": float(np.median(found_after)), "most": max(found_after)},
        "diversity": round(diversity(deviations), 4),
        "prior_draws_scored": len(met),
        "share_of_prior_meeting": {t.record: round(float(m), 4) for t, m in shares},
        "share_of_prior_meeting_all": round(float(met.all(axis=1).mean()), 4),
        "narrowed": dict(sorted(narrowed.items(), key=lambda item: item[1])[:20]),
    }
    (folder / "calibration.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
