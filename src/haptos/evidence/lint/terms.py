"""Rules on the vocabulary: gene symbols, members, inverses, aliases, identifiers, use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, cast, final

from haptos.conditions.catalogue import CellTerm, EntityTerm, PredicateTerm
from haptos.core.identifiers import PREFIXES, is_gene_symbol
from haptos.core.records import Entry
from haptos.errors import Issue, nearest
from haptos.evidence.claims import Claim, Count
from haptos.evidence.library import Library, cells_of
from haptos.evidence.lint.rule import Rule

__all__ = ["Curies", "GeneSymbols", "KnownTerms", "UniqueAliases", "UnusedTerms"]


def _entities(library: Library) -> Iterator[tuple[EntityTerm, Entry[Any]]]:
    entries = library.vocabulary.records["entities"].entries if "entities" in library.vocabulary.records else ()
    for entry in entries:
        yield cast("EntityTerm", entry.record), entry


@final
class GeneSymbols(Rule):
    """Genes and the parts of integrins have the form of HGNC symbols; a state names what it is a state of.

    Symbols in lower case are taken for genes of the fruit fly. A gene that was never registered says so
    by giving its own ``symbol``.
    """

    id = "gene-symbols"

    def check(self, library: Library) -> Iterator[Issue]:
        """Yield names that are no symbols, and states of nothing."""
        known = set(library.vocabulary.entities)
        for term, entry in _entities(library):
            if term.symbol is not None:
                continue
            if term.kind == "state" and not any(part in known or is_gene_symbol(part) for part in _owners(term.id)):
                message = f"{term.id}: the name does not begin or end with what it is a state of"
                yield self.issue(message, entry.where("id"))
            wrong = [p for p in term.id.split(":") if not is_gene_symbol(p) and not (":" in term.id and p.islower())]
            if wrong and term.kind in ("gene", "integrin"):
                message = f"{term.id}: {', '.join(wrong)} has not the form of an HGNC symbol"
                yield self.issue(message, entry.where("id"), hint="use the symbol, or give 'symbol:' what it is called")


def _owners(name: str) -> list[str]:
    """Return what a state could be a state of: all beginnings and endings of its name."""
    parts = name.split("_")
    cuts = range(1, len(parts))
    return ["_".join(parts[:i]) for i in cuts] + ["_".join(parts[i:]) for i in cuts]


@final
class KnownTerms(Rule):
    """Members of classes and complexes, and inverses of predicates, are terms themselves."""

    id = "known-terms"

    def check(self, library: Library) -> Iterator[Issue]:
        """Yield members and inverses that no file defines."""
        known = tuple(library.vocabulary.entities)
        for term, entry in _entities(library):
            for i, member in enumerate(term.members):
                if member not in library.vocabulary.entities:
                    hint = ", ".join(nearest(member, known))
                    yield self.issue(f"{term.id}: unknown member {member!r}", entry.where("members", i), hint=hint)
                elif member == term.id:
                    yield self.issue(f"{term.id} is a member of itself", entry.where("members", i))
        records = library.vocabulary.records.get("predicates")
        for entry in records.entries if records is not None else ():
            inverse = cast("PredicateTerm", entry.record).inverse
            if inverse is not None and inverse not in library.vocabulary.predicates:
                yield self.issue(f"{entry.record.id}: unknown inverse {inverse!r}", entry.where("inverse"))


@final
class UniqueAliases(Rule):
    """No alias of an entity is the name or alias of another one."""

    id = "unique-aliases"

    def check(self, library: Library) -> Iterator[Issue]:
        """Yield aliases with two meanings."""
        owner = {name: name for name in library.vocabulary.entities}
        for term, entry in _entities(library):
            for i, alias in enumerate(term.aliases):
                if owner.setdefault(alias, term.id) != term.id:
                    yield self.issue(f"{alias!r} means both {owner[alias]} and {term.id}", entry.where("aliases", i))


@final
class Curies(Rule):
    """Compact identifiers have a known prefix and name what they stand with."""

    id = "curies"

    def check(self, library: Library) -> Iterator[Issue]:
        """Yield unknown prefixes, symbols that differ from the name, and ill-formed cell line numbers."""
        for term, entry in _entities(library):
            if term.curie is None:
                continue
            prefix, _, local = term.curie.partition(":")
            if prefix not in PREFIXES or not local:
                known = ", ".join(PREFIXES)
                yield self.issue(f"{term.id}: unknown prefix in {term.curie!r}", entry.where("curie"), allowed=known)
            elif prefix == "hgnc.symbol" and local not in (term.id, term.symbol):
                yield self.issue(f"{term.id}: the identifier names {local}", entry.where("curie"))
        records = library.vocabulary.records.get("cells")
        for entry in records.entries if records is not None else ():
            number = cast("CellTerm", entry.record).cellosaurus
            if number is not None and not (number.startswith("CVCL_") and len(number) == 9):
                yield self.issue(f"{entry.record.id}: {number!r} is no Cellosaurus number", entry.where("cellosaurus"))


@final
class UnusedTerms(Rule):
    """Every term is used by a claim, unless experiments may use it by itself.

    Entities with a role, cell lines and assays are there for experimenters too and are not reported.
    """

    id = "unused-terms"
    severity = "warning"

    def check(self, library: Library) -> Iterator[Issue]:
        """Yield terms that nothing refers to; nothing if there are no claims."""
        claims = [entry.record for entry in library.claim_records().entries]
        if not claims:
            return
        used = _used_names(claims) | {m for t in library.vocabulary.entities.values() for m in t.members}
        used |= {p.inverse for p in library.vocabulary.predicates.values() if p.inverse and p.id in used}
        for key in ("entities", "cells", "predicates", "registries"):
            records = library.vocabulary.records.get(key)
            for entry in records.entries if records is not None else ():
                if entry.record.id not in used and not _for_experimenters(entry.record):
                    yield self.issue(f"{entry.record.id} ({key}) is not used", entry.where())


def _for_experimenters(term: Any) -> bool:
    return bool(getattr(term, "roles", ())) or getattr(term, "kind", "") == "cell_line"


def _used_names(claims: Iterable[Claim]) -> set[str]:
    used: set[str] = set()
    for claim in claims:
        relation = claim.relation
        used |= {relation.predicate, *relation.subject, *relation.object, *relation.of}
        used |= {*relation.via, *relation.induced_by, *cells_of(claim)}
        used |= {claim.context} if claim.context is not None else set()
        if claim.trial is not None and claim.trial.readout is not None:
            used |= {*claim.trial.readout.of, *claim.trial.readout.over}
        if isinstance(claim.expect, Count):
            used |= {claim.expect.registry, *claim.expect.of}
    return used
