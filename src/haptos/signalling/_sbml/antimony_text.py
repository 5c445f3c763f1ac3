"""libAntimony, in this process or in a guarded child.

Run as a module it translates standard input: a child that crashes or takes too long
costs its parent nothing but an error.
"""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from typing import Final

from haptos.errors import ModelError

__all__ = ["translate", "translate_guarded"]

_ANTIMONY: Final = threading.Lock()
"""libAntimony keeps one set of models for the whole process."""


def translate(text: str) -> str:
    """Translate Antimony to SBML in this process.

    Raises
    ------
    ModelError
        With the line of the first fault.
    """
    import antimony

    with _ANTIMONY:
        antimony.clearPreviousLoads()
        try:
            if antimony.loadAntimonyString(text) < 0:
                raise ModelError(_fault(text, str(antimony.getLastError())))
            translated = antimony.getSBMLString(antimony.getMainModuleName())
        finally:
            antimony.clearPreviousLoads()
            antimony.freeAll()
    if not translated:
        raise ModelError("the Antimony text contains no model")
    return str(translated)


def _fault(text: str, message: str) -> str:
    lines = text.splitlines()
    found = re.search(r"line (\d+)", message)
    number = int(found.group(1)) if found else 0
    shown = f"\n    {number} | {lines[number - 1][:200]}" if 0 < number <= len(lines) else ""
    return f"the Antimony text cannot be read: {' '.join(message.split())[:1000]}{shown}"


def translate_guarded(text: str, limit: float) -> str:
    """Translate Antimony to SBML in a child process.

    Parameters
    ----------
    text : str
        Antimony.
    limit : float
        Longest time [s].

    Raises
    ------
    ModelError
        Also if the child crashes or takes longer.
    """
    command = [sys.executable, "-P", "-m", "haptos.signalling._sbml.antimony_text"]
    try:
        done = subprocess.run(command, input=text.encode(), capture_output=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired as fault:
        raise ModelError(f"the Antimony text was not translated within {limit:g} s") from fault
    if done.returncode == 0:
        return done.stdout.decode()
    if done.returncode == 1:
        raise ModelError(done.stderr.decode(errors="replace").strip())
    raise ModelError("libAntimony crashed on this text; simplify it until it can be read")


def _child() -> int:
    try:
        translated = translate(sys.stdin.buffer.read().decode())
    except ModelError as fault:
        sys.stderr.buffer.write(str(fault).encode(errors="replace"))
        return 1
    sys.stdout.buffer.write(translated.encode())
    return 0


if __name__ == "__main__":
    sys.exit(_child())
