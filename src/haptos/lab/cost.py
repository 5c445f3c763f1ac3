"""What a plan costs, measured on one of its simulations."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from haptos.lab.plan import Task
    from haptos.lab.simulator import Simulator
    from haptos.signalling.condition import Condition

__all__ = ["Cost", "estimate"]


@dataclass(frozen=True, slots=True)
class Cost:
    """Estimated cost of a plan.

    Attributes
    ----------
    simulations : int
        How many.
    seconds_each : float
        Time of one, measured on this machine [s].
    workers : int
        Processes.
    """

    simulations: int
    seconds_each: float
    workers: int

    @property
    def seconds(self) -> float:
        """Time of all [s]."""
        return self.simulations * self.seconds_each / min(self.workers, max(1, self.simulations))

    @property
    def text(self) -> str:
        """The cost in a sentence.

        Examples
        --------
        >>> Cost(120, 0.5, 2).text
        '120 simulations of about 0.5 s on 2 processes: about 30 s'
        """
        total = f"{self.seconds:.0f} s" if self.seconds < 90 else f"{self.seconds / 60:.0f} min"
        plural = "es" if self.workers > 1 else ""
        each = f"{self.seconds_each:.2g} s"
        return f"{self.simulations} simulations of about {each} on {self.workers} process{plural}: about {total}"


def estimate(tasks: Sequence[Task], conditions: Mapping[str, Condition], simulator: Simulator, workers: int) -> Cost:
    """Time one simulation (after a first one that loads the model) and multiply."""
    if not tasks:
        return Cost(0, 0.0, workers)
    task = tasks[0]
    elapsed = 0.0
    for _ in range(2):
        start = time.perf_counter()
        simulator.simulate(conditions[task.condition], member=task.member, seed=task.seed, replicate=task.replicate)
        elapsed = time.perf_counter() - start
    return Cost(len(tasks), elapsed, workers)
