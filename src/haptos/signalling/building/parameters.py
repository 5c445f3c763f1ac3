"""The parameters: all tables joined, and the handles of experiments."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Literal

from haptos.core.located import parse_yaml
from haptos.core.parameters import Parameter, load_table
from haptos.core.specs import Spec, read_spec
from haptos.errors import ModelError
from haptos.signalling.building.integrins import integrin_parameters
from haptos.signalling.building.modules import MODULES, ON_DEMAND, OUTPUTS

__all__ = ["Handle", "Parameter", "free_parameters", "handles", "load_parameters"]


class Handle(Spec):
    """A kind of parameter through which experiments act (``<id>__<target>``, dimensionless)."""

    id: str
    default: float
    meaning: str


class _Handles(Spec):
    version: Literal[1]
    handles: tuple[Handle, ...]


#: Tables of ``library/parameters`` that make up a parameter vector: those of the network, then
#: those of the rooms that read its output.
TABLES = ("surroundings", *MODULES, *ON_DEMAND, "crossing")


@cache
def load_parameters() -> dict[str, Parameter]:
    """Return all parameters by identifier, in the order of the tables.

    Raises
    ------
    ModelError
        If an identifier stands in two tables.
    SpecError
        If a file is malformed; all problems are located.
    """
    found: dict[str, Parameter] = {}
    for name in TABLES:
        table = load_table(name) | (integrin_parameters() if name == "integrin" else {})
        twice = sorted(set(found) & set(table))
        if twice:
            raise ModelError(f"parameters/{name}.yaml: {', '.join(twice)} stand in another table too")
        found |= table
    return found


@cache
def free_parameters() -> tuple[str, ...]:
    """Return the parameters that a calibration may move, in the order of the tables.

    Those of modules that only read are not among them: no claim of the library says anything about them.
    """
    outputs = {name for module in OUTPUTS for name in load_table(module)}
    return tuple(name for name, p in load_parameters().items() if p.spread > 0 and name not in outputs)


@cache
def handles() -> dict[str, Handle]:
    """Return the kinds of parameters through which experiments act, by identifier."""
    file = resources.files("haptos.library") / "modules" / "handles.yaml"
    document = parse_yaml(file.read_text(encoding="utf-8"), name="modules/handles.yaml", keep=True)
    return {h.id: h for h in read_spec(_Handles, document).handles}
