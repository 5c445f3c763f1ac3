"""Compiled random numbers: Philox4x64-10 words, exponential and Poisson deviates (numba).

The words are those of :class:`numpy.random.Philox` with the same key and a counter that
starts at zero. Deviates are built from words by additions, multiplications and divisions
only, all of them rounded as IEEE 754 prescribes: neither the processor nor the
mathematical library of a machine changes a bit. Readable twins are in
:mod:`haptos.numerics.stochastic.reference_random`.
"""

# ruff: noqa: ANN001, ANN202
# The intrinsics are written in the language of numba's type inference. What every jump calls
# is inlined by numba itself: a call that passes an array counts references atomically, which
# costs five times as much as the draw.

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

__all__ = ["exponential", "log_factorial", "logarithm", "poisson", "seek", "unit", "used_words", "word"]

Words = NDArray[np.uint64]

_M0 = np.uint64(0xD2E7470EE14C6C93)
_M1 = np.uint64(0xCA5A826395121157)
_W0 = np.uint64(0x9E3779B97F4A7C15)
_W1 = np.uint64(0xBB67AE8584CAA73B)
_MANTISSA = np.uint64(0x000FFFFFFFFFFFFF)
_ONE_BITS = np.uint64(0x3FF0000000000000)
_LN2 = 0.6931471805599453
_SQRT2 = 1.4142135623730951
_HALF_LN_2PI = 0.9189385332046728
_LAST = 4


