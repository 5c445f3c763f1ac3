"""Read SBML and Antimony into a frozen :class:`KineticModel`.

Everything is copied out of libSBML at once. What is not supported is refused by name,
all reasons together: a model that is read means here what it means in SBML.

Supported are local parameters, functions, initial assignments, assignment and rate
rules, boundary species, amounts and concentrations, conversion factors, piecewise, time,
constant stoichiometries, and events without delay and without priority, which may also
change parameters and the sizes of compartments. Refused are delays, priorities, rateOf,
algebraic rules, compartments that rules change, fast reactions, variable
stoichiometries, required packages and missing values. Events that happen at once are
executed in the order of the file, which the standard leaves open.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from pathlib import Path

from haptos.errors import ModelError
from haptos.signalling._kinetic_model import (
    Compartment,
    Equation,
    KineticModel,
    ModelEvent,
    Parameter,
    Reaction,
    Species,
)
from haptos.signalling._sbml.antimony_text import translate, translate_guarded
from haptos.signalling._sbml.screen import screen_antimony, screen_xml

__all__ = [
    "Compartment",
    "Equation",
    "KineticModel",
    "ModelEvent",
    "Parameter",
    "Reaction",
    "Species",
    "antimony_to_sbml",
    "read_sbml",
    "sbml_of_file",
]


def antimony_to_sbml(text: str, *, limit: float | None = None) -> str:
    """Translate Antimony text to SBML Level 3 Version 2, submodels flattened.

    Parameters
    ----------
    text : str
        Antimony; if there are several models, the last (or the one marked ``*``) counts.
    limit : float, optional
        Longest time [s]; libAntimony then runs in a process of its own, as it should on
        texts of strangers: it can crash and hang.

    Raises
    ------
    ModelError
        With the line of the first fault.

    Examples
    --------
    >>> model = read_sbml(antimony_to_sbml("model m; A -> B; k*A; A = 2; B = 0; k = 1; end"))
    >>> [s.id for s in model.species]
    ['A', 'B']
    """
    screen_antimony(text)
    return translate(text) if limit is None else translate_guarded(text, limit)


def sbml_of_file(path: Path | str, *, limit: float = 60.0) -> str:
    """Return the SBML text of an SBML or Antimony file.

    Parameters
    ----------
    path : Path or str
        The file; what begins with ``<`` is SBML, everything else Antimony.
    limit : float
        Longest time for translating Antimony [s].

    Raises
    ------
    ModelError
        If the file cannot be read as text, or not be translated.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as fault:
        raise ModelError(f"the file cannot be read: {fault.strerror or fault}") from fault
    text = _decoded(data)
    return text if text.lstrip().startswith("<") else antimony_to_sbml(text, limit=limit)


def _decoded(data: bytes) -> str:
    """Decode by byte order mark or declaration, else as UTF-8."""
    declared = re.match(rb"\s*<\?xml[^>]*encoding\s*=\s*[\"']([A-Za-z0-9._-]+)", data[:1000])
    marked = data[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}
    encoding = "utf-16" if marked else declared.group(1).decode() if declared else "utf-8-sig"
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except (UnicodeError, LookupError) as fault:
        raise ModelError(f"the file is not text in the encoding {encoding}: {fault}") from fault


def read_sbml(text: str) -> KineticModel:
    """Read an SBML text.

    Parameters
    ----------
    text : str
        The document.

    Returns
    -------
    KineticModel
        Free of libSBML, picklable.

    Raises
    ------
    ModelError
        With all errors of libSBML, or else all features that are not supported.
    """
    import libsbml

    from haptos.signalling._sbml.checks import lifted, reader_errors, refusals
    from haptos.signalling._sbml.reader import ModelReader

    document = libsbml.readSBMLFromString(screen_xml(text))
    if document.getModel() is None:
        raise _refused("the text is not a valid SBML model", reader_errors(document) or ["no model"])
    fault = lifted(document)
    reasons = [fault] if fault else refusals(document)
    if reasons:
        raise _refused("the model uses what haptos does not support", reasons)
    errors = reader_errors(document)
    if errors:
        raise _refused("the text is not a valid SBML model", errors)
    reader = ModelReader(document.getModel())
    model = reader.read()
    if reader.reasons:
        raise _refused("the model uses what haptos does not support", reader.reasons)
    return model


def _refused(heading: str, reasons: Sequence[str]) -> ModelError:
    unique = list(dict.fromkeys(reasons))
    return ModelError("\n".join([f"{heading}:", *(f"  - {reason}" for reason in unique)]))
