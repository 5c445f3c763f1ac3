"""Write the versions of the resolved environment into pyproject.toml, by name only.

``uv.lock`` names download hosts and is therefore not committed. The pins live in
``[tool.uv] constraint-dependencies`` instead: names and exact versions, sorted.

    uv run tools/pin.py             pin what is resolved now
    uv run tools/pin.py --check     exit with 1 if the pins differ from what is resolved
    uv run tools/pin.py --upgrade   forget the pins, resolve afresh, pin again
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BEGIN = "# pins: begin (written by tools/pin.py)"
END = "# pins: end"


def pins_of(lock_text: str) -> list[str]:
    r"""Return ``name==version`` of every package that the lock resolves to one version.

    Packages that resolve to several versions (by platform) stay free, and so does the
    project itself, which has no registry version.

    Examples
    --------
    >>> pins_of('[[package]]\nname = "b"\nversion = "2"\n[[package]]\nname = "a"\nversion = "1.0"\n')
    ['a==1.0', 'b==2']
    """
    versions: dict[str, set[str]] = {}
    for package in tomllib.loads(lock_text).get("package", []):
        if "editable" not in package.get("source", {}):
            versions.setdefault(package["name"], set()).add(package["version"])
    return [f"{name}=={next(iter(found))}" for name, found in sorted(versions.items()) if len(found) == 1]


def with_pins(project_text: str, pins: list[str]) -> str:
    r"""Return the text of pyproject.toml with its block of pins replaced, or added at the end.

    Examples
    --------
    >>> once = with_pins("[project]\n", ["a==1"])
    >>> with_pins(once, ["a==2"]).count("==")
    1
    """
    block = f"{BEGIN}\n[tool.uv]\nconstraint-dependencies = [\n" + "".join(f'  "{p}",\n' for p in pins) + f"]\n{END}\n"
    found = re.compile(re.escape(BEGIN) + r".*?" + re.escape(END) + r"\n", re.DOTALL)
    if found.search(project_text):
        return found.sub(lambda _: block, project_text)
    return f"{project_text.rstrip()}\n\n{block}"


def lock(*options: str) -> str:
    """Resolve the environment and return the text of the lock."""
    subprocess.run(["uv", "lock", "--quiet", *options], cwd=ROOT, check=True)
    return (ROOT / "uv.lock").read_text(encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Pin, check or upgrade; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only compare")
    parser.add_argument("--upgrade", action="store_true", help="resolve afresh first")
    options = parser.parse_args(arguments)
    project = ROOT / "pyproject.toml"
    before = project.read_text(encoding="utf-8")
    if options.upgrade:
        project.write_text(with_pins(before, []), encoding="utf-8")
    after = with_pins(before, pins_of(lock("--upgrade") if options.upgrade else lock()))
    if options.check:
        if after != before:
            print("the pins differ from the resolved environment; run: uv run tools/pin.py", file=sys.stderr)
        return int(after != before)
    project.write_text(after, encoding="utf-8")
    print(f"{after.count('==')} pins written to {project.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
