"""YAML that remembers its lines."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haptos.core.located import load_yaml, parse_yaml
from haptos.errors import SpecError


def test_yaml_1_2_reads_biology_as_written():
    data = parse_yaml("gene: NO\ntime: 12:30\nnumber: 1e5\nsmall: 1e-3\nflag: true\n").data
    assert data == {"gene": "NO", "time": "12:30", "number": 1e5, "small": 1e-3, "flag": True}


def test_keys_are_names_even_where_yaml_knows_them_as_values():
    assert parse_yaml("null: 1\ntrue: 2\n0.5: 3\n7: 4").data == {"null": 1, "true": 2, "0.5": 3, 7: 4}


def test_lines_of_keys_and_items():
    document = parse_yaml("a:\n  - x: 1\n  - x: 2\nb: 3\n", name="f.yaml")
    assert document.where(("a", 1, "x")) == "f.yaml:3 (a[1].x)"
    assert document.where(("b",)) == "f.yaml:4 (b)"
    assert document.where(("a", 7, "x")) == "f.yaml:1 (a)"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\nb: [1, 2\nc: 3\n", 3, "not valid YAML"),
        ("a:\n\t- 1\n", 2, "not valid YAML"),
        ("a: 1\nb: 2\na: 3\n", 3, "stands twice .first on line 1"),
    ],
)
def test_faults_are_located(text, line, message):
    with pytest.raises(SpecError, match=message) as caught:
        parse_yaml(text, name="f.yaml")
    assert f"f.yaml:{line}" in str(caught.value)


def test_all_repeated_keys_are_reported():
    with pytest.raises(SpecError) as caught:
        parse_yaml("a: 1\na: 2\nb:\n  c: 1\n  c: 2\n")
    assert len(caught.value.issues) == 2


def test_missing_files_folders_and_bytes(tmp_path):
    with pytest.raises(SpecError, match="no such file"):
        load_yaml(tmp_path / "none.yaml")
    with pytest.raises(SpecError, match="folder"):
        load_yaml(tmp_path)
    (tmp_path / "bytes.yaml").write_bytes(b"a: \xff\n")
    with pytest.raises(SpecError, match="UTF-8"):
        load_yaml(tmp_path / "bytes.yaml")


def read(text):
    try:
        return parse_yaml(text)
    except SpecError as error:
        return error


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused_with_a_place(text):
    found = read(text)
    assert not isinstance(found, SpecError) or all(i.where.startswith("<text>") for i in found.issues)
