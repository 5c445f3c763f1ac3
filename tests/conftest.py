"""What all tests share: how hypothesis searches, and a quiet surrounding."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("commit", max_examples=40, deadline=None, derandomize=True)
settings.register_profile(
    "nightly", max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "commit"))


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the tester's own HAPTOS_* variables out of the tests."""
    for name in [n for n in os.environ if n.startswith("HAPTOS_")]:
        monkeypatch.delenv(name)
