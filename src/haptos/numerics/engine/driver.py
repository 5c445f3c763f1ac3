"""The compiled driver of the lanes, kept on disk, so that running it needs no numba.

Numba compiles it once, see :mod:`haptos.numerics.engine._lane_entry`; every other process loads
the machine code. Its key holds a checksum of every source file that shaped it, so code
of another version is never run.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from haptos.errors import ParameterError
from haptos.numerics.engine._lane_data import ARRAYS, FIRST_SETTING, N_EVENT_NUMBERS, EventTables, Job, Rows, Settings
from haptos.numerics.engine.code_store import read_code, tidy, write_code
from haptos.numerics.engine.jit import code_key, default_cache, link_code
from haptos.numerics.engine.program import tape_roots
from haptos.numerics.events import STORM_LIMIT, EventSet
from haptos.numerics.expression import GraphBuilder
from haptos.numerics.system import OdeSystem
from haptos.numerics.tape import build_tape

__all__ = ["driver_folders", "driver_sources", "event_tables", "load_driver", "run_driver"]

Array = NDArray[np.float64]

_LIMIT: Final = 8 * 2**20
"""Most bytes of kept drivers beside the source: some forty versions."""

_RTOL: Final = FIRST_SETTING + Settings._fields.index("rtol")
_KINDS: Final = tuple((np.dtype(kind), dimensions) for _, kind, dimensions in ARRAYS)


def run_driver(settings: Settings, rows: Rows, work: Array, floor: Array, job: Job, events: EventTables) -> None:
    """Integrate members until none is left to take, see :func:`haptos.numerics.engine._lanes.run_lanes`."""
    lanes, n_events = work.shape[1], len(events.flags)
    own = (np.zeros((7, lanes), dtype=np.int64), np.zeros((lanes, n_events), dtype=np.bool_))
    arrays: list[Any] = [work, floor, *job, *events[N_EVENT_NUMBERS:], *own]
    numbers = [*settings, *rows, *events[:N_EVENT_NUMBERS]]
    table = np.array([0, 0, 0, 0, *numbers, *_places(arrays)], dtype=np.int64)
    table[0], table[1] = table.ctypes.data, len(table)
    table.view(np.float64)[_RTOL] = settings.rtol
    load_driver()(table.ctypes.data)


def _places(arrays: Sequence[NDArray[Any]]) -> list[int]:
    """Return the address and three lengths of every array."""
    found: list[int] = []
    for array, (kind, dimensions), (name, _, _) in zip(arrays, _KINDS, ARRAYS, strict=True):
        if array.dtype != kind or array.ndim != dimensions or not array.flags.c_contiguous:
            raise ParameterError(f"{name} must be {dimensions} contiguous dimensions of {kind}, not {array.dtype}")
        found += [array.ctypes.data, *array.shape, *(0,) * (3 - dimensions)]
    return found


@functools.cache
def load_driver() -> Callable[[int], None]:
    """Return the driver as a function of the address of a table; it runs without the interpreter's lock."""
    key = code_key(_description())
    for folder in driver_folders():
        kept = read_code(folder, key)
        if kept is not None:
            name, _, code = kept.partition(b"\0")
            machinery = link_code(code, [name.decode()])
            return _callable(machinery.addresses[name.decode()], machinery)
    return _compiled(key)


def _compiled(key: str) -> Callable[[int], None]:
    from haptos.numerics.engine._lane_entry import compile_driver

    fresh = compile_driver()
    if fresh.code is not None:
        for folder in driver_folders():
            content = fresh.name.encode() + b"\0" + fresh.code
            write_code(folder, key, content)
            if read_code(folder, key) is not None:
                if folder != default_cache():
                    _share(folder, key)
                break
    return _callable(fresh.address, fresh)


def _share(folder: Path, key: str) -> None:
    """Let other users of an installation read its driver, and remove those of old versions."""
    with suppress(OSError):
        (folder / f"{key}.o").chmod(0o644)
    tidy(folder, _LIMIT)


def _callable(address: int, owner: object) -> Callable[[int], None]:
    entry = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)(address)

    def run(table: int, _owner: object = owner) -> None:
        result, fault = ctypes.c_int64(), ctypes.c_int64()
        entry(ctypes.byref(result), ctypes.byref(fault), table)

    return run


def driver_folders() -> tuple[Path, ...]:
    """Return where the driver may be kept, best first.

    ``NUMBA_CACHE_DIR`` if it is set, else beside the bytecode of this package, where all
    users of an installation find it; then the user's folder for caches.
    """
    given = os.environ.get("NUMBA_CACHE_DIR")
    return (Path(given) if given else Path(__file__).parent / "__pycache__", default_cache())


def driver_sources() -> tuple[Path, ...]:
    """Return the source files that shape the driver."""
    here, above = Path(__file__).parent, Path(__file__).parent.parent
    parts = sorted(here.glob("_lane*.py"))
    return (*parts, here / "driver.py", above / "_kernels.py", above / "operations.py", above.parent / "errors.py")


def _description() -> str:
    """Return what decides the driver besides the processor."""
    digest = hashlib.sha256()
    for place in driver_sources():
        content = place.read_bytes()
        digest.update(f"{place.name} {len(content)}\n".encode() + content)
    return f"driver {digest.hexdigest()} numba {version('numba')}"


def event_tables(events: EventSet | None, system: OdeSystem) -> EventTables:
    """Return events as the driver reads them; the memory in them belongs to one thread."""
    if events is None:
        return _no_events()
    builder = GraphBuilder()
    roots = [*tape_roots(builder, events.triggers), *tape_roots(builder, events.values)]
    tape = build_tape(builder.freeze(), roots, system.n_states + system.n_parameters)
    lengths = np.diff(events.first)[np.asarray(events.at_trigger, dtype=bool)]
    rounds, count = STORM_LIMIT + 1, len(events.initial)
    return EventTables(
        limit=STORM_LIMIT,
        n_parameters=system.n_parameters,
        place=tape.first_variable,
        first=tape.first_prologue,
        flags=np.column_stack([events.initial, events.persistent, events.at_trigger]).astype(np.int64),
        owned=events.first.astype(np.int64),
        targets=events.targets.astype(np.int64),
        code=np.concatenate([tape.prologue, tape.body]),
        outputs=tape.outputs.astype(np.int64),
        memory=tape.workspace(),
        seen=np.zeros(count, dtype=np.bool_),
        queue=np.empty((rounds * count, 2), dtype=np.int64),  # each event at most once a round
        stored=np.empty(rounds * int(np.sum(lengths))),
    )


def _no_events() -> EventTables:
    nothing = np.zeros(0, dtype=np.int64)
    code, memory = np.zeros((0, 4), dtype=np.int32), np.zeros(1)
    flags, queue = np.zeros((0, 3), dtype=np.int64), np.zeros((0, 2), dtype=np.int64)
    seen, stored = np.zeros(0, dtype=np.bool_), np.zeros(0)
    return EventTables(0, 0, 0, 0, flags, nothing, nothing, code, nothing, memory, seen, queue, stored)
