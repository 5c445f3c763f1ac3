"""The check of a record of the quantities, as a file says it: what is done, what is read, how it becomes a number."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from haptos.conditions.catalogue import library_folder, read_file, yaml_files
from haptos.conditions.experiment import ChosenByName, Culture, Protocol
from haptos.conditions.interventions import AnyIntervention, Cells
from haptos.core.records import Records
from haptos.core.specs import Dose, Quantity, Spec, Time
from haptos.lab.validation.courses import SUMMARIES

__all__ = ["Check", "Published", "Sampling", "Series", "Validation", "arms_of", "load_validations"]

_START = Quantity(0.0, "time", "0 min")
_HOUR = Quantity(60.0, "time", "1 h")
_MINUTE = Quantity(1.0, "time", "1 min")


class Sampling(Spec):
    """When the cells are looked at: from 0 to `until`, every `every`."""

    until: Time = _HOUR
    every: Time = _MINUTE


class Published(Spec):
    """What of a record a number is held against.

    Attributes
    ----------
    entry : str or None
        Name of the value in the record; None where the record gives a direction, an order or words.
    index : int or None
        Place in a series of values (from 0).
    relative_to : int or None
        Place by whose value it is divided.
    between : pair of str or None
        Entries that are the ends of the accepted range.
    sd : str or None
        Entry that is the standard deviation of the value: two of them to each side are accepted.
    bound : str
        ``near`` (inside the range published, else within a factor of two), ``at_least``, ``at_most``.
    direction : str or None
        Direction of a ratio of two arms or times, where the record gives no number.
    resolved : float
        Smallest fold change that counts for a direction; of an assay, its own is used.
    low, high : float or None
        Accepted range of the number [min for times] where the record has words only; `assumed` of the
        check says where it comes from.
    """

    entry: str | None = None
    index: int | None = Field(None, ge=0)
    relative_to: int | None = Field(None, ge=0)
    between: tuple[str, str] | None = None
    sd: str | None = None
    bound: Literal["near", "at_least", "at_most"] = "near"
    direction: Literal["increase", "decrease", "no_change"] | None = None
    resolved: float = Field(1.34, gt=1)
    low: float | None = None
    high: float | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Published:
        literal = self.low is not None or self.high is not None
        if (self.entry is not None) + (self.direction is not None) + literal != 1:
            raise PydanticCustomError("published", "give one of 'entry', 'direction' and 'low' or 'high'")
        return self


class Series(Spec):
    """Arms in order of a dose or of a quantity that is read, for a threshold.

    Attributes
    ----------
    arms : tuple of str
        In the order of the series.
    doses : tuple of quantity
        The doses, or else
    along, along_over : str or None
        model quantity read at the end, and the one it is divided by.
    level : str
        Where the threshold lies: half of the first arm's value or of the greatest one.
    """

    arms: tuple[str, ...] = Field(min_length=3)
    doses: tuple[Dose, ...] = ()
    along: str | None = None
    along_over: str | None = None
    level: Literal["half_of_first", "half_of_greatest"]

    @model_validator(mode="after")
    def _one_axis(self) -> Series:
        if bool(self.doses) == (self.along is not None) or (self.doses and len(self.doses) != len(self.arms)):
            raise PydanticCustomError("series", "give one dose for every arm, or 'along'")
        return self


class Check(Spec):
    """One number of a record.

    Attributes
    ----------
    name : str
        What it is, with its unit in brackets.
    read, over : str
        Model quantity, or measure of the assay; and what it is divided by.
    assay : protocol or None
        Assay that reads; the default is the model quantity itself.
    arm : str or None
        Default: the first.
    against : str or None
        Arm by whose number it is divided.
    how : str
        One of :data:`haptos.lab.validation.courses.SUMMARIES`.
    at, since : time
        Times the summary speaks of.
    place : int
        Which maximum or minimum (from 1).
    share : float
        Level the summary speaks of.
    per_cell : bool
        Whether a concentration becomes an amount per cell.
    complement : bool
        Whether the published share is that of all others: it is taken from 1.
    series, against_series : Series or None
        A threshold over arms instead of a summary of one; and the one it is divided by.
    published : Published
        What it is held against.
    """

    name: str = Field(min_length=3, max_length=80)
    read: str
    over: str | None = None
    assay: Annotated[Protocol, ChosenByName("assay")] | None = None
    arm: str | None = None
    against: str | None = None
    how: Literal[SUMMARIES] = "end"  # type: ignore[valid-type]
    at: Time = _START
    since: Time = _START
    place: int = Field(1, ge=1)
    share: float = Field(0.5, gt=0, lt=1)
    per_cell: bool = False
    complement: bool = False
    series: Series | None = None
    against_series: Series | None = None
    published: Published


class Validation(Spec):
    """One record: how it is checked, or why it cannot be.

    Attributes
    ----------
    record : str
        The record of the quantities.
    reason : str
        Why the signalling level cannot express it, or not all of it.
    cells, culture, arms : str, Culture, mapping of str to interventions
        The experiment.
    sampling : Sampling
        Of what is read without an assay.
    assumed : str
        What the record does not say and was added here.
    in_view : str
        What was chosen while this record was on the screen, though nothing was fitted to it: agreement is then
        weaker evidence.
    checks : tuple of Check
        None only with a reason.
    """

    record: str
    reason: str = Field("", max_length=240)
    cells: Cells | None = None
    culture: Culture = Culture()
    arms: dict[str, tuple[AnyIntervention, ...]] = Field(default_factory=dict)
    sampling: Sampling = Sampling()
    assumed: str = Field("", max_length=400)
    in_view: str = Field("", max_length=400)
    checks: tuple[Check, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> Validation:
        if not self.checks and not self.reason:
            raise PydanticCustomError("validation", "give checks, or the reason why there are none")
        if self.checks and (self.cells is None or not self.arms):
            raise PydanticCustomError("validation", "checks need cells and arms")
        strangers = sorted({a for check in self.checks for a in arms_of(check)} - set(self.arms))
        if strangers:
            raise PydanticCustomError("validation", "unknown arms: {arms}", {"arms": ", ".join(strangers)})
        return self


def arms_of(check: Check) -> tuple[str, ...]:
    """Return the arms a check names."""
    named = (check.arm, check.against)
    chains = (s.arms for s in (check.series, check.against_series) if s is not None)
    return tuple(dict.fromkeys([a for a in named if a is not None] + [a for arms in chains for a in arms]))


@cache
def load_validations() -> tuple[Validation, ...]:
    """Return how every record is checked, in the order of the files.

    Raises
    ------
    SpecError
        With every problem of the files.
    """
    from haptos.lab.experiments import lab_catalogue

    catalogue = lab_catalogue()
    found: Records[Validation] = Records()
    for file in yaml_files(library_folder() / "validation"):
        found += read_file(Validation, file, "validations", "library/validation", catalogue=catalogue)
    return found.checked()
