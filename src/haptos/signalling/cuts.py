"""Cutting the model: what it does without some of its reactions, or of its arrows.

A cut is a multiplier, 1 in the model that ships. That of a *reaction* scales its rate; that of
an *arrow* scales one quantity in the rate law of one reaction, so that the reaction goes on as if
there were none of it. A *readout* (``measure__entity``) that is a rule, such as a binding at
equilibrium, has arrows too: what acts on nothing but the reading can be cut there. The
multipliers belong to a variant of the compiled network that is otherwise the same, and no
experiment file can reach them: cuts are for auditing and explaining the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property

from haptos.numerics import GraphBuilder
from haptos.signalling._kinetic_model import Equation, KineticModel, Parameter, Reaction

__all__ = ["CUT", "Arrows", "cut_name", "with_cuts"]

#: How the multipliers begin.
CUT = "cut__"
_BETWEEN = "__of__"
#: Readouts made of more species than this are sums over classes: there no single one is cut.
_FEW = 12


def cut_name(reaction: str, quantity: str | None = None) -> str:
    """Return the name of the multiplier of a reaction, or of a quantity in its rate law.

    Examples
    --------
    >>> cut_name("IKK_activation"), cut_name("IKK_activation", "act_AKT1")
    ('cut__IKK_activation', 'cut__IKK_activation__of__act_AKT1')
    """
    return f"{CUT}{reaction}" if quantity is None else f"{CUT}{reaction}{_BETWEEN}{quantity}"


class Arrows:
    """What acts on which reaction.

    Parameters
    ----------
    model : KineticModel
        Any reaction network.

    Notes
    -----
    Rules without the unit of a concentration (shares, drives, rates) are written out: what they are
    made of acts, not they.
    """

    def __init__(self, model: KineticModel) -> None:
        self.model = model
        self._rules = {e.symbol: e.expression for e in model.assignments}
        units = {p.id: p.units for p in model.parameters}
        concentrations = {_as_product(s.units) for s in model.species if s.units}
        self._open = {n for n in self._rules if n in units and _as_product(units[n]) not in concentrations}
        self._number = {name: i for i, name in enumerate(model.symbols)}

    @cached_property
    def _acting(self) -> frozenset[str]:
        species = {s.id for s in self.model.species if not s.constant}
        return frozenset(species | (set(self._rules) - self._open))

    def on(self, reaction: Reaction) -> tuple[str, ...]:
        """Return the quantities that act on a reaction without being turned over by it."""
        own = {name for name, _ in (*reaction.reactants, *reaction.products)}
        return tuple(name for name in self._read(reaction.rate) if name in self._acting and name not in own)

    @cached_property
    def readouts(self) -> Mapping[str, tuple[str, ...]]:
        """What the rule of every readout reads, down to the species where these are few.

        Rules that a reaction reads too are no readouts.
        """
        turning = {name for r in self.model.reactions for used in self._direct(r.rate) for name in self.made_of(used)}
        names = [name for name in self._rules if "__" in name and name not in turning]
        return {name: tuple(dict.fromkeys((*self._upper(name), *self._lower(name)))) for name in names}

    def _upper(self, readout: str) -> tuple[str, ...]:
        return tuple(name for name in self._read(self._rules[readout]) if name in self._acting)

    def _lower(self, readout: str) -> tuple[str, ...]:
        species = sorted(self.made_of(readout) & self._acting - set(self._rules))
        return tuple(species) if len(species) <= _FEW else ()

    def made_of(self, name: str) -> frozenset[str]:
        """Return a quantity and all that its rules are made of."""
        found, waiting = {name}, [name]
        while waiting:
            expression = self._rules.get(waiting.pop())
            for other in self._direct(expression) if expression is not None else ():
                if other not in found:
                    found.add(other)
                    waiting.append(other)
        return frozenset(found)

    def written(self, builder: GraphBuilder, expression: int, factors: Mapping[str, int], *, deep: bool = False) -> int:
        """Return an expression with some quantities scaled, also inside the rules that are written out.

        Parameters
        ----------
        builder : GraphBuilder
            Where to.
        expression : int
            Root in the graph of the model.
        factors : mapping of str to int
            What scales each quantity, as nodes of the builder.
        deep : bool
            Whether all rules are written out, not only those without the unit of a concentration.
        """
        values = {}
        for name in self._direct(expression):
            through = name in self._rules and (deep or name in self._open)
            inside = self.made_of(name) - {name} if through else frozenset()
            value = builder.variable(self._number[name])
            if inside & set(factors):
                value = self.written(builder, self._rules[name], factors, deep=deep)
            if name in factors:
                value = builder.mul(factors[name], value)
            values[self._number[name]] = value
        return builder.copy_from(self.model.graph, [expression], values)[0]

    def _direct(self, expression: int) -> tuple[str, ...]:
        return tuple(self.model.symbols[i] for i in sorted(self.model.graph.variables(expression)))

    def _read(self, expression: int) -> tuple[str, ...]:
        """Return what an expression reads once the open rules are written out."""
        found: dict[str, None] = {}
        for name in self._direct(expression):
            found |= dict.fromkeys(self._read(self._rules[name]) if name in self._open else (name,))
        return tuple(found)


def _as_product(units: str) -> str:
    """Return the text of a unit with a power in place of a quotient.

    Examples
    --------
    >>> _as_product("(1e-24 mole) / (1e-15 litre)")
    '(1e-24 mole) * (1e-15 litre)**-1'
    """
    above, _, below = units.partition(" / ")
    return f"{above} * {below}**-1" if below else units


def with_cuts(model: KineticModel) -> KineticModel:
    """Return a model with a multiplier for every reaction and every arrow, those onto readouts too, 1 by default.

    Parameters
    ----------
    model : KineticModel
        Any reaction network.

    Examples
    --------
    >>> from haptos.signalling.network import compile_network
    >>> from haptos.signalling.sbml import antimony_to_sbml, read_sbml
    >>> text = "model m; R: A -> B; k*A*(1 + C); A = 2; B = 0; k = 1; species C = 1; end"
    >>> network = compile_network(with_cuts(read_sbml(antimony_to_sbml(text))))
    >>> network.simulate([0, 1], parameters={"cut__R": [1.0, 0.0]})["A"].round(4).tolist()
    [[2.0, 0.2707], [2.0, 2.0]]
    >>> network.simulate([0, 1], parameters={"cut__R__of__C": [0.0]})["A"].round(4).tolist()
    [[2.0, 0.7358]]
    """
    builder, arrows = GraphBuilder(model.graph), Arrows(model)
    names: list[str] = []

    def multiplier(name: str) -> int:
        names.append(name)
        return builder.variable(len(model.symbols) + len(names) - 1)

    def factors(target: str, acting: Iterable[str]) -> dict[str, int]:
        return {name: multiplier(cut_name(target, name)) for name in acting}

    def cut(reaction: Reaction) -> Reaction:
        acting = factors(reaction.id, arrows.on(reaction))
        whole = multiplier(cut_name(reaction.id))
        return replace(reaction, rate=builder.mul(whole, arrows.written(builder, reaction.rate, acting)))

    def read(rule: Equation) -> Equation:
        acting = factors(rule.symbol, arrows.readouts.get(rule.symbol, ()))
        return replace(rule, expression=arrows.written(builder, rule.expression, acting, deep=True))

    reactions = tuple(cut(reaction) for reaction in model.reactions)
    assignments = tuple(read(rule) for rule in model.assignments)
    added = tuple(Parameter(name, name, 1.0, "dimensionless", constant=True) for name in names)
    return replace(
        model,
        graph=builder.freeze(),
        symbols=(*model.symbols, *names),
        parameters=(*model.parameters, *added),
        reactions=reactions,
        assignments=assignments,
    )
