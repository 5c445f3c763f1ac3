"""How the driver of the lanes is compiled, and how it calls kernels (numba).

Import only inside functions: it imports numba.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["call_kernel", "lane_jit", "lane_jit_entry", "take_number"]


def lane_jit[F: Callable[..., Any]](function: F) -> F:
    """Compile a part of the driver, which only its other parts call."""
    chosen: Any = {"nogil": True, "error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast("F", njit(**chosen)(function))


def lane_jit_entry[F: Callable[..., Any]](function: F) -> F:
    """Compile the driver with all its parts; the machine code is kept where that is possible.

    The place is beside the source or, if that cannot be written, in the user's folder for
    caches, or what ``NUMBA_CACHE_DIR`` says. What is kept is renewed when the file of the
    entry changes, not when one of its parts in another file does.
    """
    try:
        return cast("F", njit(cache=True, nogil=True, error_model="numpy")(function))
    except RuntimeError:  # there is no place to keep it
        return cast("F", njit(nogil=True, error_model="numpy")(function))


def _typed_call(_context: Any, address: Any, memory: Any) -> Any:  # noqa: ARG001
    """Type and generate a call of the kernel at `address` on the memory at `memory`."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        pointer = cgutils.voidptr_t
        function = ir.FunctionType(ir.VoidType(), [pointer])
        target = builder.inttoptr(arguments[0], function.as_pointer())
        builder.call(target, [builder.inttoptr(arguments[1], pointer)])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


call_kernel: Any = intrinsic(_typed_call)
"""In compiled code: ``call_kernel(address, memory)``."""


def _typed_take(_context: Any, counter: Any) -> Any:  # noqa: ARG001
    """Type and generate an atomic increment of the whole number at an address."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        place = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return builder.atomic_rmw("add", place, ir.Constant(ir.IntType(64), 1), "monotonic")

    return types.int64(types.int64), generate


take_number: Any = intrinsic(_typed_take)
"""In compiled code: ``take_number(address)`` returns 0, 1, 2 ..., to every thread its own."""
