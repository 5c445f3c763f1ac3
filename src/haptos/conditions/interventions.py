"""What an experimenter does to cells: the closed set of interventions.

An intervention is written with its verb as the key, as on a bench protocol::

    - overexpress: ILK
      fold: 5
    - treat: doxycycline
      dose: 20 µM
      at: 0 h

Times count from the start of the assay; negative times lie before it. Genetic
interventions hold from long before the assay unless a time is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Union

from pydantic import Discriminator, Tag, model_validator
from pydantic_core import PydanticCustomError

from haptos.core.specs import (
    Dose,
    DoseOrShare,
    Fold,
    Fraction,
    KnownName,
    Length,
    MassConcentration,
    Quantity,
    Spec,
    Stress,
    SurfaceMass,
    Time,
)
from haptos.errors import nearest

__all__ = ["VERBS", "AnyIntervention", "Intervention", "describe"]

Target = Annotated[str, KnownName("target")]
Site = Annotated[str, KnownName("site")]
Process = Annotated[str, KnownName("process")]
Compound = Annotated[str, KnownName("compound")]
Ligand = Annotated[str, KnownName("ligand")]
Coating = Annotated[str, KnownName("coating")]
Cells = Annotated[str, KnownName("cells", "cell line")]
Organ = Annotated[str, KnownName("organ")]
Subline = Annotated[str, KnownName("subline")]

_ZERO = Quantity(0.0, "time", "0 h")
#: Ligands that are dosed as a share of the medium.
_BY_VOLUME = ("serum", "growth_factors")


class Intervention(Spec):
    """Base of all interventions; `verb` is the field that names one."""

    verb: ClassVar[str]

    @property
    def target(self) -> str:
        """What the intervention acts on."""
        return str(getattr(self, self.verb))


class Timed(Intervention):
    """An intervention with a start and, optionally, an end."""

    at: Time = _ZERO
    until: Time | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Timed:
        if self.until is not None and self.until.value <= self.at.value:
            raise PydanticCustomError(
                "times",
                "'until' ({until}) is not later than 'at' ({at})",
                {"until": str(self.until), "at": str(self.at)},
            )
        return self


# --- genes -----------------------------------------------------------------------------


class Overexpress(Intervention):
    """Stable overexpression: total protein raised `fold` times over the endogenous level."""

    verb: ClassVar[str] = "overexpress"
    overexpress: Target
    fold: Annotated[Fold, "greater than 1"] = Quantity(5.0, "number", "5")


class Knockdown(Intervention):
    """RNA interference: mRNA decay raised so that `remaining` of the mRNA is left."""

    verb: ClassVar[str] = "knockdown"
    knockdown: Target
    remaining: Fraction = Quantity(0.15, "fraction", "15 %")
    at: Time = Quantity(-4320.0, "time", "-72 h")


class Knockout(Intervention):
    """Loss of the gene long before the assay."""

    verb: ClassVar[str] = "knockout"
    knockout: Target


class ExpressMutant(Intervention):
    """Expression of a named mutant beside (or, after a knock-out, instead of) the wild type."""

    verb: ClassVar[str] = "express_mutant"
    express_mutant: Target
    variant: str
    fold: Fold = Quantity(1.0, "number", "1")


class Rescue(Intervention):
    """Re-expression of a lost or lowered gene from its cDNA."""

    verb: ClassVar[str] = "rescue"
    rescue: Target
    variant: str = "wild-type"
    fold: Fold = Quantity(1.0, "number", "1")


class Mutate(Intervention):
    """Mutation of a regulatory site or of an endogenous gene."""

    verb: ClassVar[str] = "mutate"
    mutate: Site
    variant: str = "loss"


class SetExpression(Intervention):
    """Total protein set to `fold` times the level of the cell line."""

    verb: ClassVar[str] = "set_expression"
    set_expression: Target
    fold: Fold


# --- activity --------------------------------------------------------------------------


class Treat(Timed):
    """A compound in the medium; `dose` may be a molar or a mass concentration."""

    verb: ClassVar[str] = "treat"
    treat: Compound
    dose: Dose | None = None


class Inhibit(Timed):
    """Ideal, specific inhibition: `by` of the activity is removed."""

    verb: ClassVar[str] = "inhibit"
    inhibit: Target
    by: Fraction = Quantity(0.95, "fraction", "95 %")


class Activate(Timed):
    """A constitutively active form or an activating signal at the named molecule."""

    verb: ClassVar[str] = "activate"
    activate: Target
    strength: Literal["weak", "strong"] = "strong"
    variant: str = ""


class Neutralise(Timed):
    """A blocking antibody against a secreted or surface molecule."""

    verb: ClassVar[str] = "neutralise"
    neutralise: Target
    dose: MassConcentration = Quantity(10_000.0, "mass concentration", "10 µg/mL")


class Block(Timed):
    """Removal of one process or coupling, as a thought experiment."""

    verb: ClassVar[str] = "block"
    block: Process
    by: Fraction = Quantity(1.0, "fraction", "100 %")


class LockConformation(Timed):
    """Integrins held in one conformation, everywhere or at one pole of the cell."""

    verb: ClassVar[str] = "lock_conformation"
    lock_conformation: Target
    state: Literal["low", "high"]
    pole: Literal["everywhere", "front", "rear"] = "everywhere"


class SetAffinity(Timed):
    """Integrin affinity multiplied by `fold`."""

    verb: ClassVar[str] = "set_affinity"
    set_affinity: Target
    fold: Fold


class SetMobility(Timed):
    """Lateral mobility of integrins multiplied by `fold`."""

    verb: ClassVar[str] = "set_mobility"
    set_mobility: Target
    fold: Fold


class SetAdhesion(Timed):
    """Adhesion strength multiplied by `fold`, everywhere or at one pole."""

    verb: ClassVar[str] = "set_adhesion"
    set_adhesion: Target
    fold: Fold
    pole: Literal["everywhere", "front", "rear"] = "everywhere"


class SetBond(Timed):
    """Strength of a bond in series (integrin–ECM or integrin–actin) multiplied by `fold`."""

    verb: ClassVar[str] = "set_bond"
    set_bond: Literal["integrin-ECM", "integrin-actin"]
    fold: Fold


class Cleave(Timed):
    """Proteolytic cut of a link or protein."""

    verb: ClassVar[str] = "cleave"
    cleave: Process


class Release(Timed):
    """Sudden release of a stored molecule (for instance cytochrome c)."""

    verb: ClassVar[str] = "release"
    release: Target


# --- medium and surroundings -----------------------------------------------------------


class Add(Timed):
    """A soluble ligand, uniform or as a gradient over the cell or the filter."""

    verb: ClassVar[str] = "add"
    add: Ligand
    dose: DoseOrShare | None = None
    gradient: bool = False

    @model_validator(mode="after")
    def _share_of_serum(self) -> Add:
        if self.dose is not None and self.dose.dimension == "fraction" and self.add not in _BY_VOLUME:
            raise PydanticCustomError(
                "quantity",
                "'{dose}' is not a concentration; write for instance '10 ng/mL' or '5 nM'",
                {"dose": str(self.dose)},
            )
        return self


class Withdraw(Timed):
    """Removal of serum, a growth factor or an ion from the medium."""

    verb: ClassVar[str] = "withdraw"
    withdraw: Ligand


class PlateOn(Timed):
    """Plating on a coated surface."""

    verb: ClassVar[str] = "plate_on"
    plate_on: Coating
    density: SurfaceMass | None = None
    stiffness: Stress | None = None


class Detach(Timed):
    """Cells lifted from their surface and kept in suspension."""

    verb: ClassVar[str] = "detach"
    detach: Literal["cells"] = "cells"


class EmbedIn(Timed):
    """Cells embedded in a three-dimensional gel."""

    verb: ClassVar[str] = "embed_in"
    embed_in: Coating
    density: MassConcentration | None = None


class SetDensity(Timed):
    """Density of a coating or gel relative to the optimum for attachment."""

    verb: ClassVar[str] = "set_density"
    set_density: Coating
    level: Literal["low", "intermediate", "high"]


class RestrictSpreading(Timed):
    """Cells confined to an adhesive island."""

    verb: ClassVar[str] = "restrict_spreading"
    restrict_spreading: Literal["cells"] = "cells"
    diameter: Length = Quantity(20.0, "length", "20 µm")


class Shear(Timed):
    """Laminar flow over the cells, or its stop."""

    verb: ClassVar[str] = "shear"
    shear: Literal["on", "stop"]
    stress: Stress = Quantity(1.5, "stress", "1.5 Pa")


class SetArchitecture(Timed):
    """The cytoskeletal layout: spread as in 2D or rounded as in 3D."""

    verb: ClassVar[str] = "set_architecture"
    set_architecture: Literal["spread_2D", "rounded_3D"]


class Injure(Timed):
    """A scratch or wound."""

    verb: ClassVar[str] = "injure"
    injure: Literal["monolayer", "skin"]


# --- populations and animals -----------------------------------------------------------


class SwapCells(Intervention):
    """Other cells in this arm, everything else equal."""

    verb: ClassVar[str] = "swap_cells"
    swap_cells: Cells


class SelectSubline(Intervention):
    """Cells re-isolated after growth or selection in an animal."""

    verb: ClassVar[str] = "select_subline"
    select_subline: Subline


class Implant(Intervention):
    """Cells implanted in an organ."""

    verb: ClassVar[str] = "implant"
    implant: Organ


class SetHeterogeneity(Intervention):
    """Between-cell or between-tumour variation multiplied by `fold`."""

    verb: ClassVar[str] = "set_heterogeneity"
    set_heterogeneity: Literal["cells", "cohort"]
    fold: Fold


class Scan(Intervention):
    """A series over one amount, from `low` to `high` times its reference, in `steps` steps."""

    verb: ClassVar[str] = "scan"
    scan: Target
    low: Fold
    high: Fold
    steps: int = 7


_CLASSES: tuple[type[Intervention], ...] = (
    Overexpress, Knockdown, Knockout, ExpressMutant, Rescue, Mutate, SetExpression,
    Treat, Inhibit, Activate, Neutralise, Block, LockConformation, SetAffinity, SetMobility,
    SetAdhesion, SetBond, Cleave, Release, Add, Withdraw, PlateOn, Detach, EmbedIn, SetDensity,
    RestrictSpreading, Shear, SetArchitecture, Injure, SwapCells, SelectSubline, Implant,
    SetHeterogeneity, Scan,
)  # fmt: skip

#: Interventions by verb.
VERBS: dict[str, type[Intervention]] = {c.verb: c for c in _CLASSES}


def _verb_of(value: Any) -> str | None:
    """Return the verb of an intervention as written, or the text that is no verb.

    Tags stand in angle brackets so that they never equal a key of the file.
    """
    if isinstance(value, Intervention):
        return f"<{value.verb}>"
    if not isinstance(value, dict) or not value:
        return None
    verbs = [str(key) for key in value if key in VERBS]
    if verbs:
        return f"<{' + '.join(verbs)}>"
    return f"<{max(value, key=lambda key: len(nearest(str(key), list(VERBS))))}>"


if TYPE_CHECKING:
    AnyIntervention = Intervention
else:
    #: One intervention as written in a file: the class is chosen by its verb.
    AnyIntervention = Annotated[
        Union[tuple(Annotated[c, Tag(f"<{c.verb}>")] for c in _CLASSES)],  # noqa: UP007
        Discriminator(_verb_of),
    ]


def describe(intervention: Intervention) -> str:
    """Return the intervention in the words of a figure label.

    Examples
    --------
    >>> describe(Treat(treat="doxycycline", dose="20 µM"))
    'doxycycline 20 µM'
    """
    name = intervention.target
    match intervention:
        case Overexpress():
            return f"{name} ×{intervention.fold.value:g}"
        case Knockdown():
            return f"si{name}"
        case Knockout():
            return f"{name} knock-out"
        case ExpressMutant() | Rescue() | Mutate():
            return f"{name} {intervention.variant}"
        case Treat() | Add():
            return f"{name} {intervention.dose}" if intervention.dose is not None else name
        case Neutralise():
            return f"anti-{name}"
        case PlateOn() | EmbedIn():
            return f"{intervention.verb.split('_')[1]} {name}"
        case Detach():
            return "suspension"
        case _:
            return f"{intervention.verb.replace('_', ' ')} {name}"
