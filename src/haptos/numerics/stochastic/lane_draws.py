"""Write the random numbers of W lanes as LLVM text: Philox words, then exponential deviates.

The words and every rounding are those of :mod:`haptos.numerics.stochastic._random`. A jump
takes a pair of words, the first for its time, the second for its choice. Each lane holds the
next :data:`PAIRS` pairs of its own stream.
"""

from __future__ import annotations

from typing import Final

from haptos.numerics.engine.vectors import Function, Module, Value
from haptos.numerics.stochastic.lane_layout import LaneLayout

__all__ = ["write_refill"]

_M0: Final = 0xD2E7470EE14C6C93
_M1: Final = 0xCA5A826395121157
_W0: Final = 0x9E3779B97F4A7C15
_W1: Final = 0xBB67AE8584CAA73B
_LOW: Final = 0xFFFFFFFF
_MANTISSA: Final = 0x000FFFFFFFFFFFFF
_ONE_BITS: Final = 0x3FF0000000000000
_LN2: Final = 0.6931471805599453
_SQRT2: Final = 1.4142135623730951
_STEP: Final = 1.1102230246251565e-16


def write_refill(module: Module, layout: LaneLayout) -> None:
    """Add ``refill(w)``: draw the pairs of all lanes anew, each from where it stands."""
    f = Function(module)
    words = f"<{module.width} x i64>"
    position, first = load_whole(f, layout.position), load_whole(f, layout.first)
    doubled = f.integer("shl", first, f.whole(1))
    pair = f.integer("add", doubled, position)
    begin = f.integer("lshr", pair, f.whole(1))
    store_whole(f, begin, layout.first)
    store_whole(f, f.integer("and", pair, f.whole(1)), layout.position)
    keys = load_whole(f, layout.keys), load_whole(f, layout.keys + 1)
    with f.loop("0", str(layout.pairs // 2)) as turn:
        index = _spread(f, words, turn.index)
        counter = f.integer("add", f.integer("add", begin, f.whole(1)), index)
        block = _philox(f, counter, keys)
        row = f.fresh("r")
        f.line(f"{row} = shl i64 {turn.index}, 1")
        for half in range(2):
            place = f.plus(row, layout.times + half)
            f.store(_exponential(f, block[2 * half]), place)
            place = f.plus(row, layout.marks + half)
            f.store(_unit(f, block[2 * half + 1]), place)
    f.line("ret void")
    module.add(f.text("internal void @refill(ptr noalias %w) noinline"))


def load_whole(f: Function, row: int) -> Value:
    """Return a row of whole numbers."""
    return f.bits(f.load(row))


def store_whole(f: Function, value: Value, row: int) -> None:
    """Put whole numbers into a row."""
    f.store(f.from_bits(value), row)


def _spread(f: Function, words: str, register: str) -> Value:
    """Return one whole number in all lanes."""
    one, all_lanes = f.fresh(), f.fresh()
    f.line(f"{one} = insertelement {words} poison, i64 {register}, i32 0")
    f.line(f"{all_lanes} = shufflevector {words} {one}, {words} poison, {words.replace('i64', 'i32')} zeroinitializer")
    return Value(all_lanes, "i64")


def _philox(f: Function, counter: Value, keys: tuple[Value, Value]) -> list[Value]:
    """Return the four words of a block of Philox4x64-10."""
    c: list[Value] = [counter, f.whole(0), f.whole(0), f.whole(0)]
    k0, k1 = keys
    for _ in range(10):
        h0, l0 = _product(f, c[0], _M0)
        h1, l1 = _product(f, c[2], _M1)
        first = f.integer("xor", f.integer("xor", h1, c[1]), k0)
        third = f.integer("xor", f.integer("xor", h0, c[3]), k1)
        c = [first, l1, third, l0]
        k0, k1 = f.integer("add", k0, f.whole(_W0)), f.integer("add", k1, f.whole(_W1))
    return c


def _product(f: Function, a: Value, factor: int) -> tuple[Value, Value]:
    """Return the upper and lower 64 bits of a product, by products of 32 bits each."""
    shift, mask = f.whole(32), f.whole(_LOW)
    high, low = f.integer("lshr", a, shift), f.integer("and", a, mask)
    upper, lower = f.whole(factor >> 32), f.whole(factor & _LOW)
    low_low, high_low = f.integer("mul", low, lower), f.integer("mul", high, lower)
    low_high, high_high = f.integer("mul", low, upper), f.integer("mul", high, upper)
    t = f.integer("add", high_low, f.integer("lshr", low_low, shift))
    u = f.integer("add", low_high, f.integer("and", t, mask))
    carried = f.integer("add", f.integer("lshr", t, shift), f.integer("lshr", u, shift))
    bottom = f.integer("or", f.integer("shl", u, shift), f.integer("and", low_low, mask))
    return f.integer("add", high_high, carried), bottom


def _float(f: Function, a: Value) -> Value:
    """Return whole numbers below 2**63 as numbers."""
    name, width = f.fresh(), f.module.width
    f.line(f"{name} = sitofp <{width} x i64> {a.text} to {f.module.vector}")
    return Value(name, "double")


def _unit(f: Function, word: Value) -> Value:
    """Return a number in [0, 1)."""
    return f.arithmetic("mul", _float(f, f.integer("lshr", word, f.whole(11))), f.number(_STEP))


def _exponential(f: Function, word: Value) -> Value:
    """Return minus the logarithm of a number in (0, 1]."""
    whole = f.integer("add", f.integer("lshr", word, f.whole(11)), f.whole(1))
    return f.rounded("fneg", _logarithm(f, f.arithmetic("mul", _float(f, whole), f.number(_STEP))))


def _logarithm(f: Function, x: Value) -> Value:
    """Return ln(x) by the operations of :func:`haptos.numerics.stochastic._random.logarithm`."""
    bits = f.bits(x)
    raised = _float(f, f.integer("sub", f.integer("lshr", bits, f.whole(52)), f.whole(1023)))
    m = f.from_bits(f.integer("or", f.integer("and", bits, f.whole(_MANTISSA)), f.whole(_ONE_BITS)))
    large = f.compare("lt", f.number(_SQRT2), m)
    m = f.select(large, f.arithmetic("mul", m, f.number(0.5)), m)
    exponent = f.select(large, f.arithmetic("add", raised, f.number(1.0)), raised)
    s = f.arithmetic("div", f.arithmetic("sub", m, f.number(1.0)), f.arithmetic("add", m, f.number(1.0)))
    z = f.arithmetic("mul", s, s)
    z2 = f.arithmetic("mul", z, z)
    z4 = f.arithmetic("mul", z2, z2)
    low, middle, high = (_quarter(f, z, z2, k) for k in (1, 9, 17))
    inner = f.arithmetic("add", middle, f.arithmetic("mul", z4, high))
    series = f.arithmetic("add", low, f.arithmetic("mul", z4, inner))
    tail = f.arithmetic("mul", f.arithmetic("mul", f.number(2.0), s), series)
    return f.arithmetic("add", f.arithmetic("mul", exponent, f.number(_LN2)), tail)


def _quarter(f: Function, z: Value, z2: Value, k: int) -> Value:
    """Return ``(1/k + z/(k + 2)) + z2 (1/(k + 4) + z/(k + 6))``."""
    a, b, c, d = (f.number(1.0 / n) for n in range(k, k + 8, 2))
    left = f.arithmetic("add", a, f.arithmetic("mul", z, b))
    right = f.arithmetic("add", c, f.arithmetic("mul", z, d))
    return f.arithmetic("add", left, f.arithmetic("mul", z2, right))
