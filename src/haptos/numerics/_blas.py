"""Hold the BLAS of SciPy to one thread, so that rounding does not depend on the machine load.

The threaded factorisation of OpenBLAS rounds differently from about 100 rows on, and
cluster workers usually set another number of threads than a laptop.
"""

from __future__ import annotations

import contextlib
import ctypes
import threading
from collections.abc import Iterator
from typing import Final

__all__ = ["one_blas_thread"]

_LOCK: Final = threading.Lock()
"""The number of BLAS threads belongs to the process, so one caller at a time."""


@contextlib.contextmanager
def one_blas_thread() -> Iterator[None]:
    """Enter a section that one Python thread runs at a time, with one BLAS thread.

    Where SciPy was built with another BLAS than the OpenBLAS of its wheels, only the
    first half is done.
    """
    from scipy.linalg import _flapack

    library = ctypes.CDLL(_flapack.__file__)
    known = hasattr(library, "scipy_openblas_set_num_threads")
    with _LOCK:
        before = library.scipy_openblas_get_num_threads() if known else 1
        if known:
            library.scipy_openblas_set_num_threads(1)
        try:
            yield
        finally:
            if known:
                library.scipy_openblas_set_num_threads(before)
