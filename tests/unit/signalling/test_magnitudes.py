"""The vectorised estimate of magnitudes against its rule, member by member."""

from __future__ import annotations

import numpy as np

from haptos.signalling._magnitudes import Magnitudes


def test_estimates_follow_the_rule_of_every_member() -> None:
    """Median of what is known, fixed species else, one else; unknown ones a thousandth, none below a millionth."""
    rng = np.random.default_rng(2)
    names = tuple(f"s{i}" for i in range(7))
    rule = Magnitudes(names, ("cell", "fixed"), {"fixed": "cell"}, (), {"s5": 4.0}, quiet=("s6",))
    states = rng.lognormal(0, 4, (40, 7)) * rng.choice([0.0, 1.0, -1.0, np.nan], (40, 7), p=[0.3, 0.4, 0.2, 0.1])
    states[0], states[1, :6] = 0.0, 0.0
    constants = np.column_stack([np.ones(40), rng.choice([0.0, 3.0, np.nan], 40)])
    constants[0, 1] = 3.0
    found = rule.estimate(states, constants)
    for b in range(40):
        known = [abs(x) for x in states[b, :6] if np.isfinite(x) and x != 0.0]
        middle = float(np.median(known)) if known else constants[b, 1]
        middle = middle if np.isfinite(middle) and middle > 0 else 1.0
        for i, x in enumerate(states[b]):
            size = abs(x) if np.isfinite(x) and x != 0.0 else 1e-3 * middle
            assert found[b, i] == (4.0 if i == 5 else max(size, 1e-6 * middle))
