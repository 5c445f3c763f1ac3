"""What sampling a network returns: counts of molecules, run by run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from haptos.errors import ParameterError, Status, nearest
from haptos.numerics.stochastic import explain

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["SampleResult"]

Array = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class SampleResult:
    """Runs of a batch of members, all replicates of member 0 first.

    Attributes
    ----------
    species : tuple of str
        What was counted.
    times : ndarray, shape (T,)
        Output times, in the time unit of the model.
    counts : ndarray of int64, shape (N, T, n_species)
        Molecules; -1 for runs that failed.
    outputs : tuple of str
        Further quantities that were asked for.
    units : mapping of str to str
        Their unit texts.
    values : ndarray, shape (N, T, n_outputs)
        Their values, species as concentrations; nan for runs that failed.
    molecules : ndarray, shape (N, n_species)
        Molecules per unit of concentration of every species.
    status : ndarray of int, shape (N,)
        :class:`haptos.errors.Status` of every run.
    n_events, n_steps : ndarray of int, shape (N,)
        Reactions that happened; jumps and leaps taken.
    member, replicate : ndarray of int, shape (N,)
        Which run it is.
    method : str
        ``exact`` or ``leap``.
    """

    species: tuple[str, ...]
    times: Array
    counts: Integers
    outputs: tuple[str, ...]
    units: Mapping[str, str]
    values: Array
    molecules: Array
    status: Integers
    n_events: Integers
    n_steps: Integers
    member: Integers
    replicate: Integers
    method: str

    def __getitem__(self, name: str) -> NDArray[np.int64] | Array:
        """Return the counts of a species, or else the values of an output, shape (N, T)."""
        if name in self.species:
            return self.counts[:, :, self.species.index(name)]
        if name in self.outputs:
            return self.values[:, :, self.outputs.index(name)]
        close = nearest(name, [*self.species, *self.outputs])
        hint = f"; did you mean {', '.join(close)}?" if close else ""
        raise ParameterError(f"{name!r} was not sampled{hint}; ask for other quantities with the argument 'outputs'")

    @property
    def ok(self) -> NDArray[np.bool_]:
        """Which runs finished, shape (N,)."""
        return np.asarray(self.status == Status.OK)

    def concentration(self, species: str) -> Array:
        """Return the counts of a species as concentrations, shape (N, T); nan for failed runs."""
        column = self.species.index(species) if species in self.species else -1
        if column < 0:
            raise ParameterError(f"{species!r} is not a counted species; those are {', '.join(self.species)}")
        counts = np.where(self.ok[:, None], self.counts[:, :, column], np.nan)
        return np.asarray(counts / self.molecules[:, column, None])

    def explanation(self, run: int) -> str:
        """Say in one sentence how a run ended."""
        return explain(int(self.status[run]))

    def to_dataframe(self) -> pd.DataFrame:
        """Return one row per run and time: member, replicate, time, counts, outputs; failed runs left out."""
        import pandas as pd

        ok, count = self.ok, len(self.times)
        columns: dict[str, NDArray[np.int64] | Array] = {
            "member": np.repeat(self.member[ok], count),
            "replicate": np.repeat(self.replicate[ok], count),
            "time": np.tile(self.times, int(ok.sum())),
        }
        for name in [*self.species, *(o for o in self.outputs if o not in self.species)]:
            columns[name] = self[name][ok].ravel()
        return pd.DataFrame(columns)

    def to_xarray(self) -> xr.Dataset:
        """Return one variable per species and output over ``run`` and ``time``."""
        import xarray as xr

        dims = ("run", "time")
        variables = {name: (dims, self[name], {"units": "molecules"}) for name in self.species}
        for name in self.outputs:
            if name not in self.species:
                variables[name] = (dims, self[name], {"units": self.units.get(name, "")})
        coordinates = {
            "time": self.times,
            "member": ("run", self.member),
            "replicate": ("run", self.replicate),
            "status": ("run", self.status),
        }
        return xr.Dataset(variables, coords=coordinates)
