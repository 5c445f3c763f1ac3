"""Compile a model into a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from haptos.errors import ParameterError
from haptos.numerics import build_system
from haptos.signalling._compile import Roles, compile_events, dynamics, find_roles, net_changes
from haptos.signalling._conservation import conservation_laws
from haptos.signalling._inputs import unknown_name
from haptos.signalling._kinetic_model import KineticModel
from haptos.signalling._magnitudes import Magnitudes
from haptos.signalling._network.keeping import kept_network
from haptos.signalling._network.network import Network
from haptos.signalling._network.order import order_conflicts
from haptos.signalling._network.outputs import OutputRule
from haptos.signalling._start import compile_start
from haptos.signalling.sbml import read_sbml

__all__ = ["compile_network"]


def compile_network(
    model: KineticModel | str,
    *,
    scales: Mapping[str, float] | None = None,
    nonnegative: bool = True,
    keep: bool = True,
) -> Network:
    """Compile a model.

    Parameters
    ----------
    model : KineticModel or str
        The model, or SBML text.
    scales : mapping of str to float, optional
        Typical concentrations of states, > 0, for their absolute tolerances.
    nonnegative : bool
        Whether species changed by reactions cannot be negative: rates are then evaluated
        at zero instead of below, and falling below is a status. Targets of rate rules
        may always be negative.
    keep : bool
        Whether the network of a text is kept on disk for the next process.

    Returns
    -------
    Network
        Picklable.

    Raises
    ------
    ModelError
        If the model cannot be read, or its rules form a circle, or its rates jump at
        times that cannot be found.

    Examples
    --------
    >>> from haptos.signalling.network import compile_network
    >>> from haptos.signalling.sbml import antimony_to_sbml
    >>> text = "model m; A -> B; k*A; A = 2; B = 0; k = 1; T := A + B; end"
    >>> network = compile_network(antimony_to_sbml(text))
    >>> network.states, network.observables, network.laws[0].name
    (('A', 'B'), ('T',), 'A + B')
    >>> result = network.simulate([0, 1], parameters={"k": [1.0, 2.0]})
    >>> result["A"].round(4).tolist()
    [[2.0, 0.7358], [2.0, 0.2707]]
    """
    declared = dict(scales or {})
    if not isinstance(model, str):
        return _build(model, declared, nonnegative)

    def build() -> Network:
        return _build(read_sbml(model), declared, nonnegative)

    usable = all(isinstance(s, int | float) and np.isfinite(s) for s in declared.values())
    return kept_network(model, declared, nonnegative, build) if keep and usable else build()


def _build(kinetic: KineticModel, scales: Mapping[str, float], nonnegative: bool) -> Network:
    roles = find_roles(kinetic)
    graph, derivatives, values = dynamics(kinetic, roles)
    rated = {e.symbol for e in kinetic.rates}
    pools = [s.id for s in kinetic.species if s.id in roles.states and s.id not in {*rated, *roles.quiet}]
    guarded = [nonnegative and s in pools for s in roles.states]
    names = [*roles.states, *roles.constants]
    laws = conservation_laws(_conserved(kinetic, pools), [net_changes(r) for r in kinetic.reactions])
    places = {s.id: s.compartment for s in kinetic.species}
    declared = _checked_scales(scales, roles)
    start = compile_start(kinetic, roles)
    initial, defaults = start.evaluate(start.rows({}, {}, 1), 0.0)
    return Network(
        id=kinetic.id,
        states=roles.states,
        species=tuple(s.id for s in kinetic.species),
        parameters=roles.constants,
        observables=tuple(e.symbol for e in kinetic.assignments),
        reactions=tuple(r.id for r in kinetic.reactions),
        units=_units(kinetic),
        time_units=kinetic.time_units,
        initial=initial[0],
        defaults=defaults[0],
        laws=laws,
        system=build_system(graph, derivatives, len(roles.constants), guarded, names),
        events=compile_events(kinetic, roles, graph, derivatives, values),
        places=places,
        conflicts=order_conflicts(kinetic),
        output_rule=OutputRule(len(roles.states), len(roles.constants), graph, values),
        start_rule=start,
        magnitude_rule=Magnitudes(roles.states, roles.constants, places, laws, declared, roles.quiet),
        source=kinetic,
    )


def _conserved(model: KineticModel, pools: Sequence[str]) -> list[str]:
    """Return the pools that nothing but reactions changes, all counted in the same extent."""
    set_anew = {a.symbol for event in model.events for a in event.assignments}
    found = [s for s in model.species if s.id in pools and s.id not in set_anew]
    factors = [s.conversion for s in found]
    common = max(sorted(set(factors)), key=factors.count, default="")
    return [s.id for s in found if s.conversion == common]


def _checked_scales(scales: Mapping[str, float], roles: Roles) -> dict[str, float]:
    for name, scale in scales.items():
        if name not in roles.states:
            raise unknown_name(name, "state", roles.states, {})
        if not (np.isfinite(scale) and scale > 0.0):
            raise ParameterError(f"the scale of {name!r} must be above zero, not {scale}")
    return dict(scales)


def _units(model: KineticModel) -> dict[str, str]:
    known = {c.id: c.units for c in model.compartments}
    known |= {s.id: s.units for s in model.species}
    known |= {p.id: p.units for p in model.parameters}
    both = model.extent_units and model.time_units
    rate = f"({model.extent_units}) / ({model.time_units})" if both else ""
    return {**known, **{r.id: rate for r in model.reactions}}
