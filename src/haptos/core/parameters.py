"""Tables of parameters: value, unit, prior, confidence and source of every number."""

from __future__ import annotations

import math
from functools import cache
from importlib import resources
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from haptos.core.located import parse_yaml
from haptos.core.specs import Spec, read_spec

__all__ = ["Parameter", "load_table"]


class Parameter(Spec):
    """One number of a model.

    Attributes
    ----------
    id : str
        Identifier in the model.
    value : float
        Central value, in `unit`; positive.
    unit : str
        Unit, by its identifier (``per_nM_min`` is 1/(nM·min), ``um2`` is µm²).
    spread : float
        Standard deviation of the natural logarithm of the value in the prior; 0 fixes it.
    upper : float or None
        Largest admissible value, where physics sets one (shares cannot exceed 1).
    confidence : str
        ``measured``, ``fitted`` (to data, in a published model) or ``assumed``.
    claims_in_view : bool
        Whether the value was moved, within what is plausible, while claims of the sources were looked at. That a
        claim holds with it is then no evidence.
    source : str
        Key of ``references.bib``; empty for assumptions.
    records : tuple of str
        Records of the quantities it rests on.
    note : str
        How the value was reached.
    """

    id: Annotated[str, Field(pattern=r"^[A-Za-z]\w*$")]
    value: float = Field(gt=0)
    unit: Literal[
        "nM", "per_min", "per_nM_min", "nM_per_min", "dimensionless", "ymol", "fL",
        "um", "um2", "um_per_min", "ng_per_mL",
    ]  # fmt: skip
    spread: float = Field(ge=0, le=3)
    upper: float | None = None
    confidence: Literal["measured", "fitted", "assumed"]
    claims_in_view: bool = False
    source: str = ""
    records: tuple[str, ...] = ()
    note: str = ""

    @model_validator(mode="after")
    def _sourced(self) -> Parameter:
        if self.confidence != "assumed" and not (self.source or self.records):
            raise PydanticCustomError("source", "a {confidence} number needs a source", {"confidence": self.confidence})
        if self.upper is not None and self.upper < self.value:
            raise PydanticCustomError("bounds", "the central value lies above 'upper'")
        return self

    @property
    def bounds(self) -> tuple[float, float]:
        """Return the admissible range: three spreads to either side, cut at `upper`."""
        factor = math.exp(3 * self.spread)
        high = self.value * factor
        return self.value / factor, high if self.upper is None else min(high, self.upper)


class _Table(Spec):
    version: Literal[1]
    parameters: tuple[Parameter, ...]


@cache
def load_table(name: str) -> dict[str, Parameter]:
    """Return one table of ``library/parameters`` by identifier, in the order of the file.

    Raises
    ------
    SpecError
        If the file is malformed or repeats an identifier; all problems are located.
    """
    file = resources.files("haptos.library") / "parameters" / f"{name}.yaml"
    document = parse_yaml(file.read_text(encoding="utf-8"), name=f"parameters/{name}.yaml", keep=True)
    return {p.id: p for p in read_spec(_Table, document).parameters}
