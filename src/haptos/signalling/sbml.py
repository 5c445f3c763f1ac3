"""Read SBML and Antimony into a frozen :class:`KineticModel`.

Everything is copied out of libSBML at once. What is not supported is refused by name,
all reasons together: a model that is read means here what it means in SBML.

Supported are Levels 2 and 3 with constant compartments: local parameters, functions,
initial assignments, assignment and rate rules, boundary species, amounts and
concentrations, piecewise, time, constant stoichiometries. Refused are events, delays,
rateOf, algebraic rules, compartments that change, fast reactions, conversion factors,
variable stoichiometries, required packages and missing values.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from haptos.errors import ModelError
from haptos.numerics import GraphBuilder
from haptos.signalling._kinetic_model import (
    Compartment,
    Equation,
    KineticModel,
    Parameter,
    Reaction,
    Species,
)

__all__ = [
    "Compartment",
    "Equation",
    "KineticModel",
    "Parameter",
    "Reaction",
    "Species",
    "antimony_to_sbml",
    "read_sbml",
]

_ANTIMONY: Final = threading.Lock()
"""libAntimony keeps one set of models for the whole process."""


def antimony_to_sbml(text: str) -> str:
    """Translate Antimony text to SBML Level 3 Version 2, submodels flattened.

    Parameters
    ----------
    text : str
        Antimony; if there are several models, the last (or the one marked ``*``) counts.

    Raises
    ------
    ModelError
        With the line of the first fault.

    Examples
    --------
    >>> model = read_sbml(antimony_to_sbml("model m; A -> B; k*A; A = 2; B = 0; k = 1; end"))
    >>> [s.id for s in model.species]
    ['A', 'B']
    """
    import antimony

    with _ANTIMONY:
        antimony.clearPreviousLoads()
        try:
            if antimony.loadAntimonyString(text) < 0:
                raise ModelError(_antimony_fault(text, str(antimony.getLastError())))
            translated = antimony.getSBMLString(antimony.getMainModuleName())
        finally:
            antimony.clearPreviousLoads()
            antimony.freeAll()
    if not translated:
        raise ModelError("the Antimony text contains no model")
    return str(translated)


def _antimony_fault(text: str, message: str) -> str:
    lines = text.splitlines()
    found = re.search(r"line (\d+)", message)
    number = int(found.group(1)) if found else 0
    shown = f"\n    {number} | {lines[number - 1]}" if 0 < number <= len(lines) else ""
    return f"the Antimony text cannot be read: {' '.join(message.split())}{shown}"


def read_sbml(text: str) -> KineticModel:
    """Read an SBML text.

    Parameters
    ----------
    text : str
        The document.

    Returns
    -------
    KineticModel
        Free of libSBML, picklable.

    Raises
    ------
    ModelError
        With all errors of libSBML, or else all features that are not supported.
    """
    import libsbml

    from haptos.signalling._sbml_checks import reader_errors, refusals

    document = libsbml.readSBMLFromString(text)
    if document.getModel() is None:
        raise _refused("the text is not a valid SBML model", reader_errors(document) or ["no model"])
    reasons = refusals(document)
    if reasons:
        raise _refused("the model uses what haptos does not support", reasons)
    errors = reader_errors(document)
    if errors:
        raise _refused("the text is not a valid SBML model", errors)
    reader = _Reader(document.getModel())
    model = reader.read()
    if reader.reasons:
        raise _refused("the model uses what haptos does not support", reader.reasons)
    return model


def _refused(heading: str, reasons: Sequence[str]) -> ModelError:
    unique = list(dict.fromkeys(reasons))
    return ModelError("\n".join([f"{heading}:", *(f"  - {reason}" for reason in unique)]))


class _Reader:
    """Copies one libSBML model; collects the formulas it cannot translate."""

    def __init__(self, model: Any) -> None:
        from haptos.signalling._sbml_math import MathReader

        self.model = model
        self.builder = GraphBuilder()
        self.reasons: list[str] = []
        self.locals = dict(_local_names(model))
        self.symbols = (
            *(c.getId() for c in model.getListOfCompartments()),
            *(s.getId() for s in model.getListOfSpecies()),
            *(p.getId() for p in model.getListOfParameters()),
            *self.locals.values(),
            *(r.getId() for r in model.getListOfReactions()),
        )
        self.variables = {name: self.builder.variable(i) for i, name in enumerate(self.symbols)}
        functions = {f.getId(): _function(f) for f in model.getListOfFunctionDefinitions()}
        self.math = MathReader(self.builder, self._meanings(), functions)

    def _meanings(self) -> dict[str, int]:
        """Return what each name means in SBML formulas: some species mean their amount."""
        meanings = dict(self.variables)
        for promoted in self.locals.values():
            del meanings[promoted]
        for s in self.model.getListOfSpecies():
            if s.getHasOnlySubstanceUnits():
                size = self.variables[s.getCompartment()]
                meanings[s.getId()] = self.builder.mul(self.variables[s.getId()], size)
        return meanings

    def read(self) -> KineticModel:
        """Copy everything."""
        from haptos.signalling._sbml_text import notes_text, unit_text

        m = self.model
        species = tuple(self._species(s) for s in m.getListOfSpecies())
        reactions = tuple(self._reaction(r) for r in m.getListOfReactions())
        assignments, rates = self._rules(lambda r: r.isAssignment()), self._rules(_is_rate)
        names = {s.id for s in species}
        initials = tuple(
            Equation(a.getSymbol(), self._formula(f"initial assignment of {a.getSymbol()!r}", a))
            for a in m.getListOfInitialAssignments()
            if a.getSymbol() not in names
        )
        return KineticModel(
            id=m.getId(),
            name=m.getName(),
            compartments=tuple(self._compartment(c) for c in m.getListOfCompartments()),
            species=species,
            parameters=tuple(self._parameters()),
            reactions=reactions,
            assignments=assignments,
            rates=rates,
            initials=initials,
            graph=self.builder.freeze(),
            symbols=self.symbols,
            time_units=unit_text(m, _default_unit(m, "time")),
            extent_units=unit_text(m, _default_unit(m, "extent")),
            notes=notes_text(m),
        )

    def _formula(self, where: str, element: Any, local: Mapping[str, int] | None = None) -> int:
        from haptos.signalling._sbml_math import UnsupportedMathError

        try:
            return self.math.read(element.getMath(), local)
        except UnsupportedMathError as fault:
            self.reasons.append(f"{where}: {fault}")
            return self.builder.constant(0.0)

    def _per_size(self, symbol: str, expression: int) -> int:
        """Divide by the size of the compartment if `symbol` is a species meant as amount."""
        s = self.model.getSpecies(symbol)
        if s is None or not s.getHasOnlySubstanceUnits():
            return expression
        return self.builder.div(expression, self.variables[s.getCompartment()])

    def _rules(self, wanted: Callable[[Any], bool]) -> tuple[Equation, ...]:
        found = [r for r in self.model.getListOfRules() if wanted(r)]
        return tuple(
            Equation(
                r.getVariable(),
                self._per_size(r.getVariable(), self._formula(f"rule of {r.getVariable()!r}", r)),
            )
            for r in found
        )

    def _compartment(self, c: Any) -> Compartment:
        from haptos.signalling._sbml_text import unit_text

        size = float(c.getSize()) if c.isSetSize() else None
        return Compartment(c.getId(), c.getName(), size, unit_text(self.model, _size_unit(self.model, c)))

    def _species(self, s: Any) -> Species:
        from haptos.signalling._sbml_text import resources, unit_text

        place = self.model.getCompartment(s.getCompartment())
        substance = s.getSubstanceUnits() or _default_unit(self.model, "substance")
        parts = [unit_text(self.model, u) for u in (substance, _size_unit(self.model, place))]
        assigned = self.model.getAssignmentRule(s.getId()) is not None
        return Species(
            id=s.getId(),
            name=s.getName(),
            compartment=s.getCompartment(),
            initial=None if assigned else self._initial(s),
            boundary=bool(s.getBoundaryCondition()),
            constant=bool(s.getConstant()),
            units=f"({parts[0]}) / ({parts[1]})" if all(parts) else "",
            terms=resources(s),
        )

    def _initial(self, s: Any) -> int:
        """Return the expression of the initial concentration."""
        assignment = self.model.getInitialAssignment(s.getId())
        if assignment is not None:
            where = f"initial assignment of {s.getId()!r}"
            return self._per_size(s.getId(), self._formula(where, assignment))
        if s.isSetInitialConcentration():
            return self.builder.constant(s.getInitialConcentration())
        amount = self.builder.constant(s.getInitialAmount())
        return self.builder.div(amount, self.variables[s.getCompartment()])

    def _parameters(self) -> Iterator[Parameter]:
        from haptos.signalling._sbml_text import unit_text

        for p in self.model.getListOfParameters():
            value = float(p.getValue()) if p.isSetValue() else None
            units = unit_text(self.model, p.getUnits())
            yield Parameter(p.getId(), p.getName(), value, units, bool(p.getConstant()))
        for reaction, p in _local_parameters(self.model):
            name = self.locals[reaction, p.getId()]
            units = unit_text(self.model, p.getUnits())
            yield Parameter(name, p.getName(), float(p.getValue()), units, constant=True, reaction=reaction)

    def _reaction(self, r: Any) -> Reaction:
        from haptos.signalling._sbml_text import notes_text, resources

        local = {
            short: self.variables[name] for (reaction, short), name in self.locals.items() if reaction == r.getId()
        }
        return Reaction(
            id=r.getId(),
            name=r.getName(),
            reactants=_sides(r.getListOfReactants()),
            products=_sides(r.getListOfProducts()),
            modifiers=tuple(m.getSpecies() for m in r.getListOfModifiers()),
            rate=self._formula(f"rate of reaction {r.getId()!r}", r.getKineticLaw(), local),
            reversible=bool(r.getReversible()),
            terms=resources(r),
            notes=notes_text(r),
        )


def _is_rate(rule: Any) -> bool:
    return bool(rule.isRate())


def _sides(references: Any) -> tuple[tuple[str, float], ...]:
    return tuple((s.getSpecies(), float(s.getStoichiometry())) for s in references)


def _function(definition: Any) -> tuple[list[str], Any]:
    count = definition.getNumArguments()
    return [definition.getArgument(i).getName() for i in range(count)], definition.getBody()


def _local_parameters(model: Any) -> Iterator[tuple[str, Any]]:
    for r in model.getListOfReactions():
        law = r.getKineticLaw()
        parameters = law.getListOfLocalParameters() if law.getLevel() > 2 else law.getListOfParameters()
        for p in parameters:
            yield r.getId(), p


def _local_names(model: Any) -> Iterator[tuple[tuple[str, str], str]]:
    """Give every local parameter a global name that is still free."""
    taken = {e.getId() for e in model.getListOfAllElements() if e.getId()}
    for reaction, p in _local_parameters(model):
        name = f"{reaction}_{p.getId()}"
        while name in taken:
            name += "_"
        taken.add(name)
        yield (reaction, p.getId()), name


def _default_unit(model: Any, kind: str) -> str:
    """Return the identifier of the model's unit of substance, time, volume, ..."""
    if model.getLevel() < 3:
        return "substance" if kind == "extent" else kind
    return str(getattr(model, f"get{kind.capitalize()}Units")())


def _size_unit(model: Any, compartment: Any) -> str:
    if compartment.getUnits():
        return str(compartment.getUnits())
    kinds = {1.0: "length", 2.0: "area", 3.0: "volume"}
    kind = kinds.get(compartment.getSpatialDimensionsAsDouble())
    return _default_unit(model, kind) if kind else ""
