"""The compiled random numbers: known answers, distributions by their twins."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numba import njit

from haptos.numerics.stochastic import _random
from haptos.numerics.stochastic.reference_random import ReferenceStream, log_factorial, logarithm

KEY = (0x0123456789ABCDEF, 2**64 - 3)


def stream(used=0, key=KEY):
    place = np.zeros(8, dtype=np.uint64)
    _random.seek(place, np.array(key, dtype=np.uint64), np.uint64(used))
    return place


@njit
def words(place, count):
    drawn = np.empty(count, np.uint64)
    for i in range(count):
        drawn[i] = _random.word(place)
    return drawn


@njit
def poissons(place, mean, count):
    drawn = np.empty(count)
    for i in range(count):
        drawn[i] = _random.poisson(place, mean)
    return drawn


@pytest.mark.parametrize("key", [(0, 0), (1, 2), KEY])
def test_words_are_those_of_numpy(key):
    expected = np.random.Philox(counter=0, key=np.array(key, dtype=np.uint64)).random_raw(41)
    for used in (0, 1, 3, 4, 5, 8, 11):
        place = stream(used, key)
        np.testing.assert_array_equal(words(place, 30), expected[used : used + 30])
        assert _random.used_words(place) == used + 30


def test_known_answer_of_the_first_block():
    """Philox4x64-10 with counter 1 and key 0: the first block that NumPy gives out."""
    first = np.random.Philox(counter=0, key=np.zeros(2, dtype=np.uint64)).random_raw(4)
    np.testing.assert_array_equal(words(stream(0, (0, 0)), 4), first)


def test_logarithm_is_accurate_and_equal_to_its_twin():
    rng = np.random.Generator(np.random.Philox(key=2))
    values = np.concatenate(
        [rng.random(3000), 1.0 - rng.random(300) * 1e-9, 10.0 ** rng.uniform(-300, 300, 2000), [1.0]]
    )
    for x in values.tolist():
        assert _random.logarithm(x) == logarithm(x)
        assert abs(logarithm(x) - math.log(x)) <= 4.5e-16 * max(1.0, abs(math.log(x)))
    assert logarithm(1.0) == 0.0


def test_deviates_are_equal_to_their_twins():
    twin, place = ReferenceStream(KEY), stream()
    for _ in range(200):
        assert _random.exponential(place) == twin.exponential()
        assert _random.unit(place) == twin.unit()
    for mean in (0.0, 0.2, 9.99, 10.0, 55.5, 1e4, 3e9, 1e15):
        assert poissons(place, mean, 60).tolist() == [twin.poisson(mean) for _ in range(60)]


def test_log_factorial_meets_lgamma():
    for k in (0.0, 1.0, 2.0, 9.0, 10.0, 25.0, 1e3, 1e8):
        assert log_factorial(k) == pytest.approx(math.lgamma(k + 1.0), rel=1e-13, abs=1e-13)
        assert _random.log_factorial(k) == log_factorial(k)


def test_extreme_uniforms_give_finite_exponentials():
    assert -logarithm(2.0**-53) == pytest.approx(53 * math.log(2.0))
