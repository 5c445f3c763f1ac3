"""A virtual laboratory for invasive growth.

The public names are loaded when first used: :func:`run`, :func:`reproduce`, :func:`check`,
:func:`load_experiment`, :func:`load_run`, :class:`Experiment`, :class:`RunResult`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from haptos.conditions.experiment import Experiment
    from haptos.lab.check import check
    from haptos.lab.experiments import load_experiment
    from haptos.lab.reproduce import reproduce
    from haptos.lab.run import RunResult, load_run, run

__all__ = ["Experiment", "RunResult", "__version__", "check", "load_experiment", "load_run", "reproduce", "run"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    from importlib import import_module

    homes = {
        "Experiment": "haptos.conditions.experiment",
        "RunResult": "haptos.lab.run",
        "check": "haptos.lab.check",
        "load_experiment": "haptos.lab.experiments",
        "load_run": "haptos.lab.run",
        "reproduce": "haptos.lab.reproduce",
        "run": "haptos.lab.run",
    }
    if name not in homes:
        raise AttributeError(f"module 'haptos' has no attribute {name!r}")
    return getattr(import_module(homes[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
