"""What the library holds, and what of it can be simulated."""

from __future__ import annotations

from typing import Any

from haptos.conditions.experiment import Culture
from haptos.conditions.interventions import Treat
from haptos.core.units import Quantity
from haptos.lab.simulator import CellSimulator, Simulator
from haptos.signalling.condition import Condition

__all__ = ["list_assays", "list_cells", "list_compounds"]

_DOSE = Quantity(1000.0, "concentration", "1 µM")


def list_cells(simulator: Simulator | None = None) -> list[dict[str, Any]]:
    """Return the cell contexts: name, label, kind, organism, tissue, simulated; simulated ones first."""
    from haptos.conditions.catalogue import load_vocabulary
    from haptos.signalling.cells import cell_lines

    cells = simulator or CellSimulator()
    terms = load_vocabulary().cells
    rows: list[dict[str, Any]] = []
    for name in dict.fromkeys((*terms, *cell_lines())):
        term = terms.get(name)
        about = {key: getattr(term, key, None) for key in ("label", "kind", "organism", "tissue")}
        simulated = not cells.expressibility(_condition(name))
        rows.append({"name": name, **about, "label": about["label"] or name, "simulated": simulated})
    return _simulated_first(rows)


def list_compounds(simulator: Simulator | None = None) -> list[dict[str, Any]]:
    """Return the compounds: name, label, aliases, curie, simulated; simulated ones first."""
    from haptos.conditions.catalogue import load_vocabulary
    from haptos.signalling.agents import compounds

    cells = simulator or CellSimulator()
    context = next((row["name"] for row in list_cells(cells) if row["simulated"]), "")
    vocabulary, held = load_vocabulary(), compounds()
    rows = []
    for name in dict.fromkeys((*vocabulary.of_kind("compound"), *held)):
        term, compound = vocabulary.entities.get(name), held.get(name)
        aliases = (*(term.aliases if term is not None else ()), *(compound.synonyms if compound is not None else ()))
        rows.append(
            {
                "name": name,
                "label": term.label if term is not None else held[name].label,
                "aliases": list(dict.fromkeys(aliases)),
                "curie": (term.curie if term is not None else held[name].curie) or None,
                "simulated": bool(context) and not cells.expressibility(_condition(context, name)),
            }
        )
    return _simulated_first(rows)


def list_assays() -> list[dict[str, Any]]:
    """Return the assays, simulated ones first: name, label, room, measures with units, those to come, simulated."""
    from haptos.assays.registry import ASSAYS
    from haptos.conditions.catalogue import load_vocabulary

    rows = [
        {
            "name": term.id,
            "label": term.label,
            "room": term.room,
            "measures": {m.id: m.unit for m in term.measures if m.id in _read(term.id)},
            "to_come": [m.id for m in term.measures if m.id not in _read(term.id)],
            "simulated": term.id in ASSAYS,
        }
        for term in load_vocabulary().assays.values()
    ]
    return _simulated_first(rows)


def _read(assay: str) -> frozenset[str]:
    """Return what an assay reads, as it is built."""
    from haptos.assays.registry import ASSAYS

    return frozenset(ASSAYS[assay].measures) if assay in ASSAYS else frozenset()


def _condition(cells: str, compound: str | None = None) -> Condition:
    treated = (Treat(treat=compound, dose=_DOSE),) if compound is not None else ()
    return Condition(cells=cells, culture=Culture(), interventions=treated, times=(0.0, 60.0), quantities=())


def _simulated_first(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: not row["simulated"])
