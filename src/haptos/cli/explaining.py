"""``haptos explain``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haptos.cli.console import out, to_json
from haptos.cli.running import bench_of
from haptos.lab.words import number

if TYPE_CHECKING:
    from rich.console import Console

    from haptos.lab.explain.explaining import Explanation, Settled
    from haptos.lab.explain.ranking import Carrier

__all__ = ["explain_command"]


def explain_command(what: str, *, workers: int | None, runs: Path | None, most: int, as_json: bool) -> None:
    """Say which steps of the model carry an effect, and what would decide between routes."""
    from haptos.errors import EvidenceError, ParameterError
    from haptos.lab.explain.explaining import explain, workshop

    try:
        found = explain(what, workshop(bench_of(runs, workers, quiet=as_json)), most=most)
    except EvidenceError as error:
        raise ParameterError(str(error)) from error
    if as_json:
        to_json(_plain(found))
    else:
        _show(out(), found)


def _show(console: Console, found: Explanation) -> None:
    ranking = found.ranking
    console.print(f"\n[bold]{_safe(found.title)}[/bold]")
    spread = f" ({_span(ranking.folds)} in {len(ranking.folds)} members)" if ranking.folds else ""
    console.print(_safe(f"{ranking.contrast.words}: {number(ranking.fold)}-fold in the reference parameters{spread}"))
    tried = f"{ranking.tried} cuts tried; {len(ranking.needed)} take the readout itself"
    console.print(f"{tried}; {ranking.failed} could not be simulated\n", style="dim")
    carrying = [c for c in ranking.carriers if not c.scenery]
    setting = [c for c in ranking.carriers if c.scenery]
    if not ranking.carriers:
        console.print("No single step carries it: no cut changes the effect.")
    for heading, carriers in (("What carries it", carrying), ("What sets the scene", setting)):
        if carriers:
            console.print(f"[bold]{heading}[/bold]")
        for place, carrier in enumerate(carriers, start=1):
            _show_carrier(console, place, carrier)
    for settled in found.settled:
        _show_routes(console, settled)
    for name, why in found.open.items():
        console.print(f"\n[bold]{name}[/bold]  {_safe(why)}")
    if found.sentences:
        console.print("\n[bold]Claims[/bold]")
    for name, sentence in found.sentences.items():
        console.print(f"{name:<14} {_safe(sentence)}", style="dim")


def _show_carrier(console: Console, place: int, carrier: Carrier) -> None:
    from rich.padding import Padding

    what = f"{carrier.quantity} acting on {carrier.step.id}" if carrier.quantity else carrier.step.id
    spread = f", {_span(carrier.folds)} in members" if carrier.folds else ""
    console.print(f"{place:>2}. [bold]{_safe(what)}[/bold]  [dim]{_safe(carrier.step.equation)}[/dim]")
    without = f"without it {number(carrier.fold)}-fold{spread}"
    if carrier.scenery:
        without += f", and {_percent(carrier.left)} of the reading in the arm of reference"
    lines = [without if carrier.scenery else f"{_role(carrier.share)}; {without}"]
    lines += [f"{len(carrier.same)} further steps in the same chain"] if carrier.same else []
    lines += [", ".join((*carrier.step.claims, *carrier.step.addresses))]
    for line in filter(None, lines):
        console.print(Padding(_safe(line), (0, 0, 0, 4), expand=False))


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share < 10 else f"{share:.0f} times"


def _role(share: float) -> str:
    """Say what a share of the effect means.

    Examples
    --------
    >>> _role(0.8), _role(-0.5), _role(1.3)
    ('carries 80 % of the effect', 'works against it (50 % more without it)', 'the effect turns round without it')
    """
    if share < 0:
        return f"works against it ({-100 * share:.0f} % more without it)"
    return f"carries {100 * share:.0f} % of the effect" if share <= 1.05 else "the effect turns round without it"


def _show_routes(console: Console, settled: Settled) -> None:
    routes = settled.routes
    sides = (", ".join(routes.conflict.side_a), ", ".join(routes.conflict.side_b))
    console.print(f"\n[bold]{routes.conflict.id}[/bold]  {_safe(routes.conflict.note)}")
    words = {
        "a": f"the route of {sides[0]} carries most",
        "b": f"the route of {sides[1]} carries most",
        "both": "both are needed: without either, most is gone",
        "either": "neither alone carries most",
        "unknown": "could not be told",
    }
    for kind, share in routes.shares.items():
        if share:
            console.print(f"  {100 * share:.0f} % of {len(routes.lost)} members: {_safe(words[kind])}")
    if not settled.deciders:
        console.print("  The members do not differ enough in their routes for an experiment to separate them.")
    for place, decider in enumerate(settled.deciders):
        what = f"{decider.intervention.verb.replace('_', ' ')} {decider.intervention.target}"
        folds = f"{number(decider.fold_a)}-fold if {sides[0]}, {number(decider.fold_b)}-fold if {sides[1]}"
        lead = "What would decide: add" if not place else "or"
        console.print(
            f"  {lead} [bold]{_safe(what)}[/bold] to the arm {_safe(routes.contrast.test_label)!s}: {_safe(folds)}"
        )


def _span(values: Sequence[float]) -> str:
    return f"{number(min(values))} to {number(max(values))}"


def _plain(found: Explanation) -> dict[str, Any]:
    ranking = found.ranking
    return {
        "title": found.title,
        "effect": ranking.contrast.words,
        "fold": ranking.fold,
        "folds": list(ranking.folds),
        "carriers": [_carrier(c) for c in ranking.carriers],
        "readout_itself": list(ranking.needed),
        "cuts_tried": ranking.tried,
        "cuts_failed": ranking.failed,
        "routes": [_routes(s) for s in found.settled],
        "open": dict(found.open),
        "claims": dict(found.sentences),
    }


def _carrier(carrier: Carrier) -> dict[str, Any]:
    return {
        "reaction": carrier.step.id,
        "equation": carrier.step.equation,
        "acting": carrier.quantity or None,
        "fold_without": carrier.fold,
        "share": carrier.share,
        "sets_the_scene": carrier.scenery,
        "reading_left": carrier.left,
        "folds_without": list(carrier.folds),
        "same": list(carrier.same),
        "claims": list(carrier.step.claims),
        "sources": list(carrier.step.addresses),
    }


def _routes(settled: Settled) -> dict[str, Any]:
    routes = settled.routes
    return {
        "conflict": routes.conflict.id,
        "side_a": list(routes.conflict.side_a),
        "side_b": list(routes.conflict.side_b),
        "cuts_a": list(routes.cuts[0]),
        "cuts_b": list(routes.cuts[1]),
        "shares": dict(routes.shares),
        "deciders": [
            {
                "add": {d.intervention.verb: d.intervention.target},
                "to": routes.contrast.test_label,
                "fold_a": d.fold_a,
                "fold_b": d.fold_b,
                "apart": d.apart,
            }
            for d in settled.deciders
        ],
    }


def _safe(text: Any) -> str:
    from rich.markup import escape

    return escape(str(text))
