"""Calibrate the parameter ensemble, ship it as data, and cross-validate.

The objective is every term of the calibration (measured findings), every number of the literature
that may be fitted (library/validation, records with use "calibrate") and every claim of the
signalling level as an inequality; what a vector meets does not pull it. First the *middle* of the
ensemble is sought: from the table's values (or a file's), by sensitivities (differences) and
corrections with exact margins, more than once, the last time with the sensitivities found there.
Then every member starts from its own draw of the narrowed prior around the middle, shrunk along
what the terms tell, and is corrected in a few rounds (haptos.inference.assimilation). All steps are
checkpoint files; an interrupted run goes on from the last one with the same result. Usage::

    uv run python tools/calibrate.py middle --turns 1    # --start FILE: from other values than the table's
    uv run python tools/calibrate.py ensemble --members 256 --drawn 384 --rounds 4
    uv run python tools/calibrate.py ship                # the same, with docs/identifiability.md
    uv run python tools/calibrate.py cross --members 40 --drawn 60 --rounds 2
    uv run python tools/calibrate.py floor --members 128
    uv run python tools/calibrate.py table --change "kRAF1=0.01 PAK1_half=x1.5" --change "kRAF1=0.012"

The last is the quick look before a calibration: what the table's own values meet, and what changes of them would do.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from haptos.core.settings import usable_cores
from haptos.evidence.library import load_library
from haptos.inference.assimilation import approach, correct, enough, informed, learned, loss, met
from haptos.inference.prior import LIMIT, Prior, diversity, draws
from haptos.inference.terms import load_terms
from haptos.lab.identify import noise_of, report
from haptos.lab.reproduce import Reproduction, plan_reproduction
from haptos.lab.run import Bench
from haptos.lab.scoring import ClaimScorer
from haptos.lab.simulator import CellSimulator
from haptos.lab.validation.fitting import RecordScorer
from haptos.signalling.building.parameters import free_parameters, load_parameters
from haptos.signalling.cell import simulate_vectors
from haptos.store.runs import RunStore

Array = NDArray[np.float64]
LIBRARY = Path(__file__).resolve().parent.parent / "src" / "haptos" / "library"
SEED = 20261
#: Shortfall of a margin [natural logarithm or share] that weighs as much as one prior standard deviation.
NOISE = 0.1
#: Margin that is enough for a member, and for the middle, around which members must have room.
SLACK, SLACK_MIDDLE = 0.15, 0.25
#: Standard deviation that the start leaves to a margin, before it is corrected.
ROOM = 0.3
#: Most that one term may ask of one step.
PULL = 0.6
#: Corrections of the middle with one set of sensitivities, at most.
CORRECTIONS = 5
#: Square of the length from which on a move of any member is believed [prior standard deviations].
RIDGE = 3.0
#: Difference at which sensitivities are computed [prior standard deviations].
STEP = 0.3
#: What the middle lacks by more than this does not pull its members.
OUT_OF_REACH = -0.2
#: A parameter that changes no margin by more than this per standard deviation is not looked at again.
FAINT = 0.03
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
        self.records = RecordScorer(threads=usable_cores())
        measured = (*(t.name for t in self.terms), *self.records.names)
        self.names = (*self.scorer.names, *(f"term {name}" for name in measured))

    @cached_property
    def rooms(self) -> Array:
        """The largest margin that each term has room for, shape (n_names,)."""
        return np.array([*self.scorer.rooms, *(t.room for t in self.terms), *self.records.rooms])

    def __call__(self, vectors: Array) -> Array:
        """Return the margins, shape (B, n_names)."""
        claims = self.scorer.margins(vectors)
        columns = []
        for term in self.terms:
            found = simulate_vectors(term.conditions, vectors, threads=usable_cores())
            columns.append(term.margins_each(found))
        return np.column_stack([claims, *columns, self.records.margins(vectors)])


@dataclass(frozen=True)
class Workshop:
    """What every step needs: the objective, the prior, and the folder of checkpoints."""

    objective: Objective
    prior: Prior
    folder: Path

    def margins(self, name: str, members: Array) -> Array:
        """Return the margins of members, in parts that are checkpoints."""
        parts = [
            self._kept(f"{name}.{first}", members[first : first + CHUNK]) for first in range(0, len(members), CHUNK)
        ]
        found = np.vstack(parts)
        _tell(name, found)
        return found

    def _kept(self, name: str, members: Array) -> Array:
        file = self.folder / f"{name}.npz"
        if file.exists():
            with np.load(file) as kept:
                if kept["members"].shape == members.shape and np.array_equal(kept["members"], members):
                    return np.asarray(kept["margins"])
        began = time.monotonic()
        margins = self.objective(np.array([self.prior.vector(z) for z in members]))
        self.folder.mkdir(parents=True, exist_ok=True)
        part = file.with_suffix(".part.npz")
        np.savez(part, members=members, margins=margins)
        part.replace(file)
        sys.stderr.write(f"\n{name}: {time.monotonic() - began:.0f} s\n")
        return margins

    def sensitivities(self, name: str, point: Array, before: Array | None = None) -> tuple[Array, Array]:
        """Return the margins at a point, shape (m,), and their derivatives there, shape (m, p); nan where one failed.

        Derivatives that were faint everywhere at the point before, if it is given, are kept from there.
        """
        p = self.prior.n_free
        chosen = (
            np.arange(p) if before is None else np.flatnonzero(np.nanmax(np.abs(before), axis=0, initial=0.0) >= FAINT)
        )
        points = np.clip(np.vstack([point, point + STEP * np.eye(p)[chosen]]), -LIMIT, LIMIT)
        margins = self.margins(name, points)
        slopes = np.zeros((margins.shape[1], p)) if before is None else before.copy()
        with np.errstate(invalid="ignore"):  # infinite margins
            slopes[:, chosen] = (margins[1:] - margins[0]).T / STEP
        return margins[0], slopes

    def middle(self, turns: int, start: Array | None = None) -> tuple[Array, Array, Array]:
        """Return the middle of the ensemble, its margins, and the sensitivities there.

        It is sought from a start, such as the middle of an earlier calibration, or from the table's values; either way
        distance counts from the table's values. Sensitivities are computed anew after each turn of corrections, and
        serve once more: members scatter around a middle that they brought forward, too.
        """
        point = np.zeros(self.prior.n_free) if start is None else start
        margins, slopes = self.sensitivities("middle0" if start is None else "start", point)
        for turn in range(1, turns + 1):
            there, _ = self.approached(f"tried{turn}", point, margins, slopes)
            if np.array_equal(there, point):
                return point, margins, slopes
            point = there
            margins, slopes = self.sensitivities(f"middle{turn}", point, slopes)
        return (*self.approached(f"tried{turns + 1}", point, margins, slopes), slopes)

    def approached(self, name: str, point: Array, margins: Array, slopes: Array) -> tuple[Array, Array]:
        """Return the best point that corrections lead to from a point, and its margins."""
        return approach(
            point,
            margins,
            slopes,
            lambda number, tried: self.margins(f"{name}_{number}", tried),
            corrections=CORRECTIONS,
            noise=NOISE,
            slack=enough(SLACK_MIDDLE, self.objective.rooms),
            pull=PULL,
        )

    def ensemble(
        self, middle: tuple[Array, Array, Array], *, n: int, n_rounds: int, spread: float
    ) -> tuple[Array, Array]:
        """Run the rounds from a middle, its margins and sensitivities; return the best members and their margins."""
        point, held, slopes = middle
        room = np.maximum(1.0, np.nan_to_num(held, posinf=1e3) / ROOM)  # what holds with ease may vary more
        drawn = informed(
            draws(n, self.prior.n_free, seed=SEED),
            np.nan_to_num(slopes, posinf=0.0, neginf=0.0) / room[:, None],
            noise=ROOM / spread,
        )
        anchors = members = np.clip(point + spread * drawn, -LIMIT, LIMIT)
        margins = self.margins("round0", members)
        reach = np.nan_to_num(held, nan=-1.0) >= OUT_OF_REACH
        longest = np.full(n, 3.0)
        steps: list[tuple[Array, Array, Array]] = []
        for number in range(1, n_rounds + 1):
            tried = correct(
                members,
                margins[:, reach],
                _after(slopes[reach], steps),
                anchors=anchors,
                own=steps,
                noise=NOISE,
                slack=enough(SLACK, self.objective.rooms[reach]),
                pull=PULL,
                longest=longest,
            )
            found = self.margins(f"round{number}", tried)
            steps.append((tried - members, margins[:, reach], found[:, reach]))
            better = _worth(found, tried - anchors) > _worth(margins, members - anchors)
            members = np.where(better[:, None], tried, members)
            margins = np.where(better[:, None], found, margins)
            longest = np.where(better, longest, 0.5 * longest)
            _tell(f"kept after round {number}", margins)
        return members, margins


def _after(slopes: Array, steps: Sequence[tuple[Array, Array, Array]]) -> Array:
    """Return the sensitivities after what the steps of all members did."""
    if not steps:
        return slopes
    moves, before, found = (np.concatenate(part) for part in zip(*steps, strict=True))
    return learned(slopes, moves, before, found, ridge=RIDGE)


def worth(margins: Array) -> Array:
    """Return how good members are: terms met, and how little is lacking where they are not."""
    return np.asarray(np.sum(met(margins), axis=1) - loss(margins, slack=0.0, pull=PULL))


def _worth(margins: Array, moved: Array) -> Array:
    """Return how good members are that were moved from where they were drawn."""
    return np.asarray(worth(margins) - NOISE**2 * np.sum(moved**2, axis=1))


class _Uncalibrated(CellSimulator):
    """The cells, planned with one vector: the shipped ensemble need not fit the parameters."""

    def ensemble_size(self) -> int:
        """Return 1: plans are made for one vector and scored with others."""
        return 1


def started(file: Path) -> Array:
    """Return a start of the search [standard deviations]: values of a file, and the table's of what it lacks."""
    with file.open(encoding="utf-8", newline="") as rows:
        known = {row["parameter"]: float(row["value"]) for row in csv.DictReader(rows)}
    table = load_parameters()
    moved = [math.log(known.get(n, table[n].value) / table[n].value) / table[n].spread for n in free_parameters()]
    return np.clip(moved, -LIMIT, LIMIT)


