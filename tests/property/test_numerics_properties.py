"""Derivatives, tapes and conservation on generated expressions and networks."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from haptos.numerics import GraphBuilder, Op, build_tape, evaluate_tape, gradients
from haptos.numerics.operations import OPERATIONS
from haptos.signalling.network import compile_network
from haptos.signalling.sbml import antimony_to_sbml

SMOOTH = [op for op in OPERATIONS if op not in (Op.FLOOR, Op.CEIL, Op.EQ, Op.NE)]


@st.composite
def expressions(draw: st.DrawFn, operations: list[Op]) -> tuple[Any, int]:
    """Draw a graph over three variables and a root that uses its last nodes."""
    b = GraphBuilder()
    pool = [*(b.variable(i) for i in range(3)), b.time(), b.constant(2.0), b.constant(-0.75)]
    for _ in range(draw(st.integers(1, 12))):
        op = draw(st.sampled_from(operations))
        arity = OPERATIONS[op].arity
        operands = [pool[-draw(st.integers(1, len(pool)))] for _ in range(arity)]
        pool.append(b.apply(op, *operands))
    return b, pool[-1]


#: Away from 0, where kinks meet: min(x, abs(x)) is smooth there although its two parts are not.
points = st.lists(
    st.floats(-3.0, 3.0).map(lambda x: round(x, 3)).filter(lambda x: abs(x) >= 0.01), min_size=3, max_size=3
)


@settings(max_examples=300, deadline=None)
@given(expressions(SMOOTH), points, st.integers(0, 2))
def test_derivative_equals_differences(drawn: tuple[Any, int], point: list[float], axis: int) -> None:
    """Where three difference quotients agree, the symbolic derivative agrees with them."""
    b, root = drawn
    [gradient] = gradients(b, [root], range(3))
    graph = b.freeze()
    x = np.array(point)

    def quotient(step: float, side: int) -> float:
        ends = np.tile(x[:, None], 2)
        ends[axis, 0] += step * max(side, 0)
        ends[axis, 1] -= step * max(-side, 0) if side else -0.0
        if side == 0:
            ends[axis] = x[axis] + np.array([step, -step])
        high, low = graph.evaluate([root], ends, 0.3)[0] * np.ones(2)
        return float((high - low) / (ends[axis, 0] - ends[axis, 1]))

    with np.errstate(all="ignore"):
        middle, fine = quotient(1e-5, 0), quotient(1e-6, 0)
        ahead, behind = quotient(1e-6, 1), quotient(1e-6, -1)
    assume(np.isfinite([middle, fine, ahead, behind]).all())
    size = max(abs(middle), 1e-3)
    value = float(graph.evaluate([root], x, 0.3)[0])
    assume(abs(value) < 1e4 and size < 1e4 and abs(value) * 1e-9 < 1e-4 * size)
    assume(abs(middle - fine) < 1e-4 * size and abs(ahead - behind) < 1e-3 * size)
    exact = float(graph.evaluate([gradient[axis]], x, 0.3)[0]) if axis in gradient else 0.0
    assert abs(exact - middle) <= 2e-3 * size


@settings(max_examples=200, deadline=None)
@given(expressions(list(OPERATIONS)), st.lists(points, min_size=1, max_size=4))
def test_tapes_equal_the_graph(drawn: tuple[Any, int], rows: list[list[float]]) -> None:
    """Hoisted, compiled and walked evaluation agree; a jump at rounding is not compared."""
    b, root = drawn
    graph, x = b.freeze(), np.array(rows)
    expected = np.broadcast_to(graph.evaluate([root], x.T, 0.3)[0], (len(x),))
    tape = build_tape(graph, [root], 3, fixed=[1, 2])
    readable = tape.evaluate(x.T, 0.3)[0]
    np.testing.assert_array_equal(readable, expected)
    compiled = evaluate_tape(tape, x[:, None, :1], x[:, 1:], np.array([0.3]))[:, 0, 0]
    jumps = {Op.FLOOR, Op.CEIL, Op.LT, Op.LE, Op.EQ, Op.NE}
    steep = {Op.TAN, Op.POW, Op.EXP, Op.SINH, Op.COSH, Op.DIV, Op.SIN, Op.COS, Op.LN, Op.LOG10}
    used = {graph.nodes[i].op for i in graph.reachable([root])}
    if not used & (jumps | {Op.AND, Op.OR, Op.XOR, Op.NOT, Op.SELECT}) and len(used & steep) <= 1:
        np.testing.assert_allclose(compiled, readable, rtol=1e-6, atol=1e-9, equal_nan=True)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_random_networks_conserve_their_laws(data: st.DataObject) -> None:
    """The totals found by rational arithmetic stay constant; nothing gets negative."""
    count = data.draw(st.integers(2, 6))
    species = [f"S{i}" for i in range(count)]
    one = st.sampled_from(species)
    side = st.lists(one, min_size=1, max_size=2)
    lines = [f"{s} = {data.draw(st.integers(0, 9))};" for s in species]
    for number in range(data.draw(st.integers(1, 6))):
        left, right = data.draw(side), data.draw(side)
        rate = "*".join([str(data.draw(st.sampled_from([0.01, 0.3, 5]))), *left])
        lines.append(f"J{number}: {' + '.join(left)} -> {' + '.join(right)}; {rate};")
    network = compile_network(antimony_to_sbml(f"model m; {' '.join(lines)} end"))
    result = network.simulate(np.linspace(0.0, 1.0, 5), rtol=1e-8)
    if not result.ok[0]:
        assume(False)  # products may feed themselves to infinity
    assert result.values.min(initial=0.0) >= 0.0
    for law in network.laws:
        pairs = zip(law.species, law.coefficients, strict=True)
        total = sum(c * result[s][0] for s, c in pairs)
        np.testing.assert_allclose(total, total[0], rtol=1e-7, atol=1e-7 * max(result.values.max(), 1))
