"""Claims as executable records: who says what, the experiment that tests it, and what to expect."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from haptos.conditions.experiment import Culture
from haptos.conditions.interventions import AnyIntervention, Cells
from haptos.core.specs import Fold, Fraction, KnownName, Quantity, Spec, Time
from haptos.core.units import parse_quantity
from haptos.errors import UnitError

__all__ = [
    "OWN",
    "Abolished",
    "AnyExpectation",
    "Biphasic",
    "Claim",
    "Conflict",
    "Count",
    "Decrease",
    "Expectation",
    "Falling",
    "Graded",
    "Increase",
    "Level",
    "NoChange",
    "Range",
    "Ratio",
    "Readout",
    "Relation",
    "Restored",
    "Rising",
    "Sustained",
    "Synergy",
    "TextError",
    "Transient",
    "Trial",
    "Varies",
]

#: Source and system of claims that name none.
OWN = "own"

Level = Literal["none", "signalling", "mechanics", "tissue", "organism"]
Kind = Literal[
    "mechanism", "perturbation_outcome", "quantity", "structure", "context", "negative", "hypothesis", "definition"
]
Untestable = Literal[
    "classification", "naming", "knowledge_gap", "too_unspecific", "outside_model", "no_readout", "outlook"
]
System = Annotated[str, Field(pattern=r"^(S(1[0-4]|[1-9])|own)$")]
Entity = Annotated[str, KnownName("entity")]


class Relation(Spec):
    """Subject, predicate and object, each from the vocabulary of entities and predicates.

    Attributes
    ----------
    subject, predicate, object
        The core: each listed subject stands in the relation to each listed object.
    of : tuple of str
        Whose property or part the object is (the affinity *of* ITGA5:ITGB1).
    where : tuple of str
        The structure, compartment or organ in which, or into which (p65 *into* the nucleus).
    via : tuple of str
        What lies between subject and object, in order from the subject.
    induced_by : tuple of str
        The stimulus, if only the part of the object that it induces is meant (ILK-induced migration).
    """

    subject: tuple[Entity, ...] = Field(min_length=1)
    predicate: Annotated[str, KnownName("predicate")]
    object: tuple[Entity, ...] = Field(min_length=1)
    of: tuple[Entity, ...] = ()
    where: tuple[Entity, ...] = ()
    via: tuple[Entity, ...] = ()
    induced_by: tuple[Entity, ...] = ()


class Readout(Spec):
    """What is read from the assay.

    Attributes
    ----------
    measure : str
        A measure of the assay (vocabulary ``assays.yaml``), for instance ``phosphorylation``.
    of : tuple of str
        The molecules, complexes or structures read; all of them must meet the expectation.
    over : tuple of str
        For quotients: what it is divided by (total protein, another integrin, the front, ...).
    at : Quantity or None
        Time of the reading after the start of the assay, later than 0; None is the end of the assay.
    since : Quantity or None
        Earlier time after the start of the assay, whose reading each reading is divided by.
    summary : str
        How a time course becomes a number.
    """

    measure: Annotated[str, KnownName("measure")]
    of: tuple[Entity, ...] = ()
    over: tuple[Entity, ...] = ()
    at: Time | None = None
    since: Time | None = None
    summary: Literal["endpoint", "time_course", "integral", "peak", "delay", "rate_of_change", "half_life"] = "endpoint"

    @model_validator(mode="after")
    def _times_are_in_order(self) -> Readout:
        if self.at is not None and self.at.value <= 0.0:
            raise PydanticCustomError(
                "at",
                "'at' must be later than 0 h, the start of the assay; a pretreatment may begin at 0 h, read at its end",
            )
        if self.since is not None and self.since.value < 0.0:
            raise PydanticCustomError("since", "'since' must not be before the start of the assay")
        if self.since is not None and self.at is not None and self.since.value >= self.at.value:
            raise PydanticCustomError("since", "'since' must be before 'at'")
        return self


class Expectation(Spec):
    """Base of the expectations; arms are named by their labels in the trial.

    Attributes
    ----------
    test : tuple of str
        Arms that must each meet the expectation.
    """

    test: tuple[str, ...] = Field(min_length=1)

    def arms(self) -> tuple[str, ...]:
        """Return every arm the expectation refers to."""
        found = list(self.test)
        for name in ("reference", "control"):
            found += [str(getattr(self, name))] if getattr(self, name, None) is not None else []
        for name in ("references", "controls", "parts"):
            found += list(getattr(self, name, ()))
        return tuple(dict.fromkeys(found))


class Compared(Expectation):
    """An expectation relative to a reference arm.

    `references`, parallel to `test`, replaces `reference` where each arm has its own.
    """

    reference: str | None = None
    references: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_reference(self) -> Compared:
        if self.reference is None and "reference" in self.model_fields_set:
            raise PydanticCustomError("reference", "'reference' is empty: write an arm called null in quotes, 'null'")
        if (self.reference is None) == (not self.references):
            raise PydanticCustomError("reference", "give either 'reference' or 'references'")
        if self.references and len(self.references) != len(self.test):
            raise PydanticCustomError("reference", "'references' must have one entry for each entry of 'test'")
        return self

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Return (test arm, its reference arm)."""
        return tuple(zip(self.test, self.references or (str(self.reference),) * len(self.test), strict=True))


