"""Every registered assay obeys the same contract."""

from __future__ import annotations

import json
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest

from haptos.assays.base import AbstractAssay, Sample
from haptos.assays.registry import ASSAYS, find_assay, protocol_models
from haptos.assays.tables import relative_to_arm, tidy_rows
from haptos.conditions.experiment import Experiment, Protocol
from haptos.core.located import load_yaml, parse_yaml
from haptos.core.specs import Catalogue, read_spec
from haptos.errors import ParameterError, SpecError
from haptos.numerics import philox_stream

ENTITIES = {
    "phospho_blot": ("RELA_pS536",),
    "zymography": ("MMP9",),
    "elisa": ("IL6",),
    "co_ip": ("PTK2:SRC",),
    "apoptosis": ("CASP3",),
}
#: Readouts that do not change when all amounts double, that fall then, and vocabulary that is still missing.
QUOTIENTS = {
    "phosphorylation",
    "active_fraction",
    "nuclear_to_cytoplasmic",
    "nuclear_share",
    "gtp_bound",
    "high_affinity",
    "bound",
    "clustered",
    "unbound",
    "cytochrome_c_release",
}
FALLING = {"survival"}
#: What sets the pace of a process and is no amount.
PACES = {"drive__division"}
NOT_YET_IN_VOCABULARY = {"nuclear_fraction": {"cytoplasmic"}}
DRIVES = {
    "drive__protrusion": 0.5,
    "drive__contraction": 0.5,
    "proteolysis__matrix": 3.0,
    "drive__amoeboid": 0.1,
    "drive__division": 0.9,
    "count__S_entry": 1.2,
    "count__death": 0.8,
    "attached__cells": 0.08,
}


@pytest.fixture(params=list(ASSAYS))
def assay(request: pytest.FixtureRequest) -> AbstractAssay:
    return ASSAYS[request.param]


def usual(assay: AbstractAssay, measure: str | None = None) -> Protocol:
    return assay.protocol_for(measure or next(iter(assay.measures)), ENTITIES.get(assay.name, ("RELA",)))


def sample_of(assay: AbstractAssay, protocol: Protocol, scale: float = 1.0) -> Sample:
    times = assay.times(protocol)
    amounts = {}
    for i, need in enumerate(assay.needs(protocol)):
        level = DRIVES.get(need.name, 10.0 + 7.0 * i)
        amounts[need.name] = (1.0 if need.name in PACES else scale) * np.linspace(0.5 * level, level, times.size)
    return Sample(times, amounts, {"nucleus_area": 70.0, "cell_volume": 2494.0})


def table_of(assay: AbstractAssay, protocol: Protocol, repeats: int = 2) -> pd.DataFrame:
    rows = []
    for replicate in range(1, repeats + 1):
        for arm, scale in (("vector", 0.3), ("ILK", 1.0), ("ILK + drug", 0.55), ("siRNA", 0.15)):
            values = assay.ideal(sample_of(assay, protocol, scale), protocol)
            rng = philox_stream(5, "noise", replicate, arm)
            rows += tidy_rows(arm, replicate, values, assay.measure(values, protocol, rng, technical=1))
    return pd.DataFrame(rows)


def test_metadata_is_complete_and_in_the_vocabulary(assay):
    entries = load_yaml(str(files("haptos").joinpath("library/vocabulary/assays.yaml"))).data["assays"]
    entry = {e["id"]: e for e in entries}[assay.name]
    known = {m["id"]: m["unit"] for m in entry["measures"]}
    extra = set(assay.measures) - set(known)
    assert extra <= NOT_YET_IN_VOCABULARY.get(assay.name, set())
    assert {m: u for m, u in assay.measures.items() if m in known} == {
        m: known[m] for m in assay.measures if m in known
    }
    assert assay.relative <= set(assay.measures)
    assert assay.label == entry["label"] or assay.label.endswith(entry["label"])
    assert assay.protocol.model_fields["name"].default == assay.name
    assert assay.__doc__


