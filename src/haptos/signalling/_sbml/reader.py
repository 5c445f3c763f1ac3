"""Copy a libSBML model into a :class:`KineticModel`, all of it at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from haptos.numerics import GraphBuilder
from haptos.signalling._kinetic_model import (
    Compartment,
    Equation,
    KineticModel,
    ModelEvent,
    Parameter,
    Reaction,
    Species,
)
from haptos.signalling._sbml.formulas import MathReader, UnsupportedMathError
from haptos.signalling._sbml.texts import notes_text, resources, unit_text

__all__ = ["ModelReader"]


class ModelReader:
    """Copies one libSBML model; collects the formulas it cannot translate.

    Parameters
    ----------
    model : libsbml.Model
        Its document must be alive.

    Attributes
    ----------
    reasons : list of str
        What could not be translated.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.builder = GraphBuilder()
        self.reasons: list[str] = []
        self.locals = dict(_local_names(model))
        self.inside: dict[str, dict[str, str]] = {}
        for (reaction, short), name in self.locals.items():
            self.inside.setdefault(reaction, {})[short] = name
        self.assigned = {r.getVariable() for r in model.getListOfRules() if r.isAssignment()}
        self.starts = {a.getSymbol(): a for a in model.getListOfInitialAssignments()}
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
        meanings = {**self.variables, **self._counts()}
        for promoted in self.locals.values():
            del meanings[promoted]
        for s in self.model.getListOfSpecies():
            if s.getHasOnlySubstanceUnits():
                size = self.variables[s.getCompartment()]
                meanings[s.getId()] = self.builder.mul(self.variables[s.getId()], size)
        return meanings

    def _counts(self) -> dict[str, int]:
        """Return the stoichiometries that have a name; those that change are refused elsewhere."""
        if self.model.getLevel() < 3:
            return {}
        sides = (
            side for r in self.model.getListOfReactions() for side in (r.getListOfReactants(), r.getListOfProducts())
        )
        return {s.getId(): self.builder.constant(s.getStoichiometry()) for side in sides for s in side if s.getId()}

    def read(self) -> KineticModel:
        """Copy everything."""
        m = self.model
        species = tuple(self._species(s) for s in m.getListOfSpecies())
        reactions = tuple(self._reaction(r) for r in m.getListOfReactions())
        assignments, rates = self._rules(lambda r: r.isAssignment()), self._rules(_is_rate)
        names = {s.id for s in species}
        events = tuple(self._events())
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
            events=events,
        )

    def _formula(self, where: str, element: Any, local: Mapping[str, int] | None = None) -> int:

        try:
            return self.math.read(element.getMath(), local)
        except UnsupportedMathError as fault:
            line = element.getLine() if element is not None else 0
            self.reasons.append(f"line {line}: {where}: {fault}" if line else f"{where}: {fault}")
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

        size = float(c.getSize()) if c.isSetSize() else None
        return Compartment(c.getId(), c.getName(), size, unit_text(self.model, _size_unit(self.model, c)))

    def _species(self, s: Any) -> Species:

        place = self.model.getCompartment(s.getCompartment())
        substance = s.getSubstanceUnits() or _default_unit(self.model, "substance")
        parts = [unit_text(self.model, u) for u in (substance, _size_unit(self.model, place))]
        assigned = s.getId() in self.assigned
        return Species(
            id=s.getId(),
            name=s.getName(),
            compartment=s.getCompartment(),
            initial=None if assigned else self._initial(s),
            boundary=bool(s.getBoundaryCondition()),
            constant=bool(s.getConstant()),
            units=f"({parts[0]}) / ({parts[1]})" if all(parts) else "",
            terms=resources(s),
            conversion=str(s.getConversionFactor() or self.model.getConversionFactor()),
        )

    def _initial(self, s: Any) -> int:
        """Return the expression of the initial concentration."""
        if s.getId() in self.starts:
            where = f"initial assignment of {s.getId()!r}"
            return self._per_size(s.getId(), self._formula(where, self.starts[s.getId()]))
        if s.isSetInitialConcentration():
            return self.builder.constant(s.getInitialConcentration())
        amount = self.builder.constant(s.getInitialAmount())
        return self.builder.div(amount, self.variables[s.getCompartment()])

    def _parameters(self) -> Iterator[Parameter]:

        for p in self.model.getListOfParameters():
            value = float(p.getValue()) if p.isSetValue() else None
            units = unit_text(self.model, p.getUnits())
            yield Parameter(p.getId(), p.getName(), value, units, bool(p.getConstant()))
        for reaction, p in _local_parameters(self.model):
            name = self.locals[reaction, p.getId()]
            units = unit_text(self.model, p.getUnits())
            yield Parameter(name, p.getName(), float(p.getValue()), units, constant=True, reaction=reaction)

    def _reaction(self, r: Any) -> Reaction:

        local = {short: self.variables[name] for short, name in self.inside.get(r.getId(), {}).items()}
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

    def _events(self) -> Iterator[ModelEvent]:
        """Copy the events that can happen: without a trigger they never do."""
        for number, e in enumerate(self.model.getListOfEvents(), start=1):
            trigger = e.getTrigger()
            if trigger is None or not trigger.isSetMath():
                continue
            where = f"event {e.getId() or e.getName() or number!r}"
            given = [a for a in e.getListOfEventAssignments() if a.isSetMath()]
            values = {a.getVariable(): self._formula(f"{where}: assignment of {a.getVariable()!r}", a) for a in given}
            frozen = self._frozen_values(where, values, e.getUseValuesFromTriggerTime())
            yield ModelEvent(
                id=e.getId(),
                name=e.getName(),
                trigger=self._formula(f"{where}: trigger", trigger),
                assignments=self._as_concentrations(values),
                initial=bool(trigger.getInitialValue()) if e.getLevel() > 2 else True,
                persistent=bool(trigger.getPersistent()) if e.getLevel() > 2 else True,
                at_trigger=frozen,
            )

    def _as_concentrations(self, values: Mapping[str, int]) -> tuple[Equation, ...]:
        """Turn new amounts into concentrations; keep amounts where the size of a compartment changes.

        A concentration that is set together with the size counts at the old size, as the
        standard has it.
        """
        b, found = self.builder, dict(values)
        for s in self.model.getListOfSpecies():
            name, place = s.getId(), s.getCompartment()
            if name in self.assigned:
                continue
            size = values.get(place, self.variables[place])
            if name in values and s.getHasOnlySubstanceUnits():
                found[name] = b.div(values[name], size)
            elif place in values:
                amount = b.mul(values.get(name, self.variables[name]), self.variables[place])
                found[name] = b.div(amount, size)
        return tuple(Equation(name, expression) for name, expression in found.items())

    def _frozen_values(self, where: str, values: Mapping[str, int], at_trigger: bool) -> bool:
        """Whether values are those of the moment of the trigger.

        Amounts that stay while the size of a compartment changes are those of the moment
        of execution, so new sizes of the moment of the trigger cannot be mixed with them
        if other events may come between; constants are the same at both moments.
        """
        sizes = [name for name in values if self.model.getCompartment(name) is not None]
        if not (at_trigger and sizes) or self.model.getNumEvents() == 1:
            return bool(at_trigger)
        graph = self.builder.freeze()
        used = {self.symbols[i] for i in graph.variables(*values.values())}
        if graph.uses_time(*values.values()) or not all(self._is_constant(name) for name in used):
            self.reasons.append(f"{where}: it sets the size of {sizes[0]!r} by a formula, among other events")
        return False

    def _is_constant(self, name: str) -> bool:
        """Whether a symbol is a parameter or compartment declared constant, or local."""
        if name in self.locals.values():
            return True
        found = self.model.getParameter(name) or self.model.getCompartment(name)
        return found is not None and bool(found.getConstant())


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
    found = list(_local_parameters(model))
    taken = {e.getId() for e in model.getListOfAllElements() if e.getId()} if found else set()
    for reaction, p in found:
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
