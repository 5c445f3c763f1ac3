"""Compile kernels with LLVM and keep the machine code on disk.

The key of a kept object is the hash of everything that shaped it: the text, the
processor, the version of LLVM. An object that cannot be read or was damaged is compiled
again. Nothing is kept if the folder cannot be written.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

__all__ = ["Machinery", "compile_kernels", "default_cache", "native_width"]

_MARK: Final = b"haptos kernel 1\n"


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
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    features = llvm.get_host_cpu_features().flatten()
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features, opt=1, jit=True
    )
    described = f"{machine.triple} {llvm.get_host_cpu_name()} {features} {llvm.llvm_version_info}"
    key = hashlib.sha256(f"{described}\n{text}".encode()).hexdigest()
    code = _kept(cache, key)
    if code is None:
        code = _object_code(llvm, machine, text)
        _keep(cache, key, code)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return Machinery(MappingProxyType({name: engine.get_function_address(name) for name in names}), engine)


def _object_code(llvm: Any, machine: Any, text: str) -> bytes:
    module = llvm.parse_assembly(text)
    module.triple, module.data_layout = machine.triple, str(machine.target_data)
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=1)
    options.loop_vectorization = options.slp_vectorization = False
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return bytes(machine.emit_object(module))


def _kept(cache: Path | None, key: str) -> bytes | None:
    """Return the kept code of a key, if it is whole."""
    if cache is None:
        return None
    try:
        raw = (cache / f"{key}.o").read_bytes()
    except OSError:
        return None
    head, code = raw[: len(_MARK) + 32], raw[len(_MARK) + 32 :]
    return code if head == _MARK + hashlib.sha256(code).digest() else None


def _keep(cache: Path | None, key: str, code: bytes) -> None:
    """Write the code to a temporary name, then rename: readers see all or nothing."""
    if cache is None:
        return
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=cache, prefix=key[:8], delete=False) as file:
            file.write(_MARK + hashlib.sha256(code).digest() + code)
        Path(file.name).replace(cache / f"{key}.o")
    except OSError:
        return


def call(address: int, memory: int) -> None:
    """Call a kernel from Python on the working memory at an address."""
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(address)(memory)
