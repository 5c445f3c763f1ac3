"""Integrins as instances: one copy of a template for each heterodimer that a cell may make.

The template is ``library/modules/integrin.ant``. What differs between heterodimers (ligands,
partners, links) is written here from ``library/integrins/heterodimers.yaml``; heterodimers
that are not instantiated keep their names as rules that are 0.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache

from haptos.errors import ModelError, nearest
from haptos.signalling.building.integrins import Heterodimer, heterodimers
from haptos.signalling.building.integrins.pairing import pairing_rules
from haptos.signalling.building.modules import Module, library_text, parse_module

__all__ = ["TEMPLATE", "heterodimers_for", "integrin_module"]

#: Name of the module that is written from the template.
TEMPLATE = "integrin"

#: Text of the template that holds for one heterodimer alone.
_ONLY = re.compile(r"\{only (?P<pair>\w+): (?P<text>[^}]*)\}")
_NOTHING = "0 dimensionless * integrin_reference"
_NO_AFFINITY = "0 dimensionless / integrin_reference"
_NO_DIFFUSION = "0 dimensionless"
#: Rules of one heterodimer that other modules and assays read.
_EXPORTS = ("total_{H}", "surface_{H}", "clustered_{H}", "unligated_{H}")
_MEASURES = ("level", "surface", "high_affinity", "active_epitope", "bound", "clustered")
_CLASSES = {"beta1_integrins": "ITGB1", "beta2_integrins": "ITGB2", "beta3_integrins": "ITGB3", "integrins": ""}
_ADHESIONS = {
    "adhesion_beta1": "ITGB1",
    "adhesion_beta2": "ITGB2",
    "adhesion_beta3": "ITGB3",
    "adhesion_beta4": "ITGB4",
}


def heterodimers_for(repertoire: Mapping[str, float], targets: Iterable[str] = ()) -> frozenset[str]:
    """Return the heterodimers a network needs.

    Parameters
    ----------
    repertoire : mapping of str to float
        What the cell makes, by heterodimer.
    targets : iterable of str
        Targets of interventions that may add a heterodimer (over-expression, rescue, activation):
        a heterodimer stands for itself, a subunit for all its pairs with a partner the cell has.

    Raises
    ------
    ModelError
        If the repertoire names an unknown heterodimer.

    Examples
    --------
    >>> sorted(heterodimers_for({"ITGA6:ITGB1": 1.0}, ["ITGB4", "ILK"]))
    ['ITGA6:ITGB1', 'ITGA6:ITGB4']
    """
    known = heterodimers()
    for name in repertoire:
        if name not in known:
            near = ", ".join(nearest(name, tuple(known)))
            raise ModelError(f"no integrin {name!r} in the library" + (f"; did you mean {near}?" if near else ""))
    own = {name for name, amount in repertoire.items() if amount > 0}
    parts = {u for name in own for u in name.split(":")}
    wanted = set(targets)
    added = {
        h.id
        for h in known.values()
        if h.id in wanted or (h.alpha in wanted and h.beta in parts) or (h.beta in wanted and h.alpha in parts)
    }
    return frozenset(own | added)


def integrin_module(chosen: Collection[str]) -> Module:
    """Return the integrin module for a set of heterodimers.

    Parameters
    ----------
    chosen : collection of str
        Heterodimers to instantiate; may be empty.

    Raises
    ------
    ModelError
        If one is not in the library.
    """
    unknown = sorted(set(chosen) - set(heterodimers()))
    if unknown:
        raise ModelError(f"no integrin {', '.join(unknown)} in the library")
    return _module(frozenset(chosen))


@cache
def _module(chosen: frozenset[str]) -> Module:
    there = [h for h in heterodimers().values() if h.id in chosen]
    absent = [h for h in heterodimers().values() if h.id not in chosen]
    head, body, tail = _template()
    lines = [*(text for h in there for text in (_instance(body, h), *_own_rules(h))), *pairing_rules(there)]
    lines += [rule for h in absent for rule in _zero_rules(h)]
    lines += [*_adhesions(there), *_sums(there), *_shared(there)]
    return parse_module("\n".join([head, *lines, tail]), where=f"{TEMPLATE}.ant")


def _template() -> tuple[str, str, str]:
    """Return the first lines up to the header, the body and the last line of the template."""
    text = library_text(f"{TEMPLATE}.ant")
    head, _, rest = text.partition(f"model {TEMPLATE}\n")
    body, _, _ = rest.rpartition("end")
    return f"{head}model {TEMPLATE}", body, "end"


def _instance(body: str, pair: Heterodimer) -> str:
    talin = pair.adaptor == "talin"
    adaptors = {"talin": "TLN1_ready", "plectin": "plectin_opening * expression__PLEC", "none": "open_opening"}
    words = {
        "{H}": pair.name,
        "{B}": pair.beta,
        "{adaptor}": adaptors[pair.adaptor],
        "{with_talin}": " + TLN1_active" if talin else "",
        "{frees_talin}": " + TLN1_active" if talin else "",
        "{lost_talin}": "TLN1" if talin else "",
        "{tail}": "share_tail_ITGB1 * " if pair.beta == "ITGB1" else "",
    }
    body = _ONLY.sub(lambda found: found["text"] if found["pair"] == pair.name else "", body)
    for word, text in words.items():
        body = body.replace(word, text)
    return body


#: What protein kinase C does to the recycling of a heterodimer, and to the gathering of one that holds the cytoskeleton
#: only with it.
_RECYCLES = "(1 dimensionless + ratio_PRKCA_recycling * act_PRKCA / (act_PRKCA + PRKCA_half_recycling))"
_GATHERS = (
    "(share_gathering_without_PKC + (1 dimensionless - share_gathering_without_PKC)"
    " * act_PRKCA ^ 2 / (act_PRKCA ^ 2 + PRKCA_half_gathering ^ 2))"
)


def _own_rules(pair: Heterodimer) -> list[str]:
    """Return what differs between heterodimers: ligands, gates, traffic, gathering, affinity."""
    h, b = pair.name, pair.beta
    galectin = "share_LGALS8_free * " if b == "ITGB1" else ""
    forced = f"forced__{h} + forced__{b}"
    met = [_met(pair, bond.id) for bond in pair.ligands]
    odds = " + ".join([*met, f"forced_ligand * ({forced})"])
    densities = " + ".join([*(f"coat__{bond.id}" for bond in pair.ligands), forced])
    ease = [f"ease_{h}"] if pair.ease else []
    gates = [*ease, f"share_open_{b}", *(_gate(route) for route in ("ERBB2", "LCP1") if getattr(pair.links, route))]
    working = f"(process__integrin_binding * function__{h} * function__{b})"
    free = f"(1 dimensionless + (1 dimensionless - {working}) * odds_ligand_{h})"
    return [
        f"  odds_ligand_{h} := affinity_factor__{h} * {galectin}({odds});",
        # what is blocked binds nothing, however dense the coat: the share bound is working * odds / (1 + odds)
        f"  share_ligand_{h} := {working} * odds_ligand_{h} / {free};",
        f"  share_density_{h} := {densities};",
        f"  share_open_{h} := {' * '.join(gates)};",
        f"  share_recycling_{h} := {_RECYCLES if pair.links.PRKCA else '1 dimensionless'};",
        f"  share_gathering_{h} := {_GATHERS if pair.links.PRKCA_gathers else '1 dimensionless'};",
        f"  affinity__{h} := {_affinity(pair, galectin)};",
    ]


def _met(pair: Heterodimer, ligand: str) -> str:
    """Return the odds of binding one ligand: coated, and dissolved if the medium holds it."""
    dissolved = f" + {ligand}" if ligand == "FN1" else ""
    return f"(coat__{ligand} * ligand_reference{dissolved}) / KD_{pair.name}_{ligand}"


def _gate(route: str) -> str:
    return {"ERBB2": "share_without_ERBB2", "LCP1": "share_LCP1"}[route]


def _affinity(pair: Heterodimer, galectin: str) -> str:
    """Return the mean strength of binding the best ligand at the surface [1/nM]."""
    if not pair.ligands:
        return _NO_AFFINITY
    h = pair.name
    best = min(pair.ligands, key=lambda bond: bond.KD.value)
    opened = f"{h}_high + {h}_bound + {h}_clustered"
    mean = f"({opened} + {h}_low / fold_{h}) / (surface_{h} + integrin_floor)"
    return f"affinity_factor__{h} * {galectin}{mean} / KD_{h}_{best.id}"


def _zero_rules(pair: Heterodimer) -> list[str]:
    """Return the rules of a heterodimer that is not there."""
    names = [*(e.replace("{H}", pair.name) for e in _EXPORTS), *(f"{m}__{pair.name}" for m in _MEASURES)]
    rules = [f"  {name} := {_NOTHING};" for name in names]
    return [*rules, f"  affinity__{pair.name} := {_NO_AFFINITY};", f"  diffusion__{pair.name} := {_NO_DIFFUSION};"]


def _sum(terms: Sequence[str]) -> str:
    return " + ".join(terms) or _NOTHING


def _adhesions(there: Sequence[Heterodimer]) -> list[str]:
    """Return the signals of gathered integrins, by route and by β subunit [nM per cytoplasm]."""
    lines = [f"  adhesion_total := {_sum([f'clustered_{h.name}' for h in there])};"]
    for route in ("FAK", "SHC", "ILK"):
        terms = [_weighted(h, getattr(h.links, route)) for h in there if getattr(h.links, route) > 0]
        lines.append(f"  adhesion_{route} := {_sum(terms)};")
    for name, beta in _ADHESIONS.items():
        lines.append(f"  {name} := {_sum([f'clustered_{h.name}' for h in there if h.beta == beta])};")
    return lines


def _weighted(pair: Heterodimer, weight: float) -> str:
    return f"clustered_{pair.name}" if weight == 1.0 else f"{weight!r} dimensionless * clustered_{pair.name}"


def _sums(there: Sequence[Heterodimer]) -> list[str]:
    """Return what assays read of classes of integrins; affinity and diffusion are means over the surface."""
    lines = []
    for group, beta in _CLASSES.items():
        members = [h.name for h in there if beta in ("", h.beta)]
        lines += [f"  {m}__{group} := {_sum([f'{m}__{h}' for h in members])};" for m in _MEASURES]
        for measure, nothing in (("affinity", _NO_AFFINITY), ("diffusion", _NO_DIFFUSION)):
            products = " + ".join(f"{measure}__{h} * surface__{h}" for h in members)
            mean = f"({products}) / (surface__{group} + integrin_floor)" if members else nothing
            lines.append(f"  {measure}__{group} := {mean};")
    return lines


def _shared(there: Sequence[Heterodimer]) -> list[str]:
    """Return what depends on all heterodimers at once."""
    talin = [f"{h.name}_{s}" for h in there if h.adaptor == "talin" for s in ("high", "bound", "clustered")]
    return [
        f"  talin_in_integrins := {_sum(talin)};",
        "  share_cyt_integrin := cytoplasm / (cytoplasm + nucleus);",
        f"  attached__cells := ({_sum([f'{h.name}_clustered' for h in there])}) * share_cyt_integrin;",
        "  complex__LGALS8_ITGB1 := surface__beta1_integrins * share_LGALS8_bound;",
    ]
