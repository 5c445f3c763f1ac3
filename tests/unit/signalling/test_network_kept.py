"""Networks kept on disk by the text of their model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from haptos.errors import ModelError, ParameterError
from haptos.signalling._network import building, keeping
from haptos.signalling.network import Network, compile_network
from haptos.signalling.sbml import antimony_to_sbml

TEXT = antimony_to_sbml(
    "model m; A -> B; k*A/(K + A); B -> ; d*B; A = 2; B = 0; k = 1; K = 3; d = k/2; T := A + B;"
    " at time > 1: A = A + 1; end"
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HAPTOS_CACHE", str(tmp_path))
    return tmp_path / "networks"


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may read a model anew."""
    monkeypatch.setattr(building, "read_sbml", None)


def answers(network: Network) -> list[np.ndarray]:
    given = {"k": [0.5, 1.0], "d": [0.1, 0.2]}
    run = network.simulate(np.linspace(0, 3, 7), parameters=given)
    rest = [] if network.events else [network.steady_state(parameters=given).states]
    return [run.values, run.final, network.initial, network.defaults, *rest]


@pytest.mark.parametrize("events", [True, False])
def test_a_kept_network_is_the_network(events: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    text = TEXT if events else antimony_to_sbml("model m; A -> B; k*A; A = 2; B = 0; k = 1; d = k; T := A + B; end")
    first = compile_network(text)
    monkeypatch.setattr(building, "read_sbml", None)
    again = compile_network(text)
    assert again is not first
    for name in ("states", "parameters", "observables", "reactions", "laws", "units", "places", "conflicts", "source"):
        assert getattr(again, name) == getattr(first, name), name
    for mine, theirs in zip(answers(again), answers(first), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.usefixtures("unread")
@pytest.mark.parametrize("choices", [{"nonnegative": False}, {"scales": {"A": 7.0}}, {"keep": False}])
def test_other_choices_are_other_networks(choices: dict, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as reading:
        from haptos.signalling.sbml import read_sbml

        reading.setattr(building, "read_sbml", read_sbml)
        compile_network(TEXT)
    compile_network(TEXT)
    with pytest.raises(TypeError):
        compile_network(TEXT, **choices)


def test_another_version_of_the_code_reads_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    compile_network(TEXT)
    monkeypatch.setattr(building, "read_sbml", None)
    monkeypatch.setattr(keeping, "_deciding", lambda: ("other",))
    with pytest.raises(TypeError):
        compile_network(TEXT)


def test_a_damaged_or_foreign_file_is_replaced(folder: Path) -> None:
    compile_network(TEXT)
    [file] = folder.glob("*.kept")
    whole = file.read_bytes()
    for content in (whole[:-1], b"", b"x" * 500):
        file.write_bytes(content)
        compile_network(TEXT)
        assert file.read_bytes() == whole


def test_what_is_refused_is_refused_again_and_not_kept(folder: Path) -> None:
    delayed = antimony_to_sbml("model m; A -> ; k*A; A = 1; k = 1; at 2 after A < 0.5: A = 1; end")
    for _ in range(2):
        with pytest.raises(ModelError, match="delay"):
            compile_network(delayed)
        with pytest.raises(ParameterError, match="scale"):
            compile_network(TEXT, scales={"A": -1.0})
    assert not list(folder.glob("*"))


def test_texts_that_are_no_text_are_refused_as_such() -> None:
    with pytest.raises(ModelError):
        compile_network("<sbml>\udcff</sbml>")
