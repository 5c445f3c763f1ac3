"""Units, annotations and notes of SBML elements as plain text."""

from __future__ import annotations

import re
from typing import Any, Final

import libsbml as sbml

__all__ = ["notes_text", "resources", "unit_text"]

_LEVEL_2_DEFAULTS: Final = {
    "substance": "mole",
    "volume": "litre",
    "area": "metre**2",
    "length": "metre",
    "time": "second",
}
_RENAMED: Final = {"item": "count", "avogadro": "avogadro_number", "celsius": "degree_Celsius"}


def unit_text(model: Any, unit: str) -> str:
    """Return the text of a unit identifier, such as ``1e-24 mole`` or ``(60 second)**-1``.

    Parameters
    ----------
    model : libsbml.Model
        Where units are defined.
    unit : str
        Identifier of a unit definition or of a base unit; may be empty.
    """
    if not unit:
        return ""
    definition = model.getUnitDefinition(unit)
    if definition is None:
        base = _LEVEL_2_DEFAULTS.get(unit, unit) if model.getLevel() < 3 else unit
        return _RENAMED.get(base, base)
    count = definition.getNumUnits()
    factors = [_factor(definition.getUnit(i), alone=count == 1) for i in range(count)]
    return " * ".join(factors) or "dimensionless"


def _factor(unit: Any, alone: bool) -> str:
    kind = sbml.UnitKind_toString(unit.getKind())
    base = _RENAMED.get(kind, kind)
    size = unit.getMultiplier() * 10.0 ** unit.getScale()
    exponent = unit.getExponentAsDouble()
    text = base if size == 1.0 else f"{size:.12g} {base}"
    if exponent == 1.0:
        return text if alone else f"({text})"
    return f"({text})**{exponent:g}"


def resources(element: Any) -> tuple[str, ...]:
    """Return the resources that the controlled-vocabulary terms of an element name."""
    terms = (element.getCVTerm(i) for i in range(element.getNumCVTerms()))
    return tuple(t.getResourceURI(k) for t in terms for k in range(t.getNumResources()))


def notes_text(element: Any) -> str:
    """Return the notes of an element without their markup."""
    if not element.isSetNotes():
        return ""
    return " ".join(re.sub(r"<[^>]*>", " ", element.getNotesString()).split())
