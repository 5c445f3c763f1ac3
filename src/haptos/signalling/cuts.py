"""Cutting reactions: what the model does without some of its steps.

A cut is a multiplier of the rate of one reaction, 1 in the model that ships and 0 where the
reaction is stopped. It belongs to a variant of the compiled network that is otherwise the
same, and no experiment file can reach it: cuts are for auditing and explaining the model.
"""

from __future__ import annotations

from dataclasses import replace

from haptos.numerics import GraphBuilder
from haptos.signalling._kinetic_model import KineticModel, Parameter

__all__ = ["CUT", "cut_name", "with_cuts"]

#: How the multipliers of reactions begin.
CUT = "cut__"


def cut_name(reaction: str) -> str:
    """Return the name of the multiplier of a reaction.

    Examples
    --------
    >>> cut_name("IKK_activation")
    'cut__IKK_activation'
    """
    return f"{CUT}{reaction}"


def with_cuts(model: KineticModel) -> KineticModel:
    """Return a model in which every reaction has a multiplier of its rate, 1 by default.

    Parameters
    ----------
    model : KineticModel
        Any reaction network.

    Examples
    --------
    >>> from haptos.signalling.network import compile_network
    >>> from haptos.signalling.sbml import antimony_to_sbml, read_sbml
    >>> text = "model m; R1: A -> B; k*A; A = 2; B = 0; k = 1; end"
    >>> network = compile_network(with_cuts(read_sbml(antimony_to_sbml(text))))
    >>> network.simulate([0, 1], parameters={"cut__R1": [1.0, 0.0]})["A"].round(4).tolist()
    [[2.0, 0.7358], [2.0, 2.0]]
    """
    builder = GraphBuilder(model.graph)
    first = len(model.symbols)
    names = tuple(cut_name(reaction.id) for reaction in model.reactions)
    reactions = tuple(
        replace(reaction, rate=builder.mul(builder.variable(first + i), reaction.rate))
        for i, reaction in enumerate(model.reactions)
    )
    added = tuple(Parameter(name, f"share of {name.removeprefix(CUT)}", 1.0, "dimensionless", True) for name in names)
    return replace(
        model,
        graph=builder.freeze(),
        symbols=(*model.symbols, *names),
        parameters=(*model.parameters, *added),
        reactions=reactions,
    )
