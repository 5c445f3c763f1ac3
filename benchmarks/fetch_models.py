"""Put the public models of the benchmarks into a folder, with git.

Usage::

    python benchmarks/fetch_models.py FOLDER --origin ORIGIN

ORIGIN holds the repositories: an address or a folder with ``owner/name`` below it (for
outsiders: the usual public host of git repositories), or a folder of mirrors
named ``owner+name``. Only the newest commit is fetched; nothing of it is kept but the
model files, named by their keys, and ``origins.txt`` with the commits.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from pathlib import Path

from models import MODELS


def main() -> None:
    """Read the arguments and fetch."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--origin", required=True)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    origins = []
    for model in MODELS:
        if not model.repository:
            continue
        with tempfile.TemporaryDirectory() as scratch:
            store = _mirror(given.origin, model.repository) or _clone(given.origin, model.repository, scratch)
            text = _git(store, "show", f"HEAD:{model.path}")
            commit = _git(store, "rev-parse", "HEAD").decode().strip()
        (given.folder / f"{model.key}.xml").write_bytes(text)
        origins.append(f"{model.key} {model.repository} {commit} {model.path}\n")
        print(origins[-1], end="", flush=True)
    (given.folder / "origins.txt").write_text("".join(origins), encoding="utf-8")


def _mirror(origin: str, repository: str) -> Path | None:
    """Return the git folder of a mirror, if there is one."""
    base = Path(origin) / repository.replace("/", "+")
    places = (base, base / ".git", base / "repo", base / "repo" / ".git")
    return next((p for p in places if (p / "HEAD").is_file() and (p / "objects").is_dir()), None)


def _clone(origin: str, repository: str, scratch: str) -> Path:
    source = f"{origin.rstrip('/')}/{repository}"
    command = ["git", "clone", "--quiet", "--bare", "--depth", "1", "--filter=blob:none", source, scratch]
    subprocess.run(command, check=True)
    return Path(scratch)


def _git(store: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", f"--git-dir={store}", *arguments], check=True, capture_output=True).stdout


if __name__ == "__main__":
    main()
