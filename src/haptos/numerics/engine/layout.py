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
    time, step, earliest, latest, stage_time : int
        Time, step size, the bounds time is clamped to, and the time of a stage.
    shift, inverse_step, error, accepted, rtol : int
        1/(gamma h), 1/h, the error of the step in units of the tolerance, 1 where the
        step is accepted, the relative tolerance.
    parameters, hoisted : int
        Parameters and what depends on them alone.
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
    earliest: int
    latest: int
    stage_time: int
    shift: int
    inverse_step: int
    error: int
    accepted: int
    rtol: int
    parameters: int
    hoisted: int
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
