"""Tell which parameters the calibration identifies: a page of the documentation and a table."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from haptos.errors import ParameterError
from haptos.inference.identifiability import Local, Spread, bound_weights, local_information, spread_of

if TYPE_CHECKING:
    from haptos.inference.terms import Term
    from haptos.lab.reproduce import Reproduction

__all__ = [
    "Identified",
    "Named",
    "identify",
    "noise_of",
    "page",
    "parameters_by_module",
    "report",
    "table",
]

Array = NDArray[np.float64]

#: Share of the prior variance that must be removed for a parameter to count as identified: its standard
#: deviation is then 0.71 of that of the prior.
ENOUGH = 0.5
#: The same for the ensemble, as a ratio of standard deviations.
NARROW = 0.75
_MOST = 60
_DIRECTIONS = 12
_PAIRS = 20

_TEXT = """\
# Which parameters are identified

Written by `tools/calibrate.py identify`{about}.

All numbers are in standard deviations of the prior, so that 1 is what was assumed before any finding was looked at.

**What is told here, and what is not.** {rows} findings were used, {terms} of them terms of the calibration and the
others claims. Nearly all of them say that something rises, falls or stays, by at least what the assay
resolves: they are bounds, not numbers. **A bound that is met gives one-sided information only**: it keeps a
parameter from going further one way and says nothing of the other. So three answers stand side by side.

- *as bounds*: each finding weighs by the curvature of its bound at the middle of the ensemble (none where it is
  well met). This is what the calibration learns from.
- *as numbers*: as if each effect had been measured as a number with the noise of its assay. It is an upper
  limit: what these experiments could identify, were their effects published with errors.
- *ensemble*: standard deviation of the {members} members over that of the plain draws behind
  them (relative standard error {error:.0%}).

