"""Which claims can be judged, and what the others wait for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from haptos.evidence.claims import Claim

__all__ = ["STATES", "Expressible", "State", "Status", "coverage", "systems", "tally"]

State = Literal["judged", "not yet expressible", "untestable"]

#: All states, best first.
STATES: tuple[State, ...] = ("judged", "not yet expressible", "untestable")

#: Returns None if a claim can be judged, otherwise what is missing.
Expressible = Callable[[Claim], str | None]


@dataclass(frozen=True, slots=True)
class Status:
    """The state of one claim.

    Attributes
    ----------
    claim : str
        Identifier.
    system : str
        S1 to S14.
    state : str
        ``judged``, ``not yet expressible`` or ``untestable``.
    reason : str
        What is missing, or why there is no experiment; empty if it is judged.
    """

    claim: str
    system: str
    state: State
    reason: str = ""


def coverage(claims: Iterable[Claim], expressible: Expressible) -> tuple[Status, ...]:
    """Return the state of each claim, in the order given."""
    return tuple(_status(claim, expressible) for claim in claims)


def _status(claim: Claim, expressible: Expressible) -> Status:
    if claim.untestable is not None:
        return Status(claim.id, claim.system, "untestable", claim.untestable.replace("_", " "))
    reason = expressible(claim)
    if reason is None:
        return Status(claim.id, claim.system, "judged")
    return Status(claim.id, claim.system, "not yet expressible", reason)


def systems(found: Iterable[Status]) -> tuple[str, ...]:
    """Return the systems in their order, S2 before S10.

    Examples
    --------
    >>> systems([Status("A-01", "S10", "judged"), Status("A-02", "S2", "judged")])
    ('S2', 'S10')
    """
    return tuple(sorted({status.system for status in found}, key=lambda name: int(name[1:])))


def tally(found: Iterable[Status]) -> dict[str, dict[State, int]]:
    """Count the claims of each system by state; every state is present."""
    statuses = tuple(found)
    counts: dict[str, dict[State, int]] = {name: dict.fromkeys(STATES, 0) for name in systems(statuses)}
    for status in statuses:
        counts[status.system][status.state] += 1
    return counts
