"""The report on identifiability, as page and table."""

from __future__ import annotations

import csv
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from haptos.errors import ParameterError
from haptos.lab.identify import Identified, Named, identify, noise_of, page, parameters_by_module, report, table
from haptos.numerics import philox_stream
from haptos.signalling.building.parameters import free_parameters

NAMES = ("A-01", "A-02", "term t1")
SLOPES = np.array([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 0.0]])
CENTRE = np.array([-1.0, 5.0, 0.0])
PARAMETERS = tuple(Named(f"k{i}", "erk" if i < 2 else "rho", "assumed") for i in range(3))


def members(n: int = 32) -> np.ndarray:
    draws = 0.5 * philox_stream(1, "test", 0, 0).standard_normal((n, 3))
    draws[:, 0] *= 0.2
    return draws


def found(start: float = 0.5) -> Identified:
    return identify(PARAMETERS, NAMES, CENTRE, SLOPES, members(), noise=0.1, start=start)


def test_bounds_numbers_and_members_are_told_apart() -> None:
    told = found()
    assert told.bounds.removed == pytest.approx([0.99, 0.0, 0.0], abs=1e-3)  # the second bound is well met
    assert told.numbers.removed == pytest.approx([0.99, 0.9975, 0.0], abs=1e-3)
    assert told.terms.removed == pytest.approx([0.0, 0.0, 0.0])
    assert told.ensemble.narrowed[0] == pytest.approx(0.2, rel=0.3)
    assert (told.findings, told.n_terms, told.met, told.members) == (3, 1, 1, 32)


def test_page_and_table_say_so() -> None:
    text = page(found(), "a made-up model")
    assert "one-sided information only" in text
    assert "| `k0` | erk | assumed | 0.99 | 0.99 |" in text
    assert "| `k1` |" not in text
    assert "| erk | 2 | 1 | 2 | 1 | 0 |" in text
    assert "| rho | 1 | 0 | 0 | 0 | 1 |" in text
    assert "The median parameter" not in text
    assert "{" not in text
    rows = list(csv.DictReader(table(found()).splitlines()))
    assert [row["parameter"] for row in rows] == ["k0", "k1", "k2"]
    assert float(rows[1]["removed_numbers"]) == pytest.approx(0.9975, abs=1e-3)
    assert rows[0]["partner"] == ""


def test_a_start_that_is_not_that_of_the_members_is_noticed() -> None:
    assert "The median parameter has 0." in page(found(start=1.0))


def test_arrays_of_another_model_are_refused() -> None:
    with pytest.raises(ParameterError, match="another model"):
        identify(PARAMETERS, NAMES, CENTRE, SLOPES[:, :2], members(), noise=0.1, start=0.5)


def test_the_library_has_a_module_for_every_free_parameter() -> None:
    named = parameters_by_module()
    assert [n.name for n in named] == list(free_parameters())
    assert {"erk", "integrin", "nfkb"} <= {n.module for n in named}


def test_the_noise_is_half_of_what_the_assay_resolves() -> None:
    whole = SimpleNamespace(plans={"A-01": SimpleNamespace(smallest_fold=1.5)})
    terms = [SimpleNamespace(name="t1", smallest_fold=1.3)]
    found = noise_of(whole, terms, NAMES, other=0.1)  # type: ignore[arg-type]
    assert found == pytest.approx([0.5 * np.log(1.5), 0.1, 0.5 * np.log(1.3)])


def test_a_report_needs_the_parameters_of_the_library(tmp_path: Path) -> None:
    files = {"page_file": tmp_path / "p.md", "table_file": tmp_path / "t.csv"}
    with pytest.raises(ParameterError, match="calibrate again"):
        report(NAMES, CENTRE, SLOPES, members(), noise=0.1, start=0.5, **files)
    assert not files["page_file"].exists()
    n = len(parameters_by_module())
    deviations = 0.3 * philox_stream(4, "test", 0, 0).standard_normal((8, n))
    report(NAMES, CENTRE, np.zeros((3, n)), deviations, noise=0.1, start=0.3, **files, about="nothing known")
    assert "for nothing known" in files["page_file"].read_text(encoding="utf-8")
    assert len(files["table_file"].read_text(encoding="utf-8").splitlines()) == n + 1
