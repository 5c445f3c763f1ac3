"""What can be put on cells: compounds, ligands, antibodies and coatings, and what surroundings mean in numbers."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from haptos.core.located import parse_yaml
from haptos.core.specs import (
    Concentration,
    Dose,
    Length,
    MassConcentration,
    Quantity,
    Spec,
    Stress,
    SurfaceMass,
    Time,
    read_spec,
)
from haptos.core.units import parse_quantity
from haptos.errors import ModelError, UnitError

__all__ = [
    "Antibody",
    "Coating",
    "Compound",
    "DrugTarget",
    "Ligand",
    "Surroundings",
    "antibodies",
    "antibody_against",
    "coatings",
    "compound_named",
    "compounds",
    "ligands",
    "ligands_only_of",
    "molar",
    "soluble_ligands",
    "surface_ligands",
    "surroundings",
]

Share = Annotated[float, Field(ge=0, le=1)]
Confidence = Literal["measured", "fitted", "assumed"]
_GENERAL = "general knowledge"
#: Affinity of antibodies against soluble ligands.
_KD_SOLUBLE = Quantity(0.2, "concentration", "0.2 nM")
_NO_DELAY = Quantity(0.0, "time", "0 min")
#: Handles that a compound sets instead of multiplying.
_ACTIVATING = ("forced", "release", "locked_high", "cleaved")


class DrugTarget(Spec):
    """What a compound acts on and how strongly.

    Attributes
    ----------
    name : str
        Target: an entity or process of the vocabulary; a class stands for its members.
    mode : str
        How it acts, in words.
    handle : str
        Kind of handle it acts on; ``module`` if a module holds the action itself.
    potency : Quantity
        Concentration of half effect on cells (IC50, Ki or EC50).
    most : float
        Largest effect, as a share of the activity.
    off_target : bool
        Whether it is an unwanted target.
    confidence, source : str
        How well the potency is known and from where (key of ``references.bib``).
    """

    name: str
    mode: str = "inhibition"
    handle: Literal[
        "activity_factor", "function", "process", "forced", "release", "locked_high", "cleaved", "module"
    ] = "activity_factor"
    potency: Dose
    most: Share = 1.0
    off_target: bool = False
    confidence: Confidence = "assumed"
    source: str = _GENERAL

    @property
    def activates(self) -> bool:
        """Whether the compound switches its target on."""
        return self.handle in _ACTIVATING

    @model_validator(mode="after")
    def _consistent(self) -> DrugTarget:
        if self.confidence != "assumed" and self.source == _GENERAL:
            raise PydanticCustomError(
                "source", "a {confidence} potency needs a source", {"confidence": self.confidence}
            )
        if self.potency.value <= 0 or (self.handle != "module" and self.potency.dimension != "concentration"):
            raise PydanticCustomError("potency", "the potency must be a molar concentration above 0")
        return self


class Compound(Spec):
    """A compound of the library.

    Attributes
    ----------
    id, label, synonyms : str, str, tuple of str
        Names.
    species : str or None
        Its species in the medium, if a module holds its course.
    curie : str
        Identifier in ChEBI, empty if it is not certain.
    molar_mass : float or None
        [g/mol]; None if it is not certain.
    default_dose : Quantity
        Usual working dose, used where an experiment or claim gives none.
    onset : Quantity
        Delay until it acts [min].
    half_life : Quantity or None
        Time in which its acting concentration halves (of an irreversible compound, its effect) [min];
        None: it lasts as long as the experiment.
    targets : tuple of DrugTarget
        What it acts on.
    off_targets : str
        Known targets that are not modelled.
    note : str
        What else matters.
    """

    id: str
    label: str
    synonyms: tuple[str, ...] = ()
    species: str | None = None
    curie: Annotated[str, Field(pattern=r"^(chebi:\d+)?$")] = ""
    molar_mass: float | None = Field(None, gt=0)
    default_dose: Dose
    onset: Time = _NO_DELAY
    half_life: Annotated[Time, "positive"] | None = None
    targets: tuple[DrugTarget, ...] = Field(min_length=1)
    off_targets: str = ""
    note: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> Compound:
        if self.half_life is not None and self.half_life.value <= 0:
            raise PydanticCustomError("half_life", "the half-life must be above 0")
        if self.species is None and any(t.handle == "module" for t in self.targets):
            raise PydanticCustomError("species", "a compound whose action a module holds needs a species")
        return self


class Ligand(Spec):
    """A soluble ligand: a species of the medium that binds `receptors`, or an input set to `level`.

    `per_unit` is the concentration of 1 U/mL, where preparations are dosed by their activity. `potency` is what one
    molecule does relative to the ligand that it counts as.
    """

    id: str
    label: str
    species: str | None = None
    parameter: str | None = None
    level: Share = 1.0
    receptors: tuple[str, ...] = ()
    molar_mass: float | None = Field(None, gt=0)
    default_dose: Dose | None = None
    per_unit: Dose | None = None
    potency: float = Field(1.0, gt=0)


class Antibody(Spec):
    """A neutralising antibody: a species of the medium that binds `target`, or lost function at balance."""

    target: str
    species: str | None = None
    molar_mass: float = Field(150_000.0, gt=0)
    KD: Concentration = Quantity(3.0, "concentration", "3 nM")
    note: str = ""


class Coating(Spec):
    """What cells stand on: densities of integrin ligands relative to a saturating coat."""

    id: str
    ligands: dict[str, Annotated[float, Field(ge=0, le=4)]] = Field(default_factory=dict)
    basis: str = ""


class Surroundings(Spec):
    """What words and quantities of the surroundings mean for the inputs of the model; all assumed.

    Attributes
    ----------
    densities : mapping of str to float
        Levels of a coating relative to the optimum for attachment.
    coating, gel : Quantity
        Coating and gel that count as 1.
    spreading_limit_3D : float
        Share of the spread area that a gel takes away.
    spread_diameter : Quantity
        Diameter of a freely spread cell.
    shear : Quantity
        Shear stress that counts as 1.
    """

    densities: dict[Literal["low", "intermediate", "high"], Annotated[float, Field(gt=0)]]
    coating: SurfaceMass
    gel: MassConcentration
    spreading_limit_3D: Share
    spread_diameter: Length
    shear: Stress


class _Compounds(Spec):
    version: Literal[1]
    compounds: tuple[Compound, ...]


class _Ligands(Spec):
    version: Literal[1]
    ligands: tuple[Ligand, ...]
    surface_ligands: tuple[str, ...]
    antibodies: tuple[Antibody, ...]
    coatings: tuple[Coating, ...]
    surroundings: Surroundings


def _read[F: Spec](cls: type[F], folder: str, file: str) -> F:
    text = (resources.files("haptos.library") / folder / file).read_text(encoding="utf-8")
    return read_spec(cls, parse_yaml(text, name=f"{folder}/{file}"))


@cache
def compounds() -> dict[str, Compound]:
    """Return the compounds by identifier.

    Raises
    ------
    ModelError
        If two compounds share a name.
    """
    found = _read(_Compounds, "compounds", "compounds.yaml").compounds
    names = [n.lower() for c in found for n in {c.id, *c.synonyms}]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise ModelError(f"compounds/compounds.yaml: {', '.join(twice)} stand twice")
    return {c.id: c for c in found}


def compound_named(name: str) -> Compound | None:
    """Return a compound by its identifier or a synonym, whatever the case.

    Examples
    --------
    >>> compound_named("Iressa").id
    'gefitinib'
    """
    wanted = name.lower()
    return next((c for c in compounds().values() if wanted in {n.lower() for n in (c.id, *c.synonyms)}), None)


@cache
def _ligand_file() -> _Ligands:
    return _read(_Ligands, "ligands", "ligands.yaml")


def ligands() -> dict[str, Ligand]:
    """Return the soluble ligands by identifier."""
    return {x.id: x for x in _ligand_file().ligands}


def soluble_ligands(name: str) -> tuple[str, ...]:
    """Return the species of the medium that a ligand, or a class of ligands, is; none of those that coat surfaces.

    Examples
    --------
    >>> soluble_ligands("TNF")
    ('TNF',)
    """
    from haptos.conditions.catalogue import load_vocabulary

    term = load_vocabulary().entities.get(name)
    names = (name, *(term.members if term is not None and term.kind == "class" else ()))
    found = (ligands()[n] for n in names if n in ligands())
    return tuple(dict.fromkeys(x.species for x in found if x.species is not None and x.id not in surface_ligands()))


def ligands_only_of(receptor: str) -> tuple[str, ...]:
    """Return the species of the medium that act through one receptor alone.

    Examples
    --------
    >>> ligands_only_of("FAS"), ligands_only_of("IGF1R")
    (('FASLG',), ('IGF1',))
    """
    return tuple(dict.fromkeys(x.species for x in ligands().values() if x.species and x.receptors == (receptor,)))


def surface_ligands() -> tuple[str, ...]:
    """Return the ligands that surfaces can hold."""
    return _ligand_file().surface_ligands


def antibodies() -> dict[str, Antibody]:
    """Return the antibodies of which more than the common numbers is known, by their target."""
    return {x.target: x for x in _ligand_file().antibodies}


def antibody_against(target: str) -> Antibody:
    """Return the antibody against a target; one with the common numbers if none is listed."""
    common = {"KD": _KD_SOLUBLE} if soluble_ligands(target) else {}
    return antibodies().get(target) or Antibody(target=target, **common)


def coatings() -> dict[str, Coating]:
    """Return the coatings by identifier."""
    return {x.id: x for x in _ligand_file().coatings}


def surroundings() -> Surroundings:
    """Return what surroundings mean in numbers."""
    return _ligand_file().surroundings


def molar(dose: Quantity, molar_mass: float | None, per_unit: Quantity | None = None) -> float:
    """Return a dose as a concentration [nM].

    Raises
    ------
    UnitError
        If the dose is a mass concentration and no molar mass is known, or an activity and no unit is.
    """
    if dose.dimension == "enzyme activity":
        if per_unit is None:
            raise UnitError(f"{dose}: how much a unit is, is not known here; write a concentration")
        return dose.value * molar(per_unit, molar_mass)
    if dose.dimension == "concentration":
        return dose.value
    return parse_quantity(f"{dose.value!r} ng/mL", "concentration", molar_mass=molar_mass).value
