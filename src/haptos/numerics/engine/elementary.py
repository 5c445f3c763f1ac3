"""Exponential, logarithms and power as lane programs: the same bits on every machine.

Only additions, multiplications, divisions, comparisons and operations on bits are used,
so results depend neither on the C library nor on the width of the vectors. The error
is below 2 units in the last place (measured against 50-digit arithmetic in the tests:
exp 0.8, log 0.5, log10 0.5, power 0.8).

The logarithm is computed to about 64 bits as an unevaluated sum of two numbers, because
a power multiplies its relative error by up to 709; the sum comes from exact products and
the series of the inverse hyperbolic tangent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Any, Final

from haptos.numerics.engine.machine import Machine

__all__ = ["FUNCTIONS", "exponential", "logarithm", "logarithm10", "power"]

_INF: Final = float("inf")
_NAN: Final = float("nan")
_MAGIC: Final = 6755399441055744.0
"""1.5 * 2^52: adding it rounds to a whole number and shows that number in the low bits."""
_MAGIC_BITS: Final = 0x4338000000000000
_LOG2_E: Final = 1.4426950408889634
_LN2_HIGH: Final = 6.93147180369123816490e-01
"""ln 2 to 33 bits, so that its product with an exponent is exact."""
_LN2_LOW: Final = 1.90821492927058770002e-10
_LOG10_E: Final = (0.4342944819032518, 1.098319650216765e-17)
_SQRT_HALF_BITS: Final = 0x3FE6A09E667F3BCD
_TWO_THIRDS: Final = (2.0 / 3.0, 3.700743415417188e-17)

_FACTORIALS: Final = tuple(
    1.0 / f for f in (2, 6, 24, 120, 720, 5040, 40320, 362880, 3628800, 39916800, 479001600, 6227020800)
)
_ODD: Final = tuple(2.0 / (2 * j + 3) for j in range(1, 13))


def _add(m: Machine, a: Any, b: Any) -> Any:
    return m.arithmetic("add", a, b)


def _sub(m: Machine, a: Any, b: Any) -> Any:
    return m.arithmetic("sub", a, b)


def _mul(m: Machine, a: Any, b: Any) -> Any:
    return m.arithmetic("mul", a, b)


def _horner(m: Machine, x: Any, coefficients: Sequence[float]) -> Any:
    """Return ``c[0] + c[1] x + c[2] x^2 ...``."""
    result = m.number(coefficients[-1])
    for c in reversed(coefficients[:-1]):
        result = m.fused(result, x, m.number(c))
    return result


def _exact_product(m: Machine, a: Any, b: Any) -> tuple[Any, Any]:
    """Return a*b as a sum of two numbers, exact unless the second underflows."""
    high = _mul(m, a, b)
    return high, m.fused(a, b, m.rounded("fneg", high))


def _sum_of(m: Machine, large: Any, small: Any) -> tuple[Any, Any]:
    """Return large + small as a sum of two numbers, for ``|large| >= |small|``."""
    high = _add(m, large, small)
    return high, _add(m, _sub(m, large, high), small)


def _exp_of_sum(m: Machine, x: Any, low: Any) -> Any:
    """Return ``exp(x + low)`` for |x| below 800 and a much smaller `low`."""
    shifted = _add(m, _mul(m, x, m.number(_LOG2_E)), m.number(_MAGIC))
    k = _sub(m, shifted, m.number(_MAGIC))
    exponent = m.integer("sub", m.bits(shifted), m.whole(_MAGIC_BITS))
    high = _sub(m, x, _mul(m, k, m.number(_LN2_HIGH)))
    rest = _sub(m, _mul(m, k, m.number(_LN2_LOW)), low)
    r = _sub(m, high, rest)
    lost = _sub(m, _sub(m, high, r), rest)
    square = _mul(m, r, r)
    tail = _add(m, _mul(m, square, _horner(m, r, _FACTORIALS)), lost)
    value = _add(m, m.number(1.0), _add(m, r, tail))
    half = m.integer("ashr", exponent, m.whole(1))
    value = _mul(m, value, _power_of_two(m, half))
    return _mul(m, value, _power_of_two(m, m.integer("sub", exponent, half)))


def _power_of_two(m: Machine, exponent: Any) -> Any:
    return m.from_bits(m.integer("shl", m.integer("add", exponent, m.whole(1023)), m.whole(52)))


def _clamped(m: Machine, x: Any) -> Any:
    """Hold x in [-800, 800], where the exponential is 0 or infinite at both ends."""
    top, bottom = m.number(800.0), m.number(-800.0)
    x = m.select(m.compare("lt", top, x), top, x)
    return m.select(m.compare("lt", x, bottom), bottom, x)


def exponential(m: Machine, x: Any) -> Any:
    """Return ``exp(x)``."""
    return _exp_of_sum(m, _clamped(m, x), m.number(0.0))


def _log_as_sum(m: Machine, x: Any) -> tuple[Any, Any]:
    """Return ``ln(x)`` as a sum of two numbers, for positive finite x."""
    tiny = m.compare("lt", x, m.number(2.2250738585072014e-308))
    x = m.select(tiny, _mul(m, x, m.number(2.0**54)), x)
    raw = m.bits(x)
    exponent = m.integer("ashr", m.integer("sub", raw, m.whole(_SQRT_HALF_BITS)), m.whole(52))
    c = m.from_bits(m.integer("sub", raw, m.integer("shl", exponent, m.whole(52))))
    k = _sub(m, m.from_bits(m.integer("add", exponent, m.whole(_MAGIC_BITS))), m.number(_MAGIC))
    k = _sub(m, k, m.select(tiny, m.number(54.0), m.number(0.0)))
    one = m.number(1.0)
    over, under = _sub(m, c, one), _add(m, c, one)
    under_low = _sub(m, c, _sub(m, under, one))
    s = m.arithmetic("div", over, under)
    product, error = _exact_product(m, s, under)
    left = _sub(m, _sub(m, _sub(m, over, product), error), _mul(m, s, under_low))
    s_low = m.arithmetic("div", left, under)
    tail, tail_low = _cubic_tail(m, s, s_low)
    two = m.number(2.0)
    high, low = _sum_of(m, _mul(m, two, s), tail)
    low = _add(m, low, _add(m, _mul(m, two, s_low), tail_low))
    total, rest = _sum_of(m, _mul(m, k, m.number(_LN2_HIGH)), high)
    rest = _add(m, rest, _add(m, low, _mul(m, k, m.number(_LN2_LOW))))
    return _sum_of(m, total, rest)


def _cubic_tail(m: Machine, s: Any, s_low: Any) -> tuple[Any, Any]:
    """Return ``2 atanh(s) - 2 s`` as a sum of two numbers, for |s| < 0.172."""
    z, z_low = _exact_product(m, s, s)
    z_low = _add(m, z_low, _mul(m, _mul(m, m.number(2.0), s), s_low))
    q = _mul(m, z, _horner(m, z, _ODD))
    p, p_low = _sum_of(m, m.number(_TWO_THIRDS[0]), q)
    p_low = _add(m, p_low, m.number(_TWO_THIRDS[1]))
    cube, cube_low = _exact_product(m, s, z)
    cube_low = _add(m, cube_low, _add(m, _mul(m, s, z_low), _mul(m, s_low, z)))
    tail, tail_low = _exact_product(m, cube, p)
    return tail, _add(m, tail_low, _add(m, _mul(m, cube, p_low), _mul(m, cube_low, p)))


def _log_limits(m: Machine, x: Any, value: Any) -> Any:
    """Put in the logarithms of zero, infinity, negative numbers and nan."""
    zero = m.number(0.0)
    value = m.select(m.compare("eq", x, m.number(_INF)), x, value)
    value = m.select(m.compare("eq", x, zero), m.number(-_INF), value)
    return m.select(m.compare("le", zero, x), value, m.number(_NAN))


def logarithm(m: Machine, x: Any) -> Any:
    """Return ``ln(x)``."""
    return _log_limits(m, x, _log_as_sum(m, x)[0])


def logarithm10(m: Machine, x: Any) -> Any:
    """Return the decimal logarithm."""
    high, low = _log_as_sum(m, x)
    value, rest = _exact_product(m, high, m.number(_LOG10_E[0]))
    rest = _add(m, rest, _add(m, _mul(m, low, m.number(_LOG10_E[0])), _mul(m, high, m.number(_LOG10_E[1]))))
    return _log_limits(m, x, _add(m, value, rest))


def power(m: Machine, x: Any, y: Any) -> Any:
    """Return ``x`` to the power `y`, with the special cases of IEEE 754."""
    zero, one, infinity = m.number(0.0), m.number(1.0), m.number(_INF)
    size = m.rounded("fabs", x)
    high, low = _log_as_sum(m, size)
    e, e_low = _exact_product(m, y, high)
    e_low = _add(m, e_low, _mul(m, y, low))
    inside = m.compare("lt", m.rounded("fabs", e), m.number(800.0))
    value = _exp_of_sum(m, _clamped(m, e), m.select(inside, e_low, zero))
    rising = m.compare("lt", zero, y)
    value = m.select(m.compare("eq", size, zero), m.select(rising, zero, infinity), value)
    value = m.select(m.compare("eq", size, infinity), m.select(rising, infinity, zero), value)
    endless = m.compare("eq", m.rounded("fabs", y), infinity)
    grows = m.logic("xor", m.compare("lt", size, one), rising)
    limit = m.select(m.compare("eq", size, one), one, m.select(grows, infinity, zero))
    value = m.select(endless, limit, value)
    whole = m.compare("eq", m.rounded("floor", y), y)
    half = _mul(m, y, m.number(0.5))
    odd = m.logic("and", whole, m.compare("ne", m.rounded("floor", half), half))
    negative = m.logic("or", m.compare("lt", x, zero), m.compare("lt", m.arithmetic("div", one, x), zero))
    value = m.select(m.logic("and", negative, odd), m.rounded("fneg", value), value)
    below = m.logic("and", m.compare("lt", x, zero), m.compare("lt", size, infinity))
    value = m.select(m.logic("and", below, m.compare("ne", m.rounded("floor", y), y)), m.number(_NAN), value)
    unknown = m.logic("or", m.compare("ne", x, x), m.compare("ne", y, y))
    value = m.select(unknown, m.number(_NAN), value)
    return m.select(m.logic("or", m.compare("eq", y, zero), m.compare("eq", x, one)), one, value)


FUNCTIONS: Final = MappingProxyType[str, Callable[..., Any]](
    {"exp": exponential, "log": logarithm, "log10": logarithm10, "power": power}
)
"""Lane programs by name."""
