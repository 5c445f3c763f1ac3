"""Parameter vectors: all tables joined, the handles of experiments, and draws from the prior."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from haptos.core.located import parse_yaml
from haptos.core.parameters import Parameter, load_table
from haptos.core.specs import Spec, read_spec
from haptos.errors import ModelError
from haptos.numerics import stream_key
from haptos.signalling.building.integrins import integrin_parameters

__all__ = ["Handle", "Parameter", "handles", "load_parameters", "prior_sample"]


class Handle(Spec):
    """A kind of parameter through which experiments act (``<id>__<target>``, dimensionless)."""

    id: str
    default: float
    meaning: str


class _Handles(Spec):
    version: Literal[1]
    handles: tuple[Handle, ...]


#: Tables of ``library/parameters`` that make up a parameter vector: those of the network, then
#: those of the rooms that read its output.
TABLES = (
    "surroundings",
    "integrin",
    "inside_out",
    "calcium",
    "fak_src",
    "rho",
    "erk",
    "pi3k_akt",
    "nfkb",
    "transcription",
    "mmps",
    "cxcr4",
    "cell_cycle",
    "apoptosis",
    "pharmacology",
    "crossing",
)


@cache
def load_parameters() -> dict[str, Parameter]:
    """Return all parameters by identifier, in the order of the tables.

    Raises
    ------
    ModelError
        If an identifier stands in two tables.
    SpecError
        If a file is malformed; all problems are located.
    """
    found: dict[str, Parameter] = {}
    for name in TABLES:
        table = load_table(name) | (integrin_parameters() if name == "integrin" else {})
        twice = sorted(set(found) & set(table))
        if twice:
            raise ModelError(f"parameters/{name}.yaml: {', '.join(twice)} stand in another table too")
        found |= table
    return found


@cache
def handles() -> dict[str, Handle]:
    """Return the kinds of parameters through which experiments act, by identifier."""
    file = resources.files("haptos.library") / "modules" / "handles.yaml"
    document = parse_yaml(file.read_text(encoding="utf-8"), name="modules/handles.yaml", keep=True)
    return {h.id: h for h in read_spec(_Handles, document).handles}


def prior_sample(n: int, *, seed: int) -> NDArray[np.float64]:
    """Draw parameter vectors from the prior, evenly spread (scrambled Sobol sequence).

    Parameters
    ----------
    n : int
        Number of vectors; a power of two is best.
    seed : int
        Seed of the scrambling.

    Returns
    -------
    ndarray, shape (n, n_parameters)
        Values in the order of :func:`load_parameters`; log-normal, cut at three spreads.
    """
    from scipy.stats import norm, qmc

    table = list(load_parameters().values())
    free = [i for i, p in enumerate(table) if p.spread > 0]
    uniform = qmc.Sobol(len(free), scramble=True, rng=stream_key(seed, "prior", 0, 0)[0]).random(n)
    low, high = norm.cdf(-3.0), norm.cdf(3.0)
    deviations = np.zeros((n, len(table)))
    deviations[:, free] = norm.ppf(low + uniform * (high - low))
    centre = np.array([p.value for p in table])
    spread = np.array([p.spread for p in table])
    ceiling = np.array([np.inf if p.upper is None else p.upper for p in table])
    return np.asarray(np.minimum(centre * np.exp(deviations * spread), ceiling))