class Increase(Compared):
    """The readout is higher than in the reference by more than the assay can miss."""

    outcome: Literal["increase"] = "increase"
    at_least: Fold | None = None


class Decrease(Compared):
    """The readout is lower than in the reference by more than the assay can miss."""

    outcome: Literal["decrease"] = "decrease"
    at_least: Fold | None = None


class NoChange(Compared):
    """The readout differs from the reference by less than the assay can see."""

    outcome: Literal["no_change"] = "no_change"


class Abolished(Compared):
    """At most `residual` of the induced part is left.

    The induced part is reference minus `control`; without a control arm it is reference
    minus zero. `controls`, parallel to `test`, replaces `control` where each arm has its own.
    """

    outcome: Literal["abolished"] = "abolished"
    control: str | None = None
    controls: tuple[str, ...] = ()
    residual: Fraction = Quantity(0.3, "fraction", "30 %")

    @model_validator(mode="after")
    def _one_control(self) -> Abolished:
        if self.control is not None and self.controls:
            raise PydanticCustomError("control", "give either 'control' or 'controls'")
        if self.controls and len(self.controls) != len(self.test):
            raise PydanticCustomError("control", "'controls' must have one entry for each entry of 'test'")
        return self

    def induced(self) -> tuple[tuple[str, str, str | None], ...]:
        """Return (test arm, its reference arm, its control arm or None)."""
        controls: tuple[str | None, ...] = self.controls or (self.control,) * len(self.test)
        return tuple((*pair, control) for pair, control in zip(self.pairs(), controls, strict=True))


class Restored(Compared):
    """At least `recovery` of the gap between the disturbed reference and `control` is closed."""

    outcome: Literal["restored"] = "restored"
    control: str
    recovery: Fraction = Quantity(0.7, "fraction", "70 %")


class Transient(Compared):
    """The readout rises above the reference (or falls below it) and is back (at most half is left) by `back_by`."""

    outcome: Literal["transient"] = "transient"
    change: Literal["rise", "fall"] = "rise"
    back_by: Time


class Sustained(Compared):
    """The readout rises above the reference (or falls below it), and half of that is still there at `until`."""

    outcome: Literal["sustained"] = "sustained"
    change: Literal["rise", "fall"] = "rise"
    until: Time


class Biphasic(Expectation):
    """Over a scanned arm, or over arms in the order of `test`, the readout has an inner extreme beyond both ends."""

    outcome: Literal["biphasic"] = "biphasic"
    extreme: Literal["maximum", "minimum"] = "maximum"


class Graded(Expectation):
    """Base of expectations on a series: three or more arms in the order of `test`, as doses or times.

    From the first to the last arm the readout changes by more than the assay can miss, and no step goes the other way
    by as much; with `each_step`, every step is as large.
    """

    test: tuple[str, ...] = Field(min_length=3)
    each_step: bool = False


class Rising(Graded):
    """The readout rises along a series of arms."""

    outcome: Literal["rising"] = "rising"


class Falling(Graded):
    """The readout falls along a series of arms."""

    outcome: Literal["falling"] = "falling"


def _bound(raw: Any) -> Any:
    """Return a time that is written with its unit as minutes; all else as it is."""
    if not isinstance(raw, str):
        return raw
    try:
        return parse_quantity(raw, "time").value
    except UnitError as error:
        raise PydanticCustomError(
            "quantity", "'{raw}' is neither a number nor a time with its unit, as '30 min'", {"raw": raw}
        ) from error


Bound = Annotated[float, BeforeValidator(_bound)]


class Range(Expectation):
    """The value of the readout lies in [low, high] (None: open), in the unit of the measure; times may have theirs."""

    outcome: Literal["range"] = "range"
    low: Bound | None = None
    high: Bound | None = None
    low_excluded: bool = False


class Ratio(Compared):
    """The quotient test over reference lies in [low, high] (None: open)."""

    outcome: Literal["ratio"] = "ratio"
    low: float | None = None
    high: float | None = None


class Synergy(Expectation):
    """The gain over `control` is seen by the assay and exceeds the sum of the gains of the arms `parts`."""

    outcome: Literal["synergy"] = "synergy"
    parts: tuple[str, ...] = Field(min_length=2)
    control: str


class Varies(Compared):
    """The effect differs between the test arms: both signs, or presence and absence."""

    outcome: Literal["varies"] = "varies"


class Count(Spec):
    """A static check of the library: how many entries a registry holds."""

    outcome: Literal["count"] = "count"
    registry: Annotated[str, KnownName("registry")]
    of: tuple[Entity, ...] = ()
    low: float | None = None
    high: float | None = None

    def arms(self) -> tuple[str, ...]:
        """Return no arms: nothing is simulated."""
        return ()


def _outcome(value: Any) -> str | None:
    outcome = value.get("outcome") if isinstance(value, dict) else getattr(value, "outcome", None)
    return f"<{outcome}>" if outcome is not None else None


