"""Experiments and results in plain sentences, for the terminal and the report alike."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from haptos.conditions.interventions import Intervention, describe

if TYPE_CHECKING:
    from haptos.assays.base import Noise
    from haptos.conditions.experiment import Experiment, Protocol

__all__ = ["arm_text", "comparison_text", "fold_text", "method_texts", "number", "p_text", "question", "readout_text"]


def arm_text(steps: Sequence[Intervention]) -> str:
    """Return what is done in an arm; an empty arm is untreated.

    Examples
    --------
    >>> arm_text(())
    'untreated'
    """
    return " + ".join(describe(step) for step in steps) or "untreated"


def readout_text(measure: str, of: str) -> str:
    """Return a readout in words.

    Examples
    --------
    >>> readout_text("level", "MMP9"), readout_text("migrated", "")
    ('MMP9 level', 'migrated')
    """
    return f"{of} {measure.replace('_', ' ')}".strip()


def number(value: Any, digits: int = 3) -> str:
    """Return a number for reading; missing values are a dash.

    Examples
    --------
    >>> number(1234.5), number(0.01234), number(float("nan")), number(2.0)
    ('1,230', '0.0123', '–', '2.00')
    """
    if value is None or math.isnan(value):
        return "–"
    size = abs(float(value))
    if math.isinf(size):
        return "∞" if value > 0 else "−∞"
    if size == 0:
        return "0"
    if size < 1e-3 or size >= 1e6:
        return f"{value:.{digits - 1}e}"
    places = digits - 1 - math.floor(math.log10(size))
    return f"{round(float(value), places):,.{max(0, places)}f}"


def p_text(p: Any) -> str:
    """Return a p value as printed.

    Examples
    --------
    >>> p_text(0.00004), p_text(0.0312), p_text(float("nan"))
    ('< 0.001', '0.031', '–')
    """
    if p is None or math.isnan(p):
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def fold_text(row: Mapping[str, Any]) -> str:
    """Return ratio and interval of a test, for instance ``2.10 (1.50 to 2.90)``."""
    return f"{number(row['ratio'])} ({number(row['low'])} to {number(row['high'])})"


def comparison_text(row: Mapping[str, Any], fold: Mapping[str, Any] | None = None, *, test: bool = False) -> str:
    """Return one comparison as a sentence: effect, interval, p, and the model's own spread.

    Parameters
    ----------
    row : mapping
        A row of the comparisons.
    fold : mapping, optional
        The row of the fold changes over the ensemble.
    test : bool
        Whether to name the statistical test.
    """
    what = f"{readout_text(row['measure'], row['of'])}, {row['test']} against {row['against']}"
    p = p_text(row["p_adjusted"])
    if p == "–":
        text = f"{what}: {row['words']}"
    else:
        chance = f"p {'' if p.startswith('<') else '= '}{p}"
        interval = f"95 % interval {number(row['low'])} to {number(row['high'])}"
        text = f"{what}: {number(row['ratio'])}-fold ({interval}, {chance})"
        text += f", {row['words']}" if test else ""
    if fold is not None and fold["members"]:
        text += f"; parameter sets {number(fold['median'])}-fold ({number(fold['low'])} to {number(fold['high'])})"
    return f"{text}."


def question(experiment: Experiment, assay_label: str) -> tuple[str, ...]:
    """Return what was asked, in a few sentences."""
    culture = experiment.culture
    where = {"2D": f"on {culture.coating}", "3D": f"in {culture.coating}", "suspension": "in suspension"}[
        culture.geometry
    ]
    n = experiment.replicates.biological
    technical = experiment.replicates.technical
    wells = f", {technical} measurements each" if technical > 1 else ""
    lines = [f"{experiment.cells} cells {where}, {_percent(culture.serum.value)} serum."]
    if experiment.shared:
        lines.append(f"In all arms: {arm_text(experiment.shared)}.")
    arms = "; ".join(f"{label} ({arm_text(steps)})" for label, steps in experiment.arms.items())
    lines.append(f"Arms: {arms}.")
    lines.append(f"Read by {assay_label}, {n} independent repeats{wells}.")
    return tuple(lines)


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.3g} %"


def method_texts(
    protocol: Protocol, assay_label: str, noise: Noise, words: str, facts: Mapping[str, Any]
) -> tuple[tuple[str, str], ...]:
    """Return heading and text of each part of the methods.

    Parameters
    ----------
    protocol : Protocol
        The assay's protocol.
    assay_label : str
        How the bench calls the assay.
    noise : Noise
        Its observation model.
    words : str
        The statistical test in words.
    facts : mapping
        ``fingerprint``, ``members``, ``seed``, ``version``.
    """
    fields = {name: getattr(protocol, name) for name in type(protocol).model_fields if name != "name"}
    settings = ", ".join(f"{name.replace('_', ' ')} {_plain(value)}" for name, value in fields.items() if value)
    observed = (
        f"Technical variation {_percent(noise.technical)}, biological variation {_percent(noise.biological)} "
        f"(coefficients of variation); changes below {number(noise.smallest_fold)}-fold count as none. "
        f"Basis: {noise.source}."
    )
    model = (
        f"Fingerprint {facts['fingerprint']}; bars are the reference parameters with bench noise, bands the "
        f"5 to 95 % range of {facts['members']} parameter sets of the ensemble without noise."
    )
    seed = (
        f"{facts['seed']}; haptos {facts['version']}. With the package versions of the manifest the same file gives "
        "the same numbers, whatever the number of workers."
    )
    return (
        ("Assay", f"{assay_label}: {settings}."),
        ("Noise", observed),
        ("Statistics", f"{words[:1].upper()}{words[1:]}." if words else "No test was possible."),
        ("Model", model),
        ("Seed", seed),
    )


def _plain(value: Any) -> str:
    """Return a value of a protocol as text, quantities as they were written."""
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
