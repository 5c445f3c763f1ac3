"""Compile kernels with LLVM and keep the machine code on disk.

The key of a kept object is the hash of everything that shaped it: the text or what the
text is made from, the processor, the version of LLVM, the effort. See
:mod:`haptos.numerics.engine.code_store`.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from haptos.numerics.engine.code_store import read_code, write_code

__all__ = [
    "Machinery",
    "Recipe",
    "code_key",
    "compile_kernels",
    "compile_recipe",
    "default_cache",
    "link_code",
    "native_width",
    "object_code",
]


@dataclass(frozen=True, slots=True, eq=False)
class Machinery:
    """Compiled functions in memory; they live as long as this object.

    Attributes
    ----------
    addresses : mapping of str to int
        Where each function starts.
    """

    addresses: Mapping[str, int]
    _engine: Any


def native_width() -> int:
    """Return the lanes that suit this processor: 8 with AVX-512, 4 with AVX, else 2."""
    import llvmlite.binding as llvm

    features = llvm.get_host_cpu_features()
    if features.get("avx512f") and features.get("avx512dq"):
        return 8
    return 4 if features.get("avx") else 2


def default_cache() -> Path:
    """Return the folder of kept machine code.

    ``HAPTOS_CACHE`` if it is set, else a folder for caches of the user.
    """
    given = os.environ.get("HAPTOS_CACHE")
    if given:
        return Path(given) / "kernels"
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "haptos" / "kernels"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is compiled, and how.

    Parameters
    ----------
    text : str
        The module, as LLVM text.
    quick : bool
        Whether to compile with little effort: about a fourth of the time, for code that
        is some times slower and gives the same bits.
    """

    text: str
    quick: bool = False


def compile_kernels(text: str, names: Sequence[str], cache: Path | None) -> Machinery:
    """Compile LLVM text, or load what was compiled before.

    Parameters
    ----------
    text : str
        The module.
    names : sequence of str
        Functions whose addresses are wanted.
    cache : Path or None
        Folder of kept machine code; None keeps nothing.
    """
    return compile_recipe(Recipe(text), names, cache)


def compile_recipe(recipe: Recipe, names: Sequence[str], cache: Path | None) -> Machinery:
    """Compile a module, or load what was compiled before."""
    machine = _machine(recipe)
    key = _key(machine, recipe)
    code = read_code(cache, key)
    if code is None:
        code = object_code(recipe)
        write_code(cache, key, code)
    return _link(machine, code, names)


def code_key(description: str) -> str:
    """Return the key of machine code that something else than a text decides, on this processor."""
    recipe = Recipe(description)
    return _key(_machine(recipe), recipe)


def link_code(code: bytes, names: Sequence[str]) -> Machinery:
    """Load an object file that was made on this processor."""
    return _link(_machine(Recipe("")), code, names)


def _machine(recipe: Recipe) -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    features = llvm.get_host_cpu_features().flatten()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features, opt=0 if recipe.quick else 1, jit=True
    )


def _key(machine: Any, recipe: Recipe) -> str:
    import llvmlite.binding as llvm

    features = llvm.get_host_cpu_features().flatten()
    described = f"{machine.triple} {llvm.get_host_cpu_name()} {features} {llvm.llvm_version_info} {recipe.quick}"
    return hashlib.sha256(f"{described}\n{recipe.text}".encode()).hexdigest()


def object_code(recipe: Recipe) -> bytes:
    """Compile a module to an object file."""
    import llvmlite.binding as llvm

    machine = _machine(recipe)
    module = llvm.parse_assembly(recipe.text)
    module.triple, module.data_layout = machine.triple, str(machine.target_data)
    module.verify()
    if not recipe.quick:
        options = llvm.create_pipeline_tuning_options(speed_level=1)
        options.loop_vectorization = options.slp_vectorization = False
        builder = llvm.create_pass_builder(machine, options)
        builder.getModulePassManager().run(module, builder)
    return bytes(machine.emit_object(module))


def _link(machine: Any, code: bytes, names: Sequence[str]) -> Machinery:
    import llvmlite.binding as llvm

    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return Machinery(MappingProxyType({name: engine.get_function_address(name) for name in names}), engine)


def call(address: int, memory: int) -> None:
    """Call a kernel from Python on the working memory at an address."""
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address)(memory)