The first two are local (Fisher information of the readings at the middle) and linear; neither sees other
regions of the parameters. "Removed" is the share of the prior variance that is gone, 1 - diag((1 + J'WJ/noise²)^-1).

## In numbers

| | as bounds | as numbers | terms alone, as numbers |
|---|---|---|---|
| stiff directions (told more of than the prior) | {stiff} |
| parameters' worth of variance removed, of {p} | {learned} |
| parameters with at least {enough:.0%} removed | {identified} |
| largest singular values | {largest} |

{met} of the {rows} bounds are met at the middle by more than two standard deviations of the reading; they tell next
to nothing there. {unusable} findings have no finite derivative and are left out. In the ensemble, {narrowed} parameters
are narrower than {narrow:.2f} of their start by more than two standard errors.{warning}

## Identified parameters

Those of which bounds remove at least {enough:.0%} of the variance, or that the ensemble narrows below
{narrow:.2f}{cut}. The whole table: `library/calibration/identifiability.csv`.

| parameter | module | confidence | removed, as bounds | removed, as numbers | ensemble over start |
|---|---|---|---|---|---|
{identified_rows}

## Directions that are known best

Products and quotients of parameters of which the bounds tell more than the prior: weights of the logarithms,
in standard deviations of the prior; the first {directions}.

| singular value | direction |
|---|---|
{direction_rows}

## Pairs that the ensemble ties together

Correlations of at least {threshold:.2f}, which chance does not give among so many pairs.{more_pairs}

| pair | correlation |
|---|---|
{pair_rows}

## Not identified, by module

| module | free parameters | as bounds at least {enough:.0%} | as numbers at least {enough:.0%} | ensemble narrowed \
| by none of these |
|---|---|---|---|---|---|
{module_rows}
"""


@dataclass(frozen=True, slots=True)
class Named:
    """A free parameter: its name, the module whose table holds it, and how well its value is known."""

    name: str
    module: str
    confidence: str


@dataclass(frozen=True)
class Identified:
    """Everything that is known about what is identified.

    Attributes
    ----------
    parameters : tuple of Named
        The free parameters, in the order of the columns.
    bounds, numbers, terms : Local
        Findings as bounds, as numbers, and the terms of the calibration alone as numbers.
    ensemble : Spread
        The members.
    members, findings, n_terms, met : int
        How many there are of each; `met` bounds are met by more than two standard deviations.
    """

    parameters: tuple[Named, ...]
    bounds: Local
    numbers: Local
    terms: Local
    ensemble: Spread
    members: int
    findings: int
    n_terms: int
    met: int


def parameters_by_module() -> tuple[Named, ...]:
    """Return the free parameters of the library in the order of the prior."""
    from haptos.core.parameters import load_table
    from haptos.signalling.building.parameters import TABLES, free_parameters, load_parameters

    homes = {name: module for module in TABLES for name in load_table(module)}
    table = load_parameters()
    return tuple(Named(name, homes.get(name, "integrin"), table[name].confidence) for name in free_parameters())


def noise_of(whole: Reproduction, terms: Sequence[Term], names: Sequence[str], *, other: float) -> Array:
    """Return the noise of every margin: half the smallest effect that its assay resolves.

    Parameters
    ----------
    whole : Reproduction
        The claims with their plans.
    terms : sequence of Term
        The terms of the calibration.
    names : sequence of str
        Names of the margins: of claims, and ``term`` with the record of a term.
    other : float
        Noise of what has neither plan nor term.
    """
    folds = {name: p.smallest_fold for name, p in whole.plans.items()}
    folds |= {f"term {t.name}": t.smallest_fold for t in terms}
    return np.array([0.5 * np.log(folds[name]) if name in folds else other for name in names])


def identify(
    parameters: Sequence[Named],
    names: Sequence[str],
    margins: Array,
    slopes: Array,
    deviations: Array,
    *,
    noise: Array | float,
    start: float,
) -> Identified:
    """Return what margins, their sensitivities and the members of an ensemble say of the parameters.

    Parameters
    ----------
    parameters : sequence of Named
        The free parameters, p of them.
    names : sequence of str
        Names of the margins; those of terms begin with ``term``.
    margins, slopes : ndarray, shape (m,) and (m, p)
        At the middle of the ensemble.
    deviations : ndarray, shape (n, p)
        Members, in standard deviations of the prior.
    noise : ndarray of shape (m,) or float
        Standard deviation of the readings behind the margins.
    start : float
        Standard deviation of the plain draws behind the members (before anything was learned), relative to
        the prior.

    Raises
    ------
    ParameterError
        If the shapes do not fit.
    """
    m, p = len(names), len(parameters)
    if margins.shape != (m,) or slopes.shape != (m, p) or deviations.ndim != 2 or deviations.shape[1] != p:
        raise ParameterError(
            f"{m} findings and {p} parameters do not fit margins {margins.shape}, sensitivities {slopes.shape} "
            f"and members {deviations.shape}; the checkpoints are of another model, calibrate again"
        )
    noises = np.broadcast_to(np.asarray(noise, dtype=np.float64), (m,))
    own = np.array([name.startswith("term ") for name in names], dtype=bool)
    return Identified(
        parameters=tuple(parameters),
        bounds=local_information(slopes, noises, weights=bound_weights(margins, noises)),
        numbers=local_information(slopes, noises),
        terms=local_information(slopes[own], noises[own]),
        ensemble=spread_of(deviations, start=start),
        members=len(deviations),
        findings=m,
        n_terms=int(own.sum()),
        met=int(np.sum(np.nan_to_num(margins, nan=-1.0) > 2.0 * noises)),
    )


def report(
    names: Sequence[str],
    margins: Array,
    slopes: Array,
    deviations: Array,
    *,
    noise: Array | float,
    start: float,
    page_file: Path,
    table_file: Path,
    about: str = "",
) -> Identified:
    """Write page and table of a calibration of the library's parameters.

    Parameters
    ----------
    names, margins, slopes, deviations, noise, start
        See :func:`identify`.
    page_file, table_file : Path
        Written anew.
    about : str
        Which model and ensemble it is, for the page.
    """
    found = identify(parameters_by_module(), names, margins, slopes, deviations, noise=noise, start=start)
    page_file.write_text(page(found, about), encoding="utf-8")
    table_file.write_text(table(found), encoding="utf-8")
    return found


# --- page and table --------------------------------------------------------------------


def page(found: Identified, about: str = "") -> str:
    """Return the page of the documentation; `about` says of which model and ensemble."""
    locals_ = (found.bounds, found.numbers, found.terms)
    ours = _identified(found)
    pairs = found.ensemble.pairs
    return _TEXT.format(
        about=f", for {about}" if about else "",
        rows=found.findings,
        terms=found.n_terms,
        members=found.members,
        error=found.ensemble.error,
        p=len(found.parameters),
        stiff=" | ".join(str(x.stiff) for x in locals_),
        learned=" | ".join(f"{x.learned:.1f}" for x in locals_),
        identified=" | ".join(str(int(np.sum(x.removed >= ENOUGH))) for x in locals_),
        largest=" | ".join(", ".join(f"{s:.3g}" for s in x.singular[:3]) or "none" for x in locals_),
        enough=ENOUGH,
        narrow=NARROW,
        met=found.met,
        unusable=found.numbers.unusable,
        narrowed=int(found.ensemble.resolved(NARROW).sum()),
        warning=_warning(found.ensemble),
        cut=f" (the first {_MOST} of {len(ours)})" if len(ours) > _MOST else "",
        identified_rows=_lines(_parameter_row(found, i) for i in ours[:_MOST]),
        directions=min(_DIRECTIONS, found.bounds.stiff),
        direction_rows=_lines(_direction_row(found, k) for k in range(min(_DIRECTIONS, found.bounds.stiff))),
        threshold=found.ensemble.threshold,
        more_pairs=f" The first {_PAIRS} of {len(pairs)}." if len(pairs) > _PAIRS else "",
        pair_rows=_lines(
            f"| {_name(found, q.first)}, {_name(found, q.second)} | {q.correlation:.2f} |" for q in pairs[:_PAIRS]
        ),
        module_rows=_lines(_module_rows(found)),
    )


def _warning(ensemble: Spread) -> str:
    """Say so if most parameters are wider or narrower than their start: it is then not the one given."""
    middle = float(np.median(ensemble.narrowed))
    if 0.85 <= middle <= 1.18:
        return ""
    return (
        f"\n\n**The median parameter has {middle:.2f} of the standard deviation at the start. Most should be left as "
        "they were: so the start given is not that of these members, or more than the findings drew them together.**"
    )


def _lines(rows: Iterable[str]) -> str:
    found = list(rows)
    return "\n".join(found) if found else "| none |"


def _identified(found: Identified) -> list[int]:
    """Return the identified parameters, best first."""
    narrow = found.ensemble.resolved(NARROW)
    chosen = np.flatnonzero((found.bounds.removed >= ENOUGH) | narrow)
    return [int(i) for i in sorted(chosen, key=lambda i: (-found.bounds.removed[i], found.ensemble.narrowed[i]))]


def _name(found: Identified, i: int) -> str:
    return f"`{found.parameters[i].name}`"


def _parameter_row(found: Identified, i: int) -> str:
    named = found.parameters[i]
    shares = f"{found.bounds.removed[i]:.2f} | {found.numbers.removed[i]:.2f} | {found.ensemble.narrowed[i]:.2f}"
    return f"| `{named.name}` | {named.module} | {named.confidence} | {shares} |"


def _direction_row(found: Identified, k: int) -> str:
    parts = [f"{weight:+.2f} {_name(found, i)}" for i, weight in found.bounds.leading(k) if abs(weight) >= 0.1]
    return f"| {found.bounds.singular[k]:.3g} | {', '.join(parts) or 'many parameters, each a little'} |"


def _module_rows(found: Identified) -> list[str]:
    modules = np.array([named.module for named in found.parameters])
    bounds, numbers = (x.removed >= ENOUGH for x in (found.bounds, found.numbers))
    narrow = found.ensemble.resolved(NARROW)
    none = ~(bounds | numbers | narrow)
    rows = []
    for module in (*dict.fromkeys(modules), "all"):
        here = modules == module if module != "all" else np.ones(len(modules), dtype=bool)
        counts = " | ".join(str(int(np.sum(flags & here))) for flags in (bounds, numbers, narrow, none))
        rows.append(f"| {module} | {int(here.sum())} | {counts} |")
    return rows


def table(found: Identified) -> str:
    """Return one row per free parameter, as CSV."""
    partners: dict[int, tuple[str, float]] = {}
    for pair in found.ensemble.pairs:  # the strongest first
        for one, other in ((pair.first, pair.second), (pair.second, pair.first)):
            partners.setdefault(one, (found.parameters[other].name, pair.correlation))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    head = ("parameter", "module", "confidence", "removed_bounds", "removed_numbers", "removed_terms")
    writer.writerow((*head, "sd_over_start", "partner", "correlation"))
    for i, named in enumerate(found.parameters):
        shares = [f"{x.removed[i]:.4f}" for x in (found.bounds, found.numbers, found.terms)]
        partner, correlation = partners.get(i, ("", float("nan")))
        tied = (partner, f"{correlation:.3f}" if partner else "")
        writer.writerow(
            (named.name, named.module, named.confidence, *shares, f"{found.ensemble.narrowed[i]:.3f}", *tied)
        )
    return stream.getvalue()
