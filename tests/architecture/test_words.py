"""What must not stand in a published file: download hosts, paths of somebody's machine."""

from __future__ import annotations

import re

import pytest

from architecture.source import ROOT, project_files

# written in halves so that this file does not contain them
HOSTS = [
    "py" + "pi.org",
    "python" + "hosted.org",
    "anaconda" + ".org",
    "npm" + "js.org",
    "crates" + ".io",
    "simple" + "/pypi",
]
PATHS = ["/" + "work/", "/" + "root/", "/" + "opt/wheels", "/" + "opt/pypi", "/" + "tmp/brief", "/home/" + "user"]
TEXT = {
    ".py",
    ".toml",
    ".md",
    ".yaml",
    ".yml",
    ".txt",
    ".ant",
    ".bib",
    ".cff",
    ".cfg",
    ".json",
    ".sh",
    ".csv",
    ".html",
    "",
}
AMERICAN = re.compile(r"\b(signaling|neutraliz|behavior|tumor\b|modeling)", re.IGNORECASE)


def texts() -> list[tuple[str, str]]:
    files = [f for f in project_files() if f.suffix in TEXT]
    return [(f.relative_to(ROOT).as_posix(), f.read_text(encoding="utf-8")) for f in files]


@pytest.mark.parametrize("word", [*HOSTS, *PATHS])
def test_no_hosts_and_no_private_paths(word: str) -> None:
    assert [name for name, text in texts() if word in text] == []


def test_pins_and_settings_name_no_address() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.findall(r"https?://\S+", text) == []
    assert "index" not in re.findall(r"^\[+tool\.uv\.?(\w*)", text, re.MULTILINE)


def test_the_lock_is_not_committed() -> None:
    assert ROOT / "uv.lock" not in project_files()


def test_british_spelling() -> None:
    prose = [(n, t) for n, t in texts() if n.endswith(".md") or (n.startswith("src/") and n.endswith(".py"))]
    assert {n: sorted(set(AMERICAN.findall(t))) for n, t in prose if AMERICAN.search(t)} == {}


def test_files_are_small() -> None:
    sizes = {f.relative_to(ROOT).as_posix(): f.stat().st_size for f in project_files()}
    assert sizes.pop("src/haptos/library/ensemble/members.csv") < 3_000_000  # 256 members of some thousand numbers
    assert {name: size for name, size in sizes.items() if size > 2_000_000} == {}
