"""The kept driver: never that of other sources, and nothing of numba is needed to run it."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from haptos.errors import ParameterError
from haptos.numerics import EngineSolver, GraphBuilder, OdeSegment, OdeSystem, OdeTask, build_system
from haptos.numerics.engine import driver
from haptos.numerics.engine._lane_data import ARRAYS, FIRST_ARRAY, FIRST_EVENT, N_EVENT_NUMBERS, EventTables, Job
from haptos.numerics.engine.code_store import read_code
from haptos.numerics.engine.compiled import compile_system
from haptos.numerics.engine.jit import code_key


def decay() -> OdeSystem:
    b = GraphBuilder()
    rate = b.neg(b.mul(b.variable(1), b.variable(0)))
    return build_system(b.freeze(), [rate], 1, [True])


def imported(place: Path) -> set[Path]:
    """Return the modules of haptos that a module imports."""
    found = [n for n in ast.walk(ast.parse(place.read_text(encoding="utf-8"))) if isinstance(n, ast.ImportFrom)]
    specs = [find_spec(n.module) for n in found if n.module and n.module.startswith("haptos.")]
    return {Path(spec.origin) for spec in specs if spec and spec.origin}


def test_the_checksum_covers_every_source_that_is_compiled_into_the_driver() -> None:
    engine = Path(driver.__file__).parent
    waiting, seen = {engine / "_lane_entry.py"}, set[Path]()
    while waiting:
        place = waiting.pop()
        seen.add(place)
        waiting |= imported(place) - seen
    assert {"_lanes.py", "_lane_turns.py", "_kernels.py"} <= {p.name for p in seen}
    assert seen <= set(driver.driver_sources())


def test_a_change_of_any_source_changes_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = driver._description()
    originals = driver.driver_sources()
    for changed in originals:
        copies = []
        for place in originals:
            copy = tmp_path / place.name
            copy.write_bytes(place.read_bytes() + (b"\n# changed" if place == changed else b""))
            copies.append(copy)
        monkeypatch.setattr(driver, "driver_sources", lambda copies=copies: tuple(copies))
        assert driver._description() != before, changed.name
    monkeypatch.undo()
    assert driver._description() == before


def test_the_driver_is_kept_and_runs_without_numba() -> None:
    driver.load_driver()
    key = code_key(driver._description())
    assert any(read_code(folder, key) is not None for folder in driver.driver_folders())
    program = """
import sys
import numpy as np
from haptos.numerics import EngineSolver, GraphBuilder, OdeSegment, OdeTask, build_system
b = GraphBuilder()
rate = b.neg(b.mul(b.variable(1), b.variable(0)))
system = build_system(b.freeze(), [rate], 1, [True])
whole = OdeSegment(0.0, 1.0, np.ones((1, 1)))
task = OdeTask(system, np.ones((1, 1)), [whole], np.array([1.0]), 1e-8, np.array([1e-10]))
print(EngineSolver(keep=False).solve(task).states[0, 0, 0].hex(), "numba" in sys.modules, "scipy" in sys.modules)
"""
    said = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    task = OdeTask(
        decay(), np.ones((1, 1)), [OdeSegment(0.0, 1.0, np.ones((1, 1)))], np.array([1.0]), 1e-8, np.array([1e-10])
    )
    here = EngineSolver().solve(task).states[0, 0, 0]
    assert said == [here.hex(), "False", "False"]
    assert here == pytest.approx(np.exp(-1.0), abs=1e-7)


def test_the_table_names_all_arrays_in_the_order_of_their_records() -> None:
    names = [name for name, _, _ in ARRAYS]
    assert names == ["work", "floor", *Job._fields, *EventTables._fields[N_EVENT_NUMBERS:], "whole", "truth"]
    assert FIRST_ARRAY == FIRST_EVENT + N_EVENT_NUMBERS


@pytest.mark.parametrize("bad", [np.zeros((1, 1), np.float32), np.zeros(1), np.zeros((2, 4))[:, ::2]])
def test_arrays_of_the_wrong_kind_never_reach_the_machine_code(bad: np.ndarray) -> None:
    system = decay()
    compiled = compile_system(system, "Rodas5P", 1, None)
    job = Job(bad, *(np.zeros(0) for _ in Job._fields[1:]))
    with pytest.raises(ParameterError, match="initial"):
        driver.run_driver(
            compiled.settings, compiled.rows, compiled.memory(1e-6), np.zeros(1), job, driver.event_tables(None, system)
        )
