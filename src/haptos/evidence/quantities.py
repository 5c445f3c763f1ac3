"""Numbers of the literature: what was measured, in which unit, how sure, and what it may be used for."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Strict, Tag, model_validator
from pydantic_core import PydanticCustomError

from haptos.core.specs import Spec

__all__ = ["WORD_UNITS", "Confidence", "Interval", "QuantityRecord", "Value", "numbers"]

Number = Annotated[float, Strict()]
Confidence = Literal[
    "full text read",
    "full text read (model, code or data file)",
    "abstract only",
    "secondary",
    "from memory",
]
Direction = Literal[
    "increase", "decrease", "abolished", "restored", "no_change", "biphasic", "sustained", "transient",
    "inverse", "proportional", "ordering", "rule",
]  # fmt: skip

#: Entries of `unit` that are no unit: the record gives a direction, an order, a law or a rule.
WORD_UNITS: tuple[str, ...] = (
    "direction", "ordering", "qualitative", "law", "logic", "model", "note", "interval", "time", "n/a",
)  # fmt: skip


class Interval(Spec):
    """A range of values; None is an open end."""

    range: tuple[Number | None, Number | None]

    @model_validator(mode="after")
    def _ordered(self) -> Interval:
        low, high = self.range
        if low is None and high is None:
            raise PydanticCustomError("range", "a range needs at least one end")
        if low is not None and high is not None and low > high:
            raise PydanticCustomError("range", "the range runs from {low} down to {high}", {"low": low, "high": high})
        return self


def _shape(value: Any) -> str:
    """Return the tag of the form in which a value is written."""
    match value:
        case Interval() | {"range": _}:
            return "<range>"
        case dict():
            return "<points>"
        case list() | tuple():
            return "<series>"
        case _:
            return "<number>"


#: A number, a range, a series (None: nothing seen), or numbers by an index such as a time.
Value = Annotated[
    Annotated[Number, Tag("<number>")]
    | Annotated[Interval, Tag("<range>")]
    | Annotated[tuple[Number | None, ...], Tag("<series>")]
    | Annotated[dict[Number, Number], Tag("<points>")],
    Discriminator(_shape),
]


class QuantityRecord(Spec):
    """One quantity of the literature.

    Attributes
    ----------
    id : str
        Identifier.
    quantity : str
        What it is, as a short noun phrase.
    values : mapping of str to Value
        Numbers by name; empty if only a direction is known.
    unit : str
        Unit of all values, ``mixed``, or one of :data:`WORD_UNITS`.
    units : mapping of str to str
        Unit of single values, where `unit` does not hold for them.
    direction : str or None
        The effect or law, where that is all that is known.
    finding : str
        What was found, where numbers and direction do not say it.
    system, conditions : str
        In which cells or preparation, and how.
    sources : tuple of str
        Keys of ``references.bib`` or ``sources.yaml``; empty if only recalled.
    locator : str
        Place in the source, model identifier or data set.
    obtained : str
        Whether the number was reported, recalled, derived from a reported one, or computed
        by running the public model or data of the source.
    confidence : str
        How well it is known.
    use : str
        ``calibrate`` (may be fitted) or ``validate`` (may only be checked).
    missing : bool
        True if the number was looked for and not found.
    note : str
        Caution, in our own words.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    quantity: str = Field(min_length=3, max_length=160)
    values: dict[Annotated[str, Field(pattern=r"^[A-Za-z]\w*$")], Value] = Field(default_factory=dict)
    unit: str = Field(min_length=1)
    units: dict[str, str] = Field(default_factory=dict)
    direction: Direction | None = None
    finding: str = Field("", max_length=240)
    system: str = ""
    conditions: str = ""
    sources: tuple[str, ...] = ()
    locator: str = ""
    obtained: Literal["reported", "recalled", "derived", "computed"] = "reported"
    confidence: Confidence
    use: Literal["calibrate", "validate"]
    missing: bool = False
    note: str = Field("", max_length=400)

    @model_validator(mode="after")
    def _says_something(self) -> QuantityRecord:
        if self.missing == bool(self.values or self.direction or self.finding):
            raise PydanticCustomError("quantity", "give values, a direction or a finding, or else 'missing: true'")
        strangers = [name for name in self.units if name not in self.values]
        if strangers:
            raise PydanticCustomError("quantity", "units for unknown values: {names}", {"names": ", ".join(strangers)})
        return self

    def unit_of(self, name: str) -> str:
        """Return the unit of the value `name`.

        Raises
        ------
        KeyError
            If there is no such value.
        """
        if name not in self.values:
            raise KeyError(f"{self.id} has no value {name!r}; it has {', '.join(self.values) or 'none'}")
        return self.units.get(name, self.unit)


def numbers(value: Value) -> tuple[float, ...]:
    """Return the finite numbers of a value in their order; indices of a mapping are left out.

    Examples
    --------
    >>> numbers(Interval(range=(None, 3.0))), numbers({5.0: 0.1})
    ((3.0,), (0.1,))
    """
    match value:
        case Interval():
            return tuple(x for x in value.range if x is not None)
        case dict():
            return tuple(value.values())
        case tuple():
            return tuple(x for x in value if x is not None)
        case _:
            return (value,)
