"""Frozen data as bytes: trees of our own records, plain values and arrays.

Unlike pickle, reading builds nothing but records of this package from plain values.
"""

from __future__ import annotations

import dataclasses
import enum
import importlib
import io
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from haptos.errors import ParameterError

__all__ = ["pack", "unpack"]

_PACKAGE = "haptos."
_MARKS: dict[type, str] = {tuple: "t", list: "l", frozenset: "s"}
_SHARED = (tuple, list, frozenset, dict, MappingProxyType)


def pack(value: Any) -> bytes:
    """Return a value as bytes.

    Parameters
    ----------
    value : object
        Dataclasses, named tuples and enumerations of this package, tuples, lists, sets,
        mappings, arrays of numbers, texts, numbers, None. What stands in several places
        is kept once.

    Raises
    ------
    ParameterError
        If it holds anything else.

    Examples
    --------
    >>> unpack(pack({"a": (1, 2.5, None)}))
    {'a': (1, 2.5, None)}
    """
    writer = _Writer()
    tree = json.dumps([writer.write(value), writer.classes], separators=(",", ":")).encode("utf-8")
    stream = io.BytesIO()
    stream.write(len(tree).to_bytes(8, "little") + tree)
    for array in writer.arrays:
        np.lib.format.write_array(stream, array, version=(1, 0), allow_pickle=False)
    return stream.getvalue()


def unpack(data: bytes) -> Any:
    """Return the value of :func:`pack`.

    Raises
    ------
    ParameterError
        If the bytes are not what :func:`pack` returned, or name what this package no longer has.
    """
    stream = io.BytesIO(data)
    try:
        tree, classes = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
        arrays = []
        while stream.tell() < len(data):
            arrays.append(np.lib.format.read_array(stream, allow_pickle=False))
        return _Reader([_class(name) for name in classes], arrays).read(tree)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, ImportError) as error:
        raise ParameterError(f"packed data cannot be read: {error}") from error


class _Writer:
    """Turns values into lists that JSON can hold: a letter for the kind, then the parts."""

    def __init__(self) -> None:
        self.classes: list[str] = []
        self.arrays: list[NDArray[Any]] = []
        self._seen: dict[int, tuple[int, Any]] = {}
        self._known: dict[type, int] = {}

    def write(self, value: Any) -> Any:
        if value is None or type(value) in (bool, int, float, str):
            return value
        if id(value) in self._seen:
            return ["r", self._seen[id(value)][0]]
        shared = type(value) in _SHARED or isinstance(value, np.ndarray) or dataclasses.is_dataclass(value)
        if not shared or (isinstance(value, tuple) and not value):
            return self._write(value)
        text = self._write(value)
        # numbered when complete, so that the reader meets it in the same order
        self._seen[id(value)] = (len(self._seen), value)
        return text

    def _write(self, value: Any) -> Any:
        kind = type(value)
        if isinstance(value, np.ndarray):
            if value.dtype.kind not in "biuf":
                raise ParameterError(f"an array of {value.dtype} cannot be packed")
            self.arrays.append(value)
            return ["a", len(self.arrays) - 1]
        if isinstance(value, np.generic):
            self.arrays.append(np.asarray(value))
            return ["n", len(self.arrays) - 1]
        if isinstance(value, enum.Enum):
            return ["e", self._class(kind), value.value]
        if dataclasses.is_dataclass(value):
            parts = [self.write(getattr(value, f.name)) for f in dataclasses.fields(value)]
            return ["d", self._class(kind), *parts]
        if isinstance(value, tuple) and hasattr(kind, "_fields"):
            return ["d", self._class(kind), *map(self.write, value)]
        if kind in _MARKS:
            return [_MARKS[kind], *map(self.write, sorted(value) if kind is frozenset else value)]
        if isinstance(value, Mapping):
            mark = "p" if kind is MappingProxyType else "m"
            return [mark, *(self.write(part) for item in value.items() for part in item)]
        raise ParameterError(f"a {kind.__name__} cannot be packed")

    def _class(self, kind: type) -> int:
        if kind not in self._known:
            if not kind.__module__.startswith(_PACKAGE):
                raise ParameterError(f"a {kind.__name__} of {kind.__module__} cannot be packed")
            self._known[kind] = len(self.classes)
            self.classes.append(f"{kind.__module__}:{kind.__qualname__}")
        return self._known[kind]


class _Reader:
    """Builds the values again, in the order in which they were written."""

    def __init__(self, classes: list[Any], arrays: list[NDArray[Any]]) -> None:
        self._classes = classes
        self._arrays = arrays
        self._seen: list[Any] = []

    def read(self, part: Any) -> Any:
        if type(part) is not list:
            return part
        mark = part[0]
        if mark == "r":
            return self._seen[part[1]]
        if mark == "e":
            return self._classes[part[1]](part[2])
        if mark == "n":
            return self._arrays[part[1]][()]
        value = self._build(mark, part)
        if not (mark == "d" and isinstance(value, tuple)) and not (mark == "t" and not value):
            self._seen.append(value)
        return value

    def _build(self, mark: str, part: list[Any]) -> Any:
        if mark == "a":
            return self._arrays[part[1]]
        if mark == "d":
            return self._record(self._classes[part[1]], [self.read(p) for p in part[2:]])
        parts = [self.read(p) for p in part[1:]]
        if mark in "mp":
            found = dict(zip(parts[::2], parts[1::2], strict=True))
            return MappingProxyType(found) if mark == "p" else found
        return {"t": tuple, "l": list, "s": frozenset}[mark](parts)

    @staticmethod
    def _record(kind: Any, parts: list[Any]) -> Any:
        if issubclass(kind, tuple):
            return kind(*parts)
        fields = dataclasses.fields(kind)
        return kind(**{f.name: p for f, p in zip(fields, parts, strict=True)})


def _class(name: str) -> Any:
    module, _, path = name.partition(":")
    if not module.startswith(_PACKAGE):
        raise ValueError(f"{name} is not of this package")
    found: Any = importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    record = dataclasses.is_dataclass(found) or hasattr(found, "_fields")
    if not isinstance(found, type) or not (record or issubclass(found, enum.Enum)):
        raise ValueError(f"{name} is not a record")
    return found
