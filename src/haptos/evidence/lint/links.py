"""Rules on what connects records: conflicts and misprints name claims, and claims name them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, final

from haptos.core.records import Entry
from haptos.errors import Issue, nearest
from haptos.evidence.library import Library
from haptos.evidence.lint.rule import Rule

__all__ = ["ConflictLinks", "ConflictSides", "TextErrorLinks"]


def _linked(
    rule: Rule, library: Library, groups: Mapping[str, tuple[Entry[Any], dict[str, tuple[str, ...]]]], field: str
) -> Iterator[Issue]:
    """Yield dangling and one-sided links between claims and groups.

    `groups` gives, by identifier, the entry of a group and its claims by field; `field` is the
    field of a claim that lists the groups.
    """
    claims = {e.record.id: e for e in library.claim_records().entries}
    members = {name: {c for listed in fields.values() for c in listed} for name, (_, fields) in groups.items()}
    for name, (entry, fields) in groups.items():
        for key, listed in fields.items():
            for i, claim in enumerate(listed):
                if claim not in claims:
                    hint = ", ".join(nearest(claim, tuple(claims)))
                    yield rule.issue(f"{name}: unknown claim {claim!r}", entry.where(key, i), hint=hint)
                elif name not in getattr(claims[claim].record, field):
                    message = f"{name} lists {claim}, but {claim} does not list {name}"
                    yield rule.issue(
                        message, entry.where(key, i), hint=f"add it to '{field}' at {claims[claim].where()}"
                    )
    for claim, entry in claims.items():
        for i, name in enumerate(getattr(entry.record, field)):
            if name not in groups:
                hint = ", ".join(nearest(name, tuple(groups)))
                yield rule.issue(f"{claim}: unknown {name!r} in '{field}'", entry.where(field, i), hint=hint)
            elif claim not in members[name]:
                yield rule.issue(f"{claim} lists {name}, but {name} does not list {claim}", entry.where(field, i))


@final
class ConflictLinks(Rule):
    """A claim lists a conflict if and only if the conflict lists the claim."""

    id = "conflict-links"

    def check(self, library: Library) -> Iterator[Issue]:
        """Yield dangling and one-sided links."""
        entries = library.conflict_records.entries
        groups = {e.record.id: (e, {"side_a": e.record.side_a, "side_b": e.record.side_b}) for e in entries}
        yield from _linked(self, library, groups, "conflicts")


@final
class ConflictSides(Rule):
    """No claim stands on both sides of a conflict, or twice on one."""

    id = "conflict-sides"

    def check(self, library: Library) -> Iterator[Issue]:
        """Yield claims named more than once."""
        for entry in library.conflict_records.entries:
            listed = (*entry.record.side_a, *entry.record.side_b)
            for claim in dict.fromkeys(c for c in listed if listed.count(c) > 1):
                yield self.issue(f"{entry.record.id} names {claim} more than once", entry.where())


@final
class TextErrorLinks(Rule):
    """A claim lists a misprint if and only if the misprint lists the claim."""

    id = "text-error-links"

    def check(self, library: Library) -> Iterator[Issue]:
        """Yield dangling and one-sided links."""
        entries = library.text_error_records.entries
        yield from _linked(
            self, library, {e.record.id: (e, {"claims": e.record.claims}) for e in entries}, "text_errors"
        )
