"""Quantities at the boundary: text with a unit in, bare floats in internal units out.

Internal units are fixed once: µm, min, nM, pN, Pa, K. A bare number where a unit is
needed is an error that names an example.
"""

from __future__ import annotations

import math
import re
import tokenize
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from haptos.core.kept import KeptAnswers, code_checksum
from haptos.errors import UnitError

if TYPE_CHECKING:
    import pint

__all__ = ["AVOGADRO", "DIMENSIONS", "MOLECULES", "Dimension", "Quantity", "parse_quantity"]

#: Molecules per mole, exact since 2019.
AVOGADRO = 6.02214076e23
#: Molecules in 1 µm³ at 1 nM.
MOLECULES = 1e-24 * AVOGADRO


@dataclass(frozen=True, slots=True)
class Dimension:
    """A physical dimension that haptos accepts at its boundary.

    Attributes
    ----------
    name : str
        Key in :data:`DIMENSIONS`.
    unit : str
        The internal unit, as pint spells it.
    examples : tuple of str
        Texts a user could write.
    bare : bool
        Whether a number without a unit is meaningful (pure numbers only).
    """

    name: str
    unit: str
    examples: tuple[str, ...]
    bare: bool = False


DIMENSIONS: dict[str, Dimension] = {
    d.name: d
    for d in (
        Dimension("time", "minute", ("24 h", "30 min", "2 days")),
        Dimension("concentration", "nanomolar", ("10 µM", "5 nM")),
        Dimension("mass concentration", "nanogram / milliliter", ("10 ng/mL", "2 mg/mL")),
        Dimension("enzyme activity", "enzyme_unit / milliliter", ("1 U/mL",)),
        Dimension("length", "micrometer", ("8 µm", "1 mm")),
        Dimension("area", "micrometer ** 2", ("50 µm²", "0.33 cm²")),
        Dimension("volume", "micrometer ** 3", ("2000 µm³", "2 pL", "0.5 mL")),
        Dimension("cell density", "1 / micrometer ** 3", ("1e6 / mL",)),
        Dimension("surface density", "1 / micrometer ** 2", ("1000 / µm²",)),
        Dimension("surface mass", "nanogram / centimeter ** 2", ("100 µg/cm²", "150 ng/cm²")),
        Dimension("force", "piconewton", ("10 pN", "2 nN")),
        Dimension("stress", "pascal", ("5 kPa", "1 Pa")),
        Dimension("molecular mass", "kilodalton", ("92 kDa",)),
        Dimension("temperature", "kelvin", ("310.15 K",)),
        Dimension("speed", "micrometer / minute", ("0.5 µm/min", "20 µm/h")),
        Dimension("rate", "1 / minute", ("0.01 / min", "2e-4 / s")),
        Dimension("association rate", "1 / nanomolar / minute", ("0.5 / nM / min",)),
        Dimension("fraction", "dimensionless", ("80 %", "0.8"), bare=True),
        Dimension("number", "dimensionless", ("4", "2.5"), bare=True),
    )
}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in the internal unit of its dimension, with the text it came from.

    Two quantities are equal when value and dimension are, however they were written.
    """

    value: float
    dimension: str
    text: str = field(default="", compare=False)

    @property
    def unit(self) -> str:
        """The internal unit, short form."""
        return _short_unit(self.dimension)

    def __str__(self) -> str:
        return self.text or f"{self.value!r} {self.unit}".strip()

    def exact(self) -> str:
        """Text that parses back to exactly this value."""
        return f"{self.value!r} {DIMENSIONS[self.dimension].unit}".replace(" dimensionless", "")

    def __float__(self) -> float:
        return self.value


_UNREADABLE = (
    ValueError,
    TypeError,
    AssertionError,
    SyntaxError,
    AttributeError,
    ZeroDivisionError,
    OverflowError,
    tokenize.TokenError,
)


#: Longest text whose conversion is remembered.
_LONGEST = 80

#: What is counted is a number: cells per volume, molecules per area.
_COUNTED = re.compile(r"\b(?:molecules?|cells?)\b")
#: Units of activity, as of enzymes and cytokines.
_UNITS = re.compile(r"\b(?:I?U|units?)\b")


@cache
def registry() -> pint.UnitRegistry[float]:
    """Return the one units registry (built at first use: pint is slow to import)."""
    import pint

    ureg: pint.UnitRegistry[float] = pint.UnitRegistry(cache_folder=None)
    if "percent" not in ureg:
        ureg.define("percent = 0.01 = %")
    ureg.define("fold = 1")
    return ureg


def parse_quantity(raw: Any, dimension: str, *, molar_mass: float | None = None) -> Quantity:
    """Read a quantity with its unit and convert it to the internal unit.

    Parameters
    ----------
    raw : str, int, float or Quantity
        What the user wrote, for instance ``"20 µM"``.
    dimension : str
        Key in :data:`DIMENSIONS`.
    molar_mass : float, optional
        Molar mass [g/mol]; lets a mass concentration stand for a concentration.

    Returns
    -------
    Quantity
        The value in the internal unit.

    Raises
    ------
    UnitError
        If the unit is missing, unknown or of the wrong dimension, or the value is not finite.

    Examples
    --------
    >>> parse_quantity("2 h", "time").value
    120.0
    >>> parse_quantity("10 ng/mL", "concentration", molar_mass=17_000).value
    0.588
    """
    expected = DIMENSIONS[dimension]
    if isinstance(raw, Quantity):
        if raw.dimension != dimension:
            raise UnitError(f"{raw} is a {raw.dimension}, expected a {dimension}")
        return raw
    example = " or ".join(repr(e) for e in expected.examples)
    if isinstance(raw, bool) or not isinstance(raw, (int, float, str)):
        raise UnitError(f"{raw!r} is not a {dimension}; write for instance {example}")
    if isinstance(raw, (int, float)):
        if not expected.bare:
            raise UnitError(f"{raw!r} has no unit; write a {dimension}, for instance {example}")
        return _finite(float(raw), dimension, str(raw))
    value = _known(raw.strip(), expected, example, molar_mass)
    return _finite(value, dimension, raw.strip())


@cache
def _answers() -> KeptAnswers:
    """Return what pint answered in other processes: loading it takes most of a second."""
    from importlib.metadata import version

    return KeptAnswers("conversions", (version("pint"), code_checksum("core/units.py")))


@cache
def _short_unit(dimension: str) -> str:
    known = _answers().get(dimension)
    if known is None:
        known = f"{registry().Unit(DIMENSIONS[dimension].unit):~P}"
        _answers().add(dimension, known)
    return str(known)


def _known(text: str, expected: Dimension, example: str, molar_mass: float | None) -> float:
    """Convert a text, or remember what came of it before: a number, or what is wrong with it."""
    if len(text) > _LONGEST:
        return _convert(text, expected, example, molar_mass)
    question = f"{expected.name}|{molar_mass!r}|{text}"
    answer = _answers().get(question)
    if isinstance(answer, str):
        raise UnitError(answer)
    if answer is not None:
        return answer
    try:
        value = _convert(text, expected, example, molar_mass)
    except UnitError as error:
        _answers().add(question, str(error))
        raise
    _answers().add(question, value)
    return value


def _convert(text: str, expected: Dimension, example: str, molar_mass: float | None) -> float:
    import pint

    ureg = registry()
    try:
        parsed = ureg.Quantity(_spell(text))
    except (pint.UndefinedUnitError, pint.DefinitionSyntaxError) as error:
        raise UnitError(f"cannot read {text!r} as a {expected.name} ({error}); write for instance {example}") from error
    except _UNREADABLE as error:
        raise UnitError(f"cannot read {text!r} as a {expected.name}; write for instance {example}") from error
    if parsed.dimensionless and not expected.bare and parsed.units == ureg.dimensionless:
        raise UnitError(f"{text!r} has no unit; write a {expected.name}, for instance {example}")
    if molar_mass is not None and parsed.check("[mass] / [length] ** 3"):
        parsed = parsed / ureg.Quantity(molar_mass, "gram / mole")
    try:
        return float(round(parsed.to(expected.unit).magnitude, 15) if expected.bare else _clean(parsed, expected))
    except pint.DimensionalityError as error:
        raise UnitError(f"{text!r} is not a {expected.name}; write for instance {example}") from error


def _clean(parsed: Any, expected: Dimension) -> float:
    """Convert and drop the rounding noise of the conversion factor (15 digits)."""
    return float(f"{parsed.to(expected.unit).magnitude:.15g}")


def _spell(text: str) -> str:
    """Write the signs people use in the form pint reads."""
    for sign, word in (("²", "**2"), ("³", "**3"), ("⁻¹", "**-1"), ("·", "*"), ("−", "-"), ("μ", "µ")):
        text = text.replace(sign, word)
    return _UNITS.sub("enzyme_unit", _COUNTED.sub("count", text))


def _finite(value: float, dimension: str, text: str) -> Quantity:
    if not math.isfinite(value):
        raise UnitError(f"{text!r} is not a finite {dimension}")
    return Quantity(value, dimension, text)
