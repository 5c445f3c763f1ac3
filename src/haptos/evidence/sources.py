"""Sources of claims, and the bibliography of the numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from haptos.core.specs import Spec

__all__ = ["Reference", "Retraction", "Source", "parse_bibliography"]

Doi = Annotated[str, Field(pattern=r"^10\.[0-9]{4,9}/\S+$")]
Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]


class Retraction(Spec):
    """What is known about corrections of a source.

    Attributes
    ----------
    status : str
        ``not_checked`` until a register of retractions was consulted.
    on : str or None
        Day of the check, ``YYYY-MM-DD``.
    consulted : str
        The register of retractions consulted.
    """

    status: Literal["not_checked", "none_found", "corrected", "retracted"] = "not_checked"
    on: Day | None = None
    consulted: str = ""


class Source(Spec):
    """A text whose statements are claims.

    Attributes
    ----------
    id : str
        Key used by claims.
    prefixes : tuple of str
        Prefixes of the identifiers of its claims.
    text : str
        How much of it was available.
    line_count : int
        Lines of the text that claims locate their statements in.
    inferred : tuple of str
        Fields that the text itself does not give.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    prefixes: tuple[Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]*$")], ...] = Field(min_length=1)
    title: str | None = None
    authors: tuple[str, ...] = ()
    journal: str | None = None
    year: int | None = Field(None, ge=1800, le=2100)
    volume: str | None = None
    issue: str | None = None
    pages: str | None = None
    doi: Doi | None = None
    text: Literal["abstract", "full_text", "own_data"]
    line_count: int = Field(ge=1)
    inferred: tuple[str, ...] = ()
    retraction: Retraction = Retraction()
    note: str = Field("", max_length=400)

    def cite(self) -> str:
        """Return a short citation, as known.

        Examples
        --------
        >>> Source(id="x", prefixes=["X"], text="abstract", line_count=3, authors=["Zhao M", "Gao Y"], year=2013).cite()
        'Zhao M et al. 2013'
        """
        who = f"{self.authors[0]} et al." if len(self.authors) > 1 else "".join(self.authors) or self.title or self.id
        return " ".join(str(part) for part in (who, self.year, self.journal) if part is not None)


@dataclass(frozen=True, slots=True)
class Reference:
    """An entry of the bibliography.

    Attributes
    ----------
    key : str
        Citation key.
    kind : str
        Entry type, for instance ``article``.
    fields : mapping of str to str
        Fields as written, names in lower case.
    line : int
        Line of the entry.
    """

    key: str
    kind: str
    fields: Mapping[str, str] = field(default_factory=dict)
    line: int = 1

    @property
    def doi(self) -> str | None:
        """The DOI, if given."""
        return self.fields.get("doi")

    def cite(self) -> str:
        """Return a short citation such as ``Hoffmann A et al. 2002 Science``."""
        who = self.fields.get("author", "").replace(" and others", " et al.").replace(" and ", ", ").replace(",", "", 1)
        parts = (who or self.fields.get("title", self.key), self.fields.get("year"), self.fields.get("journal"))
        return " ".join(part for part in parts if part)


_ENTRY = re.compile(r"^@(\w+)\{\s*([^,\s]+)\s*,(.*?)^\}", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"^\s*(\w+)\s*=\s*\{(.*?)\}\s*,?\s*$", re.MULTILINE)


def parse_bibliography(text: str) -> tuple[Reference, ...]:
    r"""Read BibTeX in the plain form of ``references.bib``: one field per line, values in braces.

    Examples
    --------
    >>> parse_bibliography("@article{kong2009,\n  year = {2009},\n}\n")[0].fields["year"]
    '2009'
    """
    return tuple(
        Reference(
            key=match[2],
            kind=match[1].lower(),
            fields={name.lower(): value.strip() for name, value in _FIELD.findall(match[3])},
            line=text.count("\n", 0, match.start()) + 1,
        )
        for match in _ENTRY.finditer(text)
    )
