"""A user's own claims, in the format of the library."""

from __future__ import annotations

from pathlib import Path

from haptos.conditions.catalogue import library_folder
from haptos.core.located import load_yaml
from haptos.errors import Issue, SpecError
from haptos.evidence.claims import Claim
from haptos.evidence.library import Library, load_library
from haptos.evidence.lint import RULES, lint
from haptos.evidence.lint.numbers import Retractions
from haptos.evidence.lint.reading import ClaimPrefix, KnownNames, Readable, UniqueIds
from haptos.evidence.lint.trials import Comparisons, LevelFitsRoom, Located, MeasureOfAssay, UsedArms

__all__ = ["check_claims", "read_claims"]

_ON_CLAIMS = (
    Readable, KnownNames, UniqueIds, ClaimPrefix, Located, LevelFitsRoom, MeasureOfAssay, Comparisons, UsedArms,
    Retractions,
)  # fmt: skip


def check_claims(file: Path | str) -> tuple[Library, tuple[Issue, ...]]:
    """Read a user's claims and apply the rules of the linter that concern claims.

    Parameters
    ----------
    file : Path
        YAML with a list ``claims:`` and optionally ``sources:``; sources of the library are known besides.

    Returns
    -------
    library : Library
        The shipped evidence with the claims of the file in place of its own.
    issues : tuple of Issue
        Errors and warnings of the file, by line.

    Raises
    ------
    SpecError
        If the file is missing or no YAML.
    """
    library = Library(library_folder(), own=load_yaml(file), vocabulary=load_library().vocabulary)
    rules = [rule for rule in RULES if isinstance(rule, _ON_CLAIMS)]
    return library, tuple(issue for issue in lint(library, rules) if issue.where.startswith(str(file)))


def read_claims(file: Path | str) -> tuple[Claim, ...]:
    """Return a user's claims.

    Raises
    ------
    SpecError
        With every error of the file and its line; warnings are let pass.
    """
    library, issues = check_claims(file)
    errors = [issue for issue in issues if issue.severity == "error"]
    if errors:
        raise SpecError(errors)
    return library.claims()
