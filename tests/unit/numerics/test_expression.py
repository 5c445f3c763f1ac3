"""Building, sharing, simplifying and evaluating expressions."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest

from haptos.errors import ParameterError
from haptos.numerics import GraphBuilder, Op, build_tape, evaluate_tape, formula, gradients
from haptos.numerics.operations import OPERATIONS

VALUES = [-2.5, -1.0, -0.3, 0.0, 0.4, 1.0, 3.0, math.inf, math.nan]


def test_equal_expressions_are_one_node() -> None:
    """Sharing holds also for the two orders of a sum."""
    b = GraphBuilder()
    x, y = b.variable(0), b.variable(1)
    assert b.add(x, b.mul(x, y)) == b.add(b.mul(y, x), x)
    assert b.sub(x, y) != b.sub(y, x)


@pytest.mark.parametrize(
    ("text", "build"),
    [
        ("x", lambda b, x: b.add(x, b.constant(0.0))),
        ("x", lambda b, x: b.mul(b.constant(1.0), x)),
        ("0", lambda b, x: b.sub(x, x)),
        ("x", lambda b, x: b.neg(b.neg(x))),
        ("(x * x)", lambda b, x: b.apply(Op.POW, x, b.constant(2.0))),
        ("1", lambda b, x: b.apply(Op.POW, x, b.constant(0.0))),
        ("7", lambda b, x: b.select(b.constant(1.0), b.constant(7.0), x)),
        ("(x + -3)", lambda b, x: b.add(x, b.neg(b.constant(3.0)))),
        ("(x / x)", lambda b, x: b.div(x, x)),
        ("0", lambda b, x: b.apply(Op.AND, x, b.constant(0.0))),
        ("1", lambda b, x: b.apply(Op.OR, x, b.constant(2.0))),
    ],
)
def test_simplification(text: str, build) -> None:  # type: ignore[no-untyped-def]
    """Simple forms are found; what could be 0/0 is left alone."""
    b = GraphBuilder()
    root = build(b, b.variable(0))
    shown = formula(b.freeze(), root, lambda i: "x")
    assert shown == text


@pytest.mark.parametrize("op", OPERATIONS)
def test_compiled_operation_equals_reference(op: Op) -> None:
    """Every operation means the same in the graph, the NumPy tape and the compiled tape."""
    b = GraphBuilder()
    arity = OPERATIONS[op].arity
    root = b.apply(op, *(b.variable(i) for i in range(arity)))
    graph = b.freeze()
    tape = build_tape(graph, [root], arity)
    points = np.array(np.meshgrid(*[VALUES] * arity)).reshape(arity, -1)
    walked = graph.evaluate([root], points)[0]
    readable = tape.evaluate(points)[0]
    compiled = evaluate_tape(tape, points.T[:, None], np.zeros((points.shape[1], 0)), np.zeros(1))
    np.testing.assert_array_equal(walked, readable)
    np.testing.assert_allclose(compiled[:, 0, 0], readable, rtol=1e-14, equal_nan=True)


@pytest.mark.parametrize("op", [op for op in OPERATIONS if op < Op.LT])
def test_derivative_of_every_function(op: Op) -> None:
    """At points where the function is smooth, central differences agree."""
    b = GraphBuilder()
    arity = OPERATIONS[op].arity
    inner = b.variable(0) if op is not Op.ACOSH else b.add(b.variable(0), b.constant(1.0))
    root = b.apply(op, *[inner, b.variable(1)][:arity])
    [gradient] = gradients(b, [root], [0, 1])
    graph = b.freeze()
    x, step = np.array([0.37, 0.81]), 1e-6
    for axis in range(arity):
        ends = np.stack([x, x], axis=1)
        ends[axis] += [step, -step]
        high, low = np.broadcast_to(graph.evaluate([root], ends)[0], 2)
        exact = graph.evaluate([gradient[axis]], x)[0] if axis in gradient else 0.0
        assert exact == pytest.approx((high - low) / (2 * step), rel=1e-7, abs=1e-9)


def test_power_of_zero_has_a_finite_derivative_by_its_exponent() -> None:
    """x^y at x = 0 does not give 0 * infinity."""
    b = GraphBuilder()
    root = b.apply(Op.POW, b.variable(0), b.variable(1))
    [gradient] = gradients(b, [root], [0, 1])
    slopes = b.freeze().evaluate([gradient[0], gradient[1]], [0.0, 2.0])
    assert [float(s) for s in slopes] == [0.0, 0.0]


def test_deep_expression_needs_no_recursion() -> None:
    """A sum of 30,000 nested terms builds, differentiates, compiles and prints."""
    b = GraphBuilder()
    f = b.variable(0)
    for i in range(30_000):
        f = b.add(b.mul(f, b.constant(0.999)), b.constant(float(i % 7)))
    [gradient] = gradients(b, [f], [0])
    graph = pickle.loads(pickle.dumps(b.freeze()))
    slope = graph.evaluate([gradient[0]], [1.0])[0]
    assert slope == pytest.approx(0.999**30_000, rel=1e-9)
    assert build_tape(graph, [f], 1).evaluate([1.0]).shape == (1,)


def test_tape_hoists_what_parameters_decide() -> None:
    """Only what depends on states or time is in the body."""
    b = GraphBuilder()
    x, k = b.variable(0), b.variable(1)
    rate = b.mul(b.apply(Op.EXP, b.mul(k, k)), b.add(x, b.time()))
    tape = build_tape(b.freeze(), [rate], 2, fixed=[1])
    assert (len(tape.prologue), len(tape.body), tape.uses_time) == (2, 2, True)
    expected = math.exp(0.25) * (3.0 + 2.0)
    assert tape.evaluate([3.0, 0.5], 2.0)[0] == pytest.approx(expected)
    path = evaluate_tape(tape, np.array([[[3.0]]]), np.array([[0.5]]), np.array([2.0]))
    assert path[0, 0, 0] == pytest.approx(expected)


def test_misuse_is_refused() -> None:
    """Wrong arity, index or shape is named."""
    b = GraphBuilder()
    with pytest.raises(ParameterError, match="cannot be applied"):
        b.apply(Op.SIN, b.variable(0), b.variable(0))
    with pytest.raises(ParameterError, match="at least 0"):
        b.variable(-1)
    tape_root = b.variable(3)
    with pytest.raises(ParameterError, match="beyond"):
        build_tape(b.freeze(), [tape_root], 2)
    with pytest.raises(ParameterError, match="reads 4 variables"):
        build_tape(b.freeze(), [tape_root], 4).evaluate([1.0])
