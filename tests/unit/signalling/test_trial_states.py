"""Right-hand sides at states that no cell reaches, but trial steps of solvers do."""

from __future__ import annotations

import numpy as np
import pytest

from haptos.numerics import evaluate_tape
from haptos.numerics.streams import philox_stream
from haptos.signalling.model import model
from unit.signalling.repertoires import SEVERAL


@pytest.mark.parametrize("depth", [1e-30, 1e-16, 1e-9])
@pytest.mark.parametrize("repertoire", ["platelet", "all"])
def test_rates_are_finite_where_amounts_fall_slightly_below_zero(repertoire: str, depth: float) -> None:
    """Solvers that do not lift states to zero, such as those of other programs, must get through, too."""
    network = model(SEVERAL[repertoire]).network
    start, constants = network.start_values()
    absent = start == 0.0
    assert absent.any()
    signs = philox_stream(7, "trial states").choice([-1.0, 1.0], size=(32, start.size))
    signs[0] = -1.0
    states = np.where(absent, depth * signs, start)[:, None]
    rates = evaluate_tape(network.system.rhs, states, np.repeat(constants, 32, axis=0), np.zeros(1))
    assert {network.states[i] for i in np.flatnonzero(~np.isfinite(rates).all(axis=(0, 1)))} == set()
