"""From a kinetic model to a jump process: molecules, directions, propensities.

Every refusal names the reaction or quantity and says what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from haptos.core.units import AVOGADRO
from haptos.errors import ModelError
from haptos.numerics import Event, Graph, GraphBuilder, Op
from haptos.numerics.stochastic import (
    Jump,
    StochasticSystem,
    build_stochastic_system,
    factors_of,
    falling,
    sign_bearers,
    split_signs,
    vanishes_without,
)
from haptos.signalling._compile import Roles, dynamics, find_roles
from haptos.signalling._kinetic_model import KineticModel, Reaction

__all__ = ["JumpModel", "build_jumps", "molecules_per_unit"]

_SUBSTANCE: Final = re.compile(r"(?:(?P<factor>[0-9.]+(?:e[+-]?[0-9]+)?) )?(?P<base>mole|count)")


@dataclass(frozen=True, slots=True, eq=False)
class JumpModel:
    """A network as a jump process.

    Attributes
    ----------
    system : StochasticSystem
        Over counts, then levels, then the constants of the model.
    counts, levels : tuple of str
        Species that are counted; other quantities, which only events change.
    unit : float
        Molecules per unit of substance.
    """

    system: StochasticSystem
    counts: tuple[str, ...]
    levels: tuple[str, ...]
    unit: float


def molecules_per_unit(text: str) -> float | None:
    """Return the molecules in a unit of substance; None if the text does not say.

    Examples
    --------
    >>> molecules_per_unit("count"), round(molecules_per_unit("1e-24 mole"), 6)
    (1.0, 0.602214)
    """
    found = _SUBSTANCE.fullmatch(text.strip())
    if found is None:
        return None
    return float(found["factor"] or 1.0) * (AVOGADRO if found["base"] == "mole" else 1.0)


@lru_cache(maxsize=32)
def build_jumps(model: KineticModel, unit: float | None = None, *, combinatorial: bool = True) -> JumpModel:
    """Turn a model into a jump process, or return what was made of the same object before.

    Parameters
    ----------
    model : KineticModel
        The model.
    unit : float, optional
        Molecules per unit of substance, > 0; read from the units of the model by default.
    combinatorial : bool
        Whether ``x**m`` in the law of a reaction that takes m molecules of x counts the
        ways to choose them, ``x (x - 1) ...``; otherwise laws are taken as written.

    Raises
    ------
    ModelError
        With everything that cannot be sampled, by name.
    """
    roles = find_roles(model)
    reasons = [*_refusals(model, roles)]
    scale = _unit(model, reasons) if unit is None else unit
    if not (np.isfinite(scale) and scale > 0.0):
        reasons.append(f"a unit of substance must hold a positive number of molecules, not {scale}")
    if reasons:
        raise _refused(reasons)
    translation = _Translation(model, roles, scale)
    reader = _Reader(model, translation, combinatorial)
    jumps = [jump for reaction in model.reactions for jump in reader.jumps(reaction)]
    if reader.reasons:
        raise _refused(reader.reasons)
    events = translation.events()
    system = build_stochastic_system(
        translation.builder.freeze(),
        jumps,
        n_counts=len(translation.counts),
        n_parameters=len(roles.constants),
        n_levels=len(translation.levels),
        watched=reader.watched,
        events=events,
    )
    return JumpModel(system, translation.counts, translation.levels, scale)


def _refused(reasons: Iterable[str]) -> ModelError:
    listed = "\n".join(f"  - {reason}" for reason in dict.fromkeys(reasons))
    return ModelError(f"the model cannot be sampled as molecules:\n{listed}")


def _refusals(model: KineticModel, roles: Roles) -> Iterable[str]:
    for e in model.rates:
        yield f"rate rule of {e.symbol!r}: it changes continuously; write reactions instead"
    for c in model.compartments:
        if c.id in roles.states:
            yield f"compartment {c.id!r}: an event changes its size"
    for s in model.species:
        if s.conversion:
            yield f"species {s.id!r}: conversion factor {s.conversion!r}"
    for r in model.reactions:
        for species, count in (*r.reactants, *r.products):
            if count != int(count) or count < 0:
                yield f"reaction {r.id!r}: the stoichiometry {count:g} of {species!r} is not a whole number"


def _unit(model: KineticModel, reasons: list[str]) -> float:
    """Return the molecules per unit of extent, or of substance where no extent is declared."""
    texts = {s.units.partition(") / (")[0].lstrip("(") for s in model.species if s.units}
    if model.extent_units:
        texts.add(model.extent_units)
    found = {text: molecules_per_unit(text) for text in sorted(texts)}
    values = set(found.values())
    if not found:
        reasons.append("no unit of substance is declared: give 'molecules_per_unit' (1 if the model counts molecules)")
    elif None in values:
        odd = ", ".join(repr(text) for text, value in found.items() if value is None)
        reasons.append(f"unit of substance {odd}: give 'molecules_per_unit'")
    elif len(values) > 1:
        reasons.append(f"species and reactions differ in their unit of substance: {', '.join(found)}")
    return next((value for value in values if value is not None), 1.0)


class _Translation:
    """Expressions over concentrations, rebuilt over counts.

    Where the model multiplies a concentration by the size of its compartment, the amount
    is put in as it is, so that whole numbers stay exact.
    """

    def __init__(self, model: KineticModel, roles: Roles, unit: float) -> None:
        self.model, self.unit = model, unit
        species = {s.id for s in model.species}
        self.graph, _, self.values = dynamics(model, roles)
        self.names = [*roles.states, *roles.constants]
        self.counts = tuple(s for s in roles.states if s in species)
        self.levels = tuple(s for s in roles.states if s not in species)
        self.builder = GraphBuilder()
        order = [*self.counts, *self.levels, *roles.constants]
        self.variables = {name: self.builder.variable(i) for i, name in enumerate(order)}
        self.index = {name: i for i, name in enumerate(order)}
        self.places = {s.id: s.compartment for s in model.species}

    def expression(self, symbol: str) -> int:
        """Return the expression of any symbol of the model over counts."""
        return self._copy(self.graph, self.values[symbol])

    def _per_molecule(self, species: str) -> int:
        """Return the concentration of one molecule."""
        b = self.builder
        return b.div(b.constant(1.0), b.mul(b.constant(self.unit), self.variables[self.places[species]]))

    def _copy(self, graph: Graph, root: int) -> int:
        b, here = self.builder, dict[int, int]()
        for position in graph.reachable([root]):
            op, operands, value = graph.nodes[position]
            amount = self._amount_of(graph, position)
            if op is Op.CONSTANT:
                here[position] = b.constant(value)
            elif op is Op.VARIABLE:
                name = self.names[int(value)]
                variable = self.variables[name]
                here[position] = b.mul(variable, self._per_molecule(name)) if name in self.counts else variable
            elif op is Op.TIME:
                here[position] = b.time()
            elif amount is not None:
                here[position] = b.div(self.variables[amount], b.constant(self.unit))
            else:
                here[position] = b.apply(op, *(here[i] for i in operands))
        return here[root]

    def _amount_of(self, graph: Graph, position: int) -> str | None:
        """Return the species if a node is its concentration times the size of its compartment."""
        node = graph.nodes[position]
        if node.op is not Op.MUL or any(graph.nodes[i].op is not Op.VARIABLE for i in node.operands):
            return None
        x, y = (self.names[int(graph.nodes[i].value)] for i in node.operands)
        for species, place in ((x, y), (y, x)):
            if species in self.counts and self.places[species] == place:
                return species
        return None

    def events(self) -> list[Event]:
        """Return the events over counts and levels."""
        return [
            Event(
                trigger=self._of_model(e.trigger),
                assignments=tuple(
                    (self.index[a.symbol], self._new_value(a.symbol, a.expression)) for a in e.assignments
                ),
                initial=e.initial,
                persistent=e.persistent,
                at_trigger=e.at_trigger,
            )
            for e in self.model.events
        ]

    def _of_model(self, expression: int) -> int:
        """Rebuild an expression of the model's own graph, via that of the dynamics."""
        bridge = GraphBuilder(self.graph)
        used = self.model.graph.variables(expression)
        replaced = {i: self.values[self.model.symbols[i]] for i in used}
        [root] = bridge.copy_from(self.model.graph, [expression], replaced)
        return self._copy(bridge.freeze(), root)

    def _new_value(self, symbol: str, expression: int) -> int:
        value = self._of_model(expression)
        if symbol not in self.counts:
            return value
        b = self.builder
        return b.mul(value, b.mul(b.constant(self.unit), self.variables[self.places[symbol]]))


