"""``haptos reproduce``."""

from __future__ import annotations

from pathlib import Path

from haptos.cli.running import bench_of, finish

__all__ = ["reproduce_command"]


def reproduce_command(
    source: str,
    *,
    level: str | None,
    system: str | None,
    workers: int | None,
    members: int | None,
    runs: Path | None,
    as_json: bool,
    open_report: bool,
) -> None:
    """Judge the claims of a source and show the board; leave with 1 if one is contradicted."""
    from haptos.cli.showing import show_result
    from haptos.errors import EvidenceError, ParameterError
    from haptos.lab.reproduce import reproduce_claims, source_claims

    try:
        title, claims = source_claims(source, level=level, system=system)
    except EvidenceError as error:
        raise ParameterError(str(error)) from error
    result = reproduce_claims(title, claims, bench_of(runs, workers, quiet=as_json), members=members)
    show_result(result, as_json=as_json)
    contradicted = result.manifest.headline["counts"].get("contradicted", 0)
    finish(result.folder, open_report=open_report, failed=bool(contradicted))
