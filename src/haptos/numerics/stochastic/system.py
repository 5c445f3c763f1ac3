"""A Markov jump process as tables: laws, changes and who depends on whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haptos.errors import ModelError, ParameterError
from haptos.numerics.breaks import time_breaks
from haptos.numerics.events import Event, EventSet, build_events
from haptos.numerics.expression import Graph, GraphBuilder
from haptos.numerics.operations import Op
from haptos.numerics.stochastic._layout import LawTapes, Ragged, ancestors, depth_of, ragged, stack_tapes
from haptos.numerics.stochastic.products import Product, factors_of, order_of
from haptos.numerics.tape import Tape, build_tape

__all__ = ["MAX_FACTORS", "Jump", "StochasticSystem", "build_stochastic_system", "jumps_without_bound"]

MAX_FACTORS: Final = 4
"""Most factors ``count - offset`` of a law in the table; longer laws go to the tapes."""

_STEPS: Final = frozenset({Op.LT, Op.LE, Op.EQ, Op.NE, Op.FLOOR, Op.CEIL})


@dataclass(frozen=True, slots=True)
class Jump:
    """One reaction, in one direction.

    Attributes
    ----------
    name : str
        For messages.
    changes : tuple of (int, int)
        Species and its change, not zero; each species once.
    propensity : int
        Expression of the probability per time, over counts, levels and parameters.
    proven : bool
        Whether the structure of the expression forbids negative values as long as the
        variables are not negative. Every law is watched at run time all the same.
    """

    name: str
    changes: tuple[tuple[int, int], ...]
    propensity: int
    proven: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class StochasticSystem:
    """Counts that jump. Make one with :func:`build_stochastic_system`.

    The variables of the tapes are the counts, then the levels, then the parameters.

    Attributes
    ----------
    n_counts, n_levels, n_parameters : int
        Species counted in molecules; other states, which only events and segments
        change; parameters.
    names : tuple of str
        Names of the jumps, shape (R,).
    changes : Ragged
        Species that each jump changes.
    change_by : ndarray
        By how much, beside ``changes.flat``.
    coefficients : Tape
        Factor of every jump that does not depend on counts; 0 for laws on tapes.
    factors : ndarray of int32, shape (R, 4, 2)
        Species and offset of the factors ``count - offset`` of a law in the table; unused
        ones name the column after the last state, which holds 1.
    n_factors : ndarray of int32, shape (R,)
        Their number; -1 for laws on tapes.
    tapes : LawTapes
        The laws that are not in the table.
    depends : Ragged
        Jumps whose propensity each jump changes: laws of up to two factors, then other
        laws in the table, then laws on tapes.
    depends_split : ndarray of int32, shape (R, 2)
        Where in ``depends.flat`` the second and third kind begin.
    nodes : Ragged
        Inner nodes of the search tree to add up anew after each jump, children first.
    depth : int
        Levels of the search tree below its root; every node has eight children.
    reads : Ragged
        Species that each law depends on.
    orders : ndarray, shape (R,)
        Bound of the relative change of each law: the number of factors in the table,
        else :func:`~haptos.numerics.stochastic.products.order_of`; inf if none is known.
    watched : ndarray of bool, shape (n_parameters,)
        Parameters that must not be negative.
    breaks : Tape
        Times at which a propensity or a trigger jumps.
    events : EventSet or None
        What sets states anew when a condition turns true.
    """

    n_counts: int
    n_levels: int
    n_parameters: int
    names: tuple[str, ...]
    changes: Ragged
    change_by: NDArray[np.float64]
    coefficients: Tape
    factors: NDArray[np.int32]
    n_factors: NDArray[np.int32]
    tapes: LawTapes
    depends: Ragged
    depends_split: NDArray[np.int32]
    nodes: Ragged
    depth: int
    reads: Ragged
    orders: NDArray[np.float64]
    watched: NDArray[np.bool_]
    breaks: Tape
    events: EventSet | None

    @property
    def n_jumps(self) -> int:
        """R, the number of jumps."""
        return len(self.names)

    @property
    def n_states(self) -> int:
        """Counts and levels together."""
        return self.n_counts + self.n_levels


def build_stochastic_system(
    graph: Graph,
    jumps: Sequence[Jump],
    n_counts: int,
    n_parameters: int,
    n_levels: int = 0,
    watched: Sequence[bool] | NDArray[np.bool_] | None = None,
    events: Sequence[Event] = (),
) -> StochasticSystem:
    """Sort laws into table and tapes and find who depends on whom.

    Parameters
    ----------
    graph : Graph
        Expressions over counts, levels, parameters and time.
    jumps : sequence of Jump
        The reactions.
    n_counts, n_parameters, n_levels : int
        Numbers of variables.
    watched : sequence of bool, shape (n_parameters,), optional
        Parameters that must not be negative; none by default.
    events : sequence of Event
        Over counts and levels as states.

    Raises
    ------
    ModelError
        If a propensity or trigger depends on time otherwise than by comparing it with
        parameters.
    ParameterError
        If a change is zero or names a species that does not exist.

    Examples
    --------
    >>> b = GraphBuilder()
    >>> x, k = b.variable(0), b.variable(1)
    >>> pairing = Jump("pairing", ((0, -2),), b.mul(k, b.mul(x, b.sub(x, b.constant(1.0)))))
    >>> system = build_stochastic_system(b.freeze(), [pairing], n_counts=1, n_parameters=1)
    >>> system.n_factors.tolist(), system.factors[0, :2].tolist()
    ([2], [[0, 0], [0, 1]])
    """
    _check_changes(jumps, n_counts)
    builder, n_states = GraphBuilder(graph), n_counts + n_levels
    n_variables, fixed = n_states + n_parameters, range(n_states, n_states + n_parameters)
    times = _break_times(builder, jumps, events, n_states)
    laws = [_table_law(builder, jump.propensity, n_counts) for jump in jumps]
    zero = builder.constant(0.0)
    coefficients = [zero if p is None else Product({}, p.above, p.below).build(builder) for p in laws]
    on_tape = [r for r, law in enumerate(laws) if law is None]
    frozen = builder.freeze()
    bodies = [build_tape(frozen, [jumps[r].propensity], n_variables, fixed) for r in on_tape]
    reads = [sorted(i for i in frozen.variables(j.propensity) if i < n_counts) for j in jumps]
    factors, n_factors = _table(laws, n_states)
    depends = _dependents(jumps, reads, n_factors)
    depth = depth_of(len(jumps))
    flat = ragged(depends)
    return StochasticSystem(
        n_counts=n_counts,
        n_levels=n_levels,
        n_parameters=n_parameters,
        names=tuple(j.name for j in jumps),
        changes=ragged([i for i, _ in j.changes] for j in jumps),
        change_by=np.array([by for j in jumps for _, by in j.changes], dtype=np.float64),
        coefficients=build_tape(frozen, coefficients, n_variables, fixed),
        factors=factors,
        n_factors=n_factors,
        tapes=stack_tapes(bodies, on_tape, len(jumps), n_variables),
        depends=flat,
        depends_split=_kind_borders(flat, n_factors),
        nodes=ragged(ancestors(found, depth) for found in depends),
        depth=depth,
        reads=ragged(reads),
        orders=np.array([_order(builder, j, law, n_counts) for j, law in zip(jumps, laws, strict=True)]),
        watched=np.zeros(n_parameters, dtype=bool) if watched is None else np.asarray(watched, dtype=bool),
        breaks=build_tape(frozen, times, n_variables, fixed),
        events=build_events(frozen, events, n_states, n_parameters) if events else None,
    )


def _check_changes(jumps: Sequence[Jump], n_counts: int) -> None:
    for jump in jumps:
        changed = [i for i, _ in jump.changes]
        if len(set(changed)) < len(changed) or not all(0 <= i < n_counts and by != 0 for i, by in jump.changes):
            raise ParameterError(f"{jump.name}: changes must name different species below {n_counts} and not be zero")


def _break_times(
    builder: GraphBuilder, jumps: Sequence[Jump], events: Sequence[Event], n_states: int
) -> tuple[int, ...]:
    """Return the times at which laws and triggers jump; refuse any other use of time."""
    named = [(f"the rate of {j.name}", j.propensity) for j in jumps]
    named += [(f"the trigger of event {e}", event.trigger) for e, event in enumerate(events)]
    breaks = time_breaks(builder, [root for _, root in named], n_states)
    smooth = [name for name, root in named if _smooth(builder, root, n_states, frozenset(breaks.unlocated))]
    if smooth:
        raise ModelError(
            f"{', '.join(smooth)} depends on time otherwise than by comparing time itself with parameters; "
            "exact simulation of such a process is not supported: use a piecewise rate or segments"
        )
    return breaks.times


def _smooth(builder: GraphBuilder, root: int, n_states: int, unlocated: frozenset[int]) -> bool:
    todo, seen = [root], {root}
    while todo:
        position = todo.pop()
        op, operands, _ = builder.nodes[position]
        if op is Op.TIME:
            return True
        if op in _STEPS and position not in unlocated:
            below = [builder.nodes[i] for i in builder.reachable([position])]
            if not any(n.op is Op.VARIABLE and n.value < n_states for n in below):
                continue
        todo += set(operands) - seen
        seen |= set(operands)
    return False


def _table_law(builder: GraphBuilder, propensity: int, n_counts: int) -> Product | None:
    """Return the factors of a law for the table; None if it needs a tape."""
    product = factors_of(builder, propensity, lambda i: i < n_counts)
    rest = [builder.nodes[i] for i in builder.reachable([*product.above, *product.below])]
    if any(n.op is Op.VARIABLE and n.value < n_counts for n in rest):
        return None
    if sum(product.species.values()) > MAX_FACTORS:
        return None
    for species, offset in product.species:
        if any((species, lower) not in product.species for lower in range(offset)):
            return None  # x - 1 without x is negative at 0, which only the tapes watch
    return product


def _order(builder: GraphBuilder, jump: Jump, law: Product | None, n_counts: int) -> float:
    if law is not None:
        return float(sum(law.species.values()))
    return order_of(builder, jump.propensity, range(n_counts)) if jump.proven else float("inf")


def _table(laws: Sequence[Product | None], n_states: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    factors = np.zeros((len(laws), MAX_FACTORS, 2), dtype=np.int32)
    factors[:, :, 0] = n_states
    count = np.full(len(laws), -1, dtype=np.int32)
    for r, law in enumerate(laws):
        if law is not None:
            listed = [key for key, times in sorted(law.species.items()) for _ in range(times)]
            count[r] = len(listed)
            factors[r, : len(listed)] = np.array(listed, dtype=np.int32).reshape(-1, 2)
    return factors, count


def _kind(r: int, n_factors: NDArray[np.int32]) -> int:
    return 2 if n_factors[r] < 0 else int(n_factors[r] > 2)


def _dependents(jumps: Sequence[Jump], reads: Sequence[Sequence[int]], n_factors: NDArray[np.int32]) -> list[list[int]]:
    readers: dict[int, list[int]] = {}
    for r, species in enumerate(reads):
        for i in species:
            readers.setdefault(i, []).append(r)
    found = [{r for i, _ in jump.changes for r in readers.get(i, ())} for jump in jumps]
    return [sorted(rows, key=lambda r: (_kind(r, n_factors), r)) for rows in found]


def _kind_borders(depends: Ragged, n_factors: NDArray[np.int32]) -> NDArray[np.int32]:
    borders = np.zeros((len(depends.first) - 1, 2), dtype=np.int32)
    for r in range(len(borders)):
        kinds = [_kind(j, n_factors) for j in depends.row(r)]
        borders[r] = depends.first[r] + kinds.count(0), depends.first[r] + len(kinds) - kinds.count(2)
    return borders


def jumps_without_bound(system: StochasticSystem) -> list[str]:
    """Return the names of the jumps whose relative change nothing bounds."""
    return [name for name, order in zip(system.names, system.orders, strict=True) if not np.isfinite(order)]
