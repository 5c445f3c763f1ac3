"""The integrin heterodimers of the library: subunits, ligands, links into the cell, and the lint of the file."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Annotated, Literal

from pydantic import Field

from haptos.core.located import parse_yaml
from haptos.core.parameters import Parameter
from haptos.core.specs import Concentration, Spec, read_spec
from haptos.errors import ModelError

__all__ = [
    "Bond",
    "Gate",
    "Heterodimer",
    "Links",
    "Subunit",
    "TailBinder",
    "duplicate_profiles",
    "heterodimers",
    "integrin_parameters",
    "problems_of",
    "subunits",
    "tail_binders",
]

Weight = Annotated[float, Field(ge=0, le=1)]
Confidence = Literal["measured", "fitted", "assumed"]


class _Sourced(Spec):
    """A number of the file with where it is known from; see :class:`haptos.core.parameters.Parameter`."""

    spread: float = Field(ge=0, le=3)
    confidence: Confidence
    source: str = ""
    records: tuple[str, ...] = ()
    note: str = ""


class Bond(_Sourced):
    """A ligand and how strongly the high-affinity state binds it (`KD`, [nM])."""

    id: str
    KD: Concentration


class Gate(_Sourced):
    """How much weaker the low-affinity state binds: its KD over that of the high-affinity state."""

    value: float = Field(ge=1)


class Ease(_Sourced):
    """How much more readily a heterodimer opens than α5β1 does, on the same cell."""

    value: float = Field(gt=0)


class Links(Spec):
    """Weight of each route inside the cell; 0 is none, 1 that of the typical integrin."""

    FAK: Weight = 0.0
    SHC: Weight = 0.0
    ILK: Weight = 0.0
    CYTH1: Weight = 0.0
    LCP1: Weight = 0.0
    ERBB2: Weight = 0.0
    PRKCA: Weight = 0.0
    PRKCA_gathers: Weight = 0.0
    hemidesmosome: Weight = 0.0


class Heterodimer(Spec):
    """One heterodimer.

    Attributes
    ----------
    id : str
        Its subunits, α first (``ITGA5:ITGB1``).
    adaptor : str
        What opens its tail and ties it to the cytoskeleton.
    ligands : tuple of Bond
        Ligands that can be coated or added.
    also : tuple of str
        Known ligands that the model does not offer as a surface.
    fold : Gate
        Low over high KD.
    ease : Ease or None
        How readily it opens relative to α5β1; None is alike.
    links : Links
        Routes inside the cell.
    """

    id: Annotated[str, Field(pattern=r"^ITGA\w+:ITGB\d$")]
    adaptor: Literal["talin", "plectin", "none"] = "talin"
    ligands: tuple[Bond, ...] = ()
    also: tuple[str, ...] = ()
    fold: Gate
    ease: Ease | None = None
    links: Links

    @property
    def name(self) -> str:
        """Identifier in the model (``ITGA5_ITGB1``)."""
        return self.id.replace(":", "_")

    @property
    def alpha(self) -> str:
        """The α subunit."""
        return self.id.partition(":")[0]

    @property
    def beta(self) -> str:
        """The β subunit."""
        return self.id.partition(":")[2]

    @property
    def profile(self) -> tuple[frozenset[str], str, Links]:
        """What distinguishes it from others: all ligands, adaptor and links."""
        return frozenset([*(b.id for b in self.ligands), *self.also]), self.adaptor, self.links


class Subunit(Spec):
    """One subunit; `induced_by` names inputs of the surroundings that raise its expression."""

    id: str
    uniprot: Annotated[str, Field(pattern=r"^[OPQ][0-9][A-Z0-9]{3}[0-9]$")]
    induced_by: tuple[Literal["shear"], ...] = ()


class TailBinder(Spec):
    """A protein that binds integrin tails."""

    id: str
    tails: tuple[str, ...] = Field(min_length=1)
    role: str = ""


class _File(Spec):
    version: Literal[1]
    subunits: tuple[Subunit, ...]
    heterodimers: tuple[Heterodimer, ...]


class _Binders(Spec):
    version: Literal[1]
    tail_binders: tuple[TailBinder, ...]


def _read[F: Spec](cls: type[F], file: str) -> F:
    text = (resources.files("haptos.library") / "integrins" / file).read_text(encoding="utf-8")
    return read_spec(cls, parse_yaml(text, name=f"integrins/{file}"))


@cache
def _library() -> _File:
    found = _read(_File, "heterodimers.yaml")
    problems = problems_of(found.subunits, found.heterodimers)
    if problems:
        raise ModelError("integrins/heterodimers.yaml:\n  " + "\n  ".join(problems))
    return found


def problems_of(parts: Sequence[Subunit], pairs: Sequence[Heterodimer]) -> list[str]:
    """Return what is wrong with a set of heterodimers; all problems together.

    Parameters
    ----------
    parts : sequence of Subunit
        Declared subunits.
    pairs : sequence of Heterodimer
        Declared heterodimers.
    """
    declared = {s.id for s in parts}
    used = {u for h in pairs for u in (h.alpha, h.beta)}
    names = [s.id for s in parts] + [h.id for h in pairs]
    found = [f"{n} stands twice" for n in dict.fromkeys(names) if names.count(n) > 1]
    found += [f"{u} is part of a heterodimer but not declared" for u in sorted(used - declared)]
    found += [f"{u} is part of no heterodimer" for u in sorted(declared - used)]
    for pair in pairs:
        ligands = [*(b.id for b in pair.ligands), *pair.also]
        found += [f"{pair.id}: {x} stands twice" for x in dict.fromkeys(ligands) if ligands.count(x) > 1]
        found += [f"{pair.id}: no ligand"] if not ligands else []
        found += [f"{pair.id}: the KD of {b.id} is not above 0" for b in pair.ligands if b.KD.value <= 0]
        for number in (*pair.ligands, pair.fold, *([pair.ease] if pair.ease else [])):
            if number.confidence != "assumed" and not (number.source or number.records):
                found.append(f"{pair.id}: a {number.confidence} number needs a source")
    return found + [f"{a} and {b} have equal ligands and equal links" for a, b in duplicate_profiles(pairs)]


def duplicate_profiles(pairs: Sequence[Heterodimer]) -> list[tuple[str, str]]:
    """Return pairs of heterodimers that neither ligands nor links tell apart."""
    return [(a.id, b.id) for i, a in enumerate(pairs) for b in pairs[i + 1 :] if a.profile == b.profile]


def heterodimers() -> dict[str, Heterodimer]:
    """Return the heterodimers by identifier.

    Raises
    ------
    SpecError
        If the file is malformed; all problems are located.
    ModelError
        If it contradicts itself; all problems at once.

    Examples
    --------
    >>> len(heterodimers()), heterodimers()["ITGA5:ITGB1"].ligands[0].id
    (24, 'FN1')
    """
    return {h.id: h for h in _library().heterodimers}


def subunits() -> dict[str, Subunit]:
    """Return the subunits by gene symbol."""
    return {s.id: s for s in _library().subunits}


@cache
def tail_binders() -> dict[str, TailBinder]:
    """Return the proteins that bind integrin tails, by gene symbol."""
    return {b.id: b for b in _read(_Binders, "tail_binders.yaml").tail_binders}


@cache
def integrin_parameters() -> dict[str, Parameter]:
    """Return the numbers of the heterodimers as parameters: ``KD_<H>_<ligand>``, ``fold_<H>``, ``ease_<H>``.

    Heterodimers without a ligand on offer have none.
    """
    found = [_parameter(f"KD_{h.name}_{b.id}", b.KD.value, "nM", b) for h in heterodimers().values() for b in h.ligands]
    gated = [h for h in heterodimers().values() if h.ligands]
    found += [_parameter(f"fold_{h.name}", h.fold.value, "dimensionless", h.fold) for h in gated]
    found += [_parameter(f"ease_{h.name}", h.ease.value, "dimensionless", h.ease) for h in gated if h.ease]
    return {p.id: p for p in found}


def _parameter(name: str, value: float, unit: Literal["nM", "dimensionless"], number: _Sourced) -> Parameter:
    return Parameter(
        id=name,
        value=value,
        unit=unit,
        spread=number.spread,
        confidence=number.confidence,
        source=number.source,
        records=number.records,
        note=number.note,
    )
