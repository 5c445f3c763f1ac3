"""Where errors become messages and exit codes."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path
from types import TracebackType

from haptos.errors import HaptosError, Issue, ParameterError, SpecError, UnitError

__all__ = ["Boundary", "Exit", "explain", "issue_text"]


class Exit(IntEnum):
    """Exit codes of the command line."""

    OK = 0
    FAILED = 1
    USAGE = 2
    INTERNAL = 3
    INTERRUPTED = 130


_STOPPED = "\nstopped; what was finished is kept, and the same command goes on from there"


class Boundary:
    """Context manager that swallows every error after telling it in words.

    Attributes
    ----------
    code : int
        How the command ended.
    debug : bool
        Whether an internal error shows its stack trace.
    """

    def __init__(self, *, debug: bool = False) -> None:
        self.debug = debug
        self.code: int = Exit.OK

    def __enter__(self) -> Boundary:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None:
            return False
        self.code, text = explain(error)
        if self.code == Exit.INTERNAL:
            text = traceback.format_exc() if self.debug else f"{text}\n{_note(error)}"
        with_newline = f"{text}\n" if text else ""
        _say(with_newline)
        return True


def explain(error: BaseException) -> tuple[int, str]:
    """Return the exit code and the message of an error."""
    if isinstance(error, SystemExit):
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
        return code, _STOPPED if code == Exit.INTERRUPTED else ""
    if isinstance(error, KeyboardInterrupt):
        return Exit.INTERRUPTED, _STOPPED
    if isinstance(error, BrokenPipeError):
        return Exit.OK, ""
    if isinstance(error, SpecError):
        return Exit.USAGE, _issues(error.issues)
    if isinstance(error, (ParameterError, UnitError)):
        return Exit.USAGE, f"error: {error}"
    if isinstance(error, HaptosError):
        return Exit.FAILED, f"error: {error}"
    return Exit.INTERNAL, f"internal error: {type(error).__name__}: {error}"


def _issues(issues: tuple[Issue, ...]) -> str:
    count = len(issues)
    head = f"{count} problems; nothing was run and nothing was written" if count > 1 else "nothing was run: one problem"
    return "\n".join([head, "", *(issue_text(issue) for issue in issues)])


def issue_text(issue: Issue) -> str:
    """Return an issue as its place and message, with what is allowed and what to try below.

    Examples
    --------
    >>> issue_text(Issue("unknown assay 'x'", "a.yaml:3 (assay)"))
    "a.yaml:3 (assay): unknown assay 'x'"
    """
    return str(issue)


def _note(error: BaseException) -> str:
    """Write the stack trace to a file and tell where."""
    text = "".join(traceback.format_exception(error))
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    path = Path(tempfile.gettempdir()) / f"haptos-{stamp}-{os.getpid()}.log"
    try:
        path.write_text(f"{' '.join(sys.argv)}\n\n{text}", encoding="utf-8")
    except OSError:
        return "this is a fault of haptos; run it again with --debug to see where"
    return f"this is a fault of haptos; please report it with the log {path} (or run again with --debug)"


def _say(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except BrokenPipeError:  # nobody listens any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
