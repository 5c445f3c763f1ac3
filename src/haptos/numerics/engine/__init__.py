"""The batched engine: many members of one system at once, in the lanes of vectors.

Imports llvmlite when something is first integrated, and numba only to compile the driver once.
"""

from __future__ import annotations

from haptos.numerics.engine.sensitivity import Sensitivities, forward_sensitivities
from haptos.numerics.engine.solver import EngineSolver
from haptos.numerics.engine.stepping import Stepped, Stepper

__all__ = ["EngineSolver", "Sensitivities", "Stepped", "Stepper", "forward_sensitivities"]
