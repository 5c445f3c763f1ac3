"""Judge a user's own claims by their experiments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from haptos.core.settings import Settings
from haptos.lab.plan import unique_tasks
from haptos.lab.reproduce import Reproduction, plan_reproduction, reproduce_claims, reproduction_key
from haptos.lab.run import Bench, RunResult

if TYPE_CHECKING:
    from haptos.errors import Issue
    from haptos.evidence.claims import Claim
    from haptos.lab.cost import Cost
    from haptos.signalling.cells import CellLine

__all__ = [
    "CheckPlan",
    "check",
    "check_file",
    "check_sound",
    "claims_schema",
    "claims_template",
    "plan_check",
    "read_own",
    "reason_left_out",
    "remarks",
    "with_contexts",
    "write_claims_template",
]


@dataclass(frozen=True)
class CheckPlan:
    """What a check would do.

    Attributes
    ----------
    whole : Reproduction
        The claims with their plans, or the reasons why there is none.
    conditions, members : int
        Distinct conditions, and parameter sets over which each is simulated.
    cost : Cost
        Estimate.
    folder : Path
        The run folder.
    """

    whole: Reproduction
    conditions: int
    members: int
    cost: Cost
    folder: Path

    @property
    def reasons(self) -> Mapping[str, int]:
        """Why claims cannot be judged, with how many."""
        return Counter(self.whole.reasons.values())


def check(
    file: Path | str, *, runs: Path | str | None = None, members: int | None = None, workers: int = 1
) -> RunResult:
    """Judge every claim of a file by its own experiment.

    Parameters
    ----------
    file : path
        Claims in the public format (``docs/claims_format.md``).
    runs : path, optional
        Folder of the run folders; the default is that of the settings.
    members : int, optional
        Ensemble members to simulate; the default is all.
    workers : int
        Threads; the answer does not depend on them.

    Raises
    ------
    SpecError
        With every problem of the file; nothing is simulated then.
    """
    from haptos.store.runs import RunStore

    bench = Bench(RunStore(Path(runs) if runs is not None else Settings.load().runs), workers)
    return check_file(file, bench, members=members)


def check_file(file: Path | str, bench: Bench, *, members: int | None = None) -> RunResult:
    """Judge the claims of a file. See :func:`check`."""
    asked = _whole(file, bench)
    return reproduce_claims(asked.title, asked.claims, asked.bench, members=members, name=asked.name)


def plan_check(
    file: Path | str, bench: Bench, *, members: int | None = None, skip_faulty: bool = False
) -> tuple[CheckPlan, dict[str, tuple[Issue, ...]]]:
    """Work out what a check would do, and the errors of the claims that it would leave out; nothing is simulated.

    Raises
    ------
    SpecError
        With every problem of the file; with `skip_faulty` only if no claim is sound.
    """
    from haptos.lab.cost import estimate

    asked = _sound(file, bench) if skip_faulty else _whole(file, bench)
    whole = plan_reproduction(asked.title, asked.claims, asked.bench, members=members)
    plans = tuple(whole.plans.values())
    conditions = {key: condition for plan in plans for key, condition in plan.conditions.items()}
    cost = estimate(unique_tasks(plans), conditions, asked.bench.simulator, asked.bench.workers)
    count = next((len(plan.members) for plan in plans), 0)
    folder = asked.bench.store.folder(reproduction_key(whole, asked.bench, asked.name))
    return CheckPlan(whole, len(conditions), count, cost, folder), asked.faults


def read_own(file: Path | str) -> tuple[str, tuple[Claim, ...], dict[str, CellLine]]:
    """Return title and claims of a user's file, and the user's cells that they may name.

    Raises
    ------
    SpecError
        With every problem of the file and of the cell files beside it.
    """
    from haptos.core.located import load_yaml
    from haptos.evidence.own import read_claims
    from haptos.lab.contexts import contexts_beside, own_terms

    path = Path(file)
    contexts = contexts_beside(path, load_yaml(path))
    return path.name, read_claims(path, own_terms(contexts)), contexts


def remarks(file: Path | str) -> tuple[str, ...]:
    """Return what a user should know about a sound file: who stands for whom, and names that only an audit misses."""
    from haptos.conditions.catalogue import CellTerm, stand_ins
    from haptos.core.located import load_yaml
    from haptos.core.specs import spelled
    from haptos.evidence.own import check_claims
    from haptos.lab.contexts import contexts_beside, own_terms

    path = Path(file)
    document = load_yaml(path)
    written = {spelled(text) for text in _texts(document.data)}
    found = [
        f"the model does not tell {other} from {term.id}: {term.label} {stand} for both"
        for other, term in stand_ins().items()
        for stand in ("stand" if isinstance(term, CellTerm) else "stands",)
        if spelled(other) in written and spelled(other) not in spelled(term.id)
    ]
    _, issues = check_claims(path, own_terms(contexts_beside(path, document)), names_only=True)
    unknown = sorted(
        {issue.message.partition("unknown entity ")[2] for issue in issues if issue.severity != "error"} - {""}
    )
    if unknown:
        found.append(f"in relations, which only audits look at, these names mean nothing: {', '.join(unknown)}")
    return tuple(found)


def _texts(node: Any) -> Iterator[str]:
    """Return every text of plain data, keys aside."""
    if isinstance(node, str):
        yield node
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _texts(part)


def reason_left_out(name: str, found: Iterable[Issue]) -> str:
    """Return why a claim is left out: what is wrong with it, each once."""
    return "; ".join(dict.fromkeys(issue.message.removeprefix(f"{name}: ") for issue in found))


def check_sound(
    file: Path | str, bench: Bench, *, members: int | None = None
) -> tuple[RunResult, dict[str, tuple[Issue, ...]]]:
    """Judge the claims of a file that have no error; return the run and the errors of the others by identifier.

    Raises
    ------
    SpecError
        If no claim is free of errors, or something outside of the claims is wrong.
    """
    asked = _sound(file, bench)
    return reproduce_claims(asked.title, asked.claims, asked.bench, members=members, name=asked.name), asked.faults


@dataclass(frozen=True)
class _Asked:
    """What a file asks: claims, the bench with the user's cells, the name of the run, and what is left out."""

    title: str
    claims: tuple[Claim, ...]
    bench: Bench
    name: str
    faults: dict[str, tuple[Issue, ...]]


