"""Explain a claim, a conflict between claims, or an experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from haptos.errors import EvidenceError, ParameterError, nearest
from haptos.lab.audit.anatomy import Anatomy, CellAnatomy
from haptos.lab.explain.contrast import Contrast, Simulate, contrast_of_claim, contrast_of_plan, induced
from haptos.lab.explain.ranking import Ranking, rank
from haptos.lab.explain.routes import Decider, Routes, candidates, deciders, routes, side_cuts
from haptos.lab.plan import Plan, plan_experiment
from haptos.lab.reproduce import plan_reproduction

if TYPE_CHECKING:
    from haptos.evidence.claims import Claim, Conflict
    from haptos.evidence.library import Library
    from haptos.lab.run import Bench
    from haptos.signalling.condition import Condition, Outcomes

__all__ = ["Explanation", "Settled", "Workshop", "explain", "workshop"]

Array = NDArray[np.float64]

#: Members in which the largest changes are checked, and in which routes are told apart.
CHECKED, ROUTED = 8, 48


@dataclass(frozen=True)
class Workshop:
    """With what things are explained.

    Attributes
    ----------
    bench : Bench
        Assays, library and simulator.
    library : Library
        Claims.
    anatomy : Anatomy
        The parts of the model.
    simulate : callable
        The cells.
    reference : ndarray, shape (n_parameters,)
        The vector in which everything is cut.
    members : ndarray, shape (n_members, n_parameters)
        The ensemble.
    """

    bench: Bench
    library: Library
    anatomy: Anatomy
    simulate: Simulate
    reference: Array
    members: Array

    def some(self, count: int) -> Array:
        """Return members spread evenly over the ensemble."""
        size = len(self.members)
        chosen: Array = self.members[np.unique(np.linspace(0, size - 1, min(count, size)).astype(int))]
        return chosen


@dataclass(frozen=True)
class Settled:
    """A conflict, the routes of the members, and what would decide."""

    routes: Routes
    deciders: tuple[Decider, ...]


@dataclass(frozen=True)
class Explanation:
    """Why the model says so.

    Attributes
    ----------
    title : str
        What was explained.
    ranking : Ranking
        Which steps carry the effect.
    settled : tuple of Settled
        Conflicts that it is part of, where the routes of both sides can be cut.
    open : mapping of str to str
        Conflicts of which this cannot be told, and why.
    sentences : mapping of str to str
        What the claims say that are named.
    """

    title: str
    ranking: Ranking
    settled: tuple[Settled, ...]
    open: Mapping[str, str]
    sentences: Mapping[str, str]


def workshop(bench: Bench) -> Workshop:
    """Return the workshop of the model that ships."""
    from haptos.evidence.library import load_library
    from haptos.signalling.cell import simulate_vectors
    from haptos.signalling.ensemble import members, reference_vector

    def simulate(
        conditions: Sequence[Condition], vectors: Array, changed: Mapping[str, Array] | None
    ) -> list[Outcomes]:
        return simulate_vectors(conditions, vectors, threads=bench.workers, changed=changed)

    library = bench.library or load_library()
    return Workshop(bench, library, CellAnatomy(), simulate, reference_vector(), members())


def explain(what: str, shop: Workshop, *, most: int = 12) -> Explanation:
    """Explain a claim or conflict of the library, an experiment file, or a claim of a file.

    Parameters
    ----------
    what : str
        Identifier, path of an experiment file, or path and identifier as in ``my_claims.yaml:MINE-01``.
    shop : Workshop
        With what.
    most : int
        Steps to tell of.

    Raises
    ------
    EvidenceError
        If there is neither such a claim nor such a conflict, with the nearest names.
    ParameterError
        If it has no effect that could be explained, or cannot be simulated.
    SpecError
        With every problem of the file.
    """
    file, mark, name = what.rpartition(":")
    if mark and Path(file).is_file() and not Path(what).is_file():
        return _of_own(Path(file), name, shop, most)
    if what.endswith((".yaml", ".yml", ".json")) or Path(what).is_file():
        return (
            _of_own(Path(what), "", shop, most) if _holds_claims(Path(what)) else _of_experiment(Path(what), shop, most)
        )
    conflicts = {c.id: c for c in shop.library.conflicts}
    if what in conflicts:
        return _of_conflict(conflicts[what], shop, most)
    if what not in shop.library.claim_ids():
        from haptos.evidence.library import unknown

        raise EvidenceError(unknown("claim or conflict", what, (*shop.library.claim_ids(), *conflicts)))
    claim = shop.library.claim(what)
    contrast = contrast_of_claim(claim, _plan_of(claim, shop))
    own = [conflicts[name] for name in claim.conflicts if name in conflicts]
    return _explained(claim.id, contrast, shop, most, [(conflict, claim, contrast) for conflict in own])


def _holds_claims(file: Path) -> bool:
    from haptos.core.located import load_yaml

    data = load_yaml(file).data
    return isinstance(data, dict) and "claims" in data


def _of_own(file: Path, name: str, shop: Workshop, most: int) -> Explanation:
    """Explain a claim of a user's file; it need not be named if it is the only one."""
    from haptos.lab.check import read_own, with_contexts

    _, claims, contexts = read_own(file)
    known = {claim.id: claim for claim in claims}
    if not name and len(known) > 1:
        raise ParameterError(f"{file} holds {len(known)} claims; name one of them, as in {file}:{next(iter(known))}")
    if name and name not in known:
        near = ", ".join(nearest(name, list(known))) or ", ".join(known)
        raise ParameterError(f"{file} holds no claim {name}; did you mean {near}?")
    claim = known[name or next(iter(known))]
    shop = replace(shop, bench=with_contexts(shop.bench, contexts))
    return _explained(claim.id, contrast_of_claim(claim, _plan_of(claim, shop)), shop, most, [])