def planned() -> Reproduction:
    """Return the plans of all claims of the signalling level."""
    claims = [c for c in load_library().claims(level="signalling") if c.trial is not None]
    bench = Bench(RunStore(Path("unused")), simulator=_Uncalibrated())
    return plan_reproduction("calibration", claims, bench, members=1)


def _dot(done: int, whole: int) -> None:
    sys.stderr.write(f"\r  {done} of {whole} conditions ")
    sys.stderr.flush()


def _tell(what: str, margins: Array) -> None:
    held = met(margins)
    supported = np.mean(held, axis=0) >= 0.9
    sys.stderr.write(
        f"\n{what}: met {held.mean():.3f} (first {held[0].sum()} of {held.shape[1]}), "
        f"supported {supported.sum()}, median member {np.median(held.mean(axis=1)):.3f}\n"
    )


def best(margins: Array, n: int) -> Array:
    """Return which members to ship: those that meet most, in the order of their index."""
    return np.sort(np.argsort(-worth(margins), kind="stable")[:n])


def ship(shop: Workshop, members: Array, margins: Array, options: argparse.Namespace) -> None:
    """Write the best members into the library, with a report."""
    chosen = best(margins, options.members)
    members, margins = members[chosen], margins[chosen]
    table = list(load_parameters().values())
    free = [i for i, p in enumerate(table) if p.id in free_parameters()]
    with (LIBRARY / "ensemble" / "members.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([table[i].id for i in free])
        writer.writerows([[f"{shop.prior.vector(z)[i]:.5g}" for i in free] for z in members])
    names = shop.objective.names
    report = {
        "seed": SEED,
        "members": len(members),
        "drawn": options.drawn,
        "method": "randomised maximum likelihood on the margins of claims and terms, shared sensitivities",
        "turns": options.turns,
        "rounds": options.rounds,
        "spread": options.spread,
        "diversity": round(diversity(members), 4),
        "share_met": {name: round(float(m), 4) for name, m in zip(names, met(margins).mean(axis=0), strict=True)},
        "calibrated_claims": [name for name in names if not name.startswith("term ")],
        "middle": _by_parameter(members.mean(axis=0), free),
        "posterior_sd_over_prior_sd": _by_parameter(members.std(axis=0), free),
    }
    text = json.dumps(report, indent=1, ensure_ascii=False)
    (LIBRARY / "ensemble" / "calibration.json").write_text(text + "\n", encoding="utf-8")


def _identify(
    whole: Reproduction, shop: Workshop, middle: tuple[Array, Array, Array], members: Array, options: argparse.Namespace
) -> None:
    """Write which parameters the findings identify."""
    names = shop.objective.names
    report(
        names,
        middle[1],
        middle[2],
        members,
        noise=noise_of(whole, shop.objective.terms, names, other=NOISE),
        start=options.spread,
        page_file=LIBRARY.parents[2] / "docs" / "identifiability.md",
        table_file=LIBRARY / "calibration" / "identifiability.csv",
    )


def _by_parameter(values: Array, free: Sequence[int]) -> dict[str, float]:
    table = list(load_parameters())
    return {table[i]: round(float(v), 3) for i, v in zip(free, values, strict=True)}


def cross(whole: Reproduction, shop: Workshop, options: argparse.Namespace) -> None:
    """Leave one system out at a time and predict its claims.

    A fold has its own middle and its own members, corrected on the claims and terms of the other
    systems alone, with exact margins, and chosen by them; sensitivities are those at the table's
    values. Beside it stand members drawn around the table's values and not corrected at all.
    """
    origin = np.zeros(shop.prior.n_free)
    at_origin, slopes = shop.sensitivities("middle0", origin)
    system_of = {c.id: c.system for c in whole.claims}
    rows = []
    for system in dict.fromkeys(system_of[name] for name in shop.objective.scorer.names):
        fold = Workshop(Objective(whole, system), shop.prior, shop.folder / f"without_{system}")
        rest = np.isin(shop.objective.names, fold.objective.names)
        middle = (*fold.approached("tried1", origin, at_origin[rest], slopes[rest]), slopes[rest])
        drawn, margins = fold.ensemble(middle, n=options.drawn, n_rounds=options.rounds, spread=options.spread)
        members = drawn[best(margins, options.members)]
        own = {k: p for k, p in whole.plans.items() if system_of[k] == system}
        scorer = ClaimScorer(Reproduction(whole.title, whole.claims, own, whole.reasons), threads=usable_cores())
        floor = np.clip(options.spread * draws(options.members, shop.prior.n_free, seed=SEED), -LIMIT, LIMIT)
        shares = [np.mean(met(scorer.margins(shop.prior.vector(z))), axis=0) for z in (members, floor)]
        supported, at_floor = (int(np.sum(share >= 0.9)) for share in shares)
        rows.append(
            {
                "system": system,
                "claims": len(own),
                "supported": supported,
                "share": round(supported / len(own), 3),
                "floor": round(at_floor / len(own), 3),
                "members_that_meet": {
                    name: round(float(share), 3) for name, share in zip(scorer.names, shares[0], strict=True)
                },
            }
        )
        sys.stderr.write(f"\n{rows[-1]}\n")
    target = LIBRARY / "ensemble" / "cross_validation.json"
    known = json.loads(target.read_text(encoding="utf-8"))["by_spread"] if target.exists() else {}
    known[str(options.spread)] = {
        "members": options.members,
        "drawn": options.drawn,
        "rounds": options.rounds,
        "systems": rows,
    }
    target.write_text(json.dumps({"by_spread": known}, indent=1) + "\n", encoding="utf-8")


def at_table(shop: Workshop, changes: Sequence[str]) -> None:
    """Tell what the table's values meet, and each set of changes of them (``NAME=VALUE`` or ``NAME=xFACTOR``)."""
    values = shop.prior.centre
    margins = shop.objective(np.array([values, *(_changed(values, text) for text in changes)]))
    names = shop.objective.names
    for title, row in zip(("table", *changes), margins, strict=True):
        held, first = met(row), margins[0]
        with np.errstate(invalid="ignore"):  # infinite margins
            moved = (np.abs(row - first) > NOISE) & (np.minimum(row, first) < PULL) | (held != met(first))
        worst = loss(row[None], slack=0.0, pull=PULL)[0]
        missed = ", ".join(f"{n} ({m:.2f})" for n, m, ok in zip(names, row, held, strict=True) if not ok)
        other = ", ".join(f"{n} ({first[i]:.2f} to {row[i]:.2f})" for i, n in enumerate(names) if moved[i])
        sys.stdout.write(f"\n{title}: met {held.sum()} of {len(row)}, loss {worst:.2f}\n  missed: {missed}\n")
        sys.stdout.write(f"  changed: {other}\n" if other else "")


def _changed(values: Array, text: str) -> Array:
    names, found = list(load_parameters()), values.copy()
    for change in text.split():
        name, _, value = change.partition("=")
        if name not in names or not value:
            raise SystemExit(f"{change!r}: write NAME=VALUE or NAME=xFACTOR with a parameter of library/parameters")
        i = names.index(name)
        found[i] = found[i] * float(value[1:]) if value.startswith("x") else float(value)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("middle", "ensemble", "ship", "identify", "cross", "floor", "table"))
    parser.add_argument("--members", type=int, default=256, help="to ship, or of a fold")
    parser.add_argument("--drawn", type=int, default=320, help="from which the members to ship are chosen")
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--spread", type=float, default=0.3, help="of the start, relative to the prior")
    parser.add_argument("--start", type=Path, help="table (parameter,value) from which the middle is sought")
    parser.add_argument("--change", action="append", default=[], help="of the table's values, to look at; repeatable")
    parser.add_argument("--folder", type=Path, default=Path("calibration"))
    options = parser.parse_args(arguments)
    whole = planned()
    shop = Workshop(Objective(whole), Prior.of_table(), options.folder)
    if options.step == "cross":
        cross(whole, shop, options)
    elif options.step == "table":
        at_table(shop, options.change)
    elif options.step == "floor":
        shop.margins("floor", options.spread * draws(options.members, shop.prior.n_free, seed=SEED))
    else:
        middle = shop.middle(options.turns, None if options.start is None else started(options.start))
        if options.step == "middle":
            return
        members, margins = shop.ensemble(middle, n=options.drawn, n_rounds=options.rounds, spread=options.spread)
        if options.step == "ship":
            ship(shop, members, margins, options)
        if options.step in ("ship", "identify"):
            _identify(whole, shop, middle, members[best(margins, options.members)], options)


if __name__ == "__main__":
    main()
