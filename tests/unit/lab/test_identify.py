"""The report on identifiability: read from checkpoints, written as page and table."""

from __future__ import annotations

import csv
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from haptos.errors import ParameterError
from haptos.inference.calibration import Prior
from haptos.lab.identify import Named, identify, noise_of, page, parameters_by_module, read_folder, report, table
from haptos.numerics import philox_stream

NAMES = ("A-01", "A-02", "term t1")
SLOPES = np.array([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 0.0]])
CENTRE = np.array([-1.0, 5.0, 0.0])
PARAMETERS = tuple(Named(f"k{i}", "erk" if i < 2 else "rho", "assumed") for i in range(3))


def members(n: int = 32) -> np.ndarray:
    draws = 0.5 * philox_stream(1, "test", 0, 0).standard_normal((n, 3))
    draws[:, 0] *= 0.2
    return draws


def write(folder: Path, *, step: float = 0.3) -> Path:
    """Write checkpoints of a linear model in two chunks and two rounds."""
    points = np.vstack([np.zeros(3), step * np.eye(3)])
    for first in (0, 2):
        chunk = points[first : first + 2]
        np.savez(folder / f"sensitivities{first}.npz", members=chunk, margins=CENTRE + chunk @ SLOPES.T)
    for number, scale in ((2, 9.0), (10, 1.0)):  # the tenth round is after the second
        np.savez(folder / f"round{number}.npz", members=scale * members(), margins=np.zeros((32, 3)))
    return folder


def test_checkpoints_give_back_the_sensitivities_and_the_last_members(tmp_path):
    margins, slopes, last = read_folder(write(tmp_path))
    assert margins == pytest.approx(CENTRE)
    assert slopes == pytest.approx(SLOPES)
    assert np.array_equal(last, members())


def test_checkpoints_that_are_missing_or_of_another_kind_are_refused(tmp_path):
    with pytest.raises(ParameterError, match="run these steps first"):
        read_folder(tmp_path)
    write(tmp_path)
    np.savez(tmp_path / "sensitivities2.npz", members=np.ones((2, 3)), margins=np.zeros((2, 3)))
    with pytest.raises(ParameterError, match="one step along each parameter"):
        read_folder(tmp_path)


def test_bounds_numbers_and_members_are_told_apart(tmp_path):
    found = identify(PARAMETERS, NAMES, *read_folder(write(tmp_path)), noise=0.1, start=0.5)
    assert found.bounds.removed == pytest.approx([0.99, 0.0, 0.0], abs=1e-3)  # the second bound is well met
    assert found.numbers.removed == pytest.approx([0.99, 0.9975, 0.0], abs=1e-3)
    assert found.terms.removed == pytest.approx([0.0, 0.0, 0.0])
    assert found.ensemble.narrowed[0] == pytest.approx(0.2, rel=0.3)
    assert (found.findings, found.n_terms, found.met, found.members) == (3, 1, 1, 32)


def test_page_and_table_say_so(tmp_path):
    found = identify(PARAMETERS, NAMES, *read_folder(write(tmp_path)), noise=0.1, start=0.5)
    text = page(found, "a made-up model")
    assert "one-sided information only" in text
    assert "| `k0` | erk | assumed | 0.99 | 0.99 |" in text
    assert "| `k1` |" not in text
    assert "| erk | 2 | 1 | 2 | 1 | 0 |" in text
    assert "| rho | 1 | 0 | 0 | 0 | 1 |" in text
    assert "The median parameter" not in text
    assert "{" not in text
    rows = list(csv.DictReader(table(found).splitlines()))
    assert [row["parameter"] for row in rows] == ["k0", "k1", "k2"]
    assert float(rows[1]["removed_numbers"]) == pytest.approx(0.9975, abs=1e-3)
    assert rows[0]["partner"] == ""


def test_a_start_that_is_not_that_of_the_members_is_noticed(tmp_path):
    found = identify(PARAMETERS, NAMES, *read_folder(write(tmp_path)), noise=0.1, start=1.0)
    assert "The median parameter has 0." in page(found)


def test_arrays_of_another_model_are_refused():
    with pytest.raises(ParameterError, match="another model"):
        identify(PARAMETERS, NAMES, CENTRE, SLOPES[:, :2], members(), noise=0.1, start=0.5)


def test_the_library_has_a_module_for_every_free_parameter():
    named = parameters_by_module()
    assert len(named) == Prior.of_table().n_free
    assert {"erk", "integrin", "nfkb"} <= {n.module for n in named}


def test_the_noise_is_half_of_what_the_assay_resolves():
    noise = SimpleNamespace(smallest_fold=1.5)
    plan = SimpleNamespace(assay=SimpleNamespace(noise=lambda protocol: noise), experiment=SimpleNamespace(assay=None))
    whole = SimpleNamespace(plans={"A-01": plan})
    terms = [SimpleNamespace(record="t1", smallest_fold=1.3)]
    found = noise_of(whole, terms, NAMES, other=0.1)  # type: ignore[arg-type]
    assert found == pytest.approx([0.5 * np.log(1.5), 0.1, 0.5 * np.log(1.3)])


def test_a_report_needs_the_parameters_of_the_library(tmp_path):
    files = {"page_file": tmp_path / "p.md", "table_file": tmp_path / "t.csv"}
    with pytest.raises(ParameterError, match="calibrate again"):
        report(write(tmp_path), NAMES, noise=0.1, start=0.5, **files)
    assert not files["page_file"].exists()
