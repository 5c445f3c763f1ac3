"""Cutting simulations into chunks that are simulated, and kept, at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from haptos.core.hashing import content_hash
from haptos.lab.plan import Task
from haptos.signalling.condition import Outcome, Outcomes, Population

__all__ = ["LEAST", "Chunk", "chunks_of", "from_arrays", "keys_in", "shortened", "to_arrays"]

#: Populations that are not separated, for the sake of vectors.
LEAST = 8
#: Populations up to which conditions are separated first, so that pre-cultures are shared.
_WIDE = 64

Arrays = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class Chunk:
    """Every population in every condition.

    Attributes
    ----------
    conditions : tuple of str
        Content hashes.
    populations : tuple of Population
        Members and repeats.
    seed : int
        Root seed.
    """

    conditions: tuple[str, ...]
    populations: tuple[Population, ...]
    seed: int

    def __len__(self) -> int:
        return len(self.conditions) * len(self.populations)

    def task_keys(self) -> list[list[str]]:
        """Return the keys of its simulations, by condition."""
        return [[Task(c, p.member, p.replicate, self.seed).key for p in self.populations] for c in self.conditions]

    @property
    def key(self) -> str:
        """Name under which its results are kept."""
        return content_hash(self.task_keys(), length=32)


def chunks_of(tasks: Iterable[Task], preculture: Callable[[str], str]) -> list[Chunk]:
    """Return the largest chunks that hold the tasks, each once.

    Parameters
    ----------
    tasks : iterable of Task
        In the order in which they are wanted.
    preculture : callable
        Key of a condition; conditions of equal key stay together.
    """
    wanted: dict[tuple[int, Population], list[str]] = {}
    for task in tasks:
        wanted.setdefault((task.seed, Population(task.member, task.replicate)), []).append(task.condition)
    alike: dict[tuple[int, tuple[str, ...]], list[Population]] = {}
    for (seed, population), conditions in wanted.items():
        alike.setdefault((seed, tuple(dict.fromkeys(conditions))), []).append(population)
    return [
        Chunk(tuple(sorted(conditions, key=preculture)), tuple(populations), seed)
        for (seed, conditions), populations in alike.items()
    ]


def shortened(chunk: Chunk, size: float) -> list[Chunk]:
    """Halve a chunk until its first part has at most `size` simulations or cannot be halved.

    Returns
    -------
    list of Chunk
        The parts in order; all but the first may be longer.
    """
    rest: list[Chunk] = []
    while len(chunk) > size and (halves := _halves(chunk)) is not None:
        chunk = halves[0]
        rest.insert(0, halves[1])
    return [chunk, *rest]


def _halves(chunk: Chunk) -> tuple[Chunk, Chunk] | None:
    wide, many = len(chunk.populations), len(chunk.conditions)
    if wide > _WIDE or (many == 1 and wide > LEAST):
        middle = max(LEAST, wide // 2 // LEAST * LEAST)
        head, tail = chunk.populations[:middle], chunk.populations[middle:]
        return replace(chunk, populations=head), replace(chunk, populations=tail)
    if many > 1:
        head_c, tail_c = chunk.conditions[: many // 2], chunk.conditions[many // 2 :]
        return replace(chunk, conditions=head_c), replace(chunk, conditions=tail_c)
    return None


def to_arrays(chunk: Chunk, outcomes: Sequence[Outcomes]) -> dict[str, NDArray[np.generic]]:
    """Return the outcomes of a chunk as named arrays, for a checkpoint."""
    arrays: dict[str, NDArray[np.generic]] = {"keys": np.array(chunk.task_keys())}
    for number, found in enumerate(outcomes):
        groups = {"quantity": found.quantities, "geometry": found.geometry, "parameter": found.parameters}
        for group, values in groups.items():
            arrays |= {f"{number}/{group}/{name}": np.asarray(value, float) for name, value in values.items()}
        arrays[f"{number}/status"] = np.asarray(found.status)
    return arrays


def keys_in(arrays: Arrays) -> list[str]:
    """Return the keys of the simulations in a checkpoint."""
    return [str(key) for key in arrays["keys"].ravel()]


def from_arrays(arrays: Arrays) -> dict[str, Outcome]:
    """Return the outcomes kept as named arrays, by key."""
    keys = arrays["keys"]
    groups: list[dict[str, dict[str, NDArray[np.float64]]]] = [
        {"quantity": {}, "geometry": {}, "parameter": {}} for _ in keys
    ]
    for name, array in arrays.items():
        place, _, rest = name.partition("/")
        group, _, entry = rest.partition("/")
        if entry:
            groups[int(place)][group][entry] = np.asarray(array, float)
    found: dict[str, Outcome] = {}
    for number, (row, group_of) in enumerate(zip(keys, groups, strict=True)):
        status = np.asarray(arrays[f"{number}/status"], dtype=np.int64)
        geometry = {name: float(value) for name, value in group_of["geometry"].items()}
        batch = Outcomes(group_of["quantity"], geometry, status, group_of["parameter"])
        found |= {str(key): batch[i] for i, key in enumerate(row)}
    return found
