"""Noun phrases and prepositions for interventions, readouts and surroundings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from haptos.conditions import interventions as doing
from haptos.conditions.catalogue import EntityTerm, Vocabulary
from haptos.conditions.experiment import Culture
from haptos.conditions.interventions import Intervention
from haptos.evidence.claims import Readout

__all__ = ["Names", "agent", "details", "induced_by", "listed", "readout_phrase", "series", "setting", "surroundings"]

_SPLIT = re.compile(r" (?=(?:at|in|to|on|not|with|from) )")
_COUNTED = ("migrated", "invaded", "proliferating", "escaped")
_SUMMARY = {
    "integral": "the time integral of ",
    "peak": "the peak of ",
    "delay": "the delay of ",
    "rate_of_change": "the rate of change of ",
    "half_life": "the half-life of ",
}


@dataclass(frozen=True)
class Names:
    """How names of the vocabulary read in a sentence; unknown names read as they are."""

    vocabulary: Vocabulary

    def of(self, name: str) -> str:
        """Return the label of an entity, or of cells."""
        term = self.vocabulary.entities.get(name) or self.vocabulary.cells.get(name)
        return term.label if term is not None else name.replace("_", " ")

    def cells(self, name: str) -> str:
        """Return the label of a cell context."""
        term = self.vocabulary.cells.get(name)
        return term.label if term is not None else name.replace("_", " ")

    def assay(self, name: str) -> str:
        """Return the label of an assay."""
        term = self.vocabulary.assays.get(name)
        return term.label if term is not None else name.replace("_", " ")

    def measure(self, assay: str, name: str) -> tuple[str, str]:
        """Return label and unit of a measure."""
        term = self.vocabulary.assays.get(assay)
        found = [m for m in term.measures if m.id == name] if term is not None else []
        return (found[0].label, found[0].unit) if found else (name.replace("_", " "), "")

    def is_plural(self, name: str) -> bool:
        """Guess whether the label of an entity takes a plural verb."""
        term = self.vocabulary.entities.get(name)
        if isinstance(term, EntityTerm) and term.kind in ("gene", "state", "complex", "integrin", "compound"):
            return False
        head = re.split(r" (?:of|on|in|with|whose|by|to|from|at|for|that|without) ", self.of(name))[0]
        last = head.split()[-1]
        return last in ("mice", "cilia") or (last.endswith("s") and not last.endswith(("sis", "ss", "us", "is")))

    def stem(self, name: str) -> str:
        """Return the label as it stands before '-induced': plural nouns in the singular."""
        return self.of(name).removesuffix("s") if self.is_plural(name) else self.of(name)

    def is_place(self, name: str) -> bool:
        """Tell whether an entity is an organ or tissue, so that things are read *in* it."""
        term = self.vocabulary.entities.get(name)
        return isinstance(term, EntityTerm) and (term.kind == "tissue" or "organ" in term.roles)


def listed(parts: Sequence[str], last: str = "and") -> str:
    """Join phrases as in running text.

    Examples
    --------
    >>> listed(["talin", "kindlin", "paxillin"])
    'talin, kindlin and paxillin'
    """
    *first, final = parts
    return f"{', '.join(first)} {last} {final}" if first else final


def series(parts: Sequence[str]) -> str:
    """Join phrases, saying a shared 'SUCH of' only once.

    Examples
    --------
    >>> series(["inhibition of PI3K", "inhibition of ERK"])
    'inhibition of PI3K and of ERK'
    """
    first = re.match(r"[\w-]+ of ", parts[0])
    if first is None or not all(part.startswith(first[0]) for part in parts):
        return listed(parts)
    head = first[0].removesuffix("of ")
    return listed([parts[0], *(part.removeprefix(head) for part in parts[1:])])


def induced_by(names: Names, causes: Sequence[str]) -> str:
    """Return 'A-, B- and C-induced'."""
    stems = [names.stem(name) for name in causes]
    return listed([*(f"{stem}-" for stem in stems[:-1]), f"{stems[-1]}-induced"])


def agent(step: Intervention, names: Names) -> str:
    """Return an intervention as a noun phrase that can act.

    Examples
    --------
    >>> agent(doing.Knockdown(knockdown="ILK"), Names(Vocabulary({})))
    'ILK siRNA'
    """
    name = names.of(step.target)
    match step:
        case doing.SwapCells():
            return names.cells(step.target)
        case doing.Knockdown():
            return f"siRNA against {name}" if names.is_plural(step.target) else f"{name} siRNA"
        case doing.Overexpress():
            return f"overexpression of {name}" if " with " in name else f"{name} overexpression"
        case doing.Treat() | doing.Add():
            return f"a gradient of {name}" if getattr(step, "gradient", False) else name
        case doing.Neutralise():
            return f"an antibody against {name}"
        case doing.PlateOn():
            stiff = f" of {step.stiffness}" if step.stiffness is not None else ""
            return f"plating on {name}{stiff}"
        case doing.Detach():
            return "detachment"
        case doing.Rescue() | doing.ExpressMutant() | doing.Mutate() | doing.SetExpression():
            return _genetic(step, name)
        case doing.Activate():
            form = f" ({_spoken(step.variant)})" if step.variant else ""
            return f"{'weak ' if step.strength == 'weak' else ''}activation of {name}{form}"
        case _:
            return _mechanical(step, name)


def _genetic(step: Intervention, name: str) -> str:
    match step:
        case doing.Rescue():
            return f"re-expressed {name}" + ("" if step.variant == "wild-type" else f" {_spoken(step.variant)}")
        case doing.ExpressMutant():
            return f"{_spoken(step.variant)} {name}"
        case doing.Mutate():
            return f"mutation of {name}" + ("" if step.variant == "loss" else f" ({_spoken(step.variant)})")
        case doing.SetExpression():
            return f"{step.fold.value:g}-fold expression of {name}" if step.fold.value else f"absence of {name}"
        case _:
            return name


_NOUNS = {
    "knockout": "loss of {}",
    "inhibit": "inhibition of {}",
    "block": "blockade of {}",
    "cleave": "cleavage of {}",
    "release": "release of {}",
    "withdraw": "withdrawal of {}",
    "embed_in": "embedding in {}",
    "restrict_spreading": "restricted spreading",
    "set_affinity": "{fold}-fold affinity of {}",
    "set_mobility": "{fold}-fold mobility of {}",
    "set_adhesion": "{fold}-fold adhesion through {}",
    "set_bond": "{fold}-fold strength of the {} bond",
    "set_heterogeneity": "{fold}-fold variation between {}",
}


def _mechanical(step: Intervention, name: str) -> str:
    match step:
        case doing.LockConformation():
            return f"locking of {name} in {step.state} affinity{_pole(step.pole)}"
        case doing.SetAdhesion():
            return f"{step.fold.value:g}-fold adhesion through {name}{_pole(step.pole)}"
        case doing.SetMobility() if step.fold.value == 0:
            return f"immobilisation of {name}"
        case doing.SetDensity():
            return f"{step.level} density of {name}"
        case doing.SetArchitecture():
            return f"a {step.set_architecture.replace('_', ' (')}) cytoskeleton"
        case doing.Injure():
            return f"a wound in the {step.injure}"
        case doing.Implant() | doing.SelectSubline():
            return f"{'implantation into' if step.verb == 'implant' else 'selection of'} {_the(name)}"
        case doing.Scan():
            return f"a series of {name} from {step.low.value:g}- to {step.high.value:g}-fold"
        case _:
            fold = getattr(step, "fold", None)
            form = _NOUNS.get(step.verb, step.verb.replace("_", " ") + " {}")
            form = {"on": "flow", "stop": "stop of flow"}[name] if step.verb == "shear" else form
            return form.format(name, fold="" if fold is None else f"{fold.value:g}")


def _pole(pole: str) -> str:
    return "" if pole == "everywhere" else f" at the {pole}"


def _the(name: str) -> str:
    return name if name.startswith(("the ", "a ", "an ")) else f"the {name}"


def details(step: Intervention) -> str:
    """Return how strong, how much and when, where that is not the default.

    Examples
    --------
    >>> details(doing.Activate(activate="MAPK1", strength="weak", until="1 h"))
    'until 1 h, weak'
    """
    defaults = {name: field.default for name, field in type(step).model_fields.items()}
    found = []
    for name in (
        "dose",
        "fold",
        "density",
        "stiffness",
        "remaining",
        "by",
        "at",
        "until",
        "strength",
        "state",
        "variant",
    ):
        value = getattr(step, name, None)
        if value is not None and value != defaults.get(name):
            label = {"at": "from ", "until": "until "}.get(name, "")
            unit = "-fold" if name == "fold" else ""
            found.append(f"{label}{value}{unit}")
    return ", ".join(found)


def _spoken(variant: str) -> str:
    return variant.replace("_", " ")


def setting(step: Intervention, names: Names) -> str:
    """Return an intervention as a circumstance with its preposition.

    Examples
    --------
    >>> setting(doing.Detach(), Names(Vocabulary({})))
    'in suspension'
    """
    name = names.of(step.target)
    match step:
        case doing.PlateOn():
            return agent(step, names).removeprefix("plating ")
        case doing.EmbedIn() | doing.Implant():
            return f"in {name if isinstance(step, doing.EmbedIn) else _the(name)}"
        case doing.Detach():
            return "in suspension"
        case doing.Withdraw() | doing.Knockout():
            return f"without {name}"
        case doing.SwapCells():
            return f"in {names.cells(step.target)}"
        case doing.LockConformation():
            return f"with {name} locked in {step.state} affinity{_pole(step.pole)}"
        case doing.Shear():
            return "under flow" if step.shear == "on" else "after a stop of flow"
        case _:
            return f"with {agent(step, names)}"


def surroundings(culture: Culture | None, names: Names) -> str:
    """Return the culture as a circumstance; empty for the default of the cells."""
    if culture is None:
        return ""
    set_here = culture.model_fields_set
    parts = []
    if culture.geometry == "suspension":
        parts.append("in suspension")
    elif culture.geometry == "3D":
        parts.append(f"in 3D {names.of(culture.coating)}" if "coating" in set_here else "in 3D")
    elif "coating" in set_here:
        parts.append(f"on {names.of(culture.coating)}")
    if "serum" in set_here:
        parts.append(f"with {culture.serum} serum" if culture.serum.value else "without serum")
    return " ".join(parts)


def readout_phrase(readout: Readout | None, assay: str, names: Names) -> str:
    """Return what is read as a noun phrase in the singular."""
    if readout is None:
        return "the readout"
    label, _ = names.measure(assay, readout.measure)
    things = listed([names.of(name) for name in readout.of]) if readout.of else ""
    if things and all(names.is_place(name) for name in readout.of):
        phrase = f"the {label} in {things}"
    else:
        phrase = _special(readout.measure, things) or _of(label, things)
    if readout.measure in _COUNTED:
        phrase = f"the number of {phrase.removeprefix('the ')}"
    if readout.over:
        phrase += f" relative to {_base(readout, names)}"
    return _SUMMARY.get(readout.summary, "") + phrase


def _base(readout: Readout, names: Names) -> str:
    if readout.over == readout.of:
        return "its total" if len(readout.of) == 1 else "their totals"
    return listed([names.of(name) for name in readout.over])


def _special(measure: str, things: str) -> str:
    """Return the phrase of measures that do not read well as 'the LABEL of X'; empty if it does."""
    forms = {
        "mrna": "the mRNA of {}",
        "active": "the amount of active {}",
        "pro": "the amount of pro-form of {}",
        "total": "the total amount of {}",
        "complex": "the complex of {}",
        "gtp_bound": "the amount of GTP-bound {}",
        "active_epitope": "active-state antibody or ligand on {}",
        "shifted": "the probe shifted by {}",
        "luciferase": "the reporter activity of {}",
    }
    return forms[measure].format(things) if things and measure in forms else ""


def _of(label: str, things: str) -> str:
    """Put 'of THINGS' where it belongs in a label."""
    if not things:
        return f"the {label}"
    head, *tail = _SPLIT.split(label, maxsplit=1) if not label.endswith("ratio") else [label]
    if " of " in head:
        return f"the {label} for {things}"
    return " ".join([f"the {head} of {things}", *tail])
