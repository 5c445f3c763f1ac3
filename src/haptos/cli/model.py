"""``haptos model``: look at, simulate and sample any SBML or Antimony file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from haptos.cli.boundary import Exit

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True,
    help="Look at, simulate and sample any SBML or Antimony file.",
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

File = Annotated[Path, typer.Argument(help="SBML or Antimony file.", show_default=False)]
End = Annotated[float, typer.Option("--end", help="Last time, in the time unit of the model.")]
Points = Annotated[int, typer.Option("--points", min=2, help="Number of output times, start and end included.")]
Set = Annotated[list[str] | None, typer.Option("--set", help="name=value: a parameter or a start value; repeatable.")]
Show = Annotated[str, typer.Option("--show", help="Names to report, such as A,B. [default: all species and rules]")]
Out = Annotated[str, typer.Option("--out", help="Write the table as CSV to this file; - is standard output.")]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON instead of tables.")]

SOLVERS = ("rodas5p", "rodas4", "libroadrunner")


@app.command("info")
def info_command(file: File, as_json: AsJson = False) -> None:
    """Show what a model contains, or everything in it that haptos does not support."""
    from haptos.cli import model_view as view
    from haptos.signalling.network import compile_network
    from haptos.signalling.sbml import read_sbml

    with _located(file):
        kinetic = read_sbml(_text(file))
        network = compile_network(kinetic)
    view.info(file, kinetic, network, as_json=as_json)


@app.command("simulate")
def simulate_command(  # noqa: PLR0917 - typer passes by name
    file: File,
    end: End = 100.0,
    points: Points = 101,
    settings: Set = None,
    show: Show = "",
    solver: Annotated[str, typer.Option("--solver", help=f"One of {', '.join(SOLVERS)}.")] = "rodas5p",
    rtol: Annotated[float, typer.Option("--rtol", help="Relative tolerance per step.")] = 1e-6,
    out: Out = "",
    plot: Annotated[bool, typer.Option("--plot", help="Draw every course as a line of blocks.")] = False,
    as_json: AsJson = False,
) -> None:
    """Simulate a model from time 0 and report every quantity."""
    import numpy as np

    from haptos.cli import model_view as view
    from haptos.errors import ParameterError
    from haptos.signalling.network import Network, open_network

    if solver not in SOLVERS:
        raise ParameterError(f"--solver must be one of {', '.join(SOLVERS)}, not {solver!r}")
    with _located(file):
        network = open_network(_text(file), solver="libroadrunner" if solver == "libroadrunner" else "haptos")
    parameters, initial = _values(settings or (), network)
    times = np.linspace(0.0, _positive("--end", end), points)
    options: dict[str, Any] = {"parameters": parameters, "initial": initial, "rtol": rtol}
    if show:
        options["outputs"] = _names(show)
    if isinstance(network, Network):
        options["solver"] = _solver(solver)
    result = network.simulate(times, **options)
    view.courses(result, getattr(network, "time_units", ""), out=out, plot=plot, as_json=as_json)
    if not result.ok[0]:
        raise typer.Exit(Exit.FAILED)


@app.command("sample")
def sample_command(  # noqa: PLR0917 - typer passes by name
    file: File,
    end: End = 100.0,
    points: Points = 101,
    settings: Set = None,
    runs: Annotated[int, typer.Option("--runs", min=1, help="Independent runs.")] = 100,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Same seed, same runs, bit for bit.")] = 0,
    method: Annotated[str, typer.Option("--method", help="exact, or leap: many reactions at once.")] = "exact",
    molecules: Annotated[
        float | None, typer.Option("--molecules", help="Molecules per unit of substance, if the model has no unit.")
    ] = None,
    out: Out = "",
    as_json: AsJson = False,
) -> None:
    """Sample the model as random reactions between whole molecules."""
    import numpy as np

    from haptos.cli import model_view as view
    from haptos.signalling.network import SampleSettings, compile_network

    with _located(file):
        network = compile_network(_text(file))
    parameters, initial = _values(settings or (), network)
    times = np.linspace(0.0, _positive("--end", end), points)
    with _located(file):
        result = network.sample(
            times,
            seed=seed,
            replicates=runs,
            parameters=parameters,
            initial=initial,
            method=method,
            settings=SampleSettings(molecules_per_unit=molecules),
        )
    view.samples(result, network.time_units, out=out, as_json=as_json)
    if not result.ok.all():
        raise typer.Exit(Exit.FAILED)


def _text(file: Path) -> str:
    from haptos.signalling.sbml import sbml_of_file

    return sbml_of_file(file)


@contextmanager
def _located(file: Path) -> Iterator[None]:
    """Turn what is wrong with a model into issues with their place in the file."""
    from haptos.errors import ModelError, SpecError

    try:
        yield
    except ModelError as fault:
        raise SpecError(list(_issues(file, str(fault)))) from fault


def _issues(file: Path, message: str) -> Iterator[Any]:
    from haptos.errors import Issue

    heading, *rest = message.splitlines()
    reasons = [line.strip()[2:] for line in rest if line.strip().startswith("- ")]
    unsupported = "does not support" in heading
    hint = "haptos model simulate --solver libroadrunner takes some models that haptos does not" if unsupported else ""
    antimony = file.exists() and not file.read_bytes().lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    for number, reason in enumerate(reasons or [message]):
        found = re.search(r"(?:^|\b)line (\d+)\b:? ?", reason)
        inside = found is not None and (not antimony or not reasons or "cannot be read" in heading)
        where = f"{file}:{found.group(1)}" if found is not None and inside else str(file)
        text = reason[found.end() :] if found is not None and found.start() == 0 else reason
        last = number == len(reasons or [message]) - 1
        yield Issue(text, where, hint=hint if last else "")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _positive(option: str, value: float) -> float:
    from math import isfinite

    from haptos.errors import ParameterError

    if not (isfinite(value) and value > 0.0):
        raise ParameterError(f"{option} must be a number above zero, not {value:g}")
    return value


def _values(settings: Sequence[str], network: Any) -> tuple[dict[str, float], dict[str, float]]:
    """Sort name=value into parameters and start values."""
    from math import isnan

    from haptos.errors import ParameterError, nearest

    starts = {*network.species, *getattr(network, "states", ())}
    fixed = set(network.parameters)
    parameters: dict[str, float] = {}
    initial: dict[str, float] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        name = name.strip()
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not equals or isnan(value):
            raise ParameterError(f"--set takes name=number, for instance k1=0.5, not {setting!r}")
        if name in starts and name not in fixed:
            initial[name] = value
        elif name in fixed:
            parameters[name] = value
        else:
            close = nearest(name, sorted(starts | fixed))
            hint = f"; did you mean {', '.join(close)}?" if close else ""
            raise ParameterError(f"there is no parameter or species {name!r}{hint}")
    return parameters, initial


def _solver(name: str) -> Any:
    """Return the integrator of a name."""
    from haptos.numerics.engine import EngineSolver

    return EngineSolver("Rodas4" if name == "rodas4" else "Rodas5P")
