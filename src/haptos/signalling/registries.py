"""What the composed model holds, for static checks: counted in the model, not in the claims."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from haptos.signalling.integrins import duplicate_profiles, heterodimers, subunits, tail_binders
from haptos.signalling.model import model

__all__ = ["members_of", "registry_names"]


@cache
def _bindings() -> tuple[tuple[frozenset[str], frozenset[str]], ...]:
    """Return (reactants, products) of every reaction that joins two species into one."""
    reactions = model().kinetic.reactions
    pairs = [(frozenset(s for s, _ in r.reactants), frozenset(s for s, _ in r.products)) for r in reactions]
    return tuple((a, b) for a, b in pairs if len(a) == 2 and len(b) == 1)


def _nfkb_subunits() -> tuple[str, ...]:
    """Return what binds to form the NF-κB dimer."""
    found = [reactants for reactants, products in _bindings() if products == {"RELA_NFKB1_cyt"}]
    return tuple(sorted(set().union(*found))) if found else ()


def _ligand_receptor_pairs() -> tuple[str, ...]:
    """Return ligands of the medium and the receptors they bind."""
    medium = set(model().medium)
    pairs = [a for a, _ in _bindings() if len(a & medium) == 1]
    return tuple(sorted(set().union(*pairs))) if pairs else ()


def _duplicate_profiles() -> tuple[str, ...]:
    """Return pairs of heterodimers that neither ligands nor links tell apart."""
    return tuple(f"{a} and {b}" for a, b in duplicate_profiles(tuple(heterodimers().values())))


_REGISTRIES: dict[str, Callable[[], tuple[str, ...]]] = {
    "nfkb_subunits": _nfkb_subunits,
    "ligand_receptor_pairs": _ligand_receptor_pairs,
    "integrin_subunits": lambda: tuple(subunits()),
    "heterodimers": lambda: tuple(heterodimers()),
    "duplicate_heterodimer_profiles": _duplicate_profiles,
    "tail_binders": lambda: tuple(tail_binders()),
}


def registry_names() -> tuple[str, ...]:
    """Return the registries that the model can answer for."""
    return tuple(_REGISTRIES)


def members_of(registry: str) -> tuple[str, ...] | None:
    """Return the members of a registry; None if the modules at hand hold no such registry.

    Examples
    --------
    >>> members_of("nfkb_subunits")
    ('NFKB1', 'RELA')
    """
    build = _REGISTRIES.get(registry)
    return build() if build is not None else None
