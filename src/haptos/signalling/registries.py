"""What the library holds, for static checks: counted in its data and modules, not in the claims."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Annotated, Literal

from pydantic import Field

from haptos.core.located import parse_yaml
from haptos.core.specs import Spec, read_spec
from haptos.signalling.agents import ligands
from haptos.signalling.building.integrins import duplicate_profiles, heterodimers, subunits, tail_binders
from haptos.signalling.building.modules import load_module

__all__ = ["members_of", "mmp_family", "number_of", "phosphotyrosines", "registry_names"]

#: Reactions that join two species into one.
_BINDING = re.compile(r"^\s*\w+\s*:\s*(\w+)\s*\+\s*(\w+)\s*[-=]>\s*(\w+)\s*;", re.MULTILINE)


class Protease(Spec):
    """A member of the MMP family and how it is held at the membrane."""

    id: Annotated[str, Field(pattern=r"^MMP\d+B?$")]
    name: str
    anchor: Literal["none", "transmembrane", "GPI", "type_II"]


class Phosphotyrosine(Spec):
    """A tyrosine found phosphorylated; `module` says whether it is a state of the model."""

    id: Annotated[str, Field(pattern=r"^Y\d+$")]
    by: str
    module: bool


class _Proteases(Spec):
    version: Literal[1]
    mmps: tuple[Protease, ...]


class _Sites(Spec):
    version: Literal[1]
    protein: str
    sites: tuple[Phosphotyrosine, ...]


def _read[F: Spec](cls: type[F], file: str) -> F:
    text = (resources.files("haptos.library") / "registries" / file).read_text(encoding="utf-8")
    return read_spec(cls, parse_yaml(text, name=f"registries/{file}"))


@cache
def mmp_family() -> tuple[Protease, ...]:
    """Return the human matrix metalloproteinases."""
    return _read(_Proteases, "mmps.yaml").mmps


@cache
def phosphotyrosines() -> tuple[Phosphotyrosine, ...]:
    """Return the phosphotyrosines of FAK."""
    return _read(_Sites, "ptk2_sites.yaml").sites


def _nfkb_subunits() -> tuple[str, ...]:
    """Return what binds to form the NF-κB dimer in the module of that name."""
    found = _BINDING.findall(load_module("nfkb").body)
    return tuple(sorted({part for a, b, product in found if product == "RELA_NFKB1_cyt" for part in (a, b)}))


def _ligand_receptor_pairs() -> tuple[str, ...]:
    """Return soluble ligands and integrin ligands with the receptors that bind them."""
    soluble = [(x.id, receptor) for x in ligands().values() for receptor in x.receptors]
    matrix = [(bond.id, h.id) for h in heterodimers().values() for bond in h.ligands]
    return tuple(dict.fromkeys(name for pair in (*soluble, *matrix) for name in pair))


def _duplicate_profiles() -> tuple[str, ...]:
    """Return pairs of heterodimers that neither ligands nor links tell apart."""
    return tuple(f"{a} and {b}" for a, b in duplicate_profiles(tuple(heterodimers().values())))


def _mmps() -> tuple[str, ...]:
    return tuple(p.id for p in mmp_family())


@dataclass(frozen=True, slots=True)
class _Registry:
    """Members of a registry, and what they are a share of, if they are counted as one."""

    members: Callable[[], tuple[str, ...]]
    whole: Callable[[], tuple[str, ...]] | None = None


_REGISTRIES: dict[str, _Registry] = {
    "nfkb_subunits": _Registry(_nfkb_subunits),
    "ligand_receptor_pairs": _Registry(_ligand_receptor_pairs),
    "integrin_subunits": _Registry(lambda: tuple(subunits())),
    "heterodimers": _Registry(lambda: tuple(heterodimers())),
    "duplicate_heterodimer_profiles": _Registry(_duplicate_profiles),
    "tail_binders": _Registry(lambda: tuple(tail_binders())),
    "ptk2_phosphotyrosines": _Registry(lambda: tuple(s.id for s in phosphotyrosines())),
    "mmps": _Registry(_mmps),
    "soluble_mmp_share": _Registry(lambda: tuple(p.id for p in mmp_family() if p.anchor == "none"), _mmps),
}


def registry_names() -> tuple[str, ...]:
    """Return the registries that the library can answer for."""
    return tuple(_REGISTRIES)


def members_of(registry: str) -> tuple[str, ...] | None:
    """Return the members of a registry; None if the library holds no such registry.

    Examples
    --------
    >>> members_of("nfkb_subunits")
    ('NFKB1', 'RELA')
    """
    found = _REGISTRIES.get(registry)
    return found.members() if found is not None else None


def number_of(registry: str, of: Collection[str] = ()) -> float | None:
    """Return how many members a registry has, or which share of a family they are.

    Parameters
    ----------
    registry : str
        Name of the registry.
    of : collection of str
        Members asked for; all, if none are named.

    Examples
    --------
    >>> number_of("heterodimers"), number_of("heterodimers", ["ITGA5:ITGB1", "ILK"])
    (24.0, 1.0)
    """
    found = _REGISTRIES.get(registry)
    if found is None:
        return None
    members = found.members()
    number = float(sum(name in members for name in of) if of else len(members))
    return number if found.whole is None else number / max(len(found.whole()), 1)
