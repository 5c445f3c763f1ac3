"""Reading SBML and Antimony: what is kept, what is refused by name."""

from __future__ import annotations

import pickle
import re

import pytest

from haptos.errors import ModelError
from haptos.signalling.sbml import antimony_to_sbml, read_sbml

CORE = "http://www.sbml.org/sbml/level3/version2/core"
MATH = "http://www.w3.org/1998/Math/MathML"


def _document(body: str, *, head: str = "", model: str = "", level: int = 3) -> str:
    """Wrap elements into a document with compartment c, species A and B, parameter k."""
    space = CORE if level == 3 else "http://www.sbml.org/sbml/level2/version4"
    version = 'level="3" version="2"' if level == 3 else 'level="2" version="4"'
    return f"""<?xml version="1.0" encoding="UTF-8"?>
    <sbml xmlns="{space}" {version} {head}><model id="m" {model}>{body}</model></sbml>"""


COMPARTMENTS = (
    '<listOfCompartments><compartment id="c" spatialDimensions="3" size="2" constant="true"/></listOfCompartments>'
)
_FLAGS = 'hasOnlySubstanceUnits="false" boundaryCondition="false" constant="false"'
SPECIES = (
    f'<listOfSpecies><species id="A" compartment="c" initialConcentration="1" {_FLAGS}/>'
    f'<species id="B" compartment="c" initialAmount="4" {_FLAGS}/></listOfSpecies>'
)
PARAMETERS = '<listOfParameters><parameter id="k" value="3" constant="false"/></listOfParameters>'


def _math(inner: str) -> str:
    return f'<math xmlns="{MATH}">{inner}</math>'


def _reaction(rate: str = "<ci> k </ci>", reference: str = 'stoichiometry="1"', more: str = "", local: str = "") -> str:
    law = f"<kineticLaw>{_math(rate)}{local}</kineticLaw>" if rate else ""
    return (
        f'<listOfReactions><reaction id="J" reversible="false" {more}><listOfReactants>'
        f'<speciesReference species="A" constant="true" {reference}/></listOfReactants>'
        f"{law}</reaction></listOfReactions>"
    )


BASE = COMPARTMENTS + SPECIES + PARAMETERS
_DELAY = (
    '<apply><csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/delay"> d '
    "</csymbol><ci> A </ci><cn> 1 </cn></apply>"
)
_RATE_OF = (
    '<apply><csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/rateOf"> r '
    "</csymbol><ci> k </ci></apply>"
)
_EVENT = (
    '<listOfEvents><event id="boom" useValuesFromTriggerTime="true"><trigger initialValue="true" '
    f'persistent="true">{_math("<true/>")}</trigger></event></listOfEvents>'
)
_DELAYED = _EVENT.replace("</trigger>", f"</trigger><delay>{_math('<cn> 1 </cn>')}</delay>")
_COMP = 'xmlns:comp="http://www.sbml.org/sbml/level3/version1/comp/version1" comp:required="true"'
_FBC = 'xmlns:fbc="http://www.sbml.org/sbml/level3/version1/fbc/version2" fbc:required="true"'
_NEW = 'xmlns:zzz="http://www.sbml.org/sbml/level3/version1/zzz/version1" zzz:required="true"'

REFUSED = {
    "delay of an event": (
        _document(BASE + _DELAYED),
        "event 'boom': its delay",
    ),
    "priority of an event": (
        _document(BASE + _EVENT.replace("</trigger>", f"</trigger><priority>{_math('<cn> 1 </cn>')}</priority>")),
        "event 'boom': its priority",
    ),
    "delay": (_document(BASE + _reaction(_DELAY)), "reaction 'J'.*delay"),
    "rateOf": (_document(BASE + _reaction(_RATE_OF)), "reaction 'J'.*rateOf"),
    "algebraic rule": (
        _document(BASE + f"<listOfRules><algebraicRule>{_math('<ci> k </ci>')}</algebraicRule></listOfRules>"),
        "algebraic rule 0 = k",
    ),
    "variable compartment": (
        _document(
            BASE.replace('size="2" constant="true"', 'size="2" constant="false"')
            + f'<listOfRules><rateRule variable="c">{_math("<cn> 1 </cn>")}</rateRule></listOfRules>'
        ),
        "compartment 'c'.*changes",
    ),
    "no dimension": (
        _document(BASE.replace('spatialDimensions="3" size="2"', 'spatialDimensions="0"')),
        "compartment 'c'.*no dimension",
    ),
    "size missing": (_document(BASE.replace('size="2"', "")), "compartment 'c'.*size is not given"),
    "fast reaction": (
        _document(BASE + _reaction(more='fast="true"'))
        .replace("level3/version2", "level3/version1")
        .replace('version="2"', 'version="1"'),
        "reaction 'J'.*fast",
    ),
    "comp": (_document(BASE, head=_COMP), "package 'comp'"),
    "fbc": (_document(BASE, head=_FBC), "package 'fbc'"),
    "unknown package": (_document(BASE, head=_NEW), "zzz"),
    "stoichiometry missing": (_document(BASE + _reaction(reference="")), "stoichiometry of 'A' is not given"),
    "stoichiometry assigned": (
        _document(
            BASE + f'<listOfInitialAssignments><initialAssignment symbol="sA">{_math("<cn> 2 </cn>")}'
            "</initialAssignment></listOfInitialAssignments>" + _reaction(reference='id="sA"')
        ),
        "stoichiometry of 'A' is set",
    ),
    "stoichiometry formula": (
        _document(
            BASE + '<listOfReactions><reaction id="J"><listOfReactants><speciesReference species="A">'
            f"<stoichiometryMath>{_math('<ci> k </ci>')}</stoichiometryMath></speciesReference>"
            f"</listOfReactants><kineticLaw>{_math('<ci> k </ci>')}</kineticLaw></reaction></listOfReactions>",
            level=2,
        ),
        "stoichiometry of 'A' is a formula",
    ),
    "rate missing": (_document(BASE + _reaction("")), "reaction 'J': it has no rate"),
    "value missing": (_document(BASE.replace('value="3"', "")), "parameter 'k'.*not given"),
    "start missing": (_document(BASE.replace('initialAmount="4"', "")), "species 'B'.*initial value is not given"),
    "factorial": (_document(BASE + _reaction("<apply><factorial/><ci> k </ci></apply>")), "factorial"),
}


