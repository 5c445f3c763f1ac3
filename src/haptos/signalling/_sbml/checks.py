"""What haptos refuses to read, by name. Each check yields the reasons it finds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import libsbml as sbml

__all__ = ["lifted", "reader_errors", "refusals", "unknown_to_all"]

_EXTENDED_MATH: Final = "l3v2extendedmath"
"""More functions only; those without a translation are refused one by one."""


def reader_errors(document: Any) -> list[str]:
    """Return the errors libSBML finds, units and style aside, with their lines."""
    if not document.getNumErrors(sbml.LIBSBML_SEV_FATAL):
        for category in (sbml.LIBSBML_CAT_UNITS_CONSISTENCY, sbml.LIBSBML_CAT_MODELING_PRACTICE):
            document.setConsistencyChecks(category, False)  # noqa: FBT003
        document.checkConsistency()
    found = (document.getError(i) for i in range(document.getNumErrors()))
    return [
        f"line {e.getLine()}: {' '.join(e.getMessage().split())}"
        for e in found
        if e.getSeverity() >= sbml.LIBSBML_SEV_ERROR
    ]


def lifted(document: Any) -> str:
    """Convert a document of Level 1 to Level 2 in place; return what prevents it."""
    if document.getLevel() > 1:
        return ""
    for c in document.getModel().getListOfCompartments():
        if not c.isSetSize():
            c.setSize(c.getVolume())  # 1, the default of Level 1
    if document.setLevelAndVersion(2, 4, False) and document.getLevel() == 2:  # noqa: FBT003
        return ""
    return "SBML Level 1: libSBML cannot convert it to Level 2"


def refusals(document: Any) -> list[str]:
    """Return everything in a document that is not supported."""
    model = document.getModel()
    return [
        *_document(document),
        *_events(model),
        *_compartments(model),
        *_species(model),
        *_fast(model),
        *_reactions(model),
        *_rules(model),
        *_missing_values(model),
    ]


def unknown_to_all(model: Any) -> list[str]:
    """Return what neither haptos nor libRoadRunner takes."""
    return [*_rules(model), *_fast(model), *_past(model)]


def _fast(model: Any) -> Iterator[str]:
    for r in model.getListOfReactions():
        if r.isSetFast() and r.getFast():
            yield f"{_at(r)}reaction {r.getId()!r}: it is declared fast"


def _past(model: Any) -> Iterator[str]:
    """Find delay() anywhere."""
    for element in model.getListOfAllElements():
        root = element.getMath() if hasattr(element, "getMath") else None
        stack = [root] if root is not None else []
        while stack:
            node = stack.pop()
            if node.getType() == sbml.AST_FUNCTION_DELAY:
                yield f"{_at(element)}delay() (a value of the past)"
            stack.extend(node.getChild(i) for i in range(node.getNumChildren()))


def _at(element: Any) -> str:
    """Return the line of an element as the beginning of a reason; nothing if it is not known."""
    line = element.getLine()
    return f"line {line}: " if line else ""


def _document(document: Any) -> Iterator[str]:
    if document.getLevel() < 3:
        return  # packages came with Level 3; layout plug-ins of Level 2 are harmless
    for i in range(document.getNumPlugins()):
        package = document.getPlugin(i).getPackageName()
        if package != _EXTENDED_MATH and document.getPackageRequired(package):
            yield f"package {package!r}: its meaning changes the mathematics"
    for i in range(document.getNumUnknownPackages()):
        prefix = document.getUnknownPackagePrefix(i)
        if document.getPackageRequired(document.getUnknownPackageURI(i)):
            yield f"unknown package {prefix!r} that is required"


def _events(model: Any) -> Iterator[str]:
    if not model.getNumEvents():
        return
    counts = {r.getId() for reaction in model.getListOfReactions() for r in _references(reaction) if r.getId()}
    for event in model.getListOfEvents():
        where = f"{_at(event)}event {event.getId() or event.getName() or 'without id'!r}"
        if event.isSetDelay():
            yield f"{where}: its delay"
        if event.isSetPriority():
            yield f"{where}: its priority"
        for a in event.getListOfEventAssignments():
            if a.getVariable() in counts:
                yield f"{where}: it sets the stoichiometry {a.getVariable()!r}"


def _references(reaction: Any) -> list[Any]:
    return [*reaction.getListOfReactants(), *reaction.getListOfProducts()]


def _compartments(model: Any) -> Iterator[str]:
    for c in model.getListOfCompartments():
        rule = model.getRule(c.getId())
        if rule is not None:
            yield f"{_at(c)}compartment {c.getId()!r}: its size changes with time"
        if c.isSetSpatialDimensions() and c.getSpatialDimensionsAsDouble() == 0.0:
            yield f"{_at(c)}compartment {c.getId()!r}: it has no dimension, so no concentration"
        elif rule is None and not c.isSetSize() and not _initial(model, c.getId()):
            yield f"{_at(c)}compartment {c.getId()!r}: its size is not given"


def _species(model: Any) -> Iterator[str]:
    for s in model.getListOfSpecies():
        if s.getLevel() == 2 and s.isSetSpatialSizeUnits():
            yield f"{_at(s)}species {s.getId()!r}: spatialSizeUnits"


def _reactions(model: Any) -> Iterator[str]:
    for r in model.getListOfReactions():
        if not r.isSetKineticLaw() or not r.getKineticLaw().isSetMath():
            yield f"{_at(r)}reaction {r.getId()!r}: it has no rate"
        for reference in _references(r):
            yield from _stoichiometry(model, r.getId(), reference)


def _stoichiometry(model: Any, reaction: str, reference: Any) -> Iterator[str]:
    where = f"{_at(reference)}reaction {reaction!r}: the stoichiometry of {reference.getSpecies()!r}"
    name = reference.getId()
    if reference.isSetStoichiometryMath():
        yield f"{where} is a formula"
    elif name and (model.getRule(name) is not None or _initial(model, name)):
        yield f"{where} is set by a rule or initial assignment"
    elif reference.getLevel() > 2 and not reference.isSetStoichiometry():
        yield f"{where} is not given"


def _rules(model: Any) -> Iterator[str]:
    for rule in model.getListOfRules():
        if rule.isAlgebraic():
            formula = sbml.formulaToL3String(rule.getMath()) if rule.isSetMath() else ""
            yield f"{_at(rule)}algebraic rule 0 = {formula}"


def _missing_values(model: Any) -> Iterator[str]:
    """Find quantities that would start as nothing in particular."""
    for s in model.getListOfSpecies():
        given = s.isSetInitialAmount() or s.isSetInitialConcentration()
        if not given and not _determined(model, s.getId()):
            yield f"{_at(s)}species {s.getId()!r}: its initial value is not given"
    for p in model.getListOfParameters():
        if not p.isSetValue() and not _determined(model, p.getId()):
            yield f"{_at(p)}parameter {p.getId()!r}: its value is not given"
    for r in model.getListOfReactions():
        law = r.getKineticLaw()
        for p in [] if law is None else [*law.getListOfParameters(), *law.getListOfLocalParameters()]:
            if not p.isSetValue():
                yield f"{_at(p)}reaction {r.getId()!r}: its parameter {p.getId()!r} has no value"


def _determined(model: Any, symbol: str) -> bool:
    return _initial(model, symbol) or model.getAssignmentRule(symbol) is not None


def _initial(model: Any, symbol: str) -> bool:
    return model.getInitialAssignment(symbol) is not None
