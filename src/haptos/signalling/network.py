"""A reaction network compiled for simulation.

``compile_network`` turns a model into a :class:`Network`: tapes and names, picklable,
free of libSBML. All concentrations, amounts and times are in the units of the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haptos.errors import ParameterError
from haptos.numerics import Stepped
from haptos.signalling._conservation import ConservationLaw
from haptos.signalling._inputs import Segment
from haptos.signalling._methods import Citation, citations
from haptos.signalling._network.building import compile_network
from haptos.signalling._network.network import Network
from haptos.signalling._network.resting import Rest
from haptos.signalling._result import SimulationResult, SteadyResult
from haptos.signalling._sample_result import SampleResult
from haptos.signalling._stochastic import SampleSettings

if TYPE_CHECKING:
    from haptos.signalling._roadrunner import RoadRunnerNetwork

__all__ = [
    "Citation",
    "ConservationLaw",
    "Network",
    "Rest",
    "SampleResult",
    "SampleSettings",
    "Segment",
    "SimulationResult",
    "SteadyResult",
    "Stepped",
    "citations",
    "compile_network",
    "open_network",
]


def open_network(text: str, *, solver: str = "haptos") -> Network | RoadRunnerNetwork:
    """Open an SBML text with haptos, or with libRoadRunner if that is asked for.

    Parameters
    ----------
    text : str
        SBML.
    solver : str
        ``haptos``, or ``libroadrunner`` (the extra ``roadrunner``): it also takes models
        that haptos refuses, among them those with delayed events. It is never chosen
        for you, and results say so in ``method``.

    Raises
    ------
    MissingExtraError
        If libRoadRunner is asked for and not installed.
    ModelError
        If the model is not valid or not supported.
    ParameterError
        If there is no such solver.
    """
    if solver == "libroadrunner":
        from haptos.signalling._roadrunner import open_in_roadrunner

        return open_in_roadrunner(text)
    if solver != "haptos":
        raise ParameterError(f"solver must be 'haptos' or 'libroadrunner', not {solver!r}")
    return compile_network(text)
