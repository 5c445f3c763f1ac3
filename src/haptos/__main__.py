"""Lets ``python -m haptos`` be the command line."""

from __future__ import annotations

from haptos.cli import main

if __name__ == "__main__":
    main()
