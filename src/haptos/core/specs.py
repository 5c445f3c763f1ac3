"""Frozen specifications: what to do, as data that was checked once at the boundary.

Every spec forbids unknown keys. :func:`read_spec` turns everything pydantic finds wrong
into located issues with a suggestion and raises them together.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, Self, get_args, get_origin

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema

from haptos.core.located import Document, Path
from haptos.core.plain import plain_words
from haptos.core.units import DIMENSIONS, Quantity, parse_quantity
from haptos.errors import Issue, SpecError, UnitError, nearest

__all__ = [
    "AssociationRate",
    "Catalogue",
    "CellDensity",
    "Concentration",
    "Dose",
    "DoseOrShare",
    "Fold",
    "Force",
    "Fraction",
    "KnownName",
    "Length",
    "MassConcentration",
    "Quantity",
    "QuantityOf",
    "Rate",
    "Spec",
    "Speed",
    "Stress",
    "SurfaceDensity",
    "SurfaceMass",
    "Time",
    "Volume",
    "read_spec",
    "spelled",
]


@dataclass(frozen=True)
class Catalogue:
    """The names a file may use, by kind (cell line, gene, compound, ligand, assay, ...).

    Attributes
    ----------
    names : mapping of str to tuple of str
        Allowed names of each kind; a kind that is absent is not checked.
    models : mapping of str to mapping
        Spec classes chosen by a name in the file, by kind (for instance protocols by assay).
    where : mapping of str to str
        Command that lists the names of a kind, for the hint of an error.
    aliases : mapping of str to mapping
        Other names of each kind, as written, and what they mean.
    free : bool
        Whether a file may use other names and spellings; a library may not.
    lenient : bool
        Whether unknown names are let pass.
    """

    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    models: Mapping[str, Mapping[str, type[Spec]]] = field(default_factory=dict)
    where: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    free: bool = False
    lenient: bool = False

    def meant(self, kind: str, name: str) -> str | None:
        """Return the name that is meant by another name or spelling; None if none or several are.

        Case, spaces and marks do not matter, Greek letters may be spelled in Latin ones.

        Examples
        --------
        >>> known = Catalogue(names={"compound": ("plerixafor",)}, aliases={"compound": {"AMD3100": "plerixafor"}})
        >>> known.meant("compound", "amd-3100")
        'plerixafor'
        """
        found = _by_spelling(self.names.get(kind, ()), tuple(self.aliases.get(kind, {}).items()))
        return found.get(spelled(name))

    def near(self, kind: str, name: str) -> list[str]:
        """Return the names that resemble one, found by any of their own names."""
        other = self.aliases.get(kind, {})
        close = nearest(name, [*self.names.get(kind, ()), *other])
        return list(dict.fromkeys(other.get(found, found) for found in close))


def spelled(name: str) -> str:
    """Return a name without case and marks, and with Greek letters in Latin ones.

    Examples
    --------
    >>> spelled("TNF-α"), spelled("BAY 11-7082")
    ('tnfa', 'bay117082')
    """
    return "".join(c for c in name.casefold().translate(_GREEK) if c.isalnum())


_GREEK = str.maketrans({"α": "a", "β": "b", "γ": "g", "δ": "d", "κ": "k", "ö": "o"})


@cache
def _by_spelling(names: tuple[str, ...], aliases: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Return what each spelling means; a spelling of several names means none, names come before aliases."""
    found: dict[str, str] = {}
    for pairs in (tuple((name, name) for name in names), aliases):
        meanings: dict[str, set[str]] = {}
        for written, meant in pairs:
            meanings.setdefault(spelled(written), set()).add(meant)
        found = {text: next(iter(m)) for text, m in meanings.items() if len(m) == 1 and text} | found
    return found


