"""The linter of the evidence: small rules, all problems at once."""

from __future__ import annotations

from collections.abc import Sequence

from haptos.errors import Issue
from haptos.evidence.library import Library
from haptos.evidence.lint.links import ConflictLinks, ConflictSides, TextErrorLinks
from haptos.evidence.lint.numbers import CitedSources, Retractions, Units, UnusedReferences, ValidateOnly
from haptos.evidence.lint.reading import ClaimPrefix, KnownNames, Numbered, Readable, UniqueIds
from haptos.evidence.lint.rule import Rule
from haptos.evidence.lint.terms import Curies, GeneSymbols, KnownTerms, UniqueAliases, UnusedTerms
from haptos.evidence.lint.trials import Comparisons, LevelFitsRoom, Located, MeasureOfAssay, UsedArms

__all__ = ["RULES", "Rule", "lint"]

#: All rules, in the order in which they are explained.
RULES: tuple[Rule, ...] = (
    Readable(), KnownNames(), UniqueIds(), ClaimPrefix(), Numbered(), Located(), LevelFitsRoom(), MeasureOfAssay(),
    Comparisons(), UsedArms(), ConflictLinks(), ConflictSides(), TextErrorLinks(),
    GeneSymbols(), KnownTerms(), UniqueAliases(), Curies(), UnusedTerms(),
    Units(), CitedSources(), UnusedReferences(), ValidateOnly(), Retractions(),
)  # fmt: skip


def lint(library: Library, rules: Sequence[Rule] = RULES) -> tuple[Issue, ...]:
    """Check a library and return every issue, by file and line.

    Parameters
    ----------
    library : Library
        The evidence to check.
    rules : sequence of Rule
        Rules to apply.

    Returns
    -------
    tuple of Issue
        Each once; empty if all is well.
    """
    found = dict.fromkeys(issue for rule in rules for issue in rule.check(library))
    return tuple(sorted(found, key=_place))


def _place(issue: Issue) -> tuple[str, int]:
    file, _, rest = issue.where.partition(":")
    digits = rest.split(" ")[0]
    return file, int(digits) if digits.isdigit() else 0
