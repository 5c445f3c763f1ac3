"""Details of single assays."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from haptos.assays.base import Need, Sample, Value
from haptos.assays.densitometry import band_volumes
from haptos.assays.gel_image import BLOT, Band, Strip, draw
from haptos.assays.registry import find_assay
from haptos.errors import ParameterError
from haptos.numerics import philox_stream

TIMES = np.array([0.0, 60.0, 120.0])


def sample(**quantities):
    return Sample(TIMES, {k: np.full(3, float(v)) for k, v in quantities.items()}, {"nucleus_area": 70.0})


def readings(assay, s, **fields):
    protocol = find_assay(assay).protocol(**fields)
    return {(v.measure, v.of): v.value for v in find_assay(assay).ideal(s, protocol)}


def test_names_of_needs_are_identifiers():
    assert Need("level", "RELA:NFKB1").name == "level__RELA_NFKB1"


def test_saturation_compresses_strong_bands():
    weak = readings("western_blot", sample(level__ILK=1), probes=["ILK"], saturation="100 nM")["level", "ILK"]
    strong = readings("western_blot", sample(level__ILK=100), probes=["ILK"], saturation="100 nM")["level", "ILK"]
    assert weak == pytest.approx(1 / 1.01)
    assert strong == pytest.approx(50)


def test_medium_blot_sums_both_forms_and_wants_no_housekeeping_protein():
    s = sample(pro__MMP9=3, active__MMP9=1)
    fields = {"probes": ["MMP9"], "fraction": "conditioned_medium"}
    assert readings("western_blot", s, **fields)["level", "MMP9"] == 4
    assert find_assay("western_blot").fresh_medium(find_assay("western_blot").protocol(**fields))
    with pytest.raises(ValidationError, match="total_protein"):
        readings("western_blot", s, **fields, loading_control="ACTB")
    with pytest.raises(ValidationError, match="probe and loading control"):
        readings("western_blot", s, probes=["ACTB"])
    with pytest.raises(ValidationError, match="stands twice"):
        readings("western_blot", s, probes=["ILK", "ILK"])


def test_phosphorylation_is_over_total_even_when_the_protein_is_lost():
    found = readings("phospho_blot", sample(phosphorylation__RELA_pS536=5, level__RELA=20), sites=["RELA_pS536"])
    assert found == {("phosphorylation", "RELA_pS536"): 0.25, ("level", "RELA"): 20}
    lost = readings("phospho_blot", sample(phosphorylation__RELA_pS536=0, level__RELA=0), sites=["RELA_pS536"])
    assert lost["phosphorylation", "RELA_pS536"] == 0
    with pytest.raises(ValidationError, match="at least one"):
        find_assay("phospho_blot").protocol()


def test_a_phospho_band_can_be_read_over_loading_where_the_protein_itself_is_taken_away():
    fields = {"sites": ["RELA_pS536"], "over": "loading"}
    found = readings("phospho_blot", sample(phosphorylation__RELA_pS536=5, level__RELA=20), **fields)
    assert found == {("phosphorylation", "RELA_pS536"): 5, ("level", "RELA"): 20}


def test_poor_efficiency_compresses_folds():
    def fold(efficiency):
        low, high = (
            readings("qpcr", sample(mrna__MMP9=m), genes=["MMP9"], efficiency=efficiency)["mrna", "MMP9"]
            for m in (1, 8)
        )
        return high / low

    assert fold("100 %") == pytest.approx(8)
    assert fold("80 %") > 8  # more cycles per doubling than assumed: the quotient is exaggerated


def test_zymogram_parts_sum_and_only_gelatinases_show():
    found = readings("zymography", sample(pro__MMP9=3, active__MMP9=1))
    assert found["total", "MMP9"] == 4
    assert found["active_fraction", "MMP9"] == 0.25
    with pytest.raises(ParameterError, match="ILK cannot be seen"):
        find_assay("zymography").protocol_for("active", ["ILK"])


def test_fractions_mix_and_keep_the_sum():
    s = sample(nuclear__RELA=20, cytoplasmic__RELA=80)
    clean = readings("nuclear_fraction", s, proteins=["RELA"], cytoplasm_in_nuclei="0 %", nuclei_in_cytoplasm="0 %")
    usual = readings("nuclear_fraction", s, proteins=["RELA"])
    assert clean["nuclear_to_cytoplasmic", "RELA"] == 0.25
    assert usual["nuclear", "RELA"] == pytest.approx(0.95 * 20 + 0.05 * 80)
    assert usual["nuclear", "RELA"] + usual["cytoplasmic", "RELA"] == pytest.approx(100)
    assert usual["nuclear_share", "RELA"] == pytest.approx(0.23)


def test_bands_of_a_lane_share_the_loading_control():
    assay = find_assay("western_blot")
    protocol = assay.protocol(probes=["ILK", "MMP9"])
    values = [Value("level", "ILK", 5.0, "a.u."), Value("level", "MMP9", 5.0, "a.u.")]
    measured = np.log(assay.measure(values, protocol, philox_stream(1, "noise"), technical=20_000))
    expected = np.log1p(0.10**2) / (np.log1p(0.10**2) + np.log1p(0.15**2))
    assert np.corrcoef(measured)[0, 1] == pytest.approx(expected, abs=0.03)


def test_pores_set_who_migrates():
    day = np.linspace(0.0, 1440.0, 49)
    names = ("drive__protrusion", "drive__contraction", "proteolysis__matrix", "drive__amoeboid")
    brought = {k: np.full(49, v) for k, v in zip(names, (0.8, 0.6, 1.0, 0.0), strict=True)}
    s = Sample(day, brought, {"nucleus_area": 70.0})
    counts = [
        readings("transwell_migration", s, pore_diameter=d)["migrated", ""] for d in ("3 µm", "5 µm", "8 µm", "12 µm")
    ]
    assert 0 <= counts[0] < counts[1] < counts[2] < counts[3]
    invaded = [
        readings("transwell_invasion", s, gel=g, gel_density=d, gel_thickness="10 µm")["invaded", ""]
        for g, d in (("matrigel", "2 mg/mL"), ("matrigel", "1 mg/mL"), ("collagen_I", "1 mg/mL"))
    ]
    assert 0 <= invaded[0] < invaded[1] < invaded[2] < counts[2]


def test_all_cells_through_fill_the_fields():
    """50,000 cells on 0.33 cm² are 454.5 per field of 0.3 mm²; no more can arrive."""
    s = Sample(
        np.array([0.0, 20_000.0]),
        {
            "drive__protrusion": np.ones(2),
            "drive__contraction": np.ones(2),
            "proteolysis__matrix": np.full(2, 50.0),
            "drive__amoeboid": np.zeros(2),
        },
        {"nucleus_area": 70.0},
    )
    full = readings("transwell_migration", s)["migrated", ""]
    assert full == pytest.approx(50_000 * 0.3 / 33, rel=1e-3)
    assert full <= 50_000 * 0.3 / 33


def test_samples_without_a_nucleus_are_refused():
    assay = find_assay("transwell_migration")
    s = sample(drive__protrusion=0.5, drive__contraction=0.5, proteolysis__matrix=1, drive__amoeboid=0)
    with pytest.raises(ParameterError, match="nucleus_area"):
        assay.ideal(Sample(TIMES, s.quantities, {}), assay.protocol())


def test_the_parameters_of_the_sample_reach_the_crossing_model():
    day = np.linspace(0.0, 1440.0, 49)
    drives = {k: np.full(49, 0.6) for k in ("drive__protrusion", "drive__contraction", "proteolysis__matrix")}
    drives["drive__amoeboid"] = np.zeros(49)
    counts = [
        readings("transwell_migration", Sample(day, drives, {"nucleus_area": 70.0}, parameters))["migrated", ""]
        for parameters in ({"speed_full_drive": 0.4}, {}, {"speed_full_drive": 1.6})
    ]
    assert counts[0] < counts[1] < counts[2]


def test_volumes_are_proportional_to_amounts():
    amounts = np.array([1.0, 0.5, 0.25, 0.05, 0.0])
    picture = draw([Strip(68, (Band("x", 34.0, amounts),))], list("abcde"), BLOT, "test", philox_stream(4, "draw"))
    volumes = band_volumes(picture, "x")
    assert volumes / volumes[0] == pytest.approx(amounts, abs=0.015)
    with pytest.raises(ParameterError, match="no band 'z'"):
        band_volumes(picture, "z")


def test_drawing_refuses_what_it_cannot_show():
    rng = philox_stream(4, "draw")
    with pytest.raises(ParameterError, match="one finite amount"):
        draw([Strip(68, (Band("x", 34.0, np.array([1.0, -1.0])),))], ["a", "b"], BLOT, "test", rng)
    with pytest.raises(ParameterError, match="too near"):
        draw([Strip(68, (Band("x", 5.0, np.ones(2)),))], ["a", "b"], BLOT, "test", rng)
