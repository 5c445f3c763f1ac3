"""How the driver of the lanes is compiled, and how it calls kernels (numba).

Import only inside functions: it imports numba.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils as numba_cgutils
from numba.extending import intrinsic
from numba.np import arrayobj as numba_arrays

__all__ = ["array_reader", "call_kernel", "lane_jit", "next_number", "take_number"]


cgutils: Any = numba_cgutils
arrays: Any = numba_arrays


def lane_jit[F: Callable[..., Any]](function: F) -> F:
    """Compile a part of the driver, which only its other parts call; it may not allocate."""
    chosen: Any = {"nogil": True, "error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    chosen["_nrt"] = False  # nothing of numba's memory management
    return cast("F", njit(**chosen)(function))


def array_reader(kind: Any, dimensions: int) -> Any:
    """Return what, in compiled code, makes an array of the four whole numbers at an address.

    They are the address of its first element and its lengths; `kind` is numba's type of
    its elements, which are contiguous. The array owns nothing.
    """

    def typed(_context: Any, place: Any) -> Any:  # noqa: ARG001
        array = types.Array(kind, dimensions, "C")

        def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            word = context.get_value_type(types.int64)
            source = builder.inttoptr(arguments[0], word.as_pointer())
            read = [builder.load(cgutils.gep_inbounds(builder, source, i)) for i in range(dimensions + 1)]
            made, size = (
                context.make_array(array)(context, builder),
                context.get_abi_sizeof(context.get_data_type(kind)),
            )
            strides = [context.get_constant(types.intp, size)]
            for length in reversed(read[2:]):
                strides.insert(0, builder.mul(strides[0], length))
            data = builder.inttoptr(read[0], made.data.type)
            arrays.populate_array(made, data, read[1:], strides, context.get_constant(types.intp, size), None)
            return made._getvalue()  # noqa: SLF001

        return array(types.int64), generate

    return intrinsic(typed)


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


def _typed_next(_context: Any, _number: Any, _towards: Any) -> Any:
    """Type and generate a call of the C library, where numba would call its own."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        double = ir.DoubleType()
        found = cgutils.get_or_insert_function(builder.module, ir.FunctionType(double, [double] * 2), "nextafter")
        return builder.call(found, arguments)

    return types.float64(types.float64, types.float64), generate


next_number: Any = intrinsic(_typed_next)
"""In compiled code: ``next_number(x, y)``, the next number after `x` towards `y`."""
