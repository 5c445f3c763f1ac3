"""Calibrate the parameter ensemble and write it into the library.

Runs one chain per member (haptos.inference.calibration), all of a generation at once, and
ships their last states, with a report: how many terms prior draws meet without calibration,
how far the members spread, and how much narrower than the prior each parameter became. Ended
chains and the live ones are kept beside each other in checkpoint files, so that an
interrupted run goes on from its last step with the same result. Usage::

    uv run python tools/calibrate.py --members 64
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from haptos.core.settings import usable_cores
from haptos.inference.calibration import Chain, Prior, begin_chain, diversity, walk
from haptos.inference.scoring import Scorer
from haptos.inference.terms import load_terms
from haptos.signalling.parameters import load_parameters, prior_sample

LIBRARY = Path(__file__).resolve().parent.parent / "src" / "haptos" / "library"
SEED = 20130


class Notes:
    """Ended chains, one line each, and the live ones, written anew after every step.

    Parameters
    ----------
    file : Path
        Of the ended chains; the live ones stand beside it.
    """

    def __init__(self, file: Path) -> None:
        self._ended = file
        self._live = file.with_suffix(".live.json")

    def ended(self) -> dict[int, Chain]:
        """Return the chains that ended, by index."""
        lines = self._ended.read_text(encoding="utf-8").splitlines() if self._ended.exists() else []
        return {chain.index: chain for chain in map(_chain, map(json.loads, lines))}

    def live(self) -> dict[int, Chain]:
        """Return the chains that were under way, by index."""
        found = json.loads(self._live.read_text(encoding="utf-8")) if self._live.exists() else []
        return {chain.index: chain for chain in map(_chain, found)}

    def end(self, chain: Chain) -> None:
        """Add a chain that ended."""
        with self._ended.open("a", encoding="utf-8") as file:
            file.write(json.dumps(_plain(chain)) + "\n")

    def keep(self, chains: Sequence[Chain]) -> None:
        """Write down the live chains: whole or not at all."""
        part = self._live.with_suffix(".part")
        part.write_text(json.dumps([_plain(c) for c in chains]), encoding="utf-8")
        part.replace(self._live)


def _plain(chain: Chain) -> dict[str, Any]:
    # numbers as JSON writes them come back bit for bit
    return {**asdict(chain), "deviations": chain.deviations.tolist()}


def _chain(data: dict[str, Any]) -> Chain:
    return Chain(**{**data, "deviations": np.array(data["deviations"])})


def chains(n: int, notes: Notes, scorer: Scorer) -> list[Chain]:
    """Return chains until `n` of them met every term, in the order of their index."""
    prior, done, live, start = Prior.of_table(), notes.ended(), notes.live(), 0
    while sum(c.unmet == 0 for c in done.values()) < n or start < n:
        missing = [i for i in range(start, start + n) if i not in done]
        begun = [live.get(i) or begin_chain(i, seed=SEED, n_free=prior.n_free) for i in missing]
        for chain in walk(
            begun, seed=SEED, unmet=lambda z, most: scorer.unmet(prior.vector(z), most), live=n, kept=notes.keep
        ):
            done[chain.index] = chain
            notes.end(chain)
        start += n
    return [c for _, c in sorted(done.items()) if c.unmet == 0][:n]


def main() -> None:
    """Run the calibration."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, default=64)
    parser.add_argument("--floor", type=int, default=128, help="prior draws scored for the report")
    parser.add_argument("--checkpoint", type=Path, default=Path("calibration.jsonl"))
    options = parser.parse_args()
    table, prior = list(load_parameters().values()), Prior.of_table()
    scorer = Scorer(threads=usable_cores())
    found = chains(options.members, Notes(options.checkpoint), scorer)
    deviations = np.array([[float(f"{d:.6g}") for d in c.deviations] for c in found])
    met = scorer(prior_sample(options.floor, seed=SEED))
    free = [i for i, p in enumerate(table) if p.spread > 0]
    folder = LIBRARY / "ensemble"
    with (folder / "members.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([table[i].id for i in free])
        writer.writerows([[f"{prior.vector(z)[i]:.9g}" for i in free] for z in deviations])
    narrowed = {table[i].id: round(float(s), 3) for i, s in zip(free, deviations.std(axis=0), strict=True)}
    found_after = [c.found_after for c in found]
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
