"""The command line: thin, quick to start, calm to read."""

from __future__ import annotations

__all__ = ["main"]


def main() -> None:
    """Run the ``haptos`` command and leave with its exit code."""
    from haptos.cli.app import run_command_line

    raise SystemExit(run_command_line())
