"""The AMICI side of ``engine_vs_roadrunner.py``; runs in an environment that has amici.

Needs a C++ compiler, CMake, a BLAS and the very SWIG that amici was built with (as a package:
``swig``). Reads a model and then requests as JSON lines, answers each with one line.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import time
from pathlib import Path

os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

import numpy as np


def load(form):
    """Import and compile a model, or load what was compiled before; returns it and the seconds."""
    import amici.sim.sundials  # the compiled models expect it
    from amici.importers.sbml import SbmlImporter

    name = "m" + hashlib.sha256(Path(form["model"]).read_bytes()).hexdigest()[:16]
    folder = Path(form["store"]) / name
    began = time.perf_counter()
    options = {"observation_model": [], "generate_sensitivity_code": False, "compute_conservation_laws": False}
    note = folder.with_suffix(".seconds")
    if not note.exists():
        SbmlImporter(form["model"]).sbml2amici(name, folder, compile=True, **options)
        note.write_text(repr(time.perf_counter() - began))
    return amici.import_model_module(name, folder).get_model(), float(note.read_text())


def run(model, request, sets, places, order):
    """Simulate; returns seconds, seconds in C++, states and failures."""
    from amici.sim.sundials import AMICI_SUCCESS, run_simulation

    solver = model.create_solver()
    solver.set_relative_tolerance(request["rtol"])
    solver.set_absolute_tolerance(request["atol"])
    solver.set_max_steps(request["max_steps"])
    base = np.array(model.get_free_parameters())
    states = np.full((request["count"], model.nt(), len(order)), np.nan)
    seconds = inner = failed = 0.0
    for number in range(request["count"]):
        values = base.copy()
        values[places] = sets[number]
        model.set_free_parameters(values.tolist())
        began = time.process_time()
        data = run_simulation(model, solver=solver)
        seconds += time.process_time() - began
        inner += data.cpu_time / 1e3
        if data.status == AMICI_SUCCESS:
            states[number] = data.x[:, order]
        else:
            failed += 1
    return seconds, inner, states, int(failed)


def main():
    """Answer until the input ends; what the compiler prints goes to the error stream."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    form = json.loads(sys.stdin.readline())
    with contextlib.redirect_stdout(sys.stderr):
        model, compiled = load(form)
    model.set_timepoints(form["times"])
    ids = list(model.get_free_parameter_ids())
    places = [ids.index(name) for name in form["names"]]
    known = list(model.get_state_ids())
    order = [known.index(name) for name in form["states"]]
    sets = np.load(form["sets"])
    answers.write(json.dumps({"compile": compiled}) + "\n")
    answers.flush()
    for line in sys.stdin:
        request = {"max_steps": form["max_steps"], **json.loads(line)}
        seconds, inner, states, failed = run(model, request, sets, places, order)
        np.save(request["out"], states)
        answers.write(json.dumps({"seconds": seconds, "inner": inner, "failed": failed}) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
