"""Experiment files: read them with every problem located, describe their format, start new ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haptos.conditions.experiment import Experiment
from haptos.core.located import Document, load_yaml, parse_yaml
from haptos.core.specs import Catalogue, read_spec
from haptos.errors import Issue, ParameterError, SpecError, StoreError, nearest

if TYPE_CHECKING:
    from haptos.assays.base import AbstractAssay
    from haptos.signalling.cells import CellLine

__all__ = [
    "ExperimentFile",
    "catalogue_with",
    "example_text",
    "examples",
    "experiment_schema",
    "experiment_yaml",
    "lab_catalogue",
    "load_experiment",
    "parse_experiment",
    "read_experiment",
    "write_example",
    "write_new",
    "written_schema",
]


@dataclass(frozen=True)
class ExperimentFile:
    """An experiment with the file it came from.

    Attributes
    ----------
    experiment : Experiment
        The checked specification.
    document : Document
        The located data, for messages.
    text : str
        The file as written.
    contexts : mapping of str to CellLine
        The user's own cells that it may name (:mod:`haptos.lab.contexts`).
    """

    experiment: Experiment
    document: Document
    text: str
    contexts: Mapping[str, CellLine] = field(default_factory=dict)


@cache
def lab_catalogue() -> Catalogue:
    """Return every name an experiment file may use, and the protocols of the assays."""
    from haptos.assays.registry import ASSAYS
    from haptos.conditions.catalogue import load_catalogue
    from haptos.signalling.building.modules import readable_entities
    from haptos.signalling.cells import cell_lines

    known = load_catalogue()
    cells = tuple(dict.fromkeys((*known.names.get("cells", ()), *cell_lines())))
    entities = tuple(dict.fromkeys((*known.names.get("entity", ()), *readable_entities())))
    names = {**known.names, "cells": cells, "entity": entities}
    return catalogue_with(replace(known, names=names, free=True), ASSAYS)


def catalogue_with(catalogue: Catalogue, assays: Mapping[str, AbstractAssay]) -> Catalogue:
    """Return a catalogue that knows the protocols of `assays`."""
    models = {**catalogue.models, "assay": {name: assay.protocol for name, assay in assays.items()}}
    where = {**catalogue.where, "cells": "haptos cells", "compound": "haptos compounds", "assay": "haptos assays"}
    return replace(catalogue, models=models, where=where)


def read_experiment(file: Path | str, *, catalogue: Catalogue | None = None) -> ExperimentFile:
    """Read an experiment file and keep where everything stood.

    Cells that the library does not have are looked for beside the file: see :mod:`haptos.lab.contexts`.

    Raises
    ------
    SpecError
        With every problem, each with its line and what to try.
    """
    from haptos.lab.contexts import contexts_beside

    document = load_yaml(file)
    if isinstance(document.data, dict) and "claims" in document.data and "arms" not in document.data:
        hint = f"'haptos check {file}' judges them; 'haptos new FILE' starts an experiment"
        raise SpecError([Issue("this is a file of claims, not an experiment", document.where(("claims",)), hint=hint)])
    contexts = contexts_beside(file, document)
    experiment = read_spec(Experiment, document, catalogue=_with_cells(catalogue or lab_catalogue(), contexts))
    return ExperimentFile(experiment, document, Path(file).read_text(encoding="utf-8"), contexts)


def _with_cells(catalogue: Catalogue, contexts: Mapping[str, CellLine]) -> Catalogue:
    """Return a catalogue that knows a user's cells, too."""
    if not contexts or "cells" not in catalogue.names:
        return catalogue
    cells = tuple(dict.fromkeys((*catalogue.names["cells"], *contexts)))
    return replace(catalogue, names={**catalogue.names, "cells": cells})


def parse_experiment(text: str, *, name: str = "<text>", catalogue: Catalogue | None = None) -> ExperimentFile:
    """Read an experiment from YAML text; see :func:`read_experiment`."""
    document = parse_yaml(text, name=name)
    return ExperimentFile(read_spec(Experiment, document, catalogue=catalogue or lab_catalogue()), document, text)


def load_experiment(file: Path | str) -> Experiment:
    """Read an experiment file.

    Parameters
    ----------
    file : Path
        YAML 1.2; ``haptos new FILE`` writes an example and ``haptos schema`` describes the format.

    Raises
    ------
    SpecError
        With every problem, each with its line and what to try.
    """
    return read_experiment(file).experiment