def _whole(file: Path | str, bench: Bench) -> _Asked:
    title, claims, contexts = read_own(file)
    return _Asked(title, claims, with_contexts(bench, contexts), _run_name(file), {})


def _sound(file: Path | str, bench: Bench) -> _Asked:
    from haptos.core.located import load_yaml
    from haptos.errors import SpecError
    from haptos.evidence.own import sound_claims
    from haptos.lab.contexts import contexts_beside, own_terms

    path = Path(file)
    contexts = contexts_beside(path, load_yaml(path))
    claims, faults = sound_claims(path, own_terms(contexts))
    if not claims:
        raise SpecError([issue for found in faults.values() for issue in found])
    return _Asked(path.name, claims, with_contexts(bench, contexts), f"{_run_name(file)} sound", faults)


def with_contexts(bench: Bench, contexts: Mapping[str, CellLine]) -> Bench:
    """Return a bench that has a user's cells, too."""
    return replace(bench, contexts={**bench.contexts, **contexts})


def _run_name(file: Path | str) -> str:
    return f"check {Path(file).stem}"


# --- the format ------------------------------------------------------------------------


def claims_template() -> str:
    """Return a commented file of claims that can be judged as it is."""
    from importlib.resources import files

    return (files("haptos") / "library" / "templates" / "claims.yaml").read_text(encoding="utf-8")


def write_claims_template(file: Path) -> None:
    """Write the commented file of claims to a new file.

    Raises
    ------
    StoreError
        If the file exists or cannot be written.
    """
    from haptos.lab.experiments import write_new

    write_new(file, claims_template())


def claims_schema() -> dict[str, Any]:
    """Return the JSON Schema of files of claims, for editors."""
    from haptos.evidence.claims import Claim
    from haptos.evidence.own import DEFAULTS
    from haptos.evidence.sources import Source
    from haptos.lab.experiments import lab_catalogue, written_schema

    own, sources = Claim.model_json_schema(), Source.model_json_schema()
    definitions = {**own.pop("$defs", {}), **sources.pop("$defs", {}), "Claim": own, "Source": sources}
    own["required"] = [name for name in own["required"] if name not in {*DEFAULTS, "level"}]
    properties = {
        "version": {"const": 1},
        "claims": {"type": "array", "items": {"$ref": "#/$defs/Claim"}},
        "sources": {"type": "array", "items": {"$ref": "#/$defs/Source"}},
    }
    whole = {"type": "object", "properties": properties, "required": ["claims"], "additionalProperties": False}
    return written_schema("haptos claims", {**whole, "$defs": definitions}, lab_catalogue())
