"""HTML that cannot be injected into: text is escaped unless it was built here."""

from __future__ import annotations

import html
import re
from typing import Final
from urllib.parse import quote

__all__ = ["Markup", "doi_link", "file_link", "join", "tag"]

_VOID: Final = frozenset({"br", "hr", "img", "meta"})
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def _escaped(child: str) -> str:
    return child if isinstance(child, Markup) else html.escape(_CONTROL.sub("\ufffd", child), quote=True)


def join(*children: str) -> Markup:
    """Return the children as one piece of HTML; plain text is escaped.

    Examples
    --------
    >>> join("a < b", tag("br"))
    'a &lt; b<br>'
    """
    return Markup("".join(_escaped(child) for child in children))


def tag(name: str, /, *children: str, **attributes: str | None) -> Markup:
    """Return one element; plain text in it and its attributes is escaped.

    Attribute names lose a trailing underscore and turn other underscores into hyphens;
    attributes that are None are left out.

    Examples
    --------
    >>> tag("td", "<b>", class_="n")
    '<td class="n">&lt;b&gt;</td>'
    """
    found = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items() if value is not None)
    start = "".join(f' {key}="{_escaped(value)}"' for key, value in found)
    if name in _VOID:
        return Markup(f"<{name}{start}>")
    return Markup(f"<{name}{start}>{join(*children)}</{name}>")


def doi_link(doi: str) -> Markup:
    """Return a link to a DOI; text that is no DOI stays text.

    Examples
    --------
    >>> doi_link("10.1000/x<y>")
    '<a href="https://doi.org/10.1000/x%3Cy%3E">10.1000/x&lt;y&gt;</a>'
    """
    if not re.fullmatch(r"10\.\d{4,9}/\S+", doi):
        return join(doi)
    return tag("a", doi, href="https://doi.org/" + quote(doi, safe="/:;()._-"))


def file_link(path: str) -> Markup:
    """Return a link to a file beside the report; a path that leads elsewhere stays text."""
    safe = not path.startswith(("/", "\\")) and ".." not in path.split("/") and ":" not in path
    return tag("a", path, href=quote(path)) if safe else join(path)
