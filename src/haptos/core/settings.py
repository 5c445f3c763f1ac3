"""Settings, parsed once and passed down."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from haptos.errors import ParameterError

__all__ = ["Settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Where results go and how much of the machine to use.

    Attributes
    ----------
    runs : Path
        Folder of the run folders (``HAPTOS_RUNS``; default ``haptos-runs`` in the working folder).
    workers : int
        Threads, at least 1 (``HAPTOS_WORKERS``; default: the usable cores). The
        answer does not depend on it.
    """

    runs: Path
    workers: int

    @classmethod
    def load(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the environment.

        Raises
        ------
        ParameterError
            If ``HAPTOS_WORKERS`` is not a whole number of at least 1.
        """
        env = os.environ if environment is None else environment
        text = env.get("HAPTOS_WORKERS", "") or str(usable_cores())
        if not text.isdigit() or int(text) < 1:
            raise ParameterError(f"HAPTOS_WORKERS is {text!r}; write a whole number of at least 1")
        return cls(Path(env.get("HAPTOS_RUNS") or "haptos-runs"), int(text))


def usable_cores() -> int:
    """Return the number of cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
