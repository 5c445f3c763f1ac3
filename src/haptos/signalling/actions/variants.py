"""Named mutants and promoter sites: what each of them changes in the model."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from haptos.core.located import parse_yaml
from haptos.core.specs import Spec, read_spec
from haptos.errors import ModelError

__all__ = [
    "Effect",
    "Variant",
    "find_variant",
    "known_variants",
    "process_of",
    "promoter_sites",
    "related_to",
    "variants",
]


class Effect(Spec):
    """What a mutant does to one handle.

    Attributes
    ----------
    handle, target : str
        Kind of handle and what it belongs to; a class stands for its members.
    how : str
        ``set`` to `value`; ``scale``: set to `value` times the fold of expression; ``compete``:
        divide by 1 + `value` times the fold (a form that takes the place of the wild type).
    value : float
        See `how`.
    """

    handle: str
    target: str
    how: Literal["set", "scale", "compete"] = "set"
    value: float = Field(0.0, ge=0)


class Variant(Spec):
    """A named mutant.

    Attributes
    ----------
    id, also : str, tuple of str
        Name and other names.
    gene : str
        Gene or class.
    what : str
        What is changed.
    beside : bool
        Whether it can be simulated beside the wild type; otherwise the gene must be gone.
    effects : tuple of Effect
        What it changes in the model.
    confidence, source : str
        How well its effect is known and from where (key of ``references.bib``).
    """

    id: str
    gene: str
    what: str
    also: tuple[str, ...] = ()
    beside: bool = True
    effects: tuple[Effect, ...] = Field(min_length=1)
    confidence: Literal["measured", "assumed"]
    source: str = ""

    @model_validator(mode="after")
    def _sourced(self) -> Variant:
        if self.confidence == "measured" and not self.source:
            raise PydanticCustomError("source", "a measured effect needs a source")
        return self


class Site(Spec):
    """A site of promoters: the name after the gene, and the handles that are 0 without it."""

    id: str
    also: tuple[str, ...] = ()
    handles: tuple[str, ...] = Field(min_length=1)


class Carried(Spec):
    """A protein that the model holds only as a process."""

    target: str
    process: str
    why: str


class Related(Spec):
    """A protein that no module holds, why, and what to do instead."""

    target: str
    why: str
    instead: str


class _File(Spec):
    version: Literal[1]
    variants: tuple[Variant, ...]
    promoter_sites: tuple[Site, ...]
    processes: tuple[Carried, ...] = ()
    related: tuple[Related, ...] = ()


@cache
def _file() -> _File:
    text = (resources.files("haptos.library") / "variants" / "variants.yaml").read_text(encoding="utf-8")
    found = read_spec(_File, parse_yaml(text, name="variants/variants.yaml"))
    names = [(v.gene, n.lower()) for v in found.variants for n in (v.id, *v.also)]
    twice = [f"{gene} {name}" for gene, name in dict.fromkeys(names) if names.count((gene, name)) > 1]
    if twice:
        raise ModelError(f"variants/variants.yaml: {', '.join(twice)} stand twice")
    return found


def variants() -> tuple[Variant, ...]:
    """Return all named mutants."""
    return _file().variants


def find_variant(gene: str, name: str) -> Variant | None:
    """Return a mutant by one of its names, whatever the case.

    Examples
    --------
    >>> find_variant("PTK2", "y397f").effects[0].target
    'PTK2_Y397'
    """
    wanted = name.lower()
    found = (v for g in (gene, *_wholes(gene)) for v in variants() if v.gene == g and wanted in _names(v))
    return next(found, None)


def known_variants(gene: str) -> tuple[str, ...]:
    """Return the names of the mutants of a gene."""
    return tuple(v.id for g in (gene, *_wholes(gene)) for v in variants() if v.gene == g)


@cache
def _wholes(gene: str) -> tuple[str, ...]:
    """Return the complexes that hold a gene product and have mutants of their own: their mutants are its."""
    from haptos.conditions.catalogue import load_vocabulary

    listed = {v.gene for v in variants()}
    terms = load_vocabulary().entities.values()
    return tuple(t.id for t in terms if t.kind == "complex" and gene in t.members and t.id in listed)


def promoter_sites(name: str) -> tuple[str, ...]:
    """Return the handles of a promoter site such as ``MMP9_promoter_kB_site``; none if it is unknown.

    Examples
    --------
    >>> promoter_sites("CCND1_promoter_CRE")
    ('cre_site__CCND1',)
    """
    gene, _, rest = name.partition("_promoter_")
    site = next((s for s in _file().promoter_sites if rest in (s.id, *s.also) or name in s.also), None)
    return tuple(f"{kind}__{gene}" for kind in site.handles) if site is not None else ()


def process_of(target: str) -> str | None:
    """Return the process that stands for a protein in the model.

    Examples
    --------
    >>> process_of("MYH9")
    'contraction'
    """
    return next((c.process for c in _file().processes if c.target == target), None)


def related_to(target: str) -> Related | None:
    """Return what to do instead of acting on a protein that no module holds; None if nothing is near.

    Examples
    --------
    >>> related_to("VCL").instead
    '{block: integrin_actin_tether}'
    """
    return next((r for r in _file().related if r.target == target), None)


def _names(variant: Variant) -> set[str]:
    return {n.lower() for n in (variant.id, *variant.also)}
