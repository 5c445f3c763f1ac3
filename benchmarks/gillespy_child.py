"""The GillesPy2 side of ``stochastic_vs_peers.py``; runs in an environment that has gillespy2.

Reads a model and then seeds as JSON lines; answers every seed with the processor seconds per
run of the compiled simulation alone (its starting, and the reading of its output by Python,
are not counted against it) and the counts at the end.
"""

from __future__ import annotations

import json
import resource
import sys

import gillespy2
import numpy as np


def build(form):
    """Build the model in counts with literal propensities."""
    model = gillespy2.Model(name="tested")
    species = {name: gillespy2.Species(name=name, initial_value=n) for name, n in form["species"].items()}
    model.add_species(list(species.values()))
    for number, r in enumerate(form["reactions"]):
        law = "*".join([repr(r["rate"]), *r["factors"]])
        used = {species[name]: -by for name, by in r["change"].items() if by < 0}
        made = {species[name]: by for name, by in r["change"].items() if by > 0}
        model.add_reaction(
            gillespy2.Reaction(name=f"r{number}", reactants=used, products=made, propensity_function=law)
        )
    model.timespan(np.linspace(0.0, form["end"], form["points"]))
    return model


def spent():
    """Return the processor seconds of all finished child processes."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main():
    """Answer until the input ends."""
    form = json.loads(sys.stdin.readline())
    model = build(form)
    solver = gillespy2.SSACSolver(model=model)
    solver.run(number_of_trajectories=1, seed=1)  # compiles
    for line in sys.stdin:
        began = spent()
        results = solver.run(number_of_trajectories=form["runs"], seed=json.loads(line))
        seconds = (spent() - began) / form["runs"]
        final = [[float(r[name][-1]) for name in form["species"]] for r in results]
        sys.stdout.write(json.dumps({"seconds": seconds, "final": final}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
