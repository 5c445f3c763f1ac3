"""Look at a text before a C library does: what could crash or stall it is refused here.

libSBML and libAntimony recurse over nested input and keep whatever they read; deep
nesting ends the process. XML is therefore parsed once by Python's parser, which does
not recurse: it must be well formed, free of a document type (the place of entity bombs),
and within limits that no real model meets.
"""

from __future__ import annotations

import re
from typing import Final
from xml.parsers import expat

from haptos.errors import ModelError

__all__ = ["DEEPEST", "LARGEST", "MOST_ELEMENTS", "screen_antimony", "screen_xml"]

LARGEST: Final = 100_000_000
"""Characters of an SBML text."""
LARGEST_ANTIMONY: Final = 5_000_000
"""Characters of an Antimony text."""
MOST_ELEMENTS: Final = 5_000_000
"""XML elements."""
DEEPEST: Final = 300
"""Elements inside each other, or brackets in one formula."""
LONGEST: Final = 20_000
"""Characters of one formula written as text."""

_DECLARATION: Final = re.compile(r"^\s*<\?xml\s[^>]*\?>")


def screen_xml(text: str) -> str:
    """Return an XML text that libSBML may read, as UTF-8 without byte order mark.

    Parameters
    ----------
    text : str
        The document.

    Raises
    ------
    ModelError
        If it is not well formed, has a document type, or is beyond a limit.
    """
    plain = text.removeprefix("\ufeff")
    if len(plain) > LARGEST:
        raise _invalid(f"{len(plain)} characters; haptos reads up to {LARGEST}")
    try:
        data = _DECLARATION.sub('<?xml version="1.0" encoding="UTF-8"?>', plain, count=1).encode()
    except UnicodeEncodeError as fault:
        raise _invalid("it contains half of a surrogate pair") from fault
    watch = _Watch()
    try:
        watch.parser.Parse(data, True)  # noqa: FBT003 - it takes no keyword
    except expat.ExpatError as fault:
        raise _invalid(f"line {fault.lineno}: {expat.ErrorString(fault.code)}") from fault
    return data.decode()


class _Watch:
    """Counts elements and their depth while the text is parsed."""

    def __init__(self) -> None:
        self.depth = self.count = 0
        self.parser = expat.ParserCreate("UTF-8")
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.StartDoctypeDeclHandler = self.doctype

    def start(self, _name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.count += 1
        if self.depth > DEEPEST:
            raise self.fault(f"more than {DEEPEST} elements inside each other")
        if self.count > MOST_ELEMENTS:
            raise self.fault(f"more than {MOST_ELEMENTS} elements")
        formula = attributes.get("formula")
        if formula is not None:
            _check_formula(formula, f"line {self.parser.CurrentLineNumber}: ")

    def end(self, _name: str) -> None:
        self.depth -= 1

    def doctype(self, *_parts: object) -> None:
        raise self.fault("a document type declaration; haptos reads none, as it may define entities")

    def fault(self, message: str) -> ModelError:
        return _invalid(f"line {self.parser.CurrentLineNumber}: {message}")


def _invalid(reason: str) -> ModelError:
    return ModelError(f"the text is not a valid SBML model:\n  - {reason}")


def _check_formula(text: str, where: str) -> None:
    if len(text) > LONGEST:
        raise _unreadable(f"{where}a formula of {len(text)} characters; haptos reads up to {LONGEST}")
    depth = 0
    for character in text:
        depth += (character in "({[") - (character in ")}]")
        if depth > DEEPEST:
            raise _unreadable(f"{where}more than {DEEPEST} brackets inside each other")


def _unreadable(reason: str) -> ModelError:
    return ModelError(f"the text cannot be read:\n  - {reason}")


_IMPORT: Final = re.compile(r'(?:^|;)\s*import\s*"', re.MULTILINE)


def screen_antimony(text: str) -> None:
    """Refuse Antimony that could crash or stall libAntimony, or that reads other files.

    Parameters
    ----------
    text : str
        Antimony.

    Raises
    ------
    ModelError
        With the line.
    """
    if len(text) > LARGEST_ANTIMONY:
        raise _unreadable(f"{len(text)} characters; haptos reads up to {LARGEST_ANTIMONY} of Antimony")
    if "\0" in text:
        raise _unreadable("it contains a zero byte")
    found = _IMPORT.search(text)
    if found:
        line = text.count("\n", 0, found.end()) + 1
        raise _unreadable(f"line {line}: import of another file; put everything into one text")
    for number, row in enumerate(text.split("\n"), start=1):
        for statement in row.split(";"):
            _check_formula(statement, f"line {number}: ")
