"""Arrays in, arrays out: expressions, tapes, integration and random streams.

Knows no biology and imports nothing of haptos but :mod:`haptos.errors`. SciPy and numba
are imported when something is first integrated.
"""

from __future__ import annotations

from haptos.numerics.derivative import TIME_AXIS, gradients
from haptos.numerics.engine import EngineSolver, Stepped, Stepper, forward_sensitivities
from haptos.numerics.evaluator import evaluate_tape
from haptos.numerics.events import Event, EventSet, build_events
from haptos.numerics.expression import Graph, GraphBuilder, Node
from haptos.numerics.formula import formula
from haptos.numerics.ode import OdeSegment, OdeSolution, OdeSolver, OdeTask
from haptos.numerics.operations import Op
from haptos.numerics.scipy_solver import ScipySolver
from haptos.numerics.steady import SteadyState, SteadyTask, find_steady_state
from haptos.numerics.streams import philox_stream, stream_key
from haptos.numerics.system import OdeSystem, build_system
from haptos.numerics.tape import Tape, build_tape

__all__ = [
    "TIME_AXIS",
    "EngineSolver",
    "Event",
    "EventSet",
    "Graph",
    "GraphBuilder",
    "Node",
    "OdeSegment",
    "OdeSolution",
    "OdeSolver",
    "OdeSystem",
    "OdeTask",
    "Op",
    "ScipySolver",
    "SteadyState",
    "SteadyTask",
    "Stepped",
    "Stepper",
    "Tape",
    "build_events",
    "build_system",
    "build_tape",
    "evaluate_tape",
    "find_steady_state",
    "formula",
    "forward_sensitivities",
    "gradients",
    "philox_stream",
    "stream_key",
]
