"""Exact stochastic simulation beside libRoadRunner and GillesPy2: reactions per second on one thread.

All engines run the same irreversible reactions with the same counts, rate constants, end and
output times, one trajectory per call for libRoadRunner and a batch for the others, in
interleaved rounds; the best round counts, in processor time. haptos is charged its whole
call (keys, changes of units, result), libRoadRunner its call of ``simulate``, GillesPy2 only
the compiled program it starts, without Python's reading of its output. Compilation is
excluded everywhere. Reactions per run are those haptos counts; the
means of all species must agree, or the comparison is void. Usage::

    uv run python benchmarks/stochastic_vs_peers.py [--hoffmann BIOMD0000000140.xml] [--gillespy PYTHON]

``--gillespy`` names the interpreter of an environment that has gillespy2 and SCons.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from haptos.signalling._jumps import build_jumps
from haptos.signalling.network import SampleSettings, compile_network
from haptos.signalling.sbml import antimony_to_sbml, read_sbml

ROUNDS = 4
SIMPLE = (
    "model tested; bind: A + B -> C; on*A*B - off*C; make: => A; k; lose: A => ; d*A; A = 300; B = 500; C = 0; "
    "on = 0.002; off = 0.5; k = 60; d = 0.2; end"
)


def common_form(sbml: str, molecules: float, changes: dict[str, float], end: float, points: int) -> dict:
    """Return counts and irreversible mass-action reactions that every engine is given."""
    system = build_jumps(read_sbml(sbml), molecules)
    network = compile_network(sbml)
    state, constants = network.start_values(initial=changes)
    start = [network.states.index(name) for name in system.counts]
    sizes = [network.parameters.index(network.places[name]) for name in system.counts]
    jumps, stuff = system.system, np.concatenate([np.zeros(system.system.n_states), constants[0]])
    if np.any(jumps.n_factors < 0) or jumps.n_levels > 1:
        raise SystemExit("the benchmark needs a mass-action model")
    coefficients = jumps.coefficients.evaluate(stuff)
    counts = np.rint(state[0, start] * molecules * constants[0, sizes]).astype(int)
    reactions = []
    for r in range(jumps.n_jumps):
        factors = [system.counts[i] for i, _ in jumps.factors[r, : jumps.n_factors[r]].tolist()]
        first = jumps.changes.first[r]
        change = {system.counts[i]: int(jumps.change_by[first + k]) for k, i in enumerate(jumps.changes.row(r))}
        reactions.append({"rate": float(coefficients[r]), "factors": factors, "change": change})
    return {
        "species": dict(zip(system.counts, counts.tolist(), strict=True)),
        "reactions": [r for r in reactions if r["rate"] > 0.0],
        "end": end,
        "points": points,
    }


def without_switch(sbml: str) -> str:
    """Drop the rate rule and the event of the model, which act after 2,000 min only."""
    import libsbml

    document = libsbml.readSBMLFromString(sbml)
    model = document.getModel()
    while model.getNumEvents():
        model.removeEvent(0)
    for rule in [r.getVariable() for r in model.getListOfRules() if r.isRate()]:
        model.removeRuleByVariable(rule)
    return str(libsbml.writeSBMLToString(document))


def antimony_of(form: dict) -> str:
    """Write the common form with laws that say the propensity literally."""
    lines = ["model tested"]
    for number, r in enumerate(form["reactions"]):
        law = "*".join([repr(r["rate"]), *r["factors"]])
        used = [f"{-by} {name}" for name, by in r["change"].items() if by < 0]
        made = [f"{by} {name}" for name, by in r["change"].items() if by > 0]
        lines.append(f"  r{number}: {' + '.join(used)} => {' + '.join(made)}; {law};")
    lines += [f"  {name} = {count};" for name, count in form["species"].items()]
    return "\n".join([*lines, "end"])


class Haptos:
    """Network.sample, compiled and warm."""

    name = "haptos"

    def __init__(self, form: dict, runs: int) -> None:
        self.network, self.form, self.runs = compile_network(antimony_to_sbml(antimony_of(form))), form, runs
        self.settings = SampleSettings(molecules_per_unit=1.0, combinatorial=False)
        self.grid = np.linspace(0.0, form["end"], form["points"])
        self.n_events = 0.0
        self.round(0)

    def round(self, seed: int) -> tuple[float, NDArray]:
        """Return seconds per run and the mean counts at the end."""
        began = time.process_time()
        result = self.network.sample(self.grid, seed=seed, replicates=self.runs, settings=self.settings)
        seconds = time.process_time() - began
        assert result.ok.all()
        self.n_events = float(result.n_events.mean())
        order = [result.species.index(name) for name in self.form["species"]]
        return seconds / self.runs, result.counts[:, -1, order]


class RoadRunner:
    """libRoadRunner's Gillespie integrator, one call per run."""

    name = "libRoadRunner"

    def __init__(self, form: dict, runs: int) -> None:
        import roadrunner

        self.form, self.runs = form, runs
        self.engine = roadrunner.RoadRunner(antimony_to_sbml(antimony_of(form)))
        self.engine.setIntegrator("gillespie")
        self.engine.getIntegrator().setValue("variable_step_size", 0)
        self.engine.timeCourseSelections = ["time", *form["species"]]
        self.round(0)

    def round(self, seed: int) -> tuple[float, NDArray]:
        """Return seconds per run and the counts at the end."""
        self.engine.getIntegrator().setValue("seed", 1000 + seed)
        rows, seconds = [], 0.0
        for _ in range(self.runs):
            self.engine.resetToOrigin()
            began = time.process_time()
            table = self.engine.simulate(0.0, self.form["end"], self.form["points"])
            seconds += time.process_time() - began
            rows.append(np.array(table)[-1, 1:])
        return seconds / self.runs, np.array(rows)


