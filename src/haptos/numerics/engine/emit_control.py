"""Write what surrounds a step: its choice, the judgement, and the loop over many steps."""

from __future__ import annotations

from collections.abc import Sequence

from haptos.numerics.engine.control import Attempt, end_of_step, judge, start_step
from haptos.numerics.engine.emit_step import StepWriter, call_each
from haptos.numerics.engine.vectors import Function, Value, entry_of, table

__all__ = ["emit_advance", "emit_start"]


def _flag(f: Function, row: int) -> Value:
    """Return the mask kept in a row as 0 or 1."""
    return f.compare("ne", f.load(row), f.number(0.0))


def _keep(f: Function, mask: Value, yes: Value, row: int) -> None:
    """Set a row in the lanes of a mask."""
    f.store(f.select(mask, yes, f.load(row)), row)


def emit_advance(writer: StepWriter) -> None:
    """Write ``advance``: steps until a lane needs the driver.

    That is where an accepted step passes an output time, ends a stretch, or is watched;
    where no step can follow; and where a member has made its last attempt. The last
    step is left to be accepted by the driver.
    """
    layout, f = writer.layout, Function(writer.module)
    f.line("br label %again")
    f.line("again:")
    active = _flag(f, layout.active)
    _set_step(f, writer, active)
    call_each(f, ["attempt"])
    needed = _judge(f, writer, active)
    f.line(f"br i1 {f.any(needed)}, label %out, label %more")
    f.line("more:")
    call_each(f, ["accept"])
    f.line("br label %again")
    f.line("out:")
    writer.finish(f, "advance")


def _set_step(f: Function, writer: StepWriter, active: Value) -> None:
    """Set the end and size of the next step; lanes without a member get a size of 1."""
    layout = writer.layout
    now = f.load(layout.time)
    after = end_of_step(f, now, f.load(layout.proposed), f.load(layout.stop))
    after = f.select(_flag(f, layout.follows), f.load(layout.scripted), after)
    after = f.select(active, after, f.arithmetic("add", now, f.number(1.0)))
    f.store(after, layout.after)
    f.store(f.arithmetic("sub", after, now), layout.step)


def _judge(f: Function, writer: StepWriter, active: Value) -> Value:
    """Judge the attempt in all lanes; returns where the driver is needed."""
    layout, zero, one = writer.layout, f.number(0.0), f.number(1.0)
    tried = Attempt(
        time=f.load(layout.time),
        step=f.load(layout.step),
        error=f.load(layout.error),
        proposed=f.load(layout.proposed),
        memory=f.load(layout.memory),
        rejected=_flag(f, layout.rejected),
        forced=_flag(f, layout.follows),
    )
    verdict = judge(f, tried, writer.method.order)
    accepted = f.logic("and", verdict.accepted, active)
    lost = f.logic("and", verdict.lost, active)
    attempts = f.arithmetic("add", f.load(layout.attempts), f.select(active, one, zero))
    f.store(attempts, layout.attempts)
    f.store(f.select(accepted, one, zero), layout.accepted)
    f.store(f.select(lost, one, zero), layout.lost)
    _keep(f, active, verdict.proposed, layout.proposed)
    _keep(f, active, verdict.memory, layout.memory)
    _keep(f, active, f.select(accepted, zero, one), layout.rejected)
    after = f.load(layout.after)
    ends = f.logic("or", f.compare("le", f.load(layout.stop), after), _flag(f, layout.watched))
    ends = f.logic("or", ends, f.compare("lt", f.load(layout.next_output), after))
    full = f.logic("and", f.compare("le", f.load(layout.limit), attempts), active)
    return f.logic("or", f.logic("and", ends, accepted), f.logic("or", lost, full))


def emit_start(
    writer: StepWriter, rates: Sequence[str], slopes: Sequence[str], entries: Sequence[Sequence[int]]
) -> None:
    """Write ``start``: choose the first step of lanes from f and J f + df/dt.

    Parameters
    ----------
    writer : StepWriter
        Where to.
    rates, slopes : sequence of str
        Functions that set f, and df/dt and -df/dy.
    entries : sequence of (int, int, int)
        Row, column and slot of every entry of the Jacobian.
    """
    f, layout = Function(writer.module), writer.layout
    writer.start(f)
    call_each(f, [*rates, *slopes])
    _bend(f, writer, entries)
    slope, bend = _steepest(f, writer)
    length = f.arithmetic("sub", f.load(layout.stop), f.load(layout.time))
    first_step = start_step(f, slope, bend, length, writer.method.order)
    _keep(f, _flag(f, layout.choosing), first_step, layout.proposed)
    f.store(f.number(0.0), layout.choosing)
    writer.finish(f, "start")


def _bend(f: Function, writer: StepWriter, entries: Sequence[Sequence[int]]) -> None:
    """Put J f + df/dt where the stages keep what they carry."""
    layout = writer.layout
    with f.loop("0", str(writer.program.n_states)) as turn:
        slope = f.load(f.plus(turn.index, layout.time_slope)) if writer.program.timed else f.number(0.0)
        f.store(slope, f.plus(turn.index, layout.carried))
    if not entries:
        return
    places = (("bent", layout.carried, 0), ("speeds", layout.rates, 1), ("bends", layout.matrix, 2))
    for name, first, column in places:
        writer.module.add(table(name, (first + entry[column] for entry in entries)))
    with f.loop("0", str(len(entries))) as turn:
        target, speed, place = (entry_of(f, name, turn.index) for name, _, _ in places)
        f.store(f.fused(f.rounded("fneg", f.load(place)), f.load(speed), f.load(target)), target)


def _steepest(f: Function, writer: StepWriter) -> tuple[Value, Value]:
    """Return the largest of f and of J f + df/dt, in units of the tolerance."""
    layout, zero = writer.layout, f.number(0.0)
    with f.loop("0", str(writer.program.n_states), [zero, zero]) as turn:
        size = f.rounded("fabs", f.load(f.plus(turn.index, layout.state)))
        weight = f.fused(f.load(layout.rtol), size, f.load(f.plus(turn.index, layout.atol)))
        pairs = []
        for largest, row in zip(turn.values, (layout.rates, layout.carried), strict=True):
            speed = f.rounded("fabs", f.load(f.plus(turn.index, row)))
            pairs.append(f.maximum(largest, f.arithmetic("div", speed, weight)))
        turn.next = pairs
    return pairs[0], pairs[1]
