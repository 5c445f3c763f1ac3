"""The error tree, the located issue, and the status of a computation.

Imports nothing of haptos, so every room may use it. Misuse is an exception that says
what was wrong, where, what is allowed and what to do next. Numerical failure is data:
a :class:`Status` per batch member.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

__all__ = [
    "EvidenceError",
    "HaptosError",
    "Issue",
    "MissingExtraError",
    "ModelError",
    "ParameterError",
    "SpecError",
    "Status",
    "StoreError",
    "UnitError",
    "nearest",
]


class Status(IntEnum):
    """How the integration of one batch member ended."""

    OK = 0
    MAX_STEPS = 1
    STEP_TOO_SMALL = 2
    NON_FINITE = 3
    NEGATIVE = 4
    EVENT_STORM = 5
    NO_REST = 6

    @property
    def explanation(self) -> str:
        """One sentence for the user."""
        return _EXPLANATIONS[self]


_EXPLANATIONS = {
    Status.OK: "finished",
    Status.MAX_STEPS: "the step limit was reached; raise max_steps or loosen the tolerance",
    Status.STEP_TOO_SMALL: "the step size fell below the rounding of time; the model is singular there",
    Status.NON_FINITE: "a rate or state became infinite or not a number",
    Status.NEGATIVE: "a species fell below zero by more than its tolerance",
    Status.EVENT_STORM: "events fired without time advancing",
    Status.NO_REST: "it did not come to rest before the first time: it oscillates, drifts, or needs a longer max_time",
}


@dataclass(frozen=True, slots=True)
class Issue:
    """One problem found while reading or checking a file.

    Attributes
    ----------
    message : str
        What is wrong.
    where : str
        ``file:line (field)``, as far as known.
    allowed : str
        What would be accepted; empty if the message says it.
    hint : str
        What to do next; empty if obvious.
    rule : str
        Identifier of the rule that found it.
    severity : str
        ``error`` or ``warning``.
    """

    message: str
    where: str = ""
    allowed: str = ""
    hint: str = ""
    rule: str = ""
    severity: str = "error"

    def __str__(self) -> str:
        lines = [f"{self.where}: {self.message}" if self.where else self.message]
        if self.allowed:
            lines.append(f"    allowed: {self.allowed}")
        if self.hint:
            lines.append(f"    try: {self.hint}")
        return "\n".join(lines)


class HaptosError(Exception):
    """Root of all errors that haptos raises on purpose."""


class SpecError(HaptosError, ValueError):
    """One or more problems in a file or object written by the user.

    Parameters
    ----------
    issues : iterable of Issue or str
        All problems found, in the order of their lines.
    """

    def __init__(self, issues: Iterable[Issue | str] | str) -> None:
        found = [issues] if isinstance(issues, str) else list(issues)
        self.issues: tuple[Issue, ...] = tuple(i if isinstance(i, Issue) else Issue(i) for i in found)
        super().__init__("\n".join(str(i) for i in self.issues))


class UnitError(HaptosError, ValueError):
    """A quantity without a unit, with an unknown unit or of the wrong dimension."""


class ParameterError(HaptosError, ValueError):
    """An argument outside its admissible range."""


class EvidenceError(HaptosError, ValueError):
    """A claim, source or quantity that cannot be used."""


class ModelError(HaptosError, ValueError):
    """A model text that cannot be composed, translated or compiled."""


class StoreError(HaptosError, OSError):
    """A run folder that cannot be written, read or trusted."""


class MissingExtraError(HaptosError, ImportError):
    """An optional dependency is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"this needs the package {package!r}, which is part of the extra {extra!r}; "
            f"install it with: pip install 'haptos[{extra}]'"
        )


def nearest(word: str, known: Sequence[str], n: int = 3) -> list[str]:
    """Return up to `n` names of `known` that resemble `word`, best first.

    Examples
    --------
    >>> nearest("doxycyclin", ["doxycycline", "BAY-11-7082"])
    ['doxycycline']
    """
    import difflib

    def plain(text: str) -> str:
        return "".join(c for c in text.casefold() if c.isalnum())

    by_plain: dict[str, str] = {}
    for name in known:
        by_plain.setdefault(plain(name), name)
    close = difflib.get_close_matches(plain(word), list(by_plain), n=n, cutoff=0.6)
    starts = [p for p in by_plain if plain(word) and p.startswith(plain(word))]
    ordered = list(dict.fromkeys([*close, *starts]))
    return [by_plain[p] for p in ordered[:n]]