class GillesPy:
    """GillesPy2's compiled direct method, in an environment of its own."""

    name = "GillesPy2 SSACSolver"

    def __init__(self, form: dict, runs: int, python: str) -> None:
        command = [python, str(Path(__file__).with_name("gillespy_child.py"))]
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._say({**form, "runs": runs})
        self.round(0)

    def _say(self, message: object) -> None:
        assert self.child.stdin is not None
        self.child.stdin.write(json.dumps(message) + "\n")
        self.child.stdin.flush()

    def round(self, seed: int) -> tuple[float, NDArray]:
        """Return seconds per run and the counts at the end."""
        assert self.child.stdout is not None
        self._say(1000 + seed)
        answer = json.loads(self.child.stdout.readline())
        return answer["seconds"], np.array(answer["final"])


def compare(title: str, form: dict, runs: tuple[int, int, int], python: str | None) -> None:
    """Run interleaved rounds and print reactions per second."""
    engines: list = [Haptos(form, runs[0]), RoadRunner(form, runs[1])]
    engines += [GillesPy(form, runs[2], python)] if python else []
    best, finals = {e.name: np.inf for e in engines}, {e.name: [] for e in engines}
    for number in range(1, ROUNDS + 1):
        for engine in engines:
            seconds, final = engine.round(number)
            best[engine.name] = min(best[engine.name], seconds)
            finals[engine.name].append(final)
    events = engines[0].n_events
    print(f"\n{title}: {len(form['species'])} species, {len(form['reactions'])} reactions, {events:,.0f} per run")
    own = np.concatenate(finals["haptos"])
    for engine in engines:
        there = np.concatenate(finals[engine.name])
        spread = np.sqrt(own.var(axis=0) / len(own) + there.var(axis=0) / len(there))
        worst = np.max(np.abs(own.mean(axis=0) - there.mean(axis=0)) / np.maximum(spread, 1e-9))
        rate, seconds = events / best[engine.name] / 1e6, best[engine.name]
        ratio = seconds / best["haptos"]
        print(f"  {engine.name:22} {rate:8.2f} M/s {seconds * 1e3:10.3f} ms/run {ratio:7.1f}x", end="")
        print(f"   means differ by at most {worst:.1f} standard errors ({len(there)} runs)")


def main() -> None:
    """Compare on the simple model and, if given, on Hoffmann 2002."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hoffmann", type=Path, help="SBML of BIOMD0000000140")
    parser.add_argument("--gillespy", help="interpreter with gillespy2")
    options = parser.parse_args()
    simple = common_form(antimony_to_sbml(SIMPLE), 1.0, {}, 200.0, 51)
    compare("binding with turnover", simple, (200, 20, 100), options.gillespy)
    if options.hoffmann:
        sbml = without_switch(options.hoffmann.read_text(encoding="utf-8"))
        form = common_form(sbml, 1e4, {"IKK": 0.1}, 360.0, 37)
        compare("Hoffmann 2002, IKK on, 1,000 molecules of NF-kB", form, (48, 4, 12), options.gillespy)


if __name__ == "__main__":
    sys.exit(main())
