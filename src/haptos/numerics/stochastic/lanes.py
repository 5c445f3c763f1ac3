"""Run the members of a batch in lanes: compile the kernel of a system, keep it, drive it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from haptos.numerics.engine.jit import Machinery, compile_kernels, default_cache, native_width
from haptos.numerics.stochastic.lane_jumps import write_jumps
from haptos.numerics.stochastic.lane_layout import LaneLayout, lane_layout
from haptos.numerics.stochastic.system import StochasticSystem

if TYPE_CHECKING:
    from haptos.numerics.stochastic._lane_driver import LanePlaces

__all__ = ["LaneKernel", "lane_kernel"]


@dataclass(frozen=True, slots=True, eq=False)
class LaneKernel:
    """The compiled jumps of one system.

    Attributes
    ----------
    layout : LaneLayout
        Its working memory.
    width : int
        Lanes.
    machinery : Machinery
        The machine code, alive as long as this object.
    """

    layout: LaneLayout
    width: int
    machinery: Machinery

    @property
    def address(self) -> int:
        """Where the kernel starts."""
        return self.machinery.addresses["jumps"]

    def memory(self) -> NDArray[np.float64]:
        """Return working memory, shape (n_rows, W), aligned to a vector."""
        size = self.layout.n_rows * self.width
        block = np.zeros(size + self.width)
        start = (-block.ctypes.data // 8) % self.width
        return block[start : start + size].reshape(self.layout.n_rows, self.width)

    def places(self) -> LanePlaces:
        """Return the rows as the driver reads them."""
        from haptos.numerics.stochastic._lane_driver import LanePlaces

        at = self.layout
        rows = {name: getattr(at, name) for name in LanePlaces._fields if name not in ("lanes", "fixed_places")}
        return LanePlaces(lanes=self.width, fixed_places=np.array(at.fixed_places, dtype=np.int64), **rows)


@lru_cache(maxsize=16)
def lane_kernel(system: StochasticSystem, width: int = 0) -> LaneKernel:
    """Compile the jumps of a system, or find what was compiled before.

    Parameters
    ----------
    system : StochasticSystem
        The process; one that :func:`~haptos.numerics.stochastic.lane_layout.runs_in_lanes`.
    width : int
        Lanes, a power of two; 0 for what suits the processor. The bits do not depend on it.
    """
    lanes = width or native_width()
    layout = lane_layout(system)
    text = write_jumps(system, layout, lanes)
    return LaneKernel(layout, lanes, compile_kernels(text, ["jumps"], default_cache()))
