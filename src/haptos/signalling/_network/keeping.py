"""Compiled networks kept on disk by the text of their model, so that the next process need not read it again.

The key holds the text, the choices, a checksum of the code and the versions of the
libraries that decide the network. Only networks are kept: a model that is refused is
looked at again. What is kept holds records, numbers and names, and nothing of it is
executed, see :mod:`haptos.core.packing`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from typing import Final

from haptos.core.hashing import canonical_json
from haptos.core.kept import code_checksum, load_kept, save_kept
from haptos.core.packing import pack, unpack
from haptos.errors import ParameterError
from haptos.signalling._network.network import Network

__all__ = ["kept_network"]

_KIND: Final = "networks"
_MOST: Final = 200 * 2**20
"""Most bytes of kept networks; one of 130 species takes about 0.8 million."""


def kept_network(text: str, scales: Mapping[str, float], nonnegative: bool, build: Callable[[], Network]) -> Network:
    """Return the network of a model as it was kept, or build and keep it.

    Parameters
    ----------
    text : str
        SBML.
    scales : mapping of str to float
        Declared scales; finite.
    nonnegative : bool
        Whether species cannot be negative.
    build : callable
        Builds the network from these.
    """
    chosen = canonical_json({"scales": {k: float(v) for k, v in scales.items()}, "nonnegative": bool(nonnegative)})
    key: tuple[str | bytes, ...] = (text.encode("utf-8", "surrogatepass"), chosen, *_deciding())
    content = load_kept(_KIND, key)
    if content is not None:
        with suppress(ParameterError):
            found = unpack(content)
            if isinstance(found, Network):
                return found
    network = build()
    save_kept(_KIND, key, pack(network), most=_MOST)
    return network


@cache
def _deciding() -> tuple[str, ...]:
    """Return the code that turns a text into a network: ours and that of others."""
    return (code_checksum("core", "errors.py", "numerics", "signalling"), version("python-libsbml"), version("numpy"))
