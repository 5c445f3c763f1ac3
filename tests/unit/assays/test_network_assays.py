"""Assays of the network: what they make of known quantities."""

from __future__ import annotations

import re
from importlib import resources

import numpy as np
import pytest

from haptos.assays.base import Sample, Value
from haptos.assays.histogram_image import (
    CHANNELS,
    channel_centres,
    distributions,
    draw_histograms,
    normal_peak,
    unmixed,
)
from haptos.assays.masses import mass_of
from haptos.assays.registry import ASSAYS, find_assay
from haptos.assays.shares import scattered, scattered_parts
from haptos.errors import ParameterError
from haptos.numerics import philox_stream

MINUTES_60 = {"phospho_blot", "co_ip", "gtpase_pulldown", "binding_affinity", "clustering", "live_imaging_localization"}


def read(name, protocol, **courses):
    assay = find_assay(name)
    times = assay.times(protocol)
    quantities = {
        k: np.broadcast_to(np.asarray(v(times) if callable(v) else v, float), times.shape) for k, v in courses.items()
    }
    values = assay.ideal(Sample(times, quantities, {"cell_volume": 1000.0}), protocol)
    return {(v.measure, v.of): v.value for v in values}


@pytest.mark.parametrize("name", sorted(MINUTES_60 | {"adhesion_strength"}))
def test_early_signals_are_read_after_an_hour(name):
    assert ASSAYS[name].protocol.model_fields["duration"].default.value == 60.0


@pytest.mark.parametrize(
    "name", ["emsa", "reporter", "elisa", "flow_surface_expression", "cell_cycle", "apoptosis", "drug_survival"]
)
def test_late_outcomes_are_read_after_a_day(name):
    assert ASSAYS[name].protocol.model_fields["duration"].default.value == 1440.0


def test_a_constant_hazard_gives_exponential_shares():
    hazard = 1e-3

    def counter(times):
        return 5.0 + hazard * times

    dead = read("apoptosis", ASSAYS["apoptosis"].protocol(), count__death=counter)["apoptotic_fraction", ""]
    alive = read("drug_survival", ASSAYS["drug_survival"].protocol(), count__death=counter)["survival", ""]
    assert dead == pytest.approx(1 - np.exp(-1.44))
    assert dead + alive == pytest.approx(1.0)
    clonogenic = ASSAYS["drug_survival"].protocol(method="clonogenic")
    both = read("drug_survival", clonogenic, count__death=counter, count__S_entry=counter)["survival", ""]
    assert both == pytest.approx(alive * dead)


def test_phases_follow_from_when_cells_entered():
    hazard = 5e-4
    protocol = ASSAYS["cell_cycle"].protocol()
    found = read("cell_cycle", protocol, count__S_entry=lambda times: hazard * times, drive__division=1.0)
    entered = [1 - np.exp(-hazard * t) for t in (1440.0, 960.0, 720.0)]
    assert found["s_phase_entry", ""] == pytest.approx(entered[0])
    assert found["s_phase_fraction", ""] == pytest.approx(entered[0] - entered[1])
    assert found["g2m_fraction", ""] == pytest.approx(entered[1] - entered[2])
    held = read("cell_cycle", protocol, count__S_entry=lambda times: hazard * times, drive__division=0.0)
    assert held["g2m_fraction", ""] == pytest.approx(entered[1])
    assert held["s_phase_fraction", ""] == found["s_phase_fraction", ""]
    short = protocol.with_changes(duration="4 h")
    early = read("cell_cycle", short, count__S_entry=lambda times: hazard * times, drive__division=1.0)
    assert early["s_phase_fraction", ""] == early["s_phase_entry", ""] > 0
    assert early["g2m_fraction", ""] == 0.0


def test_mobility_is_a_share_of_free_diffusion_and_is_read_within_minutes():
    protocol = ASSAYS["lateral_mobility"].protocol(receptors=["integrins"])
    assert protocol.duration.value == pytest.approx(10.0)
    found = read("lateral_mobility", protocol, diffusion__integrins=0.25)
    assert found["diffusion", "integrins"] == pytest.approx(0.025)


def test_affinity_does_not_see_how_many_receptors_there_are():
    protocol = ASSAYS["binding_affinity"].protocol(receptors=["integrins"])
    names = {"bound__integrins": 1.0, "high_affinity__integrins": 3.0, "surface__integrins": 12.0}
    once = read("binding_affinity", protocol, affinity__integrins=0.02, **names)
    more = read("binding_affinity", protocol, affinity__integrins=0.02, **{k: 5 * v for k, v in names.items()})
    assert once == pytest.approx(more)
    assert once["high_affinity", "integrins"] == pytest.approx(0.25)
    none = read("binding_affinity", protocol, affinity__integrins=0.0, **dict.fromkeys(names, 0.0))
    assert none["high_affinity", "integrins"] == 0.0


def test_shares_of_a_total():
    pulled = read(
        "gtpase_pulldown", ASSAYS["gtpase_pulldown"].protocol(gtpases=["RAC1"]), gtp__RAC1=2.0, level__RAC1=40.0
    )
    assert pulled["gtp_bound", "RAC1"] == pytest.approx(0.05)
    protocol = ASSAYS["apoptosis"].protocol(cytochrome_c=True, freed=["BMF"])
    quantities = {
        "count__death": 0.0,
        "released__CYCS": 30.0,
        "level__CYCS": 100.0,
        "unbound__BMF": 1.0,
        "level__BMF": 5.0,
    }
    found = read("apoptosis", protocol, **quantities)
    assert found["cytochrome_c_release", ""] == pytest.approx(0.3)
    assert found["unbound", "BMF"] == pytest.approx(0.2)


