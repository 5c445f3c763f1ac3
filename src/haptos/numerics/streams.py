"""Random streams addressed by what they are for.

Every stochastic decision draws from a stream named by (seed, purpose, replicate,
entity), so it does not matter which thread, process or order asks for it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from haptos.errors import ParameterError

if TYPE_CHECKING:
    import numpy as np

__all__ = ["philox_stream", "stream_key"]

_DOMAIN = b"haptos.philox.1"
_WORD = 1 << 64


def stream_key(seed: int, purpose: str, replicate: int, entity: int | str) -> tuple[int, int]:
    """Derive the 128-bit Philox key of a stream.

    Parameters
    ----------
    seed : int
        Seed of the run, at least 0.
    purpose : str
        What the numbers are for, such as ``"clutch.binding"``.
    replicate : int
        Replicate, at least 0.
    entity : int or str
        Cell, lane or other individual; an int must be at least 0. ``3`` and ``"3"``
        are different entities.

    Returns
    -------
    tuple of int
        Two 64-bit words.

    Raises
    ------
    ParameterError
        If a number is negative or not an integer, or the purpose is empty.

    Notes
    -----
    The key is BLAKE2b with 16 bytes of digest and the personalisation
    ``haptos.philox.1``, over the four fields, each written as one letter for its type,
    the length of its UTF-8 decimal text in 8 bytes little-endian, and the text.

    Examples
    --------
    >>> stream_key(1, "noise", 0, 0) == stream_key(1, "noise", 0, "0")
    False
    """
    digest = hashlib.blake2b(digest_size=16, person=_DOMAIN)
    if not purpose:
        raise ParameterError("the purpose of a random stream must not be empty")
    for name, field in (
        ("seed", seed),
        ("purpose", purpose),
        ("replicate", replicate),
        ("entity", entity),
    ):
        text = (field if isinstance(field, str) else _natural(name, field)).encode()
        digest.update(b"s" if isinstance(field, str) else b"i")
        digest.update(len(text).to_bytes(8, "little") + text)
    key = digest.digest()
    return int.from_bytes(key[:8], "little"), int.from_bytes(key[8:], "little")


def philox_stream(
    seed: int, purpose: str, replicate: int = 0, entity: int | str = 0, *, step: int = 0
) -> np.random.Generator:
    """Return the random generator of one purpose, replicate and entity.

    Parameters
    ----------
    seed, purpose, replicate, entity
        Name of the stream, see :func:`stream_key`.
    step : int
        Block of the stream, 0 <= step < 2**64. Blocks never overlap (each has 2**194
        numbers), so step 1,000 can be drawn without drawing the 999 before it.

    Returns
    -------
    numpy.random.Generator
        Philox4x64-10 with the derived key and the counter ``(0, 0, 0, step)``.

    Examples
    --------
    >>> a = philox_stream(7, "noise", replicate=2, entity=5).random()
    >>> b = philox_stream(7, "noise", replicate=2, entity=5).random()
    >>> a == b
    True
    """
    import numpy as np

    if not 0 <= step < _WORD:
        raise ParameterError(f"step must be in [0, 2**64), not {step}")
    key = np.array(stream_key(seed, purpose, replicate, entity), dtype=np.uint64)
    counter = np.array([0, 0, 0, step], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(counter=counter, key=key))


def _natural(name: str, value: int) -> str:
    """Return the decimal text of a number that must be a whole number from 0."""
    import operator

    try:
        whole = operator.index(value)
    except TypeError:
        raise ParameterError(f"{name} must be a whole number, not {value!r}") from None
    if whole < 0 or isinstance(value, bool):
        raise ParameterError(f"{name} must be a whole number from 0 on, not {value!r}")
    return str(whole)
