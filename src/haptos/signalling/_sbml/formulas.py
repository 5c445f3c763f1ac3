"""Translate the mathematics of libSBML into a graph, function calls written out.

The walk keeps its own stack, so deep formulas meet no recursion limit; only a call of a
function definition recurses, as deep as definitions are nested.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import libsbml as sbml

from haptos.numerics import GraphBuilder, Op

__all__ = ["MOST_STEPS", "MathReader", "UnsupportedMathError"]

MOST_STEPS: Final = 1_000_000
"""Most operations of a model with all calls of functions written out."""


class UnsupportedMathError(Exception):
    """A construct that cannot be translated; the message names it."""


class MathReader:
    """Translator of formulas.

    Parameters
    ----------
    builder : GraphBuilder
        Where expressions go.
    symbols : mapping of str to int
        Expression of every name that formulas may use.
    functions : mapping of str to (list of str, ASTNode)
        Argument names and body of the function definitions.
    """

    def __init__(
        self,
        builder: GraphBuilder,
        symbols: Mapping[str, int],
        functions: Mapping[str, tuple[Sequence[str], Any]],
    ) -> None:
        self._builder = builder
        self._symbols = dict(symbols)
        self._functions = functions
        self._called: dict[tuple[str, tuple[int, ...]], int] = {}
        self._steps = 0

    def read(self, root: Any, local: Mapping[str, int] | None = None) -> int:
        """Return the expression of a formula.

        Parameters
        ----------
        root : libsbml.ASTNode
            The formula; its document must be alive.
        local : mapping of str to int, optional
            Local parameters, which hide global names.

        Raises
        ------
        UnsupportedMathError
            If the formula uses something that has no translation here.
        """
        if root is None:
            raise UnsupportedMathError("the formula is missing")
        return self._walk(root, ChainMap(dict(local or {}), self._symbols), ())

    def _walk(self, root: Any, names: Mapping[str, int], calls: tuple[str, ...]) -> int:
        todo: list[tuple[Any, bool]] = [(root, False)]
        done: list[int] = []
        while todo:
            self._steps += 1
            if self._steps > MOST_STEPS:
                raise UnsupportedMathError(f"more than {MOST_STEPS} operations with all function calls written out")
            node, ready = todo.pop()
            count = node.getNumChildren()
            if ready:
                operands = done[len(done) - count :]
                del done[len(done) - count :]
                done.append(self._combine(node, operands, calls))
            elif count == 0 and not _takes_operands(node):
                done.append(self._leaf(node, names))
            else:
                _refuse_before_operands(node)
                todo.append((node, True))
                todo.extend((node.getChild(i), False) for i in range(count - 1, -1, -1))
        return done[0]

    def _leaf(self, node: Any, names: Mapping[str, int]) -> int:
        kind = node.getType()
        if kind == sbml.AST_NAME:
            if node.getName() not in names:
                raise UnsupportedMathError(f"the name {node.getName()!r} stands for no quantity")
            return names[node.getName()]
        if kind == sbml.AST_NAME_TIME:
            return self._builder.time()
        if kind in _CONSTANTS:
            return self._builder.constant(_CONSTANTS[kind])
        if node.isNumber() or kind == sbml.AST_NAME_AVOGADRO:
            return self._builder.constant(float(node.getValue()))
        raise UnsupportedMathError(_describe(node))

    def _combine(self, node: Any, operands: list[int], calls: tuple[str, ...]) -> int:
        kind = node.getType()
        if kind == sbml.AST_FUNCTION:
            return self._call(node.getName(), operands, calls)
        if kind in _UNARY and len(operands) == 1:
            return self._builder.apply(_UNARY[kind], *operands)
        if kind in _RULES:
            result = _RULES[kind](self._builder, operands)
            if result is not None:
                return result
        if kind == sbml.AST_FUNCTION_FACTORIAL:
            raise UnsupportedMathError(_describe(node))
        raise UnsupportedMathError(f"{_describe(node)} with {len(operands)} arguments")

    def _call(self, name: str, operands: list[int], calls: tuple[str, ...]) -> int:
        if name not in self._functions:
            raise UnsupportedMathError(f"the function {name!r} is not defined")
        if name in calls:
            raise UnsupportedMathError(f"the function {name!r} calls itself")
        arguments, body = self._functions[name]
        if len(arguments) != len(operands) or body is None:
            raise UnsupportedMathError(f"the function {name!r} takes {len(arguments)} arguments, not {len(operands)}")
        known = (name, tuple(operands))
        if known not in self._called:
            self._called[known] = self._walk(body, dict(zip(arguments, operands, strict=True)), (*calls, name))
        return self._called[known]


def _takes_operands(node: Any) -> bool:
    """Whether a node without children is an operation, such as an empty sum or a call."""
    kind = node.getType()
    return kind == sbml.AST_FUNCTION or kind in _RULES or kind in _UNARY


def _refuse_before_operands(node: Any) -> None:
    """Name constructs whose operands have no meaning by themselves."""
    kind = node.getType()
    if kind != sbml.AST_FUNCTION and kind not in _RULES and kind not in _UNARY:
        raise UnsupportedMathError(_describe(node))


def _describe(node: Any) -> str:
    kind = node.getType()
    if kind == sbml.AST_FUNCTION_DELAY:
        return "delay() (a value of the past)"
    if kind == sbml.AST_FUNCTION_RATE_OF:
        return "rateOf() (the rate of change of a quantity)"
    if kind == sbml.AST_FUNCTION_FACTORIAL:
        return "factorial() of anything but a whole number up to 170"
    return f"the construct {node.getName() or sbml.formulaToL3String(node) or kind!r}"


_Builder = GraphBuilder
_Rule = Callable[[GraphBuilder, list[int]], int | None]


def _fold(op: Op, empty: float | None) -> _Rule:
    """Make the rule of an operation of any number of operands, applied left to right."""

    def rule(b: _Builder, operands: list[int]) -> int | None:
        if not operands:
            return None if empty is None else b.constant(empty)
        return functools.reduce(lambda left, right: b.apply(op, left, right), operands)

    return rule


def _chain(op: Op, swap: bool) -> _Rule:
    """Make the rule of a comparison chain, ``a < b < c`` meaning both."""

    def rule(b: _Builder, operands: list[int]) -> int | None:
        if len(operands) < 2:
            return None
        pairs = itertools.pairwise(operands)
        tests = [b.apply(op, *((y, x) if swap else (x, y))) for x, y in pairs]
        return functools.reduce(lambda left, right: b.apply(Op.AND, left, right), tests)

    return rule


def _binary(function: Callable[[GraphBuilder, int, int], int]) -> _Rule:
    def rule(b: _Builder, operands: list[int]) -> int | None:
        return function(b, *operands) if len(operands) == 2 else None

    return rule


def _minus(b: _Builder, operands: list[int]) -> int | None:
    if len(operands) == 1:
        return b.neg(operands[0])
    return b.sub(*operands) if len(operands) == 2 else None


def _log(b: _Builder, operands: list[int]) -> int | None:
    """log(x) is decimal, log(base, x) to any base."""
    if len(operands) == 1 or (len(operands) == 2 and operands[0] == b.constant(10.0)):
        return b.apply(Op.LOG10, operands[-1])
    if len(operands) != 2:
        return None
    return b.div(b.apply(Op.LN, operands[1]), b.apply(Op.LN, operands[0]))


def _root(b: _Builder, operands: list[int]) -> int | None:
    if len(operands) == 1 or (len(operands) == 2 and operands[0] == b.constant(2.0)):
        return b.apply(Op.SQRT, operands[-1])
    if len(operands) != 2:
        return None
    return b.apply(Op.POW, operands[1], b.div(b.constant(1.0), operands[0]))


def _piecewise(b: _Builder, operands: list[int]) -> int:
    """Value, condition, value, condition, ..., otherwise; not a number if nothing holds."""
    odd = len(operands) % 2 == 1
    result = operands[-1] if odd else b.constant(math.nan)
    pairs = list(zip(operands[0::2], operands[1::2], strict=False))
    for value, condition in reversed(pairs):
        result = b.select(condition, value, result)
    return result


def _factorial(b: _Builder, operands: list[int]) -> int | None:
    """Compute the factorial of a whole number that is written out."""
    node = b.nodes[operands[0]] if len(operands) == 1 else None
    if node is None or node.op is not Op.CONSTANT or not (0.0 <= node.value <= 170.0 and node.value.is_integer()):
        return None
    return b.constant(float(math.factorial(int(node.value))))


def _truncated(b: _Builder, x: int, y: int) -> int:
    ratio = b.div(x, y)
    negative = b.apply(Op.LT, ratio, b.constant(0.0))
    return b.select(negative, b.apply(Op.CEIL, ratio), b.apply(Op.FLOOR, ratio))


def _reciprocal(op: Op, inside: bool = False) -> _Rule:
    """Make sec, csc, cot from cos, sin, tan; and their inverses, with 1/x `inside`."""

    def rule(b: _Builder, operands: list[int]) -> int | None:
        if len(operands) != 1:
            return None
        one = b.constant(1.0)
        if inside:
            return b.apply(op, b.div(one, operands[0]))
        return b.div(one, b.apply(op, operands[0]))

    return rule


_CONSTANTS: Final[Mapping[int, float]] = {
    sbml.AST_CONSTANT_E: math.e,
    sbml.AST_CONSTANT_PI: math.pi,
    sbml.AST_CONSTANT_TRUE: 1.0,
    sbml.AST_CONSTANT_FALSE: 0.0,
}

_UNARY: Final[Mapping[int, Op]] = {
    sbml.AST_FUNCTION_ABS: Op.ABS,
    sbml.AST_FUNCTION_ARCCOS: Op.ACOS,
    sbml.AST_FUNCTION_ARCCOSH: Op.ACOSH,
    sbml.AST_FUNCTION_ARCSIN: Op.ASIN,
    sbml.AST_FUNCTION_ARCSINH: Op.ASINH,
    sbml.AST_FUNCTION_ARCTAN: Op.ATAN,
    sbml.AST_FUNCTION_ARCTANH: Op.ATANH,
    sbml.AST_FUNCTION_CEILING: Op.CEIL,
    sbml.AST_FUNCTION_COS: Op.COS,
    sbml.AST_FUNCTION_COSH: Op.COSH,
    sbml.AST_FUNCTION_EXP: Op.EXP,
    sbml.AST_FUNCTION_FLOOR: Op.FLOOR,
    sbml.AST_FUNCTION_LN: Op.LN,
    sbml.AST_FUNCTION_SIN: Op.SIN,
    sbml.AST_FUNCTION_SINH: Op.SINH,
    sbml.AST_FUNCTION_TAN: Op.TAN,
    sbml.AST_FUNCTION_TANH: Op.TANH,
    sbml.AST_LOGICAL_NOT: Op.NOT,
}

_RULES: Final[Mapping[int, _Rule]] = {
    sbml.AST_PLUS: _fold(Op.ADD, 0.0),
    sbml.AST_TIMES: _fold(Op.MUL, 1.0),
    sbml.AST_MINUS: _minus,
    sbml.AST_DIVIDE: _binary(GraphBuilder.div),
    sbml.AST_POWER: _binary(lambda b, x, y: b.apply(Op.POW, x, y)),
    sbml.AST_FUNCTION_POWER: _binary(lambda b, x, y: b.apply(Op.POW, x, y)),
    sbml.AST_FUNCTION_LOG: _log,
    sbml.AST_FUNCTION_ROOT: _root,
    sbml.AST_FUNCTION_MIN: _fold(Op.MIN, None),
    sbml.AST_FUNCTION_MAX: _fold(Op.MAX, None),
    sbml.AST_FUNCTION_PIECEWISE: _piecewise,
    sbml.AST_FUNCTION_FACTORIAL: _factorial,
    sbml.AST_FUNCTION_QUOTIENT: _binary(_truncated),
    sbml.AST_FUNCTION_REM: _binary(lambda b, x, y: b.sub(x, b.mul(y, _truncated(b, x, y)))),
    sbml.AST_FUNCTION_SEC: _reciprocal(Op.COS),
    sbml.AST_FUNCTION_CSC: _reciprocal(Op.SIN),
    sbml.AST_FUNCTION_COT: _reciprocal(Op.TAN),
    sbml.AST_FUNCTION_SECH: _reciprocal(Op.COSH),
    sbml.AST_FUNCTION_CSCH: _reciprocal(Op.SINH),
    sbml.AST_FUNCTION_COTH: _reciprocal(Op.TANH),
    sbml.AST_FUNCTION_ARCSEC: _reciprocal(Op.ACOS, inside=True),
    sbml.AST_FUNCTION_ARCCSC: _reciprocal(Op.ASIN, inside=True),
    sbml.AST_FUNCTION_ARCCOT: _reciprocal(Op.ATAN, inside=True),
    sbml.AST_FUNCTION_ARCSECH: _reciprocal(Op.ACOSH, inside=True),
    sbml.AST_FUNCTION_ARCCSCH: _reciprocal(Op.ASINH, inside=True),
    sbml.AST_FUNCTION_ARCCOTH: _reciprocal(Op.ATANH, inside=True),
    sbml.AST_RELATIONAL_LT: _chain(Op.LT, swap=False),
    sbml.AST_RELATIONAL_LEQ: _chain(Op.LE, swap=False),
    sbml.AST_RELATIONAL_GT: _chain(Op.LT, swap=True),
    sbml.AST_RELATIONAL_GEQ: _chain(Op.LE, swap=True),
    sbml.AST_RELATIONAL_EQ: _chain(Op.EQ, swap=False),
    sbml.AST_RELATIONAL_NEQ: _binary(lambda b, x, y: b.apply(Op.NE, x, y)),
    sbml.AST_LOGICAL_AND: _fold(Op.AND, 1.0),
    sbml.AST_LOGICAL_OR: _fold(Op.OR, 0.0),
    sbml.AST_LOGICAL_XOR: _fold(Op.XOR, 0.0),
    sbml.AST_LOGICAL_IMPLIES: _binary(lambda b, x, y: b.apply(Op.OR, b.apply(Op.NOT, x), y)),
}
