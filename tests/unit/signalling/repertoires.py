"""Repertoires of integrins that tests of the composed model go through: the library's own, few and many."""

from __future__ import annotations

from functools import cache

from haptos.signalling.building.instances import heterodimers_for
from haptos.signalling.building.integrins import heterodimers
from haptos.signalling.building.modules import ON_DEMAND
from haptos.signalling.cells import cell_line, cell_lines


def repertoire_of(cell: str) -> frozenset[str]:
    """Return the heterodimers that a cell makes."""
    return heterodimers_for(cell_line(cell).integrins)


@cache
def cells_by_repertoire() -> dict[frozenset[str], str]:
    """Return the first cell of every repertoire of the library."""
    found: dict[frozenset[str], str] = {}
    for name in cell_lines():
        found.setdefault(repertoire_of(name), name)
    return found


#: None, one of adherent cells, one of blood cells, and the whole family with all modules on demand.
SEVERAL = {
    "none": frozenset[str](),
    "lung_carcinoma": repertoire_of("lung_carcinoma"),
    "platelet": repertoire_of("platelet"),
    "all": frozenset({*heterodimers(), *ON_DEMAND}),
}
