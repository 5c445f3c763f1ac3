"""Compact identifiers (CURIEs) and the names of genes and their states."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from curies import Converter

__all__ = ["PREFIXES", "converter", "expand", "is_gene_symbol"]

#: Frozen prefix map: the vocabularies that the library uses.
PREFIXES: dict[str, str] = {
    "chebi": "http://identifiers.org/chebi/CHEBI:",
    "cellosaurus": "http://identifiers.org/cellosaurus/CVCL_",
    "cl": "http://identifiers.org/cl/CL:",
    "doi": "https://doi.org/",
    "eco": "http://identifiers.org/eco/ECO:",
    "go": "http://identifiers.org/go/GO:",
    "hgnc": "http://identifiers.org/hgnc/",
    "hgnc.symbol": "http://identifiers.org/hgnc.symbol/",
    "ncbitaxon": "http://identifiers.org/taxonomy/",
    "obi": "http://identifiers.org/obi/OBI:",
    "pubmed": "http://identifiers.org/pubmed/",
    "sbo": "http://identifiers.org/biomodels.sbo/SBO:",
    "uberon": "http://identifiers.org/uberon/UBERON:",
    "uniprot": "http://identifiers.org/uniprot/",
}

_GENE = re.compile(r"^[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*$|^C[0-9X]+orf[0-9]+$")


@cache
def converter() -> Converter:
    """Return the CURIE converter of the frozen prefix map."""
    import curies

    return curies.Converter.from_prefix_map(PREFIXES)


def expand(curie: str) -> str:
    """Return the address of a CURIE.

    Raises
    ------
    ValueError
        If the prefix is not in :data:`PREFIXES`.

    Examples
    --------
    >>> expand("hgnc.symbol:ILK")
    'http://identifiers.org/hgnc.symbol/ILK'
    """
    address = converter().expand(curie)
    if address is None:
        raise ValueError(f"unknown prefix in {curie!r}; known: {', '.join(sorted(PREFIXES))}")
    return str(address)


def is_gene_symbol(name: str) -> bool:
    """Tell whether `name` has the form of an HGNC symbol (not whether it is registered).

    Examples
    --------
    >>> is_gene_symbol("MMP9"), is_gene_symbol("p65")
    (True, False)
    """
    return bool(_GENE.match(name))