def _of_experiment(file: Path, shop: Workshop, most: int) -> Explanation:
    from haptos.lab.experiments import read_experiment

    asked = read_experiment(file)
    plan = plan_experiment(
        asked.experiment,
        shop.bench.simulator,
        members=1,
        document=asked.document,
        assays=shop.bench.assays,
        contexts={**shop.bench.contexts, **asked.contexts},
    )
    contrast = contrast_of_plan(plan, shop.simulate, shop.reference)
    return _explained(contrast.title, contrast, shop, most, [])


def _of_conflict(conflict: Conflict, shop: Workshop, most: int) -> Explanation:
    """Explain a conflict by its first claim that can be simulated and shows an effect."""
    for name in (*conflict.side_b, *conflict.side_a):
        claim = shop.library.claim(name)
        try:
            contrast = contrast_of_claim(claim, _plan_of(claim, shop))
        except ParameterError:
            continue
        return _explained(conflict.id, induced(contrast, claim), shop, most, [(conflict, claim, contrast)])
    raise ParameterError(f"no claim of {conflict.id} has an experiment that could be simulated")


def _plan_of(claim: Claim, shop: Workshop) -> Plan:
    whole = plan_reproduction(claim.id, [claim], shop.bench, members=1)
    if claim.id not in whole.plans:
        raise ParameterError(f"{claim.id} cannot be simulated: {whole.reasons.get(claim.id, 'it is counted')}")
    return whole.plans[claim.id]


def _explained(
    title: str, contrast: Contrast, shop: Workshop, most: int, asked: Sequence[tuple[Conflict, Claim, Contrast]]
) -> Explanation:
    from haptos.evidence.wording import sentence

    ranking = rank(contrast, shop.anatomy, shop.simulate, shop.reference, shop.some(CHECKED), most=most)
    settled, left = [], {}
    for conflict, claim, shown in asked:
        found = _settle(conflict, induced(shown, claim), shop)
        if isinstance(found, str):
            left[conflict.id] = found
        else:
            settled.append(found)
    known = set(shop.library.claim_ids())
    named = {c for carrier in ranking.carriers for c in carrier.step.claims if c in known}
    named |= {c for conflict, _, _ in asked for c in (*conflict.side_a, *conflict.side_b)}
    sentences = {name: sentence(shop.library.claim(name), shop.library.vocabulary) for name in sorted(named)}
    return Explanation(title, ranking, tuple(settled), left, sentences)


def _settle(conflict: Conflict, contrast: Contrast, shop: Workshop) -> Settled | str:
    steps = {**shop.anatomy.steps(contrast.reference), **shop.anatomy.steps(contrast.test)}
    claims = {name: shop.library.claim(name) for name in (*conflict.side_a, *conflict.side_b)}
    cuts = side_cuts(conflict, claims, steps, shop.library.vocabulary)
    empty = [side for side, names in zip("ab", cuts, strict=True) if not names]
    if empty:
        return f"no reaction carries side {' and side '.join(empty)} alone, so the routes cannot be cut apart"
    members = shop.some(ROUTED)
    found = routes(conflict, contrast, cuts, shop.simulate, members)

    def expressible(condition: Condition) -> bool:
        return not shop.bench.simulator.expressibility(condition)

    return Settled(found, deciders(found, candidates(shop.library), expressible, shop.simulate, members))