def experiment_yaml(experiment: Experiment) -> str:
    """Return an experiment as YAML text that reads back to an equal experiment."""
    import io

    from ruamel.yaml import YAML

    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    writer.width = 100
    stream = io.StringIO()
    writer.dump(experiment.model_dump(mode="json", exclude_unset=True, exclude_none=True), stream)
    return stream.getvalue()


# --- the format ------------------------------------------------------------------------


def experiment_schema(catalogue: Catalogue | None = None) -> dict[str, Any]:
    """Return the JSON Schema of experiment files, with all assays, interventions, cells and compounds."""
    known = catalogue or lab_catalogue()
    schema = Experiment.model_json_schema()
    definitions = schema.setdefault("$defs", {})
    choices = []
    for name, model in known.models["assay"].items():
        own = model.model_json_schema(ref_template="#/$defs/{model}")
        definitions |= own.pop("$defs", {})
        own["properties"]["name"] = {"const": name}
        own["required"] = sorted({*own.get("required", ()), "name"})
        definitions[model.__name__] = own
        choices.append({"$ref": f"#/$defs/{model.__name__}"})
    names = [{"enum": list(known.models["assay"]), "description": "an assay with its usual protocol"}]
    schema["properties"]["assay"] = {"anyOf": [*choices, *names], "description": "the assay with its protocol"}
    schema["properties"]["cells"] = _listed(schema["properties"]["cells"], known.names.get("cells", ()), "cells")
    return written_schema("haptos experiment", schema, known)


def written_schema(title: str, schema: dict[str, Any], known: Catalogue) -> dict[str, Any]:
    """Return a schema with its names listed and its defaults as a user would write them."""
    _enumerate_fields(schema["$defs"], known)
    described = {k: v for k, v in schema.items() if k != "title"}
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title}
    return {**head, **_written_defaults(described)}


def _written_defaults(node: Any) -> Any:
    """Replace default quantities by the text a user would write."""
    if isinstance(node, dict):
        if set(node) == {"value", "dimension", "text"}:
            return node["text"]
        return {key: _written_defaults(value) for key, value in node.items()}
    return [_written_defaults(value) for value in node] if isinstance(node, list) else node


def _enumerate_fields(definitions: dict[str, Any], known: Catalogue) -> None:
    """List the allowed names in the intervention fields that take a name of the catalogue."""
    from haptos.conditions.interventions import VERBS
    from haptos.core.specs import KnownName

    for verb, cls in VERBS.items():
        field = cls.model_fields[verb]
        kinds = [m.kind for m in field.metadata if isinstance(m, KnownName)]
        if kinds and cls.__name__ in definitions:
            properties = definitions[cls.__name__]["properties"]
            names = (*known.names.get(kinds[0], ()), *(known.aliases.get(kinds[0], {}) if known.free else ()))
            properties[verb] = _listed(properties[verb], tuple(dict.fromkeys(names)), kinds[0])


def _listed(described: dict[str, Any], names: tuple[str, ...], kind: str) -> dict[str, Any]:
    """Return a field with its names listed; cells may also be the user's own."""
    if not names:
        return described
    if kind != "cells":
        return {**described, "enum": list(names)}
    own = {"type": "string", "pattern": r"^[^\s/\\:#'\"]+$", "description": "a context of your own, in a file beside"}
    return {**described, "anyOf": [{"enum": list(names)}, own]}


# --- examples --------------------------------------------------------------------------


def examples() -> dict[str, str]:
    """Return the shipped example experiments: texts by assay."""
    folder = files("haptos") / "library" / "experiments"
    found = sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    return {f.name.removesuffix(".yaml"): f.read_text(encoding="utf-8") for f in found}


def example_text(assay: str) -> str:
    """Return the example experiment of an assay.

    Raises
    ------
    ParameterError
        If there is none.
    """
    found = examples()
    if assay not in found:
        near = nearest(assay, list(found))
        hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"there are: {', '.join(found)}"
        raise ParameterError(f"no example for the assay {assay!r}; {hint}")
    return found[assay]


def write_example(file: Path, assay: str) -> None:
    """Write the example of an assay to a new file.

    Raises
    ------
    ParameterError
        If there is no example for the assay.
    StoreError
        If the file exists or cannot be written.
    """
    write_new(file, example_text(assay))


def write_new(file: Path, text: str) -> None:
    """Write a text to a new file.

    Raises
    ------
    StoreError
        If the file exists or cannot be written.
    """
    try:
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError as error:
        raise StoreError(f"{file} exists and is left as it is; choose another name") from error
    except OSError as error:
        raise StoreError(f"cannot write {file}: {error.strerror}") from error
