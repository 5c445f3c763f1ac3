"""How the stochastic kernels are compiled (numba).

Import this module only inside functions: it imports numba.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from numba import njit

__all__ = ["entry_jit", "part_jit"]


def part_jit[F: Callable[..., Any]](function: F) -> F:
    """Compile a part, which only other kernels call: no wrapper, and not kept on its own."""
    options: dict[str, Any] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast("F", njit(nogil=True, error_model="numpy", **options)(function))


def entry_jit[F: Callable[..., Any]](function: F) -> F:
    """Compile what Python calls; the machine code, parts included, is kept beside the source.

    It is renewed when the file of the entry changes, not when one of its parts in another
    file does: then empty the folder ``__pycache__``.
    """
    return cast("F", njit(cache=True, nogil=True, error_model="numpy")(function))
