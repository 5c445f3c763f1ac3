"""Folds over the ensemble, and what is counted in them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from haptos.lab.outcome import _folds, _spread


def test_zero_over_zero_is_no_change_and_failed_members_are_left_out() -> None:
    test = np.array([2.0, 0.0, 3.0, np.nan, 0.0])
    against = np.array([1.0, 0.0, 0.0, 1.0, 2.0])
    assert _folds(test, against).tolist() == [2.0, 1.0, math.inf, 0.0]
    assert _folds(None, against).size == 0


@pytest.mark.parametrize("infinite", [1, 3, 5])
def test_infinite_folds_give_finite_or_infinite_quantiles_but_never_nan(infinite: int) -> None:
    folds = np.array([2.0] * (6 - infinite) + [math.inf] * infinite)
    spread = _spread(folds, 1.3)
    assert spread["members"] == 6
    assert not any(math.isnan(float(v)) for v in spread.values())
    assert spread["raised"] == 1.0


def test_shares_count_only_what_the_assay_resolves() -> None:
    spread = _spread(np.array([1.0, 1.2, 1.5, 0.5]), 1.3)
    assert (spread["raised"], spread["lowered"]) == (0.25, 0.25)
    assert math.isnan(float(_spread(np.empty(0), 1.3)["median"]))
