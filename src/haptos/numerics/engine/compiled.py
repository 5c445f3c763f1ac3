"""A system of equations with its kernels in memory."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from haptos.numerics.engine._lane_data import EventTables, Rows, Settings
from haptos.numerics.engine.emit import ENTRIES, write_kernels
from haptos.numerics.engine.jit import Machinery, compile_kernels
from haptos.numerics.engine.layout import Layout, make_layout
from haptos.numerics.engine.program import Program, build_program, tape_roots
from haptos.numerics.engine.tableau import Tableau, tableau
from haptos.numerics.events import STORM_LIMIT, EventSet
from haptos.numerics.expression import GraphBuilder
from haptos.numerics.system import OdeSystem
from haptos.numerics.tape import build_tape

__all__ = ["CompiledSystem", "compile_system", "event_tables"]

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
    entries : ndarray, shape (nnz, 3)
        Row, column and slot of every entry of the Jacobian.
    rows : Rows
        Where the driver finds things.
    """

    program: Program
    layout: Layout
    method: Tableau
    width: int
    n_rows: int
    settings: Settings
    entries: NDArray[np.int64]
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


@functools.lru_cache(maxsize=64)
def compile_system(system: OdeSystem, method: str, width: int, cache: Path | None) -> CompiledSystem:
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
    """
    chosen = tableau(method)
    program = build_program(system)
    layout = make_layout(program, chosen)
    kernels = write_kernels(program, layout, chosen, width)
    machinery = compile_kernels(kernels.text, ENTRIES, cache)
    settings = Settings(
        **{name: machinery.addresses[name] for name in ENTRIES},
        order=chosen.order,
        n_dense=len(chosen.dense),
        timed=int(program.timed),
        max_steps=0,
        rtol=0.0,
        mode=0,
    )
    entries = np.column_stack([system.rows, system.columns, program.entry_slots]).astype(np.int64)
    rows = Rows(program.n_states, *(getattr(layout, name) for name in Rows._fields[1:]))
    return CompiledSystem(program, layout, chosen, width, kernels.n_rows, settings, entries, rows, machinery)


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
