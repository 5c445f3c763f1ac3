"""How a long computation tells what it does, without knowing who listens."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Progress", "Silent"]


class Progress(Protocol):
    """Receives the progress of a run."""

    def begin(self, what: str, total: int, done: int) -> None:
        """Say that `total` pieces of work begin, `done` of which were found finished."""

    def advance(self, n: int = 1) -> None:
        """Say that `n` more pieces are finished."""

    def end(self) -> None:
        """Say that no more pieces come."""

    def note(self, message: str) -> None:
        """Say something worth knowing, in one line."""


class Silent:
    """Listens to nothing."""

    def begin(self, what: str, total: int, done: int) -> None:
        """Do nothing."""

    def advance(self, n: int = 1) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""

    def note(self, message: str) -> None:
        """Do nothing."""
