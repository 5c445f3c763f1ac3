"""Find the times at which a right-hand side jumps.

An integrator may step over a pulse that time switches on and off. Conditions that
compare time with parameters are therefore solved symbolically, and the integrator
stops at the times found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from haptos.numerics.derivative import TIME_AXIS, gradients
from haptos.numerics.expression import Graph, GraphBuilder
from haptos.numerics.operations import Op

__all__ = ["TimeBreaks", "time_breaks"]

_COMPARISONS = frozenset({Op.LT, Op.LE, Op.EQ, Op.NE})
_STAIRS = frozenset({Op.FLOOR, Op.CEIL})


@dataclass(frozen=True, slots=True)
class TimeBreaks:
    """Jumps in time.

    Attributes
    ----------
    times : tuple of int
        Expressions, free of time and states, of the times of jumps.
    unlocated : tuple of int
        Conditions on time that are not linear in time, so that their jumps cannot be
        found: a model that has any should be refused.
    """

    times: tuple[int, ...] = ()
    unlocated: tuple[int, ...] = ()


def time_breaks(builder: GraphBuilder, roots: Sequence[int], n_states: int) -> TimeBreaks:
    """Solve all conditions in `roots` that compare time with parameters.

    Parameters
    ----------
    builder : GraphBuilder
        Where `roots` live and the times are built.
    roots : sequence of int
        Expressions; variables below `n_states` are states.
    n_states : int
        Number of states. A condition that involves a state is left to the error
        control of the integrator.

    Examples
    --------
    >>> b = GraphBuilder()
    >>> late = b.apply(Op.LT, b.variable(0), b.time())
    >>> breaks = time_breaks(b, [late], n_states=0)
    >>> float(b.freeze().evaluate(breaks.times, [7.5])[0])
    7.5
    """
    times: list[int] = []
    unlocated: list[int] = []
    for position in builder.reachable(roots):
        node = builder.nodes[position]
        if node.op not in _COMPARISONS | _STAIRS or not _on_time(builder, position, n_states):
            continue
        solved = _solve(builder, position) if node.op in _COMPARISONS else None
        if solved is None:
            unlocated.append(position)
        else:
            times.append(solved)
    return TimeBreaks(tuple(dict.fromkeys(times)), tuple(unlocated))


def _on_time(builder: GraphBuilder, position: int, n_states: int) -> bool:
    """Whether an expression depends on time and on no state."""
    nodes = [builder.nodes[i] for i in builder.reachable([position])]
    with_time = any(node.op is Op.TIME for node in nodes)
    return with_time and all(n.value >= n_states for n in nodes if n.op is Op.VARIABLE)


def _solve(builder: GraphBuilder, position: int) -> int | None:
    """Return the time at which both sides are equal; None unless linear in time."""
    left, right = builder.nodes[position].operands
    difference = builder.sub(left, right)
    [gradient] = gradients(builder, [difference], [TIME_AXIS])
    slope = gradient.get(TIME_AXIS)
    inside = {builder.nodes[i].op for i in builder.reachable([difference])}
    if slope is None or inside & (_COMPARISONS | _STAIRS):
        return None
    if any(builder.nodes[i].op is Op.TIME for i in builder.reachable([slope])):
        return None
    snapshot = Graph(tuple(builder.nodes))
    [start] = builder.copy_from(snapshot, [difference], time=builder.constant(0.0))
    return builder.neg(builder.div(start, slope))
