"""The driver of the lanes as one function of one address (numba).

Import only inside functions: it imports numba. The address is that of a table that
:func:`haptos.numerics.engine.driver.run_driver` writes. It begins with its own address
and length, then come the numbers of
:class:`~haptos.numerics.engine._lane_data.Settings`,
:class:`~haptos.numerics.engine._lane_data.Rows` and
:class:`~haptos.numerics.engine._lane_data.EventTables`, then four words for every array:
its address and its lengths.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from numba import types
from numba.np.unsafe import ndarray as numba_unsafe

from haptos.numerics.engine._lane_call import array_reader, lane_jit
from haptos.numerics.engine._lane_data import FIRST_ARRAY, FIRST_EVENT, FIRST_ROW, EventTables, Rows, Settings
from haptos.numerics.engine._lanes import run_lanes

__all__ = ["CompiledDriver", "compile_driver"]

to_fixed_tuple: Any = numba_unsafe.to_fixed_tuple

_N_ROWS: Final = FIRST_EVENT - FIRST_ROW

_numbers, _numbers2, _numbers3 = (array_reader(types.float64, n) for n in (1, 2, 3))
_whole, _whole2 = (array_reader(types.int64, n) for n in (1, 2))
_flags, _flags2 = (array_reader(types.boolean, n) for n in (1, 2))
_code = array_reader(types.int32, 2)


@lane_jit
def _run(address: int) -> None:
    """Integrate what a table describes."""
    t = _whole(address)
    at = Rows(*to_fixed_tuple(t[FIRST_ROW:FIRST_EVENT], _N_ROWS))
    rtol = _numbers(address)[14]
    settings = Settings(t[4], t[5], t[6], t[7], t[8], t[9], t[10], t[11], t[12], t[13], rtol, t[15])
    a, e = address + 8 * FIRST_ARRAY, FIRST_EVENT
    # fmt: off
    events = EventTables(
        t[e], t[e + 1], t[e + 2], t[e + 3],
        _whole2(a + 544), _whole(a + 576), _whole(a + 608), _code(a + 640), _whole(a + 672), _numbers(a + 704),
        _flags(a + 736), _whole2(a + 768), _numbers(a + 800),
    )
    run_lanes(
        settings, _numbers2(a), at, _numbers(a + 32),
        _numbers2(a + 64), _numbers2(a + 96), _numbers3(a + 128), _numbers3(a + 160), _whole2(a + 192),
        _whole2(a + 224), _numbers2(a + 256), _whole2(a + 288), _numbers(a + 320), _numbers(a + 352),
        _numbers(a + 384), _whole(a + 416), _numbers3(a + 448), _numbers2(a + 480), _whole2(a + 512),
        events, _whole2(a + 832), _flags2(a + 864),
    )
    # fmt: on


_OUTSIDE: Final = frozenset(
    {"memcpy", "memmove", "memset", "pow", "exp", "log", "log10", "floor", "ceil", "fmod", "nextafter", "sqrt", "fabs"}
    | {"sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh"}
)
"""What machine code may call so that it can be kept: functions of the C library."""


@dataclass(frozen=True, slots=True)
class CompiledDriver:
    """The driver, fresh from numba.

    Attributes
    ----------
    address : int
        Where its entry starts. It is called as numba calls: (place of the result, place
        of an error, address of the table); returns 0.
    name : str
        Of the entry.
    code : bytes or None
        An object file; None if it would need more than the C library, and so numba.
    """

    address: int
    name: str
    code: bytes | None
    _library: Any


def compile_driver() -> CompiledDriver:
    """Compile the driver with all its parts, which takes some ten seconds."""
    compiled: Any = _run
    compiled.compile((types.int64,))
    [found] = compiled.overloads.values()
    name, library = found.fndesc.llvm_func_name, found.library
    alone = _needed(library.get_llvm_str()) <= _OUTSIDE
    code = bytes(library._get_compiled_object()) if alone else None  # noqa: SLF001
    return CompiledDriver(library.get_pointer_to_function(name), name, code, library)


def _needed(text: str) -> set[str]:
    """Return the names that LLVM text declares and does not define."""
    declared = re.findall(r"^declare [^@]*@\"?([^\"(]+)\"?\(", text, re.MULTILINE)
    variables = re.findall(r"^@\"?([^\" ]+)\"? = external ", text, re.MULTILINE)
    return {name for name in (*declared, *variables) if not name.startswith("llvm.")}
