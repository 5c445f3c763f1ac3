"""Where everything stands in the working memory of a group of lanes.

The memory is an array of shape (n_rows, W): one row per quantity, one column per lane.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from haptos.numerics.engine.program import Program
from haptos.numerics.engine.tableau import Tableau

__all__ = ["Layout", "make_layout"]


@dataclass(frozen=True, slots=True)
class Layout:
    """First row of every quantity.

    Attributes
    ----------
    time, step, after, stop : int
        Start, size and end of the step, end of the stretch.
    earliest, latest, stage_time : int
        The bounds time is clamped to, and the time of a stage.
    shift, error, rtol : int
        1/(gamma h), the error of the step in units of the tolerance, the relative
        tolerance.
    proposed, memory : int
        The next step and what its choice remembers, see :mod:`haptos.numerics.engine.control`.
    accepted, lost, rejected : int
        1 where the step is taken, where none can follow, where the last was refused.
    attempts, limit : int
        Attempts of the member so far, and its most.
    next_output : int
        Next output time, infinite if there is none.
    active, choosing, watched : int
        1 in lanes with a member, in lanes that need a first step, and where the driver
        wants to see every accepted step.
    follows, scripted : int
        1 where steps are prescribed, and the end of that step.
    parameters, hoisted, shared : int
        Parameters, what depends on them alone, and what the derivatives of the state
        share with their own derivatives.
    state, stage : int
        State at the start of the step; state of a stage, at last the result.
    rates, carried, time_slope : int
        f of a stage; what is added to it before solving; df/dt.
    atol, largest, lowest : int
        Absolute tolerance; largest magnitude and lowest value of each state so far.
    matrix : int
        Entries of the factorisation.
    increments : int
        The u of all stages.
    dense : int
        Coefficients of the dense output.
    share, wanted, between : int
        Shares of the step at which the dense output is evaluated, 1 in the lanes where
        it is wanted, and the states there.
    spilled : int
        Values that one part of a large kernel leaves to the next.
    """

    time: int
    step: int
    after: int
    stop: int
    earliest: int
    latest: int
    stage_time: int
    shift: int
    error: int
    rtol: int
    proposed: int
    memory: int
    accepted: int
    lost: int
    rejected: int
    attempts: int
    limit: int
    next_output: int
    active: int
    choosing: int
    watched: int
    follows: int
    scripted: int
    parameters: int
    hoisted: int
    shared: int
    state: int
    stage: int
    rates: int
    carried: int
    time_slope: int
    atol: int
    largest: int
    lowest: int
    matrix: int
    increments: int
    dense: int
    share: int
    wanted: int
    between: int
    spilled: int


def make_layout(program: Program, method: Tableau) -> Layout:
    """Give every quantity its rows, one after the other."""
    n = program.n_states
    lengths = {
        "parameters": program.n_parameters,
        "hoisted": len(program.hoisted.roots),
        "shared": len(program.shared_slots),
        **dict.fromkeys(
            ("state", "stage", "rates", "carried", "time_slope", "atol", "largest", "lowest", "between"), n
        ),
        "matrix": program.elimination.n_slots,
        "increments": method.stages * n,
        "dense": len(method.dense) * n,
    }
    rows: dict[str, int] = {}
    place = 0
    for field in fields(Layout):
        rows[field.name] = place
        place += lengths.get(field.name, 1)
    return Layout(**rows)
