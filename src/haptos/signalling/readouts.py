"""What a quantity asked for is made of: itself, or the members of a class that the model holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["gathered", "outputs_for", "parts_of"]

#: Measures that do not add up over the members of a class.
_INTENSIVE = frozenset({"affinity", "diffusion", "drive", "count"})
#: Measures of a subunit that add up over the integrins which hold it.
_OF_SUBUNITS = frozenset({"level", "surface", "active_epitope"})
#: Reporters that ask for a factor.
_REPORTERS = {"RELA_NFKB1": ("NFKB_reporter",), "JUN_FOS": ("AP1_reporter",)}


def parts_of(quantity: str, offered: Collection[str]) -> tuple[str, ...]:
    """Return the model quantities whose sum is a quantity; empty if the model has none.

    Parameters
    ----------
    quantity : str
        ``measure__entity``.
    offered : collection of str
        Quantities of the model.

    Examples
    --------
    >>> parts_of("mrna__cytokines", {"mrna__IL6", "mrna__CXCL8", "mrna__MMP9"})
    ('mrna__IL6', 'mrna__CXCL8')
    >>> parts_of("mrna__MMP9", {"mrna__MMP9"})
    ('mrna__MMP9',)
    """
    if quantity in offered:
        return (quantity,)
    measure, _, entity = quantity.partition("__")
    if measure in _INTENSIVE:
        return ()
    if entity in _phosphorylated() and measure in ("level", "phosphorylation"):
        read = f"phosphorylation__{_phosphorylated()[entity]}"
        return (read,) if read in offered else ()
    names = (f"{measure}__{member}" for member in (*_classes().get(entity, ()), *_others(measure, entity)))
    return tuple(name for name in names if name in offered)


def _others(measure: str, entity: str) -> tuple[str, ...]:
    """Return what stands for an entity: the integrins of a subunit, the promoter or reporter of a gene or factor."""
    if measure in _OF_SUBUNITS:
        from haptos.signalling.building.integrins import heterodimers

        return tuple(_written(h.id) for h in heterodimers().values() if entity in (h.alpha, h.beta))
    return (f"{entity}_promoter", *_REPORTERS.get(entity, ())) if measure == "luciferase" else ()


def outputs_for(quantities: Sequence[str], offered: Collection[str]) -> tuple[str, ...]:
    """Return the model quantities that some quantities are made of, each once."""
    return tuple(dict.fromkeys(part for name in quantities for part in parts_of(name, offered)))


def gathered(
    values: NDArray[np.float64], outputs: Sequence[str], quantities: Sequence[str], offered: Collection[str]
) -> NDArray[np.float64]:
    """Return quantities from the model quantities they are made of.

    Parameters
    ----------
    values : ndarray, shape (..., n_outputs)
        Model quantities in the order of `outputs`, as :func:`outputs_for` gives them.
    outputs, quantities : sequence of str
        What was simulated, and what is wanted.
    offered : collection of str
        Quantities of the model.

    Returns
    -------
    ndarray, shape (..., n_quantities)
    """
    column = {name: i for i, name in enumerate(outputs)}
    parts = ([column[part] for part in parts_of(name, offered)] for name in quantities)
    return np.stack([values[..., own].sum(axis=-1) for own in parts], axis=-1) if quantities else values[..., :0]


@cache
def _classes() -> Mapping[str, tuple[str, ...]]:
    """Return the members of every class of the vocabulary, all as the model writes names."""
    from haptos.conditions.catalogue import load_vocabulary

    entities = load_vocabulary().entities.values()
    return {_written(e.id): tuple(map(_written, e.members)) for e in entities if e.kind == "class"}


@cache
def _phosphorylated() -> Mapping[str, str]:
    """Return the proteins of which some states are phosphorylated at whatever site, by these states."""
    from haptos.conditions.catalogue import load_vocabulary

    states = (e for e in load_vocabulary().entities.values() if e.kind == "state" and e.symbol is not None)
    return {_written(e.id): _written(str(e.symbol)) for e in states if e.id in (f"{e.symbol}_p", f"{e.symbol}_pY")}


def _written(entity: str) -> str:
    return entity.replace(":", "_").replace("-", "_")
