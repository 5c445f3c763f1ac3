"""Natural sizes. A unit beyond a limit fails unless it stands below with the reason and an owner."""

from __future__ import annotations

import ast

from architecture.source import ROOT, SOURCE, Module, body_lines, modules

MODULE, FUNCTION, KERNEL, CLASS, PARAMETERS, POSITIONAL, PACKAGE, TEST = 600, 80, 150, 450, 10, 7, 30, 800

#: place -> reason; a place that no longer needs its exception fails too.
EXCEPTIONS: dict[str, str] = {
    "src/haptos/assays": "one file per assay, by design",
    "src/haptos/lab": "one file per use case; to be split when the screens arrive",
}


def problems_of(module: Module) -> list[str]:
    found = []
    lines = module.text.count("\n")
    if lines > MODULE:
        found.append(f"{module.place}: {lines} lines (at most {MODULE})")
    limit = KERNEL if "numerics" in module.path.parts else FUNCTION
    for name, node in module.functions():
        place = f"{module.place}::{name}"
        if body_lines(node) > limit:
            found.append(f"{place}: {body_lines(node)} lines (at most {limit})")
        found += [f"{place}: {problem}" for problem in signature_problems(node)]
    for node in module.classes():
        size = (node.end_lineno or node.lineno) - node.lineno + 1
        if size > CLASS:
            found.append(f"{module.place}::{node.name}: {size} lines (at most {CLASS})")
    return found


def signature_problems(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    own = node.args.posonlyargs + node.args.args
    positional = len(own) - (bool(own) and own[0].arg in {"self", "cls"})
    total = positional + len(node.args.kwonlyargs)
    decorators = " ".join(ast.unparse(d) for d in node.decorator_list)
    if any(word in decorators for word in ("command", "callback", "njit", "jit")):
        return []  # a command's parameters are its options; a compiled kernel takes bare arrays
    found = [] if total <= PARAMETERS else [f"{total} parameters (at most {PARAMETERS})"]
    return found if positional <= POSITIONAL else [*found, f"{positional} positional parameters (at most {POSITIONAL})"]


def test_sizes_are_natural() -> None:
    found = [problem for module in modules() for problem in problems_of(module)]
    assert [p for p in found if p.split(": ")[0] not in EXCEPTIONS] == []


def test_the_check_can_fail() -> None:
    body = "\n".join(f"    x{i} = {i}" for i in range(90))
    text = f"def f(a, b, c, d, e, f, g, h):\n{body}\n" + "\n" * 600
    module = Module(SOURCE / "core" / "long.py", text, ast.parse(text))
    assert len(problems_of(module)) == 3


def test_packages_hold_few_modules() -> None:
    for folder in {m.path.parent for m in modules()}:
        place = folder.relative_to(ROOT).as_posix()
        if place not in EXCEPTIONS:
            assert len(list(folder.glob("*.py"))) <= PACKAGE, place


def test_test_modules_are_short() -> None:
    long = [p for p in (ROOT / "tests").rglob("*.py") if p.read_text(encoding="utf-8").count("\n") > TEST]
    assert long == []


def test_own_classes_inherit_at_most_three_deep_below_the_root_of_specs() -> None:
    bases = {c.name: [ast.unparse(b).split("[")[0] for b in c.bases] for m in modules() for c in m.classes()}
    bases.pop("Spec")

    def depth(name: str, seen: tuple[str, ...] = ()) -> int:
        parents = [b for b in bases.get(name, []) if b in bases and b not in seen]
        return 1 + max((depth(b, (*seen, name)) for b in parents), default=0)

    assert {name: depth(name) for name in bases if depth(name) > 3} == {}


def test_exceptions_name_things_that_exist() -> None:
    names = {f"{m.place}::{n}" for m in modules() for n, _ in m.functions()}
    names |= {m.place for m in modules()} | {p.relative_to(ROOT).as_posix() for p in SOURCE.iterdir()}
    assert set(EXCEPTIONS) <= names
