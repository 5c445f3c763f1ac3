"""Run folders that are written once, verified before they are believed, and indexed at will."""
