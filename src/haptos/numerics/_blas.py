"""Hold the BLAS of NumPy and SciPy to one thread, so that rounding does not depend on the machine load.

The threaded factorisation of OpenBLAS rounds differently from about 100 rows on, and
cluster workers usually set another number of threads than a laptop.
"""

from __future__ import annotations

import contextlib
import ctypes
import threading
from collections.abc import Callable, Iterator
from typing import Final

__all__ = ["one_blas_thread"]

_LOCK: Final = threading.Lock()
"""The number of BLAS threads belongs to the process, so one caller at a time."""


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """Enter a section that one Python thread runs at a time, with one BLAS thread.

    Where NumPy or SciPy was built with another BLAS than the OpenBLAS of its wheels, only
    the first half is done for it.
    """
    libraries = _libraries()
    with _LOCK:
        before = [count() for count, _ in libraries]
        for _, set_count in libraries:
            set_count(1)
        try:
            yield
        finally:
            for (_, set_count), number in zip(libraries, before, strict=True):
                set_count(number)


def _libraries() -> list[tuple[Callable[[], int], Callable[[int], None]]]:
    """Return what reads and sets the number of threads of the BLAS of SciPy and of NumPy."""
    from numpy.linalg import _umath_linalg
    from scipy.linalg import _flapack

    found = []
    for module, ending in ((_flapack, ""), (_umath_linalg, "64_")):
        library = ctypes.CDLL(module.__file__)
        names = [f"scipy_openblas_{verb}_num_threads{ending}" for verb in ("get", "set")]
        if all(hasattr(library, name) for name in names):
            found.append((getattr(library, names[0]), getattr(library, names[1])))
    return found