def _high_product_rule(typing_context, a, b):  # type: ignore[no-untyped-def]
    """Return the upper 64 bits of a product of two uint64."""
    del typing_context, a, b

    def emit(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        del context, signature
        wide = ir.IntType(128)
        x, y = (builder.zext(v, wide) for v in arguments)
        return builder.trunc(builder.lshr(builder.mul(x, y), ir.Constant(wide, 64)), ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), emit


_high_product: Any = intrinsic(_high_product_rule)


def _bits_rule(typing_context, x):  # type: ignore[no-untyped-def]
    """Return the bits of a float64 as uint64."""
    del typing_context, x

    def emit(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        del context, signature
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.uint64(types.float64), emit


_bits: Any = intrinsic(_bits_rule)


def _from_bits_rule(typing_context, x):  # type: ignore[no-untyped-def]
    """Return the float64 with the given bits."""
    del typing_context, x

    def emit(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        del context, signature
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.uint64), emit


_from_bits: Any = intrinsic(_from_bits_rule)


@njit(cache=True, nogil=True, inline="always")
def _block(stream: Words) -> None:
    """Raise the counter and fill ``stream[4:8]`` with the next four words."""
    k0, k1 = stream[0], stream[1]
    c0, c1, c2, c3 = stream[2] + np.uint64(1), np.uint64(0), np.uint64(0), np.uint64(0)
    stream[2] = c0
    for _ in range(10):
        h0, l0 = _high_product(_M0, c0), _M0 * c0
        h1, l1 = _high_product(_M1, c2), _M1 * c2
        c0, c1, c2, c3 = h1 ^ c1 ^ k0, l1, h0 ^ c3 ^ k1, l0
        k0 += _W0
        k1 += _W1
    stream[4], stream[5], stream[6], stream[7] = c0, c1, c2, c3
    stream[3] = np.uint64(0)


@njit(cache=True, nogil=True)
def seek(stream: Words, key: Words, used: np.uint64) -> None:
    """Place a stream after its first `used` words.

    ``stream (8,)`` holds key (2), blocks drawn, position in the block, block (4).
    """
    stream[0], stream[1] = key[0], key[1]
    inside = used % np.uint64(4)
    stream[2] = used // np.uint64(4)
    stream[3] = np.uint64(_LAST)
    if inside > np.uint64(0):
        _block(stream)
        stream[3] = inside


@njit(cache=True, nogil=True)
def used_words(stream: Words) -> np.uint64:
    """Return how many words were drawn from a stream."""
    used: np.uint64 = stream[2] * np.uint64(4) - (np.uint64(_LAST) - stream[3])
    return used


@njit(cache=True, nogil=True, inline="always")
def word(stream: Words) -> np.uint64:
    """Draw 64 bits."""
    if stream[3] == np.uint64(_LAST):
        _block(stream)
    position = stream[3]
    stream[3] = position + np.uint64(1)
    drawn: np.uint64 = stream[np.uint64(4) + position]
    return drawn


@njit(cache=True, nogil=True, inline="always")
def unit(stream: Words) -> float:
    """Draw a number in [0, 1), a multiple of 2**-53, as NumPy does."""
    return np.float64(word(stream) >> np.uint64(11)) * 1.1102230246251565e-16


@njit(cache=True, nogil=True, inline="always")
def logarithm(x: float) -> float:
    """Return ln(x) of a normal positive number, good to about 2 units in the last place of max(1, ln x)."""
    bits = _bits(x)
    exponent = np.float64(np.int64(bits >> np.uint64(52)) - 1023)
    m = _from_bits((bits & _MANTISSA) | _ONE_BITS)
    if m > _SQRT2:
        m *= 0.5
        exponent += 1.0
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    z2 = z * z
    z4 = z2 * z2
    low = (1.0 + z * (1.0 / 3.0)) + z2 * (1.0 / 5.0 + z * (1.0 / 7.0))
    middle = (1.0 / 9.0 + z * (1.0 / 11.0)) + z2 * (1.0 / 13.0 + z * (1.0 / 15.0))
    high = (1.0 / 17.0 + z * (1.0 / 19.0)) + z2 * (1.0 / 21.0 + z * (1.0 / 23.0))
    value: float = exponent * _LN2 + (2.0 * s) * (low + z4 * (middle + z4 * high))
    return value


@njit(cache=True, nogil=True, inline="always")
def exponential(stream: Words) -> float:
    """Draw an exponential deviate of mean 1: minus the logarithm of a number in (0, 1]."""
    u = np.float64((word(stream) >> np.uint64(11)) + np.uint64(1)) * 1.1102230246251565e-16
    return -logarithm(u)


@njit(cache=True, nogil=True)
def log_factorial(k: float) -> float:
    """Return ln(k!) of a whole number: by multiplication below 10, then Stirling's series."""
    if k < 10.0:
        product = 1.0
        factor = 2.0
        while factor <= k:
            product *= factor
            factor += 1.0
        return logarithm(product)
    n = k + 1.0
    r = 1.0 / n
    r2 = r * r
    series = r * (1.0 / 12.0 - r2 * (1.0 / 360.0 - r2 * (1.0 / 1260.0 - r2 * (1.0 / 1680.0))))
    return (n - 0.5) * logarithm(n) - n + _HALF_LN_2PI + series


@njit(cache=True, nogil=True)
def poisson(stream: Words, mean: float) -> float:
    """Draw a Poisson deviate as a whole float; mean in [0, 1e15].

    Below 10 the arrivals of a process of rate 1 are counted, above the transformed
    rejection PTRS of Hormann (1993) is used.
    """
    if mean < 10.0:
        count = 0.0
        reached = exponential(stream)
        while reached < mean:
            count += 1.0
            reached += exponential(stream)
        return count
    log_mean = logarithm(mean)
    b = 0.931 + 2.53 * np.sqrt(mean)
    a = -0.059 + 0.02483 * b
    inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
    v_r = 0.9277 - 3.6224 / (b - 2.0)
    while True:
        u = unit(stream) - 0.5
        v = 1.0 - unit(stream)
        us = 0.5 - abs(u)
        k = np.floor((2.0 * a / us + b) * u + mean + 0.43) if us > 0.0 else -1.0
        if us >= 0.07 and v <= v_r:
            return k
        if k < 0.0 or (us < 0.013 and v > us):
            continue
        if logarithm(v * inverse_alpha / (a / (us * us) + b)) <= k * log_mean - mean - log_factorial(k):
            return k
