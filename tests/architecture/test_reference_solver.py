"""The integrator of SciPy is the reference of the tests: nothing that users reach may use it."""

from __future__ import annotations

import ast

from architecture.source import SOURCE, Module, modules

#: the reference itself, what it needs for events, and the package that names it for the tests
REFERENCE = {"haptos.numerics", "haptos.numerics.scipy_solver", "haptos.numerics.events_reference"}
FORBIDDEN = {
    "haptos.numerics.ScipySolver",
    "haptos.numerics.scipy_solver",
    "haptos.numerics.events_reference",
    "scipy.integrate",
}


def users(module: Module) -> list[str]:
    """Return what a module imports of the reference."""
    if module.name in REFERENCE:
        return []
    hits = {name for name, _ in module.imports() if name in FORBIDDEN}
    hits |= {name for name, _ in module.imports() if any(name.startswith(f"{f}.") for f in FORBIDDEN)}
    named = {n.attr for n in ast.walk(module.tree) if isinstance(n, ast.Attribute)} & {"ScipySolver", "odeint"}
    return sorted(hits | named)


def test_no_module_of_haptos_integrates_with_scipy() -> None:
    assert {m.name: found for m in modules() if (found := users(m))} == {}


def test_the_check_can_fail() -> None:
    for text in (
        "from haptos.numerics import ScipySolver\n",
        "from haptos.numerics.scipy_solver import ScipySolver\n",
        "def f():\n    from scipy.integrate import solve_ivp\n",
        "import haptos.numerics as n\nn.ScipySolver()\n",
    ):
        assert users(Module(SOURCE / "cli" / "x.py", text, ast.parse(text)))
