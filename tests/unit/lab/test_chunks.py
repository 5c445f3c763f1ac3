"""Cutting simulations into chunks: each once, pre-cultures together, never a surprise in size."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from haptos.lab.chunks import LEAST, Chunk, chunks_of, shortened
from haptos.lab.plan import Task
from haptos.signalling.condition import Population

TASKS = st.lists(
    st.builds(
        Task,
        condition=st.sampled_from("abcdefgh"),
        member=st.one_of(st.none(), st.integers(0, 90)),
        replicate=st.one_of(st.none(), st.integers(0, 3)),
        seed=st.integers(0, 1),
    ),
    max_size=120,
    unique=True,
)


def keys_of(chunks: list[Chunk]) -> list[str]:
    return [key for chunk in chunks for keys in chunk.task_keys() for key in keys]


@given(tasks=TASKS)
def test_every_task_is_in_one_chunk(tasks: list[Task]) -> None:
    found = keys_of(chunks_of(tasks, lambda c: c))
    # without a repeat the seed does not matter and is not in the key
    assert sorted(found) == sorted(task.key for task in tasks)


def test_conditions_that_settle_alike_stay_together() -> None:
    tasks = [Task(c, m, None, 0) for c in "abcdef" for m in range(3)]
    [chunk] = chunks_of(tasks, lambda c: "even" if c in "ace" else "odd")
    assert chunk.conditions == ("a", "c", "e", "b", "d", "f")


@given(many=st.integers(1, 40), wide=st.integers(1, 300), size=st.floats(0, 5000))
def test_a_shortened_chunk_holds_the_same_and_starts_small(many: int, wide: int, size: float) -> None:
    whole = Chunk(tuple(f"c{i}" for i in range(many)), tuple(Population(i) for i in range(wide)), 0)
    parts = shortened(whole, size)
    assert sorted(keys_of(parts)) == sorted(keys_of([whole]))
    assert len(parts[0]) <= max(size, 2 * LEAST - 1)
    assert len({part.key for part in parts}) == len(parts)


def test_populations_are_cut_last_so_that_precultures_are_shared() -> None:
    whole = Chunk(tuple("abcd"), tuple(Population(i) for i in range(64)), 0)
    assert [len(p.populations) for p in shortened(whole, 64)] == [64, 64, 64]
    sizes = [len(p) for p in itertools.islice(shortened(whole, 8), 2)]
    assert sizes == [8, 8]
