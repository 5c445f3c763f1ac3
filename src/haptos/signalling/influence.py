"""The network as a graph of signs: what raises and what lowers what.

An edge leads from a quantity (species or parameter) to a species that a reaction turns over. Its
sign is that of the stoichiometry times that of the derivative of the rate law by the quantity,
where this sign is the same at every point looked at. Amounts and rate constants are forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from haptos.numerics import GraphBuilder, gradients, philox_stream
from haptos.signalling._compile import dynamics, find_roles, net_changes
from haptos.signalling.condition import Condition
from haptos.signalling.model import Model, model
from haptos.signalling.readouts import parts_of
from haptos.signalling.schedule import parts_needed, schedule_of

__all__ = ["SignedGraph", "differences", "signed_graph"]

#: Points at which derivatives are looked at, and how far they scatter (standard deviation of ln).
_POINTS, _SCATTER = 6, 1.0

Signs = Mapping[str, tuple[tuple[str, int], ...]]


@dataclass(frozen=True)
class SignedGraph:
    """Signs of all influences.

    Attributes
    ----------
    edges : mapping of str to tuple of (str, int)
        From a species or parameter to species, with +1 or -1.
    readouts : mapping of str to tuple of (str, int)
        What each observable is made of, with +1 or -1.
    """

    edges: Signs
    readouts: Signs

    def parts(self, quantity: str) -> tuple[tuple[str, int], ...]:
        """Return what a quantity (of a class: its members) is made of, with signs."""
        return tuple(part for name in parts_of(quantity, self.readouts) for part in self.readouts[name])


@cache
def signed_graph(parts: frozenset[str]) -> SignedGraph:
    """Return the graph of the network with these heterodimers."""
    compiled = model(parts)
    roles = find_roles(compiled.kinetic)
    graph, _, values = dynamics(compiled.kinetic, roles)
    names = [*roles.states, *roles.constants]
    rates = {r.id: values[r.id] for r in compiled.kinetic.reactions}
    shown = {name: values[name] for name in compiled.quantities}
    builder = GraphBuilder(graph)
    roots = [*rates.values(), *shown.values()]
    slopes = gradients(builder, roots, range(len(names)))
    flat = [(row, axis, position) for row, slope in enumerate(slopes) for axis, position in slope.items()]
    with np.errstate(all="ignore"):
        found = builder.freeze().evaluate([position for _, _, position in flat], _points(compiled).T)
    signs: dict[int, list[tuple[str, int]]] = {}
    for (row, axis, _), slope in zip(flat, found, strict=True):
        sign = _common_sign(slope)
        if sign:
            signs.setdefault(row, []).append((names[axis], sign))
    edges: dict[str, dict[tuple[str, int], None]] = {}
    for row, reaction in enumerate(compiled.kinetic.reactions):
        for species, count in net_changes(reaction).items():
            for name, sign in signs.get(row, ()) if count != 0.0 and species in roles.states else ():
                if name != species:
                    edges.setdefault(name, {})[species, int(np.sign(count)) * sign] = None
    readouts = {name: tuple(signs.get(len(rates) + i, ())) for i, name in enumerate(shown)}
    return SignedGraph({name: tuple(targets) for name, targets in edges.items()}, readouts)


def _points(compiled: Model) -> NDArray[np.float64]:
    """Return points around typical amounts, parameters as they are, shape (n_points, n_names)."""
    network = compiled.network
    typical = network.magnitudes(network.initial[None], network.defaults[None])[0]
    draws = philox_stream(1, "influence", 0, "points").normal(0.0, _SCATTER, (_POINTS, len(typical)))
    constants = np.where(network.defaults == 0.0, 0.5, network.defaults)  # handles that are off
    return np.hstack([typical * np.exp(draws), np.tile(constants, (_POINTS, 1))])


def _common_sign(slope: NDArray[np.float64]) -> int:
    """Return the sign that all finite values that are not zero share, else 0."""
    values = np.atleast_1d(slope)
    signs = {int(s) for s in np.sign(values[np.isfinite(values)]) if s}
    return signs.pop() if len(signs) == 1 else 0


def differences(test: Condition, reference: Condition) -> tuple[frozenset[str], dict[str, int]]:
    """Return what of the network two conditions need, and what the first sets higher (+1) or lower (-1)."""
    parts = parts_needed(test) | parts_needed(reference)
    compiled = model(parts)
    ours, theirs = (_in_force(condition, compiled) for condition in (test, reference))
    spaces = {c.id for c in compiled.kinetic.compartments}
    found = {}
    for name in sorted((set(ours) | set(theirs)) - spaces):
        default = compiled.default(name) if name in compiled.network.parameters else 0.0
        gap = ours.get(name, default) - theirs.get(name, default)
        if gap != 0.0:
            found[name] = 1 if gap > 0.0 else -1
    return parts, found


def _in_force(condition: Condition, compiled: Model) -> dict[str, float]:
    """Return parameters and doses of a condition: everything that is done until it is read."""
    schedule = schedule_of(condition, compiled)
    values: dict[str, float] = {**schedule.own, **schedule.culture}
    bound: dict[str, float] = {}
    for change in (c for c in schedule.timed if c.start <= schedule.end and c.stop > 0.0):
        if change.how == "set":
            values[change.name] = change.value
        elif change.how == "dose":
            values[change.name] = values.get(change.name, 0.0) + change.value
        elif change.how == "bind":
            bound[change.name] = bound.get(change.name, 1.0) * change.value
        else:
            values[change.name] = values.get(change.name, compiled.default(change.name)) * change.value
    return {name: value * bound.get(name, 1.0) for name, value in values.items()}
