"""YAML 1.2 and JSON documents that remember on which line everything stood."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path as FilePath
from typing import Any

from haptos.core.kept import code_checksum, load_kept, save_kept
from haptos.errors import Issue, SpecError

__all__ = ["Document", "Path", "load_yaml", "parse_yaml"]

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data with the place of each of its parts.

    Attributes
    ----------
    data : object
        Dictionaries, lists and scalars.
    lines : dict
        Line (from 1) of each path; the root is ``()``. Keys of mappings are placed at the key.
    name : str
        File name for messages.
    """

    data: Any
    lines: dict[Path, int]
    name: str

    def where(self, path: Path) -> str:
        """Return ``file:line (dotted.path)`` of `path` or of its nearest known parent."""
        known: Path = ()
        for part in path:
            if (*known, part) in self.lines:
                known = (*known, part)
        dotted = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in known).lstrip(".")
        place = f"{self.name}:{self.lines.get(known, 1)}"
        return f"{place} ({dotted})" if dotted else place


def load_yaml(file: FilePath | str) -> Document:
    """Read a YAML 1.2 file.

    Raises
    ------
    SpecError
        If the file is missing, not UTF-8, not valid YAML, or repeats a key; all repeated
        keys are reported at once.
    """
    path = FilePath(file)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        issue = Issue("no such file", str(file), hint="check the path; 'haptos new FILE' writes an example")
        raise SpecError([issue]) from error
    except IsADirectoryError as error:
        raise SpecError([Issue("this is a folder, not a file", str(file))]) from error
    except UnicodeDecodeError as error:
        raise SpecError([Issue(f"not UTF-8 text (byte {error.start})", str(file))]) from error
    return parse_yaml(text, name=str(file))


def parse_yaml(text: str, *, name: str = "<text>", keep: bool = False) -> Document:
    """Read YAML 1.2 text; see :func:`load_yaml`.

    Parameters
    ----------
    text : str
        The text.
    name : str
        File name for messages.
    keep : bool
        Whether a sound document is kept on disk for the next process; for large files that
        seldom change.
    """
    if not keep:
        return _parse(text, name)
    key = (_reader_version(), text)
    found = _revived(load_kept("documents", key), name)
    if found is None:
        found = _parse(text, name)
        _keep(key, found)
    return found


@cache
def _reader_version() -> str:
    """Return what decides how a text is read."""
    from importlib.metadata import version

    return f"{version('ruamel.yaml')} {code_checksum('core/located.py')}"


def _revived(content: bytes | None, name: str) -> Document | None:
    """Return a kept document; None if there is none."""
    if content is None:
        return None
    data, lines = json.loads(content)
    return Document(data, {tuple(path): line for line, *path in lines}, name)


def _keep(key: tuple[str, str], document: Document) -> None:
    """Keep a document, if JSON can hold it as it is (dates and numbers as keys it cannot)."""
    raw = [document.data, [[line, *path] for path, line in document.lines.items()]]
    try:
        content = json.dumps(raw, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode("utf-8")
    except (TypeError, ValueError):
        return
    if json.loads(content) == raw:
        save_kept("documents", key, content)


def _parse(text: str, name: str) -> Document:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    reader = YAML(typ="safe", pure=True)
    reader.version = (1, 2)
    try:
        node = reader.compose(text)
    except MarkedYAMLError as error:
        raise SpecError([_syntax_issue(error, name)]) from error
    except YAMLError as error:
        raise SpecError([Issue(f"not valid YAML: {error}", name)]) from error
    except RecursionError as error:
        raise SpecError([Issue("nested too deeply", name)]) from error
    builder = _Builder(reader, name)
    try:
        data = None if node is None else builder.build(node, ())
    except RecursionError as error:
        raise SpecError([Issue("nested too deeply, or an anchor that holds itself", name)]) from error
    if builder.issues:
        raise SpecError(builder.issues)
    return Document(data, builder.lines, name)


def _syntax_issue(error: Any, name: str) -> Issue:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark is not None else 1
    what = " ".join(str(p) for p in (error.context, error.problem) if p)
    hint = "indent with spaces, put a space after ':' and quote text that contains ': ' or '#'"
    if "\\t" in what or "tab" in what:
        hint = "indent with spaces, not tabs"
    return Issue(f"not valid YAML: {what}", f"{name}:{line}", hint=hint)


class _Builder:
    """Turns composed nodes into plain data and notes their lines."""

    def __init__(self, reader: Any, name: str) -> None:
        self._constructor = reader.constructor
        self._name = name
        self.lines: dict[Path, int] = {}
        self.issues: list[Issue] = []

    def build(self, node: Any, path: Path) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if node.id == "mapping":
            return self._mapping(node, path)
        if node.id == "sequence":
            return [self.build(child, (*path, i)) for i, child in enumerate(node.value)]
        return self._scalar(node)

    def _scalar(self, node: Any) -> Any:
        """Read a scalar; what cannot be read (an impossible date, an unknown tag) becomes an issue."""
        from ruamel.yaml.error import MarkedYAMLError

        try:
            return self._constructor.construct_object(node, deep=True)
        except (MarkedYAMLError, ValueError, TypeError) as error:
            what = getattr(error, "problem", None) or str(error)
            where = f"{self._name}:{node.start_mark.line + 1}"
            hint = "put it in quotes to keep it as text"
            self.issues.append(Issue(f"cannot read this value: {what}", where, hint=hint))
            return None

    def _mapping(self, node: Any, path: Path) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = self._scalar(key_node)
            line = key_node.start_mark.line + 1
            if not isinstance(key, (str, int)) or isinstance(key, bool):
                key = key_node.value if key_node.id == "scalar" else str(key)  # null and true are names here
            if key in result:
                first = self.lines[(*path, key)]
                self.issues.append(
                    Issue(f"the key {key!r} stands twice (first on line {first})", f"{self._name}:{line}")
                )
                continue
            self.lines[(*path, key)] = line
            result[key] = self.build(value_node, (*path, key))
        return result
