"""What a rule of the linter is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar, Literal

from haptos.errors import Issue
from haptos.evidence.library import Library

__all__ = ["Rule", "Severity"]

Severity = Literal["error", "warning"]


class Rule(ABC):
    """One thing that must hold for the evidence. The docstring of a rule is its explanation.

    Attributes
    ----------
    id : str
        Name of the rule, in kebab-case.
    severity : str
        ``error`` fails the check, ``warning`` does not.
    """

    id: ClassVar[str]
    severity: ClassVar[Severity] = "error"

    @abstractmethod
    def check(self, library: Library) -> Iterator[Issue]:
        """Yield every place where the rule is broken."""

    def issue(self, message: str, where: str, *, allowed: str = "", hint: str = "") -> Issue:
        """Return an issue of this rule."""
        return Issue(message, where, allowed, hint, self.id, self.severity)