def test_noise_is_stated_with_its_source(assay):
    noise = assay.noise(usual(assay))
    assert 0 < noise.technical < 1
    assert 0 < noise.biological < 1
    assert 1 < noise.smallest_fold < 2
    assert noise.floor >= 0
    assert noise.source.startswith(("assumed", "measured"))


def test_times_increase_to_the_end(assay):
    for duration in (None, 90.0, 601.0):
        protocol = assay.protocol_for(
            next(iter(assay.measures)), ENTITIES.get(assay.name, ("RELA",)), duration=duration
        )
        times = assay.times(protocol)
        assert times[0] == 0
        assert np.all(np.diff(times) > 0)
        assert times[-1] == (duration or protocol.duration.value)


def test_time_course_gives_a_series(assay):
    protocol = usual(assay).with_changes(every="2 h")
    sample = sample_of(assay, protocol)
    values = assay.ideal(sample, protocol)
    assert all(np.shape(v.value) == sample.times.shape for v in values)
    ends = assay.ideal(sample, usual(assay))
    assert [float(v.value[-1]) for v in values] == pytest.approx([v.value for v in ends])


def test_every_measure_can_be_asked_for(assay):
    for measure in assay.measures:
        protocol = usual(assay, measure)
        values = assay.ideal(sample_of(assay, protocol), protocol)
        assert measure in {v.measure for v in values}
        assert all(v.unit == assay.measures[v.measure] for v in values)


def test_ideal_is_deterministic_and_reads_only_its_needs(assay):
    protocol = usual(assay)
    sample = sample_of(assay, protocol)
    first, second = assay.ideal(sample, protocol), assay.ideal(sample, protocol)
    assert first == second
    more = Sample(sample.times, {**sample.quantities, "level__OTHER": sample.times}, sample.geometry)
    assert assay.ideal(more, protocol) == first
    assert assay.ideal_many([sample, more], protocol) == (first, first)
    for need in assay.needs(protocol):
        less = {k: v for k, v in sample.quantities.items() if k != need.name}
        with pytest.raises(ParameterError, match=need.name):
            assay.ideal(Sample(sample.times, less, sample.geometry), protocol)


def test_amounts_scale_and_quotients_do_not(assay):
    protocol = usual(assay)
    once = assay.ideal(sample_of(assay, protocol, 0.4), protocol)
    twice = assay.ideal(sample_of(assay, protocol, 0.8), protocol)
    for a, b in zip(once, twice, strict=True):
        if a.measure in QUOTIENTS:
            assert b.value == pytest.approx(a.value)
            assert a.value > 0
        elif a.measure in FALLING:
            assert 0 <= b.value < a.value
        elif a.measure in assay.relative:
            assert b.value == pytest.approx(2 * a.value)
        else:
            assert b.value > a.value >= 0


def test_measured_values_are_positive_reproducible_and_unbiased(assay):
    protocol = usual(assay)
    values = assay.ideal(sample_of(assay, protocol), protocol)
    measured = assay.measure(values, protocol, philox_stream(1, "noise"), technical=20_000)
    assert measured.shape == (len(values), 20_000)
    assert np.all(np.isfinite(measured))
    assert np.all(measured >= 0)
    again = assay.measure(values, protocol, philox_stream(1, "noise"), technical=20_000)
    assert np.array_equal(measured, again)
    assert measured.mean(axis=1) == pytest.approx([v.value for v in values], rel=0.035)
    assert measured.std(axis=1).min() > 0


def test_pictures_show_the_table(assay):
    protocol = usual(assay)
    table = table_of(assay, protocol)
    pictures = assay.pictures(table, protocol, philox_stream(2, "picture"))
    if not pictures:
        pytest.skip("the bench shows numbers only")
    for number, picture in enumerate(pictures):
        assert picture.pixels.dtype == np.uint16
        assert picture.lanes == ("vector", "ILK", "ILK + drug", "siRNA")
        assert len(picture.lane_edges) == 4
        bright = picture.pixels.max() > 1.2 * np.median(picture.pixels)
        assert picture.dark_on_light != bright
        _check_reading(assay, protocol, table, picture, 1 + number % 2)


