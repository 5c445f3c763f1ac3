"""Habits that a linter does not fully see."""

from __future__ import annotations

import ast
from collections.abc import Callable

from architecture.source import Module, modules

MUTABLE = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
BANNED = {
    "yaml": "use haptos.core.located: PyYAML turns NO into false",
    "matplotlib.pyplot": "it keeps global state; use matplotlib.figure.Figure",
    "random": "use keyed Philox streams",
    "pickle": "neither safe nor stable",
}


def everywhere(check: Callable[[Module], list[str]]) -> dict[str, list[str]]:
    """Return what a check finds, by module; nothing if all is well."""
    return {m.place: found for m in modules() if (found := check(m))}


def careless(module: Module) -> list[str]:
    found = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            found.append(f"line {node.lineno}: print")
        if isinstance(node, ast.ExceptHandler) and _is_broad(node):
            found.append(f"line {node.lineno}: broad except")
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            found.append(f"line {node.lineno}: star import")
        if isinstance(node, ast.Global):
            found.append(f"line {node.lineno}: global statement")
    # the outermost frame of the command line may catch all, to write a log instead of a trace
    allowed = "broad except" if module.name == "haptos.cli.boundary" else "-"
    return [f for f in found if allowed not in f]


def test_no_prints_no_broad_excepts_no_star_imports() -> None:
    assert everywhere(careless) == {}


def _is_broad(node: ast.ExceptHandler) -> bool:
    names = {"Exception", "BaseException"}
    types = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    return any(t is None or (isinstance(t, ast.Name) and t.id in names) for t in types)


def banned(module: Module) -> list[str]:
    found = {name for name, _ in module.imports()}
    return [f"{name}: {why}" for name, why in BANNED.items() if name in found]


def test_banned_packages_are_not_imported() -> None:
    assert everywhere(banned) == {}


def undocumented(module: Module) -> list[str]:
    public = module.path.name == "__init__.py" or not module.path.name.startswith("_")
    bare = [
        f"{node.lineno}: {node.name}"
        for node in ast.iter_child_nodes(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    return (bare if public else []) + ([] if ast.get_docstring(module.tree) else ["the module itself"])


def test_public_things_are_documented() -> None:
    assert everywhere(undocumented) == {}


def eager(module: Module) -> list[str]:
    defines = any(isinstance(n, ast.FunctionDef | ast.ClassDef) for n in module.tree.body)
    return ["no future annotations"] if defines and "from __future__ import annotations" not in module.text else []


def test_annotations_are_not_evaluated_early() -> None:
    assert everywhere(eager) == {}


def mutable(module: Module) -> list[str]:
    found = []
    for node in module.tree.body:
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        names = [t.id for t in targets if isinstance(t, ast.Name)]
        if isinstance(value, MUTABLE) and any(not n.isupper() and n != "__all__" for n in names):
            found.append(f"line {node.lineno}: {', '.join(names)}")
    return found


def test_module_level_containers_are_constants() -> None:
    assert everywhere(mutable) == {}


def changed(module: Module) -> list[str]:
    constants = {
        target.id
        for node in module.tree.body
        for target in (node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)])
        if isinstance(target, ast.Name) and target.id.isupper()
    }
    return [
        f"line {node.lineno}: {ast.unparse(node)}"
        for function in (n for n in ast.walk(module.tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))
        for node in ast.walk(function)
        if _changes(node, constants)
    ]


def test_constants_are_never_changed() -> None:
    assert everywhere(changed) == {}


def _changes(node: ast.AST, names: set[str]) -> bool:
    """Tell whether a statement changes a named container in place."""
    verbs = {"append", "add", "update", "clear", "pop", "popitem", "setdefault", "extend", "insert", "remove"}
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in verbs:
        return isinstance(node.func.value, ast.Name) and node.func.value.id in names
    targets = node.targets if isinstance(node, ast.Assign | ast.Delete) else []
    return any(isinstance(t, ast.Subscript) and isinstance(t.value, ast.Name) and t.value.id in names for t in targets)


def trespassing(module: Module) -> list[str]:
    own = module.name if module.path.name == "__init__.py" else module.name.rpartition(".")[0]
    foreign = []
    for name, line in module.imports():
        parts = name.split(".")
        private = [i for i, part in enumerate(parts[:-1]) if part.startswith("_") and not part.startswith("__")]
        if parts[0] == "haptos" and private and not own.startswith(".".join(parts[: private[0]])):
            foreign.append(f"line {line}: {name}")
    return foreign


def test_private_modules_stay_in_their_package() -> None:
    assert everywhere(trespassing) == {}


def test_the_checks_can_fail() -> None:
    text = "import yaml\nstate = []\nCACHE = {}\ndef f():\n    CACHE['a'] = print(1)\n"
    text += "    try:\n        f()\n    except Exception:\n        pass\n"
    bad = Module(modules()[0].path, text, ast.parse(text))
    assert len(careless(bad)) == 2
    assert [len(check(bad)) for check in (banned, eager, mutable, changed)] == [1, 1, 1, 1]
    assert len(undocumented(bad)) == 2
