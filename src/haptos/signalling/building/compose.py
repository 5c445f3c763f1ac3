"""Composition: modules, parameters and a cell's volumes become one SBML model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from haptos.errors import ModelError
from haptos.signalling.building.modules import Annotation, Module, library_text
from haptos.signalling.building.parameters import Handle, Parameter
from haptos.signalling.building.references import address_of

__all__ = ["Composition", "compose"]

_WORD = re.compile(r"[A-Za-z_]\w*")
_COMMENT = re.compile(r"//.*$", re.MULTILINE)
_DECLARED = re.compile(r"\b(\w+)\s+in\s+\w+")
_REACTION = re.compile(r"^\s*(\w+)\s*:(?!=)", re.MULTILINE)
_INITIAL = re.compile(r"^\s*(\w+)\s*=(?!>)", re.MULTILINE)
_RESERVED = {"species", "in", "compartment", "unit", "has", "const", "var", "dimensionless", "max"}
_COMPARTMENTS = ("cytoplasm", "nucleus", "medium")


@dataclass(frozen=True, slots=True)
class Composition:
    """A composed model.

    Attributes
    ----------
    antimony : str
        The whole model as Antimony text.
    parameters : tuple of str
        Parameters from the table, in the order of use.
    handles : tuple of str
        Parameters through which experiments act.
    annotations : mapping of str to Annotation
        By reaction.
    """

    antimony: str
    parameters: tuple[str, ...]
    handles: tuple[str, ...]
    annotations: Mapping[str, Annotation]


def compose(
    modules: Sequence[Module],
    table: Mapping[str, Parameter],
    handles: Mapping[str, Handle],
    volumes: Mapping[str, float],
    *,
    name: str = "haptos",
) -> Composition:
    """Join modules into one model.

    Parameters
    ----------
    modules : sequence of Module
        The modules; species are shared by name.
    table : mapping of str to Parameter
        Values and units.
    handles : mapping of str to Handle
        Kinds of parameters through which experiments act.
    volumes : mapping of str to float
        ``cytoplasm``, ``nucleus`` and ``medium`` (per cell) [µm³], positive.

    Returns
    -------
    Composition
        The model text and what it consists of.

    Raises
    ------
    ModelError
        If names are declared twice, undefined, or volumes are missing; all at once.
    """
    body = "\n".join(f"  // ===== {m.name} =====\n{m.body}" for m in modules)
    code = _COMMENT.sub("", body)
    species, reactions, rules = _declared(modules)
    problems = _repeated(modules) + [f"no volume for {c}" for c in _COMPARTMENTS if not volumes.get(c, 0) > 0]
    known = species | reactions | rules | set(_COMPARTMENTS) | _RESERVED
    free = [w for w in dict.fromkeys(_WORD.findall(code)) if w not in known]
    used = [w for w in free if w in table]
    acts = [w for w in free if w not in table and w.partition("__")[0] in handles and "__" in w]
    undefined = [w for w in free if w not in table and w not in acts]
    problems += [f"{w} is used but neither a species, a rule, a parameter nor a handle" for w in undefined]
    annotations = {r: a for m in modules for r, a in m.annotations.items()}
    problems += [f"reaction {r} has no annotation" for r in sorted(reactions - set(annotations))]
    if problems:
        raise ModelError("cannot compose the model:\n  " + "\n  ".join(problems))
    parts = [
        f"model {name}",
        library_text("units.ant"),
        *(f"  {c} = {volumes[c]!r};" for c in _COMPARTMENTS),
        body,
        *(f"  {s} = 0;" for s in sorted(species - set(_INITIAL.findall(code)))),
        *(f"  const {w} = {table[w].value!r}; {w} has {table[w].unit};" for w in used),
        *(f"  const {w} = {handles[w.partition('__')[0]].default!r}; {w} has dimensionless;" for w in acts),
        *(_unit_of_rule(rule) for m in modules for rule in m.rules),
        *(_annotate(r, a) for r, a in annotations.items()),
        "end",
    ]
    return Composition("\n".join(parts), tuple(used), tuple(acts), annotations)


def _declared(modules: Iterable[Module]) -> tuple[set[str], set[str], set[str]]:
    species: set[str] = set()
    reactions: set[str] = set()
    rules: set[str] = set()
    for module in modules:
        code = _COMMENT.sub("", module.body)
        species |= set(_DECLARED.findall(code))
        reactions |= set(_REACTION.findall(code))
        rules |= set(module.rules)
    return species, reactions, rules


def _repeated(modules: Iterable[Module]) -> list[str]:
    owner: dict[str, str] = {}
    problems = []
    for module in modules:
        code = _COMMENT.sub("", module.body)
        for word in [*_DECLARED.findall(code), *_REACTION.findall(code), *module.rules]:
            if word in owner:
                problems.append(f"{word} is declared in {owner[word]} and in {module.name}")
            owner[word] = module.name
    return problems


def _unit_of_rule(rule: str) -> str:
    """Return the unit statement of an assigned quantity: concentrations unless named otherwise."""
    plain = rule.startswith(("drive__", "share_", "odds_", "nuclear_share", "diffusion__")) or rule.endswith("_share")
    strength = rule.startswith("affinity__")
    unit = "per_min" if rule.endswith("_rate") else "dimensionless" if plain else "per_nM" if strength else "nM"
    return f"  {rule} has {unit};"


def _annotate(reaction: str, annotation: Annotation) -> str:
    lines = [f"  {reaction}.sboTerm = SBO:{annotation.sbo:07d};"]
    if annotation.claims:
        lines.append(f'  {reaction} notes "claims: {" ".join(annotation.claims)}";')
    addresses = (address_of(key) for key in annotation.sources)
    lines += [f'  {reaction} isDescribedBy "{address}";' for address in addresses if address]
    return "\n".join(lines)
