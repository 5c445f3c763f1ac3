"""A progress bar on standard error for whoever watches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from haptos.cli.console import out

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

__all__ = ["TerminalProgress"]


class TerminalProgress:
    """Draws a bar when standard error is a terminal; says nothing but notes otherwise.

    Parameters
    ----------
    quiet : bool
        Draw no bar even in a terminal.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._console = out(stderr=True)
        self._draw = self._console.is_terminal and not quiet
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def begin(self, what: str, total: int, done: int) -> None:
        """Start the bar at what was found finished."""
        if not self._draw or done >= total:
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=self._console, transient=True)
        self._bar.start()
        self._task = self._bar.add_task(what, total=total, completed=done)

    def advance(self, n: int = 1) -> None:
        """Move the bar on."""
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task, n)

    def end(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def note(self, message: str) -> None:
        """Write a line above the bar."""
        (self._bar.console if self._bar is not None else self._console).print(f"[dim]·[/dim] {_escape(message)}")


def _escape(text: str) -> str:
    from rich.markup import escape

    return escape(text)
