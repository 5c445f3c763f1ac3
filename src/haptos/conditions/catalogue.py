"""The controlled vocabulary: which names experiments and claims may use.

The vocabulary lives in ``library/vocabulary/``. :func:`load_catalogue` turns it into the
:class:`~haptos.core.specs.Catalogue` that every specification is checked against.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated, Literal, get_args

from pydantic import Field

from haptos.core.located import Document, parse_yaml
from haptos.core.records import Entry, Records, read_records
from haptos.core.specs import Catalogue, Spec
from haptos.errors import Issue, SpecError

__all__ = [
    "KINDS",
    "AssayTerm",
    "CellTerm",
    "EntityTerm",
    "MeasureTerm",
    "PredicateTerm",
    "RegistryTerm",
    "Role",
    "Term",
    "Vocabulary",
    "load_catalogue",
    "load_vocabulary",
    "read_file",
    "read_vocabulary",
    "stand_ins",
    "yaml_files",
]

Name = Annotated[str, Field(pattern=r"^\S+$", max_length=80)]
Role = Literal["target", "site", "process", "compound", "ligand", "coating", "organ", "subline"]
EntityKind = Literal[
    "gene", "state", "complex", "integrin", "class", "compound", "ligand", "lipid", "ion",
    "site", "process", "structure", "phenotype", "cell", "tissue", "concept",
]  # fmt: skip
Room = Literal["signalling", "motility", "tissue", "host", "library"]


class Term(Spec):
    """Base of all terms: a name without spaces and how it reads in a sentence."""

    id: Name
    label: str = Field(min_length=1, max_length=160)


class EntityTerm(Term):
    """A molecule, structure, process or notion that claims speak about.

    `roles` says how an experiment may use it; `members` lists what a class or complex holds; `stands_for`
    lists genes that the model does not tell from this one.
    """

    kind: EntityKind
    roles: tuple[Role, ...] = ()
    symbol: str | None = None
    members: tuple[Name, ...] = ()
    curie: str | None = None
    aliases: tuple[str, ...] = ()
    stands_for: tuple[Name, ...] = ()


class CellTerm(Term):
    """A cell line, cell type, derived line, patient cohort or bare model.

    `stands_for` lists lines that are simulated as this one.
    """

    kind: Literal["cell_line", "cell_type", "derived", "cohort", "model"]
    organism: str
    tissue: str | None = None
    transformed: bool | None = None
    genotype: str | None = None
    cellosaurus: str | None = None
    stands_for: tuple[str, ...] = ()


class PredicateTerm(Term):
    """A relation between entities; its label is a verb phrase."""

    inverse: str | None = None


class MeasureTerm(Term):
    """What an assay can report, and its unit."""

    unit: str


class AssayTerm(Term):
    """An assay, the room that simulates it, and its measures."""

    room: Room
    measures: tuple[MeasureTerm, ...] = ()


class RegistryTerm(Term):
    """A list of the library whose entries can be counted."""


#: Vocabulary files: key of the list and class of its terms.
FILES: tuple[tuple[str, type[Term]], ...] = (
    ("entities", EntityTerm),
    ("cells", CellTerm),
    ("predicates", PredicateTerm),
    ("assays", AssayTerm),
    ("registries", RegistryTerm),
)

#: Kinds of names in the catalogue.
KINDS: tuple[str, ...] = (
    *get_args(Role), "cells", "entity", "predicate", "assay", "measure", "registry", "source", "quantity",
)  # fmt: skip


@dataclass(frozen=True)
class Vocabulary:
    """All terms by kind, with their places and the problems of their files.

    Attributes
    ----------
    records : mapping of str to Records
        Entries and issues under ``entities``, ``cells``, ``predicates``, ``assays`` and
        ``registries``; a file that does not exist is absent.
    """

    records: Mapping[str, Records[Term]]

    @property
    def issues(self) -> tuple[Issue, ...]:
        """Everything wrong with the files."""
        return tuple(issue for records in self.records.values() for issue in records.issues)

    def terms(self, key: str) -> tuple[Term, ...]:
        """Return the terms of one file in its order; empty if the file does not exist."""
        return tuple(e.record for e in self.records[key].entries) if key in self.records else ()

    @cached_property
    def entities(self) -> dict[str, EntityTerm]:
        """Entities by name."""
        return {t.id: t for t in self.terms("entities") if isinstance(t, EntityTerm)}

    @cached_property
    def cells(self) -> dict[str, CellTerm]:
        """Cell contexts by name."""
        return {t.id: t for t in self.terms("cells") if isinstance(t, CellTerm)}

    @cached_property
    def predicates(self) -> dict[str, PredicateTerm]:
        """Relations by name."""
        return {t.id: t for t in self.terms("predicates") if isinstance(t, PredicateTerm)}

    @cached_property
    def assays(self) -> dict[str, AssayTerm]:
        """Assays by name."""
        return {t.id: t for t in self.terms("assays") if isinstance(t, AssayTerm)}

    @cached_property
    def registries(self) -> dict[str, RegistryTerm]:
        """Countable lists by name."""
        return {t.id: t for t in self.terms("registries") if isinstance(t, RegistryTerm)}

    def with_cells(self, cells: Sequence[CellTerm]) -> Vocabulary:
        """Return a vocabulary that knows more cells."""
        more = tuple(Entry[Term](term, Document({}, {}, "own cells")) for term in cells)
        known = self.records.get("cells", Records())
        return Vocabulary({**self.records, "cells": known + Records(more)}) if more else self

    def of_kind(self, kind: str) -> dict[str, Term]:
        """Return the terms of a catalogue kind (see :data:`KINDS`) by name."""
        if kind in get_args(Role):
            return {name: t for name, t in self.entities.items() if kind in t.roles}
        if kind == "measure":
            return {m.id: m for a in self.assays.values() for m in a.measures}
        key = {"entity": "entities", "predicate": "predicates", "assay": "assays", "registry": "registries"}
        return {t.id: t for t in self.terms(key.get(kind, kind))}


def yaml_files(folder: Traversable) -> list[Traversable]:
    """Return the YAML files of a folder by name; none if the folder does not exist."""
    if not folder.is_dir():
        return []
    return sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)


def read_file[R: Spec](
    cls: type[R], file: Traversable, key: str, place: str, *, catalogue: Catalogue | None = None
) -> Records[R]:
    """Read the records of one library file; problems become issues.

    Parameters
    ----------
    place : str
        Folder name for messages, for instance ``library/claims``.
    """
    try:
        document = parse_yaml(file.read_text(encoding="utf-8"), name=f"{place}/{file.name}", keep=True)
    except SpecError as error:
        return Records((), error.issues)
    except UnicodeDecodeError as error:
        return Records((), (Issue(f"not UTF-8 text (byte {error.start})", f"{place}/{file.name}"),))
    return read_records(cls, document, key, catalogue=catalogue)


def read_vocabulary(library: Traversable, *, name: str = "library") -> Vocabulary:
    """Read the vocabulary of a library folder; problems are kept in ``issues``."""
    folder = library / "vocabulary"
    present = {file.name: file for file in yaml_files(folder)}
    return Vocabulary(
        {
            key: read_file(cls, present[f"{key}.yaml"], key, f"{name}/vocabulary")
            for key, cls in FILES
            if f"{key}.yaml" in present
        }
    )


@cache
def load_vocabulary() -> Vocabulary:
    """Read the vocabulary shipped with haptos.

    Raises
    ------
    SpecError
        With every problem of its files.
    """
    vocabulary = read_vocabulary(library_folder())
    if vocabulary.issues:
        raise SpecError(vocabulary.issues)
    return vocabulary


@cache
def load_catalogue() -> Catalogue:
    """Return the names of the shipped library, by kind.

    The catalogue holds no models: the lab adds the protocols of its assays.

    Raises
    ------
    SpecError
        If the vocabulary cannot be read.
    """
    return catalogue_of(load_vocabulary(), library_folder())


def catalogue_of(vocabulary: Vocabulary, library: Traversable, *, sources: Iterable[str] = ()) -> Catalogue:
    """Return the names of a vocabulary, with the sources, quantities and compounds of a library folder.

    Kinds whose file does not exist are left out, so that they are not checked.
    """
    names: dict[str, tuple[str, ...]] = {}
    if "entities" in vocabulary.records:
        names |= {role: tuple(vocabulary.of_kind(role)) for role in get_args(Role)}
        names["entity"] = tuple(vocabulary.entities)
    if "assays" in vocabulary.records:
        names |= {"assay": tuple(vocabulary.assays), "measure": tuple(vocabulary.of_kind("measure"))}
    for kind, key in (("cells", "cells"), ("predicate", "predicates"), ("registry", "registries")):
        if key in vocabulary.records:
            names[kind] = tuple(t.id for t in vocabulary.terms(key))
    for kind, folder in (("source", "sources"), ("quantity", "quantities")):
        found = _identifiers(library / folder)
        if found or sources:
            names[kind] = tuple(dict.fromkeys([*found, *(sources if kind == "source" else ())]))
    if "compound" in names:
        names["compound"] = tuple(dict.fromkeys([*names["compound"], *_identifiers(library / "compounds")]))
        names["entity"] = tuple(dict.fromkeys([*names["entity"], *names["compound"]]))
    if "entity" in names:  # relations may speak of cells
        names["entity"] = tuple(dict.fromkeys([*names["entity"], *names.get("cells", ())]))
    where = {kind: f"haptos evidence vocabulary {kind}" for kind in KINDS}
    return Catalogue(names=names, where=where, aliases=_aliases(vocabulary, library, names))


def _aliases(
    vocabulary: Vocabulary, library: Traversable, names: Mapping[str, tuple[str, ...]]
) -> dict[str, dict[str, str]]:
    """Return other names by kind: those of entities, and the synonyms of compounds."""
    others = {
        other: term.id
        for term in vocabulary.entities.values()
        for other in (*term.aliases, *((term.label,) if term.kind != "process" else ()), *term.stands_for)
    }
    for term in vocabulary.entities.values():
        gene, _, site = term.id.rpartition("_")
        owner = vocabulary.entities.get(gene)
        if term.kind == "state" and owner is not None:
            others |= {f"{name} {site}": term.id for name in (owner.label, *owner.aliases)}
    others |= {other: name for name, synonyms in _synonyms(library).items() for other in synonyms}
    kinds = ("entity", *get_args(Role))
    found = {kind: {o: t for o, t in others.items() if t in names[kind]} for kind in kinds if kind in names}
    lines = {line: term.id for term in vocabulary.cells.values() for line in term.stands_for}
    return found | ({"cells": lines} if "cells" in names else {})


def stand_ins() -> dict[str, EntityTerm | CellTerm]:
    """Return the terms that stand for genes or lines which the model does not tell from them, by these."""
    vocabulary = load_vocabulary()
    terms: tuple[EntityTerm | CellTerm, ...] = (*vocabulary.entities.values(), *vocabulary.cells.values())
    return {other: term for term in terms for other in term.stands_for}


def library_folder() -> Traversable:
    """Return the folder of the data shipped with haptos."""
    return files("haptos") / "library"


def _synonyms(library: Traversable) -> dict[str, tuple[str, ...]]:
    """Return the synonyms of the compounds of a library folder, by compound."""
    found: dict[str, tuple[str, ...]] = {}
    for file in yaml_files(library / "compounds"):
        document = parse_yaml(file.read_text(encoding="utf-8"), name=file.name, keep=True)
        records = document.data.get("compounds", []) if isinstance(document.data, dict) else []
        found |= {
            str(r["id"]): tuple(map(str, r.get("synonyms", ()))) for r in records if isinstance(r, dict) and "id" in r
        }
    return found


def _identifiers(folder: Traversable) -> list[str]:
    """Return the ``id`` of every record of the files of a folder, without reading the records."""
    texts = (file.read_bytes().decode("utf-8", "replace") for file in yaml_files(folder))
    return [name for text in texts for name in re.findall(r"(?m)^\s*- \{?id: *['\"]?([^\s,'\"}]+)", text)]
