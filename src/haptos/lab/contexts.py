"""A user's own cell contexts: found beside the file that names them.

``my_line.yaml`` beside a file of experiments or claims is found by the name ``my_line``; every file of
a folder ``cells`` beside it is read. Nothing is registered: the contexts go with the file, into the
conditions, their hashes and the run folder.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haptos.core.located import Document, load_yaml
from haptos.errors import Issue, SpecError

if TYPE_CHECKING:
    from haptos.conditions.catalogue import CellTerm
    from haptos.signalling.cells import CellLine
    from haptos.signalling.condition import Condition

__all__ = ["FOLDER", "cells_in", "contexts_beside", "contexts_of", "load_contexts", "own_terms", "write_contexts"]

#: Folder of cell files beside a file that names them.
FOLDER = "cells"
_ENDINGS = (".yaml", ".yml")
_KEYS = ("cells", "swap_cells")


def contexts_beside(file: Path | str, document: Document) -> dict[str, CellLine]:
    """Return the contexts that a file of experiments or claims may name besides those of the library.

    Parameters
    ----------
    file : Path
        The file.
    document : Document
        What it says.

    Raises
    ------
    SpecError
        With every problem of the cell files, each with its line.
    """
    from haptos.signalling.contexts.own import is_cell_file, read_contexts

    path = Path(file)
    folder = path.parent / FOLDER
    found = {
        p.resolve(): (p, True) for p in sorted(folder.iterdir() if folder.is_dir() else ()) if p.suffix in _ENDINGS
    }
    for name in sorted(set(_named(document.data))):
        for beside in _beside(path, name):
            found.setdefault(beside.resolve(), (beside, False))
    found.pop(path.resolve(), None)
    documents: list[Document] = []
    issues: list[Issue] = []
    for place, always in found.values():
        try:
            read = load_yaml(place)
        except SpecError as error:
            issues += error.issues
            continue
        if always or is_cell_file(read):
            documents.append(read)
    if issues:
        raise SpecError(issues)
    return read_contexts(documents) if documents else {}


def load_contexts(*files: Path | str) -> dict[str, CellLine]:
    """Return the contexts of cell files by identifier, for :func:`haptos.run`.

    Raises
    ------
    SpecError
        With every problem of the files, each with its line.
    """
    from haptos.signalling.contexts.own import read_contexts

    return read_contexts([load_yaml(file) for file in files])


def _named(data: Any) -> Iterator[str]:
    """Return all names of cells in plain data."""
    if isinstance(data, Mapping):
        for key, value in data.items():
            if key in _KEYS and isinstance(value, str):
                yield value
            else:
                yield from _named(value)
    elif isinstance(data, list):
        for value in data:
            yield from _named(value)


def _beside(path: Path, name: str) -> Iterator[Path]:
    """Return the files beside `path` that may describe the cells `name`."""
    stem = next((name.removesuffix(e) for e in _ENDINGS if name.endswith(e)), name)
    if stem and not any(c in "/\\" for c in stem):
        yield from (p for p in (path.with_name(f"{stem}{e}") for e in _ENDINGS) if p.is_file())


def own_terms(contexts: Mapping[str, CellLine]) -> tuple[CellTerm, ...]:
    """Return contexts as terms, for the check and the wording of claims that name them."""
    from haptos.conditions.catalogue import CellTerm

    return tuple(
        CellTerm(id=cell.id, label=cell.label[:160] or cell.id, kind="cell_line", organism="not given")
        for cell in contexts.values()
    )


def contexts_of(conditions: Iterable[Condition]) -> dict[str, CellLine]:
    """Return the user's contexts in conditions, by identifier."""
    found = {cell.id: cell for condition in conditions for cell in condition.contexts}
    return dict(sorted(found.items()))


def cells_in(conditions: Iterable[Condition]) -> dict[str, Any]:
    """Return what the user's contexts add to the specification of a run; nothing if there are none."""
    found = contexts_of(conditions)
    return {"contexts": [cell.canonical() for cell in found.values()]} if found else {}


def write_contexts(folder: Path, contexts: Mapping[str, CellLine]) -> None:
    """Write the contexts of a run into its folder, where the copy of its experiment finds them again."""
    from haptos.signalling.contexts.own import cell_text
    from haptos.store.files import told, write_whole

    if not contexts:
        return
    with told("make the folder", folder / FOLDER):
        (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    for name, cell in contexts.items():
        write_whole(folder / FOLDER / f"{name}.yaml", cell_text(cell).encode())
