"""From a kinetic model to tapes: who is a state, who is constant, who is computed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from haptos.errors import ModelError
from haptos.numerics import Event, EventSet, Graph, GraphBuilder, Op, build_events
from haptos.signalling._kinetic_model import KineticModel, Reaction, Species

__all__ = ["Roles", "Start", "compile_events", "dynamics", "find_roles", "net_changes", "start_expressions"]


@dataclass(frozen=True, slots=True)
class Roles:
    """What every symbol of a model does.

    Attributes
    ----------
    states : tuple of str
        Integrated: species that reactions change, targets of rate rules and of events.
    quiet : tuple of str
        States that only events change.
    constants : tuple of str
        Parameters, compartments and species that nothing changes.
    computed : tuple of str
        Targets of assignment rules, then reactions (their rates).
    order : tuple of str
        `computed` so that each follows what it needs.
    """

    states: tuple[str, ...]
    quiet: tuple[str, ...]
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
    set_anew = {a.symbol for event in model.events for a in event.assignments}
    both = sorted(((rated | set_anew) & set(assigned)) | (moved & (rated | set(assigned))))
    if both:
        raise ModelError(f"{', '.join(both)}: changed by more than one rule or reaction")
    reactions = {r.id: r.rate for r in model.reactions}
    computed = {**assigned, **reactions}
    plain = [s for s in model.symbols if s not in computed]
    changing = moved | rated | set_anew
    return Roles(
        states=tuple(s for s in plain if s in changing),
        quiet=tuple(s for s in plain if s in set_anew - moved - rated),
        constants=tuple(s for s in plain if s not in changing),
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
    rates |= dict.fromkeys(roles.quiet, builder.constant(0.0))
    flows = _flows(builder, model, values)
    pools = {s.id: s for s in model.species}
    derivatives = [
        rates[s] if s in rates else _rate_of_species(builder, pools[s], flows.get(s, ()), values) for s in roles.states
    ]
    return builder.freeze(), derivatives, values


def _rate_of_species(builder: GraphBuilder, species: Species, flows: Iterable[int], values: Mapping[str, int]) -> int:
    """Return the rate of change of a concentration."""
    total = builder.total(flows)
    if species.conversion:
        total = builder.mul(total, values[species.conversion])
    return builder.mul(total, builder.div(builder.constant(1.0), values[species.compartment]))


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


def compile_events(
    model: KineticModel, roles: Roles, graph: Graph, derivatives: Sequence[int], values: Mapping[str, int]
) -> EventSet | None:
    """Compile the events of a model; None if it has none.

    Parameters
    ----------
    model, roles
        The model and its roles.
    graph, derivatives, values
        As :func:`dynamics` returned them.

    Notes
    -----
    Where rates jump at times that events change, an event without assignments makes
    solvers stop there.
    """
    if not model.events:
        return None
    builder = GraphBuilder(graph)
    number = {name: i for i, name in enumerate(roles.states)}
    events = [
        Event(
            trigger=_copy(builder, model, e.trigger, values),
            assignments=tuple((number[a.symbol], _copy(builder, model, a.expression, values)) for a in e.assignments),
            initial=e.initial,
            persistent=e.persistent,
            at_trigger=e.at_trigger,
        )
        for e in model.events
    ]
    quiet = {number[name] for name in roles.quiet}
    for position in _switches(builder, derivatives, quiet, len(number)):
        events += [Event(position), Event(builder.apply(Op.NOT, position))]
    return build_events(builder.freeze(), events, len(roles.states), len(roles.constants))


def _switches(builder: GraphBuilder, roots: Sequence[int], quiet: set[int], n_states: int) -> list[int]:
    """Return the conditions that compare time with states that only events change."""
    found = []
    for position in builder.reachable(roots):
        if builder.nodes[position].op not in {Op.LT, Op.LE, Op.EQ, Op.NE}:
            continue
        nodes = [builder.nodes[i] for i in builder.reachable([position])]
        states = {int(n.value) for n in nodes if n.op is Op.VARIABLE and n.value < n_states}
        if states and states <= quiet and any(n.op is Op.TIME for n in nodes):
            found.append(position)
    return found


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
    everything = _needed(model, derived, {**{d: formulas[d] for d in derived}, **_computed_expressions(model)})
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


def _needed(model: KineticModel, wanted: Sequence[str], expressions: Mapping[str, int]) -> dict[str, int]:
    """Return the expressions that the wanted symbols depend on, their own included."""
    found: dict[str, int] = {}
    waiting = list(reversed(wanted))
    while waiting:
        symbol = waiting.pop()
        if symbol in expressions and symbol not in found:
            found[symbol] = expressions[symbol]
            waiting += [model.symbols[i] for i in sorted(model.graph.variables(expressions[symbol]), reverse=True)]
    return found


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