AnyExpectation = Annotated[
    Annotated[Increase, Tag("<increase>")]
    | Annotated[Decrease, Tag("<decrease>")]
    | Annotated[NoChange, Tag("<no_change>")]
    | Annotated[Abolished, Tag("<abolished>")]
    | Annotated[Restored, Tag("<restored>")]
    | Annotated[Transient, Tag("<transient>")]
    | Annotated[Sustained, Tag("<sustained>")]
    | Annotated[Biphasic, Tag("<biphasic>")]
    | Annotated[Rising, Tag("<rising>")]
    | Annotated[Falling, Tag("<falling>")]
    | Annotated[Range, Tag("<range>")]
    | Annotated[Ratio, Tag("<ratio>")]
    | Annotated[Synergy, Tag("<synergy>")]
    | Annotated[Varies, Tag("<varies>")]
    | Annotated[Count, Tag("<count>")],
    Discriminator(_outcome),
]


class Trial(Spec):
    """The experiment of a claim: as in an experiment file, reduced to what the claim fixes.

    Attributes
    ----------
    cells : str
        Cell line or context.
    culture : Culture or None
        Surroundings common to all arms; None leaves the default of the cells.
    arms : mapping
        Complete arms by label; nothing is inherited between them.
    assay : str
        Assay of the vocabulary.
    readout : Readout or None
        None only for static checks of the library.
    duration : Quantity or None
        Length of the assay where the claim fixes it.
    """

    cells: Cells
    culture: Culture | None = None
    arms: dict[str, tuple[AnyIntervention, ...]] = Field(default_factory=dict)
    assay: Annotated[str, KnownName("assay")]
    readout: Readout | None = None
    duration: Time | None = None


class Claim(Spec):
    """One atomic claim of a source.

    Attributes
    ----------
    id : str
        Identifier; in the library ``PREFIX-NN``.
    source : str
        Key of the source.
    lines : tuple of (int, int)
        Line ranges of the supporting text in the source file.
    section : str
        Section of the source.
    cites : tuple of int
        Reference numbers printed with the statement.
    system : str
        S1 to S14; ``own`` for a user's claim.
    kind, level, priority
        What sort of claim, the level at which it is tested, and its weight (1 to 3).
    relation : Relation
        The claim as subject, predicate, object.
    context : str or None
        Cells or conditions for which it is made.
    trial : Trial or None
        The experiment; None if it cannot be tested.
    expect : expectation or None
        What the trial should show.
    untestable : str or None
        Reason, if it cannot be tested.
    conflicts : tuple of str
        Conflict groups.
    text_errors : tuple of str
        Misprints that touch it.
    assumed : tuple of str
        Which parts of the trial were added by the curator (dose, sign, control, ligand, cells, ...).
    note : str
        A remark of ours.
    """

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.-]*$", max_length=60)]
    source: Annotated[str, KnownName("source")]
    lines: tuple[tuple[int, int], ...] = Field(min_length=1)
    section: str = ""
    cites: tuple[int, ...] = ()
    system: System
    kind: Kind
    level: Level
    priority: Literal[1, 2, 3]
    relation: Relation
    context: Entity | None = None
    trial: Trial | None = None
    expect: AnyExpectation | None = None
    untestable: Untestable | None = None
    conflicts: tuple[str, ...] = ()
    text_errors: tuple[str, ...] = ()
    assumed: tuple[
        Literal["dose", "sign", "control", "ligand", "cells", "assay", "readout", "time", "inference", "compound"], ...
    ] = ()
    note: str = Field("", max_length=400)

    @model_validator(mode="after")
    def _complete(self) -> Claim:
        if (self.trial is None) != (self.expect is None):
            raise PydanticCustomError("claim", "a trial needs an expectation and an expectation a trial")
        if (self.trial is None) == (self.untestable is None):
            raise PydanticCustomError("claim", "give either a trial or the reason why it is untestable")
        if self.trial is not None and self.expect is not None:
            missing = [a for a in self.expect.arms() if a not in self.trial.arms]
            if missing:
                names = {"arms": ", ".join(missing)}
                raise PydanticCustomError("claim", "the expectation names missing arms: {arms}", names)
        return self


class Conflict(Spec):
    """Claims that disagree, or hold in different contexts only."""

    id: Annotated[str, Field(pattern=r"^K[0-9]{2}$")]
    nature: Literal["alternative_mechanism", "context", "contradiction", "opposite_sign", "scope"]
    side_a: tuple[str, ...] = Field(min_length=1)
    side_b: tuple[str, ...] = Field(min_length=1)
    note: str = Field("", max_length=400)


class TextError(Spec):
    """A misprint or imprecision of a source and how it is read."""

    id: Annotated[str, Field(pattern=r"^T[0-9]{2}$")]
    source: Annotated[str, KnownName("source")]
    certainty: Literal["certain", "suspected", "minor", "imprecision", "incomplete_source"]
    printed: str
    read_as: str
    claims: tuple[str, ...] = ()
