"""A system of equations as lane programs: what every kernel evaluates, machine by machine.

A :class:`Block` is a list of operations over named values; running it on a
:class:`haptos.numerics.engine.machine.Machine` gives numbers in NumPy or instructions in
LLVM, in the same order with the same roundings.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from haptos.errors import ParameterError
from haptos.numerics.derivative import TIME_AXIS, gradients
from haptos.numerics.engine.machine import LIBRARY_FUNCTIONS, Machine
from haptos.numerics.engine.structure import Elimination, plan_elimination
from haptos.numerics.expression import GraphBuilder, Node
from haptos.numerics.operations import Op
from haptos.numerics.system import OdeSystem
from haptos.numerics.tape import Tape

__all__ = ["Block", "Program", "build_program", "finite_or_zero", "operate", "tape_roots"]


@dataclass(frozen=True, slots=True)
class Block:
    """Operations in order of evaluation.

    Attributes
    ----------
    nodes : mapping of int to Node
        Every operation and leaf, by name.
    order : tuple of int
        Operations, operands first.
    roots : tuple of int
        Results; leaves are allowed.
    """

    nodes: Mapping[int, Node]
    order: tuple[int, ...]
    roots: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """All that the kernels of one system evaluate.

    Attributes
    ----------
    n_states, n_parameters : int
        Lengths of y and p.
    hoisted : Block
        Values of parameters alone that other blocks use.
    hoisted_slots : mapping of int to int
        Where each hoisted value is kept.
    rhs, time_slope : Block
        The derivatives, and their partial derivatives by time (no roots where f does
        not depend on time).
    jacobian : Block
        Entries of df/dy.
    shared_slots : mapping of int to int
        Where the derivatives leave costly values that the other two also use.
    entries : tuple of (int, int, int)
        Row and column of every entry of df/dy, and where it stands in the factorisation.
    guarded : frozenset of int
        Entries of df/dy and df/dt that may be infinite for finite states, such as the
        slope of a root at zero; they are replaced by zero where they are, because they
        only steer the method.
    elimination : Elimination
        How I/(gamma h) - J is factorised.
    floored : tuple of bool
        States that are raised to zero before anything is evaluated.
    """

    n_states: int
    n_parameters: int
    hoisted: Block
    hoisted_slots: Mapping[int, int]
    rhs: Block
    time_slope: Block
    jacobian: Block
    shared_slots: Mapping[int, int]
    entries: tuple[tuple[int, int, int], ...]
    guarded: frozenset[int]
    elimination: Elimination
    floored: tuple[bool, ...]

    @property
    def entry_slots(self) -> tuple[int, ...]:
        """Where each entry of df/dy stands in the factorisation."""
        return tuple(slot for _, _, slot in self.entries)

    @property
    def timed(self) -> bool:
        """Whether anything depends on time explicitly."""
        return bool(self.time_slope.roots)


def build_program(system: OdeSystem) -> Program:
    """Split a system into blocks and plan its factorisation."""
    n, p = system.n_states, system.n_parameters
    builder = GraphBuilder()
    rhs = tape_roots(builder, system.rhs, reciprocal=True)
    jacobian = tape_roots(builder, system.jacobian, reciprocal=True)
    timed = system.rhs.uses_time or system.jacobian.uses_time
    zero = builder.constant(0.0)
    slopes = [g.get(TIME_AXIS, zero) for g in gradients(builder, rhs, [TIME_AXIS])] if timed else []
    nodes = MappingProxyType(dict(enumerate(builder.nodes)))
    everything = [*rhs, *slopes, *jacobian]
    steady = _steady(builder, everything, n)
    used = _used_by_moving(builder, everything, steady)
    slots = {position: slot for slot, position in enumerate(sorted(used))}
    order = _depth_first(builder, rhs, used)
    others = set(builder.reachable([*slopes, *jacobian]))
    shared = [i for i in order if builder.nodes[i].op not in _CHEAP and i in others]
    known = used.union(shared)
    entries = list(zip(system.rows.tolist(), system.columns.tolist(), strict=True))
    elimination = plan_elimination(n, entries)
    return Program(
        n_states=n,
        n_parameters=p,
        hoisted=Block(nodes, _depth_first(builder, sorted(used), ()), tuple(sorted(used))),
        hoisted_slots=MappingProxyType(slots),
        rhs=Block(nodes, order, tuple(rhs)),
        time_slope=Block(nodes, _depth_first(builder, slopes, known), tuple(slopes)),
        jacobian=Block(nodes, _depth_first(builder, jacobian, known), tuple(jacobian)),
        shared_slots=MappingProxyType({position: slot for slot, position in enumerate(shared)}),
        entries=tuple((*e, elimination.slots[e]) for e in entries),
        guarded=frozenset(i for i in {*jacobian, *slopes} if _may_be_infinite(builder, i)),
        elimination=elimination,
        floored=tuple((system.floor == 0.0).tolist()),
    )


def tape_roots(builder: GraphBuilder, tape: Tape, *, reciprocal: bool = False) -> list[int]:
    """Rebuild the expressions of a tape.

    With `reciprocal` ``a / b`` becomes ``a (1 / b)``: at most one more unit in the last
    place, and the slow division is done once for a denominator, or in advance if it
    depends on parameters alone.
    """
    one = builder.constant(1.0)
    places = [builder.constant(c) for c in tape.constants.tolist()]
    places += [builder.variable(i) for i in range(tape.n_variables)]
    places.append(builder.time())
    for code, *operands in [*tape.prologue.tolist(), *tape.body.tolist()]:
        op = Op(code)
        given = [places[i] for i in operands[: _arity(op)]]
        if op is Op.DIV and reciprocal:
            places.append(builder.mul(given[0], builder.div(one, given[1])))
        else:
            places.append(builder.apply(op, *given))
    return [places[i] for i in tape.outputs.tolist()]


def _arity(op: Op) -> int:
    from haptos.numerics.operations import OPERATIONS

    return OPERATIONS[op].arity


_LEAVES: Final = frozenset({Op.CONSTANT, Op.VARIABLE, Op.TIME})


def _steady(builder: GraphBuilder, roots: Sequence[int], n_states: int) -> dict[int, bool]:
    """Say of every expression whether it depends on parameters alone."""
    steady: dict[int, bool] = {}
    for position in builder.reachable(roots):
        op, operands, value = builder.nodes[position]
        if op is Op.VARIABLE:
            steady[position] = int(value) >= n_states
        else:
            steady[position] = op is not Op.TIME and all(steady[i] for i in operands)
    return steady


def _used_by_moving(builder: GraphBuilder, roots: Iterable[int], steady: Mapping[int, bool]) -> frozenset[int]:
    """Return the steady operations that are results or operands of moving ones."""
    wanted = set(roots)
    for position, is_steady in steady.items():
        if not is_steady:
            wanted.update(builder.nodes[position].operands)
    return frozenset(i for i in wanted if steady[i] and builder.nodes[i].op not in _LEAVES)


_TAME: Final = frozenset(
    {Op.NEG, Op.ADD, Op.SUB, Op.MUL, Op.ABS, Op.FLOOR, Op.CEIL, Op.MIN, Op.MAX, Op.SELECT, *_LEAVES}
    | {Op.LT, Op.LE, Op.EQ, Op.NE, Op.AND, Op.OR, Op.XOR, Op.NOT}
)
"""Operations that give finite numbers from numbers of usual size."""


_CHEAP: Final = _TAME
"""Operations that are done again rather than kept."""


def _may_be_infinite(builder: GraphBuilder, root: int) -> bool:
    return any(builder.nodes[i].op not in _TAME for i in builder.reachable([root]))


def finite_or_zero(m: Machine, value: Any) -> Any:
    """Return the value, zero where it is infinite or not a number."""
    finite = m.compare("lt", m.rounded("fabs", value), m.number(float("inf")))
    return m.select(finite, value, m.number(0.0))


def _depth_first(builder: GraphBuilder, roots: Sequence[int], known: Collection[int]) -> tuple[int, ...]:
    """Order operations so that each root follows its own operands closely."""
    done = set(known)
    order: list[int] = []
    for root in roots:
        stack = [(root, False)]
        while stack:
            position, ready = stack.pop()
            node = builder.nodes[position]
            if position in done or node.op in _LEAVES:
                continue
            if ready:
                done.add(position)
                order.append(position)
                continue
            stack.append((position, True))
            stack.extend((i, False) for i in reversed(node.operands))
    return tuple(order)


def operate(m: Machine, node: Node, operands: Sequence[Any], exponent: float | None) -> Any:
    """Apply the operation of a node on a machine.

    Parameters
    ----------
    m : Machine
        Where to evaluate.
    node : Node
        What to apply.
    operands : sequence
        Values of that machine.
    exponent : float, optional
        The exponent of a power, if it is a constant.
    """
    op = node.op
    if op in _RULES:
        return _RULES[op](m, *operands)
    if op in LIBRARY_FUNCTIONS:
        return m.library(LIBRARY_FUNCTIONS[op], operands[0])
    if op is Op.POW:
        if exponent is not None and exponent in _SMALL:
            return _small_power(m, operands[0], int(exponent))
        return m.call("power", *operands)
    raise ParameterError(f"the engine cannot evaluate {op.name}")


_SMALL: Final = frozenset({3.0, 4.0, -2.0, -3.0, -4.0})
"""Exponents done by multiplication: at most 2 units in the last place from exact."""


def _small_power(m: Machine, x: Any, exponent: int) -> Any:
    square = m.arithmetic("mul", x, x)
    size = abs(exponent)
    value = square if size == 2 else m.arithmetic("mul", square, x if size == 3 else square)
    return value if exponent > 0 else m.arithmetic("div", m.number(1.0), value)


_Rule = Callable[..., Any]


def _number(m: Machine, mask: Any) -> Any:
    return m.select(mask, m.number(1.0), m.number(0.0))


def _true(m: Machine, value: Any) -> Any:
    return m.compare("ne", value, m.number(0.0))


def _arithmetic(name: str) -> _Rule:
    return lambda m, a, b: m.arithmetic(name, a, b)


def _rounded(name: str) -> _Rule:
    return lambda m, a: m.rounded(name, a)


def _comparison(name: str) -> _Rule:
    return lambda m, a, b: _number(m, m.compare(name, a, b))


def _logical(name: str) -> _Rule:
    return lambda m, a, b: _number(m, m.logic(name, _true(m, a), _true(m, b)))


def _called(name: str) -> _Rule:
    return lambda m, a: m.call(name, a)


_RULES: Final = MappingProxyType[Op, _Rule](
    {
        Op.ADD: _arithmetic("add"),
        Op.SUB: _arithmetic("sub"),
        Op.MUL: _arithmetic("mul"),
        Op.DIV: _arithmetic("div"),
        Op.NEG: _rounded("fneg"),
        Op.SQRT: _rounded("sqrt"),
        Op.ABS: _rounded("fabs"),
        Op.FLOOR: _rounded("floor"),
        Op.CEIL: _rounded("ceil"),
        Op.EXP: _called("exp"),
        Op.LN: _called("log"),
        Op.LOG10: _called("log10"),
        Op.MIN: lambda m, a, b: m.select(m.compare("lt", a, b), a, b),
        Op.MAX: lambda m, a, b: m.select(m.compare("lt", b, a), a, b),
        Op.LT: _comparison("lt"),
        Op.LE: _comparison("le"),
        Op.EQ: _comparison("eq"),
        Op.NE: _comparison("ne"),
        Op.AND: _logical("and"),
        Op.OR: _logical("or"),
        Op.XOR: _logical("xor"),
        Op.NOT: lambda m, a: _number(m, m.compare("eq", a, m.number(0.0))),
        Op.SELECT: lambda m, c, a, b: m.select(_true(m, c), a, b),
    }
)
