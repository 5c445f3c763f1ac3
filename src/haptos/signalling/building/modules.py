"""Reading Antimony modules and their annotations from the library.

A module is plain Antimony without numbers. A comment ``//@ sbo=.. by=.. claims=..`` after
a reaction gives its rate-law term, its sources (keys of ``references.bib``) and the claims
it carries. A comment ``//+ rule: term`` adds a term to a rule of another module (a receptor to
the sum of receptors).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Literal

from haptos.core.located import parse_yaml
from haptos.core.specs import Spec, read_spec
from haptos.errors import ModelError, nearest

__all__ = [
    "MODULES",
    "ON_DEMAND",
    "OUTPUTS",
    "Annotation",
    "Module",
    "joined",
    "load_module",
    "machinery",
    "module_names",
    "on_demand",
    "parse_module",
    "readable_entities",
    "readable_measures",
]

#: Modules of the shared model, in the order of composition.
MODULES = (
    "integrin",
    "inside_out",
    "calcium",
    "fak_src",
    "rho",
    "erk",
    "pi3k_akt",
    "nfkb",
    "transcription",
    "mmps",
    "cxcr4",
    "cell_cycle",
    "apoptosis",
    "pharmacology",
)

#: Modules on demand that only read: further sites, mRNAs, reporters. Nothing depends on what they hold.
OUTPUTS = ("phosphosites", "places", "transcripts", "reporters")

#: Modules that a network holds only where something done to the cells, or read of them, names what they hold. Each of
#: them is silent without its ligand, compound or mutant, or only reads, so that leaving it out changes nothing.
ON_DEMAND = (
    "insulin",
    "interleukin_1",
    "trail",
    "vegf",
    "neuregulin",
    "lpa",
    "thrombin",
    "tgf_beta",
    "braf",
    "dna_damage",
    "microtubules",
    *OUTPUTS,
)

_HEADER = re.compile(r"^\s*model\s+(\w+)\s*$", re.MULTILINE)
_REACTION = re.compile(r"^\s*(\w+)\s*:(?!=)")
_ANNOTATION = re.compile(r"^\s*//@\s*(.*)$")
_ADDED = re.compile(r"^\s*//\+\s*(\w+)\s*:\s*(.*\S)\s*$")
_RATE = re.compile(r";\s*([^;]+);")
_RULE = re.compile(r"^\s*(\w+)\s*:=")
_KEYS = {"sbo", "by", "claims"}
#: Files of ``library/modules`` that are no modules: units, and the template of integrins.
_NO_MODULES = ("units", "integrin")


@dataclass(frozen=True, slots=True)
class Annotation:
    """What is known about one reaction.

    Attributes
    ----------
    sbo : int
        Number of the Systems Biology Ontology term of the rate law.
    sources : tuple of str
        Keys of ``references.bib``.
    claims : tuple of str
        Claim identifiers.
    """

    sbo: int
    sources: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Module:
    """One piece of biology.

    Attributes
    ----------
    name : str
        Name of the Antimony model.
    body : str
        Its statements, without header, end and annotations.
    annotations : dict of str to Annotation
        By reaction.
    rules : tuple of str
        Variables with an assignment rule.
    added : tuple of (str, str)
        Terms for rules of other modules.
    """

    name: str
    body: str
    annotations: dict[str, Annotation]
    rules: tuple[str, ...]
    added: tuple[tuple[str, str], ...] = ()


def module_names() -> tuple[str, ...]:
    """Return the names of the modules in the library."""
    folder = resources.files("haptos.library") / "modules"
    names = (f.name.removesuffix(".ant") for f in folder.iterdir() if f.name.endswith(".ant"))
    return tuple(sorted(n for n in names if n not in _NO_MODULES))


def load_module(name: str) -> Module:
    """Return a module of the library.

    Raises
    ------
    ModelError
        If there is no such module, or its text or annotations are malformed.
    """
    if name not in module_names():
        near = ", ".join(nearest(name, module_names())) or ", ".join(module_names())
        raise ModelError(f"no module {name!r} in the library; did you mean {near}?")
    return _load(name)


@cache
def _load(name: str) -> Module:
    return _with_machinery(parse_module(library_text(f"{name}.ant"), where=f"{name}.ant"))


class Machinery(Spec):
    """A process that many reactions share; named by the rate-law term of these reactions, or one by one."""

    process: str
    sbo: int | None = None
    reactions: tuple[str, ...] = ()

    def drives(self, reaction: str, annotations: Mapping[str, Annotation]) -> bool:
        """Tell whether a reaction needs the process."""
        note = annotations.get(reaction)
        return reaction in self.reactions or (note is not None and note.sbo == self.sbo)


class _Machinery(Spec):
    version: Literal[1]
    machinery: tuple[Machinery, ...]


@cache
def machinery() -> tuple[Machinery, ...]:
    """Return the processes that many reactions share."""
    document = parse_yaml(library_text("machinery.yaml"), name="modules/machinery.yaml")
    return read_spec(_Machinery, document).machinery


def _with_machinery(module: Module) -> Module:
    """Return a module whose reactions have the factors of the processes they need."""

    def driven(line: str) -> str:
        found = _REACTION.match(line)
        needed = [m.process for m in machinery() if found and m.drives(found.group(1), module.annotations)]
        factors = "".join(f"process__{process} * " for process in needed)
        return _RATE.sub(rf"; {factors}(\1);", line, count=1) if factors else line

    return replace(module, body="\n".join(map(driven, module.body.splitlines())))


def library_text(file: str) -> str:
    """Return a text file of ``library/modules``."""
    return (resources.files("haptos.library") / "modules" / file).read_text(encoding="utf-8")


def parse_module(text: str, *, where: str) -> Module:
    """Split the text of a module into statements and annotations; see :func:`load_module`."""
    header = _HEADER.search(text)
    if header is None:
        raise ModelError(f"{where}: no 'model NAME' line")
    lines = text[header.end() :].splitlines()
    first = text[: header.end()].count("\n") + 1
    body: list[str] = []
    annotations: dict[str, Annotation] = {}
    added: list[tuple[str, str]] = []
    reaction = ""
    for number, line in enumerate(lines, start=first):
        if line.strip() == "end":
            return Module(header.group(1), "\n".join(body), annotations, _rules(body), tuple(added))
        note = _ANNOTATION.match(line)
        if note is not None:
            annotations[reaction] = _annotation(note.group(1), reaction, f"{where}:{number}")
            continue
        term = _ADDED.match(line)
        if term is not None:
            added.append((term.group(1), term.group(2)))
            continue
        found = _REACTION.match(line)
        reaction = found.group(1) if found else reaction
        body.append(line)
    raise ModelError(f"{where}: no 'end' line")


def _rules(body: Iterable[str]) -> tuple[str, ...]:
    return tuple(m.group(1) for line in body if (m := _RULE.match(line)))


def _annotation(text: str, reaction: str, where: str) -> Annotation:
    if not reaction:
        raise ModelError(f"{where}: an annotation stands before the first reaction")
    pairs = dict(part.partition("=")[::2] for part in text.split())
    wrong = set(pairs) - _KEYS
    if wrong or not pairs.get("sbo", "").isdigit():
        raise ModelError(f"{where}: write '//@ sbo=NUMBER by=KEY,KEY claims=ID,ID' (by and claims may be left out)")
    return Annotation(int(pairs["sbo"]), _listed(pairs.get("by")), _listed(pairs.get("claims")))


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(text.split(",")) if text else ()


def joined(modules: Iterable[Module]) -> list[Module]:
    """Return modules with the terms that they add to each other's rules written in.

    Raises
    ------
    ModelError
        If a term is meant for a rule that none of the modules has.
    """
    found = list(modules)
    for name, term in (pair for module in found for pair in module.added):
        holder = next((i for i, m in enumerate(found) if name in m.rules), None)
        if holder is None:
            raise ModelError(f"a module adds to the rule {name}, which no module has")
        rule = re.compile(rf"^(\s*{name}\s*:=[^;]+);", re.MULTILINE)
        body = rule.sub(rf"\1 + ({term});", found[holder].body)
        found[holder] = replace(found[holder], body=body)
    return found


@cache
def on_demand() -> dict[str, frozenset[str]]:
    """Return what each module on demand holds and no other module does: species, targets of handles, readouts."""
    usual = frozenset(word for name in MODULES if name not in _NO_MODULES for word in _held(name))
    return {name: frozenset(_held(name) - usual) for name in ON_DEMAND}


def _held(name: str) -> frozenset[str]:
    module = _load(name)
    code = re.sub(r"//.*", "", module.body)
    targets = (word.partition("__")[2] for word in re.findall(r"\w+__\w+", code) if word not in module.rules)
    return frozenset((*re.findall(r"\b(\w+) in (?:cytoplasm|nucleus|medium)\b", code), *targets, *module.rules))


def readable_entities() -> tuple[str, ...]:
    """Return what the modules let assays read: the entities of all ``measure__entity`` rules.

    Examples
    --------
    >>> "RELA_pS536" in readable_entities()
    True
    """
    return tuple(dict.fromkeys(entity for _, entity in _readable()))


def readable_measures(entity: str) -> tuple[str, ...]:
    """Return what can be read of an entity, as the modules write it.

    Examples
    --------
    >>> readable_measures("CXCR4")
    ('mrna', 'surface', 'level', 'activity')
    """
    return tuple(measure for measure, name in _readable() if name == entity)


def _readable() -> tuple[tuple[str, str], ...]:
    rules = (rule.partition("__") for name in module_names() for rule in load_module(name).rules if "__" in rule)
    return tuple((measure, entity) for measure, _, entity in rules)
