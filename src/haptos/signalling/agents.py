"""What can be put on cells: compounds, ligands, antibodies and coatings."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Annotated, Literal

from pydantic import Field

from haptos.core.located import parse_yaml
from haptos.core.specs import Dose, Quantity, Spec, read_spec
from haptos.core.units import parse_quantity

__all__ = ["Antibody", "Coating", "Compound", "DrugTarget", "Ligand", "antibodies", "coatings", "compounds", "ligands"]

Share = Annotated[float, Field(ge=0, le=1)]


class DrugTarget(Spec):
    """What a compound acts on and how strongly."""

    name: str
    mode: str
    potency: Dose
    confidence: Literal["measured", "fitted", "assumed"]
    source: str = ""


class Compound(Spec):
    """A compound of the library.

    Attributes
    ----------
    species : str
        Its species in the medium.
    molar_mass : float
        [g/mol].
    default_dose : Quantity
        Usual working dose, used where an experiment or claim gives none.
    targets : tuple of DrugTarget
        For display; the action itself is in the modules.
    """

    id: str
    label: str
    species: str
    curie: str = ""
    molar_mass: float = Field(gt=0)
    default_dose: Dose
    targets: tuple[DrugTarget, ...] = Field(min_length=1)
    off_targets: str = ""


class Ligand(Spec):
    """A soluble ligand: a species of the medium, or an input parameter set to `level`."""

    id: str
    label: str
    species: str | None = None
    parameter: str | None = None
    level: Share = 1.0
    molar_mass: float | None = Field(None, gt=0)
    default_dose: Dose | None = None


class Antibody(Spec):
    """A neutralising antibody: a species of the medium that binds `target`."""

    target: str
    species: str
    molar_mass: float = Field(gt=0)


class Coating(Spec):
    """What cells stand on: the share of integrins it keeps ligand-bound."""

    id: str
    ligation: Share
    basis: str = ""


class _Compounds(Spec):
    version: Literal[1]
    compounds: tuple[Compound, ...]


class _Ligands(Spec):
    version: Literal[1]
    ligands: tuple[Ligand, ...]
    antibodies: tuple[Antibody, ...]
    coatings: tuple[Coating, ...]


def _read[F: Spec](cls: type[F], folder: str, file: str) -> F:
    text = (resources.files("haptos.library") / folder / file).read_text(encoding="utf-8")
    return read_spec(cls, parse_yaml(text, name=f"{folder}/{file}", keep=True))


@cache
def compounds() -> dict[str, Compound]:
    """Return the compounds by identifier."""
    return {c.id: c for c in _read(_Compounds, "compounds", "compounds.yaml").compounds}


@cache
def _ligand_file() -> _Ligands:
    return _read(_Ligands, "ligands", "ligands.yaml")


def ligands() -> dict[str, Ligand]:
    """Return the ligands by identifier."""
    return {x.id: x for x in _ligand_file().ligands}


def antibodies() -> dict[str, Antibody]:
    """Return the antibodies by their target."""
    return {x.target: x for x in _ligand_file().antibodies}


def coatings() -> dict[str, Coating]:
    """Return the coatings by identifier."""
    return {x.id: x for x in _ligand_file().coatings}


def molar(dose: Quantity, molar_mass: float | None) -> float:
    """Return a dose as a concentration [nM].

    Raises
    ------
    UnitError
        If the dose is a mass concentration and no molar mass is known.
    """
    if dose.dimension == "concentration":
        return dose.value
    return parse_quantity(f"{dose.value!r} ng/mL", "concentration", molar_mass=molar_mass).value
