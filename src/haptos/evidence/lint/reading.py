"""Rules on single records: they can be read, have an identifier of their own and known names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, final

from haptos.core.records import Entry
from haptos.errors import Issue
from haptos.evidence.claims import OWN
from haptos.evidence.library import Library
from haptos.evidence.lint.rule import Rule

__all__ = ["ClaimPrefix", "KnownNames", "Numbered", "Readable", "UniqueIds"]

_NUMBERED = re.compile(r"^[A-Z][A-Z0-9]*-[0-9]{2}$")


def _all_issues(library: Library) -> Iterator[Issue]:
    yield from library.vocabulary.issues
    for records in _all_records(library).values():
        yield from records.issues


def _all_records(library: Library) -> dict[str, Any]:
    return {
        "claim": library.claim_records(),
        "conflict": library.conflict_records,
        "text error": library.text_error_records,
        "source": library.source_records,
        "quantity": library.quantity_records,
    }


@final
class Readable(Rule):
    """Every file is YAML 1.2 and every record has the fields of its format, with admissible values."""

    id = "readable"

    def check(self, library: Library) -> Iterator[Issue]:
        """Yield the problems found while reading."""
        for issue in _all_issues(library):
            if issue.rule != "unknown_name":
                yield replace(issue, rule=self.id)


@final
class KnownNames(Rule):
    """Entities, cells, predicates, assays, measures, registries and sources are in the vocabulary."""

    id = "known-names"

    def check(self, library: Library) -> Iterator[Issue]:
        """Yield the names that no vocabulary file holds."""
        for issue in _all_issues(library):
            if issue.rule == "unknown_name":
                yield replace(issue, rule=self.id)


@final
class UniqueIds(Rule):
    """No identifier is given twice within its kind."""

    id = "unique-ids"

    def check(self, library: Library) -> Iterator[Issue]:
        """Yield the second and further uses of an identifier."""
        groups = {kind: records.entries for kind, records in _all_records(library).items()}
        groups |= {f"term of {key}": records.entries for key, records in library.vocabulary.records.items()}
        for kind, entries in groups.items():
            yield from self._repeated(kind, entries)
        seen: dict[str, int] = {}
        for reference in library.bibliography:
            where = f"{library.name}/references.bib:{reference.line}"
            if reference.key in seen:
                yield self.issue(f"reference {reference.key} stands twice (first on line {seen[reference.key]})", where)
            seen.setdefault(reference.key, reference.line)

    def _repeated(self, kind: str, entries: tuple[Entry[Any], ...]) -> Iterator[Issue]:
        seen: dict[str, str] = {}
        for entry in entries:
            name = entry.record.id
            if name in seen:
                yield self.issue(f"{kind} {name} stands twice (first at {seen[name]})", entry.where("id"))
            seen.setdefault(name, entry.where("id"))


@final
class ClaimPrefix(Rule):
    """The prefix of a claim's identifier belongs to its source, if it has one."""

    id = "claim-prefix"

    def check(self, library: Library) -> Iterator[Issue]:
        """Yield claims with a prefix that their source does not list."""
        prefixes = {e.record.id: e.record.prefixes for e in library.source_records.entries}
        for entry in library.claim_records().entries:
            claim = entry.record
            known = prefixes.get(claim.source, ())
            if claim.source != OWN and claim.source in prefixes and claim.id.rpartition("-")[0] not in known:
                message = f"{claim.id}: the prefix does not belong to {claim.source}"
                yield self.issue(message, entry.where("id"), allowed=", ".join(known))


@final
class Numbered(Rule):
    """Claims of a library are numbered within their prefix: PREFIX-NN."""

    id = "numbered"

    def check(self, library: Library) -> Iterator[Issue]:
        """Yield claims with identifiers of another form."""
        for entry in library.claim_records().entries:
            if not _NUMBERED.match(entry.record.id):
                yield self.issue(f"{entry.record.id} is not of the form PREFIX-NN", entry.where("id"))
