"""Rules on quantities and sources: units, citations, honest confidence, no fitting to what must be predicted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from typing import Any, final

from haptos.conditions.catalogue import yaml_files
from haptos.core.located import parse_yaml
from haptos.core.units import registry
from haptos.errors import Issue, SpecError, nearest
from haptos.evidence.library import Library
from haptos.evidence.lint.rule import Rule
from haptos.evidence.quantities import WORD_UNITS, QuantityRecord

__all__ = ["CitedSources", "Retractions", "Units", "UnusedReferences", "ValidateOnly", "readable_unit"]

_WORDS = {"ratio": "dimensionless", "%": "percent", "copies": "molecules", "a.u.": "dimensionless"}


def readable_unit(text: str) -> bool:
    """Tell whether `text` is a unit.

    Examples
    --------
    >>> readable_unit("1/(M s)"), readable_unit("um2/s"), readable_unit("mixed")
    (True, True, False)
    """
    import pint

    spelled = re.sub(r"(?<=[a-zµ])([23])(?![0-9])", r"**\1", _WORDS.get(text, text))
    try:
        registry().Quantity(f"1 {spelled}" if spelled[:1].isalpha() else spelled)
    except (pint.UndefinedUnitError, pint.DefinitionSyntaxError, ValueError, TypeError, AttributeError, SyntaxError):
        return False
    return not text[:1].isdigit() or text.startswith("1")


@final
class Units(Rule):
    """Every number of a quantity has a unit.

    Units of single values stand in ``units``. ``not given`` admits that the source gave none;
    that is a warning.
    """

    id = "units"

    def check(self, library: Library) -> Iterator[Issue]:
        """Yield values without a readable unit."""
        for entry in library.quantity_records.entries:
            quantity = entry.record
            for name in quantity.values:
                unit = quantity.unit_of(name)
                place = entry.where("units", name) if name in quantity.units else entry.where("unit")
                if unit == "not given":
                    message = f"{quantity.id}: the unit of {name!r} is not given"
                    yield Issue(message, place, rule=self.id, severity="warning")
                elif not readable_unit(unit):
                    hint = f"give 'units: {{{name}: ...}}'"
                    yield self.issue(f"{quantity.id}: {unit!r} is no unit for {name!r}", place, hint=hint)
            if not quantity.values and quantity.unit not in WORD_UNITS and not readable_unit(quantity.unit):
                message = f"{quantity.id}: {quantity.unit!r} is neither a unit nor one of the admitted words"
                yield self.issue(message, entry.where("unit"), allowed=", ".join(WORD_UNITS))


@final
class CitedSources(Rule):
    """Quantities cite entries of the bibliography; only what is recalled or common knowledge cites none."""

    id = "cited-sources"

    def check(self, library: Library) -> Iterator[Issue]:
        """Yield unknown keys and confident numbers without a source."""
        known = (*(r.key for r in library.bibliography), *(e.record.id for e in library.source_records.entries))
        for entry in library.quantity_records.entries:
            quantity = entry.record
            for i, key in enumerate(quantity.sources):
                if key not in known:
                    hint = ", ".join(nearest(key, known))
                    yield self.issue(f"{quantity.id}: unknown source {key!r}", entry.where("sources", i), hint=hint)
            if not quantity.sources and quantity.confidence not in ("from memory", "secondary"):
                yield self.issue(f"{quantity.id}: {quantity.confidence}, but no source", entry.where("confidence"))
            if (quantity.obtained == "recalled") != (quantity.confidence == "from memory"):
                message = f"{quantity.id}: 'obtained: {quantity.obtained}' does not go with '{quantity.confidence}'"
                yield self.issue(message, entry.where("confidence"))


@final
class UnusedReferences(Rule):
    """Every entry of the bibliography is named in some file of the library."""

    id = "unused-references"
    severity = "warning"

    def check(self, library: Library) -> Iterator[Issue]:
        """Yield entries that nothing cites."""
        words: set[str] = set()
        for file in _files(library.root):
            if file.name != "references.bib":
                words.update(re.findall(r"[\w-]+", file.read_bytes().decode("utf-8", "replace")))
        for reference in library.bibliography:
            if reference.key not in words:
                yield self.issue(f"{reference.key} is not cited", f"{library.name}/references.bib:{reference.line}")


@final
class ValidateOnly(Rule):
    """What may only be checked is not fitted.

    A quantity marked ``validate`` is named nowhere in ``parameters`` or ``calibration``, save
    under a key that starts with ``validat``; and no quantity marked ``calibrate`` repeats its numbers
    from the same source.
    """

    id = "validate-only"

    def check(self, library: Library) -> Iterator[Issue]:
        """Yield uses of reserved quantities."""
        entries = library.quantity_records.entries
        numeric = [e for e in entries if e.record.values]
        fitted = {_fingerprint(e.record): e.record.id for e in numeric if e.record.use == "calibrate"}
        for entry in numeric:
            twin = fitted.get(_fingerprint(entry.record)) if entry.record.use == "validate" else None
            if twin is not None:
                message = f"{entry.record.id} is for validation, but {twin} offers the same numbers for calibration"
                yield self.issue(message, entry.where("use"))
        for folder in ("parameters", "calibration"):
            yield from self._named(library, folder, {e.record.id for e in entries if e.record.use == "validate"})

    def _named(self, library: Library, folder: str, reserved: set[str]) -> Iterator[Issue]:
        for file in yaml_files(library.root / folder):
            text, name = file.read_bytes().decode("utf-8", "replace"), f"{library.name}/{folder}/{file.name}"
            try:
                document = parse_yaml(text, name=name)
            except SpecError:
                continue  # unreadable files of other rooms are reported by them
            for path in document.lines:
                value = _at(document.data, path)
                checked = any(str(part).startswith("validat") for part in path)
                if isinstance(value, str) and value in reserved and not checked:
                    yield self.issue(f"{value} is for validation only", document.where(path))


def _files(folder: Traversable) -> Iterator[Traversable]:
    """Yield the text files of a folder and of those in it."""
    for item in folder.iterdir():
        if item.is_dir():
            yield from _files(item)
        elif item.name.endswith((".yaml", ".ant", ".bib")):
            yield item


def _at(data: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        data = data[part]
    return data


def _fingerprint(quantity: QuantityRecord) -> str:
    numbers = sorted((quantity.unit_of(name), repr(value)) for name, value in quantity.values.items())
    return repr((quantity.sources, quantity.system, quantity.conditions, numbers))


@final
class Retractions(Rule):
    """Sources of claims were looked up in a register of retractions."""

    id = "retractions"

    def check(self, library: Library) -> Iterator[Issue]:
        """Yield retracted sources as errors, unchecked ones as warnings."""
        for entry in library.source_records.entries:
            source = entry.record
            if source.retraction.status == "retracted":
                yield self.issue(f"{source.id} was retracted", entry.where("retraction"))
            elif source.retraction.status == "not_checked" and source.text != "own_data":
                message = f"{source.id} was not looked up in a register of retractions"
                yield Issue(message, entry.where("retraction"), rule=self.id, severity="warning")
            elif source.retraction.status != "not_checked" and source.retraction.on is None:
                yield self.issue(f"{source.id}: the day of the retraction check is missing", entry.where("retraction"))
