"""Cell lines and contexts: amounts, tonic inputs and sizes, never rates."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Annotated, Literal

from pydantic import Field

from haptos.conditions.experiment import Culture
from haptos.core.located import parse_yaml
from haptos.core.specs import Quantity, Spec, Volume, read_spec
from haptos.errors import ModelError, nearest

__all__ = [
    "CellFile",
    "CellLine",
    "Profile",
    "Volumes",
    "cell_line",
    "cell_lines",
    "complete",
    "dangling",
    "library_files",
]

Amount = Annotated[float, Field(ge=0, le=1000)]
Strength = Annotated[float, Field(ge=0, le=1)]

#: Blocks of a cell and the kind of handle each of them sets.
_BLOCKS = {
    "integrins": "repertoire",
    "expression": "expression",
    "endogenous": "endogenous",
    "constitutive": "constitutive",
    "mutations": "forced",
}


class Volumes(Spec):
    """Sizes of one cell [µm³]; the defaults are the record ``pc-size``."""

    cytoplasm: Volume = Quantity(1954.0, "volume", "1954 µm³")
    nucleus: Volume = Quantity(540.0, "volume", "540 µm³")


class Profile(Spec):
    """What the cells of a lineage have in common.

    Attributes
    ----------
    id : str
        Name.
    basis : str
        On what the entries rest.
    confidence : str
        ``measured`` or ``assumed``.
    expression : mapping of str to float
        As in :class:`CellLine`.
    normal : Culture
        How such cells are kept.
    """

    id: str
    basis: str
    confidence: Literal["measured", "assumed"]
    expression: dict[str, Amount] = Field(default_factory=dict)
    normal: Culture = Culture()


class CellLine(Spec):
    """One cell line or context.

    Attributes
    ----------
    id, label : str
        Identifier of the vocabulary and how it is printed.
    basis : str
        On what the entries rest.
    confidence : str
        ``measured`` or ``assumed``.
    profile : str or None
        Lineage whose entries hold where the cell gives none of its own.
    like : str or None
        Cell whose entries hold where this one gives none of its own.
    integrins : mapping of str to float
        Heterodimers the cell makes, each relative to the reference amount of a heterodimer.
    expression : mapping of str to float
        Amount of a gene product relative to the reference cell; 0 is a lost gene.
    endogenous : mapping of str to float
        Working copies of a regulated gene relative to two.
    constitutive : mapping of str to float
        Tonic activation by the cell's own mutations or secretions, relative to the reference.
    mutations : mapping of str to float
        Products of activating mutations or oncogenes: share of the constitutively active form, 0 to 1.
    volumes : Volumes
        Sizes.
    normal : Culture or None
        How the cells are kept before an experiment; that of the profile if it is not given.
    """

    id: str
    label: str
    basis: str
    confidence: Literal["measured", "assumed"]
    profile: str | None = None
    like: str | None = None
    integrins: dict[str, Amount] = Field(default_factory=dict)
    expression: dict[str, Amount] = Field(default_factory=dict)
    endogenous: dict[str, Amount] = Field(default_factory=dict)
    constitutive: dict[str, Amount] = Field(default_factory=dict)
    mutations: dict[str, Strength] = Field(default_factory=dict)
    volumes: Volumes = Volumes()
    normal: Culture | None = None

    def settings(self) -> dict[str, float]:
        """Return the handles the cell sets, by parameter name."""
        found: dict[str, float] = {}
        for block, kind in _BLOCKS.items():
            for name, value in getattr(self, block).items():
                found[f"{kind}__{name.replace(':', '_').replace('-', '_')}"] = value
        return found

    @property
    def geometry(self) -> dict[str, float]:
        """Sizes [µm³, µm²]; the nuclear cross-section is that of a sphere."""
        nucleus = self.volumes.nucleus.value
        area = math.pi * (3.0 * nucleus / (4.0 * math.pi)) ** (2.0 / 3.0)
        return {
            "cell_volume": self.volumes.cytoplasm.value + nucleus,
            "nucleus_volume": nucleus,
            "nucleus_area": area,
        }


class CellFile(Spec):
    """A file of cells and of the lineages they share entries with."""

    version: Literal[1]
    profiles: tuple[Profile, ...] = ()
    cells: tuple[CellLine, ...]


@cache
def library_files() -> tuple[Mapping[str, CellLine], Mapping[str, Profile]]:
    """Return the cells of the library as they are written, and its profiles, by identifier.

    Raises
    ------
    ModelError
        If an identifier stands twice.
    SpecError
        If a file is malformed.
    """
    written: dict[str, CellLine] = {}
    profiles: dict[str, Profile] = {}
    problems: list[str] = []
    folder = resources.files("haptos.library") / "cells"
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if not file.name.endswith(".yaml"):
            continue
        document = read_spec(
            CellFile, parse_yaml(file.read_text(encoding="utf-8"), name=f"cells/{file.name}", keep=True)
        )
        twice = [c.id for c in document.cells if c.id in written]
        problems += [f"cells/{file.name}: {name} stands twice" for name in twice]
        written |= {c.id: c for c in document.cells}
        profiles |= {p.id: p for p in document.profiles}
    _refuse(problems)
    return written, profiles


@cache
def cell_lines() -> dict[str, CellLine]:
    """Return the cells of the library by identifier, with what they inherit filled in.

    Raises
    ------
    ModelError
        If an identifier stands twice, or a cell refers to a profile or cell that is not there;
        all problems at once.
    SpecError
        If a file is malformed.
    """
    written, profiles = library_files()
    _refuse(dangling(written, profiles))
    return {name: complete(cell, written, profiles) for name, cell in written.items()}


def _refuse(problems: list[str]) -> None:
    if problems:
        raise ModelError("the cells of the library do not fit together:\n  " + "\n  ".join(problems))


def dangling(written: Mapping[str, CellLine], profiles: Mapping[str, Profile]) -> list[str]:
    """Return what is wrong with the references of the cells."""
    wrong = []
    for cell in written.values():
        if cell.profile is not None and cell.profile not in profiles:
            wrong.append(f"{cell.id}: there is no profile {cell.profile!r}; allowed: {', '.join(profiles)}")
        seen, other = [cell.id], cell.like
        while other is not None and other in written and other not in seen:
            seen, other = [*seen, other], written[other].like
        if other is not None:
            why = "goes in a circle" if other in written else f"there is no cell {other!r}"
            wrong.append(f"{' like '.join([*seen, other])}: {why}")
    return wrong


def complete(cell: CellLine, written: Mapping[str, CellLine], profiles: Mapping[str, Profile]) -> CellLine:
    """Return a cell with the entries of its model cell and of its profile filled in."""
    chain = [cell]
    while chain[-1].like is not None:
        chain.append(written[chain[-1].like])
    named = [c.profile for c in chain if c.profile is not None]
    profile = profiles[named[0]] if named else None
    changes: dict[str, object] = {}
    for block in _BLOCKS:
        layers = [getattr(c, block) for c in reversed(chain)]
        if block == "expression" and profile is not None:
            layers.insert(0, profile.expression)
        changes[block] = {name: value for layer in layers for name, value in layer.items()}
    kept = [c.normal for c in chain if c.normal is not None]
    default = profile.normal if profile is not None else Culture()
    sized = [c.volumes for c in chain if "volumes" in c.model_fields_set]
    changes |= {"normal": kept[0] if kept else default, "volumes": sized[0] if sized else cell.volumes}
    return cell.model_copy(update=changes)


def cell_line(name: str, own: Iterable[CellLine] = ()) -> CellLine:
    """Return one cell of a user's own, or of the library.

    Parameters
    ----------
    name : str
        Identifier.
    own : iterable of CellLine
        Contexts beside those of the library, complete.

    Raises
    ------
    ModelError
        If there is none of that name; names the nearest.
    """
    known = {**cell_lines(), **{cell.id: cell for cell in own}}
    if name not in known:
        near = ", ".join(nearest(name, tuple(known)))
        raise ModelError(f"no cell line {name!r} in the library" + (f"; did you mean {near}?" if near else ""))
    return known[name]
