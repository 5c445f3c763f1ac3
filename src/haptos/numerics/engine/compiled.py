"""A system of equations with its kernels in memory."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haptos.numerics.engine._lane_data import EventTables, Rows, Settings
from haptos.numerics.engine.emit import ENTRIES, Kernels, write_kernels
from haptos.numerics.engine.emit_linear import UNROLLED
from haptos.numerics.engine.jit import Machinery, Recipe, compile_recipe, load_recipe
from haptos.numerics.engine.layout import Layout, make_layout
from haptos.numerics.engine.program import Program, build_program, tape_roots
from haptos.numerics.engine.tableau import Tableau, tableau
from haptos.numerics.events import STORM_LIMIT, EventSet
from haptos.numerics.expression import GraphBuilder
from haptos.numerics.system import OdeSystem
from haptos.numerics.tape import build_tape

__all__ = ["CompiledSystem", "compile_system", "event_tables", "kernels_for"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class CompiledSystem:
    """Kernels of one system, for one method and one number of lanes.

    Attributes
    ----------
    program : Program
        What the kernels compute.
    layout : Layout
        Their working memory.
    method : Tableau
        The method.
    width : int
        Lanes.
    n_rows : int
        Rows of the working memory.
    settings : Settings
        Addresses of the kernels and numbers, with a step limit and tolerance of 0.
    rows : Rows
        Where the driver finds things.
    """

    program: Program
    layout: Layout
    method: Tableau
    width: int
    n_rows: int
    settings: Settings
    rows: Rows
    _machinery: Machinery

    def memory(self, rtol: float) -> Array:
        """Return working memory, shape (n_rows, W), aligned to a vector."""
        size = self.n_rows * self.width
        raw = np.zeros(size + 8)
        first = -(raw.ctypes.data // 8) % 8
        work = raw[first : first + size].reshape(self.n_rows, self.width)
        work[self.layout.rtol] = rtol
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
    prepared = _prepared(system, method, width)
    if prepared.n_operations < LARGE or prepared.count(members) > _FEW:
        return compile_system(system, method, width, cache)
    return _kept(system, method, width, cache) or compile_system(system, method, width, cache, quick=True)


@functools.lru_cache(maxsize=64)
def compile_system(
    system: OdeSystem, method: str, width: int, cache: Path | None, quick: bool = False
) -> CompiledSystem:
    """Compile a system, or return what was compiled for this very object before.

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
    prepared = _prepared(system, method, width)
    kernels = prepared.write(quick)
    return prepared.finish(kernels, compile_recipe(Recipe(kernels.text, quick), ENTRIES, cache))


@functools.lru_cache(maxsize=64)
def _kept(system: OdeSystem, method: str, width: int, cache: Path | None) -> CompiledSystem | None:
    """Return what was compiled with full effort before, in this process or another."""
    prepared = _prepared(system, method, width)
    kernels = prepared.write(quick=False)
    machinery = load_recipe(Recipe(kernels.text), ENTRIES, cache)
    return None if machinery is None else prepared.finish(kernels, machinery)


@functools.lru_cache(maxsize=64)
def _prepared(system: OdeSystem, method: str, width: int) -> _Prepared:
    chosen = tableau(method)
    program = build_program(system)
    return _Prepared(program, make_layout(program, chosen), chosen, width)


@dataclass(slots=True, eq=False)
class _Prepared:
    """A system before its kernels are compiled, and how often it was used."""

    program: Program
    layout: Layout
    method: Tableau
    width: int
    members: int = 0

    @property
    def n_operations(self) -> int:
        """About the length of the kernels."""
        program = self.program
        return len(program.rhs.order) + len(program.jacobian.order) + program.elimination.n_products

    def count(self, members: int) -> int:
        """Note that members are integrated; returns how many there were."""
        self.members += members
        return self.members

    def write(self, quick: bool) -> Kernels:
        """Write the kernels."""
        unrolled = 0 if quick else UNROLLED
        return write_kernels(self.program, self.layout, self.method, self.width, unrolled)

    def finish(self, kernels: Kernels, machinery: Machinery) -> CompiledSystem:
        """Put together what the driver needs."""
        settings = Settings(
            **{name: machinery.addresses[name] for name in ENTRIES},
            memory=0,
            counter=0,
            n_dense=len(self.method.dense),
            max_steps=0,
            rtol=0.0,
            mode=0,
        )
        rows = Rows(self.program.n_states, *(getattr(self.layout, name) for name in Rows._fields[1:]))
        return CompiledSystem(
            self.program, self.layout, self.method, self.width, kernels.n_rows, settings, rows, machinery
        )


def event_tables(events: EventSet | None, system: OdeSystem) -> EventTables:
    """Return events as the driver reads them; the memory in them belongs to one thread."""
    if events is None:
        nothing = np.zeros(0, dtype=np.int64)
        code, memory = np.zeros((0, 4), dtype=np.int32), np.zeros(1)
        flags = np.zeros((0, 3), dtype=np.int64)
        return EventTables(0, 0, 0, 0, flags, nothing, nothing.copy(), code, nothing.copy(), memory)
    builder = GraphBuilder()
    roots = [*tape_roots(builder, events.triggers), *tape_roots(builder, events.values)]
    tape = build_tape(builder.freeze(), roots, system.n_states + system.n_parameters)
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
    )
