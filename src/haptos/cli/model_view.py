"""Tables of ``haptos model``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haptos.cli.console import out as console_of
from haptos.cli.console import plain_table, to_json

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

    from haptos.signalling.network import Network, SampleResult, SimulationResult
    from haptos.signalling.sbml import KineticModel, ModelEvent, Reaction

__all__ = ["courses", "info", "line_of_blocks", "samples"]

_BLOCKS = "▁▂▃▄▅▆▇█"
_MOST_ROWS = 200


def info(file: Path, model: KineticModel, network: Network, *, as_json: bool) -> None:
    """Show what a model contains."""
    facts = {
        "file": str(file),
        "id": model.id,
        "name": model.name,
        "time_units": model.time_units,
        "species": [_species(network, s.id) for s in model.species],
        "reactions": {r.id: {"equation": equation(r), "rate": model.text(r.rate)} for r in model.reactions},
        "rules": {e.symbol: model.text(e.expression) for e in model.assignments},
        "rates": {e.symbol: model.text(e.expression) for e in model.rates},
        "events": {e.id or f"event {n}": event(model, e) for n, e in enumerate(model.events, start=1)},
        "order_matters": [list(pair) for pair in network.conflicts],
        "conserved": [law.name for law in network.laws],
        "parameters": dict(zip(network.parameters, network.defaults.tolist(), strict=True)),
        "states": list(network.states),
        "refused": [],
    }
    if as_json:
        to_json(facts)
    else:
        _tables(facts)


def _tables(facts: dict[str, Any]) -> None:
    console = console_of()
    label = facts["name"] or facts["id"] or facts["file"]
    console.print(f"[bold]{_plain(label)}[/bold]")
    counts = {
        "states": len(facts["states"]),
        "species": len(facts["species"]),
        "reactions": len(facts["reactions"]),
        "rules": len(facts["rules"]) + len(facts["rates"]),
        "events": len(facts["events"]),
        "parameters": len(facts["parameters"]),
    }
    console.print(", ".join(f"{count} {name}" for name, count in counts.items()), markup=False)
    console.print(f"time in {facts['time_units'] or 'no declared unit'}; nothing in it is refused\n", markup=False)
    species = plain_table(["species", "in", "role", "start", "unit"], right=["start"], fold=["species", "unit"])
    for row in facts["species"][:_MOST_ROWS]:
        species.add_row(*(_plain(row[k]) for k in ("id", "place", "role")), f"{row['start']:.6g}", _plain(row["unit"]))
    reactions = plain_table(["reaction", "equation", "rate"], fold=["reaction", "equation", "rate"])
    for name, row in list(facts["reactions"].items())[:_MOST_ROWS]:
        reactions.add_row(_plain(name), _plain(row["equation"]), _plain(row["rate"]))
    for table in (species, reactions):
        if table.row_count:
            console.print(table)
            console.print()
    _list(console, "rules", {**facts["rules"], **{f"d {k} / dt": v for k, v in facts["rates"].items()}})
    _list(console, "events", facts["events"])
    if facts["order_matters"]:
        pairs = ", ".join(" and ".join(pair) for pair in facts["order_matters"][:_MOST_ROWS])
        text = "should these events happen at the same moment, they happen in the order of the file, which may matter"
        console.print(f"{text}: {pairs}\n", markup=False)
    if facts["conserved"]:
        console.print("[bold]conserved amounts[/bold]")
        for name in facts["conserved"][:_MOST_ROWS]:
            console.print(f"  {name}", markup=False)
    _more(console, facts)


def _list(console: Any, heading: str, rows: dict[str, str]) -> None:
    if rows:
        console.print(f"[bold]{heading}[/bold]")
        for name, text in list(rows.items())[:_MOST_ROWS]:
            console.print(f"  {name} = {text}" if heading == "rules" else f"  {name}: {text}", markup=False)
        console.print()


def _more(console: Any, facts: dict[str, Any]) -> None:
    longest = max(len(facts["species"]), len(facts["reactions"]))
    if longest > _MOST_ROWS:
        console.print(f"only the first {_MOST_ROWS} rows of each table are shown; --json shows all", markup=False)


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(str(text))


def _species(network: Network, name: str) -> dict[str, Any]:
    if name in network.states:
        role, start = "state", float(network.initial[network.states.index(name)])
    elif name in network.parameters:
        role, start = "fixed", float(network.defaults[network.parameters.index(name)])
    else:
        role, start = "rule", float(network.simulate([0.0], outputs=[name])[name][0, 0])
    return {"id": name, "place": network.places[name], "role": role, "start": start, "unit": network.units[name]}


def equation(reaction: Reaction) -> str:
    """Return a reaction as ``A + 2 B -> C``."""

    def side(parts: tuple[tuple[str, float], ...]) -> str:
        return " + ".join(name if count == 1.0 else f"{count:g} {name}" for name, count in parts)

    arrow = "<->" if reaction.reversible else "->"
    return f"{side(reaction.reactants)} {arrow} {side(reaction.products)}".strip()


def event(model: KineticModel, happening: ModelEvent) -> str:
    """Return an event as ``when condition: A = 1``."""
    values = ", ".join(f"{a.symbol} = {model.text(a.expression)}" for a in happening.assignments)
    return f"when {model.text(happening.trigger)}: {values or 'nothing'}"


def courses(result: SimulationResult, unit: str, *, out: str, plot: bool, as_json: bool) -> None:
    """Show one simulation: a row for every quantity."""
    _write(result.to_dataframe().drop(columns="member"), out)
    rows = [(name, result[name][0], result.units.get(name, "")) for name in result.names]
    if as_json:
        values = {name: course.tolist() for name, course, _ in rows}
        cited = [work.doi for work in result.cite()]
        facts = {"status": result.explanation(0), "method": result.method, "cite": cited}
        to_json({**facts, "warnings": list(result.warnings), "times": result.times.tolist(), "values": values})
    elif out != "-":
        console = console_of()
        last = ["course"] if plot else ["unit"]
        table = plain_table(["quantity", "start", "lowest", "highest", "end", *last], fold=["quantity", "unit"])
        for name, course, units in rows:
            numbers = (course[0], course.min(), course.max(), course[-1])
            end = line_of_blocks(course, 24) if plot else _plain(units)
            table.add_row(_plain(name), *(f"{v:.5g}" for v in numbers), end)
        console.print(table)
        _foot(console, result, unit)


def _foot(console: Any, result: SimulationResult, unit: str) -> None:
    span = f"time {result.times[0]:g} to {result.times[-1]:g}{f' ({unit})' if unit else ''}"
    steps = f", {result.n_steps[0]} steps" if result.n_steps[0] >= 0 else ""
    console.print(f"\n{span}; {result.method}{steps}: {result.explanation(0)}", markup=False)
    for warning in result.warnings:
        console.print(f"warning: {warning}", markup=False)
    for work in result.cite():
        console.print(f"cite {work.key} doi:{work.doi}", markup=False, style="dim")


def samples(result: SampleResult, unit: str, *, out: str, as_json: bool) -> None:
    """Show runs: mean and spread of every count at the end."""
    from haptos.signalling.network import citations

    _write(result.to_dataframe(), out)
    good = result.counts[result.ok]
    ends = {
        name: {"mean": float(good[:, -1, i].mean()), "sd": float(good[:, -1, i].std(ddof=1 if len(good) > 1 else 0))}
        for i, name in enumerate(result.species)
        if len(good)
    }
    facts = {"runs": len(result.status), "finished": len(good), "method": result.method, "end": ends}
    if as_json:
        to_json(facts)
    elif out != "-":
        console = console_of()
        table = plain_table(["molecules at the end", "mean", "sd"], right=["mean", "sd"], fold=["molecules at the end"])
        for name, row in ends.items():
            table.add_row(_plain(name), f"{row['mean']:.6g}", f"{row['sd']:.4g}")
        console.print(table)
        text = (
            f"\n{len(good)} of {len(result.status)} runs finished at time {result.times[-1]:g} {unit}; {result.method}"
        )
        console.print(text, markup=False)
        for work in citations(result.method):
            console.print(f"cite {work.key} doi:{work.doi}", markup=False, style="dim")


def line_of_blocks(values: ArrayLike, width: int) -> str:
    """Return a course as a line of blocks, lowest to highest.

    Examples
    --------
    >>> line_of_blocks([0, 1, 2, 3, 4, 5, 6, 7], 8)
    '▁▂▃▄▅▆▇█'
    """
    import numpy as np

    course = np.asarray(values, dtype=np.float64)
    picked = course[np.linspace(0, len(course) - 1, min(width, len(course))).round().astype(int)]
    if not np.all(np.isfinite(picked)):
        return "not finite"
    span = float(picked.max() - picked.min())
    levels = np.zeros(len(picked)) if span == 0.0 else (picked - picked.min()) / span * (len(_BLOCKS) - 1)
    return "".join(_BLOCKS[int(level)] for level in levels.round())


def _write(table: pd.DataFrame, out: str) -> None:
    from haptos.errors import ParameterError

    if out == "-":
        table.to_csv(sys.stdout, index=False)
    elif out:
        try:
            table.to_csv(out, index=False)
        except OSError as fault:
            raise ParameterError(f"cannot write {out}: {fault.strerror or fault}") from fault
