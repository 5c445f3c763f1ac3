"""Content hashes of plain data and of files."""

from __future__ import annotations

import hashlib
import json
from typing import Any

__all__ = ["canonical_json", "content_hash"]


def canonical_json(data: Any) -> str:
    """Return the one JSON text of `data`: sorted keys, no spaces, finite numbers only.

    Raises
    ------
    ValueError
        If `data` holds NaN or an infinity.
    """
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)


def content_hash(data: Any, *, length: int = 16) -> str:
    """Return the first `length` hexadecimal digits of the SHA-256 of canonical JSON.

    Examples
    --------
    >>> content_hash({"b": 1, "a": 2}) == content_hash({"a": 2, "b": 1})
    True
    """
    return hashlib.sha256(canonical_json(data).encode("utf-8")).hexdigest()[:length]
