"""A quick start: importing the package or its command line loads nothing heavy."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("antimony", "duckdb", "libsbml", "matplotlib", "numba", "pandas", "pint", "scipy", "xarray", "zarr")


@pytest.mark.parametrize("module", ["haptos", "haptos.cli", "haptos.errors", "haptos.figures", "haptos.core.units"])
def test_nothing_heavy_is_loaded(module: str) -> None:
    code = f"import sys, {module}; print(*[m for m in {HEAVY!r} if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert result.stdout.split() == []
