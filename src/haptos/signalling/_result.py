"""What a simulation of a network returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from haptos.errors import ParameterError, Status, nearest
from haptos.signalling._methods import Citation, citations

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["SimulationResult", "SteadyResult"]

Array = NDArray[np.float64]


def _column(names: tuple[str, ...], name: str) -> int:
    if name not in names:
        close = nearest(name, names)
        hint = f"; did you mean {', '.join(close)}?" if close else ""
        raise ParameterError(
            f"{name!r} is not among the outputs of this simulation{hint} Ask for it with the argument 'outputs'."
        )
    return names.index(name)


@dataclass(frozen=True, slots=True, eq=False)
class SimulationResult:
    """Time courses of a batch.

    Attributes
    ----------
    names : tuple of str
        Outputs: species as concentrations, assigned quantities, rates of reactions.
    units : mapping of str to str
        Unit text of every output; empty if the model declares none.
    times : ndarray, shape (T,)
        Output times, in the time unit of the model.
    values : ndarray, shape (B, T, n_outputs)
        Values; nan for members that failed.
    status : ndarray of int, shape (B,)
        :class:`haptos.errors.Status` of every member.
    n_steps, n_rhs : ndarray of int, shape (B,)
        Internal steps and evaluations of the rates.
    seconds : ndarray, shape (B,)
        Wall time [s]; not part of the reproducible result.
    final : ndarray, shape (B, n_states)
        States at the end, to continue from.
    method : str
        Numerical method that was used.
    warnings : tuple of str
        What makes the result doubtful, such as events of one moment whose order decides it.
    """

    names: tuple[str, ...]
    units: Mapping[str, str]
    times: Array
    values: Array
    status: NDArray[np.int64]
    n_steps: NDArray[np.int64]
    n_rhs: NDArray[np.int64]
    seconds: Array
    final: Array
    method: str = ""
    warnings: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Array:
        """Return the time courses of one output, shape (B, T)."""
        return self.values[:, :, _column(self.names, name)]

    @property
    def ok(self) -> NDArray[np.bool_]:
        """Which members finished, shape (B,)."""
        return np.asarray(self.status == Status.OK)

    def explanation(self, member: int) -> str:
        """Say in one sentence how a member ended."""
        return Status(int(self.status[member])).explanation

    def cite(self) -> tuple[Citation, ...]:
        """Return the works to cite for the method; each has ``bibtex`` and ``doi``."""
        return citations(self.method)

    def to_dataframe(self) -> pd.DataFrame:
        """Return one row per member and time: ``member``, ``time``, then the outputs."""
        import pandas as pd

        size, count, width = self.values.shape
        table = pd.DataFrame(self.values.reshape(size * count, width), columns=list(self.names))
        table.insert(0, "time", np.tile(self.times, size))
        table.insert(0, "member", np.repeat(np.arange(size), count))
        return table

    def to_xarray(self) -> xr.Dataset:
        """Return one variable per output over ``member`` and ``time``, with units."""
        import xarray as xr

        variables = {
            name: (("member", "time"), self.values[:, :, i], {"units": self.units.get(name, "")})
            for i, name in enumerate(self.names)
        }
        coordinates = {
            "member": np.arange(len(self.values)),
            "time": self.times,
            "status": ("member", self.status),
        }
        return xr.Dataset(variables, coords=coordinates)


@dataclass(frozen=True, slots=True, eq=False)
class SteadyResult:
    """Steady states of a batch.

    Attributes
    ----------
    names : tuple of str
        Outputs, as in :class:`SimulationResult`.
    values : ndarray, shape (B, n_outputs)
        Values at rest; nan where the integration failed. Look at `converged`.
    states : ndarray, shape (B, n_states)
        States, to be given to ``simulate(initial=...)``.
    converged : ndarray of bool, shape (B,)
        Whether the rest is certified: an exact root nearby, stable, same totals.
    status : ndarray of int, shape (B,)
        Status of the integration.
    residual : ndarray, shape (B,)
        Largest relative rate of change left [1/time].
    growth : ndarray, shape (B,)
        Fastest growth rate of a small disturbance [1/time]; nan if not computed.
    explanations : tuple of str
        One sentence per member.
    """

    names: tuple[str, ...]
    values: Array
    states: Array
    converged: NDArray[np.bool_]
    status: NDArray[np.int64]
    residual: Array
    growth: Array
    explanations: tuple[str, ...]

    def __getitem__(self, name: str) -> Array:
        """Return one output at rest, shape (B,)."""
        return self.values[:, _column(self.names, name)]
