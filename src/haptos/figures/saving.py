"""Figures as files whose bytes depend on nothing but the figure."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from haptos.errors import ParameterError, StoreError
from haptos.figures.style import journal_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["as_png", "as_svg", "save"]


def as_svg(figure: Figure) -> bytes:
    """Return the figure as SVG with letters as outlines: no font is needed to view it."""
    buffer = BytesIO()
    with journal_style():
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()


def as_png(figure: Figure, *, dpi: int = 300) -> bytes:
    """Return the figure as PNG; `dpi` in dots per inch."""
    buffer = BytesIO()
    with journal_style():
        figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()


def save(figure: Figure, folder: Path | str, name: str) -> list[Path]:
    """Write ``name.svg`` and ``name.png`` into an existing folder and return their paths.

    Raises
    ------
    ParameterError
        If `name` is not a plain file name.
    StoreError
        If the folder is missing or cannot be written.
    """
    if not name or Path(name).name != name:
        raise ParameterError(f"{name!r} is no file name; write for instance 'figure-1'")
    paths = [Path(folder) / f"{name}.svg", Path(folder) / f"{name}.png"]
    for path, content in zip(paths, (as_svg(figure), as_png(figure)), strict=True):
        try:
            path.write_bytes(content)
        except OSError as error:
            raise StoreError(f"cannot write the figure {path}: {error.strerror or error}") from error
    return paths