@pytest.mark.parametrize("feature", REFUSED)
def test_unsupported_features_are_refused_by_name(feature: str) -> None:
    """Nothing that is not understood is dropped silently."""
    text, message = REFUSED[feature]
    with pytest.raises(ModelError, match=re.compile(message, re.DOTALL)):
        read_sbml(text)


def test_the_frame_of_these_tests_is_itself_accepted() -> None:
    """The refusals above are due to the feature, not to the frame."""
    model = read_sbml(_document(BASE + _reaction()))
    assert [s.id for s in model.species] == ["A", "B"]
    assert [model.text(s.initial) for s in model.species if s.initial is not None] == ["1", "(4 / c)"]
    assert read_sbml(_document(BASE.replace('"3" size', '"3" size'), level=2)).symbols[0] == "c"


def test_all_reasons_are_collected() -> None:
    """A user sees every obstacle at once."""
    text = _document(BASE.replace('value="3"', "") + _reaction(_DELAY, reference="") + _DELAYED)
    with pytest.raises(ModelError) as caught:
        read_sbml(text)
    for part in ("event 'boom'", "stoichiometry of 'A'", "parameter 'k'"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a valid SBML"),
        ("<html/>", "not a valid SBML"),
        (_document(BASE + _reaction("<ci> nobody </ci>")), "nobody"),
        (_document(BASE.replace('compartment="c"', 'compartment="d"')), "'d'"),
    ],
)
def test_invalid_documents_are_refused(text: str, message: str) -> None:
    """What libSBML rejects is passed on with its line."""
    with pytest.raises(ModelError, match=message):
        read_sbml(text)


def test_local_parameters_hide_global_ones_and_get_free_names() -> None:
    """The local k is promoted; the global k stays what it was."""
    local = '<listOfLocalParameters><localParameter id="k" value="7"/></listOfLocalParameters>'
    taken = PARAMETERS.replace("</list", '<parameter id="J_k" value="1" constant="true"/></list')
    model = read_sbml(_document(COMPARTMENTS + SPECIES + taken + _reaction(local=local)))
    assert model.text(model.reactions[0].rate) == "J_k_"
    assert {p.id: p.value for p in model.parameters} == {"k": 3.0, "J_k": 1.0, "J_k_": 7.0}
    assert model.parameters[-1].reaction == "J"


def test_functions_are_written_out() -> None:
    """Nested calls take the values of the caller, not equally named global ones."""
    model = read_sbml(
        antimony_to_sbml(
            """function inner(a, k)
                 a/(k + a)
               end
               function outer(k, a)
                 inner(k, a)*k
               end
               model m; species A; A = 2; k = 3; x := outer(A, k); end"""
        )
    )
    assert model.text(model.assignments[0].expression) == "(A * (A / (A + k)))"


def test_annotations_units_and_notes_survive() -> None:
    """Resources, readable units and notes are copied as text."""
    text = antimony_to_sbml(
        """model m
             unit substance = 1e-24 mole; unit volume = 1e-15 litre; unit time_unit = 60 second;
             unit extent = 1e-24 mole; unit per_min = 1/60 second^-1;
             compartment c = 1; species A in c; A = 1; k = 1; k has per_min;
             J: A -> ; k*A*c; J identity "http://identifiers.org/go/GO:0006508"
             A identity "http://identifiers.org/uniprot/P05556"
             J notes ```a <b>bold</b> note```
           end"""
    )
    model = read_sbml(text)
    assert model.species[0].units == "(1e-24 mole) / (1e-15 litre)"
    assert model.species[0].terms == ("http://identifiers.org/uniprot/P05556",)
    assert model.reactions[0].terms == ("http://identifiers.org/go/GO:0006508",)
    assert "note" in model.reactions[0].notes
    assert "<" not in model.reactions[0].notes
    assert model.time_units == "60 second"


def test_model_is_data() -> None:
    """Models compare by value and can be pickled."""
    text = antimony_to_sbml("model m; A -> B; k*A; A = 1; B = 0; k = 1; end")
    assert pickle.loads(pickle.dumps(read_sbml(text))) == read_sbml(text)


def test_antimony_faults_show_the_line() -> None:
    """The line number and the text of the line are in the message."""
    with pytest.raises(ModelError, match=r"line 3.*\n.*3 \|.*S1 -> S2; k\*"):
        antimony_to_sbml("model m\n  k = 1\n  S1 -> S2; k*\nend")
    assert "species" in antimony_to_sbml("model m; species A; A = 1; end")


def test_antimony_models_do_not_leak_into_each_other() -> None:
    """The global store of libAntimony is emptied between calls."""
    antimony_to_sbml("model first; species A; A = 1; end")
    with pytest.raises(ModelError):
        antimony_to_sbml("model second; F: first(); end")


def test_antimony_threads_do_not_mix() -> None:
    """Concurrent translations give each caller its own model."""
    from concurrent.futures import ThreadPoolExecutor

    texts = [f"model m{i}; species A{i}; A{i} = {i}; end" for i in range(24)]
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(antimony_to_sbml, texts))
    assert [read_sbml(g).species[0].id for g in got] == [f"A{i}" for i in range(24)]
