"""A system of equations with its kernels in memory, and on disk for the next process.

Kept kernels are found by the equations, so that they need not be written again: the key
holds the equations, the method, the lanes, the effort, the processor and a checksum of
all code that turns equations into kernels. A kept kernel is its machine code and the few
numbers that the driver needs to know about its memory.
"""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from haptos.numerics.engine._lane_data import Rows, Settings
from haptos.numerics.engine.code_store import read_code, write_code
from haptos.numerics.engine.emit import ENTRIES, Kernels, write_kernels
from haptos.numerics.engine.emit_linear import UNROLLED
from haptos.numerics.engine.jit import Machinery, Recipe, code_key, link_code, object_code
from haptos.numerics.engine.layout import Layout, make_layout
from haptos.numerics.engine.program import Program, build_program
from haptos.numerics.engine.tableau import tableau
from haptos.numerics.system import OdeSystem

__all__ = [
    "LARGE",
    "CompiledSystem",
    "Memory",
    "compile_system",
    "kernel_key",
    "kernels_for",
    "load_kernels",
    "n_operations",
    "prepare",
    "save_kernels",
]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Memory:
    """What the driver must know about the working memory of kernels.

    Attributes
    ----------
    n_rows : int
        Its rows.
    rtol : int
        The row of the relative tolerance.
    rows : tuple of int
        Values of :class:`haptos.numerics.engine._lane_data.Rows`.
    """

    n_rows: int
    rtol: int
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class CompiledSystem:
    """Kernels of one system, for one method and one number of lanes.

    Attributes
    ----------
    width : int
        Lanes.
    settings : Settings
        Addresses of the kernels and numbers, with a step limit and tolerance of 0.
    rows : Rows
        Where the driver finds things.
    """

    width: int
    settings: Settings
    rows: Rows
    _memory: Memory
    _machinery: Machinery

    def memory(self, rtol: float) -> Array:
        """Return working memory, shape (n_rows, W), aligned to a vector."""
        size = self._memory.n_rows * self.width
        raw = np.zeros(size + 8)
        first = -(raw.ctypes.data // 8) % 8
        work = raw[first : first + size].reshape(self._memory.n_rows, self.width)
        work[self._memory.rtol] = rtol
        return work


LARGE: Final = 3000
"""Operations from which compiling with full effort takes longer than a few simulations."""

_FEW: Final = 64
"""Members of a large system that are integrated before full effort is made."""


def kernels_for(system: OdeSystem, method: str, width: int, cache: Path | None, members: int) -> CompiledSystem:
    """Return the kernels that suit a task of some members.

    The first members of a large system get kernels that were compiled quickly, unless
    better ones are kept; both give the same bits. Parameters as :func:`compile_system`.
    """
    best = _kept(system, method, width, cache, quick=False)
    if best is not None:
        return best
    uses = _uses(system, method, width)
    uses.members += members
    if uses.members > _FEW:
        return compile_system(system, method, width, cache)
    quick = _kept(system, method, width, cache, quick=True)
    if quick is not None:
        return quick
    large = n_operations(prepare(system, method)[0]) >= LARGE
    return compile_system(system, method, width, cache, quick=large)


@functools.lru_cache(maxsize=64)
def compile_system(
    system: OdeSystem, method: str, width: int, cache: Path | None, quick: bool = False
) -> CompiledSystem:
    """Compile a system, or return what was compiled before.

    Parameters
    ----------
    system : OdeSystem
        The equations; at least one state.
    method : str
        Rodas4 or Rodas5P.
    width : int
        Lanes: 1, 2, 4 or 8.
    cache : Path or None
        Folder of kept machine code.
    quick : bool
        Whether to compile with little effort.
    """
    kept = _kept(system, method, width, cache, quick)
    if kept is not None:
        return kept
    program, layout = prepare(system, method)
    kernels = write_kernels(program, layout, tableau(method), width, 0 if quick else UNROLLED)
    code = object_code(Recipe(kernels.text, quick))
    memory = _memory_of(program, layout, kernels)
    save_kernels(cache, kernel_key(system, method, width, quick), memory, code)
    return _finished(method, width, memory, code)


@functools.lru_cache(maxsize=64)
def _kept(system: OdeSystem, method: str, width: int, cache: Path | None, quick: bool) -> CompiledSystem | None:
    """Return what an earlier process compiled."""
    found = None if cache is None else load_kernels(cache, kernel_key(system, method, width, quick))
    return None if found is None else _finished(method, width, *found)


@functools.lru_cache(maxsize=64)
def prepare(system: OdeSystem, method: str) -> tuple[Program, Layout]:
    """Return what the kernels of a system compute, and their working memory."""
    program = build_program(system)
    return program, make_layout(program, tableau(method))


def n_operations(program: Program) -> int:
    """Return about the length of the kernels."""
    return len(program.rhs.order) + len(program.jacobian.order) + program.elimination.n_products


@dataclass(slots=True, eq=False)
class _Uses:
    """How many members of a system were integrated in this process."""

    members: int = 0


@functools.lru_cache(maxsize=64)
def _uses(system: OdeSystem, method: str, width: int) -> _Uses:  # noqa: ARG001
    return _Uses()


def _memory_of(program: Program, layout: Layout, kernels: Kernels) -> Memory:
    rows = tuple(int(getattr(layout, name)) for name in Rows._fields[1:])
    return Memory(kernels.n_rows, layout.rtol, (program.n_states, *rows))


def _finished(method: str, width: int, memory: Memory, code: bytes) -> CompiledSystem:
    """Load machine code and put together what the driver needs."""
    machinery = link_code(code, ENTRIES)
    settings = Settings(
        **{name: machinery.addresses[name] for name in ENTRIES},
        memory=0,
        counter=0,
        n_dense=len(tableau(method).dense),
        max_steps=0,
        rtol=0.0,
        mode=0,
    )
    return CompiledSystem(width, settings, Rows(*memory.rows), memory, machinery)


def kernel_key(system: OdeSystem, method: str, width: int, quick: bool) -> str:
    """Return the key of the kernels of a system on this processor."""
    return code_key(f"kernels {_equations(system)} {method} {width} {quick} {_code()}")


def load_kernels(cache: Path | None, key: str) -> tuple[Memory, bytes] | None:
    """Return what the driver needs and the machine code; None if there is nothing whole."""
    content = read_code(cache, key)
    if content is None:
        return None
    head, _, code = content.partition(b"\n")
    found = json.loads(head)
    return Memory(found["n_rows"], found["rtol"], tuple(found["rows"])), code


def save_kernels(cache: Path | None, key: str, memory: Memory, code: bytes) -> None:
    """Keep kernels; nothing is kept if the folder cannot be written."""
    write_code(cache, key, json.dumps(asdict(memory)).encode("ascii") + b"\n" + code)


def _equations(system: OdeSystem) -> str:
    """Return a checksum of all that decides the kernels of a system."""
    digest = hashlib.sha256(f"{system.n_states} {system.n_parameters}".encode())
    arrays: list[NDArray[Any]] = [system.rows, system.columns, system.floor]
    for tape in (system.rhs, system.jacobian):
        digest.update(f" {tape.n_variables} {tape.uses_time}".encode())
        arrays += [tape.constants, tape.prologue, tape.body, tape.outputs]
    for array in arrays:
        digest.update(f" {array.dtype.str} {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()


@functools.cache
def _code() -> str:
    """Return a checksum of the code of this room."""
    digest = hashlib.sha256()
    room = Path(__file__).parent.parent
    for place in sorted([*room.glob("*.py"), *room.glob("engine/*.py")]):
        content = place.read_bytes()
        digest.update(f"{place.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()
