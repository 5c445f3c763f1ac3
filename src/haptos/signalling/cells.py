"""Cell lines and contexts: amounts, tonic inputs and sizes, never rates."""

from __future__ import annotations

import math
from functools import cache
from importlib import resources
from typing import Annotated, Literal

from pydantic import Field

from haptos.core.located import parse_yaml
from haptos.core.specs import Quantity, Spec, Volume, read_spec
from haptos.errors import ModelError, nearest

__all__ = ["CellLine", "Volumes", "cell_line", "cell_lines"]

Amount = Annotated[float, Field(ge=0, le=1000)]


class Volumes(Spec):
    """Sizes of one cell [µm³]; the defaults are the record ``pc-size``."""

    cytoplasm: Volume = Quantity(1954.0, "volume", "1954 µm³")
    nucleus: Volume = Quantity(540.0, "volume", "540 µm³")


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
    expression : mapping of str to float
        Amount of a gene product relative to the reference cell; 0 is a lost gene.
    endogenous : mapping of str to float
        Working copies of a regulated gene relative to two.
    constitutive : mapping of str to float
        Tonic activation by the cell's own mutations or secretions, relative to the reference.
    volumes : Volumes
        Sizes.
    """

    id: str
    label: str
    basis: str
    confidence: Literal["measured", "assumed"]
    expression: dict[str, Amount] = Field(default_factory=dict)
    endogenous: dict[str, Amount] = Field(default_factory=dict)
    constitutive: dict[str, Amount] = Field(default_factory=dict)
    volumes: Volumes = Volumes()

    def settings(self) -> dict[str, float]:
        """Return the handles the cell sets, by parameter name."""
        groups = {"expression": self.expression, "endogenous": self.endogenous, "constitutive": self.constitutive}
        return {f"{kind}__{name}": value for kind, group in groups.items() for name, value in group.items()}

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


class _File(Spec):
    version: Literal[1]
    cells: tuple[CellLine, ...]


@cache
def cell_lines() -> dict[str, CellLine]:
    """Return the cells of the library by identifier.

    Raises
    ------
    ModelError
        If an identifier stands twice.
    SpecError
        If a file is malformed.
    """
    found: dict[str, CellLine] = {}
    folder = resources.files("haptos.library") / "cells"
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if not file.name.endswith(".yaml"):
            continue
        document = parse_yaml(file.read_text(encoding="utf-8"), name=f"cells/{file.name}", keep=True)
        for cell in read_spec(_File, document).cells:
            if cell.id in found:
                raise ModelError(f"cells/{file.name}: {cell.id} stands twice")
            found[cell.id] = cell
    return found


def cell_line(name: str) -> CellLine:
    """Return one cell of the library.

    Raises
    ------
    ModelError
        If there is none of that name; names the nearest.
    """
    known = cell_lines()
    if name not in known:
        near = ", ".join(nearest(name, tuple(known)))
        raise ModelError(f"no cell line {name!r} in the library" + (f"; did you mean {near}?" if near else ""))
    return known[name]