def _check_reading(assay, protocol, table, picture, replicate):
    lanes = assay.densitometry(picture, protocol)
    rows = table[table["replicate"] == replicate].set_index(["arm", "measure", "of"])["value"]
    for k, value in enumerate(lanes[0]):
        read = np.array([lane[k].value for lane in lanes])
        true = np.array([rows[arm, value.measure, value.of] for arm in picture.lanes])
        if value.measure in QUOTIENTS - {"phosphorylation", "gtp_bound"}:
            assert read == pytest.approx(true, rel=0.1)
        else:
            assert np.all(np.abs(read / read.max() - true / true.max()) <= 0.03 * true / true.max() + 0.02)


def test_a_wrong_picture_is_noticed(assay):
    """The check of pictures can fail: a table with two arms exchanged is not what they show."""
    protocol = usual(assay)
    table = table_of(assay, protocol, repeats=1)
    pictures = assay.pictures(table, protocol, philox_stream(2, "picture"))
    if not pictures:
        pytest.skip("the bench shows numbers only")
    table["arm"] = table["arm"].replace({"vector": "ILK", "ILK": "vector"})
    with pytest.raises(AssertionError):
        _check_reading(assay, protocol, table, pictures[0], 1)


def test_tables_become_relative_to_the_first_arm(assay):
    protocol = usual(assay)
    table = table_of(assay, protocol)
    relative = relative_to_arm(table, "vector", assay.relative)
    means = relative[relative["arm"] == "vector"].groupby("measure")["value"].mean()
    for measure in assay.relative & set(means.index):
        assert means[measure] == pytest.approx(1.0)
    untouched = ~table["measure"].isin(list(assay.relative))
    assert relative["value"][untouched].equals(table["value"][untouched])


def test_nonsense_is_refused(assay):
    protocol = usual(assay)
    other = next(a for a in ASSAYS.values() if a.name != assay.name)
    with pytest.raises(ParameterError, match="no measure"):
        assay.protocol_for("magic", ("RELA",))
    with pytest.raises(ParameterError):
        assay.protocol_for(next(iter(assay.measures)), ENTITIES.get(assay.name, ("RELA",)), duration=-5.0)
    for call in (assay.noise, assay.times, assay.needs):
        with pytest.raises(ParameterError, match="needs a"):
            call(usual(other))
    sample = sample_of(assay, protocol)
    short = {k: v[:-1] for k, v in sample.quantities.items()}
    with pytest.raises(ParameterError, match="shape"):
        assay.ideal(Sample(sample.times, short, sample.geometry), protocol)


def test_protocol_schema_describes_every_field(assay):
    schema = json.loads(json.dumps(assay.protocol.model_json_schema()))
    undescribed = [name for name, field in schema["properties"].items() if not field.get("description")]
    assert undescribed == []
    assert schema["additionalProperties"] is False


def test_protocols_are_read_from_experiment_files(assay):
    protocol = usual(assay)
    text = json.dumps({"cells": "A549", "arms": {"a": [], "b": []}, "assay": protocol.model_dump(mode="json")})
    catalogue = Catalogue(models={"assay": protocol_models()})
    experiment = read_spec(Experiment, parse_yaml(text), catalogue=catalogue)
    assert experiment.assay == protocol
    wrong = json.dumps({"cells": "A549", "arms": {"a": []}, "assay": {"name": assay.name, "duration": "5 µm", "x": 1}})
    with pytest.raises(SpecError) as caught:
        read_spec(Experiment, parse_yaml(wrong), catalogue=catalogue)
    assert len(caught.value.issues) >= 2


def test_unknown_assay_gives_the_nearest():
    with pytest.raises(ParameterError, match="did you mean 'western_blot'"):
        find_assay("western-blott")
    with pytest.raises(TypeError):
        ASSAYS["new"] = ASSAYS["qpcr"]  # type: ignore[index]
