"""Random numbers of the stochastic engine in plain Python: the readable twin of the kernels.

Words come from :class:`numpy.random.Philox`; deviates use the same arithmetic in the same
order as the compiled code, so the bits are equal. This module is for tests and for
reading; it is about a thousand times slower.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["ReferenceStream", "log_factorial", "logarithm"]

_LN2 = 0.6931471805599453
_SQRT2 = 1.4142135623730951
_HALF_LN_2PI = 0.9189385332046728
_STEP = 2.0**-53


def logarithm(x: float) -> float:
    """Return ln(x) by the series of the inverse hyperbolic tangent.

    Parameters
    ----------
    x : float
        A normal positive number.

    Notes
    -----
    With x = m * 2**e and m in (sqrt(1/2), sqrt(2)], ln x = e ln 2 + 2 artanh(s) with
    s = (m - 1)/(m + 1), |s| < 0.172, and artanh(s) = s + s**3/3 + s**5/5 + ... to s**23.

    Examples
    --------
    >>> logarithm(10.0)
    2.302585092994046
    """
    half, e = math.frexp(x)
    m, exponent = 2.0 * half, float(e - 1)
    if m > _SQRT2:
        m, exponent = 0.5 * m, exponent + 1.0
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    z2 = z * z
    z4 = z2 * z2
    thirds = [1.0 / k for k in range(1, 24, 2)]
    low, middle, high = ((a + z * b) + z2 * (c + z * d) for a, b, c, d in (thirds[0:4], thirds[4:8], thirds[8:12]))
    return exponent * _LN2 + (2.0 * s) * (low + z4 * (middle + z4 * high))


def log_factorial(k: float) -> float:
    """Return ln(k!) of a whole number: by multiplication below 10, then Stirling's series."""
    if k < 10.0:
        return logarithm(float(math.factorial(int(k))))
    n = k + 1.0
    r = 1.0 / n
    r2 = r * r
    series = r * (1.0 / 12.0 - r2 * (1.0 / 360.0 - r2 * (1.0 / 1260.0 - r2 * (1.0 / 1680.0))))
    return (n - 0.5) * logarithm(n) - n + _HALF_LN_2PI + series


class ReferenceStream:
    """One stream of words and what is made of them.

    Parameters
    ----------
    key : tuple of int
        The two words of the Philox key.
    """

    def __init__(self, key: tuple[int, int]) -> None:
        self._source = np.random.Philox(counter=0, key=np.array(key, dtype=np.uint64))

    def word(self) -> int:
        """Draw 64 bits."""
        return int(self._source.random_raw())

    def unit(self) -> float:
        """Draw a number in [0, 1), a multiple of 2**-53."""
        return (self.word() >> 11) * _STEP

    def exponential(self) -> float:
        """Draw an exponential deviate of mean 1."""
        return -logarithm(((self.word() >> 11) + 1) * _STEP)

    def poisson(self, mean: float) -> float:
        """Draw a Poisson deviate: counted arrivals below a mean of 10, then PTRS [Hormann1993]_.

        References
        ----------
        .. [Hormann1993] W. Hormann, Insurance: Mathematics and Economics 12, 39-45 (1993).
        """
        if mean < 10.0:
            count, reached = 0.0, self.exponential()
            while reached < mean:
                count += 1.0
                reached += self.exponential()
            return count
        b = 0.931 + 2.53 * math.sqrt(mean)
        a = -0.059 + 0.02483 * b
        inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
        v_r = 0.9277 - 3.6224 / (b - 2.0)
        while True:
            u = self.unit() - 0.5
            v = 1.0 - self.unit()
            us = 0.5 - abs(u)
            k = math.floor((2.0 * a / us + b) * u + mean + 0.43) + 0.0 if us > 0.0 else -1.0
            if us >= 0.07 and v <= v_r:
                return k
            if k < 0.0 or (us < 0.013 and v > us):
                continue
            height = logarithm(v * inverse_alpha / (a / (us * us) + b))
            if height <= k * logarithm(mean) - mean - log_factorial(k):
                return k
