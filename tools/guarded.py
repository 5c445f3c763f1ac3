"""Run a function on many items in child processes that may crash or hang.

A child that dies, or that takes too long over an item, costs that item only: it is
reported as ``crash`` or ``hang`` and a new child goes on with the rest.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

__all__ = ["each"]


def each(
    function: Callable[[Any], Any], items: Sequence[Any], *, workers: int, limit: float
) -> Iterator[tuple[Any, Any]]:
    """Yield ``(item, result)`` as results come in; the result is ``"crash"`` or ``"hang"`` for lost items.

    Parameters
    ----------
    function : callable
        A function of a module; item and result must be picklable.
    items : sequence
        What to work on.
    workers : int
        Number of children.
    limit : float
        Longest time for one item [s].
    """
    waiting = list(reversed(items))
    children = [_Child.start(function) for _ in range(min(workers, len(items)))]
    try:
        for child in children:
            child.give(waiting.pop())
        while busy := [child for child in children if child.busy]:
            ready = wait([child.pipe for child in busy], timeout=0.2)
            for child in busy:
                if child.pipe in ready:
                    yield child.item, child.take()
                elif time.monotonic() - child.began > limit:
                    child.process.kill()
                    yield child.item, "hang"
                    child.busy = False
                if not child.busy and waiting:
                    child.renew(function)
                    child.give(waiting.pop())
    finally:
        for child in children:
            child.process.kill()


@dataclass
class _Child:
    """One child process and what it works on."""

    process: SpawnProcess
    pipe: Connection
    item: Any = None
    began: float = 0.0
    busy: bool = False

    @classmethod
    def start(cls, function: Callable[[Any], Any]) -> _Child:
        context = multiprocessing.get_context("spawn")
        here, there = context.Pipe()
        process = context.Process(target=_serve, args=(function, there), daemon=True)
        process.start()
        there.close()
        return cls(process, here)

    def give(self, item: Any) -> None:
        self.item, self.began, self.busy = item, time.monotonic(), True
        self.pipe.send(item)

    def take(self) -> Any:
        self.busy = False
        try:
            return self.pipe.recv()
        except (EOFError, OSError):
            self.process.join()
            return "crash"

    def renew(self, function: Callable[[Any], Any]) -> None:
        self.process.join(0.01)
        if not self.process.is_alive():
            fresh = _Child.start(function)
            self.process, self.pipe = fresh.process, fresh.pipe


def _serve(function: Callable[[Any], Any], pipe: Connection) -> None:
    while True:
        pipe.send(function(pipe.recv()))
