"""From a kinetic model to tapes: who is a state, who is constant, who is computed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from haptos.errors import ModelError
from haptos.numerics import Graph, GraphBuilder, Op
from haptos.signalling._kinetic_model import KineticModel, Reaction

__all__ = ["Roles", "Start", "dynamics", "find_roles", "net_changes", "start_expressions"]


@dataclass(frozen=True, slots=True)
class Roles:
    """What every symbol of a model does.

    Attributes
    ----------
    states : tuple of str
        Integrated: species that reactions change, and targets of rate rules.
    constants : tuple of str
        Parameters, compartments and species that nothing changes.
    computed : tuple of str
        Targets of assignment rules, then reactions (their rates).
    order : tuple of str
        `computed` so that each follows what it needs.
    """

    states: tuple[str, ...]
    constants: tuple[str, ...]
    computed: tuple[str, ...]
    order: tuple[str, ...]


def net_changes(reaction: Reaction) -> dict[str, float]:
    """Return the net stoichiometry of every species of a reaction."""
    changes: dict[str, float] = {}
    for sign, side in ((-1.0, reaction.reactants), (1.0, reaction.products)):
        for species, count in side:
            changes[species] = changes.get(species, 0.0) + sign * count
    return changes


def find_roles(model: KineticModel) -> Roles:
    """Sort the symbols of a model by what they do.

    Raises
    ------
    ModelError
        If rules refer to each other in a circle.
    """
    assigned = {e.symbol: e.expression for e in model.assignments}
    rated = {e.symbol for e in model.rates}
    touched = {name for r in model.reactions for name, _ in (*r.reactants, *r.products)}
    moved = {s.id for s in model.species if s.id in touched and not (s.boundary or s.constant)}
    both = sorted((rated & set(assigned)) | (moved & (rated | set(assigned))))
    if both:
        raise ModelError(f"{', '.join(both)}: changed by more than one rule or reaction")
    reactions = {r.id: r.rate for r in model.reactions}
    computed = {**assigned, **reactions}
    plain = [s for s in model.symbols if s not in computed]
    return Roles(
        states=tuple(s for s in plain if s in moved or s in rated),
        constants=tuple(s for s in plain if s not in moved and s not in rated),
        computed=tuple(computed),
        order=_ordered(model, computed),
    )


def _ordered(model: KineticModel, expressions: Mapping[str, int]) -> tuple[str, ...]:
    """Order symbols so that each follows the ones its expression needs."""
    needs = {
        symbol: [model.symbols[i] for i in sorted(model.graph.variables(expression)) if model.symbols[i] in expressions]
        for symbol, expression in expressions.items()
    }
    try:
        return tuple(TopologicalSorter(needs).static_order())
    except CycleError as fault:
        raise ModelError(f"these define each other: {' -> '.join(fault.args[1])}") from fault


def _computed_expressions(model: KineticModel) -> dict[str, int]:
    assigned = {e.symbol: e.expression for e in model.assignments}
    return {**assigned, **{r.id: r.rate for r in model.reactions}}


def dynamics(model: KineticModel, roles: Roles) -> tuple[Graph, list[int], dict[str, int]]:
    """Express derivatives and computed quantities by states, constants and time alone.

    Returns
    -------
    graph : Graph
        Variables are the states, then the constants.
    derivatives : list of int
        Expression of the time derivative of every state.
    values : dict
        Expression of every symbol of the model.
    """
    builder = GraphBuilder()
    names = [*roles.states, *roles.constants]
    values = {name: builder.variable(i) for i, name in enumerate(names)}
    expressions = _computed_expressions(model)
    for symbol in roles.order:
        values[symbol] = _copy(builder, model, expressions[symbol], values)
    rates = {e.symbol: _copy(builder, model, e.expression, values) for e in model.rates}
    flows = _flows(builder, model, values)
    one = builder.constant(1.0)
    places = {s.id: values[s.compartment] for s in model.species}
    derivatives = [
        rates[s] if s in rates else builder.mul(builder.total(flows.get(s, ())), builder.div(one, places[s]))
        for s in roles.states
    ]
    return builder.freeze(), derivatives, values


def _flows(builder: GraphBuilder, model: KineticModel, values: Mapping[str, int]) -> dict[str, list[int]]:
    """Return the signed reaction rates that change every species."""
    flows: dict[str, list[int]] = {}
    for reaction in model.reactions:
        for species, count in net_changes(reaction).items():
            if count != 0.0:
                flow = builder.mul(builder.constant(count), values[reaction.id])
                flows.setdefault(species, []).append(flow)
    return flows


def _copy(builder: GraphBuilder, model: KineticModel, expression: int, values: Mapping[str, int]) -> int:
    used = model.graph.variables(expression)
    replaced = {i: values[model.symbols[i]] for i in used}
    return builder.copy_from(model.graph, [expression], replaced)[0]


@dataclass(frozen=True, slots=True)
class Start:
    """How all quantities get their values at the start.

    Attributes
    ----------
    graph : Graph
        Variables are the given values of states and constants, then one flag for each
        of `derived`: 1 where the given value wins over the formula.
    values : tuple of int
        Expression of the value of every state, then constant.
    derived : tuple of str
        States and constants that have a formula (an initial assignment).
    held : tuple of str
        Constants whose formula involves states or time, so that it is used only once,
        at the start of a simulation.
    defaults : tuple of float
        Given values of the model; 0 for derived ones.
    """

    graph: Graph
    values: tuple[int, ...]
    derived: tuple[str, ...]
    held: tuple[str, ...]
    defaults: tuple[float, ...]


def start_expressions(model: KineticModel, roles: Roles) -> Start:
    """Express the values at the start by what is given and what is overridden."""
    names = [*roles.states, *roles.constants]
    given, formulas = _given(model)
    derived = tuple(name for name in names if name in formulas)
    everything = {**{d: formulas[d] for d in derived}, **_computed_expressions(model)}
    order = _ordered(model, everything)
    builder = GraphBuilder()
    values = {name: builder.variable(i) for i, name in enumerate(names)}
    for symbol in order:
        formula = _copy(builder, model, everything[symbol], values)
        if symbol in derived:
            flag = builder.variable(len(names) + derived.index(symbol))
            formula = builder.select(flag, values[symbol], formula)
        values[symbol] = formula
    return Start(
        graph=builder.freeze(),
        values=tuple(values[name] for name in names),
        derived=derived,
        held=_held(model, roles, order, everything),
        defaults=tuple(given.get(name, 0.0) for name in names),
    )


def _given(model: KineticModel) -> tuple[dict[str, float], dict[str, int]]:
    """Split initial values into plain numbers and formulas."""
    given: dict[str, float] = {}
    formulas = {e.symbol: e.expression for e in model.initials}
    for c in model.compartments:
        if c.size is not None:
            given[c.id] = c.size
    for p in model.parameters:
        if p.value is not None:
            given[p.id] = p.value
    for s in model.species:
        if s.initial is None:
            continue
        node = model.graph.nodes[s.initial]
        if node.op is Op.CONSTANT:
            given[s.id] = node.value
        else:
            formulas[s.id] = s.initial
    return given, formulas


def _held(model: KineticModel, roles: Roles, order: Iterable[str], expressions: Mapping[str, int]) -> tuple[str, ...]:
    moving = set(roles.states)
    for symbol in order:
        used = model.graph.variables(expressions[symbol])
        if model.graph.uses_time(expressions[symbol]) or any(model.symbols[i] in moving for i in used):
            moving.add(symbol)
    return _in_order(roles.constants, moving)


def _in_order(names: Sequence[str], wanted: set[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name in wanted)
