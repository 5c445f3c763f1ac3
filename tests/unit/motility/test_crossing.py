"""The crossing model against its readable reference, an ODE solver and closed forms."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from haptos.errors import ParameterError
from haptos.motility.barriers import Barrier, Layer, coated_filter, uncoated_filter
from haptos.motility.crossing import Drives, cross, crossed_share
from haptos.motility.parameters import crossing_parameters
from haptos.motility.reference import reference_front

P = crossing_parameters()
FILTER = uncoated_filter(8.0, 1e-3, 10.0, P)
GEL = coated_filter(FILTER, "matrigel", 1e6, 20.0, P)
TIMES = np.arange(0.0, 1441.0, 30.0)


def drives(protrusion=0.5, contraction=0.5, proteolysis=3.0, nucleus=70.0, times=TIMES, amoeboid=0.0):
    given = (protrusion, contraction, proteolysis, amoeboid)
    *rows, gait = [np.broadcast_to(np.asarray(v, dtype=float), times.shape)[None] for v in given]
    return Drives(times, *rows, np.array([nucleus]), gait)


@pytest.mark.parametrize("barrier", [FILTER, GEL], ids=["filter", "gel"])
@pytest.mark.parametrize(("proteolysis", "amoeboid"), [(0.0, 0.0), (2.0, 0.0), (20.0, 0.0), (2.0, 0.2)])
def test_equals_the_readable_reference(barrier, proteolysis, amoeboid):
    changing = proteolysis * TIMES / TIMES[-1]
    result = cross(drives(proteolysis=changing, amoeboid=amoeboid), barrier, P)
    spread = math.sqrt(math.log1p(P.speed_variation**2))
    for cell in (16, 32, 44, 52):
        expected = reference_front(
            lambda t: (0.5, 0.5, proteolysis * t / TIMES[-1], amoeboid),
            70.0,
            barrier,
            P,
            relative_speed=math.exp(spread * result.scores[cell] - 0.5 * spread**2),
            duration=1440.0,
            step=0.25,
        )
        assert result.positions[0, -1, cell] == pytest.approx(expected, rel=0.01, abs=0.02)


def test_open_pores_give_speed_times_time():
    """Nothing confines: a cell goes v·t, and the share that is through is log-normal in closed form."""
    barrier = Barrier((Layer("open", 30.0, math.inf, 0.0, math.inf),))
    result = cross(drives(), barrier, P)
    mean = P.speed_full_drive * P.directed_share * 0.5 * 0.75
    spread = math.sqrt(math.log1p(P.speed_variation**2))
    middle = result.positions[0, :, 32]
    assert middle == pytest.approx(np.minimum(mean * math.exp(-0.5 * spread**2) * TIMES, 30.0))
    score = (math.log(30.0 / (mean * 1440.0)) + 0.5 * spread**2) / spread
    assert result.crossed[0, -1] == pytest.approx(0.5 * math.erfc(score / math.sqrt(2)), rel=2e-3)


def test_dense_gel_without_proteolysis_arrests():
    dense = coated_filter(FILTER, "matrigel", 2e6, 20.0, P)
    result = cross(drives(protrusion=1.0, contraction=1.0, proteolysis=0.0), dense, P)
    assert result.crossed.max() == 0
    assert result.positions.max() == 0
    assert cross(drives(protrusion=1.0, contraction=1.0, proteolysis=20.0), dense, P).crossed[0, -1] > 0.2


def test_arrest_lies_at_a_tenth_of_the_nucleus():
    for area, moves in ((6.99, False), (7.01, True)):
        barrier = Barrier((Layer("pore", 10.0, area, 0.0, math.inf),))
        assert bool(cross(drives(proteolysis=0.0), barrier, P).positions.max() > 0) == moves


def test_speed_is_linear_in_pore_area():
    ways = [
        cross(drives(proteolysis=0.0), Barrier((Layer("pore", 1e4, a, 0.0, math.inf),)), P).positions[0, -1, 32]
        for a in (14.0, 28.0, 42.0, 70.0, 140.0)
    ]
    steps = np.diff(ways[:3])
    assert steps[0] == pytest.approx(steps[1], rel=1e-9)
    assert ways[3] == pytest.approx(ways[4])


def test_proteolysis_matters_much_more_with_gel_than_without():
    bare = [cross(drives(proteolysis=e), FILTER, P).crossed[0, -1] for e in (0.0, 3.0)]
    gel = [cross(drives(proteolysis=e), GEL, P).crossed[0, -1] for e in (0.0, 3.0)]
    assert bare[1] > bare[0] > 0.01, "an uncoated filter lets cells through without proteolysis"
    assert gel[0] < 1e-3 * bare[0]
    assert gel[1] > 1e-3 * bare[1]


def test_steady_speed_in_gel_has_its_closed_form():
    """Where digestion balances renewal, speed = reach · rate · left / (1 − left)."""
    thick = Barrier((Layer("gel", 1e6, math.inf, 2e6, P.mesh("matrigel")),))
    times = np.linspace(0.0, 40_000.0, 401)
    ways = cross(drives(proteolysis=5.0, times=times), thick, P).positions[0, :, 32]
    speed = (ways[-1] - ways[-2]) / (times[-1] - times[-2])
    left = speed / P.reach / (speed / P.reach + 5.0 * P.degradation)
    share = P.mesh("matrigel") / (left * 2e6) / 70.0
    spread = math.sqrt(math.log1p(P.speed_variation**2))
    free = P.speed_full_drive * P.directed_share * 0.375 * math.exp(-0.5 * spread**2)
    assert speed == pytest.approx(free * (share - 0.1) / 0.9, rel=1e-6)


def test_batch_equals_one_by_one():
    each = [drives(0.3), drives(0.8, proteolysis=np.linspace(0, 9, TIMES.size)), drives(nucleus=120.0)]
    batch = Drives(
        TIMES,
        *(np.concatenate([getattr(d, name) for d in each]) for name in ("protrusion", "contraction", "proteolysis")),
        np.array([70.0, 70.0, 120.0]),
    )
    together = cross(batch, GEL, P)
    for i, one in enumerate(each):
        assert np.array_equal(together.crossed[i], cross(one, GEL, P).crossed[0])


def test_an_amoeboid_gait_adds_its_speed():
    slow, fast = drives(), drives(amoeboid=0.5)
    free = Barrier((Layer("surface", 1e6, math.inf, 0.0, math.inf),))
    ways = [cross(d, free, P).positions[0, -1, 32] for d in (slow, fast)]
    assert ways[1] / ways[0] == pytest.approx(1 + 0.5 * P.speed_amoeboid / P.speed_full_drive)


def test_sampling_does_not_change_the_answer():
    coarse = cross(drives(times=np.array([0.0, 1440.0])), GEL, P).crossed[0, -1]
    assert cross(drives(), GEL, P).crossed[0, -1] == pytest.approx(coarse, rel=5e-3)


def test_nonsense_is_refused_with_all_reasons():
    with pytest.raises(ParameterError, match=r"protrusion.*nucleus_area"):
        drives(protrusion=1.5, nucleus=0.0)
    with pytest.raises(ParameterError, match="increasing"):
        drives(times=TIMES[::-1])
    with pytest.raises(ParameterError, match=r"thickness.*density"):
        Layer("gel", 0.0, 1.0, -1.0, 1.0)
    with pytest.raises(ParameterError, match="unknown gel"):
        coated_filter(FILTER, "jelly", 1e6, 20.0, P)
    with pytest.raises(ParameterError, match="at least one"):
        Barrier(())


def test_a_member_of_the_ensemble_replaces_the_central_values():
    changed = crossing_parameters({"reach": 7.0, "ktx_MMP9": 3.0})
    assert changed == replace(P, reach=7.0)
    with pytest.raises(ParameterError, match="greater than arrest_share"):
        crossing_parameters({"arrest_share": 0.3, "full_speed_share": 0.2})


def test_nothing_of_the_model_is_in_the_gel_only():
    """The same parameters serve both barriers: a gel of no density is no obstacle but its length."""
    open_gel = coated_filter(FILTER, "matrigel", 1e-6, 1e-3, replace(P))
    assert cross(drives(), open_gel, P).crossed[0, -1] == pytest.approx(
        cross(drives(), FILTER, P).crossed[0, -1], rel=1e-3
    )


def test_cells_with_small_nuclei_come_through_where_the_mean_is_stuck():
    tight = Barrier((Layer("pore", 10.0, 5.0, 0.0, math.inf),))
    assert cross(drives(proteolysis=0.0), tight, P).crossed.max() == 0
    assert 0 < crossed_share(drives(proteolysis=0.0), tight, P)[0, -1] < 0.3


def test_without_variation_all_nuclei_are_the_mean():
    alike = replace(P, nucleus_variation=0.0)
    assert crossed_share(drives(), GEL, alike) == pytest.approx(cross(drives(), GEL, alike).crossed)
