"""Models that only libRoadRunner takes, chosen explicitly."""

from __future__ import annotations

import importlib.util
import pickle

import numpy as np
import pytest

from haptos.errors import MissingExtraError, ModelError, ParameterError
from haptos.signalling.network import Network, open_network
from haptos.signalling.sbml import antimony_to_sbml

DELAYED = antimony_to_sbml(
    "model m; A -> ; k*A; A = 1; k = 1; half = A/2; double := 2*A; E: at 1 after time > 1: k = 0; end"
)


def test_a_refused_model_runs_only_when_asked_for() -> None:
    """The result says who did it."""
    pytest.importorskip("roadrunner")
    with pytest.raises(ModelError, match="event 'E': its delay"):
        open_network(DELAYED)
    network = open_network(DELAYED, solver="libroadrunner")
    assert network.species == ("A",)
    result = network.simulate([0.0, 1.0, 1.0, 2.0, 5.0], rtol=1e-9)
    assert result["A"][0] == pytest.approx(np.exp([0, -1, -1, -2, -2]), rel=1e-5)
    assert result["double"][0] == pytest.approx(2 * result["A"][0])
    assert result.method.startswith("libRoadRunner")
    assert {work.key for work in result.cite()} == {"welsh2023", "hindmarsh2005"}
    assert not isinstance(network, Network)
    assert pickle.loads(pickle.dumps(network)).simulate([0.0, 1.0])["A"].shape == (1, 2)


def test_values_are_written_into_the_model() -> None:
    """A member is a model of its own: initial assignments follow what is overridden."""
    pytest.importorskip("roadrunner")
    network = open_network(DELAYED, solver="libroadrunner")
    result = network.simulate([0.0, 1.0], parameters={"k": [1.0, 2.0]}, initial={"A": 3.0}, outputs=["A", "half", "k"])
    assert result["half"][:, 0].tolist() == [1.5, 1.5]
    assert result["A"][:, 1] == pytest.approx(3 * np.exp([-1, -2]), rel=1e-4)
    with pytest.raises(ParameterError, match="did you mean half"):
        network.simulate([0.0], parameters={"hlaf": 1.0})
    with pytest.raises(ParameterError, match="there is no quantity"):
        network.simulate([0.0], outputs=["nobody"])
    assert network.simulate([0.0])["A"].tolist() == [[1.0]]


def test_what_nobody_takes_is_named() -> None:
    """Delays of formulas, algebraic rules and fast reactions."""
    pytest.importorskip("roadrunner")
    text = antimony_to_sbml("model m; A -> ; delay(A, 1); A = 1; end")
    with pytest.raises(ModelError, match=r"either:\n.*delay\(\)"):
        open_network(text, solver="libroadrunner")
    with pytest.raises(ModelError, match="line"):
        open_network("<sbml", solver="libroadrunner")


def test_a_missing_extra_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without libRoadRunner nothing else is used in its place."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"haptos\[roadrunner\]"):
        open_network(DELAYED, solver="libroadrunner")
    with pytest.raises(ParameterError, match="'haptos' or 'libroadrunner'"):
        open_network(DELAYED, solver="copasi")
