"""The batched engine: many members of one system at once, in the lanes of vectors.

Imports numba and llvmlite when something is first integrated.
"""

from __future__ import annotations

from haptos.numerics.engine.solver import EngineSolver

__all__ = ["EngineSolver"]
