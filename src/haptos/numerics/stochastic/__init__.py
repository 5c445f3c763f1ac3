"""Markov jump processes: exact and leaping simulation of counts, batch first.

Build a :class:`StochasticSystem` from :class:`Jump` s, describe a batch as
:class:`StochasticTask`, call :func:`sample`.
"""

from __future__ import annotations

from haptos.numerics.stochastic.products import (
    Parts,
    Product,
    factors_of,
    falling,
    order_of,
    sign_bearers,
    split_signs,
    vanishes_without,
)
from haptos.numerics.stochastic.sampler import sample
from haptos.numerics.stochastic.system import Jump, StochasticSystem, build_stochastic_system
from haptos.numerics.stochastic.task import StochasticSolution, StochasticTask, explain

__all__ = [
    "Jump",
    "Parts",
    "Product",
    "StochasticSolution",
    "StochasticSystem",
    "StochasticTask",
    "build_stochastic_system",
    "explain",
    "factors_of",
    "falling",
    "order_of",
    "sample",
    "sign_bearers",
    "split_signs",
    "vanishes_without",
]