class _Reader:
    """Reactions, one after the other."""

    def __init__(self, model: KineticModel, translation: _Translation, combinatorial: bool) -> None:
        self.translation, self.combinatorial = translation, combinatorial
        self.fixed = {s.id for s in model.species if s.boundary or s.constant}
        self.n_states = len(translation.counts) + len(translation.levels)
        self.watched: NDArray[np.bool_] = np.zeros(len(translation.names) - self.n_states, dtype=bool)
        self.reasons: list[str] = []

    def jumps(self, reaction: Reaction) -> list[Jump]:
        """Return the directions of a reaction; note why it has none."""
        t = self.translation
        b = t.builder
        law = b.mul(b.constant(t.unit), t.expression(reaction.id))
        taken, given = self._counted(reaction.reactants), self._counted(reaction.products)
        changes = {i: given.get(i, 0) - taken.get(i, 0) for i in sorted({*taken, *given})}
        fixed = {i for i in changes if t.counts[i] in self.fixed}
        forward = tuple((i, by) for i, by in changes.items() if by and i not in fixed)
        backward = tuple((i, -by) for i, by in forward)
        parts = split_signs(b, law)
        if parts.minus == b.constant(0.0) or self._on_lattice(law):
            proven = parts.proven or self._on_lattice(law)
            if not proven and reaction.reversible:
                return self._refuse(reaction)
            return self._one(reaction.id, forward, law, taken, proven)
        if not reaction.reversible:
            return self._one(reaction.id, forward, law, taken, proven=False)
        if not parts.proven or not self._is_backward(parts.minus, forward, taken, given):
            return self._refuse(reaction)
        ahead = self._one(reaction.id, forward, parts.plus, taken, proven=True)
        return [*ahead, *self._one(f"{reaction.id} (backward)", backward, parts.minus, given, proven=True)]

    def _is_backward(
        self, minus: int, forward: Sequence[tuple[int, int]], taken: Mapping[int, int], given: Mapping[int, int]
    ) -> bool:
        """Whether what a law subtracts can be the rate of its products going back.

        It must vanish without each product and must not without a reactant that is used up:
        ``k S - k S I`` is an inhibited forward rate. A species on both sides must come with
        the power of its molecules among the products: what ``k X (X - 1)`` subtracts is no
        reaction.
        """
        b = self.translation.builder
        if not all(vanishes_without(b, minus, i) for i, by in forward if by > 0):
            return False
        if any(vanishes_without(b, minus, i) for i, by in forward if by < 0 and i not in given):
            return False
        product = factors_of(b, minus, self._is_count)
        return all(product.power(i) >= given[i] for i in given if i in taken)

    def _one(
        self, name: str, changes: tuple[tuple[int, int], ...], law: int, taken: Mapping[int, int], proven: bool
    ) -> list[Jump]:
        b = self.translation.builder
        if proven:
            bearers = {i - self.n_states for i in sign_bearers(b, law) if i >= self.n_states}
            self.watched[sorted(bearers)] = True
        counted = self._choices(law, taken) if self.combinatorial else law
        return [Jump(name, changes, counted, proven)]

    def _choices(self, law: int, taken: Mapping[int, int]) -> int:
        """Count the ways to choose the molecules, in every term of a sum."""
        b = self.translation.builder
        op, operands, _ = b.nodes[law]
        if op is Op.ADD:
            return b.add(*(self._choices(term, taken) for term in operands))
        product = factors_of(b, law, self._is_count)
        chosen = falling(product, taken)
        return chosen.build(b) if chosen.species != product.species else law

    def _is_count(self, variable: int) -> bool:
        return variable < len(self.translation.counts)

    def _on_lattice(self, law: int) -> bool:
        """Whether a law is x (x - 1) ... times something that cannot be negative."""
        b = self.translation.builder
        product = factors_of(b, law, self._is_count)
        complete = all((i, lower) in product.species for i, offset in product.species for lower in range(offset))
        rest = [split_signs(b, part) for part in (*product.above, *product.below)]
        return complete and all(p.proven and p.minus == b.constant(0.0) for p in rest)

    def _counted(self, side: Sequence[tuple[str, float]]) -> dict[int, int]:
        found: dict[int, int] = {}
        for species, count in side:
            if species in self.translation.counts:
                i = self.translation.index[species]
                found[i] = found.get(i, 0) + int(count)
        return found

    def _refuse(self, reaction: Reaction) -> list[Jump]:
        self.reasons.append(
            f"reaction {reaction.id!r}: its rate may be negative and is not the difference of a forward and a "
            "backward rate; write two reactions, or declare it irreversible (in Antimony '=>')"
        )
        return []
