"""Claims about what exists: counted in the composed model, nothing simulated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from haptos.evidence.judge import Judgement

if TYPE_CHECKING:
    from haptos.evidence.claims import Count

__all__ = ["judge_count", "missing_registry"]


def missing_registry(expect: Count) -> str | None:
    """Return why a count cannot be made yet; None if it can."""
    from haptos.signalling.model import model
    from haptos.signalling.registries import members_of

    name = expect.registry.replace("_", " ")
    members = members_of(expect.registry)
    if members is None:
        return f"the modules at hand hold no list of {name}"
    known = {*members, *model().network.species}
    absent = [entity for entity in expect.of if entity not in known]
    return f"the modules at hand hold no {' and no '.join(absent)}" if absent else None


def judge_count(expect: Count) -> Judgement:
    """Judge a count by the composed model.

    Parameters
    ----------
    expect : Count
        The registry, the entries asked for (all, if none are named) and the bounds.

    Returns
    -------
    Judgement
        ``supported`` or ``contradicted``; no member of the ensemble is involved.
    """
    from haptos.signalling.registries import number_of

    number = number_of(expect.registry, expect.of) or 0.0
    low = expect.low if expect.low is not None else 0.0
    holds = number >= low and (expect.high is None or number <= expect.high)
    return Judgement(
        verdict="supported" if holds else "contradicted",
        fraction=float(holds),
        effect=number,
        low=number,
        high=number,
        measure="entries found",
        n_members=0,
    )
