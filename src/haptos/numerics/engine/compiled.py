"""A system of equations with its kernels in memory."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from haptos.numerics.engine._lane_data import EventTables, Kernel, Rows
from haptos.numerics.engine.emit import ENTRIES, write_kernels
from haptos.numerics.engine.jit import Machinery, compile_kernels
from haptos.numerics.engine.layout import Layout, make_layout
from haptos.numerics.engine.program import Program, build_program
from haptos.numerics.engine.tableau import Tableau, tableau
from haptos.numerics.events import STORM_LIMIT, EventSet
from haptos.numerics.system import OdeSystem
from haptos.numerics.tape import Tape

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    kernel : Kernel
        What the driver needs.
    rows : Rows
        Where the driver finds things.
    """

    program: Program
    layout: Layout
    method: Tableau
    width: int
    n_rows: int
    kernel: Kernel
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
    kernel = Kernel(
        *(machinery.addresses[name] for name in ENTRIES),
        order=chosen.order,
        n_dense=len(chosen.dense),
        timed=program.timed,
        entry_row=system.rows.astype(np.int64),
        entry_column=system.columns.astype(np.int64),
        entry_slot=np.array(program.entry_slots, dtype=np.int64),
        floor=np.array(system.floor),
    )
    rows = Rows(program.n_states, *(getattr(layout, name) for name in Rows._fields[1:]))
    return CompiledSystem(program, layout, chosen, width, kernels.n_rows, kernel, rows, machinery)


def event_tables(events: EventSet | None, system: OdeSystem) -> EventTables:
    """Return events as the driver reads them; the memory in them belongs to one thread."""
    if events is None:
        nothing = np.zeros(0, dtype=bool)
        empty = np.zeros((0, 4), dtype=np.int32)
        tape: tuple[Any, ...] = (empty, 0, empty.copy(), 0, np.zeros(1), 0, np.zeros(0, dtype=np.int64))
        none = np.zeros(0, dtype=np.int64)
        return EventTables(0, nothing, nothing.copy(), nothing.copy(), none, none.copy(), tape, tape, np.zeros(0), 0, 0)
    flags: Sequence[NDArray[np.bool_]] = (events.initial, events.persistent, events.at_trigger)
    return EventTables(
        events.n_events,
        *(np.array(flag) for flag in flags),
        events.first.astype(np.int64),
        events.targets.astype(np.int64),
        _tape(events.triggers),
        _tape(events.values),
        np.zeros(system.n_states),
        system.n_parameters,
        STORM_LIMIT,
    )


def _tape(tape: Tape) -> tuple[Any, ...]:
    return (
        np.array(tape.prologue),
        tape.first_prologue,
        np.array(tape.body),
        tape.first_body,
        tape.workspace(),
        tape.first_variable,
        tape.outputs.astype(np.int64),
    )