class Spec(BaseModel):
    """Base of all specifications: frozen, no unknown keys, strict about numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False, validate_default=True)

    def canonical(self) -> dict[str, Any]:
        """Return plain data in which equal specifications are equal, for hashing."""
        return self.model_dump(mode="json", exclude_defaults=False)

    def with_changes(self, **changes: Any) -> Self:
        """Return a copy with some fields replaced and everything checked again."""
        data = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self).model_validate({**data, **changes})


@dataclass(frozen=True)
class QuantityOf:
    """Annotation: a quantity of one dimension, optionally bounded [internal units]."""

    dimension: str
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    alternatives: tuple[str, ...] = ()

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self._read,
            serialization=core_schema.plain_serializer_function_ser_schema(Quantity.exact, when_used="json"),
        )

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        dimension = DIMENSIONS[self.dimension]
        text = {"type": "string", "examples": list(dimension.examples)}
        described = {"description": f"a {dimension.name} with its unit, e.g. {dimension.examples[0]}"}
        return {"anyOf": [text, {"type": "number"}], **described} if dimension.bare else {**text, **described}

    def _read(self, raw: Any) -> Quantity:
        quantity = self._parse(raw)
        self._check(quantity)
        return quantity

    def _parse(self, raw: Any) -> Quantity:
        try:
            return parse_quantity(raw, self.dimension)
        except UnitError as error:
            for other in self.alternatives:
                with suppress(UnitError):
                    return parse_quantity(raw, other)
            raise PydanticCustomError("quantity", "{reason}", {"reason": str(error)}) from error

    def _check(self, quantity: Quantity) -> None:
        low, high, above = self.minimum, self.maximum, self.above
        if low is not None and quantity.value < low:
            word = "negative" if low == 0 else f"below {low:g}"
            raise PydanticCustomError("range", "{text} is {word}", {"text": str(quantity), "word": word})
        if above is not None and quantity.value <= above:
            raise PydanticCustomError(
                "range", "{text} must be greater than {above}", {"text": str(quantity), "above": f"{above:g}"}
            )
        if high is not None and quantity.value > high:
            raise PydanticCustomError("range", "{text} is above {high}", {"text": str(quantity), "high": f"{high:g}"})


Time = Annotated[Quantity, QuantityOf("time")]
Duration = Annotated[Quantity, QuantityOf("time", above=0.0)]
Concentration = Annotated[Quantity, QuantityOf("concentration", minimum=0.0)]
MassConcentration = Annotated[Quantity, QuantityOf("mass concentration", minimum=0.0)]
Dose = Annotated[Quantity, QuantityOf("concentration", minimum=0.0, alternatives=("mass concentration",))]
DoseOrShare = Annotated[
    Quantity,
    QuantityOf("concentration", minimum=0.0, alternatives=("mass concentration", "fraction", "enzyme activity")),
]
Length = Annotated[Quantity, QuantityOf("length", minimum=0.0)]
Area = Annotated[Quantity, QuantityOf("area", minimum=0.0)]
Volume = Annotated[Quantity, QuantityOf("volume", above=0.0)]
CellDensity = Annotated[Quantity, QuantityOf("cell density", above=0.0)]
SurfaceDensity = Annotated[Quantity, QuantityOf("surface density", minimum=0.0)]
SurfaceMass = Annotated[Quantity, QuantityOf("surface mass", minimum=0.0)]
Force = Annotated[Quantity, QuantityOf("force", minimum=0.0)]
Stress = Annotated[Quantity, QuantityOf("stress", minimum=0.0)]
Speed = Annotated[Quantity, QuantityOf("speed", minimum=0.0)]
Rate = Annotated[Quantity, QuantityOf("rate", minimum=0.0)]
AssociationRate = Annotated[Quantity, QuantityOf("association rate", minimum=0.0)]
Fraction = Annotated[Quantity, QuantityOf("fraction", minimum=0.0, maximum=1.0)]
Fold = Annotated[Quantity, QuantityOf("number", minimum=0.0)]


@dataclass(frozen=True)
class KnownName:
    """Annotation: a name that the catalogue in the validation context must hold."""

    kind: str
    label: str = ""
    unknown: ClassVar[str] = "unknown_name"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.with_info_after_validator_function(self._check, core_schema.str_schema(min_length=1))

    def _check(self, name: str, info: ValidationInfo) -> str:
        catalogue: Any = info.context
        known = catalogue.names.get(self.kind) if isinstance(catalogue, Catalogue) else None
        if known is None or name in known:
            return name
        meant = catalogue.meant(self.kind, name) if catalogue.free else None
        if meant is not None or catalogue.lenient:
            return meant or name
        near = catalogue.near(self.kind, name)
        context = {
            "label": self.label or self.kind,
            "name": name,
            "near": ", ".join(near) or "",
            "allowed": ", ".join(known) if len(known) <= 20 else f"{len(known)} names",
            "where": catalogue.where.get(self.kind, ""),
        }
        raise PydanticCustomError(self.unknown, "unknown {label} '{name}'", context)


def read_spec[S: BaseModel](cls: type[S], document: Document, *, catalogue: Catalogue | None = None) -> S:
    """Check a document against a specification.

    Parameters
    ----------
    cls : type
        The specification class.
    document : Document
        Located data.
    catalogue : Catalogue, optional
        Names the file may use; names of absent kinds are not checked.

    Returns
    -------
    Spec
        The checked specification.

    Raises
    ------
    SpecError
        With every problem of the document, each with its line and a suggestion.
    """
    from pydantic import ValidationError

    if not isinstance(document.data, dict):
        raise SpecError([Issue("the file holds no 'key: value' lines", document.where(()))])
    try:
        return cls.model_validate(document.data, context=catalogue)
    except ValidationError as error:
        raise SpecError(issues_of(error, document)) from error


def issues_of(error: Any, document: Document) -> list[Issue]:
    """Translate a pydantic ValidationError into located issues, in the order of their lines."""
    return _in_order([_issue(e, document) for e in causes_of(error)])


def causes_of(error: Any) -> list[dict[str, Any]]:
    """Return the errors of a ValidationError without those that only follow from others.

    A list whose only element is faulty is also reported as too short, and a key with a slip of
    the pen also as missing; that adds nothing.
    """
    found = [dict(e) for e in error.errors(include_url=False)]
    places = [tuple(e["loc"]) for e in found]

    unknown = [tuple(e["loc"]) for e in found if e["type"] == "extra_forbidden"]

    def follows(e: dict[str, Any]) -> bool:
        loc = tuple(e["loc"])
        if e["type"] == "missing":
            return any(p[:-1] == loc[:-1] and nearest(str(p[-1]), [str(loc[-1])]) for p in unknown)
        return e["type"] == "too_short" and any(len(p) > len(loc) and p[: len(loc)] == loc for p in places)

    return [e for e in found if not follows(e)]


def _in_order(issues: list[Issue]) -> list[Issue]:
    def line(issue: Issue) -> int:
        digits = issue.where.rpartition(":")[2].split(" ")[0]
        return int(digits) if digits.isdigit() else 0

    return sorted(dict.fromkeys(issues), key=line)


def _issue(error: dict[str, Any], document: Document) -> Issue:
    path = _path(error["loc"], document)
    context = error.get("ctx", {})
    kind = error["type"]
    message, allowed, hint = plain_words(error)
    if kind == "extra_forbidden":
        keys = _sibling_fields(path, document)
        message = f"unknown key {path[-1]!r}"
        allowed, hint = ", ".join(keys), _did_you_mean(nearest(str(path[-1]), keys))
    elif kind == "union_tag_invalid":
        tags = [t.strip(" '<>") for t in str(context["expected_tags"]).split(",")]
        message, allowed, hint = _unknown_tag(str(context["tag"]).strip("<>"), tags)
    elif kind == "union_tag_not_found":
        message, hint = "this is no 'verb: target' entry", "write for instance '- overexpress: ILK'"
    elif kind == "missing":
        message, allowed, hint = f"the key {error['loc'][-1]!r} is missing", "", ""
    elif kind == "unknown_name":
        hint = _did_you_mean(str(context["near"]).split(", ") if context["near"] else [])
        hint = hint or (f"'{context['where']}' lists them" if context.get("where") else "")
    return Issue(message.removeprefix("Value error, "), document.where(path), allowed, hint, kind)


def _unknown_tag(tag: str, tags: list[str]) -> tuple[str, str, str]:
    if " + " in tag:
        return f"two entries in one ({tag})", "", "start each with its own '-'"
    return f"unknown entry {tag!r}", ", ".join(tags), _did_you_mean(nearest(tag, tags))


def _did_you_mean(names: list[str]) -> str:
    return f"did you mean {' or '.join(repr(n) for n in names)}?" if names else ""


def _path(loc: tuple[Any, ...], document: Document) -> Path:
    """Drop the parts of a pydantic location that are not keys of the document."""
    path: Path = ()
    for part in loc:
        if (*path, part) in document.lines:
            path = (*path, part)
    return path


def _sibling_fields(path: Path, document: Document) -> list[str]:
    """Return the fields of the spec class that best fits the mapping holding `path`."""
    data: Any = document.data
    for part in path[:-1]:
        data = data[part]
    written = data if isinstance(data, dict) else {}
    best = max(_all_specs(Spec), key=lambda c: (_fit(c, written), -len(_keys(c))), default=Spec)
    return sorted(_keys(best))


def _fit(cls: type[Spec], written: Mapping[Any, Any]) -> int:
    """Count the keys that a class knows; one whose fixed values differ does not fit at all."""
    names = {f.alias or name: f for name, f in cls.model_fields.items()}
    fixed = {key: get_args(f.annotation) for key, f in names.items() if get_origin(f.annotation) is Literal}
    if any(key in written and written[key] not in values for key, values in fixed.items()):
        return -1
    return sum(2 if key in fixed else 1 for key in written if key in names)


def _keys(cls: type[Spec]) -> set[str]:
    return {f.alias or name for name, f in cls.model_fields.items()}


def _all_specs(cls: type[Spec]) -> list[type[Spec]]:
    direct = cls.__subclasses__()
    return [*direct, *(s for d in direct for s in _all_specs(d))]
