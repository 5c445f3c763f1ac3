"""The composed and compiled model that all cells share."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from haptos.signalling.compose import Composition, compose
from haptos.signalling.instances import TEMPLATE, integrin_module
from haptos.signalling.modules import load_module
from haptos.signalling.network import Network, compile_network
from haptos.signalling.parameters import handles, load_parameters
from haptos.signalling.sbml import antimony_to_sbml

__all__ = ["MODULES", "Model", "composed_sbml", "composition", "fingerprint", "model"]

#: Modules of the shared model, in the order of composition.
MODULES = ("nfkb", "ilk_akt", "ap1", "rac1", "mmp9", "pharmacology")

_REFERENCE_VOLUMES = {"cytoplasm": 1954.0, "nucleus": 540.0, "medium": 2e6}
_DATA_FOLDERS = ("modules", "integrins", "parameters", "ensemble", "cells", "compounds", "ligands")


@dataclass(frozen=True)
class Model:
    """The compiled network with the names an experiment needs.

    Attributes
    ----------
    network : Network
        Ready to simulate; one for all cells, volumes are parameters.
    parameters : tuple of str
        Parameters of the table, in its order.
    offered : frozenset of str
        Everything an intervention may act on.
    medium : tuple of str
        Species of the medium.
    quantities : frozenset of str
        What assays may read (``measure__entity``).
    """

    network: Network
    parameters: tuple[str, ...]
    offered: frozenset[str]
    medium: tuple[str, ...]
    quantities: frozenset[str]

    def vector(self, values: NDArray[np.float64]) -> dict[str, float]:
        """Return a parameter vector of the table by name."""
        return dict(zip(self.parameters, (float(v) for v in values), strict=True))


@cache
def composition(integrins: frozenset[str] = frozenset()) -> Composition:
    """Return the composed model text, at the reference volumes.

    Parameters
    ----------
    integrins : frozenset of str
        Heterodimers to instantiate; see :func:`haptos.signalling.instances.heterodimers_for`.
    """
    modules = [integrin_module(integrins) if name == TEMPLATE else load_module(name) for name in MODULES]
    return compose(modules, load_parameters(), handles(), _REFERENCE_VOLUMES)


@cache
def composed_sbml(integrins: frozenset[str] = frozenset()) -> str:
    """Return the composed model as SBML Level 3 Version 2."""
    return antimony_to_sbml(composition(integrins).antimony)


@cache
def model(integrins: frozenset[str] = frozenset()) -> Model:
    """Return the compiled model with these heterodimers (built once per process)."""
    network = compile_network(composed_sbml(integrins))
    names = composition(integrins)
    places = _medium_species(names.antimony)
    return Model(
        network=network,
        parameters=tuple(load_parameters()),
        offered=frozenset([*network.parameters, *network.states]),
        medium=places,
        quantities=frozenset(n for n in network.observables if "__" in n),
    )


def _medium_species(text: str) -> tuple[str, ...]:
    import re

    return tuple(dict.fromkeys(re.findall(r"\b(\w+) in medium\b", text)))


@cache
def fingerprint() -> str:
    """Return the checksum of everything that decides a simulation: modules, numbers, cells, agents."""
    digest = hashlib.sha256()
    root = resources.files("haptos.library")
    for folder in _DATA_FOLDERS:
        place = root / folder
        if not place.is_dir():
            continue
        for file in sorted(place.iterdir(), key=lambda f: f.name):
            if file.is_file() and not file.name.endswith((".py", ".pyc")):
                digest.update(f"{folder}/{file.name}\0".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
