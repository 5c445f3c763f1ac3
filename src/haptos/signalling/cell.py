"""Simulating the cells of one condition: the bridge from what is done to what is seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from haptos.conditions.interventions import SwapCells
from haptos.errors import ModelError, Status
from haptos.numerics import philox_stream
from haptos.signalling.actions import Change, Refusal, changes_of, surroundings_of
from haptos.signalling.agents import coatings
from haptos.signalling.cells import CellLine, cell_line, cell_lines
from haptos.signalling.condition import Condition, Outcome
from haptos.signalling.ensemble import ensemble_size, member_vector
from haptos.signalling.model import Model, fingerprint, model
from haptos.signalling.network import Segment

__all__ = ["ensemble_size", "expressibility", "fingerprint", "simulate"]

#: Time given to a cell population to settle before the first event [min].
SETTLING = 60.0 * 24.0 * 20.0
#: Relative tolerance of the integration: errors of a few 1e-6, far below what any assay resolves. At
#: 1e-6 LSODA needs five times the work, all of it near rest.
RTOL = 1e-5
#: Coefficient of variation of protein amounts between biological repeats (assumed).
VARIATION = 0.1


def expressibility(condition: Condition) -> list[str]:
    """Return the reasons why a condition cannot be simulated yet; none means that it can."""
    reasons = []
    names = [condition.cells, *(i.swap_cells for i in condition.interventions if isinstance(i, SwapCells))]
    reasons += [f"no cell line file for {name}" for name in names if name not in cell_lines()]
    if condition.culture.geometry == "3D":
        reasons.append("cells in a gel need the tissue room, which is not built yet")
    if condition.culture.coating not in coatings():
        reasons.append(f"the coating {condition.culture.coating!r} is not in the library yet")
    offered = model().offered
    for intervention in condition.interventions:
        if isinstance(intervention, SwapCells):
            continue
        found = changes_of(intervention, offered)
        if isinstance(found, Refusal):
            reasons.append(found.reason)
    missing = [q for q in condition.quantities if q not in model().quantities]
    reasons += [f"the modules at hand have no {_spoken(q)}" for q in missing]
    return list(dict.fromkeys(reasons))


def _spoken(quantity: str) -> str:
    measure, _, entity = quantity.partition("__")
    return f"{measure} of {entity}"


def simulate(
    condition: Condition,
    *,
    member: int | None,
    seed: int,
    replicate: int | None,
    parameters: dict[str, float] | None = None,
) -> Outcome:
    """Simulate one condition with one parameter vector and one biological repeat.

    A pure function of its arguments and of the library.

    Parameters
    ----------
    condition : Condition
        What is done and what is read.
    member : int or None
        Member of the ensemble; None is the reference vector.
    seed : int
        Root seed of the run.
    replicate : int or None
        Biological repeat (protein amounts vary between repeats, alike in all arms of one
        repeat); None is without variation.
    parameters : dict of str to float, optional
        Values that replace those of the vector (for calibration and sensitivity).

    Returns
    -------
    Outcome
        Quantities at the sampling times, NaN with a status where the integration failed.

    Raises
    ------
    ModelError
        If the condition cannot be expressed; all reasons at once.
    """
    reasons = expressibility(condition)
    if reasons:
        raise ModelError("this condition cannot be simulated:\n  " + "\n  ".join(reasons))
    compiled = model()
    cell = _cell_of(condition)
    values = {**compiled.vector(member_vector(member)), **(parameters or {})}
    elsewhere = {k: v for k, v in values.items() if k not in compiled.offered}
    values = {k: v for k, v in values.items() if k in compiled.offered}
    values |= surroundings_of(condition.culture)
    values |= _volumes(cell, condition)
    values |= {k: v for k, v in cell.settings().items() if k in compiled.offered}
    if replicate is not None:
        values = _vary(values, compiled, seed, replicate)
    schedule = _schedule(condition, compiled)
    segments = _segments(schedule, values, condition, compiled)
    outputs = tuple(dict.fromkeys(condition.quantities))
    result = compiled.network.simulate(
        np.array(condition.times), parameters=segments[0].parameters, segments=segments, outputs=outputs, rtol=RTOL
    )
    quantities = {name: result.values[0, :, i] for i, name in enumerate(outputs)}
    geometry = {**cell.geometry, "medium_volume": 1.0 / condition.culture.density.value}
    return Outcome(quantities, geometry, Status(int(result.status[0])), elsewhere)


def _cell_of(condition: Condition) -> CellLine:
    swaps = [i.swap_cells for i in condition.interventions if isinstance(i, SwapCells)]
    return cell_line(swaps[-1] if swaps else condition.cells)


def _volumes(cell: CellLine, condition: Condition) -> dict[str, float]:
    return {
        "cytoplasm": cell.volumes.cytoplasm.value,
        "nucleus": cell.volumes.nucleus.value,
        "medium": 1.0 / condition.culture.density.value,
    }


def _vary(values: dict[str, float], compiled: Model, seed: int, replicate: int) -> dict[str, float]:
    """Multiply every amount by a log-normal factor of its own (mean 1)."""
    sigma = float(np.sqrt(np.log1p(VARIATION**2)))
    defaults = dict(zip(compiled.network.parameters, compiled.network.defaults, strict=True))
    varied = dict(values)
    for name in sorted(n for n in compiled.offered if n.startswith("expression__")):
        draw = philox_stream(seed, "biological", replicate, name).normal(-0.5 * sigma**2, sigma)
        varied[name] = values.get(name, float(defaults[name])) * float(np.exp(draw))
    return varied


def _schedule(condition: Condition, compiled: Model) -> list[Change]:
    changes: list[Change] = []
    for intervention in condition.interventions:
        if isinstance(intervention, SwapCells):
            continue
        found = changes_of(intervention, compiled.offered)
        if not isinstance(found, Refusal):
            changes += found
    return changes


@dataclass(frozen=True, slots=True)
class _Moment:
    """Parameters and doses in force from one time on."""

    parameters: dict[str, float]
    doses: dict[str, float]


def _segments(
    schedule: Sequence[Change], values: dict[str, float], condition: Condition, compiled: Model
) -> list[Segment]:
    end = condition.times[-1]
    marks = {0.0, *(t for c in schedule for t in (c.start, c.stop) if np.isfinite(t) and t < end)}
    borders = sorted(marks)
    start = borders[0] - SETTLING
    defaults = dict(zip(compiled.network.parameters, compiled.network.defaults, strict=True))
    segments = [Segment(start, borders[0], parameters=_at(schedule, values, defaults, start).parameters)]
    before = _at(schedule, values, defaults, start).doses
    for begin, finish in zip(borders, [*borders[1:], max(end, borders[-1])], strict=True):
        moment = _at(schedule, values, defaults, begin)
        segments.append(
            Segment(
                begin,
                finish,
                parameters=moment.parameters,
                set=_resets(before, moment.doses, begin == 0.0 and condition.fresh_medium, compiled),
            )
        )
        before = moment.doses
    return segments


def _at(schedule: Sequence[Change], values: dict[str, float], defaults: dict[str, float], time: float) -> _Moment:
    """Return what is in force from `time` on."""
    parameters = dict(values)
    doses: dict[str, float] = {}
    for change in schedule:
        if not change.start <= time < change.stop:
            continue
        if change.how == "dose":
            doses[change.name] = doses.get(change.name, 0.0) + change.value
        elif change.how == "set":
            parameters[change.name] = change.value
        else:
            parameters[change.name] = parameters.get(change.name, float(defaults[change.name])) * change.value
    return _Moment(parameters, doses)


def _resets(before: dict[str, float], now: dict[str, float], fresh: bool, compiled: Model) -> dict[str, float]:
    """Return the species of the medium to set: new doses, wash-outs, and all if it is replaced."""
    if fresh:
        return {name: now.get(name, 0.0) for name in compiled.medium}
    changed = {name: dose for name, dose in now.items() if before.get(name) != dose}
    washed = {name: 0.0 for name in before if name not in now}
    return {**changed, **washed}
