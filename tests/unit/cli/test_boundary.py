"""Errors become messages and exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from haptos.cli.boundary import Boundary, Exit
from haptos.errors import ModelError, ParameterError, SpecError, StoreError


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (SpecError(["a", "b"]), Exit.USAGE, "2 problems"),
        (ParameterError("too many"), Exit.USAGE, "error: too many"),
        (StoreError("disk full"), Exit.FAILED, "error: disk full"),
        (ModelError("no"), Exit.FAILED, "error: no"),
        (KeyboardInterrupt(), Exit.INTERRUPTED, "the same command goes on from there"),
        (SystemExit(130), Exit.INTERRUPTED, "the same command goes on from there"),
        (SystemExit(2), 2, ""),
        (SystemExit(0), 0, ""),
        (ZeroDivisionError("oops"), Exit.INTERNAL, "internal error: ZeroDivisionError: oops"),
    ],
)
def test_each_error_has_its_code_and_words(
    error: BaseException, code: int, words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    boundary = Boundary()
    with boundary:
        raise error
    said = capsys.readouterr().err
    assert boundary.code == code
    assert words in said
    assert "Traceback" not in said
    logs = list(tmp_path.glob("haptos-*.log"))
    assert bool(logs) == (code == Exit.INTERNAL)
    if logs:
        assert "Traceback" in logs[0].read_text()
        assert str(logs[0]) in said


def test_debug_shows_the_trace(capsys: pytest.CaptureFixture[str]) -> None:
    with Boundary(debug=True):
        raise ZeroDivisionError
    assert "Traceback" in capsys.readouterr().err
