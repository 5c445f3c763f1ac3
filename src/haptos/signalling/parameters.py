"""The one table of parameters: value, unit, prior, confidence and source of every number."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from haptos.core.located import load_yaml, parse_yaml
from haptos.core.specs import Spec, read_spec
from haptos.errors import ModelError

__all__ = ["Handle", "Parameter", "handles", "load_parameters", "prior_sample"]

UNITS = ("nM", "per_min", "per_nM_min", "nM_per_min", "dimensionless", "ymol", "fL")


class Parameter(Spec):
    """One number of the model.

    Attributes
    ----------
    id : str
        Identifier in the modules.
    value : float
        Central value, in `unit`; positive.
    unit : str
        One of the units declared in ``modules/units.ant``.
    spread : float
        Standard deviation of the natural logarithm of the value in the prior; 0 fixes it.
    confidence : str
        ``measured``, ``fitted`` (to data, in a published model) or ``assumed``.
    source : str
        Key of ``references.bib``; empty for assumptions.
    records : tuple of str
        Records of the quantities it rests on.
    note : str
        How the value was reached.
    """

    id: Annotated[str, Field(pattern=r"^[A-Za-z]\w*$")]
    value: float = Field(gt=0)
    unit: Literal["nM", "per_min", "per_nM_min", "nM_per_min", "dimensionless", "ymol", "fL"]
    spread: float = Field(ge=0, le=3)
    confidence: Literal["measured", "fitted", "assumed"]
    source: str = ""
    records: tuple[str, ...] = ()
    note: str = ""

    @property
    def bounds(self) -> tuple[float, float]:
        """Return the admissible range: three spreads to either side."""
        factor = float(np.exp(3 * self.spread))
        return self.value / factor, self.value * factor


class Handle(Spec):
    """A kind of parameter through which experiments act (``<id>__<target>``, dimensionless)."""

    id: str
    default: float
    meaning: str


class _Table(Spec):
    version: Literal[1]
    parameters: tuple[Parameter, ...]


class _Handles(Spec):
    version: Literal[1]
    handles: tuple[Handle, ...]


#: Files of ``library/parameters`` that hold parameters of the network.
TABLES = ("surroundings", "nfkb", "ilk_akt", "ap1", "rac1", "mmp9", "pharmacology")


@cache
def load_parameters() -> dict[str, Parameter]:
    """Return the table, by identifier, in the order of the files.

    Raises
    ------
    ModelError
        If an identifier stands twice.
    SpecError
        If a file is malformed; all problems are located.
    """
    found: dict[str, Parameter] = {}
    folder = resources.files("haptos.library") / "parameters"
    for name in TABLES:
        file = folder / f"{name}.yaml"
        table = read_spec(_Table, parse_yaml(file.read_text(encoding="utf-8"), name=f"parameters/{name}.yaml"))
        for parameter in table.parameters:
            if parameter.id in found:
                raise ModelError(f"parameters/{name}.yaml: {parameter.id} stands twice")
            found[parameter.id] = parameter
    return found


@cache
def handles() -> dict[str, Handle]:
    """Return the kinds of parameters through which experiments act, by identifier."""
    file = resources.files("haptos.library") / "modules" / "handles.yaml"
    document = parse_yaml(file.read_text(encoding="utf-8"), name="modules/handles.yaml")
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
    uniform = qmc.Sobol(len(free), scramble=True, rng=np.random.default_rng(seed)).random(n)
    low, high = norm.cdf(-3.0), norm.cdf(3.0)
    deviations = np.zeros((n, len(table)))
    deviations[:, free] = norm.ppf(low + uniform * (high - low))
    centre = np.array([p.value for p in table])
    spread = np.array([p.spread for p in table])
    return np.asarray(centre * np.exp(deviations * spread))


def load_table(path: str) -> _Table:
    """Read a user's own parameter file; see :func:`load_parameters`."""
    return read_spec(_Table, load_yaml(path))
