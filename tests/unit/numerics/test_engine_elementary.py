"""Exponential, logarithms and power against 50 digits, and on vectors."""

from __future__ import annotations

import ctypes
import decimal
from collections.abc import Callable
from decimal import Decimal

import numpy as np
import pytest

from haptos.numerics.engine.arrays import NumpyMachine
from haptos.numerics.engine.elementary import FUNCTIONS
from haptos.numerics.engine.jit import compile_kernels
from haptos.numerics.engine.vectors import Function, Module

SPECIAL = np.array(
    [0.0, -0.0, 1, -1, 2, -2, 0.5, -0.5, 3, -3, np.inf, -np.inf, np.nan, 1e300, -1e300, 1e-300, 5e-324, 1e17, 709.9]
)


def _points(name: str, count: int = 400) -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    if name == "exp":
        return [np.concatenate([rng.uniform(-707, 709, count), rng.uniform(-1, 1, count)])]
    wide = np.exp(rng.uniform(-300, 300, count))
    near, unit = 1 + rng.uniform(-1e-6, 1e-6, count), rng.uniform(0.3, 3, count)
    if name != "power":
        return [np.concatenate([wide, near, unit])]
    y = [rng.uniform(-690, 690, count) / np.log(wide), rng.uniform(-1e8, 1e8, count), rng.uniform(-5, 5, count)]
    return [np.concatenate([wide, near, unit]), np.concatenate(y)]


EXACT: dict[str, Callable[..., Decimal]] = {
    "exp": lambda x: x.exp(),
    "log": lambda x: x.ln(),
    "log10": lambda x: x.log10(),
    "power": lambda x, y: (x.ln() * y).exp(),
}


@pytest.mark.parametrize("name", EXACT)
def test_error_stays_below_two_units_in_the_last_place(name: str) -> None:
    points = _points(name)
    got = FUNCTIONS[name](NumpyMachine(), *points)
    worst = 0.0
    with decimal.localcontext(prec=50, Emax=10**6, Emin=-(10**6)):
        for value, *operands in zip(got, *points, strict=True):
            exact = EXACT[name](*(Decimal(float(x)) for x in operands))
            unit = Decimal(float(np.spacing(abs(float(exact)))))
            worst = max(worst, float(abs(Decimal(float(value)) - exact) / unit))
    assert worst < 1.0


@pytest.mark.parametrize("name", EXACT)
def test_special_values_are_those_of_ieee_754(name: str) -> None:
    a, b = (x.ravel() for x in np.meshgrid(SPECIAL, SPECIAL))
    numpy_twin = {"exp": np.exp, "log": np.log, "log10": np.log10, "power": np.power}[name]
    operands = (a, b) if name == "power" else (SPECIAL,)
    with np.errstate(all="ignore"):
        got, expected = FUNCTIONS[name](NumpyMachine(), *operands), numpy_twin(*operands)
    np.testing.assert_allclose(got, expected, rtol=1e-15, atol=0.0)
    known = ~np.isnan(expected)
    np.testing.assert_array_equal(np.signbit(got[known]), np.signbit(expected[known]))


@pytest.mark.parametrize("width", [1, 2, 4, 8])
@pytest.mark.parametrize("name", EXACT)
def test_vectors_give_the_same_bits(name: str, width: int) -> None:
    operands = [np.concatenate([p[:200], SPECIAL]) for p in _points(name)]
    size = len(operands[0]) // width * width
    module = Module(width)
    f = Function(module)
    with f.loop("0", str(size // width)) as turn:
        loaded = [f.load(f.plus(turn.index, k * size // width)) for k in range(len(operands))]
        f.store(f.call(name, *loaded), f.plus(turn.index, len(operands) * size // width))
    f.line("ret void")
    module.add(f.text("void @apply(ptr %w)"))
    machinery = compile_kernels(module.text(), ["apply"], None)
    raw = np.zeros((len(operands) + 1) * size + 8)
    memory = raw[-(raw.ctypes.data // 8) % 8 :][: (len(operands) + 1) * size].reshape(-1, size)
    memory[:-1] = [p[:size] for p in operands]
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(machinery.addresses["apply"])(memory.ctypes.data)
    with np.errstate(all="ignore"):
        expected = FUNCTIONS[name](NumpyMachine(), *(p[:size] for p in operands))
    np.testing.assert_array_equal(memory[-1], expected)
