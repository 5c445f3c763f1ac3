"""A claim as an English sentence, made from its formal record alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import cast

from haptos.conditions.catalogue import Vocabulary
from haptos.conditions.interventions import Scan
from haptos.evidence import claims as said
from haptos.evidence.claims import Claim, Relation
from haptos.evidence.phrases import Names, details, induced_by, listed, series
from haptos.evidence.scene import Pair, Scene, Steps

__all__ = ["relation_sentence", "sentence", "trial_sentence"]

#: Outcome: verb for one cause, what follows the readout, adjective of the comparison.
_VERBS = {
    "increase": ("raises", "", "higher"),
    "decrease": ("lowers", "", "lower"),
    "no_change": ("leaves", " unchanged", "the same"),
}
_CHANGES = {"rise": "raises", "fall": "lowers"}

#: What the reference does to the test arm, given what the test arm does to the reference.
_OPPOSITE = {"increase": "decrease", "decrease": "increase", "no_change": "no_change"}


def sentence(claim: Claim, vocabulary: Vocabulary) -> str:
    """Return what the claim says: its experiment and outcome, or its relation if it has no experiment.

    Parameters
    ----------
    claim : Claim
        The formal record; nothing else is used.
    vocabulary : Vocabulary
        Labels of the names.
    """
    return trial_sentence(claim, vocabulary) or relation_sentence(claim, vocabulary)


def relation_sentence(claim: Claim, vocabulary: Vocabulary) -> str:
    """Return the relation of the claim as a sentence."""
    names, relation = Names(vocabulary), claim.relation
    predicate = vocabulary.predicates.get(relation.predicate)
    verb = predicate.label if predicate is not None else relation.predicate.replace("_", " ")
    if len(relation.subject) > 1 or names.is_plural(relation.subject[0]):
        verb = _plural(verb)
    subject = listed([names.of(name) for name in relation.subject])
    what = _object(relation, names)
    if relation.predicate == "is_a":
        verb, what = verb.removesuffix(" a"), _with_article(what, many=verb.startswith("are"))
    text = f"{subject} {verb} {what}"
    if claim.context is not None:
        text += f" in {names.of(claim.context)}"
    return _finish(text)


def _with_article(what: str, *, many: bool) -> str:
    if many or what.startswith(("a ", "an ", "the ")):
        return what
    return f"{'an' if what[0] in 'aeiou' else 'a'} {what}"


def _object(relation: Relation, names: Names) -> str:
    text = listed([names.of(name) for name in relation.object])
    if relation.induced_by:
        text = f"{induced_by(names, relation.induced_by)} {text}"
    for word, field in (("of", relation.of), ("via", relation.via)):
        text += f" {word} {listed([names.of(name) for name in field])}" if field else ""
    return text


def trial_sentence(claim: Claim, vocabulary: Vocabulary) -> str:
    """Return experiment and expected outcome as a sentence; empty if there is no experiment."""
    if claim.trial is None or claim.expect is None:
        return ""
    scene = Scene(claim.trial, Names(vocabulary))
    match claim.expect:
        case said.Count():
            text = _count(scene, claim.expect)
        case said.Synergy():
            text = _synergy(scene, claim.expect)
        case said.Varies():
            text = _varies(scene, claim.expect)
        case said.Rising() | said.Falling():
            text = _graded(scene, claim.expect)
        case said.Biphasic() if len(claim.expect.test) > 1:
            text = _graded(scene, claim.expect)
        case said.Range() | said.Biphasic():
            text = _alone(scene, claim.expect)
        case _:
            text = _compared(scene, cast("said.Compared", claim.expect))
    return _finish(f"{text} ({scene.reading()})")


def _compared(scene: Scene, expect: said.Compared) -> str:
    """Word an expectation relative to a reference arm."""
    control = getattr(expect, "control", None)
    pairs = [scene.pair(test, reference, control) for test, reference in expect.pairs()]
    if len(pairs) == 1 and pairs[0].removed and pairs[0].added:
        return _contrast(scene, expect, pairs[0])
    opposite = _OPPOSITE.get(_outcome(expect), "")
    acting = [p for p in pairs if p.cells == p.other_cells and p.added]
    turned = [p for p in pairs if p.cells == p.other_cells and p.removed and not p.added and opposite]
    others = [p for p in pairs if p not in acting and p not in turned]
    clauses = _effects(scene, expect, acting)
    clauses += _effects(scene, expect, [replace(p, added=p.removed, removed=()) for p in turned], opposite)
    return "; ".join(dict.fromkeys([*clauses, *(_contrast(scene, expect, p) for p in others)]))


def _effects(scene: Scene, expect: said.Compared, pairs: Sequence[Pair], outcome: str = "") -> list[str]:
    """Word pairs as effects, joined where they differ in one respect only."""
    inducers = _grouped(((p.cells, p.background, p.removed, p.added), p.induced) for p in pairs)
    causes = _grouped(((c, b, r, tuple(i)), added) for (c, b, r, added), i in inducers.items())
    cells = _grouped(((b, r, i, tuple(added)), c) for (c, b, r, i), added in causes.items())
    places = _grouped(((r, i, added, tuple(c)), b) for (b, r, i, added), c in cells.items())
    return [
        f"{_place(scene, c, backgrounds)}, {_effect(scene, expect, r, i, added, outcome)}"
        for (r, i, added, c), backgrounds in places.items()
    ]


def _place(scene: Scene, cells: Sequence[str], backgrounds: Sequence[Steps]) -> str:
    """Return where effects happen: what all backgrounds share, then how they differ."""
    first, *others = backgrounds
    if not others:
        return scene.place(cells, first)
    common = tuple(step for step in first if all(step in steps for steps in others))
    rest = [tuple(step for step in steps if step not in common) for steps in backgrounds]
    ways = [" ".join(scene.settings(steps)) if steps else "alone" for steps in rest]
    return f"{scene.place(cells, common)}, {listed(ways)}"


def _effect(
    scene: Scene,
    expect: said.Compared,
    removed: Steps,
    induced: tuple[Steps, ...],
    added: tuple[Steps, ...],
    outcome: str = "",
) -> str:
    """Word 'this does that'."""
    many = len(added) > 1
    verb, rest = _predicate(scene, expect, tuple(steps for steps in induced if steps), outcome)
    causes = series([scene.cause(steps) for steps in added]) + (" each" if many else "")
    against = f" compared with {scene.cause(removed)}" if removed else ""
    return f"{causes} {_plural(verb) if many else verb} {rest}{against}"


def _predicate(scene: Scene, expect: said.Compared, induced: tuple[Steps, ...], outcome: str = "") -> tuple[str, str]:
    """Return verb and rest of an effect."""
    what = scene.what
    match expect:
        case said.Abolished() if induced:
            return "abolishes", f"the {_source(scene, induced)} {what}"
        case said.Abolished():
            return "abolishes", what
        case said.Restored():
            despite = f" despite {listed([scene.cause(steps) for steps in induced], 'or')}" if induced else ""
            return "restores", f"{what}{despite}"
        case said.Transient():
            return _CHANGES[expect.change], f"{what} for a time, back within {expect.back_by}"
        case said.Sustained():
            return _CHANGES[expect.change], f"{what} for at least {expect.until}"
        case said.Ratio():
            return "brings", f"{what} to {_span(expect.low, expect.high)}-fold"
        case _:
            verb, after, _ = _VERBS[outcome or _outcome(expect)]
            fold = getattr(expect, "at_least", None)
            return verb, f"{what}{after}" + (f" at least {fold.value:g}-fold" if fold is not None else "")


def _source(scene: Scene, induced: tuple[Steps, ...]) -> str:
    """Return 'ILK-induced rise of'."""
    simple = ("overexpress", "add", "treat", "activate", "plate_on")
    if all(len(steps) == 1 and steps[0].verb in simple for steps in induced):
        return f"{induced_by(scene.names, [steps[0].target for steps in induced])} rise of"
    return f"rise through {listed([scene.cause(steps) for steps in induced], 'or')} of"


def _contrast(scene: Scene, expect: said.Compared, p: Pair) -> str:
    """Word 'this is higher here than there'."""
    here, there = _sides(scene, p)
    place = "" if p.cells != p.other_cells else f"{scene.place([p.cells], p.shared)}, "
    shared = " ".join(["", scene.culture, *scene.settings(p.shared)]).rstrip() if not place else ""
    match expect:
        case said.Abolished():
            claim = f"is nearly gone {here}, unlike {there}"
        case said.Restored():
            claim = f"is restored {here}, unlike {there}"
        case said.Ratio():
            claim = f"{here} is {_span(expect.low, expect.high)}-fold that {there}"
        case said.Transient():
            way = "rises {} over" if expect.change == "rise" else "falls {} below"
            claim = f"{way.format(here)} that {there} and is back within {expect.back_by}"
        case said.Sustained():
            side = "above" if expect.change == "rise" else "below"
            claim = f"stays {side} that {there} {here} until {expect.until}"
        case _:
            claim = (
                f"is {_VERBS[_outcome(expect)][2]} {here} {'as' if _outcome(expect) == 'no_change' else 'than'} {there}"
            )
    return f"{place}{scene.what} {claim}{shared}".replace("  ", " ")


def _sides(scene: Scene, p: Pair) -> tuple[str, str]:
    """Return the two sides of a contrast, each with its preposition."""
    here, there = scene.settings(p.added), scene.settings(p.removed)
    if p.cells != p.other_cells:
        here = [f"in {scene.names.cells(p.cells)}", *here]
        there = [f"in {scene.names.cells(p.other_cells)}", *there]
    if not here and not there:
        return "in the same state", "at rest"
    if here == there:
        here = [f"{text} ({how})" for text, how in zip(here, map(details, p.added), strict=False)]
        there = [f"{text} ({how})" for text, how in zip(there, map(details, p.removed), strict=False)]
    if not here:
        return f"without {scene.cause(p.removed)}", "with it"
    return " ".join(here), " ".join(there) or "without"


def _varies(scene: Scene, expect: said.Varies) -> str:
    """Word a difference between contexts."""
    pairs = [scene.pair(test, reference) for test, reference in expect.pairs()]
    contexts = list(dict.fromkeys(scene.names.cells(p.cells) for p in pairs))
    causes = list(dict.fromkeys(scene.cause(p.added) for p in pairs if p.added))
    if len(contexts) > 1 and causes:
        where = f"differs between {listed(contexts)}"
        return f"the effect of {listed(causes)} on {scene.what} {where}"
    if len(contexts) > 1:
        return f"{scene.what} differs between {listed(contexts)}"
    told = [" ".join(scene.settings(p.shared)) for p in pairs]
    settings = list(dict.fromkeys(f"cells {text}" if text else "otherwise untreated cells" for text in told))
    if len(settings) > 1 and causes:
        effect = f"the effect of {listed(causes)} on {scene.what}"
        return f"{scene.place(_contexts(pairs))}, {effect} differs between {listed(settings)}"
    return f"{scene.place(_contexts(pairs))}, {scene.what} responds differently to {listed(causes or ['nothing'])}"


def _synergy(scene: Scene, expect: said.Synergy) -> str:
    """Word a gain above the sum of the single gains."""
    base = scene.pair(expect.test[0], expect.control)
    cause = scene.cause(base.added) if base.added else "the combination"
    place = scene.place([base.cells], base.shared)
    return f"{place}, {cause} raises {scene.what} by more than the single gains add up to"


def _alone(scene: Scene, expect: said.Range | said.Biphasic) -> str:
    """Word an expectation on single arms."""
    texts = []
    for arm in expect.test:
        scans = [step for step in scene.steps(arm) if isinstance(step, Scan)]
        others = tuple(step for step in scene.steps(arm) if not isinstance(step, Scan))
        if isinstance(expect, said.Biphasic):
            of = listed([scene.names.of(step.scan) for step in scans]) if scans else "the scanned amount"
            claim = f"has its maximum at an intermediate amount of {of}"
        else:
            claim = _bounds(expect, scene.unit())
        texts.append(f"{scene.place([scene.cells(arm)], others)}, {scene.what} {claim}")
    return "; ".join(texts)


def _graded(scene: Scene, expect: said.Graded | said.Biphasic) -> str:
    """Word a series of arms."""
    shared = tuple(s for s in scene.steps(expect.test[0]) if all(s in scene.steps(arm) for arm in expect.test))
    cells = list(dict.fromkeys(scene.cells(arm) for arm in expect.test))
    told = [_in_series(scene, arm, shared, named=len(cells) > 1) for arm in expect.test]
    place = scene.place(cells, shared)
    if isinstance(expect, said.Biphasic):
        return f"{place}, {scene.what} has its {expect.extreme} inside the series {'; '.join(told)}"
    verb = "rises" if isinstance(expect, said.Rising) else "falls"
    return f"{place}, {scene.what} {verb}{' at each step' if expect.each_step else ''} from {' to '.join(told)}"


def _in_series(scene: Scene, arm: str, shared: Steps, *, named: bool) -> str:
    """Return what sets an arm of a series apart; its cells, too, if they differ."""
    steps = scene.doses(step for step in scene.steps(arm) if step not in shared)
    text = listed(steps) if steps else "none"
    return f"{scene.names.cells(scene.cells(arm))} ({text})" if named else text


def _count(scene: Scene, expect: said.Count) -> str:
    """Word a static check of the library."""
    term = scene.names.vocabulary.registries.get(expect.registry)
    what = term.label if term is not None else expect.registry.replace("_", " ")
    if expect.of and expect.high is None:
        return f"the library lists {listed([scene.names.of(name) for name in expect.of])} among its {what}"
    of = f" for {listed([scene.names.of(name) for name in expect.of])}" if expect.of else ""
    return f"the library holds {_amount(expect.low, expect.high)} {what}{of}"


def _grouped[K, V](items: Iterable[tuple[K, V]]) -> dict[K, list[V]]:
    """Collect the values of equal keys, each value once, in their order."""
    groups: dict[K, list[V]] = {}
    for key, value in items:
        found = groups.setdefault(key, [])
        if value not in found:
            found.append(value)
    return groups


def _contexts(pairs: Sequence[Pair]) -> list[str]:
    """Return the cells of the pairs, each once."""
    return list(dict.fromkeys(p.cells for p in pairs))


def _outcome(expect: said.Compared) -> str:
    return str(getattr(expect, "outcome", ""))


def _bounds(expect: said.Range, unit: str) -> str:
    low, high = expect.low, expect.high
    if low is not None and high is not None:
        return f"lies between {low:g} and {high:g}{unit}"
    if low is not None:
        return f"is {'above' if expect.low_excluded else 'at least'} {low:g}{unit}"
    return f"is at most {high:g}{unit}" if high is not None else "has a value"


def _span(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f"{low:g}- to {high:g}"
    return f"at least {low:g}" if low is not None else f"at most {high:g}" if high is not None else "some"


def _amount(low: float | None, high: float | None) -> str:
    if low is not None and low == high:
        return "no" if low == 0 else f"exactly {low:g}"
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    return f"at least {low:g}" if low is not None else f"at most {high:g}" if high is not None else "some"


def _plural(verb: str) -> str:
    """Return a verb phrase in the plural.

    Examples
    --------
    >>> _plural("is required for"), _plural("raises"), _plural("leads to phosphorylation of")
    ('are required for', 'raise', 'lead to phosphorylation of')
    """
    first, *rest = verb.split(" ")
    irregular = {"is": "are", "has": "have", "does": "do"}
    ending = "es" if first.endswith(("shes", "ches", "sses")) else "s"
    return " ".join([irregular.get(first, first.removesuffix(ending)), *rest])


def _finish(text: str) -> str:
    """Start with a capital, unless the first word is a name with capitals or digits, and end with a stop."""
    first = text.split(" ", maxsplit=1)[0]
    start = text[0].upper() + text[1:] if first.isalpha() and first.islower() else text
    return f"{start}."
