"""``haptos evidence validate``: output, JSON, unknown records."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

import haptos.cli.evidence as commands
from haptos.errors import ParameterError
from haptos.lab.validation import running
from haptos.lab.validation.published import Target
from haptos.lab.validation.running import Row

ROWS = (
    Row("a-b", "validate", (), (), "half gone [min]", "fibroblast", Target("8 min", 4.0, 16.0), np.array([7.0, 9.0])),
    Row("c-d", "validate", (), (), "fold", "fibroblast", Target("3", 1.5, 6.0), np.array([9.0, np.nan])),
    Row("e-f", "validate", (), reason="needs single cells [for one]"),
)


@pytest.fixture(autouse=True)
def no_simulation(monkeypatch: pytest.MonkeyPatch) -> list[tuple[tuple[str, ...], int | None]]:
    asked: list[tuple[tuple[str, ...], int | None]] = []

    def validate(chosen: tuple[str, ...] = (), *, members: int | None = None) -> tuple[Row, ...]:
        asked.append((chosen, members))
        return ROWS

    monkeypatch.setattr(running, "validate", validate)
    monkeypatch.setenv("COLUMNS", "200")
    return asked


def test_the_table_shows_numbers_and_reasons() -> None:
    result = CliRunner().invoke(commands.app, ["validate"])
    assert result.exit_code == 0, result.output
    lines = {line.split()[0]: line for line in result.output.splitlines() if line.strip()}
    assert "half gone [min]" in lines["a-b"], "brackets are no markup"
    assert "8 (7.1 to 8.9)" in lines["a-b"]
    assert lines["a-b"].split()[-1] == "yes"
    assert lines["c-d"].split()[-1] == "no"
    assert "needs single cells [for one]" in lines["e-f"]
    assert "1 of 2 numbers of 2 independent records agree" in result.output


def test_json_holds_what_the_table_holds() -> None:
    result = CliRunner().invoke(commands.app, ["validate", "--json"])
    rows = json.loads(result.output)["rows"]
    assert [row["inside"] for row in rows] == [True, False, None]
    assert rows[0]["accepted"] == [4.0, 16.0]
    assert rows[1]["without_number"] == 1


def test_records_and_members_are_passed_on(no_simulation: list[tuple[tuple[str, ...], int | None]]) -> None:
    CliRunner().invoke(commands.app, ["validate", "tay-run-ikb", "hoff-run-ikb", "--members", "3"])
    assert no_simulation == [(("tay-run-ikb", "hoff-run-ikb"), 3)]


def test_an_unknown_record_is_answered_with_the_nearest() -> None:
    result = CliRunner().invoke(commands.app, ["validate", "hoff-run-ikbb"])
    assert isinstance(result.exception, ParameterError)
    assert "did you mean hoff-run-ikb" in str(result.exception)
