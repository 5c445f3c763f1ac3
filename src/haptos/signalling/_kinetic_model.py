"""The intermediate form between SBML and the compiled network: frozen, picklable data."""

from __future__ import annotations

from dataclasses import dataclass, field

from haptos.numerics import Graph, formula

__all__ = ["Compartment", "Equation", "KineticModel", "ModelEvent", "Parameter", "Reaction", "Species"]


@dataclass(frozen=True, slots=True)
class Compartment:
    """A space; only events may change its size.

    Attributes
    ----------
    id, name : str
        Identifier and label.
    size : float or None
        Size in `units`; None if an initial assignment gives it.
    units : str
        Unit text; empty if none is declared.
    """

    id: str
    name: str
    size: float | None
    units: str


@dataclass(frozen=True, slots=True)
class Species:
    """A pool of molecules.

    Attributes
    ----------
    id, name, compartment : str
        Identifier, label and where it is.
    initial : int or None
        Expression of the initial concentration; None if a rule assigns it.
    boundary : bool
        Whether reactions leave it unchanged.
    constant : bool
        Whether nothing may change it.
    units : str
        Unit text of the concentration.
    terms : tuple of str
        Resources named by its annotation.
    conversion : str
        Parameter that turns extents of reactions into amounts of this species; empty
        if they are the same.
    """

    id: str
    name: str
    compartment: str
    initial: int | None
    boundary: bool
    constant: bool
    units: str
    terms: tuple[str, ...] = ()
    conversion: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number with a name.

    Attributes
    ----------
    id, name : str
        Identifier and label; a local parameter `k` of reaction `R` is called ``R_k``.
    value : float or None
        Value in `units`; None if a rule or initial assignment gives it.
    units : str
        Unit text; empty if none is declared.
    constant : bool
        Whether it is declared constant.
    reaction : str
        Reaction it is local to; empty for a global parameter.
    """

    id: str
    name: str
    value: float | None
    units: str
    constant: bool
    reaction: str = ""


@dataclass(frozen=True, slots=True)
class Reaction:
    """A conversion with its rate.

    Attributes
    ----------
    id, name : str
        Identifier and label.
    reactants, products : tuple of (str, float)
        Species and stoichiometry.
    modifiers : tuple of str
        Species that act on the rate only.
    rate : int
        Expression of the rate [extent per time].
    reversible : bool
        As declared.
    terms : tuple of str
        Resources named by the annotation.
    notes : str
        Notes as plain text.
    """

    id: str
    name: str
    reactants: tuple[tuple[str, float], ...]
    products: tuple[tuple[str, float], ...]
    modifiers: tuple[str, ...]
    rate: int
    reversible: bool
    terms: tuple[str, ...] = ()
    notes: str = ""


@dataclass(frozen=True, slots=True)
class Equation:
    """An assignment, a rate rule or an initial assignment: `symbol` and its expression."""

    symbol: str
    expression: int


@dataclass(frozen=True, slots=True)
class ModelEvent:
    """What happens when a condition turns from false to true.

    Attributes
    ----------
    id, name : str
        Identifier and label; both may be empty.
    trigger : int
        Expression of the condition; any number but zero is true.
    assignments : tuple of Equation
        New values. Where an event changes the size of a compartment, the concentrations
        in it, which follow because amounts stay, are among them.
    initial : bool
        Value of the trigger before the start.
    persistent : bool
        Whether it happens although its trigger turned false before its turn came.
    at_trigger : bool
        Whether the new values are those of the moment the trigger turned true.
    """

    id: str
    name: str
    trigger: int
    assignments: tuple[Equation, ...]
    initial: bool
    persistent: bool
    at_trigger: bool


@dataclass(frozen=True, slots=True)
class KineticModel:
    """A reaction network, normalised.

    In every expression a species stands for its **concentration**, also where the SBML
    meant amounts, and equations give concentrations; functions are written out. Variable
    `i` of the graph is ``symbols[i]``; a reaction as a symbol stands for its rate.

    Attributes
    ----------
    id, name : str
        Identifier and label.
    graph : Graph
        All expressions.
    symbols : tuple of str
        Compartments, species, parameters, reactions.
    compartments, species, parameters, reactions
        The parts.
    assignments : tuple of Equation
        Hold at all times.
    rates : tuple of Equation
        Give the rate of change of their symbol.
    initials : tuple of Equation
        Initial assignments of compartments and parameters (those of species are in
        ``Species.initial``).
    time_units, extent_units : str
        Unit texts; empty if not declared.
    notes : str
        Notes as plain text.
    events : tuple of ModelEvent
        In the order of the file, which is the order of those that happen at once.
    """

    id: str
    name: str
    graph: Graph = field(repr=False)
    symbols: tuple[str, ...] = field(repr=False)
    compartments: tuple[Compartment, ...]
    species: tuple[Species, ...]
    parameters: tuple[Parameter, ...]
    reactions: tuple[Reaction, ...]
    assignments: tuple[Equation, ...]
    rates: tuple[Equation, ...]
    initials: tuple[Equation, ...]
    time_units: str = ""
    extent_units: str = ""
    notes: str = ""
    events: tuple[ModelEvent, ...] = ()

    def text(self, expression: int) -> str:
        """Return an expression as infix text."""
        return formula(self.graph, expression, lambda i: self.symbols[i])
