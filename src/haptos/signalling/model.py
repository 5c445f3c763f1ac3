"""The composed and compiled model that all cells share."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from importlib.metadata import version
from importlib.resources.abc import Traversable
from typing import cast

from haptos.core.hashing import content_hash
from haptos.core.kept import code_checksum, kept, load_kept, save_kept
from haptos.core.packing import pack, unpack
from haptos.errors import ModelError, ParameterError
from haptos.signalling._kinetic_model import KineticModel
from haptos.signalling.building.compose import Composition, compose
from haptos.signalling.building.instances import TEMPLATE, integrin_module
from haptos.signalling.building.modules import MODULES, ON_DEMAND, joined, load_module
from haptos.signalling.building.parameters import handles, load_parameters
from haptos.signalling.cuts import with_cuts
from haptos.signalling.network import Network, compile_network
from haptos.signalling.sbml import antimony_to_sbml, read_sbml

__all__ = ["Model", "composed_sbml", "composition", "fingerprint", "model"]

_REFERENCE_VOLUMES = {"cytoplasm": 1954.0, "nucleus": 540.0, "medium": 2e6}
_DATA_FOLDERS = ("modules", "integrins", "parameters", "ensemble", "cells", "compounds", "ligands", "variants")


@dataclass(frozen=True)
class Model:
    """The compiled network with the names an experiment needs.

    Attributes
    ----------
    parts : frozenset of str
        The heterodimers and modules on demand that it holds.
    network : Network
        Ready to simulate; one for all cells, volumes are parameters.
    kinetic : KineticModel
        Its species, reactions and rules, to look things up in.
    parameters : tuple of str
        Parameters of the table, in its order.
    offered : frozenset of str
        Everything an intervention may act on.
    medium : tuple of str
        Species of the medium.
    quantities : frozenset of str
        What assays may read (``measure__entity``).
    """

    parts: frozenset[str]
    network: Network
    kinetic: KineticModel
    parameters: tuple[str, ...]
    offered: frozenset[str]
    medium: tuple[str, ...]
    quantities: frozenset[str]

    def default(self, name: str) -> float:
        """Return the value of a parameter that nothing sets."""
        return self._defaults[name]

    @cached_property
    def _defaults(self) -> dict[str, float]:
        return dict(zip(self.network.parameters, self.network.defaults.tolist(), strict=True))


@cache
def composition(parts: frozenset[str] = frozenset()) -> Composition:
    """Return the composed model text, at the reference volumes.

    Parameters
    ----------
    parts : frozenset of str
        Heterodimers to instantiate and modules on demand; see :func:`haptos.signalling.schedule.parts_needed`.
    """
    guests = [name for name in ON_DEMAND if name in parts]
    integrins = parts - frozenset(guests)
    modules = [integrin_module(integrins) if name == TEMPLATE else load_module(name) for name in (*MODULES, *guests)]
    return compose(joined(modules), load_parameters(), handles(), _REFERENCE_VOLUMES)


@cache
def composed_sbml(parts: frozenset[str] = frozenset()) -> str:
    """Return the composed model as SBML Level 3 Version 2."""
    text = kept(
        "models",
        ("sbml", ",".join(sorted(parts)), *_deciding()),
        lambda: antimony_to_sbml(composition(parts).antimony).encode("utf-8"),
    )
    return text.decode("utf-8")


@cache
def model(parts: frozenset[str] = frozenset(), *, cuttable: bool = False) -> Model:
    """Return the compiled model with these parts: built once per process, kept on disk for the next.

    Parameters
    ----------
    parts : frozenset of str
        Heterodimers to instantiate and modules on demand.
    cuttable : bool
        Whether every reaction has a multiplier, see :mod:`haptos.signalling.cuts`.
    """
    key = ("cuttable model" if cuttable else "model", ",".join(sorted(parts)), *_deciding())
    content = load_kept("models", key)
    if content is not None:
        with suppress(ParameterError):
            return cast("Model", unpack(content))
    built = _build(parts, cuttable)
    save_kept("models", key, pack(built))
    return built


def _build(parts: frozenset[str], cuttable: bool) -> Model:
    kinetic = read_sbml(composed_sbml(parts))
    kinetic = with_cuts(kinetic) if cuttable else kinetic
    network = compile_network(kinetic)
    if not network.system.autonomous:
        raise ModelError("a rate of the library's modules depends on time itself; cells could not settle")
    return Model(
        parts=parts,
        network=network,
        kinetic=kinetic,
        parameters=tuple(load_parameters()),
        offered=frozenset([*network.parameters, *network.states]),
        medium=_medium_species(composition(parts).antimony),
        quantities=frozenset(n for n in network.observables if "__" in n),
    )


@cache
def _deciding() -> tuple[str, ...]:
    """Return what decides the compiled model: the library's modules and numbers, the code, other people's code."""
    libraries = ("antimony", "python-libsbml", "numpy", "pydantic", "ruamel.yaml")
    code = code_checksum("core", "errors.py", "numerics", "signalling")
    modules = code_checksum("library/modules", "library/integrins", suffixes=("",))
    numbers = content_hash([(p.id, p.value, p.unit) for p in load_parameters().values()])  # notes and spreads do not
    return (code, modules, numbers, *(version(name) for name in libraries))


def _medium_species(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(re.findall(r"\b(\w+) in medium\b", text)))


@cache
def fingerprint() -> str:
    """Return the checksum of everything that decides a simulation: modules, numbers, cells, agents."""
    digest = hashlib.sha256()
    for name, file in _deciding_files():
        digest.update(f"{name}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _deciding_files() -> Iterator[tuple[str, Traversable]]:
    """Yield the files of the library that decide a simulation, by name; reports on the ensemble (JSON) do not."""
    root = resources.files("haptos.library")
    for folder in _DATA_FOLDERS:
        place = root / folder
        if not place.is_dir():
            continue
        for file in sorted(place.iterdir(), key=lambda f: f.name):
            if file.is_file() and not file.name.endswith((".py", ".pyc", ".json")):
                yield f"{folder}/{file.name}", file