def test_half_of_the_cells_stay_at_the_stated_strength():
    protocol = ASSAYS["adhesion_strength"].protocol(bonds=1204.428152, steepness=3, nonspecific="10 %")
    at_half = read("adhesion_strength", protocol, attached__cells=2.0, coupled__cells=2.0)["attached_fraction", ""]
    at_twice = read("adhesion_strength", protocol, attached__cells=4.0, coupled__cells=4.0)["attached_fraction", ""]
    assert at_half == pytest.approx(0.1 + 0.9 * 0.5)
    assert at_twice == pytest.approx(0.1 + 0.9 * 8 / 9)
    bare = read("adhesion_strength", protocol, attached__cells=0.0, coupled__cells=0.0)["attached_fraction", ""]
    assert bare == pytest.approx(0.1)


def test_an_elisa_knows_masses_or_says_so():
    assert read("elisa", ASSAYS["elisa"].protocol(analytes=["IL6"]), secreted__IL6=0.1)[
        "concentration", "IL6"
    ] == pytest.approx(2.1)
    with pytest.raises(ParameterError, match="the mass of 'NOBODY'"):
        read("elisa", ASSAYS["elisa"].protocol(analytes=["NOBODY"]), secreted__NOBODY=0.1)


def test_an_elisa_can_read_all_that_the_modules_secrete():
    folder = resources.files("haptos.library") / "modules"
    secreted = {
        name for file in folder.iterdir() for name in re.findall(r"\bsecreted__(\w+)", file.read_text(encoding="utf-8"))
    }
    assert {"MMP9", "SERPINE1"} <= secreted
    assert all(mass_of(name) > 1.0 for name in secreted)


def test_activity_assays_ask_for_caspases_and_for_what_they_follow():
    protocol = ASSAYS["apoptosis"].protocol_for("caspase_activity", ("CASP3", "CASP8", "BMF"))
    assert protocol.caspases == ("CASP3", "CASP8")
    assert protocol.freed == ("BMF",)


def test_clonogenic_and_empty_protocols_are_checked():
    with pytest.raises(ValueError, match="at least one of 'antigens' and 'epitopes'"):
        ASSAYS["flow_surface_expression"].protocol()


def test_shares_scatter_around_their_mean_and_stay_shares():
    ideal = np.array([0.0, 0.02, 0.5, 0.97, 1.0])
    drawn = scattered(ideal, philox_stream(3, "t"), variation=0.15, cells=10_000, technical=20_000)
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    assert drawn.mean(axis=1) == pytest.approx(ideal, abs=0.002)
    between = 0.15 * ideal * (1 - ideal)
    expected = np.sqrt(between**2 + (ideal * (1 - ideal) - between**2) / 10_000)
    assert drawn.std(axis=1) == pytest.approx(expected, rel=0.03, abs=1e-12)


def test_parts_of_a_whole_sum_to_one():
    drawn = scattered_parts(np.array([0.2, 0.0, 0.8]), philox_stream(3, "p"), variation=0.2, cells=500, technical=300)
    assert drawn.sum(axis=0) == pytest.approx(np.ones(300))
    assert np.all(drawn[1] == 0)
    assert drawn[0].std() > 0


def test_histograms_read_back_what_was_drawn():
    centres = channel_centres(0.0, 4.0)
    peaks = np.stack([normal_peak(centres, m, 0.2) for m in (1.0, 2.6)])
    shares = np.array([[0.9, 0.1], [0.25, 0.75]])
    picture = draw_histograms(shares @ peaks, ["a", "b"], "stain", "t", philox_stream(1, "h"))
    found = np.array([unmixed(row, peaks) for row in distributions(picture, "stain")])
    assert found == pytest.approx(shares, abs=0.01)
    assert distributions(picture, "stain") @ centres == pytest.approx(shares @ [1.0, 2.6], abs=0.02)
    with pytest.raises(ParameterError, match="no axis 'stains'"):
        distributions(picture, "stains")
    with pytest.raises(ParameterError, match="one distribution"):
        draw_histograms(np.ones((2, CHANNELS)), ["a", "b"], "stain", "t", philox_stream(1, "h"))


def test_peaks_beyond_the_axis_pile_up_in_its_last_channel():
    centres = channel_centres(0.0, 4.0)
    assert normal_peak(centres, 9.0, 0.1)[-1] == pytest.approx(1.0)
    assert normal_peak(centres, -9.0, 0.1)[0] == pytest.approx(1.0)


def test_a_brighter_stain_is_read_as_brighter():
    """Two arms a tenth apart can be told from the picture."""
    import pandas as pd

    assay = find_assay("flow_surface_expression")
    protocol = assay.protocol(antigens=["CXCR4"])
    rows = [
        {
            "arm": arm,
            "replicate": 1,
            "technical": 0,
            "measure": "surface",
            "of": "CXCR4",
            "value": value,
            "unit": "a.u.",
        }
        for arm, value in (("a", 1.0), ("b", 1.1), ("c", 0.002))
    ]
    (picture,) = assay.pictures(pd.DataFrame(rows), protocol, philox_stream(4, "flow"))
    shown = [lane[0].value for lane in assay.densitometry(picture, protocol)]
    assert shown[1] / shown[0] == pytest.approx(1.1, rel=0.02)
    assert shown[2] / shown[0] < 0.005


def test_measured_phases_never_exceed_the_whole():
    assay = find_assay("cell_cycle")
    values = [
        Value(m, "", v, "1") for m, v in (("s_phase_entry", 0.95), ("s_phase_fraction", 0.6), ("g2m_fraction", 0.38))
    ]
    drawn = assay.measure(values, assay.protocol(), philox_stream(2, "c"), technical=2000)
    assert np.all(drawn[1] + drawn[2] <= 1.0 + 1e-12)
    assert np.all(drawn <= 1.0)
