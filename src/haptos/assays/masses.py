"""Apparent molecular masses, for the labels of blots and zymograms."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import Field

from haptos.core.located import parse_yaml
from haptos.core.specs import QuantityOf, Spec, read_spec
from haptos.core.units import Quantity
from haptos.errors import ParameterError

__all__ = ["band_label", "gelatinase_masses", "gelatinases", "mass_of", "protein_of"]

_FILE = "library/parameters/molecular_masses.yaml"
_Mass = Annotated[Quantity, QuantityOf("molecular mass", above=0.0)]
_SITE = re.compile(r"_p(?:[STY]\d+|TEY)?$")


class Gelatinase(Spec):
    """The two forms of a gelatinase on a zymogram."""

    pro: _Mass = Field(description="latent form")
    active: _Mass = Field(description="activated form")


class Masses(Spec):
    """The file of molecular masses."""

    version: Literal[1] = Field(description="version of the format")
    masses: dict[str, _Mass] = Field(description="apparent mass by HGNC symbol")
    gelatinases: dict[str, Gelatinase] = Field(description="forms of the gelatinases")


@cache
def _masses() -> Masses:
    text = files("haptos").joinpath(_FILE).read_text(encoding="utf-8")
    return read_spec(Masses, parse_yaml(text, name=_FILE, keep=True))


def protein_of(entity: str) -> str:
    """Return the protein of a phosphorylated state, or the entity itself.

    Examples
    --------
    >>> protein_of("RELA_pS536"), protein_of("ERK_pTEY"), protein_of("ILK")
    ('RELA', 'ERK', 'ILK')
    """
    return _SITE.sub("", entity)


def mass_of(protein: str) -> float:
    """Return the mass of a protein [kDa].

    Raises
    ------
    ParameterError
        If the table does not hold it.

    Examples
    --------
    >>> mass_of("IL6")
    21.0
    """
    found = _masses().masses.get(protein)
    if found is None:
        raise ParameterError(f"the mass of {protein!r} is not in {_FILE}; it holds {', '.join(_masses().masses)}")
    return found.value


def band_label(entity: str, suffix: str = "") -> str:
    """Return the label of a band: what is stained and at which mass it runs, where known.

    Examples
    --------
    >>> band_label("RELA_pS536")
    'RELA_pS536 (65 kDa)'
    >>> band_label("RELA", "nuclear")
    'RELA nuclear (65 kDa)'
    """
    mass = _masses().masses.get(protein_of(entity))
    words = [entity, suffix, f"({mass.value:g} kDa)" if mass else ""]
    return " ".join(word for word in words if word)


def gelatinases() -> tuple[str, ...]:
    """Return the enzymes that a gelatin zymogram shows."""
    return tuple(_masses().gelatinases)


def gelatinase_masses(enzyme: str) -> dict[str, float]:
    """Return the masses [kDa] of the forms ``pro`` and ``active`` of a gelatinase.

    Raises
    ------
    ParameterError
        If the enzyme does not digest gelatin on a zymogram.

    Examples
    --------
    >>> gelatinase_masses("MMP9")
    {'pro': 92.0, 'active': 82.0}
    """
    forms = _masses().gelatinases.get(enzyme)
    if forms is None:
        raise ParameterError(f"{enzyme!r} is no gelatinase; a zymogram shows {', '.join(gelatinases())}")
    return {"pro": forms.pro.value, "active": forms.active.value}
