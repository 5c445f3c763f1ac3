"""What a plan costs, measured on one of its simulations."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from haptos.signalling.condition import Population

if TYPE_CHECKING:
    from haptos.lab.plan import Task
    from haptos.lab.simulator import Simulator
    from haptos.signalling.condition import Condition

__all__ = ["Cost", "estimate"]

_SOME = 8  # simulations that are timed


@dataclass(frozen=True, slots=True)
class Cost:
    """Estimated cost of a plan.

    Attributes
    ----------
    simulations : int
        How many.
    seconds_each : float
        Time of one in a batch, measured on this machine [s].
    workers : int
        Threads.
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
        '120 simulations of about 0.5 s on 2 threads: about 30 s'
        """
        total = f"{self.seconds:.0f} s" if self.seconds < 90 else f"{self.seconds / 60:.0f} min"
        plural = "s" if self.workers > 1 else ""
        each = f"{self.seconds_each:.2g} s"
        return f"{self.simulations} simulations of about {each} on {self.workers} thread{plural}: about {total}"


def estimate(tasks: Sequence[Task], conditions: Mapping[str, Condition], simulator: Simulator, workers: int) -> Cost:
    """Time the first few simulations (after a first time that loads the model) and multiply."""
    if not tasks:
        return Cost(0, 0.0, workers)
    first = tasks[0].condition, tasks[0].seed
    some = [t for t in tasks if (t.condition, t.seed) == first][:_SOME]
    populations = [Population(t.member, t.replicate) for t in some]
    elapsed = 0.0
    for _ in range(2):
        start = time.perf_counter()
        simulator.simulate_batch([conditions[first[0]]], populations, seed=first[1])
        elapsed = time.perf_counter() - start
    return Cost(len(tasks), elapsed / len(some), workers)
