"""Addresses of the sources that reactions and parameters cite."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

from haptos.errors import ModelError, nearest

__all__ = ["address_of", "known_keys"]

_ENTRY = re.compile(r"^@\w+\{(?P<key>[^,\s]+),(?P<fields>.*?)^\}", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"^\s*(\w+)\s*=\s*\{(.*)\},?\s*$", re.MULTILINE)


@cache
def _entries() -> dict[str, dict[str, str]]:
    text = (resources.files("haptos.library") / "references.bib").read_text(encoding="utf-8")
    return {m["key"]: dict(_FIELD.findall(m["fields"])) for m in _ENTRY.finditer(text)}


def known_keys() -> tuple[str, ...]:
    """Return the keys of ``references.bib``."""
    return tuple(_entries())


def address_of(key: str) -> str | None:
    """Return the DOI (or PubMed) address of a source, None where neither is known.

    Raises
    ------
    ModelError
        If the key is not in ``references.bib``.
    """
    if key not in _entries():
        near = ", ".join(nearest(key, known_keys()))
        raise ModelError(f"no source {key!r} in references.bib" + (f"; did you mean {near}?" if near else ""))
    fields = _entries()[key]
    if fields.get("doi"):
        return f"https://doi.org/{fields['doi']}"
    return f"http://identifiers.org/pubmed/{fields['pmid']}" if fields.get("pmid") else None
